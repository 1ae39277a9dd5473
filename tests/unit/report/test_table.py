"""The table of an outcome: figures, missing figures, verdict and failure."""

import re

import pytest
from rich.console import Console

from llem.report.formatting import joules
from llem.report.outcome_table import _interval, outcome_table
from llem.schema.outcome import Environment, Failure, Outcome, Reason, Spread, Verdict
from llem.schema.reason_codes import CATALOG

CODES = [entry.code for entry in CATALOG]

ENVIRONMENT = Environment(
    llem_version="0",
    started_at="2026-01-01T00:00:00+00:00",
    system="Linux",
    cpu="A processor",
    logical_cores=2,
    memory_bytes=1,
)


def outcome(**parts):
    return Outcome.model_validate(
        {
            "id": "x",
            "experiment_sha256": "0",
            "status": "done",
            "verdict": Verdict(valid=True),
            "experiment": {"model": {"id": "shape:tiny"}, "backend": "some"},
            "plan": {},
            "environment": ENVIRONMENT,
            **parts,
        }
    )


def shown(outcome):
    console = Console(width=120, record=True, file=None, color_system=None, quiet=False)
    with console.capture() as capture:
        console.print(outcome_table(outcome))
    return capture.get()


def test_a_valid_outcome_says_so():
    assert "verdict: valid" in shown(outcome())


def test_every_reason_is_shown():
    reasons = [Reason(code=entry.code, message=f"about {entry.code}") for entry in CATALOG]
    text = shown(outcome(verdict=Verdict(valid=False, reasons=tuple(reasons))))
    assert "verdict: not valid" in text
    assert re.findall(r"(\S+): about (\S+)", text) == [(code, code) for code in CODES]


def test_a_failure_shows_phase_message_and_hint():
    failure = Failure(code="out-of-memory", phase="open", message="no room", hint="Use less.")
    text = shown(outcome(status="failed", failure=failure))
    assert "failed in open: no room" in text
    assert "hint: Use less." in text


UNMEASURED = dict.fromkeys(
    (
        "gross_j", "idle_j", "net_j", "uncertainty_j", "j_per_output_token", "mean_w",
        "j_per_request", "net_j_per_output_token", "net_j_per_request", "idle_basis",
        "gain_uncertainty_j", "net_uncertainty_j", "uncertainty_j_per_output_token",
        "uncertainty_j_per_request",
    )
)  # fmt: skip


@pytest.mark.parametrize("missing", ["0.0", "nan", "None"])
def test_a_missing_figure_is_never_a_number(missing):
    energy = {"provenance": "unavailable", **UNMEASURED}
    text = shown(outcome(energy=energy))
    assert "unavailable: no meter works here" in text
    assert missing not in text


def test_a_phase_is_shown_only_where_its_energy_is_known():
    phases = {
        "prefill_s": 1.0, "prefill_j": None, "prefill_uncertainty_j": None,
        "j_per_prefill_token": None, "decode_s": 4.0, "decode_j": 400.0,
        "decode_uncertainty_j": 8.0, "j_per_decode_token": 0.5, "mixed_s": 0.0,
        "unavailable": "prefill: its spans are too short",
    }  # fmt: skip
    energy = {**UNMEASURED, "provenance": "measured", "gross_j": 600.0, "phases": phases}
    text = shown(outcome(energy=energy))
    assert "400 ± 8 J" in text
    assert "0.5 J per decode token" in text
    assert "prefill" not in text


def test_a_shown_energy_carries_the_gain_error_of_its_sensor():
    assert joules(400.0, 6.0, 8.0) == "400 ± 10 J"
    assert joules(400.0, 6.0, None) == "400 ± 6 J"
    assert joules(400.0, None, 8.0) == "400 J"


@pytest.mark.parametrize(
    ("compute", "line"),
    [
        (
            {"flops_per_s": None, "mfu_ratio": None, "note": "no formula for x"},
            "- no formula for x",
        ),
        ({"flops_per_s": 2e12, "mfu_ratio": 0.5, "note": ""}, "2 TFLOP/s 50.0% of peak"),
        (
            {"flops_per_s": 2e12, "mfu_ratio": 0.5, "note": "the head is tied"},
            "2 TFLOP/s 50.0% of peak; the head is tied",
        ),
    ],
)
def test_arithmetic_that_is_missing_says_why(compute, line):
    text = shown(outcome(compute={"flops": None, **compute}))
    (row,) = [row for row in text.splitlines() if "arithmetic" in row]
    assert " ".join(row.split()) == f"arithmetic {line}"


def test_an_interval_that_is_unknown_counts_its_repetitions():
    spread = {"mean": 1.0, "std": None, "ci95_low": None, "ci95_high": None}
    assert _interval(Spread(n=7, **spread)) == "7 repetitions"
    assert _interval(Spread(n=1, **spread)) == "1 repetition"
