"""The calls that load models and tokenizers."""

from __future__ import annotations

from typing import Any

from llem.api import Call, Experiment, Symbol, drop_none
from llem_pytorch.config import PyTorchFields


def load_calls(experiment: Experiment) -> list[Call]:
    """Return the calls that make the model."""
    model = experiment.model
    trust = drop_none(trust_remote_code=model.trust_remote_code or None)
    if not model.random_weights:
        return [
            Call(
                name="load",
                target="transformers.AutoModelForCausalLM.from_pretrained",
                args=(model.id,),
                kwargs={**_source(experiment), **drop_none(dtype=_dtype(model.dtype)), **trust},
                assign="model",
            )
        ]
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
            kwargs={**drop_none(dtype=named_dtype), **trust},
            runtime=("config",),
            assign="model",
        ),
    ]


def tokenizer_calls(experiment: Experiment, section: PyTorchFields) -> list[Call]:
    """Return the call that makes the tokenizer, where text is involved.

    Random prompts leave out added tokens; those of a GGUF file, which the host does not read, are
    known from the tokenizer that the file contains.
    """
    model = experiment.model
    translates = section.assistant_tokenizer is not None
    no_text = experiment.workload.source == "synthetic" and not experiment.decoder.stop
    if no_text and not translates and (model.gguf_file is None or model.tokenizer):
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


def assistant_calls(experiment: Experiment, section: PyTorchFields) -> list[Call]:
    """Return the calls that make the assistant and its tokenizer, if there is one."""
    if section.assistant_model is None:
        return []
    trust = drop_none(trust_remote_code=experiment.model.trust_remote_code or None)
    calls = [
        Call(
            name="assistant",
            target="transformers.AutoModelForCausalLM.from_pretrained",
            kwargs={**drop_none(dtype=_dtype(experiment.model.dtype)), **trust},
            assign="assistant_model",
        )
    ]
    if section.assistant_tokenizer is not None:
        calls.append(
            Call(
                name="assistant_tokenizer",
                target="transformers.AutoTokenizer.from_pretrained",
                kwargs=trust,
                assign="assistant_tokenizer",
            )
        )
    return calls


def _source(experiment: Experiment) -> dict[str, Any]:
    model = experiment.model
    return drop_none(revision=model.revision, gguf_file=model.gguf_file)


def _dtype(name: str | None) -> Symbol | str | None:
    return Symbol(f"torch.{name}") if name not in (None, "auto") else name
