"""A small, strict YAML: plain data, every part of it with its line, and no surprises.

What differs from PyYAML's YAML 1.1, and why:

- Numbers are decimal, and ``1e-3`` is one. ``0x10``, ``010`` read as octal, ``12:30`` read as
  750 and dates are YAML 1.1's inventions; all but ``010`` (ten) are text here.
- Keys are text as written, so ``on:`` is a key called "on".
- Tags and aliases are refused: an experiment names no objects, and aliases of aliases can stand
  for more than fits into memory.
- A key that stands twice, a second document and deep nesting are refused.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
"""Keys and list indices from the top to one value."""

MAX_DEPTH = 50
"""Deepest nesting; an experiment needs about six levels."""

_NULL, _BOOL, _INT, _FLOAT, _TEXT = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")
)
_PLAIN_FORMS = (
    (_NULL, r"~|null|Null|NULL|"),
    (_BOOL, r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"),
    # Longer digits are no number that is meant to be counted with, and costly to convert.
    (_INT, r"[-+]?[0-9][0-9_]{0,63}"),
    (
        _FLOAT,
        r"[-+]?(?:[0-9][0-9_]{0,63}(?:\.[0-9]{0,63})?|\.[0-9]{1,63})(?:[eE][-+]?[0-9]{1,5})?",
    ),
)


class YamlRefused(ValueError):
    """The text is not YAML, or YAML that an experiment may not contain.

    Args:
        problem: What is wrong, in one sentence.
        line: Line on which it is wrong, from 1; ``None`` if unknown.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class _Loader(yaml.SafeLoader):
    """Composes nodes and never constructs an object."""

    yaml_implicit_resolvers = {}

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, refusing what is not plain data before anything below it is read."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise YamlRefused(
                f"the alias *{event.anchor} is not allowed; write the value out", line
            )
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise YamlRefused(f"the tag {tag} is not allowed", line)
        if self._depth == MAX_DEPTH:
            raise YamlRefused(f"nested more than {MAX_DEPTH} levels deep", line)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode):
            node.value = _unicode(node.value, line)
        return node


for _tag, _form in _PLAIN_FORMS:
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_form})\Z"), None)


def parse(text: str) -> tuple[Any, dict[KeyPath, int]]:
    """Return the data in ``text``, and the line of each part of it in the order of the text.

    Data are mappings with text keys, lists, texts, finite numbers, booleans and ``None``; an
    empty text is ``None``.

    Raises:
        YamlRefused: It is not YAML, or not of the kind described above.
    """
    lines: dict[KeyPath, int] = {}
    root = _compose(text)
    return (None if root is None else _data(root, (), lines)), lines


def _compose(text: str) -> yaml.Node | None:
    loader: Any = None
    try:
        loader = _Loader(text)
        root: yaml.Node | None = loader.get_single_node()
        return root
    except yaml.MarkedYAMLError as error:
        problem = f"not valid YAML: {' '.join(filter(None, (error.context, error.problem)))}"
        mark = error.problem_mark
        raise YamlRefused(problem, mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlRefused(f"the character U+{error.character:04X} is not allowed", line) from None
    except (ValueError, OverflowError) as error:
        if isinstance(error, YamlRefused):
            raise
        # PyYAML does not check the number of an escaped character.
        raise YamlRefused(
            r"an escape such as \U00110000 names no character", loader.line + 1
        ) from None


def _data(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    """Return the data of ``node``, which stands at ``path``; add the line of each part of it.

    Raises:
        YamlRefused: A key stands twice or is no text, or a number is too large.
    """
    if isinstance(node, yaml.MappingNode):
        section: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlRefused("a key must be a word", line)
            here = (*path, key_node.value)
            if here in lines:
                where = ".".join(map(str, here))
                raise YamlRefused(f"the key {where} stands on line {lines[here]} already", line)
            lines[here] = line
            section[key_node.value] = _data(value_node, here, lines)
        return section
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            lines[*path, index] = _line(item)
            items.append(_data(item, (*path, index), lines))
        return items
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return yaml.SafeLoader.bool_values[text.lower()]
    if node.tag == _INT:
        return int(text.replace("_", ""))
    if node.tag == _FLOAT:
        number = float(text.replace("_", ""))
        if not math.isfinite(number):
            problem = f"{text} is larger than any number; put quotes around it if it is a text"
            raise YamlRefused(problem, _line(node))
        return number
    return text


def _unicode(text: str, line: int) -> str:
    """Join the two escapes as which JSON writes one character beyond the first plane."""
    if "\0" in text:
        raise YamlRefused("the character U+0000 is not allowed", line)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise YamlRefused("half of a character (a lone surrogate)", line) from None


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
