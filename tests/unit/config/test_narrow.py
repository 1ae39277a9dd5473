"""The experiment of one backend."""

import pytest
from pydantic import ValidationError

from llem.config import experiment_model
from llem.errors import PluginBroken
from llem.schema.experiment import BackendConfig, Experiment

from .fakes import FAKE, OTHER, FakeBackend, Section


def test_the_section_stands_under_the_backends_name():
    model = experiment_model(FAKE)
    assert issubclass(model, Experiment)
    experiment = model.model_validate({"backend": "fake", "fake": {"batch_size": 4}})
    assert experiment.section == Section(batch_size=4)
    assert model.model_validate({"backend": "fake"}).section == Section()
    assert model.model_fields["fake"].description == "The fake backend"


def test_other_sections_are_unknown():
    with pytest.raises(ValidationError, match="other"):
        experiment_model(FAKE).model_validate({"backend": "fake", "other": {}})


def test_it_is_made_once():
    assert experiment_model(FAKE) is experiment_model(FAKE)
    assert experiment_model(FAKE) is not experiment_model(OTHER)


@pytest.mark.parametrize("name", ["model", "backend", "section", "model_dump", "_private"])
def test_a_backend_cannot_take_a_name_that_experiments_need(name):
    with pytest.raises(PluginBroken, match=name):
        experiment_model(FakeBackend(name))


def test_a_name_need_not_be_an_identifier():
    experiment = experiment_model(FakeBackend("my-engine")).model_validate(
        {"backend": "my-engine", "my-engine": {"batch_size": 2}}
    )
    assert experiment.section.batch_size == 2


def test_a_section_must_do_without_being_written():
    class Demanding(BackendConfig):
        needed: int

    with pytest.raises(PluginBroken, match=r"section of backend 'demanding' requires needed"):
        experiment_model(FakeBackend("demanding", Demanding))
