"""The copies of vLLM's client: rates, latencies, energy, each compared with the file by hand."""

import pytest

from llem.api.importers import ImportHints
from llem.errors import ConfigError
from llem_importers.vllm_bench import read as read_vllm


def test_vllm_energy_is_in_joules_per_token_and_request(outcome):
    found = outcome("vllm_serve_energy.json")
    figures = found.imported.metrics
    assert figures["gross_j"] == 450.5
    assert figures["j_per_output_token"] == pytest.approx(450.5 / 127853)
    assert figures["j_per_request"] == pytest.approx(0.4505)
    assert figures["mean_w"] == 509.8
    assert found.imported.energy_boundary == "GPU 0, by energy counters"
    assert found.environment.engine is None


def test_vllm_says_how_many_requests_failed(outcome):
    found = outcome("vllm_serve_failed.json")
    assert found.imported.metrics["failed_requests"] == 100
    assert found.imported.metrics["requests_per_s"] == pytest.approx(900 / 0.883650948991999)
    (warning,) = found.warnings
    assert warning.code == "imported-in-part"
    assert warning.message.startswith("100 of 1,000 requests failed")


def test_numbers_that_are_none_are_left_out_and_told(outcome):
    found = outcome("vllm_serve_nan.json")
    assert not {"itl_s_p50", "itl_s_p99"} & found.imported.metrics.keys()
    assert found.imported.metrics["ttft_s_p50"] == pytest.approx(0.04876174801029265)
    assert "Infinity, NaN in 2 places" in found.warnings[0].message


def test_a_mark_of_utf8_is_no_part_of_the_data(outcome):
    marked, plain = outcome("bom_serve.json"), outcome("vllm_serve.json")
    assert marked.imported.metrics == plain.imported.metrics
    assert marked.id == plain.id


def test_vllm_startup_and_the_form_for_pytorch(outcome):
    startup = outcome("vllm_startup.json").imported
    assert startup.metrics == {
        "cold_startup_s": 50.0, "cold_compilation_s": 20.0, "warm_startup_s": 15.0,
    }  # fmt: skip
    assert startup.repetitions["cold_startup_s"] == (48.0, 52.0)
    latency = outcome("vllm_latency.pytorch.json")
    assert latency.imported.tool == "vllm bench latency"
    assert latency.experiment["model"]["id"] == "Qwen/Qwen3-0.6B"
    # 8 requests of 128 tokens in 2 s and in 4 s.
    assert latency.imported.repetitions["output_tokens_per_s"] == (512.0, 256.0)


def test_a_sweep_gives_an_outcome_for_each_run_with_what_varied(registry, tmp_path):
    from llem.results.import_results import import_file

    run = '{"duration": 2, "completed": 4, "total_input_tokens": 40, "total_output_tokens": %d, '
    run += '"endpoint_type": "openai", "max_num_seqs": %d, "run_number": 0}'
    path = tmp_path / "summary.json"
    path.write_text(f"[{run % (20, 1)}, {run % (40, 8)}]")
    stored = import_file(path, registry, tmp_path / "results", ImportHints())
    rates = [item.outcome.imported.metrics["output_tokens_per_s"] for item in stored]
    assert rates == [10.0, 20.0]
    varied = [item.outcome.experiment["parameters"]["max_num_seqs"] for item in stored]
    assert varied == [1, 8]


def test_a_sweeps_table_is_read_as_well():
    text = (
        ",date,endpoint_type,duration,completed,total_input_tokens,total_output_tokens,failed,tp\n"
        "0,20260101-000000,openai,2.0,4,40,20,1,8\n1,,openai,4.0,4,40,20,,\n"
    )
    first, second = read_vllm(text, ImportHints())
    assert first.metrics["output_tokens_per_s"] == 10.0
    assert first.settings["parameters"] == {"tp": "8"}
    assert first.notes == ("1 of 5 requests failed; the figures are those of the others",)
    assert second.metrics["output_tokens_per_s"] == 5.0
    assert "failed_requests" not in second.metrics


def test_sglang_is_sglang_and_keeps_its_end_to_end_latency(outcome):
    found = outcome("sglang_bench.jsonl")
    assert found.imported.tool == "SGLang bench_serving"
    assert (found.experiment["backend"], found.environment.engine) == ("sglang", "sglang")
    figures = found.imported.metrics
    assert figures["e2e_s_p50"] == pytest.approx(1.5378948565)
    assert figures["e2e_s_p99"] == pytest.approx(9.81389673267)
    assert figures["output_tokens_per_s"] == pytest.approx(957.162043188693)
    assert figures["total_tokens_per_s"] == pytest.approx(1477.0827846 + 957.1620432)


def test_sglang_without_a_server(outcomes):
    (offline,) = outcomes("sglang_offline.jsonl")
    assert offline.imported.metrics == {
        "duration_s": 16.0, "requests_per_s": 12.5, "output_tokens_per_s": 2000.0,
        "total_tokens_per_s": 4500.0,
    }  # fmt: skip
    batch, server = outcomes("sglang_one_batch.jsonl")
    # 8 x 32 tokens in 0.4 s, and 8 x (256 + 32).
    assert batch.imported.metrics["output_tokens_per_s"] == pytest.approx(640.0)
    assert batch.imported.metrics["total_tokens_per_s"] == pytest.approx(5760.0)
    assert batch.imported.metrics["ttft_s_p50"] == 0.05
    assert server.imported.tool == "SGLang bench_one_batch_server"
    # 4 x 100 tokens in 2 s; its own output_throughput leaves prefill out.
    assert server.imported.metrics["output_tokens_per_s"] == 200.0


def test_ml_energy_is_that_of_the_steady_state(outcome):
    found = outcome("mlenergy_results.json")
    assert found.imported.tool == "ML.ENERGY benchmark"
    figures = found.imported.metrics
    assert figures["gross_j"] == 264519.3
    assert figures["j_per_output_token"] == 1.1709
    assert figures["mean_w"] == pytest.approx(264519.3 / 900)
    assert figures["j_per_request"] == pytest.approx(1.1709 * 3282788 / 396)
    assert figures["entire_benchmark_j"] == 290000.0
    assert figures["output_tokens_per_s"] == pytest.approx(3282.788)
    assert found.imported.energy_boundary == "GPUs in the steady state: 900 s of 1000 s"
    assert [gpu["name"] for gpu in found.environment.gpus] == ["B200"]
    assert found.environment.engine is None


def test_ml_energys_leaderboard_has_an_outcome_for_each_configuration(outcomes):
    small, large = outcomes("mlenergy_leaderboard.json")
    assert small.experiment["model"]["id"] == "Qwen/Qwen3-14B"
    assert (small.experiment["max_num_seqs"], large.experiment["max_num_seqs"]) == (8, 16)
    assert small.imported.metrics == pytest.approx(
        {
            "j_per_output_token": 1.3662634337367148,
            "j_per_request": 9599.698100812033,
            "mean_w": 319.7883095908309,
            "output_tokens_per_s": 234.06050523961807,
            "itl_s_p50": 0.03362808651581872,
            "itl_s_p99": 0.0686399259546306,
        }
    )
    assert small.id != large.id


def test_inferencex_in_seconds_and_in_milliseconds(outcome):
    raw = outcome("inferencex_glm5.json").imported
    assert raw.tool == "InferenceX"
    assert raw.metrics["ttft_s_p50"] == 0.26314436737447977
    assert raw.metrics["e2e_s_p99"] == 4.460860403906552
    assert raw.metrics["tpot_s_p50"] == 0.024733149263215813
    older = outcome("inferencex_raw_ms.json")
    assert older.imported.metrics["ttft_s_p50"] == pytest.approx(0.3)
    assert older.environment.engine == "vllm"


def test_inferencexs_aggregate_counts_all_gpus(outcome):
    found = outcome("inferencex_agg.json")
    figures = found.imported.metrics
    assert figures["total_tokens_per_s"] == pytest.approx(8 * 2500.5)
    assert figures["output_tokens_per_s"] == pytest.approx(8 * 1250.1)
    assert figures["mean_w"] == pytest.approx(8 * 520.0)
    assert figures["j_per_output_token"] == 0.41
    assert (figures["ttft_s_p50"], figures["e2e_s_p50"]) == (0.3, 10.0)
    assert len(found.environment.gpus) == 8
    newer = outcome("inferencex_agg_power.json")
    assert newer.environment.engine == "tensorrt_llm"
    assert newer.imported.metrics["gross_j"] == 652800.0
    assert newer.imported.metrics["mean_w"] == 4080.0  # of 8 GPUs: 4 x 2
    assert newer.imported.metrics["j_per_request"] == 1020.0
    assert newer.imported.metrics["total_tokens_per_s"] == pytest.approx(8096.0)


def test_inferencexs_rejected_power_is_no_energy():
    from llem_importers.inferencex import read

    rejected = {"hw": "h200", "framework": "sglang", "tput_per_gpu": 1.0, "power_valid": 0,
                "joules_per_output_token": 0.1, "avg_power_w": 3.0}  # fmt: skip
    result = read(rejected, ImportHints())
    assert result.metrics == {"total_tokens_per_s": 1.0}
    assert "not valid" in result.notes[0]
    several = {**rejected, "power_valid": 1, "is_multinode": True, "num_prefill_gpu": 4,
               "num_decode_gpu": 8, "output_tput_per_gpu": 2.0}  # fmt: skip
    result = read(several, ImportHints())
    assert result.metrics["output_tokens_per_s"] == 16.0  # divided by the GPUs that decode
    assert "j_per_output_token" not in result.metrics
    assert "all nodes" in result.notes[0]


def test_tensorrt_llms_client_and_report(outcome):
    serving = outcome("trtllm_serving.json")
    figures = serving.imported.metrics
    assert figures["gross_j"] == 12250.0
    assert figures["j_per_output_token"] == 0.25  # of 49,000 tokens
    assert figures["j_per_request"] == 125.0
    assert figures["mean_w"] == 612.5
    assert figures["failed_requests"] == 2
    assert figures["e2e_s_p50"] == pytest.approx(3.05)
    assert serving.environment.engine == "tensorrt_llm"
    report = outcome("trtllm_bench_streaming.json")
    assert report.imported.metrics == pytest.approx(
        {
            "duration_s": 25.0, "requests_per_s": 20.0, "output_tokens_per_s": 4000.0,
            "total_tokens_per_s": 24000.0, "ttft_s_p50": 0.18, "ttft_s_p99": 0.45,
            "ttft_s_mean": 0.2, "tpot_s_p50": 0.0135, "tpot_s_p99": 0.019, "tpot_s_mean": 0.014,
            "e2e_s_p50": 2.9, "e2e_s_p99": 4.1, "e2e_s_mean": 3.0,
        }
    )  # fmt: skip
    assert (report.imported.tool_version, report.environment.engine) == ("1.2.1", "tensorrt_llm")
    plain = outcome("trtllm_bench_report.json").imported.metrics
    assert plain["duration_s"] == pytest.approx(12.3456)
    assert plain["e2e_s_mean"] == 10.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"duration": 0}, "duration is 0"),
        ({"duration": None}, "duration is None"),
        ({"duration": -1.0}, "duration is -1"),
        ({"completed": 0}, "no request completed"),
    ],
)
def test_a_run_without_time_or_requests_has_no_rates(changed, message):
    document = {"duration": 2.0, "completed": 4, "total_input_tokens": 1, "total_output_tokens": 1}
    with pytest.raises(ConfigError, match=message):
        read_vllm(document | changed, ImportHints())
