"""A plugin without a fault. Each mutant is this plugin with a single fault."""

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Support
from llem.api.hookspecs import hookimpl
from llem.api.meters import MeterSpec, Provenance

YES = Claim(Support.YES)
INFO = BackendInfo(
    name="sample",
    summary="Computes with whole numbers",
    # Installed wherever llem is.
    engine=EngineRequirement("pluggy", ">=1", "pip install pluggy"),
    claims={
        Capability.FLOAT32: YES,
        Capability.FLOAT16: YES,
        Capability.RANDOM_WEIGHTS: YES,
        Capability.STATIC_BATCHING: Claim(Support.YES, settings={"sample.batch_size": 2}),
        Capability.STREAMING_LATENCY: YES,
    },
    model_parameters=None,
    hot_swappable=frozenset({"settings.batch_size"}),
)
METER = MeterSpec("sample", "A watt", Provenance.ESTIMATED, "mutants.parts.SampleMeter", "sample")


@hookimpl
def llem_capabilities():
    return INFO


@hookimpl
def llem_config_model():
    from mutants.parts import SampleConfig

    return SampleConfig


@hookimpl
def llem_build_kwargs(experiment):
    from mutants.parts import build_plan

    return build_plan(experiment)


@hookimpl
def llem_measurement():
    from mutants.parts import SampleSession

    return SampleSession


@hookimpl
def llem_parameter_audit():
    from mutants.parts import AUDIT

    return AUDIT


@hookimpl
def llem_meters():
    return (METER,)
