"""Config section of the simulated backend."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import IS_SET, Param
from llem.schema.experiment import BackendConfig

Phase = Literal["open", "prepare", "run", "observe", "close"]
Failure = Literal["error", "exit", "kill", "hang", "flood", "out-of-memory"]
Rate = Annotated[float | None, Field(gt=0, le=1e9)]


class SimulatedConfig(BackendConfig, feeds="settings"):
    """An engine that only pretends: speed, memory and failures as wanted."""

    batch_size: Annotated[int | None, Field(ge=1, le=65_536), Param(unit="requests")] = None
    """Requests per static batch; 1 if unset."""

    prefill_tokens_per_s: Annotated[Rate, Param(unit="tokens/s")] = None
    """Prompt tokens read per second; 100000 if unset."""

    decode_steps_per_s: Annotated[Rate, Param(unit="1/s")] = None
    """Output tokens per second of each running request; 2000 if unset."""

    eos_after_tokens: Annotated[int | None, Field(ge=1, le=1_000_000), Param(unit="tokens")] = None
    """Output tokens after which every request emits EOS; never if unset."""

    load_s: Annotated[float | None, Field(ge=0, le=3600), Param(unit="s")] = None
    """Time that loading takes; none if unset."""

    device_peak_bytes: Annotated[int | None, Field(ge=0, le=2**50), Param(unit="bytes")] = None
    """Device memory it claims to have used; unavailable if unset."""

    devices: Annotated[tuple[str, ...] | None, Param(neutral=((),), examples=(["cuda:GPU-0"],))] = (
        None
    )
    """Ids of devices it claims to have used, such as `cuda:GPU-<uuid>`; the CPU
    without any."""

    fail_in: Annotated[Phase | None, Param(requires={"simulated.failure": IS_SET})] = None
    """Phase in which it fails; never if unset."""

    failure: Annotated[Failure | None, Param(requires={"simulated.fail_in": IS_SET})] = None
    """How it fails: raise, exit, be killed, hang, print without end, run out of memory."""

    fail_after_runs: Annotated[
        int | None,
        Field(ge=0, le=1_000_000),
        Param(unit="repetitions", requires={"simulated.fail_in": "run"}, neutral=(0,)),
    ] = None
    """Repetitions that succeed before it fails; none if unset."""
