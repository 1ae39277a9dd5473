"""The same experiment by itself and as the only point of a study has the same outcome."""

import json
import re
import sys

import pytest

from ..fake_tensorrt_llm.site import FakeSite
from .conftest import Llem

MAY_DIFFER = ("id", "study", "environment.started_at")
"""Keys that say which run it was, and when."""

READINGS = (
    "timing", "throughput", "latency", "energy", "compute", "overhead",
    "memory.host_peak_rss_bytes",
    "memory.host_load_peak_rss_bytes",
)  # fmt: skip
"""Keys below which numbers are times and energies, and differ from run to run."""

BASE = """\
workload: {requests: 4, output_tokens: 8}
measurement:
  meters: [simulated]
  min_repetitions: 3
  max_repetitions: 3
  min_duration_s: 0.01
  target_ci_ratio: 1
  warmup: {strategy: fixed, min_repetitions: 1}
  baseline: {bare_s: 0.1, loaded_s: 0.1, after_s: 0.1}
  thresholds: {min_update_periods: 0, max_gap_ratio: 1, max_foreign_load_ratio: 1}
"""

SIMULATED = BASE + "backend: simulated\nsimulated: {decode_steps_per_s: 400}\n"

EXPERIMENTS = {
    "remote code": (SIMULATED + "model: {trust_remote_code: true}\n", {"remote-code"}),
    "accepted reason": (
        SIMULATED.replace("thresholds: {", "thresholds: {allow: [precision-not-reached], ").replace(
            "target_ci_ratio: 1", "target_ci_ratio: 0.000001"
        ),
        {"precision-not-reached"},
    ),
    "runner and name": (
        SIMULATED + "name: labelled\nrunner: {env: {SOME: value}, timeouts: {run_s: 30}}\n",
        set(),
    ),
    "prompt file": (
        SIMULATED.replace("requests: 4", "source: file, path: prompts.txt, max_input_tokens: 3"),
        set(),
    ),
    "engine error": (
        SIMULATED.replace("simulated: {", "simulated: {fail_in: prepare, failure: error, "),
        set(),
    ),
    "out of memory": (
        SIMULATED.replace("simulated: {", "simulated: {fail_in: run, failure: out-of-memory, ")
        + "model: {trust_remote_code: true}\n",
        {"remote-code"},
    ),
}
"""Config of each experiment, and codes that are among its warnings."""

ENGINE = (
    BASE
    + f"""\
backend: trt
runner: {{python: {sys.executable}}}
model: {{trust_remote_code: true}}
trt: {{surface: '1.3', enable_attention_dp: true}}
passthrough_kwargs: {{load: {{gather_generation_logits: true}}}}
"""
)


@pytest.fixture
def run(tmp_path):
    """Return a function that runs `exp.yaml` in a folder of its own and returns its outcomes."""

    def run(name, text, *flags, **env):
        llem = Llem(tmp_path / name)
        llem.folder.mkdir()
        (llem.folder / "prompts.txt").write_text("one prompt\nanother prompt\n")
        (llem.folder / "exp.yaml").write_text(text)
        done = llem("run", "exp.yaml", "--quiet", *flags, **env)
        assert done.returncode in {0, 4}, done.stderr
        return [
            (json.loads(file.read_text()), {sibling.name for sibling in file.parent.iterdir()})
            for file in sorted(llem.results.rglob("outcome.json"))
        ]

    return run


@pytest.fixture
def both(run):
    """Return a function that runs an experiment by itself and as a study of one point."""

    def both(text, *flags, **env):
        # The section comes last, so that every line keeps its number.
        (single,) = run("single", text, *flags, **env)
        (point,) = run("study", text + "study: {}\n", *flags, **env)
        assert single[1] == point[1]
        return single[0], point[0]

    return both


def differences(single, point, path=""):
    """Yield the path of every value that differs and may not."""
    if path in MAY_DIFFER:
        return
    if isinstance(single, dict) and isinstance(point, dict):
        for key in {**single, **point}:
            pair = (part.get(key, "absent") for part in (single, point))
            yield from differences(*pair, f"{path}.{key}".lstrip("."))
    elif isinstance(single, list) and isinstance(point, list) and len(single) == len(point):
        for pair in zip(single, point, strict=True):
            yield from differences(*pair, path)
    elif single != point and not is_reading(path, single, point):
        yield f"{path}: {single!r} and {point!r}"


def is_reading(path, single, point):
    """Whether both values are numbers that were read, or texts that differ in such numbers."""
    if isinstance(single, str) and isinstance(point, str) and path.endswith(".message"):
        return re.sub(r"[\d.]+", "#", single) == re.sub(r"[\d.]+", "#", point)
    numbers = all(type(value) in (int, float) for value in (single, point))
    return numbers and path.startswith(READINGS)


def codes(outcome):
    return {reason["code"] for reason in outcome["warnings"]}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_study_of_one_point_records_what_a_single_run_records(both, name):
    text, expected = EXPERIMENTS[name]
    single, point = both(text)
    assert list(differences(single, point)) == []
    assert expected <= codes(single)
    assert (single["study"], point["study"]["name"]) == (None, "exp")


def test_flags_are_remarked_on_in_both(both):
    single, point = both(SIMULATED, "--set", "model.trust_remote_code=true", "--model", "shape:1b")
    assert list(differences(single, point)) == []
    (warning,) = (reason for reason in point["warnings"] if reason["code"] == "remote-code")
    assert "--set" in warning["message"]


def test_remarks_of_plugin_and_engine_are_recorded_in_both(both, tmp_path):
    site = FakeSite(tmp_path / "site", "1.3.0")
    single, point = both(ENGINE, NCCL_DEBUG="WARN", **site.environment)
    # The fake engine answers within microseconds, too soon to tell the phases apart every time.
    found = [line for line in differences(single, point) if not line.startswith("energy.phases.")]
    assert found == []
    assert point["environment"]["variables"]["NCCL_DEBUG"] == "WARN"
    assert codes(point) >= {"passthrough", "remote-code", "trt-attention-dp-needs-ranks"}


def test_a_worker_of_another_kind_changes_only_what_it_saves(run):
    text = SIMULATED.replace("simulated: {", "simulated: {load_s: 0.1, batch_size: 2, ")
    text += "model: {trust_remote_code: true}\n"
    ((fresh, _),) = run("fresh", text)
    kept = run("kept", text + "study: {reuse: model}\nsweep: {simulated.batch_size: [1, 2]}\n")
    (reused,) = (outcome for outcome, _ in kept if outcome["study"]["worker"] == "reused")
    differing = {line.partition(":")[0] for line in differences(fresh, reused)}
    assert differing == {"timing.worker_start_s", "timing.load_s"}
