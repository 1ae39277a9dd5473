"""From an experiment to the TensorRT-LLM calls: pure data, no engine."""

from __future__ import annotations

from typing import Any

from llem.api.config import Experiment
from llem.api.config.passthrough import merge_passthrough
from llem.api.plan import Call, CallPlan, Construct
from llem_trt.rules import section_of

SAMPLING_FIELDS = ("temperature", "top_p", "top_k", "min_p")
"""Decoder fields that act on sampling alone."""

SHARED = {
    ("load", "dtype"): "model.dtype",
    ("load", "load_format"): "model.weights",
    ("load", "revision"): "model.revision",
    ("load", "tokenizer"): "model.tokenizer",
    ("load", "tokenizer_revision"): "model.revision",
    ("load", "trust_remote_code"): "model.trust_remote_code",
    ("sampling", "ignore_eos"): "decoder.ignore_eos",
    ("sampling", "max_tokens"): "workload.output_tokens",
    ("sampling", "min_tokens"): "decoder.min_new_tokens",
    ("sampling", "n"): "llem: one output for each request",
    ("sampling", "repetition_penalty"): "decoder.repetition_penalty",
    ("sampling", "seed"): "decoder.seed",
    ("sampling", "stop"): "decoder.stop",
    **{("sampling", name): f"decoder.{name}" for name in SAMPLING_FIELDS},
}
"""What sets an argument that the backend's own section does not."""

KV_CACHE = "kv_cache_"
"""Fields that begin so belong to one nested object of the engine."""


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the calls for ``experiment``.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    calls = [
        Call(name="load", target="tensorrt_llm.LLM", kwargs=_load(experiment), assign="llm"),
        # One object per request, because each has an output limit of its own.
        Call(
            name="sampling",
            target="tensorrt_llm.SamplingParams",
            kwargs=_sampling(experiment),
            runtime=("max_tokens",),
            assign="sampling_params",
        ),
        Call(
            name="generate",
            target="llm.generate",
            kwargs={"use_tqdm": False},
            runtime=("inputs", "sampling_params"),
        ),
    ]
    return CallPlan(calls=merge_passthrough(calls, experiment, SHARED))


def _load(experiment: Experiment) -> dict[str, Any]:
    model = experiment.model
    fields = section_of(experiment).model_dump(exclude_none=True)
    nested = {
        name.removeprefix(KV_CACHE): fields.pop(name)
        for name in list(fields)
        if name.startswith(KV_CACHE)
    }
    return {
        "model": model.id,
        **_given(
            tokenizer=model.tokenizer,
            revision=model.revision,
            # A revision belongs to the repository it was given for.
            tokenizer_revision=None if model.tokenizer else model.revision,
            dtype=model.dtype,
            load_format="dummy" if model.random_weights else None,
            trust_remote_code=model.trust_remote_code or None,
        ),
        **fields,
        **(
            {"kv_cache_config": Construct("tensorrt_llm.llmapi.KvCacheConfig", nested)}
            if nested
            else {}
        ),
    }


def _sampling(experiment: Experiment) -> dict[str, Any]:
    decoder = experiment.decoder
    # Greedy decoding is what TensorRT-LLM does when nothing of this is given.
    sampling = _given(
        **{name: getattr(decoder, name) for name in SAMPLING_FIELDS}, seed=decoder.seed
    )
    return {
        **({} if decoder.samples is False else sampling),
        **_given(
            repetition_penalty=decoder.repetition_penalty,
            min_tokens=decoder.min_new_tokens,
            stop=None if decoder.stop is None else list(decoder.stop),
            ignore_eos=experiment.ignores_eos or None,
        ),
    }


def _given(**values: Any) -> dict[str, Any]:
    """Return those ``values`` that are not ``None``: an unset field emits nothing."""
    return {name: value for name, value in values.items() if value is not None}
