"""An environment of a worker in which the stand-in is installed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

_DOUBLE = Path(__file__).with_name("double.py")

_PACKAGE = """\
import sys

from tensorrt_llm import double

double.install(sys.modules[__name__])
"""


class DoubleSite:
    """A folder for ``PYTHONPATH`` with a distribution ``tensorrt-llm`` that is the stand-in.

    Args:
        folder: Where to write it.
        version: The version it claims to be.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.package = folder / "tensorrt_llm"
        self.package.mkdir(parents=True)
        (self.package / "__init__.py").write_text(_PACKAGE)
        (self.package / "version.txt").write_text(version)
        shutil.copy(_DOUBLE, self.package / "double.py")
        metadata = folder / f"tensorrt_llm-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: tensorrt-llm\nVersion: {version}\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which an interpreter finds it."""
        return {"PYTHONPATH": os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])}

    @property
    def child_pid(self) -> int:
        """Process id of what the engine started beside itself."""
        return int((self.package / "child.pid").read_text())

    def calls(self, name: str) -> list[dict[str, Any]]:
        """Return the recorded calls of that name, in order."""
        lines = (self.package / "calls.jsonl").read_text().splitlines()
        return [call for call in map(json.loads, lines) if call["call"] == name]
