"""Checks of a backend's declaration of its engine's parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from llem.api.parameter_audit import Found, ParameterAudit
from llem.introspect.engine_audit import HINTS, Classification, audited
from llem.registry.plugin_calls import plugin_errors
from llem.run.worker_environment import read_engine
from llem.schema.call_plan import import_dotted
from llem.testing.check_definition import Fault, check
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires

_SECTIONS = ("model.", "decoder.", "workload.", "runner.", "measurement.")
_SHORTEST_REASON = 4


@check(Requires.AUDIT)
def check_audit_surfaces(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every surface is declared once, with its place and a reason for each parameter it lists."""
    surfaces = subject.audit.surfaces
    if not surfaces:
        yield Fault("it declares no surface")
    counts = Counter(surface.name for surface in surfaces)
    yield from (Fault(f"{name} is declared twice") for name, n in counts.items() if n > 1)
    for surface in surfaces:
        if not surface.at:
            yield Fault(f"{surface.name} has no place in the plan", "Fill in Surface(at=…).")
        for name in sorted(surface.owned.keys() & surface.excluded.keys()):
            yield Fault(f"{surface.name}.{name} is owned and excluded")
        for name, reason in {**surface.owned, **surface.excluded}.items():
            if len(reason) < _SHORTEST_REASON:
                yield Fault(f"{surface.name}.{name} has no reason")


@check(Requires.AUDIT)
def check_audit_shared(subject: PluginUnderTest) -> Iterator[Fault]:
    """The table of shared setters names fields that exist."""
    for (call, argument), setter in subject.audit.shared.items():
        if setter.startswith(_SECTIONS) and setter not in subject.all_fields:
            yield Fault(f"{call}.{argument}: there is no {setter}")


@check(Requires.REFERENCE)
def check_audit_reference(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every parameter of the reference data is classified, and every exclusion is needed."""
    audit = subject.audit
    with plugin_errors("its reference data"):
        found: Found = import_dotted(audit.reference)()
    yield from _faults(subject, found)


@check(Requires.READING)
def check_audit_engine(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every parameter of the installed engine is classified, and every exclusion is needed."""
    reading = read_engine(subject.required_backend, subject.audit)
    if not any(reading.found.values()):
        yield Fault("it finds no parameter of the installed engine")
    yield from _faults(subject, reading.found)


def _faults(subject: PluginUnderTest, found: Found) -> Iterator[Fault]:
    for surface, name, classification in sorted(_missed(subject, subject.audit, found)):
        yield Fault(f"{surface}.{name} is {classification}", HINTS[classification])
    yield from _needless_exclusions(subject, found)


def _missed(
    subject: PluginUnderTest, audit: ParameterAudit, found: Found
) -> set[tuple[str, str, Classification]]:
    """Return the parameters that fail the audit, by surface, name and classification."""
    rows = audited(subject.name, subject.section, audit, found)
    return {
        (row.surface, row.name, row.classification) for row in rows if row.classification in HINTS
    }


def _needless_exclusions(subject: PluginUnderTest, found: Found) -> Iterator[Fault]:
    """Yield the exclusions without which the audit would not change."""
    audit = subject.audit
    for surface in audit.surfaces:
        others = [other for other in audit.surfaces if other is not surface]
        # If surfaces share a place, a field may reach the parameter through another surface.
        if any(set(surface.at) & set(other.at) for other in others):
            continue
        for name in surface.excluded:
            rest = {key: why for key, why in surface.excluded.items() if key != name}
            without = replace(audit, surfaces=(*others, replace(surface, excluded=rest)))
            if (surface.name, name, Classification.UNCLASSIFIED) not in _missed(
                subject, without, found
            ):
                yield Fault(f"{surface.name}.{name} is excluded without need")
