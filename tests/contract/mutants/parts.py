"""What the hooks of the healthy plugin return."""

import time
from importlib.metadata import version
from typing import Annotated

from mutants.engine import VOCAB_SIZE
from pydantic import Field

from llem.api import plan_builder
from llem.api.execution import PlanExecutor
from llem.api.meters import Channel, Meter, Probe, Quantity, Reading
from llem.api.parameter_audit import ParameterAudit, Surface
from llem.api.session import ModelInfo, Observation, OpenReport, RequestResult, RunResult, Session
from llem.errors import ConfigError
from llem.schema.base import EngineArg, Param
from llem.schema.call_plan import Call
from llem.schema.experiment import BackendConfig

SHARED = {
    ("load", "model"): "model.id",
    ("load", "dtype"): "model.dtype",
    ("load", "weights"): "model.weights",
}
AUDIT = ParameterAudit(
    surfaces=(
        Surface("mutants.engine.Model", at=("load",), excluded={"debug": "prints inside windows"}),
    ),
    introspect="mutants.engine.surface",
    shared=SHARED,
    reference="mutants.engine.surface",
)


def setting(name, **more):
    return Param(maps_to=(EngineArg("settings", name),), **more)


class SampleConfig(BackendConfig):
    """How the engine computes."""

    threads: Annotated[
        int | None,
        Field(ge=1, le=64),
        Param(unit="threads", maps_to=(EngineArg("load", "threads"),), examples=(2, 4)),
    ] = None
    """Threads that compute."""

    batch_size: Annotated[
        int | None, Field(ge=1, le=64), setting("batch_size", unit="requests")
    ] = None
    """Requests that are computed together."""


def build_plan(experiment):
    refuse(experiment.model)
    load = Call("load", "mutants.engine.Model", shared(experiment.model))
    return plan_builder.build_plan(experiment, [load], shared=SHARED)


def shared(model):
    arguments = {"model": model.id}
    if model.dtype is not None:
        arguments["dtype"] = model.dtype
    if model.random_weights:
        arguments["weights"] = "random"
    return arguments


def refuse(model, refused=("revision", "gguf_file", "tokenizer", "trust_remote_code")):
    for name in refused:
        if getattr(model, name):
            raise ConfigError(f"model.{name}: the engine knows nothing of it", hint="Remove it.")
    if model.dtype == "bfloat16":
        raise ConfigError("model.dtype: the engine has no bfloat16", hint="Set float32.")


class SampleSession(Session):
    """Answers one request after the other."""

    def open(self, plan):
        self.model = PlanExecutor(plan).execute("load")
        facts = ModelInfo(VOCAB_SIZE, eos_token_ids=[0])
        return OpenReport("pluggy", version("pluggy"), facts, devices=["cpu"])

    def reopen(self, plan):
        self.requests = []

    def prepare(self, requests):
        self.requests = requests

    def run(self):
        started_s = time.monotonic()
        results = [self.answer(request) for request in self.requests]
        return RunResult(started_s, time.monotonic(), results)

    def answer(self, request):
        submitted_s = time.monotonic()
        ids = self.model.generate(request.prompt_ids, request.max_new_tokens)
        times_s = [time.monotonic() for _ in ids]
        return RequestResult(request.index, ids, "length", submitted_s, times_s[-1], times_s)

    def observe(self):
        return Observation({"load.threads": self.model.threads}, {"host_peak_bytes": 1})


CHANNEL = Channel("sample", "board", Quantity.POWER)


class SampleMeter(Meter):
    """Shows one watt."""

    def probe(self):
        return Probe(available=True, channels=(CHANNEL,))

    def open(self, devices):
        return (CHANNEL,)

    def read(self):
        return (Reading(0, time.monotonic(), 1.0),)
