"""Continuous batching, by the manager that ``generate_batch()`` wraps.

``generate_batch()`` takes one output limit for all requests, and turns errors into log lines;
its manager takes a limit for each, and tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from math import ceil
from typing import Any

from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation.continuous_batching.utils import WorkloadHints

from llem.api import PlanExecutor, Request, RequestResult
from llem.api.session import FinishReason
from llem_pytorch.runtime.facts import eos_ids
from llem_pytorch.runtime.work import Work


def open_manager(
    *,
    model: Any,
    requests: Sequence[Request],
    continuous_batching_config: ContinuousBatchingConfig,
    **decoding: Any,
) -> AbstractContextManager[Any]:
    """Return the context of a manager sized for ``requests``; leaving it frees its cache.

    Args:
        model: The model.
        requests: The workload.
        continuous_batching_config: The scheduler's settings; the manager fills in the rest.
        **decoding: Generation settings, on top of the model's own.
    """
    _fit_to_cpu(model, requests, continuous_batching_config)
    hints = WorkloadHints(
        max_prompt_length=max(len(request.prompt_ids) for request in requests),
        max_generated_length=max(request.max_new_tokens for request in requests),
        num_requests=len(requests) * decoding.get("num_return_sequences", 1),
    )
    context: AbstractContextManager[Any] = model.continuous_batching_context_manager(
        generation_config=generation_config(model, **decoding),
        continuous_batching_config=continuous_batching_config,
        workload_hints=hints,
        # It captures CUDA graphs; on the CPU there are none, and it would only compute padding.
        warmup=model.device.type != "cpu",
    )
    return context


def _fit_to_cpu(model: Any, requests: Sequence[Request], config: ContinuousBatchingConfig) -> None:
    """Size a cache in host memory by the workload, unless the configuration sizes it.

    The library would take most of the free memory and touch all of it, at every repetition; on a
    GPU, where that is quick, it is left to do so.
    """
    if model.device.type != "cpu" or config.num_blocks or config.max_memory_percent:
        return
    lengths = [len(request.prompt_ids) + request.max_new_tokens for request in requests]
    pages = sum(ceil(length / config.page_size) for length in lengths)
    # One group of layers has a table of its own; the library asks for a few blocks at least.
    config.num_blocks = max(16, 2 * pages)


def generation_config(model: Any, **decoding: Any) -> GenerationConfig:
    """Return the model's generation defaults with ``decoding`` on top, as ``generate()`` does."""
    config: GenerationConfig = model._prepare_generation_config(None, **decoding)[0]
    return config


class ContinuousBatches:
    """The workload under the scheduler.

    Args:
        executor: Makes the plan's call of :func:`open_manager`, and holds the model.
    """

    def __init__(self, executor: PlanExecutor) -> None:
        self._executor, self._model = executor, executor.objects["model"]
        self._settings = executor.plan.settings
        self._requests: Sequence[Request] = ()
        self.effective: dict[str, Any] = {}

    def prepare(self, requests: Sequence[Request]) -> None:
        """Keep the requests: the scheduler batches them while it runs."""
        self._requests = requests

    def run(self) -> Callable[[], Work]:
        """Hand over every request, and return what counts their output afterwards.

        Raises:
            RuntimeError: A request failed, or the scheduler stopped before the last one.
        """
        sequences = self._executor.plan.call("generate").kwargs.get("num_return_sequences", 1)
        assert isinstance(sequences, int)
        expected = len(self._requests) * sequences
        # Anew for each run: the manager writes into its configuration.
        context = self._executor.execute("generate", requests=self._requests)
        submitted_s: dict[str, float] = {}
        outputs: list[tuple[float, Any]] = []
        with context as manager:
            for request in self._requests:
                name = str(request.index)
                submitted_s[name] = time.monotonic()
                manager.add_request(
                    input_ids=request.prompt_ids,
                    request_id=name,
                    max_new_tokens=request.max_new_tokens,
                    record_timestamps=True,
                )
            while len(outputs) < expected:
                output = manager.get_result(timeout=1)
                if output is None and not manager.is_running():
                    raise RuntimeError("continuous batching stopped before the last request ended")
                if output is not None and output.error is not None:
                    raise RuntimeError(f"request {output.request_id} failed: {output.error}")
                if output is not None and output.is_finished():
                    outputs.append((submitted_s[_parent(output.request_id)], output))
            self.effective = self._read(manager)
        return partial(self._count, outputs)

    def _count(self, outputs: Sequence[tuple[float, Any]]) -> Work:
        """Return what each request got, in request order; nothing is padded."""
        ends = set() if self._settings["ignore_eos"] else set(eos_ids(self._model))
        found = []
        for submitted_s, output in outputs:
            ids = [int(token) for token in output.generated_tokens]
            reason: FinishReason = "eos" if ids and ids[-1] in ends else "length"
            times = list(output.timestamps or ())
            timed = len(times) == len(ids) > 0
            found.append(
                RequestResult(
                    index=int(_parent(output.request_id)),
                    output_ids=ids,
                    finish_reason=reason,
                    submitted_s=submitted_s,
                    finished_s=times[-1] if timed else output.lifespan[1],
                    token_times_s=times if timed else None,
                )
            )
        return Work(requests=sorted(found, key=lambda result: result.index))

    def _read(self, manager: Any) -> dict[str, Any]:
        """Return what the live manager works with."""
        config = manager.continuous_batching_config
        attention = self._model.config._attn_implementation
        return {
            # Eager attention reads the paged cache under a name of its own.
            "load.attn_implementation": attention.removeprefix("paged|"),
            "settings.batching": "continuous",
            **{
                f"continuous_batching.{name}": value
                for name, value in vars(config).items()
                if value is None or isinstance(value, bool | int | float | str)
            },
        }


def _parent(request_id: str) -> str:
    """Return the request that a returned sequence belongs to: all but one are its children."""
    return request_id.partition("__child#")[0]
