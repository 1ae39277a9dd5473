"""Studies on the simulated backend, which is real and needs no engine, and on the fake backend."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from llem.errors import ConfigError
from llem.registry import Registry
from llem.results import OutcomeFolder
from llem.study.journal import NullStudyProgress
from llem.study.load_study import load_study
from llem.study.run_study import ResumeOptions, run_study
from llem.study.study_plan import plan_study
from llem.study.study_state import RunEnd

from ..config.fakes import FAKE, OTHER, FakeRegistry


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="study.yaml"):
        Path(name).write_text(textwrap.dedent(text))
        return Path(name)

    return write


@pytest.fixture
def study(write):
    """Load the text of a file called `study.yaml`; its backend is `fake` unless it says so."""

    def study(text, *, registry=None, **options):
        text = textwrap.dedent(text)
        if "backend" not in text:
            text = f"backend: fake\n{text}"
        return load_study(registry or FakeRegistry(FAKE, OTHER), file=write(text), **options)

    return study


@pytest.fixture
def study_refused(study):
    """Return what is said about a study that is refused, when it is read or expanded."""

    def study_refused(text, **options):
        with pytest.raises(ConfigError) as caught:
            list(study(text, **options))
        return str(caught.value)

    return study_refused


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the text of a study file called `study.yaml`."""
    monkeypatch.chdir(tmp_path)

    def load(text):
        file = Path("study.yaml")
        file.write_text("backend: simulated\n" + textwrap.dedent(text))
        return load_study(Registry.discover(), file=file)

    return load


@pytest.fixture
def plan(load):
    """Plan the text of a study file."""
    return lambda text: plan_study(load(text))


class PaperExecutor:
    """An executor that does no work and stores an outcome that says so.

    `status` returns how a run ends, from its task; `before` is called before each run.
    """

    def __init__(self, folder, status=lambda task: "done", before=lambda task: None):
        self.folder = folder
        self.status = status
        self.before = before
        self.tasks = []

    def execute(self, task, progress):
        self.before(task)
        self.tasks.append(task)
        status = self.status(task)
        document = {
            "schema_version": 3,
            "status": status,
            "verdict": {"valid": False},
            "study": task.place.model_dump(mode="json"),
        }
        OutcomeFolder(self.folder, task.place.run_id).finish(document)
        return RunEnd(status, valid=False)

    def close(self):
        self.tasks.append(None)

    @property
    def runs(self):
        return [task.place.run_id for task in self.tasks if task is not None]


class Witness(NullStudyProgress):
    """Remembers what it was told."""

    def __init__(self):
        self.entries = []
        self.begun = []

    def journal_event(self, entry):
        self.entries.append(entry)

    def run_begins(self, number, total, label, left_s):
        self.begun.append((number, total, label, left_s))

    def events(self, name):
        return [entry for entry in self.entries if entry["event"] == name]


@pytest.fixture
def begin(plan, tmp_path):
    """Run the text of a study on paper, in the folder `results`."""

    def begin(text, *, executor=None, witness=None, **options):
        planned = plan(text)
        results = tmp_path / "results"
        executor = executor or PaperExecutor(results / planned.study.name)
        resume_options = ResumeOptions(
            **{name: options.pop(name) for name in list(options) if name in ResumeOptions.__slots__}
        )
        options = {"sleep": lambda seconds: None} | options
        return run_study(
            planned,
            Registry.discover(),
            results,
            witness or Witness(),
            resume_options,
            executor=executor,
            **options,
        )

    return begin
