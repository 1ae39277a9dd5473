"""Which requests run in an iteration: limits, batching and ``SchedulerConfig``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import FrozenModel
from llem.schema.experiment import BackendConfig
from llem_trt.config.markers import NEW, PYTORCH, llm
from llem_trt.versions import Only

Count = Annotated[int, Field(ge=1)]


class Scheduler(FrozenModel):
    """The scheduler's policies."""

    capacity_scheduler_policy: Annotated[
        Literal["MAX_UTILIZATION", "GUARANTEED_NO_EVICT", "STATIC_BATCH"] | None,
        llm("scheduler_config.capacity_scheduler_policy", examples=("MAX_UTILIZATION",)),
    ] = None
    """How requests are admitted."""

    context_chunking_policy: Annotated[
        Literal["FIRST_COME_FIRST_SERVED", "EQUAL_PROGRESS", "FORCE_CHUNK"] | None,
        llm(
            "scheduler_config.context_chunking_policy",
            requires={"trt.enable_chunked_prefill": True},
            examples=("EQUAL_PROGRESS",),
        ),
        Only("1.3", values=("FORCE_CHUNK",)),
    ] = None
    """How long prompts are spread over iterations."""

    waiting_queue_policy: Annotated[
        Literal["fcfs", "priority"] | None,
        llm("scheduler_config.waiting_queue_policy", examples=("fcfs",)),
        Only("1.3", values=("priority",)),
    ] = None
    """Order of the waiting requests."""

    use_python_scheduler: Annotated[
        bool | None,
        llm("scheduler_config.use_python_scheduler", examples=(True,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether the scheduler written in Python is used."""

    enable_prefix_aware_scheduling: Annotated[
        bool | None,
        llm(
            "scheduler_config.enable_prefix_aware_scheduling",
            examples=(False,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Whether admission counts on the blocks that a request will reuse."""


class SchedulingFields(BackendConfig):
    """Limits of an iteration, and how it is filled."""

    max_batch_size: Annotated[
        Count | None, llm("max_batch_size", unit="requests", examples=(8, 64))
    ] = None
    """Requests in one iteration at most."""

    max_num_tokens: Annotated[
        Count | None, llm("max_num_tokens", unit="tokens", examples=(8192,))
    ] = None
    """Tokens in one iteration at most; without chunked prefill, also of one prompt."""

    max_seq_len: Annotated[Count | None, llm("max_seq_len", unit="tokens", examples=(4096,))] = None
    """Longest prompt plus output; unset takes the model's own limit."""

    max_input_len: Annotated[
        Count | None, llm("max_input_len", unit="tokens", examples=(2048,))
    ] = None
    """Longest prompt."""

    max_beam_width: Annotated[
        Annotated[int, Field(ge=1, le=1024)] | None,
        llm("max_beam_width", unit="beams", examples=(4,)),
    ] = None
    """Widest beam that a request may ask for."""

    enable_chunked_prefill: Annotated[
        bool | None, llm("enable_chunked_prefill", examples=(True,))
    ] = None
    """Whether long prompts are spread over several iterations."""

    disable_overlap_scheduler: Annotated[
        bool | None, llm("disable_overlap_scheduler", requires=PYTORCH, examples=(True,))
    ] = None
    """Whether the host waits for each iteration before it prepares the next."""

    batch_wait_timeout_ms: Annotated[
        Annotated[float, Field(ge=0)] | None,
        llm("batch_wait_timeout_ms", unit="ms", requires=PYTORCH, examples=(5.0,)),
    ] = None
    """Time to wait for a batch to fill; 0 does not wait."""

    batch_wait_timeout_iters: Annotated[
        Annotated[int, Field(ge=0)] | None,
        llm("batch_wait_timeout_iters", unit="iterations", requires=PYTORCH, examples=(4,)),
    ] = None
    """Iterations to wait for a batch to fill; 0 does not wait."""

    batch_wait_max_tokens_ratio: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        llm("batch_wait_max_tokens_ratio", unit="ratio", requires=PYTORCH, examples=(0.5,)),
    ] = None
    """Share of `max_num_tokens` that ends the wait; 0 does not wait for tokens."""

    scheduler: Annotated[
        Scheduler | None,
        llm("scheduler_config", examples=({"capacity_scheduler_policy": "MAX_UTILIZATION"},)),
    ] = None
    """Policies of the scheduler."""
