"""What pages of measurements quote is what the outcomes kept beside them say."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from llem.cli import main
from llem.results import outcome_folders, read_outcome

MEASURED = Path(__file__).parents[2] / "docs/measured"
_TRANSCRIPT = re.compile(r"^```text\n\$ llem ([^\n]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TRANSCRIPTS = [
    (page, *found)
    for page in sorted(MEASURED.glob("*/README.md"))
    for found in _TRANSCRIPT.findall(page.read_text(encoding="utf-8"))
]
OUTCOMES = [
    outcome
    for folder in sorted(path for path in MEASURED.glob("*/*") if path.is_dir())
    for outcome in outcome_folders(folder)
]


@pytest.mark.parametrize(
    ("page", "arguments", "shown"), TRANSCRIPTS, ids=[transcript[1] for transcript in TRANSCRIPTS]
)
def test_a_transcript_is_what_the_command_prints(
    page: Path, arguments: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(page.parent)
    result = CliRunner().invoke(main, shlex.split(arguments))
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == shown.strip()


@pytest.mark.parametrize("folder", OUTCOMES, ids=lambda folder: folder.name)
def test_a_kept_outcome_is_valid_and_complete(folder: Path) -> None:
    outcome = read_outcome(folder)
    assert outcome.status == "done"
    assert outcome.verdict.valid
    assert outcome.imported is None


@pytest.mark.parametrize(
    "results", sorted({folder.parent for folder in OUTCOMES}), ids=lambda folder: folder.parent.name
)
def test_kept_outcomes_of_older_versions_are_reported(results: Path) -> None:
    report = CliRunner().invoke(main, ["report", str(results), "--format", "markdown"])
    assert report.exit_code == 0, report.output
    ids = [folder.name for folder in OUTCOMES if folder.parent == results]
    assert f"{len(ids)} of {len(ids)} outcomes are valid." in report.stdout
    figures = json.loads((results / ids[0] / "outcome.json").read_text(encoding="utf-8"))
    assert all(f"| {id} |" in report.stdout for id in ids)
    assert f"{figures['energy']['j_per_output_token']:.4g}" in report.stdout
