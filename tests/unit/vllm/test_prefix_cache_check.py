"""Prompt tokens that other prompts share, and cache hits beyond them."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from llem_vllm.runtime.prefix_cache_check import PrefixCacheCheck, shared_prefix_tokens


def test_prompts_that_share_nothing():
    assert shared_prefix_tokens([[1, 2], [2, 1], [3]]) == [0, 0, 0]


def test_the_longest_shared_beginning_counts():
    assert shared_prefix_tokens([[1, 2, 3, 4], [9], [1, 2], [1, 2, 3, 5]]) == [3, 0, 2, 3]


def test_equal_prompts_share_everything():
    assert shared_prefix_tokens([[1, 2, 3], [1, 2, 3]]) == [3, 3]


def test_a_single_prompt_shares_nothing():
    assert shared_prefix_tokens([[1, 2, 3]]) == [0]


@given(st.lists(st.lists(st.integers(0, 2), max_size=6), min_size=1, max_size=8))
def test_neighbors_in_sorted_order_are_enough(prompts):
    def common(first, second):
        length = 0
        for mine, other in zip(first, second, strict=False):
            if mine != other:
                break
            length += 1
        return length

    expected = [
        max((common(prompt, other) for at, other in enumerate(prompts) if at != index), default=0)
        for index, prompt in enumerate(prompts)
    ]
    assert shared_prefix_tokens(prompts) == expected


def cached(tokens, preemptions=0):
    metrics = SimpleNamespace(num_preemptions=preemptions)
    return SimpleNamespace(num_cached_tokens=tokens, metrics=metrics)


def test_only_hits_beyond_shared_beginnings_are_foreign():
    check = PrefixCacheCheck([[1, 2, 3, 4], [1, 2, 9, 9], [7, 7, 7, 7]])
    check.check([cached(0), cached(2), cached(None)])
    assert check.reasons() == {}
    check.check([cached(4), cached(2), cached(3, preemptions=1)])
    assert "2 prompt tokens" in check.reasons()["prefix-cache-hits"]


class Cache:
    """Refuses to be emptied some times."""

    def __init__(self, refusals):
        self.refusals = refusals

    def reset_prefix_cache(self, *, reset_connector):
        assert reset_connector
        self.refusals -= 1
        return self.refusals < 0


def test_a_cache_that_is_still_in_use_is_asked_again():
    pauses = []
    check = PrefixCacheCheck([[1]], pause=pauses.append)
    check.reset(Cache(refusals=0))
    assert pauses == []
    check.reset(Cache(refusals=3))
    assert len(pauses) == 3
    assert check.reasons() == {}


def test_a_cache_that_cannot_be_emptied_is_a_reason():
    check = PrefixCacheCheck([[1]], pause=lambda _: None)
    check.reset(Cache(refusals=1000))
    assert "did not empty" in check.reasons()["prefix-cache-hits"]
