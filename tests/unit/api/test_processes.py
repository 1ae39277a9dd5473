"""Peak memory of a process and those below it."""

import subprocess
import sys

from llem.api.child_processes import peak_rss_bytes, reset_peak_rss

MIB = 2**20


def test_a_peak_can_be_reset():
    large = bytearray(200 * MIB)
    peak = peak_rss_bytes()
    assert peak > 200 * MIB
    del large
    assert reset_peak_rss()
    assert peak_rss_bytes() < peak - 100 * MIB


def test_the_peak_of_a_process_below_is_reset_too():
    program = (
        f"large = bytearray({200 * MIB}); del large; print('ready', flush=True); input(); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        before = peak_rss_bytes()
        assert reset_peak_rss()
        after = peak_rss_bytes()
        child.communicate("\n\n")
    assert after < before - 150 * MIB


def test_processes_below_this_one_are_added():
    alone = peak_rss_bytes()
    held = 64 * MIB
    program = f"held = bytearray({held}); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        together = peak_rss_bytes()
        child.communicate("\n")
    assert together - alone > held
