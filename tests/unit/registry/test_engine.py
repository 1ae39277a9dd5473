"""Whether an engine is installed, by metadata."""

from __future__ import annotations

import pytest

from llem.api.capability import EngineRequirement
from llem.errors import EngineMissing
from llem.registry import check_version
from llem.registry.engine_status import engine_status

REQUIREMENT = EngineRequirement(
    "rocket-engine", versions=">=2,<3", install="pip install rocket-engine", alternatives=("rkt",)
)


@pytest.mark.parametrize(
    ("version", "supported"),
    [("1.9", False), ("2.0", True), ("2.5.1+cpu", True), ("2.6.dev3", True), ("3.0", False)],
)
def test_the_version_decides(environment, version, supported):
    environment.install("rocket-engine", version=version)
    status = engine_status(REQUIREMENT)
    assert (status.version, status.supported) == (version, supported)
    assert bool(status.message) is not supported


def test_an_engine_may_have_other_names(environment):
    environment.install("rkt", version="2.1")
    status = engine_status(REQUIREMENT)
    assert (status.distribution, status.version, status.supported) == ("rkt", "2.1", True)


def test_a_missing_engine_has_no_version():
    status = engine_status(REQUIREMENT)
    assert (status.version, status.supported) == (None, False)
    assert status.message == "rocket-engine is not installed"


@pytest.mark.parametrize(("version", "range"), [("2.0", "two or so"), ("what", ">=2")])
def test_versions_that_mean_nothing_are_not_supported(version, range):
    status = engine_status(EngineRequirement("x", versions=range), {"x": version})
    assert not status.supported
    assert "cannot be told" in status.message


def test_any_version_may_be_enough():
    assert engine_status(EngineRequirement("x"), {"x": "what"}).supported


def test_another_environments_engine_is_judged_by_its_own_versions():
    check_version(REQUIREMENT, {"rocket-engine": "2.2"}, where="python9")
    with pytest.raises(EngineMissing, match=r"1.0 is installed.*python9"):
        check_version(REQUIREMENT, {"rocket-engine": "1.0"}, where="python9")


def test_a_backend_asks_for_its_engine(environment, source):
    info = "engine=EngineRequirement('rocket-engine', '>=2', 'pip install rocket-engine')"
    environment.install("llem-rocket", {"rocket": source("rocket", info)})
    backend = environment.registry().backend("rocket")
    with pytest.raises(EngineMissing, match="rocket-engine is not installed") as caught:
        backend.require_engine()
    assert "pip install rocket-engine, or" in caught.value.hint
    environment.install("rocket-engine", version="2.0")
    backend.require_engine()
    assert backend.engine_status().version == "2.0"


def test_a_backend_may_need_none(environment, source):
    environment.install("llem-toy", {"toy": source("toy")})
    backend = environment.registry().backend("toy")
    backend.require_engine()
    assert backend.engine_status() is None
