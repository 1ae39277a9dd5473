"""Audit an engine's parameters: what a backend declares against what the engine has."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from llem.api.parameter_audit import Found, FoundParameter, ParameterAudit, Surface
from llem.errors import counted
from llem.registry import Backend, EngineStatus
from llem.schema.base import EngineArg
from llem.schema.experiment import BackendConfig, Experiment
from llem.schema.fields import walk
from llem.tables import Table


class Classification(StrEnum):
    """How llem treats an engine's parameter, or what is wrong with the declaration."""

    EXPOSED = "exposed"
    OWNED = "owned"
    EXCLUDED = "excluded"
    UNCLASSIFIED = "unclassified"
    GONE = "gone"
    CONTRADICTED = "contradicted"


HINTS: Mapping[Classification, str] = {
    Classification.UNCLASSIFIED: "Give it a field that maps to it, or classify it in the plugin's "
    "audit as owned or excluded, with the reason.",
    Classification.GONE: "The engine has no such parameter: follow its renaming, or remove the "
    "field or the classification.",
    Classification.CONTRADICTED: "A field sets what the plugin's audit calls owned or excluded: "
    "drop one.",
}
"""What to do about each classification that makes an audit fail."""


@dataclass(frozen=True, slots=True)
class AuditedParameter:
    """One parameter of the engine.

    Attributes:
        surface: The function or class that has it.
        name: Its name there.
        classification: How llem treats it.
        reason: The fields that set it, or why llem sets or excludes it; for a parameter that is
            gone, what mentions it, and a name it may have now.
        default_repr: Its default as Python source, or empty.
        annotation_text: Its type as the engine states it, or empty.
    """

    surface: str
    name: str
    classification: Classification
    reason: str = ""
    default_repr: str = ""
    annotation_text: str = ""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit.

    Attributes:
        backend: The backend's name.
        engine: The engine they were read from.
        from_reference: Whether they come from the plugin's reference data, not from the engine.
        counts: Number of parameters by classification.
        parameters: All of them, by surface.
    """

    backend: str
    engine: EngineStatus
    from_reference: bool
    counts: Mapping[Classification, int]
    parameters: tuple[AuditedParameter, ...]

    @property
    def faults(self) -> tuple[AuditedParameter, ...]:
        """The parameters that make the audit fail."""
        return tuple(row for row in self.parameters if row.classification in HINTS)


def audit_report(
    backend: Backend,
    audit: ParameterAudit,
    found: Found,
    engine: EngineStatus,
    *,
    from_reference: bool,
) -> AuditReport:
    """Return the comparison of what ``backend`` declares with what was found.

    Args:
        backend: The backend.
        audit: What it declares.
        found: What its engine has.
        engine: That engine.
        from_reference: Whether ``found`` comes from the plugin's reference data.
    """
    parameters = audited(backend.name, backend.config_model(), audit, found)
    counts = Counter(parameter.classification for parameter in parameters)
    return AuditReport(
        backend=backend.name,
        engine=engine,
        from_reference=from_reference,
        counts={name: counts[name] for name in Classification},
        parameters=parameters,
    )


def audited(
    backend: str, section: type[BackendConfig], audit: ParameterAudit, found: Found
) -> tuple[AuditedParameter, ...]:
    """Return every parameter that the engine has or the backend mentions.

    Args:
        backend: The backend's name.
        section: The model of its section.
        audit: What it declares.
        found: What the engine has.
    """
    fields, reasons = _setters(backend, section, audit)
    rows: list[AuditedParameter] = []
    for surface in audit.surfaces:
        for parameter in found.get(surface.name, ()):
            rows.append(_classified(surface, parameter, fields, reasons))
        if surface.name in found or not surface.optional:
            rows += _gone_from(surface, found.get(surface.name, ()))
    known = {surface.name for surface in audit.surfaces}
    rows += [
        _row(name, parameter, Classification.UNCLASSIFIED)
        for name, parameters in found.items()
        if name not in known
        for parameter in parameters
    ]
    rows += _unreached(audit, found, fields, reasons, rows)
    return tuple(sorted(_with_new_names(rows), key=lambda row: row.surface))


_Setters = Mapping[tuple[str, str, str], list[str]]
"""What sets a parameter, by place, name and surface (empty: any surface at that place)."""


def _setters(
    backend: str, section: type[BackendConfig], audit: ParameterAudit
) -> tuple[_Setters, _Setters]:
    """Return the fields that set each parameter, and the reasons why llem sets others."""
    fields: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    reasons: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    known = {surface.name for surface in audit.surfaces}
    for field in walk(section, f"{backend}."):
        for argument in field.maps_to:
            if argument.name:
                # An account may call a class by a shorter name than the plan does.
                of = argument.of if argument.of in known else ""
                fields[argument.place, argument.parameter, of].append(field.path)
    shared = {field.path for field in walk(Experiment)}
    for place, setter in audit.shared.items():
        argument = EngineArg(*place)
        into = fields if setter in shared else reasons
        into[argument.place, argument.parameter, argument.of].append(setter)
    return fields, reasons


def _classified(
    surface: Surface, parameter: FoundParameter, fields: _Setters, reasons: _Setters
) -> AuditedParameter:
    name = parameter.name
    if name in surface.owned:
        return _row(surface.name, parameter, Classification.OWNED, surface.owned[name])
    if name in surface.excluded:
        return _row(surface.name, parameter, Classification.EXCLUDED, surface.excluded[name])
    if by := _at(surface, name, fields):
        return _row(surface.name, parameter, Classification.EXPOSED, by)
    if reason := _at(surface, name, reasons):
        return _row(surface.name, parameter, Classification.OWNED, reason)
    return _row(surface.name, parameter, Classification.UNCLASSIFIED)


def _at(surface: Surface, name: str, setters: _Setters) -> str:
    found = (
        setter
        for place in surface.at
        for of in (surface.name, "")
        for setter in setters.get((place, name, of), ())
    )
    return ", ".join(dict.fromkeys(found))


def _row(
    surface: str, found: FoundParameter, classification: Classification, reason: str = ""
) -> AuditedParameter:
    return AuditedParameter(
        surface, found.name, classification, reason, found.default_repr, found.annotation_text
    )


def _gone_from(surface: Surface, there: Sequence[FoundParameter]) -> Iterator[AuditedParameter]:
    """Yield what the surface's classification names and the engine does not have."""
    names = {parameter.name for parameter in there} | surface.not_in_all_versions
    for kind, classified in (("owned", surface.owned), ("excluded", surface.excluded)):
        for name in classified:
            if name not in names:
                yield AuditedParameter(
                    surface.name, name, Classification.GONE, f"classified as {kind}"
                )


def _unreached(
    audit: ParameterAudit,
    found: Found,
    fields: _Setters,
    reasons: _Setters,
    rows: list[AuditedParameter],
) -> Iterator[AuditedParameter]:
    """Yield what a setter names and no surface has, or a surface classifies as not exposed."""
    known = {(row.surface, row.name): row.classification for row in rows}
    for setters in (fields, reasons):
        for (place, name, of), by in setters.items():
            here = [
                surface
                for surface in audit.surfaces
                if place in surface.at and of in ("", surface.name)
            ]
            surfaces = [surface.name for surface in here]
            missed = not any(name in surface.not_in_all_versions for surface in here)
            there = {known[surface, name] for surface in surfaces if (surface, name) in known}
            mention = f"set by {', '.join(dict.fromkeys(by))}"
            if surfaces and not there and missed:
                yield AuditedParameter(surfaces[0], name, Classification.GONE, mention)
            elif (
                there
                and setters is fields
                and not {Classification.EXPOSED, Classification.GONE} & there
            ):
                yield AuditedParameter(surfaces[0], name, Classification.CONTRADICTED, mention)


def _with_new_names(rows: list[AuditedParameter]) -> Iterator[AuditedParameter]:
    """Yield ``rows``; a parameter that is gone with the unclassified name most like its own."""
    for row in rows:
        if row.classification is Classification.GONE:
            new = [
                other.name
                for other in rows
                if other.classification is Classification.UNCLASSIFIED
                and other.surface == row.surface
            ]
            if near := difflib.get_close_matches(row.name, new, n=1):
                reason = f"{row.reason}; now {near[0]}?"
                yield AuditedParameter(row.surface, row.name, row.classification, reason)
                continue
        yield row


def audit_table(report: AuditReport, *, faults_only: bool) -> Table:
    """Return a row for each parameter, or for each that makes the audit fail."""
    chosen = report.faults if faults_only else report.parameters
    return Table.of_texts(
        ("surface", "parameter", "default", "classification", "set by, or reason"),
        (
            (row.surface, row.name, row.default_repr, row.classification, row.reason)
            for row in chosen
        ),
    )


def audit_summary(report: AuditReport) -> str:
    """Return what was compared, the number of parameters by classification, and what to do."""
    engine = report.engine
    named = f"{engine.distribution} {engine.version or ''}".strip()
    source = f"reference data of {named}" if report.from_reference else f"{named}, as installed"
    lines = [f"{report.backend}: compared with {source}"]
    if engine.message and not report.from_reference:
        lines.append(f"note: {engine.message}")
    total = sum(report.counts.values())
    classes = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
    lines.append(f"{counted(total, 'parameter')}: {classes}" if total else "no parameters")
    found = {fault.classification for fault in report.faults}
    lines += [f"{name}: {hint}" for name, hint in HINTS.items() if name in found]
    return "\n".join(lines)
