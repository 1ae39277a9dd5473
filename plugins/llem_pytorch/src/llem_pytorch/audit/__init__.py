"""How every parameter of transformers is accounted for."""

from __future__ import annotations

from llem.api.parameter_audit import ParameterAudit
from llem_pytorch.audit import generating, loading, quantizing
from llem_pytorch.kwargs.shared import SHARED

AUDIT = ParameterAudit(
    surfaces=(*loading.SURFACES, *quantizing.SURFACES, *generating.SURFACES),
    introspect="llem_pytorch.runtime.surface.introspect",
    shared=SHARED,
)
"""The account; what a field exposes is read off its marker and not repeated here."""
