"""The session: a plan carried out with transformers."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
import transformers

from llem.api import (
    CallPlan,
    Observation,
    OpenReport,
    PlanExecutor,
    Request,
    RunResult,
    Session,
    TokenizerExport,
)
from llem_pytorch.runtime import numerics, observe
from llem_pytorch.runtime.chatter import quieten
from llem_pytorch.runtime.compiled import Compiled
from llem_pytorch.runtime.continuous import ContinuousBatches
from llem_pytorch.runtime.drafting import DraftState
from llem_pytorch.runtime.facts import device_name, devices, model_facts
from llem_pytorch.runtime.static import StaticBatches

LATER = ("tokenizer", "generate")
"""Calls that are made when they are needed; the others load."""


class PyTorchSession(Session):
    """Executes a plan with transformers."""

    def __init__(self) -> None:
        self._executor = PlanExecutor(CallPlan(()))
        self._cuda: list[torch.device] = []
        self._loaded_bytes = 0
        self._compiled: Compiled | None = None
        self._batching: StaticBatches | ContinuousBatches | None = None
        self._drafts = DraftState(self._executor.objects)

    def open(self, plan: CallPlan) -> OpenReport:
        """Load the model onto its device."""
        self._plan, self._executor = plan, PlanExecutor(plan)
        transformers.utils.logging.disable_progress_bar()
        quieten()
        numerics.apply(plan.settings)
        self._seed()
        with self._placement():
            for call in plan.calls:
                if call.name == "compile":
                    self._compiled = Compiled(
                        self._model, partial(self._executor.execute, call.name)
                    )
                elif call.name not in LATER:
                    self._executor.execute(call.name)
        model = self._model.eval()
        observe.check_attention(model, plan)
        self._drafts = DraftState(self._executor.objects)
        used = devices(model)
        self._cuda = [device for device in used if device.type == "cuda"]
        self._loaded_bytes = self._held_bytes()
        return OpenReport(
            engine="transformers",
            engine_version=transformers.__version__,
            model=model_facts(model),
            devices=[device_name(device) for device in used],
        )

    def reopen(self, plan: CallPlan) -> None:
        """Keep the model, and drop everything that earlier runs made of it.

        Raises:
            RuntimeError: Graphs were compiled, or device memory is still held by something.
        """
        if self._compiled is not None:
            raise RuntimeError("graphs that were compiled for one plan may not serve another")
        self._plan = self._executor.plan = plan
        self._batching = None
        self._executor.forget("tokenizer")
        self._drafts.reset()
        # A static cache is made at least as long as the longest one before.
        vars(self._model).pop("_previous_max_cache_length", None)
        held = self._held_bytes()
        if held > self._loaded_bytes:
            raise RuntimeError(f"{held - self._loaded_bytes} bytes of device memory are still held")

    def tokenizer(self) -> TokenizerExport | None:
        """Return the model's tokenizer as data, where the plan makes it."""
        if "tokenizer" not in [call.name for call in self._plan.calls]:
            return None
        return TokenizerExport.from_transformers(self._tokenizer())

    def prepare(self, requests: Sequence[Request]) -> None:
        """Make everything ready that is not inference."""
        self._batching = self._make_batching()
        self._batching.prepare(requests)
        for device in self._cuda:
            # The peak to report is that of the runs, not of whatever loading took.
            torch.cuda.reset_peak_memory_stats(device)

    def run(self) -> RunResult:
        """Run the workload once; what follows the last call is bookkeeping."""
        assert self._batching is not None
        self._seed()
        self._drafts.reset()
        self._synchronize()
        started_s = time.monotonic()
        run = self._batching.run
        count = run() if self._compiled is None else self._compiled.run(run)
        self._synchronize()
        finished_s = time.monotonic()
        return RunResult(started_s=started_s, finished_s=finished_s, **count().to_result())

    def observe(self) -> Observation:
        """Read the effective settings and peak memory back."""
        assert self._batching is not None
        self._drafts.reset()
        effective = observe.effective(self._executor, self._batching, self._compiled)
        return Observation(
            effective=effective,
            memory=observe.memory(self._cuda),
            reasons=observe.reasons(self._executor, self._compiled),
            kv_bytes_per_value=effective.get("generate.cache_bytes_per_value", "model"),
        )

    def close(self) -> None:
        """Drop the model and return its memory."""
        self._executor.clear()
        self._batching = self._compiled = None
        gc.collect()
        if self._cuda:
            torch.cuda.empty_cache()

    @property
    def _model(self) -> Any:
        return self._executor.objects["model"]

    def _make_batching(self) -> StaticBatches | ContinuousBatches:
        call, settings = self._plan.call("generate"), self._plan.settings
        if settings.get("batching") == "continuous":
            return ContinuousBatches(self._executor)
        stop = None
        if texts := settings.get("stop"):
            stop = transformers.StopStringCriteria(self._tokenizer(), texts)
        if "tokenizer" in call.runtime:
            self._tokenizer()
        return StaticBatches(self._executor, stop)

    def _tokenizer(self) -> Any:
        """Return the tokenizer, made when it is first needed."""
        made = self._executor.objects.get("tokenizer")
        return self._executor.execute("tokenizer") if made is None else made

    def _placement(self) -> AbstractContextManager[Any]:
        """Return a context in which loaded and initialized weights land on the chosen device."""
        if "device_map" in self._plan.call("load").kwargs:
            return nullcontext()
        wanted = self._plan.settings.get("device")
        device = wanted or ("cuda" if torch.cuda.is_available() else "cpu")
        return nullcontext() if device == "cpu" else torch.device(device)

    def _held_bytes(self) -> int:
        """Return the device memory in use, what can be given back given back."""
        if not self._cuda:
            return 0
        gc.collect()
        for device in self._cuda:
            torch.cuda.empty_cache()
            torch.cuda.synchronize(device)
        return sum(torch.cuda.memory_allocated(device) for device in self._cuda)

    def _seed(self) -> None:
        torch.manual_seed(self._plan.settings["seed"])

    def _synchronize(self) -> None:
        for device in self._cuda:
            torch.cuda.synchronize(device)
