"""A broken plugin is an error for a user who asks for it, and a line on stderr for others."""

from __future__ import annotations

import pytest

from llem.errors import LlemError, PluginBroken
from llem.registry import Status

HOOKS = "from llem.api.hookspecs import hookimpl\n"
FAULTS = {
    "import": ("import no_such_module_anywhere", "ModuleNotFoundError: No module named"),
    "exit": ("import sys; sys.exit('not today')", "SystemExit: not today"),
    "syntax": ("def (:", "SyntaxError"),
    "unknown-hook": (
        f"{HOOKS}@hookimpl\ndef llem_capabilitys(): return None",
        "unknown hooks llem_capabilitys",
    ),
    "arguments": (
        f"{HOOKS}@hookimpl\ndef llem_capabilities(verbose): return None",
        "declared in the hookimpl but can not be found in the hookspec",
    ),
    "raises": (
        f"{HOOKS}@hookimpl\ndef llem_capabilities(): return {{}}['claims']",
        "hook llem_capabilities of plugin 'faulty' failed: KeyError: 'claims'",
    ),
    "exits-later": (
        f"{HOOKS}@hookimpl\ndef llem_capabilities(): raise SystemExit(3)",
        "hook llem_capabilities of plugin 'faulty' failed: SystemExit: 3",
    ),
    "type": (
        f"{HOOKS}@hookimpl\ndef llem_capabilities(): return dict(name='faulty')",
        "returned dict, not BackendInfo",
    ),
}


@pytest.fixture(params=FAULTS, ids=str)
def fault(request, environment, source):
    """Install a healthy plugin and a faulty one; return what the message must say."""
    text, message = FAULTS[request.param]
    environment.install("llem-healthy", {"healthy": source("healthy")})
    environment.install("llem-faulty", {"faulty": text})
    return message


def test_asking_for_it_is_an_error(fault, environment):
    registry = environment.registry()
    for _ in range(2):  # the first time it is loaded, the second time it is known
        with pytest.raises(PluginBroken) as caught:
            registry.backend("faulty")
        assert fault in caught.value.message
        assert caught.value.exit_code == 3


def test_a_bystander_is_one_line_and_a_row(fault, environment, capsys):
    registry = environment.registry()
    assert [backend.name for backend in registry.backends()] == ["healthy"]
    assert [record.status for record in registry.plugins] == [Status.BROKEN, Status.OK]
    assert fault in registry.plugins[0].message
    registry.backends()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("llem: ")
    assert fault in line


def test_asking_for_another_one_never_meets_it(fault, environment, capsys):
    assert fault
    assert environment.registry().backend("healthy").name == "healthy"
    assert capsys.readouterr().err == ""


def test_strict_raises_at_once(fault, environment):
    registry = environment.registry(LLEM_PLUGINS_STRICT="1")
    with pytest.raises(PluginBroken) as caught:
        registry.backends()
    assert fault in caught.value.message


def test_the_name_must_be_the_entry_points(environment, source):
    environment.install("llem-faulty", {"faulty": source("other")})
    with pytest.raises(PluginBroken, match="calls its backend 'other'"):
        environment.registry().backend("faulty")


def test_one_module_cannot_be_two_plugins(environment, source):
    environment.install("llem-faulty", {"a": source("a")})
    points = next(environment.folder.glob("*.dist-info")) / "entry_points.txt"
    points.write_text(points.read_text() + "b = llem_faulty_a\n")
    registry = environment.registry()
    assert registry.backend("a").name == "a"
    with pytest.raises(PluginBroken, match="does not fit this llem"):
        registry.backend("b")


def test_a_hook_that_refuses_on_purpose_is_not_broken(environment, source):
    refusing = """
@hookimpl
def llem_build_kwargs(experiment):
    from llem.errors import ConfigError
    raise ConfigError("not with this model")
"""
    environment.install("llem-picky", {"picky": source("picky", more=refusing)})
    registry = environment.registry()
    with pytest.raises(LlemError, match="not with this model") as caught:
        registry.backend("picky").build_plan(experiment=None)
    assert caught.value.exit_code == 2
    assert registry.plugins[0].status is Status.OK


def test_a_failing_hook_names_itself_and_its_cause(environment, source):
    failing = "\n@hookimpl\ndef llem_preflight(experiment, facts): return 1 / 0\n"
    environment.install("llem-faulty", {"faulty": source("faulty", more=failing)})
    with pytest.raises(PluginBroken, match=r"hook llem_preflight .*ZeroDivision") as caught:
        environment.registry().backend("faulty").review(experiment=None, facts=None)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_backend_without_a_plan_is_told_so(environment, source):
    environment.install("llem-half", {"half": source("half")})
    with pytest.raises(PluginBroken, match="'half' does not answer llem_build_kwargs"):
        environment.registry().backend("half").build_plan(experiment=None)


def test_a_question_to_all_leaves_out_who_cannot_answer(environment, source, capsys):
    environment.install("llem-healthy", {"healthy": source("healthy")})
    environment.install("llem-half", {"half": source("half").replace("return BackendConfig", "x")})
    registry = environment.registry()
    models = registry.ask_all(lambda backend: backend.config_model())
    assert [model.__name__ for model in models] == ["BackendConfig"]
    assert [record.status for record in registry.plugins] == [Status.BROKEN, Status.OK]
    assert "NameError" in capsys.readouterr().err
