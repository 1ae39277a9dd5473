"""What of a checkpoint's ``generation_config`` stays in force: the ids of its special tokens.

The rest says how its authors like to generate: sampling, penalties, beams, stop texts, time limits.
An experiment must do the same work on every engine, and engines read that file in part or not at
all. So the plan says how to generate, and what it leaves out is off. Core remarks on what the
checkpoint asks for besides.
"""

from __future__ import annotations

from typing import Any

from transformers import GenerationConfig


def keep_token_ids(*, model: Any, assistant_model: Any = None) -> None:
    """Replace the generation defaults of the models by neutral ones with the same token ids."""
    for each in (model, assistant_model):
        if each is not None:
            each.generation_config = _neutral(each)


def pad_id(model: Any) -> int:
    """Return the id to fill with; masked in prompts and cut off outputs, so any valid id would do.

    LLaMA 1 names -1, and checkpoints with added tokens may name an id beyond their embeddings.
    """
    config = model.generation_config
    vocabulary = model.get_input_embeddings().weight.shape[0]
    configured = token_ids(config.pad_token_id) + token_ids(config.eos_token_id)
    return next((token for token in configured if 0 <= token < vocabulary), 0)


def token_ids(value: Any) -> list[int]:
    """Return what a config names as one token id, several or none."""
    if value is None:
        return []
    return [value] if isinstance(value, int) else [int(item) for item in value]


def changed(config: GenerationConfig) -> dict[str, Any]:
    """Return every setting of ``config`` that is not the library's default, as JSON data."""
    plain = GenerationConfig()
    plain.update(**plain._get_default_generation_params(), defaults_only=True)
    before = plain.to_dict()
    return {
        name: value
        for name, value in config.to_dict().items()
        if value is not None and value != before.get(name) and name != "transformers_version"
    }


def _neutral(model: Any) -> GenerationConfig:
    own = model.generation_config
    return GenerationConfig(
        bos_token_id=own.bos_token_id, eos_token_id=own.eos_token_id, pad_token_id=pad_id(model)
    )
