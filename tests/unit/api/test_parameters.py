"""Reading an engine's parameters off its signature."""

import pytest

from llem.api.parameter_audit import FoundParameter, parameters_of


def test_names_defaults_and_types_are_read():
    found = parameters_of("textwrap.shorten")
    assert [parameter.name for parameter in found] == ["text", "width"]
    assert parameters_of("json.JSONEncoder")[0] == FoundParameter("skipkeys", "False")
    assert FoundParameter("code", "''", "str") in parameters_of(f"{__name__}.engine_call")


def engine_call(self, *sizes: int, code: str = "", **more: object) -> None:
    """Every kind of parameter."""


def test_what_no_signature_names_is_left_out():
    assert [parameter.name for parameter in parameters_of(f"{__name__}.engine_call")] == ["code"]


def test_what_is_not_there_is_an_error():
    with pytest.raises(ImportError):
        parameters_of("no_such_engine.LLM")
    with pytest.raises(AttributeError):
        parameters_of("json.no_such_function")
