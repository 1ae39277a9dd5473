"""The Python API runs studies and compares outcomes, on the simulated backend."""

import json
from pathlib import Path

import pytest
import yaml

import llem
from llem.errors import (
    ConfigError,
    NotComparable,
)

from .quick_experiments import QUICK, SWEEP, batch_size


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
    assert "1 of 3 runs is left" in raised.value.hint


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
