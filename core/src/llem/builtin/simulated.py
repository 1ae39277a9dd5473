"""Hooks of the simulated backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llem.api.capability import BackendInfo, Capability, Claim, Support
from llem.api.hookspecs import hookimpl
from llem.api.meters import MeterSpec, Provenance

if TYPE_CHECKING:
    from llem.api.session import Session
    from llem.schema.call_plan import CallPlan
    from llem.schema.experiment import BackendConfig, Experiment

_YES = Claim(Support.YES)


@hookimpl
def llem_capabilities() -> BackendInfo:
    """Declare the backend."""
    return BackendInfo(
        name="simulated",
        summary="Deterministic tokens at an adjustable speed, without an engine",
        claims={
            **{capability: Claim(Support.NO) for capability in Capability},
            Capability.RANDOM_WEIGHTS: _YES,
            Capability.STATIC_BATCHING: Claim(Support.YES, settings={"simulated.batch_size": 2}),
            Capability.STREAMING_LATENCY: _YES,
        },
        # The tokenizer is the host's affair, and there are no weights to choose a type of.
        model_parameters=frozenset({"weights", "revision", "tokenizer", "trust_remote_code"}),
        hot_swappable=frozenset({"settings.batch_size", "settings.ignore_eos"}),
    )


@hookimpl
def llem_config_model() -> type[BackendConfig]:
    """Return the backend's config section."""
    from llem.builtin.simulated_config import SimulatedConfig

    return SimulatedConfig


@hookimpl
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Return the plan: no call, only settings."""
    from llem.api.plan_builder import build_plan

    return build_plan(experiment, (), settings={"ignore_eos": experiment.ignores_eos})


@hookimpl
def llem_measurement() -> type[Session]:
    """Return the session class."""
    from llem.builtin.simulated_session import SimulatedSession

    return SimulatedSession


@hookimpl
def llem_meters() -> Sequence[MeterSpec]:
    """Offer a meter of constant power, used only when named."""
    return (
        MeterSpec(
            name="simulated",
            summary="Constant power of a device that does not exist; only when named",
            provenance=Provenance.ESTIMATED,
            factory="llem.builtin.simulated_session.ConstantPowerMeter",
            device_kind="host",
            opt_in=True,
        ),
    )
