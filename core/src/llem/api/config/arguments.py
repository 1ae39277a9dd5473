"""From the fields of a backend's section to the engine's arguments, along the fields' markers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pydantic import TypeAdapter

from llem.api.config.base import BackendConfig
from llem.api.config.fields import value_at, walk

_JSON = TypeAdapter[Any](Any)


def section_arguments(section: BackendConfig) -> defaultdict[str, dict[str, Any]]:
    """Return the arguments that the fields of ``section`` set, by call; none for other calls.

    A field that is ``None`` sets nothing. A dotted name (``Engine("load", "cache.size")``) becomes
    a mapping inside the argument. A section nested in ``section`` is its fields' values.

    Args:
        section: The backend's own section of an experiment.
    """
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for field in walk(type(section)):
        value = value_at(section, field.path)
        if value is None:
            continue
        for engine in field.param.maps_to:
            *inside, name = engine.name.split(".")
            place = found[engine.call]
            for part in inside:
                place = place.setdefault(part, {})
            place[name] = _JSON.dump_python(value, mode="json")
    return found
