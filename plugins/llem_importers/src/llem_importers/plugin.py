"""The formats, in the order in which they are tried; a reader is imported when a file is read."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.hookspecs import hookimpl
from llem.api.importers import ResultImporter

_SUMMARIES = {
    "vllm-bench": "JSON of vllm bench serve, latency, throughput, startup and sweep (also its "
    "CSV), and its PyTorch form",
    "sglang-bench": "JSONL of SGLang's bench_serving, bench_offline_throughput, bench_one_batch "
    "and bench_one_batch_server",
    "ml-energy": "results.json of the ML.ENERGY benchmark, a model's or task's JSON of its "
    "leaderboard",
    "inferencex": "raw and agg_*.json of InferenceX (InferenceMAX)",
    "trtllm-bench": "report JSON of trtllm-bench, result JSON of TensorRT-LLM's benchmark_serving",
    "llama-bench": "JSON, JSONL, CSV, SQL or Markdown of llama-bench",
    "aiperf": "profile_export JSON or CSV of aiperf and GenAI-Perf",
    "guidellm": "benchmarks.json of guidellm",
    "inference-benchmarker": "JSON of Hugging Face's inference-benchmarker",
    "llmperf": "summary JSON of llmperf",
    "optimum-benchmark": "benchmark.json or benchmark_report.json of optimum-benchmark and AI "
    "Energy Score, LLM-Perf's CSV",
    "codecarbon": "emissions.csv of CodeCarbon",
    "zeus": "CSV log of a ZeusMonitor",
    "mlperf": "mlperf_log_summary.txt of MLPerf's LoadGen",
}
"""What is read of each tool, by the name of its format."""


@hookimpl
def llem_result_importers() -> Sequence[ResultImporter]:
    """Offer every format."""
    return tuple(
        ResultImporter(name, summary, f"llem_importers.{name.replace('-', '_')}.read")
        for name, summary in _SUMMARIES.items()
    )
