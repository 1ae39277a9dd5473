"""Chips through Zeus's own classes: domains side by side, and nothing counted twice."""

import pytest
from zeus.device.soc.common import SoC
from zeus.device.soc.jetson import JetsonMeasurement

from llem.api.meters import Quantity
from llem_zeus.soc import JETSON, sources

APPLE = """
import json, time
from zeus.device.soc.apple import AppleSilicon
from llem_zeus.soc import APPLE, sources
(source,) = sources(AppleSilicon(), "cpu:apple", APPLE)
before_s, before = time.monotonic(), source.read()
time.sleep(0.5)
after_s, after = time.monotonic(), source.read()
watts = [(b - a) / (after_s - before_s) for a, b in zip(before, after)]
pairs = zip(source.channels, watts)
print(json.dumps({channel.domain: [channel.contained_in, w] for channel, w in pairs}))
"""


class Board(SoC):
    """A Jetson board that is not there; a rail may be missing, as on real ones."""

    def __init__(self, **rails):
        self.rails = rails

    def get_available_metrics(self):
        return set(self.rails)

    def get_total_energy_consumption(self):
        return JetsonMeasurement(**self.rails)

    def begin_window(self, key, restart=False):
        raise AssertionError("llem keeps its own windows")

    def end_window(self, key):
        raise AssertionError("llem keeps its own windows")


def test_an_apple_chip_has_its_parts_side_by_side(run):
    domains = run(APPLE)
    assert list(domains) == ["cpu", "gpu", "dram", "neural engine"]
    assert {container for container, _ in domains.values()} == {None}
    watts = {name: watt for name, (_, watt) in domains.items()}
    assert watts == pytest.approx(
        {"cpu": 4, "gpu": 10, "dram": 2, "neural engine": 0}, rel=0.1, abs=0.01
    )


def test_a_boards_rails_lie_within_its_total():
    board = Board(total_energy_mj=9000.0, cpu_energy_mj=2000.0, gpu_energy_mj=5000.0)
    (source,) = sources(board, "cpu:jetson", JETSON, update_period_s=0.1)
    found = {channel.domain: channel.contained_in for channel in source.channels}
    assert found == {"board": None, "cpu": "board", "gpu": "board"}
    assert {channel.quantity for channel in source.channels} == {Quantity.ENERGY}
    assert source.read() == (9.0, 2.0, 5.0)


def test_without_a_total_the_rails_stand_for_themselves():
    (source,) = sources(Board(cpu_energy_mj=1.0), "cpu:jetson", JETSON)
    assert [(channel.domain, channel.contained_in) for channel in source.channels] == [
        ("cpu", None)
    ]
    assert source.read() == (0.001,)
    assert sources(Board(), "cpu:jetson", JETSON) == []
