"""The session: static batches through ``generate()``."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import Any

import torch
import transformers

from llem.api.plan import Call, CallPlan, import_dotted, resolve, resolve_kwargs
from llem.api.session import (
    Observation,
    OpenReport,
    Request,
    RunResult,
    Session,
    TokenizerExport,
)
from llem_pytorch.runtime import observe
from llem_pytorch.runtime.batches import Batch, make_batches
from llem_pytorch.runtime.facts import device_name, devices, eos_ids, model_facts, pad_id
from llem_pytorch.runtime.outputs import Generated, results
from llem_pytorch.runtime.stream import TokenClock
from llem_pytorch.runtime.tokenizer import export


class PyTorchSession(Session):
    """Executes a plan with transformers."""

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._cuda: list[torch.device] = []
        self._batches: list[Batch] = []
        self._arguments: list[dict[str, Any]] = []
        self._stop: transformers.StopStringCriteria | None = None

    def open(self, plan: CallPlan) -> OpenReport:
        """Load the model onto its device."""
        self._plan = plan
        self._generate = plan.call("generate")
        transformers.utils.logging.disable_progress_bar()
        logging.getLogger("transformers.generation.utils").addFilter(_says_something_new)
        if threads := plan.settings.get("num_threads"):
            torch.set_num_threads(threads)
        self._seed()
        with self._placement():
            for call in plan.calls[: plan.calls.index(plan.call("load")) + 1]:
                self._make(call)
        model = self._model.eval()
        used = devices(model)
        self._cuda = [device for device in used if device.type == "cuda"]
        return OpenReport(
            engine="transformers",
            engine_version=transformers.__version__,
            model=model_facts(model),
            devices=[device_name(device) for device in used],
        )

    def tokenizer(self) -> TokenizerExport | None:
        """Return the model's tokenizer as data."""
        return export(self._make(self._plan.call("tokenizer")))

    def prepare(self, requests: Sequence[Request]) -> None:
        """Batch, pad, move to the device, and collect the arguments of each call."""
        settings = self._plan.settings
        if stop := settings.get("stop"):
            tokenizer = self._make(self._plan.call("tokenizer"))
            self._stop = transformers.StopStringCriteria(tokenizer, stop)
        self._batches = make_batches(
            requests,
            size=settings["batch_size"],
            pad_id=pad_id(self._model),
            device=self._model.device,
        )
        self._arguments = [self._arguments_for(batch) for batch in self._batches]
        for device in self._cuda:
            # The peak to report is that of the runs, not of whatever loading took.
            torch.cuda.reset_peak_memory_stats(device)

    def run(self) -> RunResult:
        """Call ``generate()`` for each batch; what follows the last one is bookkeeping."""
        generate = self._find(self._generate.target)
        streams = "streamer" in self._generate.runtime
        generated = []
        self._seed()
        self._synchronise()
        started_s = time.monotonic()
        for batch, arguments in zip(self._batches, self._arguments, strict=True):
            clock = TokenClock()
            submitted_s = time.monotonic()
            sequences = generate(**arguments, **({"streamer": clock} if streams else {}))
            returned_s = time.monotonic()
            times = clock.step_times_s if streams else None
            generated.append(Generated(batch, sequences, submitted_s, returned_s, times))
        self._synchronise()
        finished_s = time.monotonic()
        return self._result(generated, started_s, finished_s)

    def observe(self) -> Observation:
        """Read the effective settings and peak memory back."""
        return Observation(
            effective=observe.effective(self._model, self._generate, self._batches),
            memory=observe.memory(self._cuda),
        )

    def close(self) -> None:
        """Drop the model and return its memory."""
        self._objects.clear()
        self._batches, self._arguments, self._stop = [], [], None
        gc.collect()
        if self._cuda:
            torch.cuda.empty_cache()

    @property
    def _model(self) -> Any:
        return self._objects["model"]

    def _make(self, call: Call) -> Any:
        """Make ``call`` unless it was made before, and return its result."""
        if call.assign not in self._objects:
            arguments = {
                **resolve_kwargs(call),
                **{name: self._objects[name] for name in call.runtime},
            }
            function = self._find(call.target)
            self._objects[call.assign] = function(*map(resolve, call.args), **arguments)
        return self._objects[call.assign]

    def _find(self, target: str) -> Callable[..., Any]:
        """Return what ``target`` names: part of an earlier call's result, or a library function."""
        name, _, attribute = target.partition(".")
        if name in self._objects:
            found: Callable[..., Any] = attrgetter(attribute)(self._objects[name])
            return found
        return import_dotted(target)  # type: ignore[no-any-return]

    def _placement(self) -> AbstractContextManager[Any]:
        """Return a context in which loaded and initialised weights land on the chosen device."""
        if "device_map" in self._plan.call("load").kwargs:
            return nullcontext()
        wanted = self._plan.settings.get("device")
        device = wanted or ("cuda" if torch.cuda.is_available() else "cpu")
        return nullcontext() if device == "cpu" else torch.device(device)

    def _arguments_for(self, batch: Batch) -> dict[str, Any]:
        criteria = batch.stopping_criteria()
        if self._stop is not None:
            criteria.append(self._stop)
        return {
            **resolve_kwargs(self._generate),
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "max_new_tokens": batch.max_new_tokens,
            "pad_token_id": pad_id(self._model),
            "stopping_criteria": criteria,
        }

    def _result(
        self, generated: Sequence[Generated], started_s: float, finished_s: float
    ) -> RunResult:
        ends = set() if self._plan.settings["ignore_eos"] else set(eos_ids(self._model))
        requests = [row for one in generated for row in results(one, ends, self._stop)]
        positions = sum(one.steps * len(one.batch.requests) for one in generated)
        return RunResult(
            started_s=started_s,
            finished_s=finished_s,
            requests=requests,
            padding_input_tokens=sum(batch.padding_input_tokens for batch in self._batches),
            padding_output_tokens=positions - sum(len(one.output_ids) for one in requests),
        )

    def _seed(self) -> None:
        torch.manual_seed(self._plan.settings["seed"])

    def _synchronise(self) -> None:
        for device in self._cuda:
            torch.cuda.synchronize(device)


def _says_something_new(record: logging.LogRecord) -> bool:
    """Drop the warning that every call makes about the EOS id that ``ignore_eos`` stands for."""
    return not record.getMessage().startswith("`eos_token_id` should consist of positive integers")
