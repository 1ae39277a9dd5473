"""The Python API measures an experiment, on the simulated backend."""

import json
from pathlib import Path

import hypothesis
import numpy
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
    OutOfMemory,
    UnknownBackend,
)
from llem.python_api.documents import override_texts, source_of
from llem.registry import Registry

from .quick_experiments import QUICK, SWEEP, stored


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
