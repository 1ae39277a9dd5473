"""Finding plugins by metadata alone."""

from __future__ import annotations

import shutil
import sys

import pytest

from llem.registry import Status
from llem.registry.scan import scan


def _found(environment, **environ):
    records = scan(environ)
    return [record for record in records if record.distribution in environment.names]


def test_a_plugin_is_found_and_not_imported(environment):
    environment.install("llem-sleeper", {"sleeper": "import os; os._exit(97)"}, version="2.3")
    [record] = _found(environment)
    assert (record.name, record.distribution, record.version) == ("sleeper", "llem-sleeper", "2.3")
    assert record.module == "llem_sleeper_sleeper"
    assert record.status is Status.OK
    assert record.module not in sys.modules


def test_one_distribution_may_bring_several(environment):
    environment.install("llem-many", {"b": "", "a": ""})
    assert [record.name for record in _found(environment)] == ["a", "b"]


def test_other_groups_are_not_plugins(environment):
    environment.install("llem-tool", {"tool": ""}, group="console_scripts")
    assert _found(environment) == []


@pytest.mark.parametrize("major", ["0", "2", "17"])
def test_another_contract_is_incompatible(environment, major):
    environment.install("llem-other", {"other": ""}, group=f"llem.plugins.v{major}")
    [record] = _found(environment)
    assert record.status is Status.INCOMPATIBLE
    assert record.message == f"built for plugin API v{major}, this llem speaks v1"


def test_two_distributions_with_one_name_are_both_duplicates(environment):
    environment.install("llem-one", {"twin": ""})
    environment.install("llem-two", {"twin": "", "alone": ""})
    states = {(record.distribution, record.name): record for record in _found(environment)}
    assert states["llem-one", "twin"].status is Status.DUPLICATE
    assert states["llem-two", "twin"].status is Status.DUPLICATE
    assert "llem-one and llem-two" in states["llem-one", "twin"].message
    assert states["llem-two", "alone"].status is Status.OK


def test_an_incompatible_namesake_is_no_duplicate(environment):
    environment.install("llem-new", {"twin": ""})
    environment.install("llem-old", {"twin": ""}, group="llem.plugins.v0")
    states = [record.status for record in _found(environment)]
    assert states == [Status.OK, Status.INCOMPATIBLE]


def test_a_distribution_that_is_on_the_path_twice_is_one(environment, tmp_path, monkeypatch):
    environment.install("llem-one", {"one": ""})
    shutil.copytree(environment.folder, tmp_path / "again")
    monkeypatch.syspath_prepend(tmp_path / "again")
    [record] = _found(environment)
    assert record.status is Status.OK


def test_disabled_plugins_stay_in_the_list(environment):
    environment.install("llem-many", {"a": "", "b": "", "c": ""})
    found = _found(environment, LLEM_PLUGINS_DISABLE="a, c,unheard-of")
    assert [record.status for record in found] == [Status.DISABLED, Status.OK, Status.DISABLED]
