"""Every run once, in the order that the design asks for."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.study.order import arrange, balanced_after, williams_row

ORDERS = st.sampled_from(["sequential", "interleaved", "shuffled", "latin-square"])


@given(st.integers(1, 12), st.integers(1, 6), ORDERS, st.integers(0, 5))
def test_every_run_stands_there_once(experiments, repeats, order, seed):
    places = list(arrange(experiments, repeats, order, seed=seed))
    runs = [(place.experiment, place.repeat) for place in places]
    assert sorted(runs) == [(e, r) for e in range(experiments) for r in range(repeats)]
    assert [place.block for place in places] == sorted(place.block for place in places)


def test_sequential_and_interleaved():
    assert [p.experiment for p in arrange(2, 3, "sequential")] == [0, 0, 0, 1, 1, 1]
    assert [p.experiment for p in arrange(2, 3, "interleaved")] == [0, 1, 0, 1, 0, 1]
    assert [p.block for p in arrange(2, 3, "interleaved")] == [0, 0, 1, 1, 2, 2]


def test_shuffling_follows_its_seed_and_differs_between_passes():
    first = [p.experiment for p in arrange(20, 2, "shuffled", seed=1)]
    assert first == [p.experiment for p in arrange(20, 2, "shuffled", seed=1)]
    assert first != [p.experiment for p in arrange(20, 2, "shuffled", seed=2)]
    assert first[:20] != first[20:]


@pytest.mark.parametrize("experiments", range(2, 14))
def test_a_williams_design_is_balanced_for_place_and_for_what_comes_before(experiments):
    passes = balanced_after(experiments)
    rows = [list(williams_row(experiments, row)) for row in range(passes)]
    assert all(sorted(row) == list(range(experiments)) for row in rows)
    for place in zip(*rows, strict=True):
        assert set(Counter(place).values()) == {passes // experiments}
    followers = Counter(pair for row in rows for pair in pairwise(row))
    assert set(followers.values()) == {passes // experiments}
    assert len(followers) == experiments * (experiments - 1)


def test_experiments_that_share_a_worker_come_together_where_the_design_allows():
    def load_part(number):
        return number % 2

    grouped = [0, 2, 4, 1, 3]
    assert [p.experiment for p in arrange(5, 1, "sequential", group=load_part)] == grouped
    assert [p.experiment for p in arrange(5, 2, "interleaved", group=load_part)] == grouped * 2
    for order in ("shuffled", "latin-square"):
        assert list(arrange(5, 2, order, group=load_part)) == list(arrange(5, 2, order))
