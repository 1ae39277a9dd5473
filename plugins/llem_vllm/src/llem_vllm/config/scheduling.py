"""How requests share the engine: what fits into one step, in which order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, Param


class SchedulingFields(BackendConfig, feeds="load"):
    """Fields of the scheduler."""

    max_model_len: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(4096,))] = None
    """Longest prompt plus output; unset takes the limit of the model."""

    max_num_seqs: Annotated[int | None, Field(ge=1), Param(unit="requests", examples=(64, 256))] = (
        None
    )
    """Requests in one step at most; unset depends on the device."""

    max_num_batched_tokens: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", examples=(8192,))
    ] = None
    """Tokens in one step at most; unset depends on the device."""

    max_num_scheduled_tokens: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", examples=(4096,))
    ] = None
    """Tokens that one step is given at most, where that is to be less than the model runner
    has room for."""

    max_num_active_seqs: Annotated[
        int | None, Field(ge=1), Param(unit="requests", examples=(32,))
    ] = None
    """Requests that run at a time at most, where that is to be less than `max_num_seqs`."""

    long_prefill_token_threshold: Annotated[
        int | None, Field(ge=0), Param(unit="tokens", examples=(512,))
    ] = None
    """Tokens of a long prompt in one step at most while others wait; 0 sets no limit."""

    long_prefill_token_threshold_adaptive: Annotated[
        bool | None,
        Param(
            requires={"vllm.long_prefill_token_threshold": IS_SET},
            neutral=(False,),
            examples=(True,),
        ),
    ] = None
    """Whether that limit rises to a fair share of the step."""

    enable_chunked_prefill: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether long prompts are spread over several steps."""

    scheduling_policy: Annotated[
        Literal["fcfs", "priority"] | None, Param(examples=("priority",))
    ] = None
    """Order of serving; all requests of a workload have the same priority."""

    async_scheduling: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether the next step is prepared on the CPU while the device works on this one; unset
    is yes where vLLM supports it."""

    stream_interval: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(8,))] = None
    """Tokens that the engine gathers before it hands them on."""

    scheduler_reserve_full_isl: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether a request is admitted only if its whole prompt fits into the KV cache."""

    prefill_schedule_interval: Annotated[
        int | None, Field(ge=1), Param(unit="steps", examples=(4,))
    ] = None
    """New prompts are admitted every that many steps of a data-parallel run."""

    watermark: Annotated[float | None, Field(ge=0, lt=1), Param(unit="ratio", examples=(0.05,))] = (
        None
    )
    """Share of the KV blocks that is kept free when requests are admitted."""

    performance_mode: Annotated[
        Literal["balanced", "interactivity", "throughput"] | None, Param(examples=("throughput",))
    ] = None
    """Preset of the scheduler; `throughput` doubles the defaults of `max_num_seqs` and
    `max_num_batched_tokens`."""
