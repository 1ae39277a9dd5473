"""What became of every search option of ONNX Runtime GenAI; `llem audit onnx` compares."""

from __future__ import annotations

import re
from importlib.metadata import files

from llem.api.parameter_audit import Found, FoundParameter, ParameterAudit, Surface, parameters_of

LOAD = "llem_onnx.runtime.load"
SEARCH = "search options of onnxruntime_genai.GeneratorParams"
BEAMS = ("diversity_penalty", "early_stopping", "length_penalty", "num_beams")
_BUILDER = "onnxruntime_genai/models/builders/base.py"
_NATIVE = ("batch_size", "chunk_size", "random_seed")
"""Options that `get_search_options()` has besides; only a loaded model could be asked for them."""

DECODING = ("do_sample", "repetition_penalty", "temperature", "top_k", "top_p")
"""Shared decoder fields that GenAI has under the same name."""

SHARED = {
    ("load", "folder"): "model.id",
    **{("generate", name): f"decoder.{name}" for name in DECODING},
    ("generate", "max_length"): "workload.output_tokens",
    ("generate", "min_length"): "decoder.ignore_eos",
    ("generate", "random_seed"): "decoder.seed",
}
"""What sets an argument that no field of the own section does."""

AUDIT = ParameterAudit(
    surfaces=(
        Surface(LOAD, at=("load",), owned={"session_options": "its parts are fields of their own"}),
        Surface(
            SEARCH,
            at=("generate",),
            excluded={
                **dict.fromkeys(BEAMS, "beam search does not tell when a token was chosen"),
                "batch_size": "requests run one after the other",
                "num_return_sequences": "a request has one answer",
                "past_present_share_buffer": "follows from how the model was built",
            },
        ),
    ),
    introspect="llem_onnx.audit.introspect",
    shared=SHARED,
)


def introspect() -> Found:
    """Return the options that the model builder writes down for a model, and the native ones."""
    [builder] = [file for file in files("onnxruntime-genai") or () if str(file) == _BUILDER]
    [search] = re.findall(r'"search": \{\n(.*?)\n\s*\}', builder.read_text(), re.DOTALL)
    names = sorted({*re.findall(r'^\s*"(\w+)":', search, re.MULTILINE), *_NATIVE})
    return {LOAD: parameters_of(LOAD), SEARCH: [FoundParameter(name) for name in names]}
