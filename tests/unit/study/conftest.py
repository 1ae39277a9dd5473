"""Studies on the simulated backend, which is real and needs no engine."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from llem.registry import Registry
from llem.results import OutcomeFolder
from llem.study.journal import NullStudyProgress
from llem.study.load_study import load_study
from llem.study.run_study import ResumeOptions, run_study
from llem.study.study_plan import plan_study


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
    """Another place to run things: it does no work and stores an outcome on which that is written.

    `status` says how a run ends, by what it is given; `before` is called before each run.
    """

    def __init__(self, folder, status=lambda task: "done", before=lambda task: None):
        self.folder = folder
        self.status = status
        self.before = before
        self.tasks = []

    def execute(self, task, progress):
        self.before(task)
        self.tasks.append(task)
        document = {
            "schema_version": 3,
            "status": self.status(task),
            "verdict": {"valid": False},
            "study": task.place.model_dump(mode="json"),
        }
        OutcomeFolder(self.folder, task.place.run_id).finish(document)
        return document

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

    def entry(self, entry):
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
        resumption = ResumeOptions(
            **{name: options.pop(name) for name in list(options) if name in ResumeOptions.__slots__}
        )
        options = {"sleep": lambda seconds: None} | options
        return run_study(
            planned,
            Registry.discover(),
            results,
            witness or Witness(),
            resumption,
            executor=executor,
            **options,
        )

    return begin
