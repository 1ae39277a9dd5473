"""From an experiment to the vLLM calls: pure data, no engine."""

from __future__ import annotations

from typing import Any

from llem.api.plan_builder import build_plan
from llem.schema.call_plan import Call, CallPlan, drop_none
from llem.schema.experiment import Experiment
from llem_vllm.capabilities import INFO
from llem_vllm.rules.section import section_of

WORKER_EXTENSION = "llem_vllm.runtime.worker.WorkerFacts"
"""Class whose methods vLLM adds to its workers, so that they can be asked about themselves."""

SHARED = {
    ("load", "dtype"): "model.dtype",
    ("load", "load_format"): "model.weights",
    ("load", "model"): "model.id",
    ("load", "revision"): "model.revision",
    ("load", "seed"): "decoder.seed",
    ("load", "tokenizer"): "model.tokenizer",
    ("load", "tokenizer_revision"): "model.revision",
    ("load", "trust_remote_code"): "model.trust_remote_code",
    ("sampling", "ignore_eos"): "decoder.ignore_eos",
    ("sampling", "max_tokens"): "workload.output_tokens",
    ("sampling", "min_tokens"): "decoder.min_new_tokens",
    ("sampling", "n"): "llem: one output for each request",
    ("sampling", "repetition_penalty"): "decoder.repetition_penalty",
    ("sampling", "seed"): "llem: the engine's own generator is set anew for each repetition",
    ("sampling", "stop"): "decoder.stop",
    ("sampling", "temperature"): "decoder.temperature",
    ("sampling", "top_k"): "decoder.top_k",
    ("sampling", "top_p"): "decoder.top_p",
    ("sampling", "min_p"): "decoder.min_p",
    ("settings", "ignore_eos"): "decoder.ignore_eos",
    ("settings", "seed"): "decoder.seed",
}
"""What sets an argument that the backend's own section does not."""


def plan_calls(experiment: Experiment) -> CallPlan:
    """Return the calls for ``experiment``.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    calls = [
        Call(name="load", target="vllm.LLM", kwargs=_load(experiment), assign="llm"),
        *_decoding_calls(experiment),
    ]
    settings = {
        "seed": experiment.decoder.seed,
        "ignore_eos": experiment.ignores_eos,
        "reset_prefix_cache": True,
    }
    return build_plan(experiment, calls, settings=settings, shared=SHARED)


def _load(experiment: Experiment) -> dict[str, Any]:
    model = experiment.model
    return {
        "model": model.id,
        **drop_none(
            tokenizer=model.tokenizer,
            revision=model.revision,
            # A revision belongs to the repository it was given for.
            tokenizer_revision=None if model.tokenizer else model.revision,
            dtype=model.dtype,
            load_format="dummy" if model.random_weights else None,
            trust_remote_code=model.trust_remote_code or None,
        ),
        "seed": experiment.decoder.seed,
        # The LLM class switches them off, and with them the time of each request's first token.
        "disable_log_stats": False,
        "worker_extension_cls": WORKER_EXTENSION,
    }


def _decoding_calls(experiment: Experiment) -> list[Call]:
    """Return the calls that describe a request and that run all of them."""
    searches = section_of(experiment).beam_search is not None
    sampling = _searching(experiment) if searches else _sampling(experiment)
    return [
        # One object per request, because each has an output limit of its own.
        Call(
            name="sampling",
            target="vllm.sampling_params.BeamSearchParams" if searches else "vllm.SamplingParams",
            kwargs=sampling,
            runtime=("max_tokens",),
            assign="params" if searches else "sampling_params",
        ),
        Call(
            name="generate",
            target="llm.beam_search" if searches else "llm.generate",
            kwargs={"use_tqdm": False},
            runtime=("prompts", "params" if searches else "sampling_params"),
        ),
    ]


def _sampling(experiment: Experiment) -> dict[str, Any]:
    decoder = experiment.decoder
    # vLLM has no switch for sampling: temperature 0 is greedy, anything else samples.
    greedy = {"temperature": 0.0} if decoder.samples is False else {}
    return drop_none(
        **greedy,
        **decoder.sampling(INFO.decoder_parameters),
        repetition_penalty=decoder.repetition_penalty,
        min_tokens=decoder.min_new_tokens,
        stop=None if decoder.stop is None else list(decoder.stop),
        ignore_eos=experiment.ignores_eos or None,
    )


def _searching(experiment: Experiment) -> dict[str, Any]:
    return drop_none(temperature=0.0, ignore_eos=experiment.ignores_eos or None)
