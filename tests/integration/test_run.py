"""`llem run` from config to stored outcome, on the simulated backend."""

import json

import jsonschema
import pytest

from llem.results import read_outcome, read_phases, read_requests, read_samples
from llem.schema.outcome import Outcome

from .conftest import Llem


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return one run's outcome, and what ran it, for tests that only look at them."""
    llem = Llem(tmp_path_factory.mktemp("run"))
    return llem.run(check=0, workload__input_tokens=16), llem


@pytest.fixture
def outcome(measured):
    return measured[0]


def test_the_outcome_has_every_documented_key_and_follows_its_schema(outcome):
    assert list(outcome) == list(Outcome.model_fields)
    schema = json.loads(json.dumps(Outcome.model_json_schema(mode="serialization")))
    jsonschema.Draft202012Validator(schema).validate(outcome)


def test_what_is_stored_is_what_was_printed(measured):
    outcome, llem = measured
    (folder,) = llem.results.iterdir()
    assert read_outcome(folder).model_dump(mode="json") == outcome
    assert folder.name == outcome["id"]


def test_every_request_is_stored(measured):
    outcome, llem = measured
    (folder,) = llem.results.iterdir()
    requests = list(read_requests(folder))
    assert len(requests) == 4 * len(outcome["timing"]["repetitions"])
    assert (
        sum(request["output_tokens"] for request in requests) == outcome["tokens"]["output_tokens"]
    )
    assert all(len(request["output_ids"]) == request["output_tokens"] for request in requests)


def test_every_reading_is_stored(llem):
    outcome = llem.run(check=0, measurement__meters="[simulated]")
    (folder,) = llem.results.iterdir()
    rows = list(read_samples(folder))
    assert {(row["meter"], row["power_w"]) for row in rows} == {("simulated", "100.0")}
    times_s = [float(row["time_s"]) for row in rows]
    first, *_, last = outcome["timing"]["repetitions"]
    assert times_s[0] < first["start_monotonic_s"]
    assert times_s[-1] > last["start_monotonic_s"] + last["duration_s"]


def test_when_prompts_were_read_is_stored_and_lies_in_the_windows(llem):
    outcome = llem.run(check=0, measurement__meters="[simulated]")
    (folder,) = llem.results.iterdir()
    stored = read_phases(folder)
    assert {"prefill", "decode"} <= set(stored)
    known = outcome["energy"]["phases"]
    for name, spans in stored.items():
        total_s = sum(end - start for start, end in spans)
        assert total_s == pytest.approx(known[f"{name}_s"])
    windows = [
        (each["start_monotonic_s"], each["start_monotonic_s"] + each["duration_s"])
        for each in outcome["timing"]["repetitions"]
    ]
    for start, end in (span for spans in stored.values() for span in spans):
        assert any(first <= start and end <= last + 1e-6 for first, last in windows)


def test_simulated_figures_are_never_valid(outcome):
    assert outcome["status"] == "done"
    assert outcome["verdict"]["valid"] is False
    assert [reason["code"] for reason in outcome["verdict"]["reasons"]] == ["simulated-engine"]
    assert outcome["environment"]["engine"] == "simulated"


def test_who_requires_a_valid_outcome_learns_from_the_exit_code_and_has_it_stored(llem):
    outcome = llem.run("--require-valid", check=5)
    assert outcome["status"] == "done"
    assert llem.stored() == [outcome]


def test_all_figures_cover_the_same_windows(outcome):
    timing, tokens = outcome["timing"], outcome["tokens"]
    repetitions = timing["repetitions"]
    assert timing["duration_s"] == pytest.approx(sum(each["duration_s"] for each in repetitions))
    assert tokens["output_tokens"] == sum(each["output_tokens"] for each in repetitions)
    assert tokens["input_tokens"] == 4 * 16 * len(repetitions)
    throughput = outcome["throughput"]
    assert throughput["output_tokens_per_s"] * timing["duration_s"] == pytest.approx(
        tokens["output_tokens"]
    )
    assert throughput["requests_per_s"] * timing["duration_s"] == pytest.approx(
        4 * len(repetitions)
    )


def test_the_energy_identities_hold(outcome):
    energy, tokens, timing = outcome["energy"], outcome["tokens"], outcome["timing"]
    assert energy["provenance"] in {"measured", "estimated"}
    counted = [row for row in energy["devices"] if row["counted_in_total"]]
    assert energy["gross_j"] == pytest.approx(sum(row["gross_j"] for row in counted))
    assert energy["j_per_output_token"] * tokens["output_tokens"] == pytest.approx(
        energy["gross_j"]
    )
    assert energy["net_j"] == pytest.approx(energy["gross_j"] - energy["idle_j"])
    assert energy["mean_w"] * timing["duration_s"] == pytest.approx(energy["gross_j"])
    assert energy["gross_j"] == pytest.approx(
        sum(each["gross_j"] for each in timing["repetitions"])
    )
    per_second = outcome["throughput"]["output_tokens_per_s"]
    assert energy["mean_w"] / per_second == pytest.approx(energy["j_per_output_token"])


def test_a_constant_power_gives_the_energy_it_must(llem):
    outcome = llem.run(check=0, measurement__meters="[simulated]")
    energy = outcome["energy"]
    assert energy["gross_j"] == pytest.approx(100.0 * outcome["timing"]["duration_s"])
    assert energy["net_j"] == pytest.approx(0.0, abs=1e-6 * energy["gross_j"])
    phases = energy["phases"]
    assert phases["decode_j"] == pytest.approx(100.0 * phases["decode_s"])
    assert phases["prefill_j"] == pytest.approx(100.0 * phases["prefill_s"])


def test_without_a_meter_energy_is_unavailable_and_never_zero(llem):
    energy = llem.run(check=0, measurement__meters="[]")["energy"]
    assert energy["provenance"] == "unavailable"
    figures = [key for key in energy if key.endswith(("_j", "_w")) or key.startswith("j_per")]
    assert figures
    assert [energy[key] for key in figures] == [None] * len(figures)


def test_padding_and_filler_are_never_output(llem):
    outcome = llem.run(
        check=0,
        simulated__batch_size=4,
        simulated__eos_after_tokens=3,
        decoder__ignore_eos=False,
        workload__input_tokens="{distribution: uniform, low: 2, high: 30}",
        workload__output_tokens="{distribution: uniform, low: 1, high: 8}",
    )
    tokens, repetitions = outcome["tokens"], len(outcome["timing"]["repetitions"])
    requests = 4 * repetitions
    assert tokens["output_tokens"] <= 3 * requests
    assert tokens["padding_input_tokens"] > 0
    assert (
        tokens["padding_tokens"] == tokens["padding_input_tokens"] + tokens["padding_output_tokens"]
    )


def test_the_same_experiment_asks_the_same_question(llem):
    first, second = llem.run(check=0), llem.run(check=0)
    assert first["workload"] == second["workload"]
    assert first["experiment_sha256"] == second["experiment_sha256"]
    assert first["id"] != second["id"]


def test_latency_follows_the_simulated_speed(llem):
    outcome = llem.run(
        check=0,
        workload__input_tokens=128,
        simulated__decode_steps_per_s=200,
        simulated__prefill_tokens_per_s=1000,
    )
    # Sleeping is never shorter than asked for.
    assert outcome["latency"]["ttft_s"]["p50"] >= 0.128
    assert 0.004 < outcome["latency"]["itl_s"]["p50"] < 0.02
    assert outcome["latency"]["e2e_s"]["p50"] > outcome["latency"]["ttft_s"]["p50"]


def test_no_secret_lands_in_the_results(llem):
    secret = "hf_" + "s3cret" * 6
    done = llem(
        *llem.run_arguments(),
        "--set", f"runner.env.HF_TOKEN={secret}",
        "--set", f"passthrough_kwargs.load.token={secret}",
        HF_TOKEN=secret,
    )  # fmt: skip
    written = "".join(
        path.read_text(errors="replace")
        for path in llem.folder.rglob("*")
        if path.suffix in {".json", ".log"}
    )
    assert secret not in done.stdout + done.stderr + written


def test_a_read_only_output_folder_is_refused_before_anything_runs(llem):
    done = llem(*llem.run_arguments("--out", "/proc/llem"), check=2)
    assert "cannot write results to /proc/llem" in done.stderr
    assert "--out" in done.stderr


def test_a_table_with_the_verdict_is_shown(llem):
    done = llem(*llem.run_arguments(), check=0)
    assert "output tokens/s" in done.stdout
    assert "verdict: not valid" in done.stdout
    assert "stored in" in done.stdout


def test_quiet_prints_nothing(llem):
    done = llem(*llem.run_arguments("--quiet"), check=0)
    assert (done.stdout, done.stderr) == ("", "")
    assert len(llem.stored()) == 1


def test_a_dry_run_starts_and_stores_nothing(llem):
    done = llem(*llem.run_arguments("--dry-run"), check=0)
    assert done.stdout
    assert not llem.results.exists()
