"""The call that generates, in static batches or continuously."""

from __future__ import annotations

from typing import Any

from llem.api import Call, Construct, Experiment, drop_none
from llem_pytorch.capabilities import INFO
from llem_pytorch.config import PyTorchFields
from llem_pytorch.rules.decoding import UNKNOWN_TO_CONTINUOUS

NO_EOS = [-1]
"""An EOS id that no token has. transformers then warns and generates up to the length limit; its
check for EOS stays in place, so a step costs the same as with EOS."""


def generation_defaults(section: PyTorchFields) -> Call:
    """Return the call that drops what a checkpoint's ``generation_config`` would put in force."""
    drafts = section.assistant_model is not None
    return Call(
        name="generation_defaults",
        target="llem_pytorch.runtime.generation_defaults.keep_token_ids",
        runtime=("model", "assistant_model") if drafts else ("model",),
    )


def generate_call(experiment: Experiment, section: PyTorchFields) -> Call:
    """Return the call that generates."""
    if section.is_continuous:
        return _continuous(experiment, section)
    decoder = experiment.decoder
    runtime = ["input_ids", "attention_mask", "max_new_tokens", "pad_token_id", "stopping_criteria"]
    if not section.has_beams:
        # Which beam wins is known at the end only, so there is nothing to stream.
        runtime.append("streamer")
    if section.assistant_model is not None:
        runtime.append("assistant_model")
    if section.assistant_tokenizer is not None:
        runtime += ["tokenizer", "assistant_tokenizer"]
    kwargs = {
        **_decoding(experiment),
        **drop_none(
            repetition_penalty=decoder.repetition_penalty,
            # With EOS ignored every output has its full length.
            min_new_tokens=None if experiment.ignores_eos else decoder.min_new_tokens,
        ),
        # One compilation is enough: that of the call `compile`, or none.
        **({} if section.torch_compile is None else {"disable_compile": True}),
    }
    return Call(name="generate", target="model.generate", kwargs=kwargs, runtime=tuple(runtime))


def _continuous(experiment: Experiment, section: PyTorchFields) -> Call:
    """Return the call that opens what ``generate_batch()`` wraps: one limit for each request."""
    manager: dict[str, Any] = {"seed": experiment.decoder.seed}
    if section.attn_implementation is not None:
        manager["auto_switch_to_flash"] = False
    return Call(
        name="generate",
        target="llem_pytorch.runtime.continuous.open_manager",
        kwargs={
            **{
                name: value
                for name, value in _decoding(experiment).items()
                if name not in UNKNOWN_TO_CONTINUOUS
            },
            "continuous_batching_config": Construct(
                "transformers.ContinuousBatchingConfig", manager
            ),
        },
        runtime=("model", "requests"),
    )


def _decoding(experiment: Experiment) -> dict[str, Any]:
    """Return how tokens are chosen; greedy decoding carries no settings of sampling."""
    decoder = experiment.decoder
    sampling = decoder.sampling(INFO.decoder_parameters)
    eos = NO_EOS if experiment.ignores_eos else None
    return {**drop_none(do_sample=decoder.samples, eos_token_id=eos), **sampling}
