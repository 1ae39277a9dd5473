"""The simulated session: sleeps as long as the work would take and makes up tokens."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llem.api.meters import Channel, Meter, Quantity, Reading
from llem.api.session import (
    ModelInfo,
    Observation,
    OpenReport,
    Request,
    RequestResult,
    RunResult,
    Session,
)
from llem.schema.call_plan import CallPlan

POWER_W = 100.0
"""The power it always shows."""

_CHANNEL = Channel(
    device="host:simulated",
    domain="device",
    quantity=Quantity.POWER,
    resolution=0.0,
    note="constant power of a device that does not exist",
)


class ConstantPowerMeter(Meter):
    """Shows :data:`POWER_W` at all times."""

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Return its one channel."""
        return (_CHANNEL,)

    def read(self) -> Sequence[Reading]:
        """Return the constant."""
        return (Reading(channel=0, time_s=time.monotonic(), value=POWER_W),)


EOS_ID = 0
VOCAB_SIZE = 1000


class SimulatedSession(Session):
    """Static batches of deterministic tokens at the speed asked for."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] = {}
        self._batches: list[Sequence[Request]] = []
        self._runs = 0

    def open(self, plan: CallPlan) -> OpenReport:
        """Take as long as a model would take to load."""
        self._settings = plan.settings
        self._fail("open")
        time.sleep(self._settings.get("load_s", 0.0))
        return OpenReport(
            engine="simulated",
            engine_version="1",
            model=ModelInfo(vocab_size=VOCAB_SIZE, eos_token_ids=[EOS_ID], special_token_ids=[0]),
            devices=list(self._settings.get("devices", ["cpu"])),
            simulated=True,
        )

    def reopen(self, plan: CallPlan) -> None:
        """Take on the other settings."""
        self._settings = plan.settings
        self._batches, self._runs = [], 0

    def prepare(self, requests: Sequence[Request]) -> None:
        """Cut the workload into static batches."""
        self._fail("prepare")
        size = self._settings.get("batch_size", 1)
        self._batches = [requests[at : at + size] for at in range(0, len(requests), size)]

    def run(self) -> RunResult:
        """Make up every request's tokens, in simulated time that is really slept."""
        if self._runs >= self._settings.get("fail_after_runs", 0):
            self._fail("run")
        self._runs += 1
        started_s = time.monotonic()
        results: list[RequestResult] = []
        padding_input = padding_output = 0
        for batch in self._batches:
            outputs = [self._output_ids(request) for request in batch]
            longest_prompt = max(len(request.prompt_ids) for request in batch)
            longest_output = max(len(output) for output in outputs)
            padding_input += sum(longest_prompt - len(request.prompt_ids) for request in batch)
            padding_output += sum(longest_output - len(output) for output in outputs)
            submitted_s = time.monotonic()
            times = list(self._steps(len(batch) * longest_prompt, longest_output))
            for request, output in zip(batch, outputs, strict=True):
                results.append(
                    RequestResult(
                        index=request.index,
                        output_ids=output,
                        finish_reason="eos" if output[-1] == EOS_ID else "length",
                        submitted_s=submitted_s,
                        finished_s=times[len(output) - 1],
                        token_times_s=times[: len(output)],
                    )
                )
        return RunResult(
            started_s=started_s,
            finished_s=time.monotonic(),
            requests=results,
            padding_input_tokens=padding_input,
            padding_output_tokens=padding_output,
        )

    def observe(self) -> Observation:
        """Report the settings as they were used."""
        self._fail("observe")
        effective = {f"settings.{name}": value for name, value in self._settings.items()}
        peak = self._settings.get("device_peak_bytes")
        return Observation(
            effective=effective, memory={} if peak is None else {"device_peak_bytes": peak}
        )

    def close(self) -> None:
        """Release nothing."""
        self._fail("close")

    def _steps(self, prompt_tokens: int, output_tokens: int) -> Iterator[float]:
        """Sleep through prefill and each decode step; yield when each token is there."""
        step_s = 1 / self._settings.get("decode_steps_per_s", 2000.0)
        prefill_s = prompt_tokens / self._settings.get("prefill_tokens_per_s", 100_000.0)
        due_s = time.monotonic() + prefill_s
        for _ in range(output_tokens):
            if (early_s := due_s - time.monotonic()) > 0:
                time.sleep(early_s)
            yield time.monotonic()
            due_s += step_s

    def _output_ids(self, request: Request) -> list[int]:
        """Return ids that depend on the prompt alone, never EOS unless asked for."""
        eos_after = self._settings.get("eos_after_tokens", 0)
        ends = 0 < eos_after <= request.max_new_tokens and not self._settings.get("ignore_eos")
        length = eos_after if ends else request.max_new_tokens
        state = sum(request.prompt_ids)
        ids = [1 + (state + 7919 * step) % (VOCAB_SIZE - 1) for step in range(length)]
        return [*ids[:-1], EOS_ID] if ends else ids

    def _fail(self, phase: str) -> None:
        if self._settings.get("fail_in") == phase:
            fail(self._settings["failure"])


def fail(how: str) -> None:
    """Fail in the way asked for; returns only for unknown ways."""
    match how:
        case "error":
            raise RuntimeError("simulated failure")
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            while True:
                time.sleep(3600)
        case "flood":
            while True:
                sys.stdout.write("simulated flood " * 4096 + "\n")
        case "out-of-memory":
            raise MemoryError("simulated: out of memory")
