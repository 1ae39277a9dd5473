"""Hold every rule against an experiment: core's, the backend's, and what it declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from llem.api.capability import BackendInfo
from llem.api.config import BackendConfig, DecoderConfig, Experiment, ModelConfig, Rule
from llem.api.config.derived import rules_of
from llem.api.config.fields import value_at, walk
from llem.api.facts import HostFacts
from llem.api.finding import Finding
from llem.config.rules import RULES
from llem.config.shown import shown

OWN_FIELDS = frozenset({"preset", "seed", "ignore_eos", "max_new_tokens"})
"""Decoder fields that core itself turns into others or into requests, so that every backend
honours them."""


def violations(experiment: Experiment, info: BackendInfo) -> Iterator[Finding]:
    """Yield an error for whatever ``experiment`` asks for and cannot get."""
    yield from _broken_rules(experiment, "error")
    yield from dropped(experiment, info)


def rules_about(
    backend: str, section: type[BackendConfig], severity: Literal["error", "warning"]
) -> tuple[Rule, ...]:
    """Return the rules of core and of a backend whose findings are of this severity."""
    return tuple(
        rule for rule in (*RULES, *rules_of(backend, section)) if rule.severity == severity
    )


def finding_of(rule: Rule, experiment: Experiment) -> Finding:
    """Return what to say about ``experiment``, which breaks ``rule``."""
    return Finding(
        code=rule.name,
        message=f"{rule.reason} ({', '.join(_values(experiment, rule.fields))})",
        severity=rule.severity,
        path=rule.fields[0],
        remedy=rule.remedy,
    )


def _broken_rules(
    experiment: Experiment, severity: Literal["error", "warning"]
) -> Iterator[Finding]:
    for rule in rules_about(experiment.backend, type(experiment.section), severity):
        if rule.violated(experiment):
            yield finding_of(rule, experiment)


def _values(experiment: Experiment, fields: Sequence[str]) -> Iterator[str]:
    """Yield each field with its value."""
    for name in fields:
        path = tuple(name.split("."))
        yield f"{name}: {shown(value_at(experiment, name), path)}"


def dropped(experiment: Experiment, info: BackendInfo) -> Iterator[Finding]:
    """Yield an error for every shared field that is set and that the backend would drop."""
    yield from _dropped_of_decoder(experiment.decoder, info)
    yield from _dropped_of_model(experiment.model, info)


def _dropped_of_decoder(decoder: DecoderConfig, info: BackendInfo) -> Iterator[Finding]:
    honoured = sorted(info.decoder_parameters | OWN_FIELDS)
    for name, field in DecoderConfig.model_fields.items():
        if name in honoured or getattr(decoder, name) == field.default:
            continue
        written = name in decoder.model_fields_set
        yield Finding(
            code="decoder-unsupported",
            message=f"backend {info.name} does not honour it"
            if written
            else f"it sets {name}, which backend {info.name} does not honour",
            path=f"decoder.{name}" if written else "decoder.preset",
            remedy=f"{'Remove it' if written else f'Set decoder.{name}: null'}, or choose another "
            f"backend. Honoured: {', '.join(honoured)}.",
        )


def _dropped_of_model(model: ModelConfig, info: BackendInfo) -> Iterator[Finding]:
    if info.model_parameters is None:
        return
    honoured = sorted(info.model_parameters | {"id"})
    for name, field in ModelConfig.model_fields.items():
        if name not in honoured and getattr(model, name) != field.default:
            yield Finding(
                code="model-unsupported",
                message=f"backend {info.name} does not honour it",
                path=f"model.{name}",
                remedy=f"Remove it, or choose another backend. Honoured: {', '.join(honoured)}.",
            )


def unfit(experiment: Experiment, facts: HostFacts) -> Iterator[Finding]:
    """Yield an error for each field that asks for a newer NVIDIA device than there is.

    Where there is none at all the backend knows better what that means.
    """
    for field in walk(type(experiment)) if facts.gpus else ():
        value = value_at(experiment, field.path)
        needed = field.param.compute_capability_for(value) if field.is_set(value) else None
        there = facts.gpus[0].compute_capability
        if needed is not None and there < needed:
            yield Finding(
                code="compute-capability",
                message=f"{shown(value, tuple(field.path.split('.')))} needs compute capability "
                f"{_dotted(needed)}, and {facts.gpus[0].name} has {_dotted(there)}",
                path=field.path,
                remedy=f"Remove it, or run on a device of compute capability {_dotted(needed)}.",
            )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def remarks(experiment: Experiment) -> Iterator[Finding]:
    """Yield a warning for whatever is allowed and worth knowing."""
    yield from _broken_rules(experiment, "warning")
    for call, arguments in experiment.passthrough_kwargs.items():
        if arguments:
            yield Finding(
                code="passthrough",
                message=f"passed on unchecked: {', '.join(sorted(arguments))}",
                severity="warning",
                path=f"passthrough_kwargs.{call}",
            )
    if experiment.model.trust_remote_code:
        yield Finding(
            code="remote-code",
            message="Python code that ships with the model will be executed",
            severity="warning",
            path="model.trust_remote_code",
        )
