"""Faults of the worker process."""

import subprocess

from mutants.mutation import HOOKS, MODULES, session
from mutants.parts import SampleSession

__all__ = ["HOOKS"]

# Its module cannot be imported where it is needed.
MODULES["worker_starts"] = """
import __main__
from mutants.healthy import *

if __main__.__spec__ is not None and __main__.__spec__.name.startswith("llem.process"):
    raise ImportError("works in a listing only")
"""


@session
class worker_killed(SampleSession):
    """It starts a process that outlives it."""

    def open(self, plan):
        subprocess.run("sleep 20 &", shell=True, start_new_session=True, check=True)
        return super().open(plan)
