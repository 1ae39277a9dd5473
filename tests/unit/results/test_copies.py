"""One measurement counts once, however often its folder was copied or linked."""

import json
import shutil

import pytest
from click.testing import CliRunner

import llem
from llem.cli import main
from llem.results import read_outcome

from ..report.outcomes import write

TIMES = [f"2026-01-01T00:0{minute}:00+00:00" for minute in range(4)]


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Two outcomes with a setting and two without it, a link to one, and a copy of another."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results"
    for at, started_at in enumerate(TIMES):
        energy = (10.0 + at / 10, 10.1 + at / 10)
        place = {"environment": {"started_at": started_at}, "some__bits": 4 if at % 2 else None}
        write(folder, f"run-{at}", energy, **place)
    (folder / "latest").symlink_to("run-1")
    shutil.copytree(folder / "run-0", folder / "copy-of-run-0")
    return folder


def called(*arguments):
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 0, (done.output, done.exception)
    return done


NOTE = "note: 1 copy of an outcome is left out: "


def test_listing_and_export_have_a_row_for_each_measurement(results):
    listed = called("results", "list", "results", "--json")
    rows = json.loads(listed.stdout)
    assert sorted(row["id"] for row in rows) == ["run-0", "run-1", "run-2", "run-3"]
    assert listed.stderr.startswith(NOTE)
    exported = called("results", "export", "results", "--format", "json")
    assert len(json.loads(exported.stdout)) == 4
    assert exported.stderr.startswith(NOTE)
    assert len(llem.load_results(results)) == 4


def test_a_comparison_takes_each_measurement_for_one_value(results):
    done = called("compare", "results", "--by", "some.bits", "--json")
    (first, *_) = json.loads(done.stdout)["comparisons"]
    assert first["base_outcomes"] == ["run-0", "run-2"]
    assert first["new_outcomes"] == ["run-1", "run-3"]
    assert done.stderr.startswith(NOTE)
    assert len(llem.compare(results, by="some.bits").comparisons[0].samples.base) == 2


def test_a_report_counts_each_measurement_once(results):
    done = called("report", "results", "--format", "markdown")
    assert "4 of 4 outcomes are valid." in done.stdout
    assert done.stderr.startswith(NOTE)


def test_an_outcome_that_is_given_twice_is_one_value(results):
    outcomes = [read_outcome(results / f"run-{at}") for at in (0, 2, 1, 3)]
    report = llem.compare([outcomes[0], outcomes[1], outcomes[0]], outcomes[2:])
    assert len(report.comparisons[0].samples.base) == 2


def test_a_linked_study_is_listed_once(results):
    study = results / "study"
    study.mkdir()
    (study / "study.json").write_text("{}")
    (study / "journal.jsonl").write_text("")
    (results / "newest").symlink_to("study")
    assert len(json.loads(called("studies", "results", "--json").stdout)) == 1


def test_the_same_experiment_measured_again_is_another_measurement(tmp_path):
    for name, started_at in (("first", TIMES[0]), ("second", TIMES[1])):
        write(tmp_path / name, "run", environment={"started_at": started_at})
    assert len(llem.load_results(tmp_path)) == 2


def test_a_link_that_is_named_is_followed(results):
    assert [row["id"] for row in llem.load_results(results / "latest")] == ["run-1"]
