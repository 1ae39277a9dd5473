"""A value as its user would write it, for messages."""

from __future__ import annotations

import json
from typing import Any

from llem.config.redact import redact
from llem.config.strict_yaml import KeyPath

_MAX_LENGTH = 60
_FREE_DATA = (("runner", "env"), ("passthrough_kwargs",))


def shown(value: Any, path: KeyPath) -> str:
    """Return the value at ``path`` as JSON, shortened, with secrets and contents left out."""
    if isinstance(value, dict):
        return "a section of keys"
    if isinstance(value, list | tuple):
        return "a list"
    name = str(path[-1])
    text = json.dumps(redact({name: value})[name], ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"


def is_free_data(path: KeyPath) -> bool:
    """Whether ``path`` lies where anything may stand, credentials included."""
    return any(path[: len(free)] == free for free in _FREE_DATA)
