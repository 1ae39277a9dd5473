"""From an experiment to the vLLM calls: pure data, no engine."""

from __future__ import annotations

from typing import Any

from llem.api.config import Experiment
from llem.api.config.passthrough import merge_passthrough
from llem.api.plan import Call, CallPlan
from llem_vllm.rules import section_of

SAMPLING_FIELDS = ("top_p", "top_k", "min_p")
"""Decoder fields that act on sampling alone, besides the temperature."""

SHARED = {
    ("load", "dtype"): "model.dtype",
    ("load", "load_format"): "model.weights",
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
    ("sampling", "seed"): "decoder.seed",
    ("sampling", "stop"): "decoder.stop",
    ("sampling", "temperature"): "decoder.temperature",
    **{("sampling", name): f"decoder.{name}" for name in SAMPLING_FIELDS},
}
"""What sets an argument that the backend's own section does not."""


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the calls for ``experiment``.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    calls = [
        Call(name="load", target="vllm.LLM", kwargs=_load(experiment), assign="llm"),
        # One object per request, because each has an output limit of its own.
        Call(
            name="sampling",
            target="vllm.SamplingParams",
            kwargs=_sampling(experiment),
            runtime=("max_tokens",),
            assign="sampling_params",
        ),
        Call(
            name="generate",
            target="llm.generate",
            kwargs={"use_tqdm": False},
            runtime=("prompts", "sampling_params"),
        ),
    ]
    return CallPlan(calls=merge_passthrough(calls, experiment, SHARED))


def _load(experiment: Experiment) -> dict[str, Any]:
    model = experiment.model
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
        "seed": experiment.decoder.seed,
        # The LLM class switches them off, and with them the time of each request's first token.
        "disable_log_stats": False,
        **section_of(experiment).model_dump(exclude_none=True),
    }


def _sampling(experiment: Experiment) -> dict[str, Any]:
    decoder = experiment.decoder
    # vLLM has no switch for sampling: temperature 0 is greedy, anything else samples.
    greedy = decoder.samples is False
    return _given(
        temperature=0.0 if greedy else decoder.temperature,
        **{name: getattr(decoder, name) for name in SAMPLING_FIELDS},
        repetition_penalty=decoder.repetition_penalty,
        min_tokens=decoder.min_new_tokens,
        stop=None if decoder.stop is None else list(decoder.stop),
        ignore_eos=experiment.ignores_eos or None,
    )


def _given(**values: Any) -> dict[str, Any]:
    """Return those ``values`` that are not ``None``: an unset field emits nothing."""
    return {name: value for name, value in values.items() if value is not None}
