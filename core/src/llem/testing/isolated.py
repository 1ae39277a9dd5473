"""Ask a plugin in an interpreter of its own what it loads, and what it does besides computing.

This module is what that interpreter runs, so it imports no more than a listing does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
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
    """One stage of asking.

    Attributes:
        imports: Top-level packages that were loaded and are none of this stage's business.
        effects: What was done besides computing, and by which line.
    """

    imports: list[str]
    effects: list[str]


@dataclass(frozen=True, slots=True)
class IsolatedRun:
    """What a fresh interpreter saw.

    Attributes:
        describing: While the module was imported and the plugin described (L2).
        validating: While a config was validated and its schema made (L2).
        planning: While the plan was built (L2).
        plan: The plan as JSON data, or ``None`` if there is none.
    """

    describing: Stage
    validating: Stage
    planning: Stage
    plan: dict[str, Any] | None


def run_isolated(record: PluginRecord, document: str) -> IsolatedRun:
    """Let a fresh interpreter look at a plugin.

    Args:
        record: The plugin.
        document: An experiment on its backend, as JSON.

    Raises:
        PluginBroken: The interpreter does not survive that.
    """
    place = (record.name, record.module, record.distribution, record.version)
    request = json.dumps({"place": place, "document": document})
    # Another order of sets than here, whatever it is here.
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


class _Look:
    """What the fresh interpreter does, stage by stage."""

    def __init__(self, record: PluginRecord) -> None:
        from llem.testing.side_effects import SideEffectGuard

        top = record.module.partition(".")[0]
        self._own = frozenset((top,))
        # A plugin of core's own is one package of several in it.
        self._guard = SideEffectGuard(record.module.rpartition(".")[0] if top == "llem" else top)
        self._name = record.name
        self._registry = Registry([record])
        self.experiment: Experiment | None = None
        self.plan: dict[str, Any] | None = None

    def stage(self, ask: Callable[[], object], *allowed: str) -> Stage:
        """Ask, and see what that does; a refusal is another check's business."""
        before = set(sys.modules)
        with self._guard.watching() as effects, suppress(LlemError):
            ask()
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
    look = _Look(PluginRecord(*request["place"]))
    describing = look.stage(look.describe, *_MODELS)
    import llem.api.plan_builder
    import llem.config.rule_checks  # noqa: F401 - what core loads by itself is not the plugin's doing

    validating = look.stage(lambda: look.validate(request["document"]), *_MODELS)
    planning = look.stage(look.build, *_MODELS)
    answer = IsolatedRun(describing, validating, planning, look.plan)
    sys.stdout.write(f"\n{json.dumps(asdict(answer))}\n")


if __name__ == "__main__":
    main()
