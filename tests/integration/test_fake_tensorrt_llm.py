"""The TensorRT-LLM backend through the real worker, with a fake for the engine.

The fake checks and records calls. It computes nothing, so no outcome here may be valid.
"""

import json
import sys

import psutil
import pytest

from llem.workload.shape_folder import write_shape

from ..fake_tensorrt_llm.site import FakeSite
from .conftest import QUICK, wait_until

VERSIONS = {"1.2": "1.2.1", "1.3": "1.3.0"}


@pytest.fixture(params=VERSIONS)
def site(request, tmp_path):
    return FakeSite(tmp_path / "site", VERSIONS[request.param])


@pytest.fixture
def newer(tmp_path):
    return FakeSite(tmp_path / "site", "1.3.0")


@pytest.fixture
def run(llem):
    """Return a function that runs a quick experiment on a fake."""

    def run(site, check, failure="", **settings):
        version = (site.package / "version.txt").read_text()
        chosen = {
            **QUICK,
            "runner.python": sys.executable,
            "trt.surface": f"'{version[:3]}'",
            **{name.replace("__", "."): value for name, value in settings.items()},
        }
        pairs = [part for name, value in chosen.items() for part in ("--set", f"{name}={value}")]
        done = llem(
            "run", "--backend", "trt", "--json", *pairs,
            check=check, FAKE_TENSORRT_LLM_FAILURE=failure, **site.environment,
        )  # fmt: skip
        return json.loads(done.stdout)

    return run


def codes(outcome):
    return {reason["code"] for reason in outcome["verdict"]["reasons"]}


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_makes_the_calls_of_its_plan_and_is_never_valid(site, run):
    outcome = run(
        site,
        0,
        trt__max_batch_size=4,
        trt__kv_cache__free_gpu_memory_fraction=0.5,
        trt__cuda_graphs__enabled=False,
    )
    assert outcome["status"] == "done"
    assert outcome["environment"]["engine"] == "fake_tensorrt_llm"
    assert outcome["verdict"]["valid"] is False
    assert "simulated-engine" in codes(outcome)
    (load,) = site.calls("load")
    assert load["target"] == "tensorrt_llm.LLM"
    planned = outcome["plan"]["calls"][0]["kwargs"]
    assert load["arguments"].keys() == planned.keys()
    assert load["arguments"]["load_format"] == "dummy"
    assert load["arguments"]["kv_cache_config"] == {
        "class": "KvCacheConfig",
        "free_gpu_memory_fraction": 0.5,
    }
    assert load["arguments"]["cuda_graph_config"] is None
    assert len(site.calls("shutdown")) == 1
    assert gone(site.child_pid)


def test_each_repetition_sends_every_request_with_its_limit_under_a_salt_of_its_own(newer, run):
    outcome = run(
        newer,
        0,
        workload__output_tokens="{distribution: uniform, low: 4, high: 8}",
        decoder__seed=7,
    )
    calls = newer.calls("generate")
    timing = outcome["timing"]
    assert len(calls) == timing["warmup_repetitions"] + len(timing["repetitions"])
    assert len({call["cache_salt"] for call in calls}) == len(calls)
    first = calls[0]
    assert all(call["prompts"] == first["prompts"] for call in calls)
    assert all(call["params"] == first["params"] for call in calls)
    limits = [params["max_tokens"] for params in first["params"]]
    assert len(limits) == len(first["prompts"]) == 4
    assert set(limits) <= set(range(4, 9))
    repetition = outcome["timing"]["repetitions"][0]
    assert repetition["output_tokens"] == sum(limits)
    for params in first["params"]:
        assert params["seed"] == 7
        assert params["ignore_eos"] is True
        assert not {"temperature", "top_p", "top_k", "min_p"} & params.keys()
    assert first["use_tqdm"] is False


def test_request_metrics_become_latencies_and_counters(newer, run):
    outcome = run(newer, 0)
    assert outcome["latency"]["ttft_s"]["p50"] > 0
    assert outcome["latency"]["itl_s"] is None
    assert "first token" in outcome["latency"]["unavailable"]
    assert outcome["latency"]["e2e_s"]["p50"] >= outcome["latency"]["ttft_s"]["p50"]
    assert outcome["counters"]["kv_cache_reused_blocks"] == 0
    assert outcome["counters"]["kv_cache_allocated_blocks"] > 0
    without = run(
        newer,
        0,
        trt__sampling__return_perf_metrics=False,
        trt__kv_cache__enable_block_reuse=False,
    )
    assert without["latency"]["ttft_s"] is None
    assert without["counters"] == {}


def test_what_was_in_force_is_read_back(newer, run):
    effective = run(newer, 0, trt__max_batch_size=4)["effective"]
    assert effective["load.max_batch_size"] == 4
    assert effective["load.max_num_tokens"] == 8192
    assert effective["load.load_format"] == "dummy"
    assert effective["load.kv_cache_config.enable_block_reuse"] is True
    assert effective["settings.surface"] == "1.3"
    assert effective["settings.execution"] == "pytorch"
    assert effective["settings.quant_algo"] == "NO_QUANT"
    assert effective["sampling.seed"] == 0


def test_a_difference_to_what_was_asked_for_is_a_reason(newer, run):
    outcome = run(newer, 0, "differs", trt__max_batch_size=4, trt__kv_cache__dtype="fp8")
    said = [
        reason for reason in outcome["verdict"]["reasons"] if reason["code"] == "effective-differs"
    ]
    assert any("max_batch_size" in reason["message"] for reason in said)
    assert any("kv_cache_config.dtype" in reason["message"] for reason in said)


def test_a_checkpoint_that_is_not_what_was_named_is_a_reason(newer, run, llem):
    folder = write_shape("shape:tiny")
    outcome = run(
        newer, 0, model__id=folder, model__weights="random", trt__checkpoint_quantization="FP8"
    )
    assert "effective-differs" in codes(outcome)
    assert outcome["effective"]["settings.quant_algo"] == "NO_QUANT"


def test_reuse_across_repetitions_is_noticed(newer, run):
    outcome = run(newer, 0, "salt")
    assert "prefix-cache-hits" in codes(outcome)
    assert outcome["counters"]["kv_cache_reused_blocks"] > 0


def test_shared_beginnings_within_a_repetition_are_not_held_against_it(newer, run):
    text = "The same beginning of every prompt, long enough for several blocks. " * 4
    prompts = json.dumps([text + ending for ending in ("One.", "Two.", "Three.")])
    outcome = run(
        newer,
        0,
        workload__source="prompts",
        workload__prompts=prompts,
        workload__requests="null",
    )
    assert outcome["counters"]["kv_cache_reused_blocks"] > 0
    assert "prefix-cache-hits" not in codes(outcome)


@pytest.mark.parametrize(
    ("failure", "code", "phase", "hint"),
    [
        ("load", "out-of-memory", "open", "free_gpu_memory_fraction"),
        ("generate", "engine-error", "warm up", "trt.max_num_tokens"),
        ("die", "worker-died", "warm up", ""),
    ],
)
def test_a_failure_of_the_engine_is_stored_with_what_to_do(newer, run, failure, code, phase, hint):
    outcome = run(newer, 4, failure)
    assert outcome["failure"]["code"] == code
    assert outcome["failure"]["phase"] == phase
    assert hint in outcome["failure"]["hint"]
    assert outcome["verdict"]["valid"] is False


def test_the_death_of_the_worker_takes_the_engines_processes_with_it(newer, run):
    run(newer, 4, "die")
    assert wait_until(lambda: gone(newer.child_pid))


def test_a_hang_ends_at_its_limit_and_leaves_no_process(newer, run):
    outcome = run(newer, 4, "hang", runner__timeouts__run_s=1)
    assert outcome["failure"]["code"] == "worker-timeout"
    assert gone(newer.child_pid)


def test_an_argument_that_the_engine_lacks_fails_with_its_name(newer, run):
    outcome = run(newer, 4, passthrough_kwargs__load="{new_knob: 1}")
    assert "new_knob" in outcome["failure"]["message"]
    assert "llem audit trt" in outcome["failure"]["hint"]
    assert newer.calls("load")[0]["arguments"]["new_knob"] == 1


def test_a_plan_for_another_version_is_not_carried_out(newer, run):
    outcome = run(newer, 4, trt__surface="'1.2'")
    assert outcome["failure"]["phase"] == "open"
    assert "trt.surface" in outcome["failure"]["hint"]
    assert not (newer.package / "calls.jsonl").exists()


def test_the_plan_follows_the_version_that_is_installed(site, llem):
    version = (site.package / "version.txt").read_text()
    done = llem("explain", "--backend", "trt", "--json", check=0, **site.environment)
    assert json.loads(done.stdout)["settings"]["surface"] == version[:3]


def test_a_built_engine_is_loaded_by_the_execution_that_has_it(tmp_path, run):
    older = FakeSite(tmp_path / "site", "1.2.1")
    folder = write_shape("shape:tiny")
    outcome = run(
        older,
        0,
        model__id=folder,
        model__weights="pretrained",
        trt__execution="tensorrt",
        trt__engine_path="engine",
    )
    (load,) = older.calls("load")
    assert load["target"] == "tensorrt_llm._tensorrt_engine.LLM"
    assert load["arguments"] == {"model": "engine", "tokenizer": str(folder)}
    assert outcome["effective"]["settings.execution"] == "tensorrt"
    assert "effective-differs" not in codes(outcome)


def test_the_audit_reads_the_installed_package(site, llem):
    version = (site.package / "version.txt").read_text()
    done = llem("audit", "trt", check=0, **site.environment)
    assert f"tensorrt-llm {version}, as installed" in done.stdout
    assert "unclassified" not in done.stdout


def test_the_audit_finds_a_parameter_that_is_new_in_the_installed_package(newer, llem):
    fake = newer.package / "fake.py"
    source = fake.read_text()
    new = 'CLASSES["tensorrt_llm.LLM"]["new_knob"] = CLASSES["tensorrt_llm.LLM"]["dtype"]\n'
    fake.write_text(source.replace("MADE = {}\n", f"{new}MADE = {{}}\n"))
    done = llem("audit", "trt", check=1, **newer.environment)
    assert "new_knob" in done.stdout
    assert "unclassified" in done.stdout
