"""Physical devices behind indices, UUIDs and instances; and whose processes use them."""

import os

import pytest

from llem.api.capability import Gpu
from llem.api.meters import DeviceState
from llem.run.host_info import visible, whole_devices
from llem.run.metering import foreign_processes

GPUS = [
    Gpu("GPU-aa11", "A", 1, (9, 0)),
    Gpu("GPU-bb22", "B", 1, (9, 0), instances=("MIG-1234", "MIG-5678")),
]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (None, ["A", "B"]),
        ("1,0", ["B", "A"]),
        ("GPU-bb", ["B"]),
        ("MIG-5678", ["B"]),
        ("MIG-GPU-aa11/1/0", ["A"]),
        ("MIG-9999", []),
        ("0,7,1", ["A"]),
        ("-1", []),
        ("", []),
    ],
)
def test_a_selection_names_devices_by_index_uuid_or_instance(selection, expected):
    assert [gpu.name for gpu in visible(GPUS, selection)] == expected


def test_an_instance_is_metered_as_the_whole_device_and_once():
    used = ["cuda:MIG-1234", "cuda:MIG-5678", "cuda:GPU-aa11", "cpu"]
    assert whole_devices(used, GPUS) == ["cuda:GPU-bb22", "cuda:GPU-aa11", "cpu"]


def test_an_unknown_instance_stays_as_it_is():
    assert whole_devices(["cuda:MIG-9999"], GPUS) == ["cuda:MIG-9999"]


UNKNOWN = 2**31 - 7
"""No process has this id."""


def seen(time_s, *pids):
    return DeviceState("cuda:GPU-1", time_s, process_ids=pids)


def test_who_was_there_before_the_worker_is_foreign():
    assert foreign_processes([seen(1.0, UNKNOWN), seen(9.0, UNKNOWN)], {5}, 4.0) == {UNKNOWN}


def test_who_came_later_is_foreign_if_this_machine_knows_it_as_another():
    states = [seen(9.0, os.getpid(), UNKNOWN)]
    assert foreign_processes(states, set(), 4.0) == {os.getpid()}
    assert foreign_processes(states, {os.getpid()}, 4.0) == set()


def test_a_device_that_does_not_answer_keeps_its_index():
    gpus = [None, GPUS[1]]
    assert list(visible(gpus, None)) == [GPUS[1]]
    assert list(visible(gpus, "1")) == [GPUS[1]]
    assert list(visible(gpus, "0")) == []
