"""What this process holds and held."""

import pytest

from llem.worker import memory

MIB = 2**20


def test_memory_that_is_still_held_is_noticed():
    loaded = memory.held_bytes()
    memory.check_returned(loaded)
    kept = bytearray(loaded)
    with pytest.raises(memory.MemoryNotReturned):
        memory.check_returned(loaded - 2 * memory.RETURNED_WITHIN_BYTES)
    assert memory.held_bytes() > loaded + len(kept) // 2


def test_an_unknown_level_is_not_judged():
    assert memory.check_returned(None) is None


def test_a_peak_can_be_forgotten():
    large = bytearray(200 * MIB)
    peak = memory.peak_bytes()
    assert peak > 200 * MIB
    del large
    memory.forget_peak()
    assert memory.peak_bytes() < peak - 100 * MIB
