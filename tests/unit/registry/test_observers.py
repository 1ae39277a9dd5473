"""Every observer gets every event, even if another observer fails."""

import pytest

from llem.errors import PluginBroken

OBSERVER = """
from llem.api.hookspecs import hookimpl
heard = []

@hookimpl
def llem_study_started(study, folder, runs, left): heard.append(("started", study, runs, left))

@hookimpl
def llem_study_finished(study, states): heard.append(("finished", study, dict(states)))
"""
FAULTY = """
from llem.api.hookspecs import hookimpl

@hookimpl
def llem_study_started(study): raise OSError("the server is away")
"""


def heard(name):
    import sys

    return sys.modules[name].heard


def test_every_observer_is_told_and_takes_what_it_wants(environment, tmp_path):
    environment.install("llem-two", {"a": OBSERVER, "b": OBSERVER})
    observers = environment.registry().observers
    observers.study_started("s", tmp_path, runs=4, left=3)
    observers.study_finished("s", tmp_path, states={"done": 4}, left=0)
    wanted = [("started", "s", 4, 3), ("finished", "s", {"done": 4})]
    assert heard("llem_two_a") == heard("llem_two_b") == wanted


def test_a_faulty_observer_is_named_and_the_others_are_told(environment, tmp_path, capsys):
    environment.install("llem-two", {"a": FAULTY, "b": OBSERVER})
    environment.registry().observers.study_started("s", tmp_path, runs=1, left=1)
    assert heard("llem_two_b") == [("started", "s", 1, 1)]
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "llem: hook llem_study_started of plugin 'a' failed: OSError: the server is away"
    )


def test_what_else_a_faulty_observer_offers_stays_in_use(environment, source, tmp_path):
    environment.install("llem-one", {"a": source("a", more=FAULTY)})
    registry = environment.registry()
    registry.observers.study_started("s", tmp_path, runs=1, left=1)
    assert registry.backend("a").name == "a"


def test_an_observer_that_cannot_be_imported_is_broken_and_said_once(environment, tmp_path, capsys):
    environment.install("llem-two", {"a": "import nothing_of_this_name", "b": OBSERVER})
    registry = environment.registry()
    for left in (2, 1):
        registry.observers.study_started("s", tmp_path, runs=2, left=left)
    assert capsys.readouterr().err.count("cannot be imported") == 1
    assert len(heard("llem_two_b")) == 2
    assert [str(plugin.status) for plugin in registry.plugins] == ["broken", "ok"]


def test_strictness_raises_at_once(environment, tmp_path):
    environment.install("llem-one", {"a": FAULTY})
    registry = environment.registry(LLEM_PLUGINS_STRICT="1")
    with pytest.raises(PluginBroken, match="the server is away"):
        registry.observers.study_started("s", tmp_path, runs=1, left=1)


def test_what_went_wrong_is_returned_where_an_outcome_can_say_it(environment):
    faulty = FAULTY.replace("study_started(study)", "experiment_started(id, place)")
    environment.install("llem-one", {"a": faulty})
    faults = environment.registry().observers.experiment_started(None, "an-id", None)
    assert faults == (
        "hook llem_experiment_started of plugin 'a' failed: OSError: the server is away",
    )
