"""The calls that load models and tokenizers."""

from __future__ import annotations

from llem.schema.call_plan import Call, Symbol, drop_none
from llem.schema.experiment import Experiment
from llem_pytorch.kwargs.placed import Arguments, with_objects
from llem_pytorch.kwargs.quantised import quantization_config
from llem_pytorch.section import section_of


def load_calls(experiment: Experiment, arguments: Arguments) -> list[Call]:
    """Return the calls that make the model.

    Args:
        experiment: The experiment.
        arguments: What the fields of its section say about loading.
    """
    model = experiment.model
    trust = drop_none(trust_remote_code=model.trust_remote_code or None)
    arguments = dict(arguments)
    quantised = quantization_config(experiment, arguments.pop("quantization_config", {}))
    arguments = with_objects(arguments) | drop_none(quantization_config=quantised)
    if model.random_weights:
        # Without weights there is no checkpoint whose type "auto" could take; the config's own
        # type, which is what an unset dtype means here, is the same thing.
        named_dtype = None if model.dtype == "auto" else _dtype(model.dtype)
        return [
            Call(
                name="load_config",
                target="transformers.AutoConfig.from_pretrained",
                args=(model.id,),
                kwargs={**_source(experiment), **trust},
                assign="config",
            ),
            Call(
                name="load",
                target="transformers.AutoModelForCausalLM.from_config",
                kwargs={**drop_none(dtype=named_dtype), **arguments, **trust},
                runtime=("config",),
                assign="model",
            ),
        ]
    return [
        Call(
            name="load",
            target="transformers.AutoModelForCausalLM.from_pretrained",
            args=(model.id,),
            kwargs={
                **_source(experiment),
                **drop_none(dtype=_dtype(model.dtype)),
                **arguments,
                **trust,
            },
            assign="model",
        )
    ]


def tokenizer_calls(experiment: Experiment) -> list[Call]:
    """Return the call that makes the tokenizer, where text is involved."""
    model = experiment.model
    translates = section_of(experiment).assistant_tokenizer is not None
    no_text = experiment.workload.source == "synthetic" and experiment.decoder.stop is None
    if no_text and not translates:
        return []
    # A revision belongs to the repository it was given for.
    source = {} if model.tokenizer else _source(experiment)
    return [
        Call(
            name="tokenizer",
            target="transformers.AutoTokenizer.from_pretrained",
            args=(model.tokenizer or model.id,),
            kwargs={**source, **drop_none(trust_remote_code=model.trust_remote_code or None)},
            assign="tokenizer",
        )
    ]


def assistant_calls(
    experiment: Experiment, arguments: Arguments, tokenizer: Arguments
) -> list[Call]:
    """Return the calls that make the assistant and its tokenizer, if there is one.

    Args:
        experiment: The experiment.
        arguments: What the fields of its section say about the assistant.
        tokenizer: What they say about the assistant's tokenizer.
    """
    if not arguments:
        return []
    trust = drop_none(trust_remote_code=experiment.model.trust_remote_code or None)
    calls = [
        Call(
            name="assistant",
            target="transformers.AutoModelForCausalLM.from_pretrained",
            kwargs={**arguments, **drop_none(dtype=_dtype(experiment.model.dtype)), **trust},
            assign="assistant_model",
        )
    ]
    if tokenizer:
        calls.append(
            Call(
                name="assistant_tokenizer",
                target="transformers.AutoTokenizer.from_pretrained",
                kwargs={**tokenizer, **trust},
                assign="assistant_tokenizer",
            )
        )
    return calls


def _source(experiment: Experiment) -> Arguments:
    model = experiment.model
    return drop_none(revision=model.revision, gguf_file=model.gguf_file)


def _dtype(name: str | None) -> Symbol | str | None:
    return Symbol(f"torch.{name}") if name not in (None, "auto") else name
