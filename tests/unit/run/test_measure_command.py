"""`llem meter` as a function: how a command ends, and what it used of a constant power."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from llem.errors import CommandNotFound, CommandRefused, ConfigInvalid
from llem.registry import Registry
from llem.run.measure_command import FORWARDED, measure_command, require_command, run_child
from llem.schema.measurement import MeasurementConfig

SLEEP_S = 0.5
STAMP = """
import sys, time
from pathlib import Path
time.sleep(float(sys.argv[1]))
Path(sys.argv[2]).write_text(repr(time.monotonic()))
"""


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        (["true"], 0),
        (["false"], 1),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 128 + 9),
        (["sh", "-c", "kill -TERM $$"], 128 + 15),
    ],
)
def test_the_exit_code_is_the_one_a_shell_gives(command: list[str], exit_code: int) -> None:
    assert run_child(command).exit_code == exit_code


def test_the_window_holds_the_command(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    run = run_child([sys.executable, "-c", STAMP, str(SLEEP_S), str(stamp)])
    ended_s = float(stamp.read_text())
    assert run.started_s + SLEEP_S <= ended_s <= run.finished_s
    assert 0 <= run.cpu_s <= run.finished_s - run.started_s


def test_signal_handlers_are_put_back() -> None:
    before = [signal.getsignal(signum) for signum in FORWARDED]
    run_child(["true"])
    assert [signal.getsignal(signum) for signum in FORWARDED] == before


def test_a_signal_is_passed_on_to_the_command() -> None:
    # The command's parent is this process: it sends the signal that comes back to it.
    run = run_child(["sh", "-c", "trap 'exit 9' USR1; kill -USR1 $PPID; sleep 30 & wait"])
    assert run.exit_code == 9
    assert run.finished_s - run.started_s < 20


def test_a_command_that_does_not_exist() -> None:
    with pytest.raises(CommandNotFound, match="no command 'no-such-command'") as refused:
        require_command("no-such-command")
    assert "sh -c" in refused.value.hint
    with pytest.raises(CommandNotFound, match="no command '/no/such/file'"):
        run_child(["/no/such/file"])
    assert issubclass(CommandNotFound, CommandRefused)


def test_a_file_that_cannot_be_executed(tmp_path: Path) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("text")
    require_command(str(plain))
    with pytest.raises(CommandRefused, match="cannot be executed: Permission denied"):
        run_child([str(plain)])


def measured(*command: str, idle_s: float = 0.0):
    """Measure a command on the meter that always shows 100 W."""
    measurement = MeasurementConfig(meters=("simulated",), sample_period_s=0.02)
    said: list[str] = []
    outcome, series = measure_command(
        command, Registry.discover(), measurement, idle_s=idle_s, say=said.append
    )
    return outcome, series, said


def test_a_constant_power_gives_the_energy_it_must() -> None:
    before_s = time.monotonic()
    outcome, series, said = measured("sleep", str(SLEEP_S))
    window = outcome.window
    assert before_s <= window.start_monotonic_s <= window.end_monotonic_s <= time.monotonic()
    assert window.duration_s == window.end_monotonic_s - window.start_monotonic_s >= SLEEP_S
    assert outcome.energy.gross_j == pytest.approx(100 * window.duration_s)
    assert outcome.power.mean_w == pytest.approx(100)
    assert outcome.power.peak_w == pytest.approx(100)
    assert outcome.power.peak_window_s == min(1.0, window.duration_s)
    assert (outcome.exit_code, outcome.command) == (0, ("sleep", str(SLEEP_S)))
    assert outcome.energy.net_j is None
    assert outcome.energy.bare_idle is None
    assert outcome.energy.j_per_output_token is None
    assert said == []
    assert {value for channel in series for value in channel.values} == {100.0}


def test_idle_power_metered_before_is_subtracted() -> None:
    outcome, _, said = measured("sleep", str(SLEEP_S), idle_s=0.3)
    assert outcome.energy.bare_idle.power_w == pytest.approx(100)
    assert outcome.energy.idle_j == pytest.approx(outcome.energy.gross_j)
    assert outcome.energy.net_j == pytest.approx(0, abs=1e-6)
    assert said == ["metering the idle machine for 0.3 s"]


def test_a_command_that_fails_is_measured_as_well() -> None:
    outcome, _, _ = measured("sh", "-c", "sleep 0.2; exit 3")
    assert outcome.exit_code == 3
    assert outcome.energy.gross_j == pytest.approx(100 * outcome.window.duration_s)


def test_nothing_is_measured_for_a_command_or_a_meter_that_does_not_exist() -> None:
    with pytest.raises(CommandNotFound):
        measured("no-such-command")
    with pytest.raises(ConfigInvalid, match="no meter 'wattmeter'"):
        measure_command(
            ["true"],
            Registry.discover(),
            MeasurementConfig(meters=("wattmeter",)),
            idle_s=0,
            say=lambda text: None,
        )


def test_secrets_of_the_command_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "abcdefgh-12345678")
    outcome, _, _ = measured("sh", "-c", ": abcdefgh-12345678", os.environ["SERVICE_TOKEN"])
    assert outcome.command == ("sh", "-c", ": <redacted>", "<redacted>")
