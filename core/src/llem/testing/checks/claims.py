"""Checks of what a backend claims: a claim is tried, not believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from llem.api.capability import Capability, Claim, Level
from llem.api.config import Experiment
from llem.api.errors import ConfigError
from llem.config.judge import violations
from llem.run.facts import host_facts
from llem.run.plan import plan_for
from llem.testing.check import Fault, check
from llem.testing.life import live
from llem.testing.needs import Need
from llem.testing.subject import Subject

ASKED_BY: Mapping[Capability, Mapping[str, Any]] = MappingProxyType(
    {
        Capability.FLOAT32: {"model.dtype": "float32"},
        Capability.FLOAT16: {"model.dtype": "float16"},
        Capability.BFLOAT16: {"model.dtype": "bfloat16"},
        Capability.RANDOM_WEIGHTS: {"model.weights": "random"},
        Capability.GGUF: {"model.gguf_file": "model.gguf"},
    }
)
"""Settings that ask for a capability, where all backends share them."""

_TYPES = (Capability.FLOAT32, Capability.FLOAT16, Capability.BFLOAT16)


@check(Need.BACKEND)
def check_claims_stated(subject: Subject) -> Iterator[Fault]:
    """A claim is about the vocabulary's capabilities, and a partial one says what is missing."""
    claims: Mapping[Any, Claim] = subject.required_backend.info.claims
    for capability, claim in claims.items():
        if not isinstance(capability, Capability):
            yield Fault(f"{capability!r} is no Capability")
        if claim.level is Level.PARTIAL and not (claim.note or claim.needs):
            yield Fault(f"{capability} is partial, and neither a note nor a need says how far")


@check(Need.ENGINE)
def check_claims_accepted(subject: Subject) -> Iterator[Fault]:
    """What is claimed is accepted when it is asked for."""
    for capability, settings in ASKED_BY.items():
        if _level(subject, capability) is Level.YES:
            for reason in _refusals(subject, subject.experiment(settings)):
                yield Fault(f"{capability} is claimed, and refused: {reason}")


@check(Need.ENGINE)
def check_claims_refused(subject: Subject) -> Iterator[Fault]:
    """What is not claimed is refused when it is asked for, with a reason."""
    for capability, settings in ASKED_BY.items():
        claimed = _level(subject, capability) is not Level.NO
        if not claimed and not _refusals(subject, subject.experiment(settings)):
            asked = " and ".join(f"{path}: {value}" for path, value in settings.items())
            yield Fault(
                f"{capability} is not claimed, and {asked} is accepted",
                hint="Refuse it with a Rule or a ConfigError, or claim it.",
            )


@check(Need.LIFE)
def check_claims_work(subject: Subject) -> Iterator[Fault]:
    """A session really runs in every data type that is claimed for this machine."""
    info, facts = subject.required_backend.info, host_facts()
    if info.engine is None:
        return
    for capability in _TYPES:
        claim = info.claim(capability)
        if claim.level is not Level.YES or not all(need.met(facts) for need in claim.needs):
            continue
        if _refusals(subject, subject.experiment(ASKED_BY[capability])):
            continue  # another check says so
        loaded = subject.loaded(ASKED_BY[capability])
        life = live(loaded, plan_for(loaded), runs=1)
        for step in ("open", "prepare", "run"):
            if (error := life.failures.get(step)) is not None:
                yield Fault(f"{capability}: {step} fails: {error.message}", error.hint)


@check(Need.LIFE)
def check_claims_streaming(subject: Subject) -> Iterator[Fault]:
    """A session tells when each token was there if, and only if, that is claimed."""
    level = _level(subject, Capability.STREAMING_LATENCY)
    told = [one.token_times_s is not None for run in subject.life.runs for one in run.requests]
    if level is Level.YES and not all(told):
        yield Fault("per-token latency is claimed, and token_times_s is missing")
    if level is Level.NO and any(told):
        yield Fault("token_times_s is there, and per-token latency is not claimed")


def _level(subject: Subject, capability: Capability) -> Level:
    return subject.required_backend.info.claim(capability).level


def _refusals(subject: Subject, experiment: Experiment) -> list[str]:
    """Return every reason why ``experiment`` is refused on this machine."""
    backend = subject.required_backend
    findings = [*violations(experiment, backend.info), *backend.review(experiment, host_facts())]
    reasons = [str(one) for one in findings if one.severity == "error"]
    try:
        backend.build_plan(experiment)
    except ConfigError as error:
        reasons.append(error.message)
    return reasons
