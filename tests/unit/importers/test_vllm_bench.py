"""Read the files of `vllm bench`.

The files were written by vLLM 0.32 on a CPU: batches of two requests of 8 and 4 tokens for latency,
four such requests for the other two. Only the model's folder was replaced by its id.
"""

import json
import statistics
from pathlib import Path

import pytest

from llem.api.importers import ImportHints
from llem_importers.vllm_bench import read

FILES = {
    "latency": "vllm_latency.json",
    "throughput": "vllm_throughput.json",
    "serve": "vllm_0.32_serve.json",
}


def document(kind):
    return json.loads((Path(__file__).parent / "data" / FILES[kind]).read_text())


LATENCIES_S = document("latency")["latencies"]


def test_latency_is_the_time_of_a_batch_of_which_it_says_nothing():
    result = read(document("latency"), ImportHints())
    assert result.tool == "vllm bench latency"
    assert result.model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert result.repetitions == {"duration_s": LATENCIES_S}
    assert result.metrics == pytest.approx({"duration_s": document("latency")["avg_latency"]})


def test_latency_becomes_rates_once_batch_and_lengths_are_told():
    result = read(document("latency"), ImportHints(requests=2, input_tokens=8, output_tokens=4))
    for name, work in (("requests", 2), ("output_tokens", 8), ("total_tokens", 24)):
        rates = [work / latency_s for latency_s in LATENCIES_S]
        assert result.repetitions[f"{name}_per_s"] == pytest.approx(rates)
        assert result.metrics[f"{name}_per_s"] == pytest.approx(sum(rates) / 3)
    assert result.settings["workload"] == {"requests": 2, "input_tokens": 8, "output_tokens": 4}


def test_throughput_does_not_pass_all_tokens_for_output():
    told = document("throughput")
    result = read(told, ImportHints())
    assert result.metrics == pytest.approx(
        {
            "duration_s": told["elapsed_time"],
            "requests_per_s": told["requests_per_second"],
            "total_tokens_per_s": told["tokens_per_second"],
        }
    )
    figures = read(told, ImportHints(output_tokens=4)).metrics
    assert figures["output_tokens_per_s"] == pytest.approx(39.05, abs=0.01)  # as vLLM printed it
    assert figures["total_tokens_per_s"] == pytest.approx(told["tokens_per_second"])


def test_serve_is_in_seconds_and_per_second():
    told = document("serve")
    result = read(told, ImportHints())
    assert result.metrics == pytest.approx(
        {
            "duration_s": told["duration"],
            "requests_per_s": told["request_throughput"],
            "output_tokens_per_s": told["output_throughput"],
            "total_tokens_per_s": told["total_token_throughput"],
            "ttft_s_p50": told["median_ttft_ms"] / 1000,
            "ttft_s_p99": told["p99_ttft_ms"] / 1000,
            "itl_s_p50": told["median_itl_ms"] / 1000,
            "itl_s_p99": told["p99_itl_ms"] / 1000,
            "e2e_s_p50": statistics.median(told["latencies"]),
            "e2e_s_p99": max(told["latencies"]),
            "ttft_s_mean": told["mean_ttft_ms"] / 1000,
            "itl_s_mean": told["mean_itl_ms"] / 1000,
            "tpot_s_p50": told["median_tpot_ms"] / 1000,
            "tpot_s_p99": told["p99_tpot_ms"] / 1000,
            "tpot_s_mean": told["mean_tpot_ms"] / 1000,
            "failed_requests": 0,
        },
        rel=1e-4,
    )
    assert result.started_at == "2026-11-26T05:19:41"
    assert result.settings["traffic"]["request_rate"] == "inf"
    assert result.settings["workload"] == {"requests": 4, "input_tokens": 8, "output_tokens": 4}


def test_latencies_with_failed_requests_among_them_mean_nothing():
    failed = {**document("serve"), "failed": 1}
    assert "e2e_s_p50" not in read(failed, ImportHints()).metrics
    asked_for = {**failed, "median_e2el_ms": 2500.0}  # vLLM's own leaves failed ones out
    assert read(asked_for, ImportHints()).metrics["e2e_s_p50"] == 2.5


def test_lengths_that_vary_are_not_called_equal():
    uneven = {**document("serve"), "total_output_tokens": 15}
    assert read(uneven, ImportHints()).settings["workload"] == {"requests": 4, "input_tokens": 8}


@pytest.mark.parametrize("other", [None, [], {}, {"latencies": [1.0]}, {"duration": 1.0}])
def test_other_data_are_not_read(other):
    assert read(other, ImportHints()) is None
