"""Hold every rule against an experiment: core's, the backend's, and what it declares."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Hashable, Iterator
from functools import cache
from typing import Any, Literal

from llem.api.capability import BackendInfo, HostInfo
from llem.config.core_rules import RULES
from llem.config.messages import format_value
from llem.errors import Finding
from llem.schema.base import IS_SET
from llem.schema.decoder import PRESETS, DecoderConfig
from llem.schema.experiment import BackendConfig, Experiment, ModelConfig, Rule
from llem.schema.fields import ConfigField, satisfies, value_at, walk
from llem.schema.reason_codes import ALLOWABLE, CATALOG
from llem.version import installed_versions


@cache
def rules_of(backend: str, section: type[BackendConfig]) -> tuple[Rule[Any], ...]:
    """Return every rule of a backend: those it wrote, and those its fields' markers state.

    Args:
        backend: Its name, which is the section's name in an experiment.
        section: The model of its section.
    """
    fields = walk(section, f"{backend}.")
    requires = (_need(field, *need) for field in fields for need in field.param.requires.items())
    return (*section.rules, *requires, *_exclusions(fields))


def _need(field: ConfigField, other: str, wanted: Any) -> Rule[BackendConfig]:
    """Return the rule that refuses ``field`` unless ``other`` has a value it acts with."""

    def violated(experiment: Experiment, section: BackendConfig) -> bool:
        if not field.is_set(value_at(experiment, field.path)):
            return False
        return not satisfies(value_at(experiment, other), wanted)

    return Rule(
        name=f"{_kebab(field.path)}-needs-{_relative(other, field.path)}",
        fields=(field.path, other),
        reason=f"it acts only when {other} is {in_words(wanted)}",
        hint=f"Set {other}{_to(wanted)}, or remove {field.path}.",
        violated=violated,
    )


def in_words(wanted: Any) -> str:
    """Say which values a ``Param.requires`` entry asks for."""
    if wanted is IS_SET:
        return "set"
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(
        value if isinstance(value, str) else json.dumps(value, default=str) for value in values
    )


def _to(wanted: Any) -> str:
    return "" if wanted is IS_SET else f" to {in_words(wanted)}"


def _exclusions(fields: tuple[ConfigField, ...]) -> Iterator[Rule[BackendConfig]]:
    by_path = {field.path: field for field in (*walk(Experiment), *fields)}
    seen: set[frozenset[str]] = set()
    for field in fields:
        for other in field.param.conflicts_with:
            if frozenset((field.path, other)) in seen:
                continue
            seen.add(frozenset((field.path, other)))
            yield _exclusion(field, by_path[other])


def _exclusion(field: ConfigField, other: ConfigField) -> Rule[BackendConfig]:
    """Return the rule that refuses both fields at once."""

    def violated(experiment: Experiment, section: BackendConfig) -> bool:
        return all(_is_on(path, experiment) for path in (field, other))

    return Rule(
        name=f"{_kebab(field.path)}-or-{_relative(other.path, field.path)}",
        fields=(field.path, other.path),
        reason=f"it cannot be combined with {other.path}",
        hint=f"Remove {field.path} or {other.path}.",
        violated=violated,
    )


def _is_on(field: ConfigField, experiment: Experiment) -> bool:
    """Whether the field is set; what is switched off is not in the way of anything."""
    value = value_at(experiment, field.path)
    return field.is_set(value) and value is not False


def _kebab(path: str) -> str:
    """Return the path inside its section as one word: ``x.a.b_c`` becomes ``a-b-c``."""
    return path.partition(".")[2].replace(".", "-").replace("_", "-")


def _relative(path: str, neighbor: str) -> str:
    """Name ``path`` as seen from ``neighbor``: without the section if that is the same."""
    section, _, inside = path.partition(".")
    same = section == neighbor.partition(".")[0]
    return (inside if same else path).replace(".", "-").replace("_", "-")


OWN_FIELDS = frozenset({"preset", "seed", "ignore_eos", "max_new_tokens"})
"""Decoder fields that core itself turns into others or into requests, so that every backend
honors them."""


def rule_errors(experiment: Experiment, info: BackendInfo) -> Iterator[Finding]:
    """Yield an error for each rule that is broken, and each field that the backend would drop."""
    yield from _broken_rules(experiment, "error")
    yield from _dropped_of_decoder(experiment.decoder, info)
    yield from _dropped_of_model(experiment.model, info)
    yield from wrong_codes(experiment.measurement.thresholds.allow)


def wrong_codes(allowed: Collection[str]) -> Iterator[Finding]:
    """Yield an error for each name in `thresholds.allow` that is no reason to be allowed."""
    path = "measurement.thresholds.allow"
    for code in allowed:
        if code in ALLOWABLE:
            continue
        entry = next((entry for entry in CATALOG if entry.code == code), None)
        if entry is None:
            near = difflib.get_close_matches(code, ALLOWABLE, n=1)
            message = f"there is no reason {format_value(code, ('allow',))} that may be allowed"
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(ALLOWABLE))}."
        elif entry.invalidates:
            message = f"{code} cannot be allowed: it is no matter of a threshold"
            hint = f"Remove it. {entry.hint}"
        else:
            message, hint = f"{code} is a warning in any case", "Remove it."
        yield Finding("not-allowable", message, path=path, hint=hint)


@cache
def _rules_about(
    backend: str, section: type[BackendConfig], severity: Literal["error", "warning"]
) -> tuple[Rule[Any], ...]:
    """Return the rules of core and of a backend whose findings are of this severity."""
    return tuple(
        rule for rule in (*RULES, *rules_of(backend, section)) if rule.severity == severity
    )


def _broken_rules(
    experiment: Experiment, severity: Literal["error", "warning"]
) -> Iterator[Finding]:
    section = experiment.section
    for rule in _rules_about(experiment.backend, type(section), severity):
        if rule.violated(experiment, section):
            values = (
                f"{name}: {format_value(value_at(experiment, name), tuple(name.split('.')))}"
                for name in rule.fields
            )
            path, hint = rule.fields[0], rule.hint
            if _comes_from_preset(experiment.decoder, path):
                path, hint = "decoder.preset", f"Set {path}: null, or choose another preset."
            yield Finding(
                code=rule.name,
                message=f"{rule.reason} ({', '.join(values)})",
                severity=rule.severity,
                path=path,
                hint=hint,
            )


def _comes_from_preset(decoder: DecoderConfig, path: str) -> bool:
    """Whether the value at ``path`` was filled in, so that the user has no such key to remove."""
    section, _, name = path.partition(".")
    return section == "decoder" and name in PRESETS.get(decoder.preset or "", {}).keys() - (
        decoder.model_fields_set
    )


def _dropped_of_decoder(decoder: DecoderConfig, info: BackendInfo) -> Iterator[Finding]:
    honored = sorted(info.decoder_parameters | OWN_FIELDS)
    for field in walk(DecoderConfig):
        name, value = field.path, getattr(decoder, field.path)
        # What changes nothing needs no support.
        if name in honored or value == field.info.default or value in field.param.neutral:
            continue
        written = name in decoder.model_fields_set
        yield Finding(
            code="decoder-unsupported",
            message=f"backend {info.name} does not honor it"
            if written
            else f"it sets {name}, which backend {info.name} does not honor",
            path=f"decoder.{name}" if written else "decoder.preset",
            hint=f"{'Remove it' if written else f'Set decoder.{name}: null'}, or choose another "
            f"backend. Honored: {', '.join(honored)}.",
        )


def _dropped_of_model(model: ModelConfig, info: BackendInfo) -> Iterator[Finding]:
    if info.model_parameters is None:
        return
    honored = sorted(info.model_parameters | {"id"})
    for name, field in ModelConfig.model_fields.items():
        if name not in honored and getattr(model, name) != field.default:
            yield Finding(
                code="model-unsupported",
                message=f"backend {info.name} does not honor it",
                path=f"model.{name}",
                hint=f"Remove it, or choose another backend. Honored: {', '.join(honored)}.",
            )


def unmet_conditions(experiment: Experiment, facts: HostInfo) -> Iterator[Finding]:
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
                message=f"{format_value(value, tuple(field.path.split('.')))} needs compute "
                f"capability {_dotted(needed)}, and {facts.gpus[0].name} has {_dotted(there)}",
                path=field.path,
                hint=f"Remove it, or run on a device of compute capability {_dotted(needed)}.",
            )


def missing_packages(experiment: Experiment) -> Iterator[Finding]:
    """Yield an error for each value that needs a package which is not installed here."""
    found: dict[tuple[str, Any], tuple[str, ...]] = {}
    for field in walk(type(experiment)):
        if not field.param.packages:
            continue
        value = value_at(experiment, field.path)
        if isinstance(value, Hashable) and field.is_set(value):
            # Each model of a union has the field of its own.
            needed = found.get((field.path, value), ())
            found[field.path, value] = needed or field.param.packages.get(value, ())
    for (path, value), needed in found.items():
        there = installed_versions(needed)
        if missing := [name for name in needed if name not in there]:
            yield Finding(
                code="package-missing",
                message=f"{format_value(value, tuple(path.split('.')))} needs "
                f"{' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
                "installed here",
                path=path,
                hint=f"pip install {' '.join(missing)}, or remove it.",
            )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def rule_warnings(experiment: Experiment) -> Iterator[Finding]:
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
