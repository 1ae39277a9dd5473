"""Build the vLLM calls of an experiment."""

from __future__ import annotations

from typing import Any

from llem.api import Call, CallPlan, Experiment, build_plan, drop_none, section_arguments
from llem_vllm.capabilities import INFO
from llem_vllm.config import VLLMFields

WORKER_EXTENSION = "llem_vllm.runtime.worker.WorkerExtension"
"""Class whose methods vLLM adds to its workers, so that the session can query them."""

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
    ("sampling", "seed"): "llem: each repetition resets the engine's generator",
    ("sampling", "stop"): "decoder.stop",
    ("sampling", "temperature"): "decoder.temperature",
    ("sampling", "top_k"): "decoder.top_k",
    ("sampling", "top_p"): "decoder.top_p",
    ("sampling", "min_p"): "decoder.min_p",
    ("settings", "ignore_eos"): "decoder.ignore_eos",
    ("settings", "seed"): "decoder.seed",
}
"""Sources of arguments that no field of the section sets."""


def plan_of(experiment: Experiment) -> CallPlan:
    """Return the calls for ``experiment``.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    section = experiment.section_as(VLLMFields)
    own = section_arguments(experiment)
    if not section.speculates:
        own["load"].pop("speculative_config", None)
    calls = [
        Call(name="load", target="vllm.LLM", kwargs=_load(experiment), assign="llm"),
        *(_beam_search(experiment) if section.searches else _generation(experiment)),
    ]
    settings = {
        "seed": experiment.decoder.seed,
        "ignore_eos": experiment.ignores_eos,
        "reset_prefix_cache": True,
    }
    return build_plan(experiment, calls, settings=settings, shared=SHARED, arguments=own)


def _load(experiment: Experiment) -> dict[str, Any]:
    model = experiment.model
    return {
        "model": model.id,
        **drop_none(
            tokenizer=model.tokenizer,
            revision=model.revision,
            # A revision belongs to the repository of the model, not to another tokenizer's.
            tokenizer_revision=None if model.tokenizer else model.revision,
            dtype=model.dtype,
            load_format="dummy" if model.random_weights else None,
            trust_remote_code=model.trust_remote_code or None,
        ),
        "seed": experiment.decoder.seed,
        # Without statistics, which `LLM` turns off, no request has a time of its first token.
        "disable_log_stats": False,
        "worker_extension_cls": WORKER_EXTENSION,
    }


def _generation(experiment: Experiment) -> list[Call]:
    decoder = experiment.decoder
    # vLLM has no switch for sampling: it is greedy at temperature 0 and samples at any other.
    greedy = {} if decoder.samples else {"temperature": 0.0}
    sampling = drop_none(
        **greedy,
        **decoder.sampling(INFO.decoder_parameters),
        repetition_penalty=decoder.repetition_penalty,
        # With EOS ignored every output has its full length.
        min_tokens=None if experiment.ignores_eos else decoder.min_new_tokens,
        stop=list(decoder.stop or ()) or None,
        ignore_eos=experiment.ignores_eos or None,
    )
    return _calls("vllm.SamplingParams", sampling, "llm.generate", "sampling_params")


def _beam_search(experiment: Experiment) -> list[Call]:
    sampling = drop_none(temperature=0.0, ignore_eos=experiment.ignores_eos or None)
    return _calls("vllm.sampling_params.BeamSearchParams", sampling, "llm.beam_search", "params")


def _calls(params: str, kwargs: dict[str, Any], generate: str, argument: str) -> list[Call]:
    """Return the calls that make the parameters of a request and that run all requests.

    Args:
        params: The class of a request's parameters.
        kwargs: Its arguments; the output limit differs between requests.
        generate: The method that runs the requests.
        argument: The method's argument that takes the parameters.
    """
    return [
        Call("sampling", params, kwargs, runtime=("max_tokens",), assign=argument),
        Call("generate", generate, {"use_tqdm": False}, runtime=("prompts", argument)),
    ]
