"""It starts a process that nobody ends."""

import subprocess
from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def open(self, plan):
            subprocess.run("sleep 20 &", shell=True, start_new_session=True, check=True)
            return super().open(plan)

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
