"""Remove secrets from stored documents and messages."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

REDACTED = "<redacted>"

# Names of variables and arguments that hold a secret. ``eos_token`` and the like are words of a
# vocabulary, and ``…_tokens`` is a count.
_SECRET_NAME = re.compile(
    r"(?i)(^|[_-])(token|secret|password|passwd|credentials?|authorization|api[_-]?key|access[_-]?key)$"
)
_VOCABULARY = re.compile(
    r"(?i)^(bos|eos|pad|unk|sep|cls|mask|image|stop|start|decoder_start)_token$"
)
# Forms of the keys of well-known services.
_SECRET_VALUE = re.compile(
    r"\b(hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,})"
)
_MIN_SECRET_LENGTH = 8


def redact(value: Any, environ: Mapping[str, str] = os.environ) -> Any:
    """Return ``value`` (JSON data) with every secret replaced by ``<redacted>``.

    A secret is a string under a key that names a secret, the value of an environment variable
    with such a name, or a text in the form of a known service's keys.
    """
    secrets = {
        text
        for name, text in environ.items()
        if _names_secret(name) and len(text) >= _MIN_SECRET_LENGTH
    }
    return _walk(value, secrets)


def _walk(value: Any, secrets: set[str]) -> Any:
    match value:
        case dict():
            return {
                key: REDACTED
                if isinstance(item, str) and item and _names_secret(str(key))
                else _walk(item, secrets)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_walk(item, secrets) for item in value]
        case str():
            for secret in secrets:
                value = value.replace(secret, REDACTED)
            return _SECRET_VALUE.sub(REDACTED, value)
        case _:
            return value


def _names_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _VOCABULARY.match(name)
