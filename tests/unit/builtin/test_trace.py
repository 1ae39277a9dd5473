"""Files of external meters: played back, followed, and refused where they make no sense."""

import json
import os
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from llem.api.meters import Quantity
from llem.builtin.trace import TraceMeter
from llem.schema.measurement import MeasurementConfig


@pytest.fixture
def trace(tmp_path):
    """Return a function that writes a file and returns a meter for it."""

    def trace(text, name="wall.csv", **settings):
        trace.path = tmp_path / name
        trace.path.write_text(text)
        section = {"file": str(trace.path), **settings}
        options = MeasurementConfig.model_validate({"trace": section}).model_dump(mode="json")
        return TraceMeter(options)

    return trace


def read_until(meter, count):
    """Return the readings until there are `count` of them."""
    readings, deadline_s = [], time.monotonic() + 10
    while len(readings) < count and time.monotonic() < deadline_s:
        readings += meter.read()
    return readings


def test_a_recorded_file_plays_back_from_the_moment_it_is_opened(trace):
    meter = trace("time_s,power_w\n1000.0,50\n1000.1,60\n1000.2,70\n", clock="replay")
    opened_s = time.monotonic()
    (channel,) = meter.open(())
    assert (channel.device, channel.domain) == ("host:trace", "wall")
    assert channel.quantity is Quantity.POWER
    readings = read_until(meter, 3)
    assert time.monotonic() - opened_s >= 0.2
    assert [reading.value for reading in readings] == [50, 60, 70]
    gaps = [b.time_s - a.time_s for a, b in pairwise(readings)]
    assert gaps == pytest.approx([0.1, 0.1])
    assert readings[0].time_s == pytest.approx(opened_s, abs=0.05)


def test_rows_that_are_appended_are_followed_once_they_are_whole(trace):
    meter = trace("time_s,power_w\n", clock="monotonic")
    meter.open(())
    assert meter.read() == []
    moment_s = time.monotonic()
    with trace.path.open("a") as file:
        file.write(f"{moment_s!r},41.5\n{moment_s + 0.001!r},4")
        file.flush()
        (first,) = read_until(meter, 1)
        assert (first.time_s, first.value) == (moment_s, 41.5)
        file.write("2\n")
    (second,) = read_until(meter, 1)
    assert second.value == 42


@pytest.mark.parametrize(
    "form",
    [
        lambda moment: f"time_s,power_w\n{moment!r},7\n",
        lambda moment: f"time,power_w\n{datetime.fromtimestamp(moment, UTC).isoformat()},7\n",
        lambda moment: f"time,power_w\n{datetime.fromtimestamp(moment).isoformat()},7\n",
    ],
    ids=["unix", "iso", "local"],
)
def test_wall_clock_times_are_moved_to_the_monotonic_clock(trace, form):
    wall_s, monotonic_s = time.time(), time.monotonic()
    meter = trace(form(wall_s - 5), offset_s=2)
    meter.open(())
    (reading,) = meter.read()
    assert reading.time_s == pytest.approx(monotonic_s - 3, abs=0.05)


def test_columns_may_have_names_of_their_own(trace):
    text = "Timestamp,Watts\n0,12\n"
    meter = trace(text, columns={"time_s": "Timestamp", "power_w": "Watts"}, clock="replay")
    meter.open(())
    assert [reading.value for reading in read_until(meter, 1)] == [12]


def test_json_lines_and_several_domains(trace):
    rows = [
        {"time_s": 0, "energy_j": 5, "device": "host:pdu", "domain": "outlet 1"},
        {"time_s": 0, "energy_j": 9, "device": "host:pdu", "domain": "outlet 2"},
        {"time_s": 0.01, "energy_j": 6, "device": "host:pdu", "domain": "outlet 1"},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    meter = trace(text, "pdu.jsonl", clock="replay", wraps_at_j=1e6, update_period_s=0.01)
    channels = meter.open(())
    assert [channel.domain for channel in channels] == ["outlet 1", "outlet 2"]
    assert {channel.quantity for channel in channels} == {Quantity.ENERGY}
    assert {channel.wraps_at_j for channel in channels} == {1e6}
    found = [(reading.channel, reading.value) for reading in read_until(meter, 3)]
    assert found == [(0, 5), (1, 9), (0, 6)]


def test_a_bad_row_and_one_that_goes_back_are_failures_not_values(trace):
    meter = trace("time_s,power_w\n1,10\n", clock="replay")
    meter.open(())
    with trace.path.open("a") as file:
        file.write("0.5,11\nnonsense,12\n1,inf\n1.0001,13\n")
    readings = read_until(meter, 5)
    assert {reading.value for reading in readings} == {10, None, 13}
    problems = sorted(reading.error for reading in readings if reading.value is None)
    assert "line 3 goes back in time" in problems
    assert any(text.startswith("line 4 cannot be read") for text in problems)
    assert "line 5 holds no number" in problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no row shows yet"),
        ("time_s,watts\n1,2\n", "line 2 needs one of energy_j, power_w, average_power_w"),
        ("when,power_w\n1,2\n", "neither time_s nor time"),
        ("time_s,power_w\nyesterday,2\n", "line 2 cannot be read"),
        ("time_s,power_w,energy_j\n1,2,3\n", "line 2 needs one of"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(trace, text, problem):
    probe = trace(text).probe()
    assert not probe.available
    assert problem in probe.reason


def test_without_a_file_it_says_which_key_to_set():
    probe = TraceMeter(MeasurementConfig().model_dump(mode="json")).probe()
    assert not probe.available
    assert "measurement.trace.file" in probe.reason


def test_a_missing_file_is_named(tmp_path):
    probe = TraceMeter({"trace": {"file": str(tmp_path / "none.csv")}}).probe()
    assert not probe.available
    assert "none.csv cannot be read" in probe.reason


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("device", "no regular file"), ("pipe", "no regular file"), ("folder", "no regular file"),
     ("a line of 2 MB", "a line has more than 1,048,576 bytes"), ("NUL", "cannot be read")],
)  # fmt: skip
def test_what_never_ends_is_refused_at_once(tmp_path, kind, problem):
    path = tmp_path / "wall.csv"
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "NUL":
        path = "wall\0.csv"
    else:
        path.write_text("time_s,power_w\n" + "1" * 2_000_000 + "\n")
    probe = TraceMeter({"trace": {"file": str(path)}}).probe()
    assert not probe.available
    assert problem in probe.reason


def test_blanks_after_commas_belong_to_no_name(trace):
    text = "time_s, power_w, device, domain\n1.0, 50, host:pdu, outlet 1\n1.1, 60, pdu1, wall\n"
    channels = trace(text, clock="replay").open(())
    assert [(channel.device, channel.domain) for channel in channels] == [
        ("host:pdu", "outlet 1"),
        ("pdu1", "wall"),
    ]


SMI = """timestamp, uuid, power.draw [W]
2026/11/27 20:38:17.121, GPU-5a, 72.30 W
2026/11/27 20:38:17.221, GPU-5a, [N/A]
2026/11/27 20:38:17.321, GPU-5a, 74.10 W
"""


@pytest.mark.parametrize("text", [SMI, SMI.replace(" W\n", "\n")], ids=["units", "nounits"])
def test_a_log_of_nvidia_smi_is_read_as_it_is(trace, text):
    meter = trace(text, clock="replay")
    (channel,) = meter.open(())
    assert (channel.device, channel.domain) == ("cuda:GPU-5a", "board")
    assert channel.quantity is Quantity.AVERAGE_POWER
    readings = read_until(meter, 3)
    assert [reading.value for reading in readings] == [72.3, None, 74.1]
    gaps = [b.time_s - a.time_s for a, b in pairwise(readings)]
    assert gaps == pytest.approx([0.1, 0.1], abs=1e-3)


def test_a_log_with_both_powers_gives_two_sources_of_one_domain(trace):
    text = (
        "timestamp, index, power.draw.average [W], power.draw.instant [W]\n"
        "2026/11/27 20:38:17.121, 0, 72.30 W, 80.00 W\n"
    )
    channels = trace(text, clock="replay").open(())
    assert {channel.device for channel in channels} == {"cuda:0"}
    assert [channel.quantity for channel in channels] == [Quantity.POWER, Quantity.AVERAGE_POWER]


def test_units_of_columns_of_their_own_are_read(trace):
    text = "Time;Energy [Wh]\n1.0;0.5\n1.1;0.6\n"
    columns = {"time_s": "Time", "energy_j": "Energy [Wh]"}
    meter = trace(text, clock="replay", columns=columns)
    (channel,) = meter.open(())
    assert channel.quantity is Quantity.ENERGY
    assert [reading.value for reading in read_until(meter, 2)] == pytest.approx([1800, 2160])


@pytest.mark.parametrize("row", ["1.1,60,host:a,more", "1.1,60"])
def test_a_row_of_another_length_than_the_header_is_refused(trace, row):
    meter = trace(f"time_s,power_w,device\n1.0,50,host:a\n{row}\n", clock="replay")
    with pytest.raises(OSError, match="cells, and the header has 3"):
        meter.open(())
