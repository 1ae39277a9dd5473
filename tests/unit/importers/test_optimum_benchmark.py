"""Reading what optimum-benchmark wrote: the file was made with the classes of its release 0.6.0."""

import json
from pathlib import Path

import pytest

from llem.api.importers import ImportHints
from llem_importers.optimum_benchmark import read

DOCUMENT = json.loads((Path(__file__).parent / "data/optimum_0.6.0.json").read_text())
REPORT = DOCUMENT["report"]


def test_what_it_says_of_machine_and_model_is_taken_over():
    result = read(DOCUMENT, ImportHints())
    assert (result.tool, result.tool_version) == ("optimum-benchmark", "0.6.0")
    assert (result.backend, result.engine, result.engine_version) == (
        "pytorch", "transformers", "4.57.0",
    )  # fmt: skip
    assert result.model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (result.cpu, result.logical_cores, result.memory_bytes) == (
        "Some Processor @ 2.50GHz", 2, 25_000_000_000,
    )  # fmt: skip
    assert result.settings["pytorch"]["torch_dtype"] == "bfloat16"
    assert result.settings["workload"] == {"requests": 2, "input_tokens": 16, "output_tokens": 10}


def test_figures_are_in_the_units_of_llem_and_per_what_llem_counts():
    figures = read(DOCUMENT, ImportHints()).metrics
    generate_j = REPORT["generate"]["energy"]["total"] * 3.6e6
    assert generate_j == pytest.approx(9.0)
    assert figures["j_per_request"] == pytest.approx(generate_j / 2)
    assert figures["j_per_output_token"] == pytest.approx(generate_j / 20)
    assert figures["j_per_prefill_token"] == pytest.approx(0.9 / 32)
    assert figures["j_per_decode_token"] == pytest.approx((generate_j - 0.9) / 18)
    assert figures["ttft_s_p50"] == REPORT["prefill"]["latency"]["p50"]
    assert figures["itl_s_p99"] == REPORT["per_token"]["latency"]["p99"]
    assert figures["e2e_s_p99"] == REPORT["generate"]["latency"]["p99"]
    assert figures["host_peak_rss_bytes"] == pytest.approx(1402.5e6)
    assert figures["duration_s"] == pytest.approx(REPORT["generate"]["latency"]["mean"])


def test_what_it_did_not_measure_is_not_there():
    assert "device_peak_bytes" not in read(DOCUMENT, ImportHints()).metrics
    quiet = {name: {**section, "energy": None} for name, section in REPORT.items()}
    figures = read({**DOCUMENT, "report": quiet}, ImportHints()).metrics
    assert not [name for name in figures if name.startswith("j_per")]
    assert "duration_s" in figures


def test_every_call_is_a_repetition():
    repetitions = read(DOCUMENT, ImportHints()).repetitions
    durations_s = REPORT["generate"]["latency"]["values"]
    assert repetitions["duration_s"] == durations_s
    assert repetitions["output_tokens_per_s"] == pytest.approx(
        [20 / duration_s for duration_s in durations_s]
    )
    assert repetitions["total_tokens_per_s"] == pytest.approx(
        [52 / duration_s for duration_s in durations_s]
    )


def test_its_samples_per_second_of_generate_are_not_believed():
    # In 0.6.0 they are the decoded tokens over the time of a call: 18 of them here, not 2 samples.
    told = REPORT["generate"]["throughput"]
    assert told["value"] == pytest.approx(18 / REPORT["generate"]["latency"]["mean"])
    figures = read(DOCUMENT, ImportHints()).metrics
    assert figures["requests_per_s"] == pytest.approx(told["value"] * 2 / 18, rel=1e-3)


def test_a_report_by_itself_needs_to_be_told_what_a_call_did():
    alone = read(REPORT, ImportHints())
    assert (alone.model, alone.backend) == ("unknown", "unknown")
    assert set(alone.repetitions) == {"duration_s"}
    told = read(REPORT, ImportHints(requests=2, input_tokens=16, output_tokens=10))
    assert told.metrics == pytest.approx(read(DOCUMENT, ImportHints()).metrics)


@pytest.mark.parametrize("document", [None, [], 3, {}, {"report": 1}, {"generate": {"a": 1}}])
def test_other_data_are_not_its(document):
    assert read(document, ImportHints()) is None
