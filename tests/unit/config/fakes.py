"""A registry and backends that are plain data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from llem.api.capability import BackendInfo, EngineRequirement
from llem.errors import UnknownBackend
from llem.registry import EngineStatus
from llem.schema.base import FrozenModel, Param
from llem.schema.experiment import BackendConfig, Experiment, Rule


class Adapter(FrozenModel):
    """A model that a plain union allows beside a text."""

    rank: int
    """Its only key."""


class Branch(FrozenModel):
    """A model that contains itself."""

    leaf: int = 0
    """A value."""
    branch: Branch | None = None
    """More of the same."""


class Section(BackendConfig):
    """Every kind of field that a backend may have."""

    batch_size: Annotated[int | None, Field(ge=1)] = None
    attention: Annotated[
        Literal["sdpa", "eager"] | None, Param(min_compute_capability={"sdpa": (8, 0)})
    ] = None
    bits: Literal[4, 8] | None = None
    adapter: Adapter | str | None = None
    device_map: dict[str, int] | None = None
    branch: Branch | None = None
    even: Annotated[int | None, Param(min_compute_capability=(9, 0))] = None

    rules = (
        Rule(
            name="eager-needs-batches",
            fields=("fake.attention", "fake.batch_size"),
            reason="eager attention wants a batch size",
            hint="Set fake.batch_size.",
            violated=lambda experiment, section: (
                experiment.section.attention == "eager" and experiment.section.batch_size is None
            ),
        ),
        Rule(
            name="bits-are-ignored",
            fields=("fake.bits",),
            reason="the engine accepts it and does nothing",
            hint="Remove fake.bits.",
            violated=lambda experiment, section: experiment.section.bits == 8,
            severity="warning",
        ),
    )

    @field_validator("even")
    @classmethod
    def _even(cls, value):
        if value is not None and value % 2:
            raise ValueError("must be even")
        return value


class OtherSection(BackendConfig):
    """The section of another backend."""

    block_size: int | None = None


class FakeBackend:
    """What the config room asks of a backend."""

    def __init__(
        self, name="fake", section=Section, *, engine="engine", version="1.0", measures=True
    ):
        requirement = EngineRequirement(engine, install=f"pip install {engine}") if engine else None
        self.name = name
        self.info = BackendInfo(
            name=name,
            summary=f"The {name} backend",
            engine=requirement,
            model_parameters=None,
            decoder_parameters=frozenset({"do_sample", "temperature", "top_p", "min_new_tokens"}),
        )
        self._section = section
        self._version = version
        self._measures = measures

    def config_model(self):
        return self._section

    def offers(self, hook):
        return self._measures and hook == "llem_measurement"

    def engine_status(self):
        if self.info.engine is None:
            return None
        name, found = self.info.engine.distribution, self._version
        message = "" if found else f"{name} is not installed"
        return EngineStatus(name, found, supported=found is not None, message=message)


class FakeRegistry:
    """Backends by name."""

    def __init__(self, *backends):
        self._backends = {backend.name: backend for backend in backends}

    def backends(self):
        return tuple(self._backends.values())

    def backend(self, name):
        if name not in self._backends:
            raise UnknownBackend(f"no backend {name!r}", hint="Did you mean another?")
        return self._backends[name]


FAKE = FakeBackend()
OTHER = FakeBackend("other", OtherSection, version=None)


def experiment(**sections) -> Experiment:
    """Return a valid experiment on the fake backend; the rules have not been asked."""
    from llem.config import experiment_model

    return experiment_model(FAKE).model_validate({"backend": "fake", **sections})
