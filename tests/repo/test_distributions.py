"""The distributions agree with each other, and with the pinned versions."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import llem


@pytest.fixture(scope="module")
def pins(root: Path) -> dict[str, Version]:
    lines = (root / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(len(requirement.specifier) == 1 for requirement in requirements)
    return {
        canonicalize_name(requirement.name): Version(str(requirement.specifier).removeprefix("=="))
        for requirement in requirements
    }


def _dependencies(projects: dict[str, dict[str, Any]]) -> list[Requirement]:
    return [Requirement(text) for project in projects.values() for text in project["dependencies"]]


def test_one_version_everywhere(projects: dict[str, dict[str, Any]]) -> None:
    assert len(projects) == 7
    assert {project["version"] for project in projects.values()} == {llem.__version__}


def test_plugins_ask_for_the_core_of_their_own_version(
    projects: dict[str, dict[str, Any]],
) -> None:
    for folder, project in projects.items():
        if folder != "core":
            assert f"llem-core=={llem.__version__}" in project["dependencies"], folder


def test_every_dependency_is_pinned_within_its_declared_range(
    projects: dict[str, dict[str, Any]], pins: dict[str, Version]
) -> None:
    for requirement in _dependencies(projects):
        if requirement.name != "llem-core":
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_torch_stays_at_the_release_that_has_a_small_cpu_build(pins: dict[str, Version]) -> None:
    assert pins["torch"] == Version("2.13.0")


def test_what_is_installed_is_what_is_pinned(pins: dict[str, Version]) -> None:
    installed = {}
    for name in pins:
        try:
            installed[name] = Version(version(name))
        except PackageNotFoundError:
            continue
    assert installed.keys() >= {"click", "pluggy", "pydantic", "pytest"}
    # A local part ("+cpu") names a build of the same release.
    differing = {n: v for n, v in installed.items() if v.public != pins[n].public}
    assert differing == {}
