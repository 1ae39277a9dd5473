"""The experiments shown in the documentation are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llem.config import load_experiment
from llem.config.source import read_file
from llem.registry import Registry
from llem.study.load_study import load_study
from llem.study.study_file import is_study
from llem.study.study_plan import plan_study

ROOT = Path(__file__).parents[2]
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _shown() -> list[tuple[str, str]]:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return [(page.name, text) for page in pages for text in _YAML.findall(page.read_text())]


@pytest.mark.parametrize(("page", "text"), _shown())
def test_an_experiment_that_is_shown_is_valid(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(text)
    if is_study(read_file(file)):
        assert plan_study(load_study(Registry.discover(), file=file)).run_count > 0
        return
    loaded = load_experiment(Registry.discover(), file=file)
    assert f"backend: {loaded.experiment.backend}" in text, page


def test_experiments_are_shown() -> None:
    assert {"README.md", "config.md", "run-a-study.md"} <= {page for page, _ in _shown()}


def test_the_example_study_can_be_planned() -> None:
    study = load_study(Registry.discover(), file=ROOT / "examples/quantisation.yaml")
    assert (plan_study(study).run_count, len(plan_study(study).refused)) == (9, 0)
