"""The identity of an experiment."""

import re

from hypothesis import given
from hypothesis import strategies as st

from llem.config import digest

from .fakes import experiment

VALUES = st.dictionaries(
    st.text(max_size=5).filter(lambda key: not key.startswith("$")),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    min_size=1,
    max_size=5,
)


@given(VALUES, st.data())
def test_the_order_of_keys_does_not_count(arguments, data):
    reordered = dict(data.draw(st.permutations(list(arguments.items()))))
    first = experiment(passthrough_kwargs={"load": arguments}, runner={"env": {"A": "1", "B": "2"}})
    second = experiment(
        runner={"env": {"B": "2", "A": "1"}}, passthrough_kwargs={"load": reordered}
    )
    assert digest(first) == digest(second)


def test_a_label_does_not_count():
    assert digest(experiment(name="a")) == digest(experiment(name="b")) == digest(experiment())


def test_writing_out_a_default_does_not_count():
    assert digest(experiment(model={"id": "shape:tiny"})) == digest(experiment())
    assert digest(experiment(measurement={"min_duration_s": 10})) == digest(experiment())


def test_everything_else_counts():
    different = [
        experiment(),
        experiment(decoder={"seed": 1}),
        experiment(fake={"batch_size": 1}),
        experiment(runner={"env": {"A": "1"}}),
        experiment(passthrough_kwargs={"load": {"a": 1}}),
        experiment(passthrough_kwargs={"load": {"a": True}}),
        experiment(workload={"source": "prompts", "prompts": ["a", "b"]}),
        experiment(workload={"source": "prompts", "prompts": ["b", "a"]}),
    ]
    digests = {digest(experiment) for experiment in different}
    assert len(digests) == len(different)
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in digests)


def test_a_preset_counts_by_its_values_alone():
    values = {"do_sample": True, "temperature": 1.0, "top_p": 0.95, "top_k": 50}
    assert digest(experiment(decoder={"preset": "standard"})) == digest(experiment(decoder=values))
