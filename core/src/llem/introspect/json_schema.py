"""JSON schemas: of experiments, for editors, and of outcomes, for readers of results."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, create_model

from llem.config import experiment_model
from llem.errors import BackendUnavailable
from llem.registry import Backend, Registry
from llem.schema.experiment import Experiment
from llem.schema.outcome import Outcome

_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schema(registry: Registry, backend: str | None = None) -> dict[str, Any]:
    """Return the JSON schema of an experiment on ``backend``, or on any, told apart by `backend`.

    Raises:
        BackendUnavailable: The one that was asked for cannot be used, or there is none.
    """
    if backend is not None:
        return _DIALECT | _tagged(registry.backend(backend)).model_json_schema()
    models = registry.ask_all(_tagged)
    if not models:
        raise BackendUnavailable("no backend is installed", hint="Install a backend plugin.")
    if len(models) == 1:
        return _DIALECT | models[0].model_json_schema()
    union: Any = Annotated[reduce(or_, models), Field(discriminator="backend")]
    return _DIALECT | TypeAdapter(union).json_schema()


def outcome_schema() -> dict[str, Any]:
    """Return the JSON schema of the outcome document."""
    return _DIALECT | Outcome.model_json_schema()


def _tagged(backend: Backend) -> type[Experiment]:
    """Return the experiment model of ``backend``, which accepts no other backend's name."""
    fields: dict[str, Any] = {
        "backend": (
            Literal[backend.name],
            Field(description=Experiment.model_fields["backend"].description),
        )
    }
    return create_model(
        f"Experiment_{backend.name}",
        __base__=experiment_model(backend),
        __doc__=f"One experiment on the backend {backend.name}: {backend.info.summary}.",
        **fields,
    )
