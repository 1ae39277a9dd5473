"""CodeCarbon, Zeus, MLPerf, and the reports of optimum-benchmark without ``generate``."""

import pytest

from llem.api.importers import ImportHints
from llem_importers.codecarbon import read

J_PER_KWH = 3.6e6


def test_codecarbon_is_in_joules(outcomes):
    first, *others = outcomes("emissions.csv")
    assert len(others) == 3
    figures = first.imported.metrics
    assert figures["gross_j"] == pytest.approx(0.0004047892176375 * J_PER_KWH)
    assert figures["gross_j"] == pytest.approx(1457.2411835)
    assert figures["mean_w"] == pytest.approx(1457.2411835 / 355.46638011932373)
    assert figures["gpu_j"] == pytest.approx(8.236909446627563e-05 * J_PER_KWH)
    assert (first.imported.tool, first.imported.tool_version) == ("codecarbon", "2.4.3rc1")
    assert "memory" in first.imported.energy_boundary
    assert first.environment.cpu == "Apple M1"
    assert len({outcome.id for outcome in (first, *others)}) == 4


def test_codecarbon_becomes_energy_per_token_once_the_work_is_told(outcomes):
    figures = outcomes("emissions.csv", requests=10, output_tokens=100)[0].imported.metrics
    assert figures["j_per_request"] == pytest.approx(145.72411835)
    assert figures["j_per_output_token"] == pytest.approx(1.4572411835)


def test_the_last_of_codecarbons_running_totals_counts():
    text = "run_id,duration,emissions,energy_consumed\na,1,0,1e-6\nb,9,0,9e-6\na,2,0,2e-6\n"
    found = read(text, ImportHints())
    assert [result.metrics["gross_j"] for result in found] == pytest.approx([32.4, 7.2])


def test_tasks_of_one_tracker_are_no_running_totals():
    text = "task_name,run_id,duration,emissions,energy_consumed\nload,a,1,0,1e-6\nrun,a,2,0,2e-6\n"
    assert len(read(text, ImportHints())) == 2


def test_zeus_has_an_outcome_for_each_window(outcomes):
    warmup, generate = outcomes("zeus.csv", requests=4, output_tokens=50)
    assert warmup.imported.metrics["gross_j"] == 610.0
    figures = generate.imported.metrics
    assert figures["gross_j"] == pytest.approx(10000.0)
    assert figures["mean_w"] == pytest.approx(500.0)
    assert figures["j_per_request"] == pytest.approx(2500.0)
    assert figures["j_per_output_token"] == pytest.approx(50.0)
    assert generate.imported.energy_boundary == "GPUs 0, 1 in the window generate"


def test_mlperfs_nanoseconds_and_verdict(outcome):
    found = outcome("mlperf_log_summary.txt")
    assert found.imported.metrics == pytest.approx(
        {
            "requests_per_s": 12.5, "output_tokens_per_s": 3625.4, "e2e_s_p50": 9.5,
            "e2e_s_p99": 18.0, "ttft_s_p50": 0.4, "ttft_s_p99": 1.9, "tpot_s_p50": 0.08,
            "tpot_s_p99": 0.19,
        }
    )  # fmt: skip
    assert found.experiment["scenario"] == "Server"
    assert "INVALID" in found.warnings[0].message


def test_an_older_report_has_a_call_of_prefill_and_decode(outcome):
    figures = outcome("llm_perf_report_old.json").imported.metrics
    assert figures["gross_j"] == pytest.approx((6.1e-6 + 6.1e-5) * J_PER_KWH)
    assert figures["duration_s"] == pytest.approx(2.05)
    assert figures["ttft_s_p50"] == 0.05
    assert figures["itl_s_mean"] == 0.03
    # 32 tokens/s over 2 s, and 5,000 tokens/s over 0.05 s.
    assert figures["j_per_decode_token"] == pytest.approx(6.1e-5 * J_PER_KWH / 64)
    assert figures["j_per_prefill_token"] == pytest.approx(6.1e-6 * J_PER_KWH / 250)
    assert figures["host_peak_rss_bytes"] == 1e9
    told = outcome("llm_perf_report_old.json", requests=1, input_tokens=250, output_tokens=65)
    assert told.imported.metrics["j_per_output_token"] == pytest.approx(67.1e-6 * J_PER_KWH / 65)
    assert told.imported.metrics["output_tokens_per_s"] == pytest.approx(65 / 2.05)


def test_a_pass_over_samples_is_divided_by_the_samples(outcome):
    found = outcome("energy_star.json")
    figures = found.imported.metrics
    assert figures["gross_j"] == pytest.approx(0.1 * J_PER_KWH)
    assert figures["j_per_request"] == pytest.approx(360.0)
    assert figures["j_per_output_token"] == pytest.approx(36.0)
    assert figures["j_per_decode_token"] == pytest.approx(0.09 * J_PER_KWH / 9000)
    assert found.experiment["model"]["id"] == "Qwen/Qwen3-8B"
    assert [gpu["name"] for gpu in found.environment.gpus] == ["NVIDIA H100 80GB HBM3"]


def test_llm_perfs_table_has_an_outcome_for_each_run_that_did_not_fail(outcome):
    found = outcome("llm_perf.csv")
    assert found.experiment["model"]["id"] == "Qwen/Qwen2-7B"
    assert [gpu["name"] for gpu in found.environment.gpus] == ["NVIDIA A10G"]
    figures = found.imported.metrics
    assert figures["j_per_output_token"] == pytest.approx(1.02e-4 * J_PER_KWH / 64)
    assert figures["j_per_decode_token"] == pytest.approx(1e-4 * J_PER_KWH / 63)
    assert figures["j_per_prefill_token"] == pytest.approx(2e-6 * J_PER_KWH / 256)
    assert figures["output_tokens_per_s"] == pytest.approx(64 / 1.625)
    assert (figures["ttft_s_p50"], figures["itl_s_p99"]) == (0.049, 0.026)
