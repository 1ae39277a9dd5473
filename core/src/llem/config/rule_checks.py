"""Hold every rule against an experiment: core's, the backend's, and what it declares."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from math import prod
from typing import Any, Literal

from llem.api.capability import BackendInfo, Gpus, HostInfo
from llem.config.core_rules import RULES
from llem.config.messages import format_value
from llem.errors import Finding
from llem.schema.base import IS_SET, Param, need_of
from llem.schema.decoder import PRESETS, DecoderConfig
from llem.schema.experiment import BackendConfig, Experiment, ModelConfig, Rule
from llem.schema.fields import ConfigField, markers, satisfies, value_at, walk
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
        excludes=(other.path,),
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
        value, neutral = getattr(model, name), next(markers(field, Param), Param()).neutral
        if name not in honored and value != field.default and value not in neutral:
            yield Finding(
                code="model-unsupported",
                message=f"backend {info.name} does not honor it",
                path=f"model.{name}",
                hint=f"Remove it, or choose another backend. Honored: {', '.join(honored)}.",
            )


def unmet_conditions(
    experiment: Experiment, facts: HostInfo, *, packages: bool = True
) -> Iterator[Finding]:
    """Yield a finding for each field that needs what this machine has not.

    Args:
        experiment: The experiment.
        facts: The machine.
        packages: Whether the engine would run in this environment, so that packages count.
    """
    known, needy = _fields_with_needs(type(experiment))
    shared = experiment.section.shared_needs.items()
    sizes: dict[str, int] = {}
    for field, param in (
        *((field, field.param) for field in needy),
        *((known[path], param) for path, param in shared if _holds(experiment, param)),
    ):
        value = value_at(experiment, field.path)
        if not (field.is_set(value) or _acts_by_default(experiment, field, known)):
            continue
        yield from _unmet_devices(field.path, value, param, facts)
        match need_of(param.gpus, value):
            case "each":
                sizes[field.path] = value
            case int(number) if number > len(facts.gpus):
                yield _too_few_gpus(field.path, value, number, facts)
        if packages:
            yield from _missing_packages(field.path, value, param)
    # Without any GPU, an engine may split a model over processors.
    if facts.gpus and prod(sizes.values()) > len(facts.gpus):
        path = max(sizes, key=lambda name: sizes[name])
        yield _too_few_gpus(path, sizes[path], prod(sizes.values()), facts)


@cache
def _fields_with_needs(
    model: type[Experiment],
) -> tuple[Mapping[str, ConfigField], tuple[ConfigField, ...]]:
    """Return every field by its path, and those that need something: a study has many points."""
    fields = walk(model)
    needy = tuple(
        field
        for field in fields
        if field.param.min_compute_capability is not None
        or field.param.native_compute_capability is not None
        or field.param.gpus is not None
        or field.param.packages is not None
    )
    return {field.path: field for field in fields}, needy


def _holds(experiment: Experiment, param: Param) -> bool:
    needs = param.requires.items()
    return all(satisfies(value_at(experiment, path), wanted) for path, wanted in needs)


def _acts_by_default(
    experiment: Experiment, field: ConfigField, known: Mapping[str, ConfigField]
) -> bool:
    """Whether a field's default has a need, because the section around it is in use."""
    packages = field.param.packages
    if not (isinstance(packages, Mapping) and None in packages):
        return False
    parts = field.path.split(".")
    around = [known[".".join(parts[:at])].param for at in range(1, len(parts))]
    return all(_holds(experiment, param) for param in around)


def _unmet_devices(path: str, value: Any, param: Param, facts: HostInfo) -> Iterator[Finding]:
    """Yield findings about the first NVIDIA device; a backend knows what none at all means."""
    needs: tuple[tuple[tuple[int, int] | None, Literal["error", "warning"]], ...] = (
        (need_of(param.min_compute_capability, value), "error"),
        (need_of(param.native_compute_capability, value), "warning"),
    )
    # A device that does not say what it is can only be tried.
    found = facts.gpus[0].compute_capability if facts.gpus else None
    for needed, severity in needs:
        if needed is None or found is None or found >= needed:
            continue
        refused = severity == "error"
        yield Finding(
            code="compute-capability" if refused else "emulated",
            message=f"{_shown(path, value)} {'needs' if refused else 'is emulated below'} compute "
            f"capability {_dotted(needed)}, and {facts.gpus[0].name} has "
            f"{_dotted(found)}",
            severity=severity,
            path=path,
            hint=f"Remove it, or run on a device of compute capability {_dotted(needed)}.",
        )


def _missing_packages(path: str, value: Any, param: Param) -> Iterator[Finding]:
    names = need_of(param.packages, value) or ()
    missing = [name for name in names if not installed_versions(name.split(" or "))]
    if missing:
        chosen = " ".join(name.rpartition(" or ")[2] for name in missing)
        yield Finding(
            code="package-missing",
            message=f"{_shown(path, value)} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed here",
            path=path,
            hint=f"pip install {chosen}, or remove it.",
        )


def _too_few_gpus(path: str, value: Any, needed: int, facts: HostInfo) -> Finding:
    there = len(facts.gpus)
    seen = "none is" if not there else "1 is" if there == 1 else f"{there} are"
    return Finding(
        code="too-few-gpus",
        message=f"{_shown(path, value)} needs {Gpus(needed)}, and {seen} visible",
        path=path,
        hint="Lower or remove it, or check the driver and CUDA_VISIBLE_DEVICES.",
    )


def _shown(path: str, value: Any) -> str:
    return "its default" if value is None else format_value(value, tuple(path.split(".")))


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
