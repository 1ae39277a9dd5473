"""The Python API, called in this process or a fresh interpreter, on the simulated backend."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import hypothesis
import numpy
import psutil
import pytest
import yaml
from hypothesis import strategies

import llem
from llem.config import load_experiment
from llem.config.load import digest
from llem.config.overrides import apply_override
from llem.config.source import Source
from llem.errors import (
    ConfigError,
    ConfigFileError,
    ConfigInvalid,
    EngineError,
    LlemError,
    NotComparable,
    OutOfMemory,
    OutputRefused,
    UnknownBackend,
)
from llem.python_api.documents import override_texts, source_of
from llem.registry import Registry
from llem.results import read_outcome

from .conftest import wait_until, worker_of

QUICK = {
    "backend": "simulated",
    "workload": {"requests": 2, "output_tokens": 4},
    "measurement": {
        "min_duration_s": 0.02,
        "max_duration_s": 1,
        "sample_period_s": 0.01,
        "target_ci_ratio": 0.9,
        "warmup": {"stable_within_ratio": 1},
        "baseline": {"bare_s": 0, "loaded_s": 0, "after_s": 0},
    },
}
SLOW = {**QUICK, "simulated": {"decode_steps_per_s": 2}}
SWEEP = {**QUICK, "sweep": {"simulated.batch_size": [1, 2]}, "study": {"name": "batches"}}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def llem_command(llem):
    """`llem` is the package here, and the command by this name."""
    return llem


class Interpreter:
    """A fresh interpreter in a folder, with `QUICK`, `SLOW` and `SWEEP` defined."""

    def __init__(self, folder):
        self.folder = folder
        named = {"QUICK": QUICK, "SLOW": SLOW, "SWEEP": SWEEP}
        self._before = "".join(f"{name} = {value!r}\n" for name, value in named.items())

    def start(self, script, **streams):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **streams}
        command = [sys.executable, "-c", self._before + script]
        return psutil.Popen(command, cwd=self.folder, **streams)

    def __call__(self, script):
        """Run `script` to its end and return what it printed."""
        process = self.start(script)
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        assert stderr == ""
        return stdout


@pytest.fixture
def interpreter(tmp_path):
    return Interpreter(tmp_path)


def batch_size(outcome):
    return outcome.experiment["simulated"]["batch_size"]


def stored(folder):
    """Return every outcome in `folder`; a hidden working folder would be a fault."""
    assert not list(folder.glob(".*"))
    return [read_outcome(path) for path in sorted(folder.iterdir())]


def test_the_outcome_is_returned_and_stored(here):
    outcome = llem.measure(QUICK)
    assert isinstance(outcome, llem.Outcome)
    assert (outcome.status, outcome.environment.engine) == ("done", "simulated")
    assert stored(here / "results") == [outcome]
    assert (here / "results" / outcome.id).is_dir()


def test_path_mapping_and_experiment_are_the_experiment_of_the_command_line(llem_command, here):
    keys = {**QUICK, "simulated": {"batch_size": 2}, "decoder": {"seed": 7}}
    (here / "experiment.yaml").write_text(yaml.safe_dump(keys))
    (here / "experiment.json").write_text(json.dumps(keys))
    by_command = json.loads(llem_command("run", "experiment.yaml", "--json", check=0).stdout)
    outcomes = [
        llem.measure(given, output=here / "mine")
        for given in (keys, "experiment.yaml", here / "experiment.json", llem.Experiment(**keys))
    ]
    assert {outcome.experiment_sha256 for outcome in outcomes} == {by_command["experiment_sha256"]}
    assert {json.dumps(outcome.experiment) for outcome in outcomes} == {
        json.dumps(by_command["experiment"])
    }
    folders = [next(Path(parent).iterdir()) for parent in ("mine", "results")]
    mine, by_command = ({path.name for path in folder.iterdir()} for folder in folders)
    assert mine == by_command


def test_values_that_a_file_could_not_have_are_written_as_it_would_have_them(here):
    prompts = here / "prompts.txt"
    prompts.write_text("one\ntwo\n")
    workload = {"source": "file", "path": prompts, "output_tokens": numpy.int64(4)}
    simulated = {"devices": ("cuda:GPU-0",), "load_s": numpy.float64(0.5)}
    given = {**QUICK, "workload": workload, "simulated": simulated}
    written = {
        **QUICK,
        "workload": {"source": "file", "path": str(prompts), "output_tokens": 4},
        "simulated": {"devices": ["cuda:GPU-0"], "load_s": 0.5},
    }
    assert llem.Experiment(**given) == llem.Experiment(**written)
    circular = {}
    circular["workload"] = circular
    for refused in ({**QUICK, "name": object()}, circular):
        with pytest.raises(ConfigError, match="not plain data"):
            llem.measure(refused)


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | strategies.text(strategies.characters(exclude_categories=["C"])),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text("ab"), inner),
    max_leaves=5,
)


@hypothesis.given(JSON)
def test_an_override_is_the_value_that_is_given(value):
    source = Source()
    for text in override_texts({"section.key": value}):
        apply_override(source, text)
    assert json.dumps(source.data["section"]["key"]) == json.dumps(value)


def test_what_is_given_is_not_changed(here):
    given = json.loads(json.dumps(SWEEP))
    llem.run_study(given, overrides={"workload.requests": 1})
    assert given == SWEEP


def test_overrides_win_over_arguments_and_arguments_over_the_experiment(here):
    experiment = llem.Experiment(**QUICK, model={"id": "shape:1b"})
    options = {"output": "out", "model": "shape:tiny"}
    by_path = llem.measure(experiment, overrides={"simulated.batch_size": 2}, **options)
    by_text = llem.measure(experiment, overrides=["simulated.batch_size=2"], **options)
    assert by_path.experiment == by_text.experiment
    assert by_path.experiment["simulated"]["batch_size"] == 2
    assert by_path.experiment["model"]["id"] == "shape:tiny"


def test_without_an_experiment_it_is_the_default_of_the_command_line(llem_command, here):
    dry = llem_command("run", "--dry-run", "--json", "--backend", "simulated", check=0)
    quick = {f"measurement.{key}": value for key, value in QUICK["measurement"].items()}
    outcome = llem.measure(backend="simulated", overrides=quick)
    expected = json.loads(dry.stdout)["experiment"]
    assert outcome.experiment["workload"] == expected["workload"]
    assert outcome.experiment["model"] == expected["model"]


def test_an_experiment_has_the_section_of_its_backend_and_is_one():
    experiment = llem.Experiment(backend="simulated", simulated={"batch_size": 2})
    assert isinstance(experiment, llem.Experiment)
    assert experiment.section.batch_size == experiment.simulated.batch_size == 2
    again = llem.Experiment(backend="simulated", simulated=experiment.simulated)
    assert again == experiment
    assert digest(again) == digest(experiment)
    assert not isinstance({"backend": "simulated"}, llem.Experiment)


def test_an_experiment_given_on_is_the_same_experiment():
    # What a preset fills in is not what the user has set.
    made = llem.Experiment(backend="pytorch", decoder={"preset": "creative", "top_k": None})
    again = load_experiment(Registry.discover(), file=source_of(made)).experiment
    assert (again, digest(again)) == (made, digest(made))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"backend": "simulated", "model": {"ids": 1}}, ConfigInvalid, "model.ids"),
        ({"backend": "no-such-backend"}, UnknownBackend, "no-such-backend"),
        ("no-such-file.yaml", ConfigFileError, "does not exist"),
        (SWEEP, ConfigError, "is a study"),
        (7, ConfigError, "int"),
    ],
)
def test_a_refused_experiment_is_an_error_of_llem_and_stores_nothing(here, given, error, said):
    with pytest.raises(error, match=said) as raised:
        llem.measure(given)
    assert isinstance(raised.value, LlemError)
    assert list(here.iterdir()) == []


def test_an_error_shows_its_hint_in_a_traceback(here):
    with pytest.raises(ConfigError) as raised:
        llem.measure(SWEEP)
    assert raised.value.__notes__ == [raised.value.hint] == ["Use llem.run_study."]


@pytest.mark.parametrize(
    ("failure", "error", "status"),
    [("error", EngineError, "failed"), ("out-of-memory", OutOfMemory, "out-of-memory")],
)
def test_an_experiment_that_fails_is_stored_and_raised(here, failure, error, status):
    simulated = {"fail_in": "prepare", "failure": failure}
    with pytest.raises(error) as raised:
        llem.measure({**QUICK, "simulated": simulated})
    (outcome,) = stored(here / "results")
    assert outcome.status == status
    assert outcome.failure.message == raised.value.message
    assert outcome.failure.hint in raised.value.hint
    assert outcome.id in raised.value.hint
    assert getattr(raised.value, "traceback", "") == outcome.failure.traceback


INTERRUPTED = """
import os, psutil, llem
try:
    llem.{function}({given}, progress=False)
except KeyboardInterrupt as stop:
    print(stop)
print([child.pid for child in psutil.Process().children(recursive=True)])
print(llem.measure(QUICK, output="later").status)
"""


@pytest.mark.parametrize(
    ("function", "given", "pattern"),
    [
        ("measure", "SLOW", "results/*/outcome.json"),
        ("run_study", "{**SWEEP, **SLOW}", "results/batches/*/outcome.json"),
    ],
)
def test_ctrl_c_stores_the_outcome_ends_the_worker_and_raises(
    interpreter, function, given, pattern
):
    process = interpreter.start(INTERRUPTED.format(function=function, given=given))
    worker = wait_until(lambda: worker_of(process))
    wait_until(lambda: "hrtimer_nanosleep" in Path(f"/proc/{worker.pid}/wchan").read_text())
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    stop, children, later = stdout.splitlines()
    assert "results" in stop
    assert (children, later) == ("[]", "done")
    (file,) = interpreter.folder.glob(pattern)
    outcome = read_outcome(file.parent)
    assert outcome.status == "interrupted"
    assert outcome.id in stop or function == "run_study"


IMPATIENT = """
import time, psutil, llem
begun = False
while True:
    try:
        if not begun:
            begun = True
            llem.measure(SLOW)
        time.sleep(0.5)
        break
    except KeyboardInterrupt:
        continue
print([child.pid for child in psutil.Process().children(recursive=True)])
"""


@pytest.mark.parametrize("pause_s", [0.001, 0.01, 0.05])
def test_a_second_ctrl_c_does_not_spare_the_worker(interpreter, pause_s):
    process = interpreter.start(IMPATIENT)
    worker = wait_until(lambda: worker_of(process))
    wait_until(lambda: "hrtimer_nanosleep" in Path(f"/proc/{worker.pid}/wchan").read_text())
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(pause_s)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "[]\n"), stderr


def test_an_interrupted_study_is_resumed(here, interpreter):
    process = interpreter.start("import llem; llem.run_study({**SWEEP, **SLOW})")
    wait_until(lambda: worker_of(process))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    with pytest.raises(OutputRefused, match="was begun already"):
        llem.run_study({**SWEEP, **SLOW})
    result = llem.run_study({**SWEEP, **SLOW}, resume=True)
    assert result.states == {"done": 2}


GLOBAL_STATE = """
import os, signal, threading, psutil, json, llem
from pathlib import Path
def state():
    here = psutil.Process()
    return {
        "handlers": [str(signal.getsignal(number)) for number in signal.valid_signals()],
        "folder": os.getcwd(),
        "variables": dict(os.environ),
        "threads": [thread.name for thread in threading.enumerate()],
        "children": [child.pid for child in here.children(recursive=True)],
        "files": here.num_fds(),
        "umask": os.umask(0o022),
    }
llem.measure(QUICK)  # imports what there is to import
before = state()
llem.measure(QUICK)
llem.run_study({**SWEEP, "study": {"name": "batches", "prefork": True, "reuse": "model"}})
llem.compare("results/batches", by="simulated.batch_size", allow=["invalid"])
after = state()
print(json.dumps([key for key in before if before[key] != after[key]]))
"""


def test_no_state_of_the_process_is_changed(interpreter):
    assert json.loads(interpreter(GLOBAL_STATE)) == []


def test_another_thread_may_measure(here):
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(llem.measure(QUICK)))
    thread.start()
    thread.join(60)
    assert [outcome.status for outcome in outcomes] == ["done"]


def test_a_script_needs_three_lines_and_prints_nothing_else(interpreter):
    script = "import llem\noutcome = llem.measure(QUICK)\nprint(outcome.tokens.output_tokens > 0)"
    assert interpreter(script) == "True\n"


@pytest.mark.parametrize(("wanted", "shown"), [("True", True), ("False", False)])
def test_a_bar_is_shown_on_a_terminal_unless_it_is_not_wanted(interpreter, wanted, shown):
    script = f"import llem; llem.measure({{**QUICK}}, progress={wanted})"
    ours, theirs = pty.openpty()
    process = interpreter.start(script, stderr=theirs)
    os.close(theirs)
    printed = b""
    while chunk := read(ours):
        printed += chunk
    process.communicate(timeout=60)
    assert (b"loading shape:tiny" in printed) is shown
    assert (printed == b"") is not shown


def read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # its other end is closed
        return b""


def test_a_study_returns_its_outcomes_in_order(here):
    result = llem.run_study(SWEEP)
    assert (result.folder, result.states) == (Path("results/batches"), {"done": 2})
    assert [batch_size(outcome) for outcome in result.outcomes] == [1, 2]
    assert sorted(outcome.id for outcome in result.outcomes) == sorted(
        record["id"] for record in llem.load_results(result.folder)
    )
    assert result.not_valid == 2  # no engine ran


def test_a_study_by_path_mapping_or_object_is_the_study_of_the_command_line(llem_command, here):
    (here / "batches.yaml").write_text(yaml.safe_dump(SWEEP))
    llem_command("run", "batches.yaml", "--quiet", check=0)
    study = llem.Study(**SWEEP)
    assert (study.name, len(study)) == ("batches", 2)
    ids = []
    for number, given in enumerate(("batches.yaml", SWEEP, study)):
        result = llem.run_study(given, output=f"mine-{number}")
        ids.append([outcome.id for outcome in result.outcomes])
    by_command = [record["id"] for record in llem.load_results("results/batches")]
    assert [sorted(names) for names in ids] == [sorted(by_command)] * 3


def test_a_study_that_keeps_failing_is_an_error(here):
    failures = {"stop_after": 1, "probe_after_s": 0}
    simulated = {"fail_in": "open", "failure": "error"}
    given = {**SWEEP, "simulated": simulated, "study": {"name": "batches", "failures": failures}}
    given["sweep"] = {"simulated.batch_size": [1, 2, 4]}
    with pytest.raises(llem.errors.ExperimentFailed, match="kept failing") as raised:
        llem.run_study(given)
    assert "1 of 3 runs are left" in raised.value.hint


def test_outcomes_folders_records_and_studies_are_compared_alike(llem_command, here):
    llem.run_study(SWEEP, overrides={"study.repeats": 2})
    result = llem.run_study(SWEEP, overrides={"study.repeats": 2}, resume=True)
    by, allow = "simulated.batch_size", ["invalid"]
    options = ["--by", by, "--baseline", "1", "--allow", "invalid", "--json"]
    printed = llem_command("compare", "results/batches", *options, check=0)
    expected = json.loads(printed.stdout)
    for given in (result, "results/batches", Path("results"), llem.load_results("results")):
        report = llem.compare(given, by=by, baseline=1, allow=allow)
        assert json.loads(json.dumps(report.to_dict())) == expected
    sides = [
        [outcome for outcome in result.outcomes if batch_size(outcome) == size] for size in (1, 2)
    ]
    report = llem.compare(*sides, allow=allow)
    assert [comparison.base_mean for comparison in report.comparisons] == [
        comparison["base_mean"] for comparison in expected["comparisons"]
    ]
    assert "output tokens per second" in str(report)
    assert report._repr_markdown_().startswith("### ")


def test_a_limit_is_held_and_what_is_not_alike_refused(here):
    first, second = llem.measure(QUICK), llem.measure(QUICK, overrides={"simulated.batch_size": 2})
    report = llem.compare(
        first, second, allow=["invalid"], fail_if=["output_tokens_per_s < -99%"],
    )  # fmt: skip
    assert report.gate == "passed"  # twice as fast
    assert [str(check.limit) for check in report.checks] == ["output_tokens_per_s < -99%"]
    assert llem.compare(first, second, allow=["invalid"]).gate is None
    with pytest.raises(NotComparable, match="simulated-engine"):
        llem.compare(first, second)
    with pytest.raises(NotComparable, match="not both"):
        llem.compare(first, second, by="simulated.batch_size")
    with pytest.raises(ConfigError, match="no such code"):
        llem.compare(first, second, allow=["everything"])
