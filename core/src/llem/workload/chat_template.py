"""Render chat templates as Hugging Face transformers does, within limits of size and time.

A template is code of the model's maker: it runs in a sandbox, and a failure is a message that names
its file and line.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from llem.errors import WorkloadError
from llem.workload.prompt import MAX_CHARACTERS

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_SECONDS = 10.0
"""Time in which a template renders a prompt."""

CLOCK = "strftime_now"
_FILE = "<chat template>"
_TICK, _JOIN = "llem_tick", "llem_join"
_REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
_HINT = "Mend the template, or name another model.tokenizer."


def present_time() -> datetime:
    """Return the local time, to the second, as templates see it."""
    return datetime.now().replace(microsecond=0)


class ChatTemplate:
    """A compiled chat template.

    Args:
        source: Its Jinja source.
        origin: The file it comes from, for messages.

    Raises:
        WorkloadError: The source is no valid template.
    """

    def __init__(self, source: str, origin: str) -> None:
        from jinja2 import Template, TemplateSyntaxError
        from jinja2.meta import find_undeclared_variables

        self.origin = origin
        self._deadline_s = float("inf")
        self._environment = _environment(self._check_time)
        try:
            tree = self._environment.parse(source)
            self.variables = frozenset(find_undeclared_variables(tree))
            """Names that the template reads and does not set."""
            code = self._environment.compile(_bounded(tree), filename=_FILE)
        except TemplateSyntaxError as error:
            message = (
                f"{origin}, line {error.lineno}: the chat template is not valid: {error.message}"
            )
            raise WorkloadError(message, hint=_HINT) from error
        # Too deep, too large, or what Python itself refuses to compile.
        except Exception as error:
            reason = getattr(error, "msg", error)
            message = f"{origin}: the chat template cannot be compiled: {reason}"
            raise WorkloadError(message, hint=_HINT) from error
        made = self._environment.make_globals(None)
        self._template = Template.from_code(self._environment, code, made)

    @property
    def reads_clock(self) -> bool:
        """Whether the template may write the date or the time."""
        return CLOCK in self.variables

    def render(
        self, messages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any], now: datetime
    ) -> str:
        """Return the chat of ``messages``, up to where the answer begins.

        Args:
            messages: Each with its ``role`` and ``content``, as transformers takes them.
            variables: Special tokens and arguments, by name; they may replace ``tools``,
                ``documents`` and ``add_generation_prompt``.
            now: The time that the template sees.

        Raises:
            WorkloadError: The template refuses the messages, fails, or comes to no end.
        """
        context = {
            "tools": None,
            "documents": None,
            "add_generation_prompt": True,
            CLOCK: now.strftime,
            **variables,
            "messages": [_message(message) for message in messages],
        }
        self._deadline_s = time.monotonic() + MAX_SECONDS
        parts, size = [], 0
        try:
            for part in self._template.generate(context):
                size = _within_size(size + len(part))
                parts.append(part)
        # An expression in a template raises whatever Python raises.
        except Exception as error:
            raise WorkloadError(self._failure(error), hint=_HINT) from error
        return "".join(parts)

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline_s:
            raise _BeyondLimit(f"runs for more than {MAX_SECONDS:g} s")

    def _failure(self, error: Exception) -> str:
        """Return what went wrong in the template, with its file and line."""
        from jinja2 import TemplateError

        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == _FILE]
        where = f"{self.origin}, line {lines[-1]}" if lines else self.origin
        if isinstance(error, _BeyondLimit):
            return f"{where}: the chat template {error}"
        # Templates refuse by `raise_exception`; Jinja's own errors are subclasses.
        if type(error) is TemplateError:
            return f"{where}: the chat template refuses the messages: {error}"
        return f"{where}: the chat template raises {type(error).__name__}: {error}"


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without nulls, its reasoning under each name that templates read."""
    known = {key: value for key, value in message.items() if value is not None}
    reasoning = next((known[key] for key in _REASONING_KEYS if key in known), None)
    if reasoning is None:
        return known
    return {"thinking": reasoning, **known, "reasoning_content": reasoning}


class _BeyondLimit(Exception):
    """A template takes more time or space than a prompt may."""


def _within_size(characters: int) -> int:
    if characters > MAX_CHARACTERS:
        raise _BeyondLimit(f"writes more than {MAX_CHARACTERS:,} characters")
    return characters


def _bounded(tree: nodes.Template) -> nodes.Template:
    """Let each turn of a loop pass the clock, and each `~` the size check."""
    from jinja2 import nodes

    def call(name: str, arguments: list[nodes.Expr]) -> nodes.Call:
        return nodes.Call(nodes.Name(name, "load"), arguments, [], None, None)

    for loop in tree.find_all(nodes.For):
        loop.body.insert(0, nodes.ExprStmt(call(_TICK, []), lineno=loop.lineno))
    for joined in tree.find_all(nodes.Concat):
        joined.nodes = [call(_JOIN, joined.nodes)]
    assert tree.environment is not None
    tree.set_environment(tree.environment)
    return tree


def _environment(check_time: Callable[[], None]) -> ImmutableSandboxedEnvironment:
    """Return the environment in which a template runs, like that of transformers.

    Args:
        check_time: Called at each turn of a loop and each call; it raises when the time is over.
    """
    from jinja2.exceptions import SecurityError, TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.nodes import CallBlock
    from jinja2.parser import Parser
    from jinja2.runtime import Macro
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Generation(Extension):
        """``{% generation %}``, which marks the model's own words for training."""

        tags = {"generation"}

        def parse(self, parser: Parser) -> CallBlock:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return CallBlock(self.call_method("_words"), [], [], body, lineno=line)

        def _words(self, caller: Macro) -> str:
            return caller()

    class Dict:
        """``dict``, without the attributes of the class."""

        def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
            return dict(*args, **kwargs)

        def fromkeys(self, *args: Any) -> dict[Any, Any]:
            return dict.fromkeys(*args)

    class PublicNamespace(Namespace):
        """``namespace``, without names that begin with an underscore."""

        def __init__(*args: Any, **kwargs: Any) -> None:
            self, attributes = args[0], dict(*args[1:], **kwargs)
            for name in attributes:
                PublicNamespace._check(name)
            Namespace.__init__(self, attributes)

        def __setitem__(self, name: str, value: Any) -> None:
            PublicNamespace._check(name)
            Namespace.__setitem__(self, name, value)

        @staticmethod
        def _check(name: Any) -> None:
            if isinstance(name, str) and name.startswith("_"):
                raise SecurityError(f"a namespace holds no name like {name}")

    def refuse(message: str) -> NoReturn:
        raise TemplateError(message)

    class Bounded(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(_SIZES)

        def __init__(self) -> None:
            super().__init__(
                trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
            )
            self.filters["tojson"] = _to_json
            self.globals |= {
                "raise_exception": refuse,
                "dict": Dict(),
                "namespace": PublicNamespace,
                _TICK: lambda: None,
                _JOIN: _join,
            }

        def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
            check_time()
            return super().call(context, function, *args, **kwargs)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _SIZES[operator](left, right)
            return super().call_binop(context, operator, left, right)

    return Bounded()


def _check_sum(left: Any, right: Any) -> None:
    if isinstance(left, str) and isinstance(right, str):
        _within_size(len(left) + len(right))


def _check_product(left: Any, right: Any) -> None:
    for repeated, times in ((left, right), (right, left)):
        if isinstance(repeated, str | list | tuple) and isinstance(times, int):
            _within_size(len(repeated) * times)


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _within_size(left.bit_length() * right)


_SIZES: dict[str, Callable[[Any, Any], None]] = {
    "+": _check_sum,
    "*": _check_product,
    "**": _check_power,
}
"""What checks the size of a binary operation's result, by operator."""


def _join(*parts: Any) -> str:
    texts = [str(part) for part in parts]
    _within_size(sum(map(len, texts)))
    return "".join(texts)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Return JSON without HTML escapes, unlike Jinja's own filter."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
