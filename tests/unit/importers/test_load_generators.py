"""aiperf, GenAI-Perf, guidellm, inference-benchmarker, llmperf and llama-bench."""

import pytest

from llem.api.importers import ImportHints
from llem_importers.aiperf import read as read_aiperf


@pytest.mark.parametrize("file", ["aiperf_energy.json", "aiperf.csv"])
def test_aiperf_states_energy_and_failed_requests(outcome, file):
    found = outcome(file)
    figures = found.imported.metrics
    assert found.imported.tool == "aiperf"
    # 14,250 J are those of 95 requests of 500 tokens.
    assert figures["gross_j"] == 14250.0
    assert figures["j_per_output_token"] == pytest.approx(14250 / (95 * 500))
    assert figures["j_per_request"] == pytest.approx(14250 / 95)
    assert figures["mean_w"] == 600.0
    assert figures["duration_s"] == 23.75
    assert figures["requests_per_s"] == 4.0
    assert figures["output_tokens_per_s"] == 2000.0
    assert (figures["ttft_s_p50"], figures["ttft_s_p99"]) == pytest.approx((0.08, 0.13))
    assert figures["itl_s_p50"] == pytest.approx(0.006)
    assert figures["e2e_s_p99"] == pytest.approx(4.5)
    assert figures["failed_requests"] == 5
    assert "5 of 100 requests failed" in found.warnings[0].message
    assert [gpu["name"] for gpu in found.environment.gpus] == ["NVIDIA H100 80GB HBM3"] * 2


def test_aiperf_names_model_version_and_start(outcome):
    found = outcome("aiperf_energy.json")
    assert found.experiment["model"]["id"] == "Qwen/Qwen3-8B"
    assert found.imported.tool_version == "0.13.0"
    assert found.environment.started_at == "2026-09-01T10:00:00"


def test_aiperfs_telemetry_alone_gives_the_growth_of_the_counters(outcome):
    figures = outcome("aiperf_telemetry.json").imported.metrics
    # 0.0071 MJ and 0.0072 MJ over 47,500 tokens.
    assert figures["gross_j"] == pytest.approx(14300.0)
    assert figures["j_per_output_token"] == pytest.approx(14300 / 47500)
    assert figures["mean_w"] == 600.0


def test_genai_perfs_counter_readings_are_no_energy(outcome):
    found = outcome("genai_perf.json")
    assert (found.imported.tool, found.environment.engine) == ("GenAI-Perf", "vllm")
    assert found.experiment["model"]["id"] == "llama"
    figures = found.imported.metrics
    assert figures["mean_w"] == 300.1
    assert "gross_j" not in figures
    assert "no energy of the run" in found.warnings[0].message
    assert figures["e2e_s_p50"] == pytest.approx(1.03)
    assert outcome("genai_perf.csv").imported.tool == "GenAI-Perf"
    assert outcome("genai_perf.csv").imported.metrics == pytest.approx(figures)


def test_genai_perfs_counter_grew_by_the_difference_of_its_ends():
    document = {
        "request_throughput": {"unit": "requests/sec", "avg": 1.0},
        "telemetry_stats": {
            "energy_consumption": {
                "unit": "MJ",
                "gpu0": {"avg": 5.0, "min": 4.999, "max": 5.001},
                "gpu1": {"avg": 7.0, "min": 6.998, "max": 7.002},
            }
        },
    }
    result = read_aiperf(document, ImportHints())
    assert result.metrics["gross_j"] == pytest.approx(6000.0)
    lacking = document["telemetry_stats"]["energy_consumption"]["gpu1"].pop("max")
    assert lacking == 7.002
    assert "gross_j" not in read_aiperf(document, ImportHints()).metrics


def test_a_canceled_run_says_so():
    document = {"time_to_first_token": {"unit": "ms", "p50": 3.0}, "was_cancelled": True}
    result = read_aiperf(document, ImportHints())
    assert result.metrics == {"ttft_s_p50": 0.003}
    assert "not complete" in result.notes[0]


def test_guidellm_has_an_outcome_for_each_benchmark(outcome):
    found = outcome("guidellm_0.8.json")
    assert (found.imported.tool, found.imported.tool_version) == ("guidellm", "0.8.1")
    assert found.experiment["model"]["id"] == "meta-llama/Llama-3.1-8B-Instruct"
    figures = found.imported.metrics
    assert figures["duration_s"] == 60.0
    assert figures["requests_per_s"] == 4.67
    assert figures["output_tokens_per_s"] == 597.3
    assert figures["total_tokens_per_s"] == 1792.0
    assert (figures["ttft_s_p99"], figures["e2e_s_p99"]) == pytest.approx((0.14, 3.5))
    assert figures["itl_s_p50"] == pytest.approx(0.0159)
    assert (figures["failed_requests"], figures["incomplete_requests"]) == (12, 8)
    assert found.experiment["workload"] == {
        "requests": 280, "input_tokens": 256, "output_tokens": 128,
    }  # fmt: skip
    older = outcome("guidellm.json").imported
    assert older.metrics["ttft_s_p50"] == pytest.approx(0.0239)
    assert older.metrics["requests_per_s"] == 1.2


def test_inference_benchmarkers_warmup_is_no_result(outcome):
    found = outcome("inference_benchmarker.json")
    figures = found.imported.metrics
    assert figures["output_tokens_per_s"] == 800.0
    assert figures["total_tokens_per_s"] == pytest.approx((48000 + 24000) / 60)
    assert (figures["ttft_s_p50"], figures["e2e_s_p99"]) == pytest.approx((0.05, 3.3))
    assert figures["failed_requests"] == 4
    assert found.environment.logical_cores == 2


def test_llmperf_counts_requests_by_the_minute(outcome):
    found = outcome("llmperf_summary.json")
    figures = found.imported.metrics
    assert figures["requests_per_s"] == pytest.approx(81 / 60)
    assert figures["output_tokens_per_s"] == 201.5
    assert (figures["ttft_s_p50"], figures["itl_s_p99"], figures["e2e_s_p99"]) == (0.4, 0.034, 5.9)
    assert "3 of 150 requests failed" in found.warnings[0].message


def test_llama_bench_tells_prompt_from_generation(outcomes):
    prompt, generation = outcomes("llama_bench.json")
    assert prompt.imported.metrics == pytest.approx(
        {
            "duration_s": 0.07213564,
            "input_tokens_per_s": 7100.002165,
            "total_tokens_per_s": 7100.002165,
        }
    )
    assert generation.imported.metrics["output_tokens_per_s"] == 118.881588
    assert "input_tokens_per_s" not in generation.imported.metrics
    assert len(prompt.imported.repetitions["duration_s"]) == 5
    assert prompt.experiment["model"]["id"] == "Qwen2.5-7B-Instruct-Q4_K_M.gguf"
    assert prompt.environment.engine == "llama.cpp"
    assert prompt.imported.tool_version == "5163 8cf427ff"
    assert [gpu["name"] for gpu in prompt.environment.gpus] == ["NVIDIA GeForce RTX 4080"]


def test_llama_bench_prints_the_same_in_other_forms(outcomes):
    rates = [outcome.imported.metrics for outcome in outcomes("llama_bench.csv")]
    assert rates[0]["input_tokens_per_s"] == 7285.676949
    assert rates[1]["output_tokens_per_s"] == 119.915244
    (both,) = outcomes("llama_bench.sql")
    # 512 + 128 tokens in 1 s: 128 of them were generated.
    assert both.imported.metrics["output_tokens_per_s"] == pytest.approx(128.0)
    assert both.imported.metrics["total_tokens_per_s"] == pytest.approx(640.0)
    prompt, generation, deep, mixed = outcomes("llama_bench.md")
    assert prompt.imported.metrics["input_tokens_per_s"] == 7340.2
    assert generation.imported.metrics["output_tokens_per_s"] == 120.6
    assert str(deep.experiment["llama.cpp"]["n_depth"]) == "512"
    assert mixed.imported.metrics["output_tokens_per_s"] == pytest.approx(580 * 128 / 640)
