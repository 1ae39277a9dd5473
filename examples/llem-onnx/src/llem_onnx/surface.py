"""The search options of the installed ONNX Runtime GenAI."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import files

from llem.api.parameter_audit import Found, FoundParameter, parameters_of

_BUILDER = "onnxruntime_genai/models/builders/base.py"
_NATIVE = ("batch_size", "chunk_size", "random_seed")
"""Options that `get_search_options()` has besides; only a loaded model could be asked for them."""


def introspect() -> Found:
    """Return the options that the model builder writes down for a model, and the native ones."""
    names = sorted({*_written(), *_NATIVE})
    return {
        "llem_onnx.model.load": parameters_of("llem_onnx.model.load"),
        "search options of onnxruntime_genai.GeneratorParams": [*map(FoundParameter, names)],
    }


def _written() -> Iterator[str]:
    """Yield the keys of the section `search`, as the builder's source has them."""
    [source] = [file for file in files("onnxruntime-genai") or () if str(file) == _BUILDER]
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "search":
                    assert isinstance(value, ast.Dict)
                    yield from map(ast.literal_eval, filter(None, value.keys))
