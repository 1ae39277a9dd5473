"""`llem meter` around real commands, on simulated GPUs."""

import csv
import json
import os
import pty
import signal
import sys

import pytest

from ..nvml_simulator.waveform import Waveform
from .conftest import wait_until

PYTHON = sys.executable
# Waits for a signal and tells which one came, and how often.
PATIENT = """
import pathlib, signal, sys, time
got = []
def note(number, frame):
    got.append(number)
signal.signal(int(sys.argv[1]), note)
pathlib.Path("ready").touch()
while not got:
    time.sleep(0.01)
time.sleep(0.3)
pathlib.Path("got").write_text(" ".join(map(str, got)))
sys.exit(40 + len(got))
"""


@pytest.fixture
def gpus(simulated_gpus):
    return simulated_gpus(Waveform.square(100, 400, 2), Waveform.constant(150))


@pytest.fixture
def meter(llem, gpus):
    """Run `llem meter --meters nvml` and return the finished process."""

    def meter(*arguments, check=0):
        return llem("meter", "--meters", "nvml", *arguments, check=check, **gpus.environ)

    return meter


def test_the_document_has_the_shapes_of_an_outcome_and_tells_the_truth(meter, gpus):
    document = json.loads(meter("--json", "--", "sleep", "3").stdout)
    window, energy = document["window"], document["energy"]
    start_s, end_s = window["start_monotonic_s"], window["end_monotonic_s"]
    assert window["duration_s"] == pytest.approx(end_s - start_s)
    assert window["duration_s"] == pytest.approx(3, abs=0.5)
    assert document["exit_code"] == 0
    assert document["command"] == ["sleep", "3"]
    assert energy["provenance"] == "measured"
    assert energy["idle_j"] is energy["net_j"] is None
    truths = [gpus.energy_j(index, start_s, end_s) for index in range(2)]
    for index, (row, truth) in enumerate(zip(energy["devices"], truths, strict=True)):
        assert row["device"] == gpus.device(index)
        assert (row["domain"], row["meter"]) == ("board", "nvml")
        assert row["method"] == "energy counter"
        assert row["gross_j"] == pytest.approx(truth, rel=0.05)
        assert row["uncertainty_j"] > 0
    assert energy["gross_j"] == pytest.approx(sum(truths), rel=0.05)
    assert document["power"]["mean_w"] < document["power"]["peak_w"]


def test_peak_power_is_the_greatest_mean_of_any_second(llem):
    """Readings with times of their own, so that it does not matter when they are read."""
    waveforms = {"cuda:a": Waveform.square(100, 400, 2), "cuda:b": Waveform.constant(150)}
    rows = [
        (f"{0.07 * step:.2f}", device, "board", f"{waveform.energy_j(0, 0.07 * step):.4f}")
        for step in range(2000)
        for device, waveform in waveforms.items()
    ]
    with (llem.folder / "recorded.csv").open("w") as file:
        csv.writer(file).writerows([("time_s", "device", "domain", "energy_j"), *rows])
    settings = ("file=recorded.csv", "clock=replay")
    options = [part for text in settings for part in ("--set", f"measurement.trace.{text}")]
    done = llem("meter", "--json", "--meters", "trace", *options, "--", "sleep", "3", check=0)
    power = json.loads(done.stdout)["power"]
    assert power["peak_window_s"] == 1
    assert power["peak_w"] == pytest.approx(550, rel=0.01)


def test_net_energy_is_above_the_idle_power_metered_before(meter):
    done = meter("--json", "--idle", "2", "--", "sleep", "2")
    document = json.loads(done.stdout)
    energy, duration_s = document["energy"], document["window"]["duration_s"]
    assert "idle" in done.stderr
    assert energy["idle_basis"] == "bare"
    assert energy["idle_j"] == pytest.approx(energy["bare_idle"]["power_w"] * duration_s)
    assert energy["net_j"] == pytest.approx(energy["gross_j"] - energy["idle_j"])
    # Idle or busy, this machine uses the same: what is left is the measurement's own error.
    assert abs(energy["net_j"]) < 0.15 * energy["gross_j"]


def test_the_commands_own_streams_are_not_touched(meter):
    done = meter("--", "sh", "-c", "printf 'a\\nb'; exit 3", check=3)
    assert done.stdout == "a\nb"
    assert "exit code 3" in done.stderr
    assert meter("--", "sh", "-c", "echo e >&2").stderr.startswith("e\n")


def test_json_is_the_last_line_of_a_command_that_prints(meter):
    done = meter("--json", "--", "echo", "hello")
    first, last = done.stdout.splitlines()
    assert first == "hello"
    assert json.loads(last)["exit_code"] == 0


def test_document_and_samples_go_to_files(meter, llem, gpus):
    done = meter("--output", "out.json", "--csv", "samples.csv", "--", "sleep", "1")
    assert done.stdout == ""
    window = json.loads((llem.folder / "out.json").read_text())["window"]
    rows = list(csv.DictReader((llem.folder / "samples.csv").open()))
    assert {row["device"] for row in rows} == {gpus.device(0), gpus.device(1)}
    times = [float(row["time_s"]) for row in rows]
    assert times == sorted(times)
    assert times[0] < window["start_monotonic_s"] < window["end_monotonic_s"] < times[-1]
    assert len({row["energy_j"] for row in rows if row["device"] == gpus.device(1)}) > 10


def test_who_computes_on_a_device_already_is_named(meter, gpus):
    gpus.run_process(1, os.getpid())
    document = json.loads(meter("--json", "--", "sleep", "1").stdout)
    found = [row["foreign_processes"] for row in document["energy"]["conditions"]]
    assert found == [[], [os.getpid()]]
    assert document["verdict"]["valid"] is False
    assert "foreign-process" in [reason["code"] for reason in document["verdict"]["reasons"]]


def test_what_the_command_itself_computes_is_not_foreign(meter, gpus):
    command = gpus.command_meeting("process 0 {pid}", 0.3, 1)
    document = json.loads(meter("--json", "--", *command).stdout)
    assert [row["foreign_processes"] for row in document["energy"]["conditions"]] == [[], []]


def test_options_after_the_command_are_its_own(meter):
    assert meter("echo", "--json", "-x").stdout == "--json -x\n"


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("./data", 126)])
def test_a_command_that_cannot_be_started_ends_as_in_a_shell(meter, llem, command, code):
    (llem.folder / "data").write_text("not a program")
    done = meter("--", command, check=code)
    assert command in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_killed_by_a_signal_ends_as_in_a_shell(meter):
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert json.loads(meter("--json", PYTHON, "-c", kill, check=137).stdout)["exit_code"] == 137


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_reach_the_command_and_it_is_still_measured(llem, gpus, send, signum):
    process = llem.start_command(
        "meter", "--json", "--meters", "nvml", "--", PYTHON, "-c", PATIENT, int(signum),
        **gpus.environ,
    )  # fmt: skip
    wait_until((llem.folder / "ready").exists)
    code, stdout, _ = send(process, signum)
    assert code == 41
    assert json.loads(stdout)["exit_code"] == 41
    assert (llem.folder / "got").read_text() == str(int(signum))


def test_ctrl_c_in_a_terminal_reaches_the_command_once(llem, gpus):
    command = llem.command("meter", "--meters", "nvml", "--", PYTHON, "-c", PATIENT, 2)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(llem.folder)
        os.execve(command[0], command, gpus.environ)
    wait_until((llem.folder / "ready").exists)
    os.write(terminal, b"\x03")
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        shown += part
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 41, shown
    assert (llem.folder / "got").read_text() == "2"


def test_secrets_do_not_get_into_the_document(llem, gpus):
    environ = {**gpus.environ, "SOME_API_KEY": "correct-horse-battery"}
    done = llem("meter", "--json", "true", "correct-horse-battery", check=0, **environ)
    assert json.loads(done.stdout)["command"] == ["true", "<redacted>"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Give a command"),
        (("--watch", "true"), "Give a command"),
        (("--meters", "nvm", "true"), "there is no meter 'nvm'"),
        (("--set", "measurement.cpu_tdp_w=-3", "true"), "measurement.cpu_tdp_w"),
        (("--set", "measurement.metters=3", "true"), "meters"),
        (("--period", "0.0001", "true"), "--period"),
    ],
)
def test_what_is_refused_says_why(llem, arguments, problem):
    done = llem("meter", *arguments, check=2)
    assert problem in done.stderr


def test_live_power_goes_on_until_ctrl_c(llem, gpus, send):
    process = llem.start_command("meter", "--watch", "--meters", "nvml", **gpus.environ)
    lines = [process.stdout.readline() for _ in range(2)]
    code, _, stderr = send(process)
    assert (code, stderr) == (0, "")
    for line in lines:
        assert f"{gpus.device(0)} board" in line
        assert f"{gpus.device(1)} board 1" in line  # 150 W, more or less


def test_samples_can_be_played_back(meter, llem, gpus):
    """The same readings through the trace meter give the same energy."""
    first = json.loads(meter("--json", "--csv", "samples.csv", "--", "sleep", "2").stdout)
    row = first["energy"]["devices"][1]
    options = ("file=samples.csv", "clock=replay")
    settings = [part for option in options for part in ("--set", f"measurement.trace.{option}")]
    done = llem("meter", "--json", "--meters", "trace", *settings, "--", "sleep", "1.5", check=0)
    energy = json.loads(done.stdout)["energy"]
    assert [row["device"] for row in energy["devices"]] == [gpus.device(0), gpus.device(1)]
    assert {row["meter"] for row in energy["devices"]} == {"trace"}
    played = energy["devices"][1]
    assert played["mean_w"] == pytest.approx(row["mean_w"], rel=0.05)
