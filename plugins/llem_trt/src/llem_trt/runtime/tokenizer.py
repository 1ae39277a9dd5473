"""The engine's tokenizer as data that core can use without the engine."""

from __future__ import annotations

from typing import Any

from llem.api.session import TokenizerExport


def export(tokenizer: Any) -> TokenizerExport | None:
    """Return ``tokenizer`` as data; ``None`` if it is not of the ``tokenizers`` library.

    TensorRT-LLM wraps the tokenizer of transformers in an object that has it as ``tokenizer``.
    """
    inner = getattr(tokenizer, "tokenizer", tokenizer)
    backend = getattr(inner, "backend_tokenizer", None)
    if backend is None:
        return None
    template = inner.chat_template
    return TokenizerExport(
        tokenizer_json=backend.to_str(),
        chat_template=template.get("default") if isinstance(template, dict) else template,
        special_tokens={
            name: token
            for name, token in inner.special_tokens_map.items()
            if isinstance(token, str)
        },
    )
