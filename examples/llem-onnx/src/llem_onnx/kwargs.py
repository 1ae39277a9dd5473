"""From an experiment to the calls of ONNX Runtime GenAI: data, made without it."""

from __future__ import annotations

from typing import Any

from llem.api.arguments import merge_passthrough, section_arguments

from llem.schema.call_plan import Call, CallPlan
from llem.schema.experiment import Experiment

SHARED = {
    ("load", "folder"): "model.id",
    ("generate", "do_sample"): "decoder.do_sample",
    ("generate", "max_length"): "workload.output_tokens",
    ("generate", "min_length"): "decoder.ignore_eos",
    ("generate", "random_seed"): "decoder.seed",
    ("generate", "repetition_penalty"): "decoder.repetition_penalty",
    ("generate", "temperature"): "decoder.temperature",
    ("generate", "top_k"): "decoder.top_k",
    ("generate", "top_p"): "decoder.top_p",
}
"""What sets an argument that no field of the own section does."""


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the calls for ``experiment``.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    own = section_arguments(experiment.section)
    calls = (
        Call(
            name="load",
            target="llem_onnx.model.load",
            kwargs={"folder": experiment.model.id, **own["load"]},
            assign="model",
        ),
        Call(
            name="generate",
            target="llem_onnx.model.generator",
            kwargs={**_decoding(experiment), **own["generate"]},
            # GenAI cannot go on after EOS. Where EOS is to be ignored, the least length is the
            # greatest one: the token is never chosen, and each request gets its full length.
            runtime=("model", "max_length", *(["min_length"] if experiment.ignores_eos else [])),
            assign="generator",
        ),
    )
    return CallPlan(calls=merge_passthrough(calls, experiment, SHARED))


def _decoding(experiment: Experiment) -> dict[str, Any]:
    """Return what the shared section says about how tokens are chosen, as far as it is set."""
    decoder = experiment.decoder
    found = {"do_sample": decoder.samples, "repetition_penalty": decoder.repetition_penalty}
    if decoder.samples is not False:
        found |= {name: getattr(decoder, name) for name in ("temperature", "top_k", "top_p")}
        found["random_seed"] = decoder.seed
    return {name: value for name, value in found.items() if value is not None}
