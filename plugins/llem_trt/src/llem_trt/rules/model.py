"""What can be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule
from llem_trt.section import is_legacy

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig


def _built_engine_to_be_quantised(experiment: Experiment, section: TrtConfig) -> bool:
    return section.engine_path is not None and section.quantization is not None


def _built_engine_with_random_weights(experiment: Experiment, section: TrtConfig) -> bool:
    return section.engine_path is not None and (
        experiment.model.weights == "random" or experiment.model.is_shape
    )


def _built_engine_of_a_dtype(experiment: Experiment, section: TrtConfig) -> bool:
    return section.engine_path is not None and experiment.model.dtype not in (
        None,
        "auto",
    )


def _checkpoint_quantised_and_built(experiment: Experiment, section: TrtConfig) -> bool:
    return is_legacy(experiment) and section.checkpoint_quantization is not None


def _shape_of_a_quantised_checkpoint(experiment: Experiment, section: TrtConfig) -> bool:
    algorithm = section.checkpoint_quantization
    return experiment.model.is_shape and algorithm not in (None, "NO_QUANT")


MODEL_RULES: tuple[Rule[TrtConfig], ...] = (
    Rule(
        name="trt-reads-no-gguf",
        fields=("model.gguf_file",),
        reason="TensorRT-LLM has no loader for GGUF files",
        hint="Use the original checkpoint.",
        violated=lambda experiment, _: experiment.model.gguf_file is not None,
    ),
    Rule(
        name="trt-has-no-float32",
        fields=("model.dtype",),
        reason="TensorRT-LLM's attention kernels exist for float16 and bfloat16 only",
        hint="Set model.dtype to bfloat16 or float16.",
        violated=lambda experiment, _: experiment.model.dtype == "float32",
    ),
    Rule(
        name="trt-engine-is-quantised-already",
        fields=("trt.quantization", "trt.engine_path"),
        reason="a built engine has its quantisation, and the setting would be ignored",
        hint="Remove trt.quantization, or trt.engine_path to build an engine.",
        violated=_built_engine_to_be_quantised,
    ),
    Rule(
        name="trt-engine-has-weights",
        fields=("trt.engine_path", "model.weights", "model.id"),
        reason="a built engine has weights, and random ones are asked for",
        hint="Remove trt.engine_path, or name the engine's checkpoint with model.id.",
        violated=_built_engine_with_random_weights,
    ),
    Rule(
        name="trt-engine-has-a-dtype",
        fields=("model.dtype", "trt.engine_path"),
        reason="a built engine has its data type, and the setting would be ignored",
        hint="Remove model.dtype.",
        violated=_built_engine_of_a_dtype,
    ),
    Rule(
        name="trt-checkpoint-quantisation-is-read-back",
        fields=("trt.checkpoint_quantization", "trt.execution"),
        reason="it names what the PyTorch execution reads from a checkpoint, and here TensorRT "
        "builds",
        hint="Use trt.quantization.",
        violated=_checkpoint_quantised_and_built,
    ),
    Rule(
        name="trt-shape-is-not-quantised",
        fields=("trt.checkpoint_quantization", "model.id"),
        reason="an embedded shape has no quantised checkpoint",
        hint="Remove it, or name a quantised checkpoint with model.id.",
        violated=_shape_of_a_quantised_checkpoint,
    ),
)
"""Rules about models and engines."""
