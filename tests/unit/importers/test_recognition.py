"""Each file is that of one tool: no other format takes it, whatever the order of the formats."""

import copy
import json

import pytest

from llem.api.importers import ImportHints
from llem.errors import ConfigError
from llem.results.import_results import import_file
from llem.schema.call_plan import import_dotted
from llem_importers.plugin import llem_result_importers

from .conftest import DATA

FORMATS = {
    "aiperf": ["aiperf.csv", "aiperf.json", "aiperf_energy.json", "aiperf_telemetry.json",
               "genai_perf.csv", "genai_perf.json"],
    "codecarbon": ["emissions.csv"],
    "guidellm": ["guidellm.json", "guidellm_0.8.json"],
    "inference-benchmarker": ["inference_benchmarker.json"],
    "inferencex": ["inferencex_agg.json", "inferencex_agg_power.json", "inferencex_glm5.json",
                   "inferencex_raw_ms.json"],
    "llama-bench": ["llama_bench.csv", "llama_bench.json", "llama_bench.md", "llama_bench.sql"],
    "llmperf": ["llmperf_summary.json"],
    "ml-energy": ["mlenergy_leaderboard.json", "mlenergy_results.json"],
    "mlperf": ["mlperf_log_summary.txt"],
    "optimum-benchmark": ["energy_star.json", "llm_perf_report_old.json", "optimum_0.6.0.json",
                          "optimum_benchmark_report.json", "llm_perf.csv"],
    "sglang-bench": ["sglang_bench.jsonl", "sglang_offline.jsonl", "sglang_one_batch.jsonl"],
    "trtllm-bench": ["trtllm_bench_report.json", "trtllm_bench_streaming.json",
                     "trtllm_serving.json"],
    "vllm-bench": ["bom_serve.json", "vllm_0.32_serve.json", "vllm_latency.json",
                   "vllm_latency.pytorch.json", "vllm_serve.json", "vllm_serve_energy.json",
                   "vllm_serve_failed.json", "vllm_serve_nan.json", "vllm_startup.json",
                   "vllm_throughput.json"],
    "zeus": ["zeus.csv"],
}  # fmt: skip
REFUSED = ["mixed_two.json", "vllm_serve_zeroduration.json"]
CASES = [(name, file) for name, files in FORMATS.items() for file in files]
READERS = {importer.name: import_dotted(importer.reader) for importer in llem_result_importers()}


def test_every_file_and_every_format_is_covered():
    assert {file for _, file in CASES} | set(REFUSED) == {path.name for path in DATA.iterdir()}
    assert FORMATS.keys() == READERS.keys()


def documents(file):
    """Return what the readers are given of a file: its first document, or its text."""
    text = (DATA / file).read_text(encoding="utf-8-sig").strip()
    if text[0] not in "[{":
        return [text]
    document, _ = json.JSONDecoder().raw_decode(text)
    return [document, *document[:1]] if isinstance(document, list) else [document]


@pytest.mark.parametrize(("name", "file"), CASES, ids=[file for _, file in CASES])
def test_one_format_alone_takes_a_file(name, file):
    takers = {
        taker
        for document in documents(file)
        for taker, read in READERS.items()
        if read(document, ImportHints()) is not None
    }
    assert takers == {name}


@pytest.mark.parametrize(("name", "file"), CASES, ids=[file for _, file in CASES])
def test_every_result_has_a_tool_a_verdict_and_figures_that_are_numbers(outcomes, name, file):
    for outcome in outcomes(file):
        assert outcome.imported.format == name
        assert outcome.imported.metrics
        assert [reason.code for reason in outcome.verdict.reasons] == ["imported"]
        has_energy = any(
            key.startswith(("gross_j", "j_per", "mean_w")) for key in outcome.imported.metrics
        )
        assert has_energy == (outcome.imported.energy_boundary is not None)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, 3, "", "a,b\n1,2\n", "| a | b |\n| - | - |\n| 1 | 2 |\n", {"results": []},
        {"benchmarks": [{}]}, {"duration": 1.0}, {"generate": {"a": 1}}, {"latencies": [1.0]},
        {"engine": {}, "performance": {}}, {"configurations": [], "task": 3, "report": 1}, [{}],
        {"configurations": [3], "task": "x"},
    ],
)  # fmt: skip
def test_other_data_are_no_ones(name, document):
    assert not READERS[name](document, ImportHints())


SERVING = {"duration": 2.0, "completed": 4, "total_input_tokens": 40, "total_output_tokens": 20}


def test_a_serving_client_without_marks_is_not_called_vllms(registry):
    copied = {"model_id": "a/b", "label": "x", "max_output_tokens_per_s": 12.0}
    result = READERS["vllm-bench"]({**SERVING, **copied}, ImportHints())
    assert result.tool == "benchmark_serving of vLLM or a copy of it"
    assert (result.backend, result.engine) == ("unknown", None)
    assert result.metrics["output_tokens_per_s"] == 10.0


@pytest.mark.parametrize(
    ("backend", "engine"),
    [("vllm", "vllm"), ("openai-chat", None), ("tensorrt-llm", "tensorrt_llm"), ("tgi",
     "text-generation-inference"), (None, None), (3, None)],
)  # fmt: skip
def test_the_engine_is_the_one_that_the_file_names(backend, engine):
    document = {**SERVING, "endpoint_type": "openai", "backend": backend}
    result = READERS["vllm-bench"](document, ImportHints())
    assert (result.tool, result.engine) == ("vllm bench serve", engine)


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        ({"backend": "sglang-oai"}, "sglang-bench"),
        ({"p99_e2e_latency_ms": 3.0}, "sglang-bench"),
        ({"steady_state_energy": 3.0}, "ml-energy"),
        ({"median_ttft": 0.2}, "inferencex"),
        ({"benchmark_start_time_unix": 1.0}, "inferencex"),
        ({"user_throughput": 3.0}, "trtllm-bench"),
    ],
)
def test_a_mark_outweighs_those_of_vllm(mark, name):
    document = {**SERVING, "endpoint_type": "openai", "label": None, **mark}
    takers = [taker for taker, read in READERS.items() if read(document, ImportHints()) is not None]
    assert takers == [name]


def places(data, at=()):
    """Yield the path of every value in JSON data."""
    inside = enumerate(data[:2]) if isinstance(data, list) else ()
    for key, value in data.items() if isinstance(data, dict) else inside:
        yield (*at, key)
        yield from places(value, (*at, key))


def replaced(data, place, value):
    changed = copy.deepcopy(data)
    section = changed
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    return changed


JSON_CASES = [(name, file) for name, file in CASES if (DATA / file).suffix in (".json", ".jsonl")]


@pytest.mark.parametrize(("name", "file"), JSON_CASES, ids=[file for _, file in JSON_CASES])
def test_a_value_of_another_kind_leaves_its_figure_out_or_is_refused(name, file):
    document = documents(file)[0]
    for place in places(document):
        for value in (None, "x", [], {}, -1, [None, "x"], True, 10**400):
            try:
                found = READERS[name](replaced(document, place, value), ImportHints(2, 3, 4))
            except ConfigError:
                continue
            for result in found if isinstance(found, list) else [found] if found else []:
                assert all(isinstance(figure, float) for figure in result.metrics.values())
                json.dumps(result.settings)


TEXT_CASES = [(name, file) for name, file in CASES if (name, file) not in JSON_CASES]


@pytest.mark.parametrize(("name", "file"), TEXT_CASES, ids=[file for _, file in TEXT_CASES])
def test_a_table_may_end_anywhere(name, file):
    (text,) = documents(file)
    read = []
    for end in [*range(0, len(text), 7), len(text)]:
        try:
            read.append(READERS[name](text[:end], ImportHints(2, 3, 4)) is not None)
        except ConfigError:
            read.append(False)
    assert (read[0], read[-1]) == (False, True)


def test_a_report_and_the_file_around_it_are_one_run(registry, tmp_path):
    whole = json.loads((DATA / "optimum_0.6.0.json").read_text())
    (tmp_path / "benchmark.json").write_text(json.dumps(whole))
    (tmp_path / "report.json").write_text(json.dumps(whole["report"]))
    first, second = (
        import_file(tmp_path / name, registry, tmp_path / "results", ImportHints())[0]
        for name in ("benchmark.json", "report.json")
    )
    assert (first.known_as, second.known_as) == (None, first.folder)
