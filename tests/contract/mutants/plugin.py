"""Faults of the plugin itself."""

from dataclasses import replace

from mutants.healthy import INFO
from mutants.mutation import HOOKS, MODULES, info

__all__ = ["HOOKS"]

MODULES |= {
    # The test installs it for another version of the contract.
    "plugin_listed": "from mutants.healthy import *\n",
    # Its module cannot be imported.
    "plugin_loads": 'raise ImportError("a library of it is missing")\n',
    # It has a hook that does not exist.
    "plugin_hooks": """
from mutants.healthy import *

@hookimpl
def llem_capabilitys():
    return INFO
""",
    # A listing has to import a library for it.
    "plugin_light": """
import markupsafe
from mutants.healthy import *

SUMMARY = markupsafe.escape(INFO.summary)
""",
    # It cannot measure.
    "plugin_complete": """
from mutants.healthy import *

del llem_measurement
""",
}


@info
def plugin_info():
    """It does not say what it is."""
    return replace(INFO, summary="")
