"""Each installed backend's account of its engine's parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llem.api.config import Experiment
from llem.api.config.fields import walk
from llem.api.plan import import_dotted
from llem.introspect.audit import REMEDIES, Fate, audited
from llem.registry import Registry
from llem.run.audit import read_engine

AUDITS = {
    backend.name: (backend, audit)
    for backend in Registry.discover().backends()
    if (audit := backend.parameter_audit()) is not None
}
INSTALLED = {
    name: pair
    for name, pair in AUDITS.items()
    if (status := pair[0].engine_status()) is not None and status.version is not None
}
WITH_REFERENCE = {name: pair for name, pair in AUDITS.items() if pair[1].reference}


def faults(backend, audit, found):
    """Return what nobody accounts for, by surface, parameter and fate."""
    rows = audited(backend.name, backend.config_model(), audit, found)
    return {(row.surface, row.name, row.fate) for row in rows if row.fate in REMEDIES}


@pytest.mark.parametrize(("backend", "audit"), AUDITS.values(), ids=AUDITS)
def test_a_surface_is_declared_once_and_gives_its_reasons(backend, audit):
    names = [surface.name for surface in audit.surfaces]
    assert len(set(names)) == len(names)
    assert names
    for surface in audit.surfaces:
        assert surface.at, surface.name
        assert not surface.owned.keys() & surface.excluded.keys(), surface.name
        for parameter, reason in {**surface.owned, **surface.excluded}.items():
            assert len(reason) > 3, f"{surface.name}.{parameter} has no reason"


@pytest.mark.parametrize(("backend", "audit"), AUDITS.values(), ids=AUDITS)
def test_shared_setters_name_fields_that_exist(backend, audit):
    known = {field.path for field in walk(Experiment)}
    sections = ("model.", "decoder.", "workload.", "runner.", "measurement.")
    named = {setter for setter in audit.shared.values() if setter.startswith(sections)}
    assert named <= known


@pytest.mark.parametrize(("backend", "audit"), WITH_REFERENCE.values(), ids=WITH_REFERENCE)
def test_nothing_of_the_reference_is_forgotten(backend, audit):
    assert faults(backend, audit, import_dotted(audit.reference)()) == set()


@pytest.mark.parametrize(("backend", "audit"), WITH_REFERENCE.values(), ids=WITH_REFERENCE)
def test_each_exclusion_counts_against_the_reference(backend, audit):
    check_each_exclusion_counts(backend, audit, import_dotted(audit.reference)())


@pytest.mark.engine
@pytest.mark.parametrize(("backend", "audit"), INSTALLED.values(), ids=INSTALLED)
def test_nothing_of_the_installed_engine_is_forgotten(backend, audit):
    found = read_engine(backend, audit).found
    assert found
    assert faults(backend, audit, found) == set()
    check_each_exclusion_counts(backend, audit, found)


def check_each_exclusion_counts(backend, audit, found):
    """Check that without any one of its reasons the audit would miss that very parameter."""
    for surface in audit.surfaces:
        others = [one for one in audit.surfaces if one is not surface]
        # Where several surfaces share a place, a field may reach the parameter through another.
        alone = not any(set(surface.at) & set(other.at) for other in others)
        for parameter in surface.excluded:
            rest = {name: why for name, why in surface.excluded.items() if name != parameter}
            without = replace(audit, surfaces=(*others, replace(surface, excluded=rest)))
            missed = faults(backend, without, found)
            assert (surface.name, parameter, Fate.UNCLASSIFIED) in missed or not alone
