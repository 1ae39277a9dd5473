"""What a wheel carries: all of the package's files, the license, and the entry points."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest


@pytest.fixture(scope="module")
def wheels(
    root: Path, projects: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ZipFile]:
    """The wheel of each distribution, by its folder."""
    out = tmp_path_factory.mktemp("wheels")
    for folder in projects:
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
        subprocess.run(build, cwd=root / folder, check=True, capture_output=True)
    return {
        folder: ZipFile(next(out.glob(f"{project['name'].replace('-', '_')}-*.whl")))
        for folder, project in projects.items()
    }


def test_wheels_carry_every_file_of_their_package(
    root: Path, tree: tuple[Path, ...], wheels: dict[str, ZipFile]
) -> None:
    for folder, wheel in wheels.items():
        source = Path(folder) / "src"
        files = [path for path in tree if path.is_relative_to(source) and (root / path).is_file()]
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert packed == {path.relative_to(source).as_posix() for path in files}, folder


def test_wheels_carry_the_license(wheels: dict[str, ZipFile]) -> None:
    for folder, wheel in wheels.items():
        assert any(n.endswith(".dist-info/licenses/LICENSE") for n in wheel.namelist()), folder


def test_wheels_declare_their_plugins(wheels: dict[str, ZipFile]) -> None:
    declared = {}
    for wheel in wheels.values():
        name = next(n for n in wheel.namelist() if n.endswith(".dist-info/entry_points.txt"))
        entry_points = ConfigParser()
        entry_points.read_string(wheel.read(name).decode())
        declared |= dict(entry_points["llem.plugins.v1"])
    assert declared == {
        "simulated": "llem.builtin.simulated",
        "meters": "llem.builtin.meter_hooks",
        "pytorch": "llem_pytorch.plugin",
        "vllm": "llem_vllm.plugin",
        "trt": "llem_trt.plugin",
        "zeus": "llem_zeus.plugin",
        "mlflow": "llem_mlflow.plugin",
        "importers": "llem_importers.plugin",
    }
