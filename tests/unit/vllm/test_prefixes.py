"""How much of each prompt others of the workload begin with."""

from hypothesis import given
from hypothesis import strategies as st

from llem_vllm.prefixes import shared_prefix_tokens


def test_prompts_that_share_nothing():
    assert shared_prefix_tokens([[1, 2], [2, 1], [3]]) == [0, 0, 0]


def test_the_longest_shared_beginning_counts():
    assert shared_prefix_tokens([[1, 2, 3, 4], [9], [1, 2], [1, 2, 3, 5]]) == [3, 0, 2, 3]


def test_equal_prompts_share_everything():
    assert shared_prefix_tokens([[1, 2, 3], [1, 2, 3]]) == [3, 3]


def test_one_prompt_shares_with_nobody():
    assert shared_prefix_tokens([[1, 2, 3]]) == [0]


@given(st.lists(st.lists(st.integers(0, 2), max_size=6), min_size=1, max_size=8))
def test_neighbours_in_sorted_order_are_enough(prompts):
    def common(first, second):
        length = 0
        for one, other in zip(first, second, strict=False):
            if one != other:
                break
            length += 1
        return length

    expected = [
        max((common(one, other) for at, other in enumerate(prompts) if at != index), default=0)
        for index, one in enumerate(prompts)
    ]
    assert shared_prefix_tokens(prompts) == expected
