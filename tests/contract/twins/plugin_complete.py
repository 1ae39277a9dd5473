"""It cannot measure."""

from twins.healthy import (
    llem_build_kwargs,
    llem_capabilities,
    llem_config_model,
    llem_meters,
    llem_parameter_audit,
)

__all__ = [
    "llem_build_kwargs",
    "llem_capabilities",
    "llem_config_model",
    "llem_meters",
    "llem_parameter_audit",
]
