"""Every number that llem shows of an outcome equals the stored one, read here as raw JSON."""

import json
import math
import re
from pathlib import Path

import pytest

from llem.report.comparison.comparison import ALLOWABLE_CODES, compare
from llem.report.load_outcomes import read_all, split_by
from llem.report.metrics import METRICS
from llem.report.outcome_table import rows
from llem.report.study_report.content import build_report
from llem.report.study_report.html_page import html_page
from llem.report.study_report.summary import Rates

MEASURED = Path(__file__).parents[3] / "docs/measured"
STUDIES = sorted({path.parents[1] for path in MEASURED.glob("*/*/*/outcome.json")})
FOLDERS = sorted(path.parent for path in MEASURED.glob("*/*/*/outcome.json"))

KEYS = {
    "j_per_output_token": "energy.j_per_output_token",
    "net_j_per_output_token": "energy.net_j_per_output_token",
    "j_per_request": "energy.j_per_request",
    "net_j_per_request": "energy.net_j_per_request",
    "j_per_prefill_token": "energy.phases.j_per_prefill_token",
    "j_per_decode_token": "energy.phases.j_per_decode_token",
    "mean_w": "energy.mean_w",
    "output_tokens_per_s": "throughput.output_tokens_per_s",
    "total_tokens_per_s": "throughput.total_tokens_per_s",
    "requests_per_s": "throughput.requests_per_s",
    "ttft_s_p50": "latency.ttft_s.p50",
    "ttft_s_p99": "latency.ttft_s.p99",
    "itl_s_p50": "latency.itl_s.p50",
    "itl_s_p99": "latency.itl_s.p99",
    "e2e_s_p50": "latency.e2e_s.p50",
    "e2e_s_p99": "latency.e2e_s.p99",
    "device_peak_bytes": "memory.device_peak_bytes",
    "host_peak_rss_bytes": "memory.host_peak_rss_bytes",
}
"""Where a stored outcome has each metric; ``duration_s`` is a mean over repetitions."""

TERMINAL = {
    "output tokens/s": "throughput.output_tokens_per_s",
    "total tokens/s": "throughput.total_tokens_per_s",
    "requests/s": "throughput.requests_per_s",
    "output tokens": "tokens.output_tokens",
    "energy, gross": "energy.gross_j",
    "energy, net": "energy.net_j",
    "energy per output token": "energy.j_per_output_token",
    "energy per request": "energy.j_per_request",
    "energy, prefill": "energy.phases.prefill_j",
    "energy, decode": "energy.phases.decode_j",
}
MILLISECONDS = {
    "time to first token": "latency.ttft_s.p50",
    "inter-token latency": "latency.itl_s.p50",
    "end-to-end latency": "latency.e2e_s.p50",
}


def raw(folder):
    return json.loads((folder / "outcome.json").read_text(encoding="utf-8"))


def at(document, path):
    for key in path.split("."):
        document = None if document is None else document.get(key)
    return document


def test_the_kept_outcomes_are_found():
    assert len(FOLDERS) >= 29
    assert KEYS.keys() | {"duration_s"} == METRICS.keys()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_metric_is_the_stored_number(folder):
    document = raw(folder)
    (stored,) = read_all([folder])
    found = {name: METRICS[name].of(stored.outcome) for name in KEYS}
    assert found == {name: at(document, key) for name, key in KEYS.items()}
    durations_s = [repetition["duration_s"] for repetition in document["timing"]["repetitions"]]
    mean_s = math.fsum(durations_s) / len(durations_s)
    assert METRICS["duration_s"].of(stored.outcome) == pytest.approx(mean_s)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_repetitions_add_up_to_the_stored_number(folder):
    document = raw(folder)
    (stored,) = read_all([folder])
    parts = document["timing"]["repetitions"]
    requests = document["workload"]["requests"]
    weights = {
        "output_tokens": [part["output_tokens"] for part in parts],
        "requests": [requests for _ in parts],
        "duration_s": [part["duration_s"] for part in parts],
    }
    for name, weight in (
        ("j_per_output_token", "output_tokens"),
        ("net_j_per_output_token", "output_tokens"),
        ("j_per_request", "requests"),
        ("net_j_per_request", "requests"),
        ("mean_w", "duration_s"),
        ("output_tokens_per_s", "duration_s"),
        ("total_tokens_per_s", "duration_s"),
        ("requests_per_s", "duration_s"),
    ):
        values = METRICS[name].repetitions(stored.outcome)
        assert len(values) == len(parts)
        total = math.fsum(map(math.prod, zip(values, weights[weight], strict=True)))
        mean = total / math.fsum(weights[weight])
        assert mean == pytest.approx(at(document, KEYS[name]), rel=1e-6), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_terminal_shows_the_stored_numbers(folder):
    document = raw(folder)
    (stored,) = read_all([folder])
    shown = {name: value for name, value, _ in rows(stored.outcome)}
    for names, factor in ((TERMINAL, 1), (MILLISECONDS, 1000)):
        for name, key in names.items():
            if (value := at(document, key)) is None:
                assert shown.get(name, "-") == "-", name
            else:
                number = float(shown[name].split()[0].replace(",", ""))
                assert number == pytest.approx(factor * value, rel=6e-4, abs=0.005 * (factor > 1))


@pytest.mark.parametrize("study", STUDIES, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_the_page_has_the_stored_numbers(study):
    documents = {document["id"]: document for document in map(raw, FOLDERS)}
    page = html_page(build_report("Kept", read_all([study]), Rates()))
    found = [
        (float(value), *source.split("#"))
        for value, source in re.findall(r'<data value="([^"]*)" data-from="([\w-]+#[^"]*)">', page)
    ]
    assert len(found) > 5 * len(list(study.glob("*/outcome.json")))
    for value, id, name in found:
        assert value == at(documents[id], KEYS.get(name, name)), (id, name)


def test_a_comparison_rests_on_the_stored_numbers():
    study = MEASURED / "eight-bit-on-a-cpu/first"
    base, new = split_by(read_all([study]), "pytorch.load_in_8bit", None)
    result = compare(base, new, [METRICS["j_per_output_token"]], allow=ALLOWABLE_CODES)
    (comparison,) = result.comparisons
    documents = [raw(path.parent) for path in sorted(study.glob("*/outcome.json"))]
    for is_8bit, values in ((None, comparison.samples.base), (True, comparison.samples.new)):
        stored = {
            document["energy"]["j_per_output_token"]
            for document in documents
            if document["experiment"]["pytorch"]["load_in_8bit"] is is_8bit
        }
        assert set(values) <= stored
        assert len(values) == 4
