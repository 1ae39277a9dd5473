"""A question is asked again only where something that it reads is different."""

import pytest

from llem.config.rule_checks import unsupported_fields
from llem.schema.decoder import DecoderConfig
from llem.schema.experiment import Experiment
from llem.study.predicate_cache import Answers

from .fakes import FAKE


def experiment(**sections):
    return Experiment.model_validate({"backend": "fake", **sections})


class Counted:
    """A question that counts how often it is asked."""

    def __init__(self, about):
        self.about = about
        self.times = 0

    def __call__(self, experiment):
        self.times += 1
        return self.about(experiment)


def asked(about, *experiments):
    """Return the answers, and how often the question was really asked."""
    counted = Counted(about)
    answers = Answers([counted])
    return [bool(answers.yes(one)) for one in experiments], counted.times


def test_fields_that_it_does_not_read_make_no_difference():
    many = [experiment(decoder={"top_k": k, "seed": seed}) for k in (1, 2) for seed in range(5)]
    answers, times = asked(lambda one: one.decoder.top_k == 2, *many)
    assert answers == [False] * 5 + [True] * 5
    assert times == 3  # and once again when it turned out that it differs


def test_a_field_that_is_read_only_sometimes_counts():
    def about(one):
        return one.decoder.top_k is not None and one.decoder.seed == 3

    sections = [{}, {"seed": 3}, {"top_k": 1}, {"top_k": 1, "seed": 3}, {"seed": 3}, {"top_k": 1}]
    many = [experiment(decoder=decoder) for decoder in sections]
    assert asked(about, *many)[0] == [about(one) for one in many]


@pytest.mark.parametrize(
    "about",
    [
        lambda one: one.ignores_eos,
        lambda one: one.workload.source == "prompts",
        lambda one: "seed" in one.decoder.model_fields_set,
        lambda one: one.decoder == DecoderConfig(),
        lambda one: isinstance(one.decoder, DecoderConfig) and one.decoder.samples,
        lambda one: any(True for _ in unsupported_fields(one, FAKE.info)),
        lambda one: bool(one.passthrough_kwargs),
    ],
)
def test_what_is_not_a_plain_field_is_answered_right(about):
    many = [
        experiment(decoder=decoder, workload=workload, **more)
        for decoder in ({}, {"seed": 0}, {"ignore_eos": False}, {"temperature": 0.5, "min_p": 0.1})
        for workload in ({}, {"source": "prompts", "prompts": ["a"]})
        for more in ({}, {"passthrough_kwargs": {"load": {"x": 1}}}, {"name": "a"})
    ]
    answers = Answers([about, lambda one: not about(one)])
    for _ in range(2):
        assert [answers.yes(one) == [0] for one in many] == [about(one) for one in many]
