"""The guard notices side effects; in a fresh interpreter, because an audit hook is permanent."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LOOK = """
import json
from llem.testing.isolated import SideEffectGuard

guard = SideEffectGuard("touchy")
with guard.watching() as effects:
    import touchy
print(json.dumps(effects))
"""

DOCSTRING = """
from llem.schema.experiment import BackendConfig

class Model(BackendConfig):
    x: int | None = None
    '''Pydantic reads this in the source.'''
"""


@pytest.fixture
def effects(tmp_path):
    """Return the function that runs the code of a package `touchy` and returns what was noticed."""

    def run(code):
        (tmp_path / "touchy").mkdir()
        (tmp_path / "touchy/__init__.py").write_text("from touchy import inner\n")
        (tmp_path / "touchy/inner.py").write_text(code)
        done = subprocess.run(
            [sys.executable, "-c", LOOK],
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize(
    ("code", "noticed"),
    [
        ("open('/dev/null')", "a file: open /dev/null"),
        ("import pathlib; pathlib.Path('/dev/null').read_text()", "a file: open /dev/null"),
        ("import os; os.listdir('/')", "a file: os.listdir /"),
        ("import tempfile; tempfile.mkdtemp()", "a file: tempfile.mkdtemp"),
        ("import socket; socket.socket()", "the network: socket.__new__"),
        ("import subprocess; subprocess.run(['true'])", "a process: subprocess.Popen true"),
        ("import os; os.system('true')", "a process: os.system"),
        ("import ctypes; ctypes.CDLL('libc.so.6')", "a device or library: ctypes.dlopen libc.so.6"),
        ("import os; os.environ.get('HOME')", "the environment: HOME"),
        ("import os; os.getenv('HOME')", "the environment: HOME"),
        ("import os; 'HOME' in os.environ", "the environment: HOME"),
        ("import os; dict(os.environ)", "the environment: all of it"),
        ("import os; os.environ['A'] = 'b'", "the environment: os.putenv"),
    ],
)
def test_an_effect_is_noticed_with_its_line(effects, code, noticed):
    found = effects(code)
    assert any(effect.startswith(noticed) for effect in found), found
    assert all(effect.endswith(", by touchy.inner:1") for effect in found)


@pytest.mark.parametrize(
    "code",
    [
        "import json, email, sqlite3",
        "from importlib.metadata import version; version('pydantic')",
        "from pydantic import BaseModel\nclass Model(BaseModel):\n    value: int\nModel(value=1)",
        DOCSTRING,
    ],
    ids=["imports", "metadata", "pydantic", "docstrings"],
)
def test_what_every_plugin_does_is_none(effects, code):
    assert effects(code) == []
