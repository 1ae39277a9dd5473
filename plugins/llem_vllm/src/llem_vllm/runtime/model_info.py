"""Describe the loaded model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vllm.transformers_utils.config import try_get_generation_config

from llem.api import ModelInfo
from llem.api.meta_count import arithmetic_of

SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
"""Names under which configs list special token ids."""


def model_info(llm: Any, workers: Sequence[Mapping[str, Any]]) -> ModelInfo:
    """Return the description of a loaded model.

    Args:
        llm: The ``LLM``.
        workers: The description that each worker gives of itself.
    """
    model = llm.llm_engine.vllm_config.model_config
    config = model.hf_text_config
    arithmetic, note = arithmetic_of(model.hf_config)
    # The parts of a split model repeat some weights, packed ones are not elements of a tensor, and
    # hidden ones are out of reach.
    hidden = any(worker.get("hidden", False) for worker in workers)
    packed = model.quantization is not None or any(worker.get("packed") for worker in workers)
    if len(workers) == 1 and not packed and not hidden:
        parameters = workers[0]["parameters"]
    else:
        parameters = arithmetic.parameters if arithmetic else None
    return ModelInfo(
        vocab_size=config.vocab_size,
        eos_token_ids=sorted(eos_ids(llm)),
        special_token_ids=_special_ids(model),
        max_context_tokens=model.max_model_len,
        parameters=parameters,
        weights_bytes=None if hidden else sum(worker["weights_bytes"] for worker in workers),
        dtype=str(model.dtype).removeprefix("torch."),
        tf32=any(worker.get("tf32", False) for worker in workers),
        arithmetic=arithmetic,
        arithmetic_note=note,
    )


def eos_ids(llm: Any) -> set[int]:
    """Return the token ids at which vLLM ends a request: the tokenizer's and the model's."""
    model = llm.llm_engine.vllm_config.model_config
    own = _as_list(model.try_get_generation_config().get("eos_token_id"))
    return {*own, *_as_list(getattr(llm.get_tokenizer(), "eos_token_id", None))}


def _special_ids(model: Any) -> list[int]:
    """Return the special ids that the model's files name, even those that vLLM does not read."""
    sources = (
        try_get_generation_config(
            model.hf_config_path or model.model,
            trust_remote_code=model.trust_remote_code,
            revision=model.revision,
        ),
        model.hf_text_config,
    )
    found = (_as_list(getattr(source, name, None)) for source in sources for name in SPECIAL)
    return sorted({token for tokens in found for token in tokens if token >= 0})


def _as_list(value: Any) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else [int(item) for item in value]
