"""Where and for how long the worker process runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.api.config.base import FrozenModel, Param
from llem.api.config.measurement import Seconds


class TimeoutConfig(FrozenModel):
    """Longest time the worker may take to answer, per phase."""

    start_s: Seconds = 60.0
    """From starting the interpreter to its first message."""
    open_s: Seconds = 1800.0
    """Importing the engine and loading the model."""
    prepare_s: Seconds = 600.0
    """Batching and moving prompts to the device."""
    run_s: Seconds = 3600.0
    """One repetition of the workload."""
    observe_s: Seconds = 120.0
    """Reading back what was in force."""
    close_s: Seconds = 60.0
    """Releasing the engine; afterwards the worker is ended."""
    experiment_s: Seconds | None = None
    """The whole life of the worker, idle metering included; unset leaves it to the phases."""
    silence_s: Seconds | None = None
    """Without an answer and without anything new in the log; unset allows silence."""


class RunnerConfig(FrozenModel):
    """The interpreter that runs the engine, and its limits."""

    python: Annotated[str | None, Param(examples=("/opt/engine/bin/python",))] = None
    """Interpreter of another environment that has the engine; unset uses this one."""

    env: dict[str, str] = {}
    """Environment variables set for the worker, on top of the present ones."""

    timeouts: TimeoutConfig = TimeoutConfig()
    """Time limits."""

    max_log_bytes: Annotated[int, Field(ge=65_536, le=2**40), Param(unit="bytes")] = 64 * 2**20
    """The worker is ended once it has printed more than this."""
