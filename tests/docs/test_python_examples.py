"""The Python that README and how-to page show runs, on the simulated engine and in little time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import llem

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/use-from-python.md"
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUICK = {
    "min_duration_s": 0.02,
    "max_duration_s": 1,
    "target_ci_ratio": 0.9,
    "warmup": {"stable_within_ratio": 1},
    "baseline": {"bare_s": 0, "loaded_s": 0, "after_s": 0},
}


def _run(text: str) -> dict[str, object]:
    """Run the text with another engine and a short measurement, and return its variables."""
    short = f'backend="simulated", decoder={{"max_new_tokens": 4}}, measurement={QUICK}'
    text = text.replace('backend="pytorch"', short)
    text = text.replace('model="shape:tiny"', f'{{"backend": "simulated", "measurement": {QUICK}}}')
    variables: dict[str, object] = {}
    exec(compile(text.replace("pytorch", "simulated"), "documentation", "exec"), variables)
    return variables


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    experiment = {"backend": "simulated", "measurement": QUICK}
    Path("experiment.yaml").write_text(yaml.safe_dump(experiment))


def test_the_readme_needs_three_lines() -> None:
    (example,) = _PYTHON.findall((ROOT / "README.md").read_text())
    assert len([line for line in example.splitlines() if line]) == 3
    outcome = _run(example)["outcome"]
    assert isinstance(outcome, llem.Outcome)
    assert outcome.status == "done"


def test_the_page_runs_from_top_to_bottom(capsys: pytest.CaptureFixture[str]) -> None:
    # The simulated engine's outcomes are never valid, and a comparison refuses such outcomes.
    text = "\n".join(_PYTHON.findall(PAGE.read_text()))
    text = text.replace("compare(result,", 'compare(result, allow=["invalid"],')
    found = _run(text.replace('"repeats": 5', '"repeats": 2'))
    assert isinstance(found["result"], llem.StudyResult)
    assert found["result"].states == {"done": 4}
    assert isinstance(found["report"], llem.ComparisonReport)
    assert len(llem.load_results("batches")) == 4
    assert str(found["report"]) in capsys.readouterr().out


def test_every_public_name_is_on_the_page() -> None:
    page = PAGE.read_text()
    types = {"ComparisonReport", "Outcome", "StudyResult", "__version__"}  # of what is returned
    assert [name for name in llem.__all__ if f"llem.{name}" not in page and name not in types] == []
