"""The toy engine; its tests go when it goes."""

from __future__ import annotations

from llem_minimal import Model

END = 0


def test_it_repeats_what_it_has_seen():
    model = Model(vocab_size=10, eos_token_ids=(END,), order=2)
    assert list(model.generate([5, 6, 7, 5, 6], max_new_tokens=3)) == [7, 5, 6]


def test_the_end_of_the_text_ends_it_unless_ignored():
    model = Model(vocab_size=10, eos_token_ids=(END,), order=1)
    assert list(model.generate([5, END, 5], max_new_tokens=3)) == [END]
    ignored = model.generate([5, END, 5], max_new_tokens=3, ignore_eos=True)
    assert list(ignored) == [END, 5, END]
