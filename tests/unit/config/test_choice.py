"""Which backend runs an experiment that names none."""

import pytest

from llem.config.defaults import choose_backend
from llem.errors import BackendUnavailable

from .fakes import FakeBackend

USABLE = FakeBackend("usable")
WITHOUT_ENGINE = FakeBackend("pretend", engine=None)
MISSING = FakeBackend("absent", engine="some-engine", version=None)
DESCRIBED = FakeBackend("described", measures=False)


def test_the_only_usable_one_is_chosen_silently():
    assert choose_backend([WITHOUT_ENGINE, MISSING, DESCRIBED, USABLE]) == (USABLE, ())


def test_the_first_by_name_is_chosen_aloud():
    first = FakeBackend("first")
    chosen, (warning,) = choose_backend([USABLE, first])
    assert chosen is first
    assert warning.severity == "warning"
    assert warning.message == "first was chosen among the usable backends first, usable"
    assert "--backend" in warning.hint


def test_without_a_usable_one_the_ways_out_are_named():
    with pytest.raises(BackendUnavailable, match="no backend with a usable engine") as caught:
        choose_backend([MISSING, WITHOUT_ENGINE, DESCRIBED])
    assert caught.value.exit_code == 3
    assert caught.value.hint == (
        "For absent: pip install some-engine (some-engine is not installed). "
        "To try llem without an engine: --backend pretend."
    )


def test_without_any_there_is_something_to_install():
    with pytest.raises(BackendUnavailable) as caught:
        choose_backend([])
    assert caught.value.hint == "Install a plugin that brings a backend."
