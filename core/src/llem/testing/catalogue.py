"""Every check there is, by family: the one list behind command, suite and documentation."""

from __future__ import annotations

from llem.testing.check import Check
from llem.testing.checks import audit, claims, config, kwargs, meters, plugin, session, worker

FAMILIES = (plugin, config, kwargs, claims, worker, session, audit, meters)
"""The modules that hold the checks, those first that others build on."""

CHECKS: tuple[Check, ...] = tuple(
    found for family in FAMILIES for found in vars(family).values() if isinstance(found, Check)
)
"""All checks, in the order in which they are asked."""
