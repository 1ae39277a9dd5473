"""The experiment model of one backend: the shared sections and the backend's own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from llem.api.config import BackendConfig, Experiment
from llem.api.errors import PluginBroken

if TYPE_CHECKING:
    from llem.registry import Backend


def experiment_model(backend: Backend) -> type[Experiment]:
    """Return the model that validates an experiment on ``backend``.

    Raises:
        PluginBroken: The backend's name or config section does not fit into an experiment.
    """
    return _narrow(backend.name, backend.config_model(), backend.info.summary)


@cache
def _narrow(name: str, section: type[BackendConfig], summary: str) -> type[Experiment]:
    if name.startswith("_") or name in Experiment.model_fields or hasattr(Experiment, name):
        raise PluginBroken(f"backend {name!r} has a name that an experiment needs for itself")
    missing = [key for key, field in section.model_fields.items() if field.is_required()]
    if missing:
        raise PluginBroken(f"the section of backend {name!r} requires {', '.join(missing)}")
    fields: dict[str, Any] = {name: (section, Field(default=section(), description=summary))}
    return create_model(f"Experiment_{name}", __base__=Experiment, **fields)
