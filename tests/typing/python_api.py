"""What mypy knows about the Python API; never run, only checked by `tox -e type`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import llem
from llem.schema.experiment import Experiment, ModelConfig


def every_form_of_an_experiment() -> None:
    experiment = llem.Experiment(
        backend="simulated",
        model=ModelConfig(id="shape:tiny"),
        workload={"source": "synthetic", "requests": 8},
        simulated={"batch_size": 2},
    )
    assert_type(experiment.model.id, str)
    as_schema: Experiment = experiment
    for given in (as_schema, "experiment.yaml", Path("experiment.yaml"), {"backend": "simulated"}):
        outcome = llem.measure(given, overrides={"workload.requests": 4}, output=Path("results"))
        assert_type(outcome, llem.Outcome)
    llem.Experiment(backend=3)  # type: ignore[arg-type]
    llem.Experiment(simulated=3)  # type: ignore[arg-type]
    llem.measure(3)  # type: ignore[arg-type]


def studies_and_comparisons() -> None:
    study = llem.Study(backend="simulated", sweep={"simulated.batch_size": [1, 2]})
    assert_type(len(study), int)
    result = llem.run_study(study, progress=False)
    assert_type(result, llem.StudyResult)
    assert_type(result.outcomes, list[llem.Outcome])
    report = llem.compare(result, by="simulated.batch_size", baseline=1)
    assert_type(report, llem.ComparisonReport)
    llem.compare(result.outcomes[0], result.outcomes[1:], where=["workload.requests=4"])
    llem.compare("results/before", Path("results/after"))
    records = llem.load_results("results")
    assert_type(records, list[dict[str, Any]])
    llem.compare(records, by="simulated.batch_size")


def errors() -> None:
    try:
        llem.measure()
    except llem.errors.OutOfMemory as error:
        assert_type(error.hint, str)
    except llem.LlemError as error:
        assert_type(error.code, str)
