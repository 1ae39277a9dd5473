"""Memory of a process and those below it."""

import subprocess
import sys

from llem.api.child_processes import peak_rss_bytes


def test_processes_below_this_one_are_added():
    alone = peak_rss_bytes()
    held = 64 * 2**20
    program = f"held = bytearray({held}); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        together = peak_rss_bytes()
        child.communicate("\n")
    assert together - alone > held
