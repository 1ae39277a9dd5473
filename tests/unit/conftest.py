"""Real distributions to find plugins in, as an installer leaves them, and a disk that is full."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llem.api import ENTRY_POINT_GROUP
from llem.registry import Registry
from llem.registry.scan import scan

BACKEND = """
from llem.api.capability import (
    BackendInfo, Capability, Claim, ComputeCapability, EngineRequirement, Gpus, Installed, Support,
    Platform,
)
from llem.api.hookspecs import hookimpl

@hookimpl
def llem_capabilities():
    return BackendInfo(name={name!r}, summary="A backend of the tests", {info})

@hookimpl
def llem_config_model():
    from llem.schema.experiment import BackendConfig
    return BackendConfig
"""


def backend_source(name: str, info: str = "", more: str = "") -> str:
    """Return the module of a small healthy backend, and `more` after it."""
    return BACKEND.format(name=name, info=info) + more


class Environment:
    """A folder on the import path, and what is installed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []

    def install(
        self,
        distribution: str,
        plugins: dict[str, str] | None = None,
        *,
        group: str = ENTRY_POINT_GROUP,
        version: str = "1.0",
    ) -> None:
        """Install a distribution whose plugins have the given sources."""
        self.names.append(distribution)
        stem = distribution.replace("-", "_")
        info = self.folder / f"{stem}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        lines = [f"[{group}]"]
        for name, source in (plugins or {}).items():
            module = f"{stem}_{name}"
            (self.folder / f"{module}.py").write_text(source)
            lines.append(f"{name} = {module}")
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")

    def registry(self, **environ: str) -> Registry:
        """Return a registry of what is installed here, without this machine's own plugins."""
        records = [record for record in scan(environ) if record.distribution in self.names]
        return Registry(records, environ)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """An empty environment; what is imported from it is forgotten afterwards."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield Environment(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def source():
    """Return the function that writes a healthy backend's module."""
    return backend_source


@pytest.fixture
def small_disk():
    """Return a context in which no file may grow beyond 4 KiB: writes fail as on a full disk."""

    @contextmanager
    def limited():
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
