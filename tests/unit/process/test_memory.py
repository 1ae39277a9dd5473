"""What this process holds and held."""

import weakref

import pytest

from llem.process import worker_memory as memory


def test_memory_that_is_still_held_is_noticed():
    loaded = memory.anon_rss_bytes()
    memory.check_returned(loaded)
    kept = bytearray(loaded)
    with pytest.raises(memory.MemoryNotReturned):
        memory.check_returned(loaded - 2 * memory.RETURNED_WITHIN_BYTES)
    assert memory.anon_rss_bytes() > loaded + len(kept) // 2


def test_an_unknown_level_is_not_judged():
    assert memory.check_returned(None) is None


class Knot:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self):
        self.itself = self


def test_what_is_frozen_stays_until_it_is_unfrozen():
    knot = weakref.ref(tied := Knot())
    memory.freeze_loaded()
    del tied
    memory.anon_rss_bytes()
    assert knot() is not None
    memory.unfreeze_loaded()
    memory.anon_rss_bytes()
    assert knot() is None


def test_what_came_after_freezing_is_collected():
    memory.freeze_loaded()
    knot = weakref.ref(Knot())
    memory.anon_rss_bytes()
    assert knot() is None
    memory.unfreeze_loaded()
