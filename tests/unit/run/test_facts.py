"""What the host knows about its machine."""

from llem.run.host_info import host_facts


def test_this_machine_is_described():
    facts = host_facts()
    assert facts.logical_cores >= 1
    assert facts.memory_bytes > 1 << 28
    assert facts.cpu
