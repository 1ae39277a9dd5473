"""What became of every search option of ONNX Runtime GenAI; `llem audit onnx` compares."""

from __future__ import annotations

from llem.api.parameter_audit import ParameterAudit, Surface
from llem_onnx.kwargs import SHARED

BEAMS = "beam search does not tell tokens apart while it runs, so it is left out here"

AUDIT = ParameterAudit(
    surfaces=(
        Surface(
            "llem_onnx.model.load",
            at=("load",),
            owned={"session_options": "llem: its parts are fields of their own"},
        ),
        Surface(
            "search options of onnxruntime_genai.GeneratorParams",
            at=("generate",),
            excluded={
                "batch_size": "requests run one after the other",
                "diversity_penalty": BEAMS,
                "early_stopping": BEAMS,
                "length_penalty": BEAMS,
                "num_beams": BEAMS,
                "num_return_sequences": "a request has one answer",
                "past_present_share_buffer": "follows from how the model was built",
            },
        ),
    ),
    introspect="llem_onnx.surface.introspect",
    shared=SHARED,
)
