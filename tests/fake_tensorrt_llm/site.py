"""A worker environment that has the fake installed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

_FAKE = Path(__file__).with_name("fake.py")

_PACKAGE = """\
import sys

from tensorrt_llm import fake

fake.install(sys.modules[__name__])
"""


class FakeSite:
    """A folder for ``PYTHONPATH`` that holds the fake as distribution ``tensorrt-llm``.

    Args:
        folder: The folder to write.
        version: The version that the fake claims to be.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.package = folder / "tensorrt_llm"
        self.package.mkdir(parents=True)
        (self.package / "__init__.py").write_text(_PACKAGE)
        (self.package / "version.txt").write_text(version)
        shutil.copy(_FAKE, self.package / "fake.py")
        metadata = folder / f"tensorrt_llm-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: tensorrt-llm\nVersion: {version}\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which an interpreter finds the fake."""
        return {"PYTHONPATH": os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])}

    @property
    def child_pid(self) -> int:
        """Process id of the process that the fake engine started."""
        return int((self.package / "child.pid").read_text())

    def calls(self, name: str) -> list[dict[str, Any]]:
        """Return the recorded calls of that name, in order."""
        lines = (self.package / "calls.jsonl").read_text().splitlines()
        return [call for call in map(json.loads, lines) if call["call"] == name]
