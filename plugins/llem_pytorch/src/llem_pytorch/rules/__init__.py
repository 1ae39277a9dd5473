"""Combinations the backend refuses, besides those that the fields' own markers state."""

from __future__ import annotations

from typing import Any

from llem.api import Rule
from llem_pytorch.rules import decoding, devices, loading, speculation

RULES: tuple[Rule[Any], ...] = (*loading.RULES, *devices.RULES, *decoding.RULES, *speculation.RULES)
"""Every rule of the backend."""
