"""Models that TensorRT-LLM can load."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_trt.config import TrtFields


def _built_engine_to_be_quantized(experiment: Experiment, section: TrtFields) -> bool:
    return section.engine_path is not None and acts(experiment, "trt.quantization")


def _built_engine_with_random_weights(experiment: Experiment, section: TrtFields) -> bool:
    return section.engine_path is not None and (
        experiment.model.weights == "random" or experiment.model.is_shape
    )


def _built_engine_of_a_dtype(experiment: Experiment, section: TrtFields) -> bool:
    return section.engine_path is not None and experiment.model.dtype not in (
        None,
        "auto",
    )


def _checkpoint_quantized_and_built(experiment: Experiment, section: TrtFields) -> bool:
    return section.is_legacy and section.checkpoint_quantization is not None


def _shape_of_a_quantized_checkpoint(experiment: Experiment, section: TrtFields) -> bool:
    algorithm = section.checkpoint_quantization
    return experiment.model.is_shape and algorithm not in (None, "NO_QUANT")


def _sparse_attention_without_algorithm(experiment: Experiment, section: TrtFields) -> bool:
    sparse = section.sparse_attention
    given = acts(experiment, "trt.sparse_attention")
    return given and sparse is not None and sparse.algorithm is None


MODEL_RULES: tuple[Rule[TrtFields], ...] = (
    Rule(
        name="trt-reads-no-gguf",
        fields=("model.gguf_file",),
        reason="TensorRT-LLM has no loader for GGUF files",
        hint="Use the original checkpoint.",
        violated=lambda experiment, section: experiment.model.gguf_file is not None,
    ),
    Rule(
        name="trt-has-no-float32",
        fields=("model.dtype",),
        reason="TensorRT-LLM's attention kernels exist for float16 and bfloat16 only",
        hint="Set model.dtype to bfloat16 or float16.",
        violated=lambda experiment, section: experiment.model.dtype == "float32",
    ),
    Rule(
        name="trt-engine-is-quantized-already",
        fields=("trt.quantization", "trt.engine_path"),
        reason="a built engine has its quantization and would ignore the setting",
        hint="Remove trt.quantization, or trt.engine_path to build an engine.",
        violated=_built_engine_to_be_quantized,
        excludes=("trt.engine_path",),
    ),
    Rule(
        name="trt-engine-has-weights",
        fields=("trt.engine_path", "model.weights", "model.id"),
        reason="a built engine has weights, and the experiment requests random ones",
        hint="Remove trt.engine_path, or name the engine's checkpoint with model.id.",
        violated=_built_engine_with_random_weights,
    ),
    Rule(
        name="trt-engine-has-a-dtype",
        fields=("model.dtype", "trt.engine_path"),
        reason="a built engine has its data type and would ignore the setting",
        hint="Remove model.dtype.",
        violated=_built_engine_of_a_dtype,
        excludes=("trt.engine_path",),
    ),
    Rule(
        name="trt-checkpoint-quantization-is-read-back",
        fields=("trt.checkpoint_quantization", "trt.execution"),
        reason="it names the quantization that the PyTorch execution reads from a checkpoint, and "
        "the TensorRT execution builds its own",
        hint="Use trt.quantization.",
        violated=_checkpoint_quantized_and_built,
    ),
    Rule(
        name="trt-shape-is-not-quantized",
        fields=("trt.checkpoint_quantization", "model.id"),
        reason="an embedded shape has no quantized checkpoint",
        hint="Remove it, or name a quantized checkpoint with model.id.",
        violated=_shape_of_a_quantized_checkpoint,
    ),
    Rule(
        name="trt-sparse-attention-needs-an-algorithm",
        fields=("trt.sparse_attention.algorithm",),
        reason="sparse attention needs an algorithm",
        hint="Set it, or remove trt.sparse_attention.",
        violated=_sparse_attention_without_algorithm,
    ),
)
"""Rules about models and engines."""
