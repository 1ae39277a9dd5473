"""Checks of a session, from its start to its end in a worker, on the smallest workload."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from llem.api.session import ModelInfo, Request, RequestResult, RunResult
from llem.errors import LlemError
from llem.testing.check_definition import Fault, check
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires


@check(Requires.PLAN)
def check_session_experiment(subject: PluginUnderTest) -> Iterable[Fault]:
    """The smallest experiment is accepted: shape:tiny, or the settings that the suite names."""
    subject.plan_session()
    return ()


@check(Requires.STARTED)
def check_session_lives(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session opens, prepares and runs, several times."""
    for step in ("open", "prepare", "run"):
        yield from _failure(subject, step)


@check(Requires.CALLS)
def check_session_follows_plan(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session makes the calls of its plan: a plan with impossible calls fails."""
    if "open" not in subject.broken_trace.failures:
        yield Fault(
            "a session opens although its plan has impossible calls",
            hint="Make the calls with llem.api.PlanExecutor; llem explain prints these calls.",
        )


@check(Requires.RUNNING)
def check_session_opened(subject: PluginUnderTest) -> Iterator[Fault]:
    """Opening reports the engine, the model and the devices."""
    opened = subject.trace.opened
    assert opened is not None
    if not opened.engine or not opened.engine_version:
        yield Fault("engine or engine_version is empty")
    if opened.model.vocab_size < 1:
        yield Fault(f"a model of {opened.model.vocab_size} token ids")
    size = opened.model.vocab_size
    outside = [token_id for token_id in _eos(opened.model) if not 0 <= token_id < size]
    if outside:
        yield Fault(f"end-of-sequence ids {outside} are not in the vocabulary")
    if not opened.devices:
        yield Fault("devices is empty", "Name the devices in use: cpu, or cuda:<uuid>.")
    kinds = subject.required_backend.info.devices
    for device in opened.devices:
        if device.partition(":")[0] not in kinds:
            yield Fault(f"it runs on {device}, but declares {', '.join(kinds)}")


@check(Requires.RUNNING)
def check_session_tokens(subject: PluginUnderTest) -> Iterator[Fault]:
    """Each request has a result, within its limit and with the right finish reason."""
    opened = subject.trace.opened
    assert opened is not None
    for run in subject.trace.runs:
        asked = [request.index for request in subject.trace.requests]
        if [result.index for result in run.requests] != asked:
            yield Fault("the results do not match the requests, in number or order")
            continue
        for request, result in zip(subject.trace.requests, run.requests, strict=True):
            problem = _token_problem(request, result, opened.model)
            if problem:
                yield Fault(f"request {request.index}: {problem}")
        if run.padding_input_tokens < 0 or run.padding_output_tokens < 0:
            yield Fault("padding is negative")


@check(Requires.RUNNING)
def check_session_times(subject: PluginUnderTest) -> Iterator[Fault]:
    """Times are monotonic-clock times, in order, and inside the window."""
    for run in subject.trace.runs:
        for result in run.requests:
            moments = _moments(run, result)
            if any(later < earlier for earlier, later in pairwise(moments)):
                yield Fault(f"request {result.index}: times are not in order: {moments}")
            times_s = result.token_times_s
            if times_s is not None and len(times_s) != len(result.output_ids):
                yield Fault(f"request {result.index}: token_times_s and output_ids differ in size")
    for earlier, later in pairwise(subject.trace.runs):
        if later.started_s < earlier.finished_s:
            yield Fault("a repetition starts before the previous repetition has finished")


@check(Requires.RUNNING)
def check_session_repeatable(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every repetition does the same work: greedy decoding yields the same tokens."""
    first, *others = map(_outputs, subject.trace.runs)
    if any(other != first for other in others):
        yield Fault(
            "repetitions yield different tokens",
            hint="Keep nothing between runs: no cache, no random state.",
        )


@check(Requires.RUNNING)
def check_session_silent(subject: PluginUnderTest) -> Iterator[Fault]:
    """Nothing is printed inside a window, except during the warm-up."""
    printed = sum(subject.trace.printed_bytes[1:])
    if printed:
        yield Fault(f"{printed} bytes were printed", "Silence the engine's progress and warnings.")


@check(Requires.RUNNING)
def check_session_observes(subject: PluginUnderTest) -> Iterator[Fault]:
    """Observing never raises."""
    yield from _failure(subject, "observe")


@check(Requires.RUNNING)
def check_session_observed(subject: PluginUnderTest) -> Iterator[Fault]:
    """Observed names are names of the plan, and memory figures have units."""
    observation = subject.trace.observation
    if observation is None:
        return
    known = {call.name for call in subject.session_plan.calls} | {"settings"}
    for name in observation.effective:
        if name.partition(".")[0] not in known:
            yield Fault(
                f"effective: the plan has no {name}",
                hint="Write <call>.<argument> or settings.<name>.",
            )
    for name in observation.memory:
        if not name.endswith("_bytes"):
            yield Fault(f"memory: {name} does not end in _bytes")


@check(Requires.REOPENING)
def check_session_reopens(subject: PluginUnderTest) -> Iterator[Fault]:
    """A reopened session does the same work as a new session."""
    yield from _failure(subject, "reopen")
    reopened = subject.trace.reopened
    if reopened is not None and _outputs(reopened) != _outputs(subject.trace.runs[0]):
        yield Fault("after reopening, it yields different tokens")


@check(Requires.RUNNING)
def check_session_closes(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session closes, and closing it again does nothing."""
    yield from _failure(subject, "close")
    yield from _failure(subject, "close again")


@check(Requires.STARTED)
def check_session_closes_unopened(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session closes after an open that failed."""
    if (error := subject.broken_trace.failures.get("close")) is not None:
        yield Fault(f"after a failed open, close fails: {error.message}", _place(error))


def _failure(subject: PluginUnderTest, step: str) -> Iterator[Fault]:
    if (error := subject.trace.failures.get(step)) is not None:
        yield Fault(f"{step} fails: {error.message}", _place(error))


def _place(error: LlemError) -> str:
    """Return the hint of an error, or the worker's line that raised it."""
    lines = [line.strip() for line in getattr(error, "traceback", "").splitlines()]
    places = [line for line in lines if line.startswith("File ")]
    return error.hint or (places[-1] if places else "")


def _token_problem(request: Request, result: RequestResult, model: ModelInfo) -> str:
    ids, eos = result.output_ids, _eos(model)
    if not 1 <= len(ids) <= request.max_new_tokens:
        return f"{len(ids)} output tokens, outside 1 to {request.max_new_tokens}"
    if any(not 0 <= token_id < model.vocab_size for token_id in ids):
        return "an output id is not in the vocabulary"
    if result.finish_reason == "eos" and ids[-1] not in eos:
        return "it ended by EOS, but its last token is not EOS"
    if result.finish_reason == "length" and len(ids) != request.max_new_tokens:
        return f"it ended by its limit, with {len(ids)} of {request.max_new_tokens} tokens"
    return ""


def _eos(model: ModelInfo) -> list[int]:
    return model.eos_token_ids


def _moments(run: RunResult, result: RequestResult) -> list[float]:
    """Return the times of a request and its window in the order that they must have."""
    first = [] if result.first_token_s is None else [result.first_token_s]
    tokens = result.token_times_s or first
    moments = [run.started_s, result.submitted_s, *tokens, result.finished_s, run.finished_s]
    return moments if all(map(math.isfinite, moments)) else [math.inf, -math.inf]


def _outputs(run: RunResult) -> list[list[int]]:
    return [result.output_ids for result in run.requests]
