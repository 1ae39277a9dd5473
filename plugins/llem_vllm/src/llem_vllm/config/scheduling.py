"""Scheduling: the requests and tokens of a step, and their order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, Param


class SchedulingFields(BackendConfig, feeds="load"):
    """Fields of the scheduler."""

    max_model_len: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(4096,))] = None
    """Longest prompt plus output; unset takes the model's limit."""

    max_num_seqs: Annotated[int | None, Field(ge=1), Param(unit="requests", examples=(64, 256))] = (
        None
    )
    """Maximum number of requests in a step; unset depends on the device."""

    max_num_batched_tokens: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", examples=(8192,))
    ] = None
    """Maximum number of tokens in a step; unset depends on the device."""

    max_num_scheduled_tokens: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", examples=(4096,))
    ] = None
    """Maximum number of tokens that the scheduler gives a step, if it is to stay below
    `max_num_batched_tokens`."""

    max_num_active_seqs: Annotated[
        int | None, Field(ge=1), Param(unit="requests", examples=(32,))
    ] = None
    """Maximum number of requests that run at a time, if it is to stay below `max_num_seqs`."""

    long_prefill_token_threshold: Annotated[
        int | None, Field(ge=0), Param(unit="tokens", examples=(512,))
    ] = None
    """Maximum number of tokens of a long prompt in a step while other requests wait; 0 sets no
    limit."""

    long_prefill_token_threshold_adaptive: Annotated[
        bool | None,
        Param(
            requires={"vllm.long_prefill_token_threshold": IS_SET},
            neutral=(False,),
            examples=(True,),
        ),
    ] = None
    """Whether `long_prefill_token_threshold` rises to a fair share of the step."""

    enable_chunked_prefill: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether long prompts are spread over several steps."""

    scheduling_policy: Annotated[
        Literal["fcfs", "priority"] | None, Param(examples=("priority",))
    ] = None
    """Order of serving; all requests of a workload have the same priority."""

    async_scheduling: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether the CPU prepares the next step while the device works on the current one; unset is
    true where vLLM supports it."""

    stream_interval: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(8,))] = None
    """Number of tokens that the engine collects before it returns them."""

    scheduler_reserve_full_isl: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether a request is admitted only if its whole prompt fits into the KV cache."""

    prefill_schedule_interval: Annotated[
        int | None, Field(ge=1), Param(unit="steps", examples=(4,))
    ] = None
    """Number of steps of a data-parallel run between two admissions of new prompts."""

    watermark: Annotated[float | None, Field(ge=0, lt=1), Param(unit="ratio", examples=(0.05,))] = (
        None
    )
    """Share of the KV blocks that stays free when requests are admitted."""

    performance_mode: Annotated[
        Literal["balanced", "interactivity", "throughput"] | None, Param(examples=("throughput",))
    ] = None
    """Preset of the scheduler; `throughput` doubles the defaults of `max_num_seqs` and
    `max_num_batched_tokens`."""
