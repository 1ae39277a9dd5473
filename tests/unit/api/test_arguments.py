"""From a backend's section to the engine's arguments."""

from pathlib import Path
from typing import Annotated

from llem.api.arguments import section_arguments
from llem.schema.base import BackendConfig, EngineArg, FrozenModel, Param


class Cache(FrozenModel):
    size_bytes: Annotated[int | None, Param(maps_to=(EngineArg("load", "cache.size"),))] = None


class Section(BackendConfig):
    threads: Annotated[
        int | None, Param(maps_to=(EngineArg("load", "threads"), EngineArg("settings", "threads")))
    ] = None
    beams: Annotated[int | None, Param(maps_to=(EngineArg("generate", "num_beams"),))] = None
    files: Annotated[tuple[Path, ...] | None, Param(maps_to=(EngineArg("load", "files"),))] = None
    cache: Cache | None = None


def test_what_is_unset_emits_nothing():
    assert section_arguments(Section()) == {}
    assert section_arguments(Section())["load"] == {}


def test_a_field_sets_every_argument_it_maps_to():
    found = section_arguments(Section(threads=2, beams=4))
    assert found == {
        "load": {"threads": 2},
        "settings": {"threads": 2},
        "generate": {"num_beams": 4},
    }


def test_a_nested_field_reaches_into_an_object_of_the_call():
    assert section_arguments(Section(cache=Cache(size_bytes=7))) == {"load": {"cache": {"size": 7}}}


def test_values_are_data():
    found = section_arguments(Section(files=(Path("a"), Path("b"))))
    assert found == {"load": {"files": ["a", "b"]}}
