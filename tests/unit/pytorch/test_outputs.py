"""Batches and row ends, for any lengths."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llem.api.session import Request
from llem_pytorch.runtime.batches import make_batches
from llem_pytorch.runtime.outputs import Generated, results, row_end

pytestmark = pytest.mark.engine

tokens = st.integers(0, 5)


@given(
    ids=st.lists(tokens, min_size=1, max_size=12),
    eos_ids=st.frozensets(tokens, max_size=2),
    stop_step=st.none() | st.integers(1, 12),
)
def test_a_row_ends_at_the_first_reason(ids, eos_ids, stop_step):
    length, reason = row_end(ids, eos_ids, stop_step)
    assert 1 <= length <= len(ids)
    assert not set(ids[: length - 1]) & eos_ids
    assert stop_step is None or stop_step >= length or stop_step > len(ids)
    match reason:
        case "eos":
            assert ids[length - 1] in eos_ids
        case "stop":
            assert length == stop_step
            assert ids[length - 1] not in eos_ids
        case "length":
            assert length == len(ids)
            assert not set(ids) & eos_ids


@pytest.mark.parametrize(
    ("step_times_s", "token_times_s", "finished_s"),
    [
        ([2.0, 3.0, 4.0], [2.0, 3.0], 3.0),
        ([2.0, 4.0], None, 5.0),  # fewer times than tokens: which of them took how long is unknown
        (None, None, 5.0),
    ],
)
def test_times_are_given_for_each_token_or_not_at_all(step_times_s, token_times_s, finished_s):
    request = Request(0, [7, 8], 2)
    (batch,) = make_batches([request], size=1, pad_id=0, device=torch.device("cpu"))
    sequences = torch.tensor([[7, 8, 4, 5, 6]])
    generated = Generated(batch, sequences, 1.0, 5.0, step_times_s)
    (result,) = results(generated, frozenset(), None)
    assert result.output_ids == [4, 5]
    assert result.token_times_s == token_times_s
    assert result.finished_s == finished_s


@given(
    lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=9),
    size=st.integers(1, 4),
)
def test_batches_hold_every_prompt_once_and_pad_on_the_left(lengths, size):
    requests = [
        Request(index, list(range(1, prompt + 1)), limit)
        for index, (prompt, limit) in enumerate(lengths)
    ]
    batches = make_batches(requests, size=size, pad_id=0, device=torch.device("cpu"))
    assert [request for batch in batches for request in batch.requests] == requests
    for batch in batches:
        assert len(batch.requests) <= size
        assert batch.max_new_tokens == max(request.max_new_tokens for request in batch.requests)
        assert int((batch.attention_mask == 0).sum()) == batch.padding_input_tokens
        assert bool(batch.attention_mask[:, -1].all())
        rows = zip(batch.requests, batch.input_ids, batch.attention_mask, strict=True)
        for request, ids, mask in rows:
            assert ids[mask == 1].tolist() == request.prompt_ids
        limits = {request.max_new_tokens for request in batch.requests}
        assert len(batch.stopping_criteria()) == (len(limits) > 1)
        for limited in batch.stopping_criteria():
            for step in range(1, batch.max_new_tokens + 1):
                grown = torch.zeros(len(batch.requests), batch.prompt_positions + step)
                expected = [step >= request.max_new_tokens for request in batch.requests]
                assert limited(grown, None).tolist() == expected
