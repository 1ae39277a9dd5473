"""Checks of a session: one life of it in a worker, on the smallest work there is."""

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
    """A session makes the calls of its plan, and no others: a plan nobody can follow fails."""
    if "open" not in subject.misled.failures:
        yield Fault(
            "a session opens although no call of its plan can be made",
            hint="Resolve targets and arguments with llem.schema.call_plan, so that what is shown "
            "is what runs.",
        )


@check(Requires.LIFE)
def check_session_opened(subject: PluginUnderTest) -> Iterator[Fault]:
    """Opening says which engine, model and devices there are."""
    opened = subject.life.opened
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
        yield Fault("devices is empty", "Name what is really used: cpu, or cuda:<uuid>.")
    kinds = subject.required_backend.info.devices
    for device in opened.devices:
        if device.partition(":")[0] not in kinds:
            yield Fault(f"it runs on {device}, and declares {', '.join(kinds)}")


@check(Requires.LIFE)
def check_session_tokens(subject: PluginUnderTest) -> Iterator[Fault]:
    """Tokens add up: one result per request, within its limit, ended by what it says."""
    opened = subject.life.opened
    assert opened is not None
    for run in subject.life.runs:
        asked = [request.index for request in subject.life.requests]
        if [result.index for result in run.requests] != asked:
            yield Fault("the results are not one for each request, in order")
            continue
        for request, result in zip(subject.life.requests, run.requests, strict=True):
            problem = _token_problem(request, result, opened.model)
            if problem:
                yield Fault(f"request {request.index}: {problem}")
        if run.padding_input_tokens < 0 or run.padding_output_tokens < 0:
            yield Fault("padding is negative")


@check(Requires.LIFE)
def check_session_times(subject: PluginUnderTest) -> Iterator[Fault]:
    """Times are of the monotonic clock, in order, and inside the window."""
    for run in subject.life.runs:
        for result in run.requests:
            moments = _moments(run, result)
            if any(later < earlier for earlier, later in pairwise(moments)):
                yield Fault(f"request {result.index}: times are not in order: {moments}")
            times_s = result.token_times_s
            if times_s is not None and len(times_s) != len(result.output_ids):
                yield Fault(f"request {result.index}: token_times_s has not one per output token")
    for earlier, later in pairwise(subject.life.runs):
        if later.started_s < earlier.finished_s:
            yield Fault("a repetition starts before the one before it has finished")


@check(Requires.LIFE)
def check_session_repeatable(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every repetition does the same work: greedy decoding yields the same tokens."""
    first, *others = map(_outputs, subject.life.runs)
    if any(other != first for other in others):
        yield Fault(
            "repetitions yield different tokens",
            hint="Leave nothing of a run for the next one: no cache, no random state.",
        )


@check(Requires.LIFE)
def check_session_silent(subject: PluginUnderTest) -> Iterator[Fault]:
    """Nothing is printed inside a window, the warm-up apart."""
    printed = sum(subject.life.printed_bytes[1:])
    if printed:
        yield Fault(f"{printed} bytes were printed", "Silence the engine's progress and warnings.")


@check(Requires.LIFE)
def check_session_observes(subject: PluginUnderTest) -> Iterator[Fault]:
    """Observing never raises."""
    yield from _failure(subject, "observe")


@check(Requires.LIFE)
def check_session_observed(subject: PluginUnderTest) -> Iterator[Fault]:
    """What is observed has names of the plan, and units."""
    observation = subject.life.observation
    if observation is None:
        return
    known = {call.name for call in subject.session_plan.calls} | {"settings"}
    for name in observation.effective:
        if name.partition(".")[0] not in known:
            yield Fault(
                f"effective: {name} is no place in the plan",
                hint="Write <call>.<argument> or settings.<name>.",
            )
    for name in observation.memory:
        if not name.endswith("_bytes"):
            yield Fault(f"memory: {name} does not end in _bytes")


@check(Requires.REOPENING)
def check_session_reopens(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session that is opened again does the same work as a fresh one."""
    yield from _failure(subject, "reopen")
    reopened = subject.life.reopened
    if reopened is not None and _outputs(reopened) != _outputs(subject.life.runs[0]):
        yield Fault("after reopening it yields other tokens")


@check(Requires.LIFE)
def check_session_closes(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session closes, and closing it again does nothing."""
    yield from _failure(subject, "close")
    yield from _failure(subject, "close again")


@check(Requires.STARTED)
def check_session_closes_unopened(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session closes after an open that failed."""
    if (error := subject.misled.failures.get("close")) is not None:
        yield Fault(f"after a failed open, close fails: {error.message}", _place(error))


def _failure(subject: PluginUnderTest, step: str) -> Iterator[Fault]:
    if (error := subject.life.failures.get(step)) is not None:
        yield Fault(f"{step} fails: {error.message}", _place(error))


def _place(error: LlemError) -> str:
    """Return the hint of an error, or the line of the worker that raised it."""
    lines = [line.strip() for line in getattr(error, "traceback", "").splitlines()]
    places = [line for line in lines if line.startswith("File ")]
    return error.hint or (places[-1] if places else "")


def _token_problem(request: Request, result: RequestResult, model: ModelInfo) -> str:
    ids, eos = result.output_ids, _eos(model)
    if not 1 <= len(ids) <= request.max_new_tokens:
        return f"{len(ids)} output tokens, and 1 to {request.max_new_tokens} were asked for"
    if any(not 0 <= token_id < model.vocab_size for token_id in ids):
        return "an output id is not in the vocabulary"
    if result.finish_reason == "eos" and ids[-1] not in eos:
        return "it ended by EOS, and its last token is none"
    if result.finish_reason == "length" and len(ids) != request.max_new_tokens:
        return f"it ended by its limit, with {len(ids)} of {request.max_new_tokens} tokens"
    return ""


def _eos(model: ModelInfo) -> list[int]:
    return model.eos_token_ids


def _moments(run: RunResult, result: RequestResult) -> list[float]:
    """Return the times of a request between those of its window, which must be in this order."""
    first = [] if result.first_token_s is None else [result.first_token_s]
    tokens = result.token_times_s or first
    moments = [run.started_s, result.submitted_s, *tokens, result.finished_s, run.finished_s]
    return moments if all(map(math.isfinite, moments)) else [math.inf, -math.inf]


def _outputs(run: RunResult) -> list[list[int]]:
    return [result.output_ids for result in run.requests]
