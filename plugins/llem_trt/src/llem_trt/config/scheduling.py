"""Scheduling of iterations: limits, batching and ``SchedulerConfig``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param, Section
from llem_trt.versions import NEW, PYTORCH, Only

Count = Annotated[int, Field(ge=1)]


class Scheduler(
    Section, feeds="load.scheduler_config", builds="tensorrt_llm.llmapi.SchedulerConfig"
):
    """The scheduler's policies."""

    capacity_scheduler_policy: Annotated[
        Literal["MAX_UTILIZATION", "GUARANTEED_NO_EVICT", "STATIC_BATCH"] | None,
        Param(examples=("MAX_UTILIZATION",)),
    ] = None
    """How requests are admitted."""

    context_chunking_policy: Annotated[
        Literal["FIRST_COME_FIRST_SERVED", "EQUAL_PROGRESS", "FORCE_CHUNK"] | None,
        Param(requires={"trt.enable_chunked_prefill": True}, examples=("EQUAL_PROGRESS",)),
        Only("1.3", values=("FORCE_CHUNK",)),
    ] = None
    """How long prompts are spread over iterations."""

    waiting_queue_policy: Annotated[
        Literal["fcfs", "priority"] | None,
        Param(examples=("fcfs",)),
        Only("1.3", values=("priority",)),
    ] = None
    """Order of the waiting requests."""

    use_python_scheduler: Annotated[
        bool | None,
        Param(neutral=(False,), examples=(True,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether the scheduler written in Python is used."""

    enable_prefix_aware_scheduling: Annotated[
        bool | None,
        Param(neutral=(True,), examples=(False,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether admission takes into account the blocks that a request will reuse."""


class SchedulingFields(BackendConfig, feeds="load"):
    """Limits of an iteration, and how it is filled."""

    max_batch_size: Annotated[Count | None, Param(unit="requests", examples=(8, 64))] = None
    """Maximum number of requests in an iteration."""

    max_num_tokens: Annotated[Count | None, Param(unit="tokens", examples=(8192,))] = None
    """Maximum number of tokens in an iteration and, without chunked prefill, in a prompt."""

    max_seq_len: Annotated[Count | None, Param(unit="tokens", examples=(4096,))] = None
    """Longest prompt plus output; unset takes the model's limit."""

    max_input_len: Annotated[Count | None, Param(unit="tokens", examples=(2048,))] = None
    """Longest prompt."""

    max_beam_width: Annotated[
        Annotated[int, Field(ge=1, le=1024)] | None,
        Param(unit="beams", examples=(4,)),
    ] = None
    """Widest beam that a request may use."""

    enable_chunked_prefill: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether long prompts are spread over several iterations."""

    disable_overlap_scheduler: Annotated[
        bool | None, Param(requires=PYTORCH, neutral=(False,), examples=(True,))
    ] = None
    """Whether the host waits for each iteration before it prepares the next."""

    batch_wait_timeout_ms: Annotated[
        Annotated[float, Field(ge=0)] | None,
        Param(unit="ms", requires=PYTORCH, neutral=(0,), examples=(5.0,)),
    ] = None
    """Time to wait for a batch to fill; 0 does not wait."""

    batch_wait_timeout_iters: Annotated[
        Annotated[int, Field(ge=0)] | None,
        Param(unit="iterations", requires=PYTORCH, neutral=(0,), examples=(4,)),
    ] = None
    """Iterations to wait for a batch to fill; 0 does not wait."""

    batch_wait_max_tokens_ratio: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Param(unit="ratio", requires=PYTORCH, neutral=(0,), examples=(0.5,)),
    ] = None
    """Share of `max_num_tokens` that ends the wait; 0 does not wait for tokens."""

    scheduler: Annotated[
        Scheduler | None,
        Param(examples=({"capacity_scheduler_policy": "MAX_UTILIZATION"},)),
    ] = None
    """Policies of the scheduler."""
