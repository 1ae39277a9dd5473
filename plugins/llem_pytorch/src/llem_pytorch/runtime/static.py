"""Static batches: one ``generate()`` call after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import transformers

from llem.api import PlanExecutor, Request
from llem_pytorch.runtime.batches import Batch, make_batches
from llem_pytorch.runtime.facts import eos_ids
from llem_pytorch.runtime.generation_defaults import pad_id
from llem_pytorch.runtime.outputs import Generated, results
from llem_pytorch.runtime.stream import TokenClock
from llem_pytorch.runtime.work import Work


class StaticBatches:
    """The workload as static batches.

    Args:
        executor: Makes the plan's call of ``generate()``, and holds what it needs.
        stop: What ends a row at a stop text.
    """

    def __init__(
        self, executor: PlanExecutor, stop: transformers.StopStringCriteria | None
    ) -> None:
        call = executor.plan.call("generate")
        self._settings, self._stop = executor.plan.settings, stop
        self._model = executor.objects["model"]
        self._generate = executor.bind("generate")
        self._streams = "streamer" in call.runtime
        self._drafts = "assistant_model" in call.runtime or any(
            name in call.kwargs
            for name in ("prompt_lookup_num_tokens", "assistant_early_exit", "use_mtp")
        )
        self.batches: list[Batch] = []
        self.arguments: list[dict[str, Any]] = []

    def prepare(self, requests: Sequence[Request]) -> None:
        """Batch, pad, move to the device, and collect the run-time arguments of each call."""
        if self._settings.get("batch_order") == "length":
            requests = sorted(
                requests, key=lambda request: (len(request.prompt_ids), request.max_new_tokens)
            )
        self.batches = make_batches(
            requests,
            size=self._settings["batch_size"],
            pad_id=pad_id(self._model),
            device=self._model.device,
        )
        self.arguments = [self._arguments_for(batch) for batch in self.batches]

    def run(self) -> Callable[[], Work]:
        """Call ``generate()`` for each batch, and return what counts its output afterwards."""
        generate, streams = self._generate, self._streams
        generated = []
        for batch, arguments in zip(self.batches, self.arguments, strict=True):
            clock = TokenClock()
            submitted_s = time.monotonic()
            sequences = generate(**arguments, **({"streamer": clock} if streams else {}))
            returned_s = time.monotonic()
            timed = (clock.token_times_s, clock.steps) if streams else (None, None)
            generated.append(Generated(batch, sequences, submitted_s, returned_s, *timed))
        return partial(self._count, generated)

    def _count(self, generated: Sequence[Generated]) -> Work:
        """Return what each request got, in request order, and what was computed besides."""
        ends = set() if self._settings["ignore_eos"] else set(eos_ids(self._model))
        rows = [row for batch in generated for row in results(batch, ends, self._stop)]
        positions = sum(batch.positions * len(batch.sequences) for batch in generated)
        output_tokens = sum(len(row.output_ids) for row in rows)
        return Work(
            requests=sorted(rows, key=lambda row: row.index),
            padding_input_tokens=sum(batch.padding_input_tokens for batch in self.batches),
            padding_output_tokens=positions - output_tokens,
            counters=self._speculation(generated) if self._drafts else {},
        )

    def _speculation(self, generated: Sequence[Generated]) -> dict[str, float]:
        """Return how often drafts were checked, and how many of their tokens were accepted.

        Each check yields one token of the model's own besides those it accepts.
        """
        steps = sum(batch.steps or 0 for batch in generated)
        tokens = sum(batch.positions for batch in generated)
        return {"speculation_steps": steps, "speculation_accepted_tokens": tokens - steps}

    def _arguments_for(self, batch: Batch) -> dict[str, Any]:
        criteria = batch.stopping_criteria()
        if self._stop is not None:
            criteria.append(self._stop)
        return {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "max_new_tokens": batch.max_new_tokens,
            "pad_token_id": pad_id(self._model),
            "stopping_criteria": criteria,
        }
