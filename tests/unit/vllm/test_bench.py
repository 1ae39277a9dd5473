"""Reading what `vllm bench` writes; the files have the keys that vLLM 0.32 gives them, in order."""

import json
from pathlib import Path

import pytest

from llem.api.imports import Told
from llem.report.metrics import METRICS
from llem_vllm.bench import read


def document(kind):
    return json.loads((Path(__file__).parent / "bench" / f"{kind}.json").read_text())


def test_latency_is_the_time_of_a_batch_of_which_it_says_nothing():
    result = read(document("latency"), Told())
    assert result.tool == "vllm bench latency"
    assert result.model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert result.repetitions == {"duration_s": [1.9, 2.0, 2.1]}
    assert result.figures == pytest.approx({"duration_s": 2.0})


def test_latency_becomes_rates_once_batch_and_lengths_are_told():
    result = read(document("latency"), Told(requests=8, input_tokens=32, output_tokens=128))
    assert result.repetitions["requests_per_s"] == pytest.approx([8 / 1.9, 4.0, 8 / 2.1])
    assert result.repetitions["output_tokens_per_s"][1] == pytest.approx(8 * 128 / 2)
    assert result.repetitions["total_tokens_per_s"][1] == pytest.approx(8 * 160 / 2)
    assert result.settings["workload"] == {"requests": 8, "input_tokens": 32, "output_tokens": 128}


def test_throughput_does_not_pass_all_tokens_for_output():
    result = read(document("throughput"), Told())
    assert result.figures == {
        "duration_s": 8.0, "requests_per_s": 2.0, "total_tokens_per_s": 160.0,
    }  # fmt: skip
    told = read(document("throughput"), Told(output_tokens=16))
    assert told.figures["output_tokens_per_s"] == 16 * 16 / 8
    assert told.figures["total_tokens_per_s"] == 160.0


def test_serve_is_in_seconds_and_per_second():
    result = read(document("serve"), Told())
    assert result.figures == pytest.approx(
        {
            "duration_s": 5.0, "requests_per_s": 0.8, "output_tokens_per_s": 12.8,
            "total_tokens_per_s": 38.4, "ttft_s_p50": 0.120, "ttft_s_p99": 0.180,
            "itl_s_p50": 0.055, "itl_s_p99": 0.095, "e2e_s_p50": 2.5, "e2e_s_p99": 3.97,
        }
    )  # fmt: skip
    assert result.started_at == "2026-11-20T10:15:00"
    assert result.settings["traffic"]["request_rate"] == "inf"
    assert result.settings["workload"] == {"requests": 4, "input_tokens": 32, "output_tokens": 16}


def test_latencies_with_failed_requests_among_them_mean_nothing():
    failed = {**document("serve"), "failed": 1}
    assert "e2e_s_p50" not in read(failed, Told()).figures
    asked_for = {**failed, "median_e2el_ms": 2500.0}  # vLLM's own leaves failed ones out
    assert read(asked_for, Told()).figures["e2e_s_p50"] == 2.5


def test_lengths_that_vary_are_not_called_equal():
    uneven = {**document("serve"), "total_output_tokens": 63}
    assert read(uneven, Told()).settings["workload"] == {"requests": 4, "input_tokens": 32}


def test_every_figure_is_a_metric():
    for kind in ("latency", "throughput", "serve"):
        result = read(document(kind), Told(requests=1, input_tokens=1, output_tokens=1))
        assert set(result.figures) <= set(METRICS)
        assert set(result.repetitions) <= set(METRICS)


@pytest.mark.parametrize("other", [None, [], {}, {"latencies": [1.0]}, {"duration": 1.0}])
def test_other_data_are_not_its(other):
    assert read(other, Told()) is None
