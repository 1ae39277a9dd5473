"""Run a plugin's light code in a fresh interpreter, and record its imports and side effects.

That interpreter runs this module, so the module imports no more than a listing does. Its watch on
files, network, processes, devices and the environment is interpreter-wide and permanent, as audit
hooks are. C code that opens a device by itself goes unnoticed, but only an import brings such code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.machinery import all_suffixes
from types import FrameType
from typing import TYPE_CHECKING, Any

from llem.errors import LlemError, PluginBroken
from llem.registry import PluginRecord, Registry
from llem.registry.plugin_calls import plugin_errors

if TYPE_CHECKING:
    from llem.schema.experiment import Experiment

_CONTRACT = frozenset(("llem", "pluggy"))
_MODELS = frozenset(
    ("annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection")
)
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage of the run loads and does.

    Attributes:
        imports: Top-level packages that it loads and has no need of.
        effects: Its side effects, each with the line of the plugin that causes it.
    """

    imports: list[str]
    effects: list[str]


@dataclass(frozen=True, slots=True)
class IsolatedRun:
    """What the fresh interpreter recorded.

    Attributes:
        describing: Importing the module and describing the plugin (L2).
        validating: Validating a config and making its schema (L2).
        planning: Building the plan (L2).
        plan: The plan as JSON data, or ``None`` without a plan.
    """

    describing: Stage
    validating: Stage
    planning: Stage
    plan: dict[str, Any] | None


def run_isolated(record: PluginRecord, document: str) -> IsolatedRun:
    """Describe, validate and plan in a fresh interpreter.

    Args:
        record: The plugin.
        document: An experiment on its backend, as JSON.

    Raises:
        PluginBroken: The interpreter fails.
    """
    place = (record.name, record.module, record.distribution, record.version)
    request = json.dumps({"place": place, "document": document})
    # Another hash seed than here shows results that depend on the order of a set.
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__],
        input=request,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    if done.returncode != 0:
        raise PluginBroken(f"an interpreter that only describes it fails: {done.stderr[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return IsolatedRun(
        describing=Stage(**answer["describing"]),
        validating=Stage(**answer["validating"]),
        planning=Stage(**answer["planning"]),
        plan=answer["plan"],
    )


_FILES = ("open", "os.", "shutil.", "tempfile.", "glob.")
_PROCESSES = (
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.",
)
_NETWORK = ("socket.", "urllib.", "http.client.", "ssl.")
_ENVIRONMENT = ("os.putenv", "os.unsetenv")
_CODE = tuple(all_suffixes())
_IMPORT_SYSTEM = ("importlib._bootstrap", "_frozen_importlib")
_MODEL_LIBRARY = ("pydantic", "pydantic_core")


class SideEffectGuard:
    """Records the side effects of a package's code.

    Args:
        package: Its dotted name. Code that it calls counts; importing code does not, and neither
            does reading the metadata of distributions.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._found: list[str] | None = None
        sys.addaudithook(self._on_event)
        _watch_environment(self._note)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """Record the side effects of the block."""
        found: list[str] = []
        self._found = found
        try:
            yield found
        finally:
            self._found = None

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._found is None:
            return
        first = arguments[0] if arguments else None
        if event in _ENVIRONMENT:
            self._note(f"the environment: {event} {first}")
        elif event.startswith(_PROCESSES):
            self._note(f"a process: {event} {first}")
        elif event.startswith(_FILES):
            if not str(first).endswith(_CODE) and not isinstance(first, int):
                self._note(f"a file: {event} {first}")
        elif event.startswith(_NETWORK):
            self._note(f"the network: {event}")
        elif event == "ctypes.dlopen" and first is not None:
            self._note(f"a device or library: {event} {first}")

    def _note(self, effect: str) -> None:
        if self._found is None:
            return
        found, self._found = self._found, None  # looking at frames must not record itself
        if (where := _author(sys._getframe(2), self._package)) and effect not in found:
            found.append(f"{effect}, by {where}")
        self._found = found


def _author(frame: FrameType | None, package: str) -> str:
    """Return the line of ``package`` that caused the event in ``frame``, or an empty string."""
    innermost = True
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        top = name.partition(".")[0]
        if name.startswith("importlib.metadata"):
            return ""
        if innermost and (top in _MODEL_LIBRARY or name.startswith(_IMPORT_SYSTEM)):
            return ""
        if f"{name}.".startswith(f"{package}."):
            return f"{name}:{frame.f_lineno}"
        innermost = innermost and top in sys.stdlib_module_names
        frame = frame.f_back
    return ""


def _watch_environment(note: Any) -> None:
    """Report every access to ``os.environ``, by any name of that object."""

    class Watched(type(os.environ)):  # type: ignore[misc]
        def __getitem__(self, key: str) -> str:
            note(f"the environment: {key}")
            return str(super().__getitem__(key))

        def __iter__(self) -> Iterator[str]:
            note("the environment: all of it")
            return iter(super().__iter__())

    os.environ.__class__ = Watched


class _Run:
    """The run inside the fresh interpreter, stage by stage."""

    def __init__(self, record: PluginRecord) -> None:
        top = record.module.partition(".")[0]
        self._own = frozenset((top,))
        # Core has plugins of its own; each is a package inside llem.
        self._guard = SideEffectGuard(record.module.rpartition(".")[0] if top == "llem" else top)
        self._name = record.name
        self._registry = Registry([record])
        self.experiment: Experiment | None = None
        self.plan: dict[str, Any] | None = None

    def stage(self, step: Callable[[], object], *allowed: str) -> Stage:
        """Run a stage and record it; another check reports a refusal."""
        before = set(sys.modules)
        with self._guard.watching() as effects, suppress(LlemError):
            step()
        loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
        foreign = loaded - _CONTRACT - self._own - set(allowed) - sys.stdlib_module_names
        return Stage(sorted(name for name in foreign if not name.startswith("_")), effects)

    def describe(self) -> None:
        self._registry.meter_specs()
        self._registry.backend(self._name)

    def validate(self, document: str) -> None:
        from llem.config import experiment_model

        model = experiment_model(self._registry.backend(self._name))
        with suppress(LlemError), plugin_errors("its schema"):
            model.model_json_schema()
        with plugin_errors("validating"):
            self.experiment = model.model_validate_json(document, strict=True)

    def build(self) -> None:
        if self.experiment is not None:
            backend = self._registry.backend(self._name)
            self.plan = backend.build_plan(self.experiment).to_json()


def main() -> None:
    """Answer one request on stdin with one line of JSON on stdout."""
    request = json.load(sys.stdin)
    run = _Run(PluginRecord(*request["place"]))
    describing = run.stage(run.describe, *_MODELS)
    import llem.api.plan_builder
    import llem.config.rule_checks  # noqa: F401 - the plugin does not answer for core's own imports

    validating = run.stage(lambda: run.validate(request["document"]), *_MODELS)
    planning = run.stage(run.build, *_MODELS)
    answer = IsolatedRun(describing, validating, planning, run.plan)
    sys.stdout.write(f"\n{json.dumps(asdict(answer))}\n")


if __name__ == "__main__":
    main()
