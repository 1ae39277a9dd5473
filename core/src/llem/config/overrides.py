"""``--set a.b=c``: a value that wins over file and flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from llem.config.redact import redact
from llem.config.source import Source
from llem.config.strict_yaml import MAX_DEPTH, YamlRefused, parse
from llem.errors import ConfigInvalid, Finding
from llem.schema.fields import flat

_FORM = "Write --set path.to.key=value, such as --set workload.requests=8."
_QUOTE = "Put quotes around a text with special characters, as in --set 'key=\"a: b\"'."


def apply_override(source: Source, override: str) -> None:
    """Set ``a.b`` in ``source`` to ``c``.

    The value is read as YAML: a scalar, ``[a, b]`` or ``{key: value}``; an empty value is
    ``null``. It replaces the old value, a whole section included.

    Raises:
        ConfigInvalid: ``override`` has another form, or its path leads into a plain value.
    """
    path_text, equals, value_text = override.partition("=")
    keys = tuple(key.strip() for key in path_text.split("."))
    if not equals:
        _refuse("it has no =", f"--set {redact(override)}", _FORM)
    # From here on only the key is shown, because the value may be a secret.
    path = path_text.strip()
    if not all(keys):
        _refuse("a part of the key is empty", f"--set {path}=…", _FORM)
    if len(keys) > MAX_DEPTH:
        _refuse("the key has too many parts", "--set", _FORM)
    try:
        value, _ = parse(value_text)
    except YamlRefused as error:
        _refuse(error.problem, f"--set {path}", _QUOTE)
    if isinstance(value, dict | list) and not value_text.lstrip().startswith(("{", "[")):
        _refuse("the value reads as a mapping or list without brackets", f"--set {path}", _QUOTE)
    source.assign(keys, value, "--set")


def values_of(overrides: Sequence[str]) -> dict[str, Any]:
    """Return the values of ``a.b=c`` texts by dotted path; nested sections are flattened.

    Raises:
        ConfigInvalid: An override has another form.
    """
    source = Source()
    for override in overrides:
        apply_override(source, override)
    return dict(flat(source.data))


def _refuse(problem: str, origin: str, hint: str) -> NoReturn:
    raise ConfigInvalid([Finding("override-refused", problem, origin=origin, hint=hint)])
