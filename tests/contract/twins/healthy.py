"""A plugin without a fault. Each twin is this one with a single fault, named after its check."""

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Support
from llem.api.hookspecs import hookimpl
from llem.api.meters import MeterSpec, Provenance

YES = Claim(Support.YES)
INFO = BackendInfo(
    name="twin",
    summary="Computes with whole numbers",
    # Installed wherever llem is.
    engine=EngineRequirement("pluggy", ">=1", "pip install pluggy"),
    claims={
        Capability.FLOAT32: YES,
        Capability.FLOAT16: YES,
        Capability.RANDOM_WEIGHTS: YES,
        Capability.STATIC_BATCHING: Claim(Support.YES, settings={"twin.batch_size": 2}),
        Capability.STREAMING_LATENCY: YES,
    },
    model_parameters=None,
    hot_swappable=frozenset({"settings.batch_size"}),
)
METER = MeterSpec("twin", "A watt", Provenance.ESTIMATED, "twins.parts.TwinMeter", "twin")


@hookimpl
def llem_capabilities():
    return INFO


@hookimpl
def llem_config_model():
    from twins.parts import TwinConfig

    return TwinConfig


@hookimpl
def llem_build_kwargs(experiment):
    from twins.parts import build_plan

    return build_plan(experiment)


@hookimpl
def llem_measurement():
    from twins.parts import TwinSession

    return TwinSession


@hookimpl
def llem_parameter_audit():
    from twins.parts import AUDIT

    return AUDIT


@hookimpl
def llem_meters():
    return (METER,)
