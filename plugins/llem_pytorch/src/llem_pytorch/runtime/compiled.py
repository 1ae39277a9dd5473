"""Compilation that may fail without failing the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException
from torch._dynamo.utils import counters

Result = TypeVar("Result")

FAILURES = (TorchDynamoException, FailOnRecompileLimitHit)
"""What the compiler raises: while it traces, in its backend, and after too many shapes."""


class Compiled:
    """Watches over a model whose forward pass is compiled in place.

    The compiler works when a shape first comes up, in a warm-up repetition. Whatever it raises
    there takes the compilation back, and the repetition is done again without it.

    Args:
        model: The model.
        compile_model: Compiles it.
    """

    def __init__(self, model: Any, compile_model: Callable[[], None]) -> None:
        self._model = model
        self.failure: str | None = None
        torch._dynamo.reset()
        counters.clear()
        # Otherwise a model that meets too many shapes would go on uncompiled, and say nothing.
        torch._dynamo.config.fail_on_recompile_limit_hit = True
        try:
            compile_model()
        except FAILURES as error:
            self._give_up(error)

    def run(self, function: Callable[[], Result]) -> Result:
        """Return what ``function`` returns, compiled or, if that fails, not."""
        if self.failure is not None:
            return function()
        try:
            return function()
        except FAILURES as error:
            self._give_up(error)
        return function()

    def _give_up(self, error: Exception) -> None:
        self.failure = f"{type(error).__name__}: {_first_line(error)}"
        # Torch has no call that takes `Module.compile()` back, only what that one sets.
        self._model._compiled_call_impl = None
        torch._dynamo.reset()

    @property
    def graphs(self) -> int:
        """Graphs compiled so far."""
        return int(counters["stats"]["unique_graphs"])

    def effective(self) -> dict[str, Any]:
        """Return whether compiled code ran, in how many graphs, and how often tracing broke off."""
        return {
            "settings.torch_compile": self.failure is None and self.graphs > 0,
            "compile.graphs": self.graphs,
            "compile.graph_breaks": sum(counters["graph_break"].values()),
        }

    def reasons(self) -> dict[str, str]:
        """Return why the outcome must not be used as one of a compiled model."""
        if self.failure is not None:
            return {
                "compile-failed": f"torch.compile failed, so the model ran eagerly: {self.failure}"
            }
        if self.graphs == 0:
            return {"compile-failed": "torch.compile found nothing to compile"}
        return {}


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")
