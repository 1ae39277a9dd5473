"""Checks of a backend's claims, by trying each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from llem.api.capability import Capability, Claim, Support
from llem.config.rule_checks import rule_errors
from llem.errors import ConfigError
from llem.run.host_info import host_facts
from llem.run.preflight import plan_for
from llem.testing.check_definition import Fault, check
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires
from llem.testing.session_trace import run_session

SHARED: Mapping[Capability, Mapping[str, Any]] = MappingProxyType(
    {
        Capability.FLOAT32: {"model.dtype": "float32"},
        Capability.FLOAT16: {"model.dtype": "float16"},
        Capability.BFLOAT16: {"model.dtype": "bfloat16"},
        Capability.RANDOM_WEIGHTS: {"model.weights": "random"},
        Capability.GGUF: {"model.gguf_file": "model.gguf"},
    }
)
"""Shared fields that ask for a capability."""

_CLAIMED = (Support.YES, Support.PARTIAL)
_TRIED_OTHERWISE = (Capability.RANDOM_WEIGHTS, Capability.GGUF)
"""Every session runs on random weights, and the kit has no GGUF file."""


@check(Requires.BACKEND)
def check_claims_stated(subject: PluginUnderTest) -> Iterator[Fault]:
    """A claim names a Capability, and a partial claim has a note or a requirement."""
    claims: Mapping[Any, Claim] = subject.required_backend.info.claims
    for capability, claim in claims.items():
        if not isinstance(capability, Capability):
            yield Fault(f"{capability!r} is not a Capability")
        if claim.level is Support.NOT_STATED:
            yield Fault(f"{capability} is claimed as not stated", "Leave it out.")
        if claim.level is Support.PARTIAL and not (claim.note or claim.requires):
            yield Fault(f"{capability} is partial, without a note or a requirement")


@check(Requires.PLAN)
def check_claims_accepted(subject: PluginUnderTest) -> Iterator[Fault]:
    """An experiment that asks for a claimed capability is accepted."""
    for capability, claim, settings in _asked(subject):
        if claim.level in _CLAIMED and _works_here(claim):
            for reason in _refusals(subject, settings):
                yield Fault(f"{capability} is claimed, and {_said(settings)} is refused: {reason}")


@check(Requires.ENGINE)
def check_claims_refused(subject: PluginUnderTest) -> Iterator[Fault]:
    """An experiment that asks for a capability claimed as "no" is refused with a reason."""
    for capability, claim, settings in _asked(subject):
        if claim.level is Support.NO and not _refusals(subject, settings):
            yield Fault(
                f"{capability} is not claimed, and {_said(settings)} is accepted",
                hint="Refuse it with a Rule or a ConfigError, or claim it.",
            )


@check(Requires.RUNNING)
def check_claims_work(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session runs with each capability claimed for this machine, if its model allows it."""
    for capability, claim, settings in _asked(subject):
        tried = claim.level is Support.YES and capability not in _TRIED_OTHERWISE
        if not tried or not _works_here(claim) or _refusals(subject, settings):
            continue
        try:
            loaded = subject.loaded(settings)
        except ConfigError:
            continue  # such as quantized random weights; `settings` may name a model
        trace = run_session(loaded, plan_for(loaded), runs=1)
        for step in ("open", "prepare", "run"):
            if (error := trace.failures.get(step)) is not None:
                yield Fault(f"{capability}: {step} fails: {error.message}", error.hint)


@check(Requires.RUNNING)
def check_claims_streaming(subject: PluginUnderTest) -> Iterator[Fault]:
    """A session reports token times if, and only if, per-token latency is claimed."""
    level = subject.required_backend.info.claim(Capability.STREAMING_LATENCY).level
    reported = [
        request.token_times_s is not None for run in subject.trace.runs for request in run.requests
    ]
    if level is Support.YES and not all(reported):
        yield Fault("per-token latency is claimed, and token_times_s is missing")
    if level is Support.NO and any(reported):
        yield Fault("token_times_s is set, and per-token latency is not claimed")


def _asked(subject: PluginUnderTest) -> Iterator[tuple[Capability, Claim, Mapping[str, Any]]]:
    """Yield each capability that settings can ask for, with its claim and these settings."""
    for capability in Capability:
        claim = subject.required_backend.info.claim(capability)
        shared = SHARED if subject.required_backend.info.engine is not None else {}
        if settings := claim.settings or shared.get(capability):
            yield capability, claim, settings


def _works_here(claim: Claim) -> bool:
    return all(need.met(host_facts()) for need in claim.requires)


def _said(settings: Mapping[str, Any]) -> str:
    return " and ".join(f"{path}: {value}" for path, value in settings.items())


def _refusals(subject: PluginUnderTest, settings: Mapping[str, Any]) -> list[str]:
    """Return every reason why an experiment with ``settings`` is refused on this machine."""
    backend, experiment = subject.required_backend, subject.experiment(settings)
    findings = [*rule_errors(experiment, backend.info), *backend.review(experiment, host_facts())]
    reasons = [str(finding) for finding in findings if finding.severity == "error"]
    try:
        backend.build_plan(experiment)
    except ConfigError as error:
        reasons.append(error.message)
    return reasons
