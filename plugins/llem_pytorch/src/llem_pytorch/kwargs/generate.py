"""The call that generates, in static batches or continuously."""

from __future__ import annotations

from llem.schema.call_plan import Call, drop_none
from llem.schema.experiment import Experiment
from llem_pytorch.kwargs.placed import Arguments, with_objects
from llem_pytorch.section import SAMPLING_FIELDS, has_beams, is_continuous, section_of

NO_EOS = [-1]
"""An EOS id that no token has. transformers then warns and generates up to the length limit; its
check for EOS stays in place, so a step costs the same as with EOS."""

MANAGER = "continuous_batching_config"


def generate_call(experiment: Experiment, arguments: Arguments) -> Call:
    """Return the call that generates.

    Args:
        experiment: The experiment.
        arguments: What the fields of its section say about generating.
    """
    if is_continuous(experiment):
        return _continuous(experiment, arguments)
    decoder, section = experiment.decoder, section_of(experiment)
    runtime = ["input_ids", "attention_mask", "max_new_tokens", "pad_token_id", "stopping_criteria"]
    if not has_beams(experiment):
        # Which beam wins is known at the end only, so there is nothing to stream.
        runtime.append("streamer")
    if section.assistant_model is not None:
        runtime.append("assistant_model")
    if section.assistant_tokenizer is not None:
        runtime += ["tokenizer", "assistant_tokenizer"]
    kwargs = {
        **_decoding(experiment),
        **drop_none(
            repetition_penalty=decoder.repetition_penalty, min_new_tokens=decoder.min_new_tokens
        ),
        **with_objects(arguments),
    }
    if section.torch_compile is not None:
        # One compilation is enough: the call `compile` does it, or nobody.
        kwargs["disable_compile"] = True
    return Call(name="generate", target="model.generate", kwargs=kwargs, runtime=tuple(runtime))


def _continuous(experiment: Experiment, arguments: Arguments) -> Call:
    """Return the call that opens what ``generate_batch()`` wraps: one limit for each request."""
    settings = {"seed": experiment.decoder.seed, **arguments.get(MANAGER, {})}
    if section_of(experiment).attn_implementation is not None:
        settings = {"auto_switch_to_flash": False, **settings}
    return Call(
        name="generate",
        target="llem_pytorch.runtime.continuous.open_manager",
        kwargs={**_decoding(experiment), **with_objects({**arguments, MANAGER: settings})},
        runtime=("model", "requests"),
    )


def _decoding(experiment: Experiment) -> Arguments:
    """Return how tokens are chosen; greedy decoding carries no settings of sampling."""
    decoder = experiment.decoder
    names = ("temperature", *SAMPLING_FIELDS) if decoder.samples else ()
    return drop_none(
        do_sample=decoder.samples,
        **{name: getattr(decoder, name) for name in names},
        eos_token_id=NO_EOS if experiment.ignores_eos else None,
    )
