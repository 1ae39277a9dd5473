"""What became of the parameters of quantization."""

from __future__ import annotations

from llem.api.parameter_audit import Surface
from llem_pytorch.config.quantization import METHODS

_AT = ("load.quantization_config",)
_WRITTEN = "written by the tool that quantized a checkpoint; loading reads it from there"
_CALIBRATION = "a detail of calibrating, fixed at its default"
_CHECKPOINT = "only loads checkpoints quantized before, whose own config says everything"

SURFACES = (
    Surface(
        name="methods of quantization",
        at=("load.quantization_config.quant_method",),
        owned={
            "bitsandbytes_4bit": "pytorch.load_in_4bit",
            "bitsandbytes_8bit": "pytorch.load_in_8bit",
            "gguf": "model.gguf_file",
            **dict.fromkeys(METHODS, "a value of pytorch.quantization.method"),
        },
        excluded={
            "aqlm": _CHECKPOINT,
            "auto-round": _CHECKPOINT,
            "bitnet": _CHECKPOINT,
            "gemma": _CHECKPOINT,
            "quark": _CHECKPOINT,
            "spqr": _CHECKPOINT,
            "vptq": _CHECKPOINT,
            "eetq": "int8 weights by a package that torchao and bitsandbytes have replaced",
            "fbgemm_fp8": "FP8 weights by a package that torchao has replaced",
            "fouroversix": "experimental kernels of one research paper",
            "fp_quant": "NVFP4 and MXFP4 by kernels of one research group, made for training",
            "higgs": "needs kernels compiled for each model",
            "metal": "Apple's GPUs, which llem cannot meter",
            "mxfp8": "the class of fp8 under a second name",
            "nvfp4": "needs a Blackwell GPU and a checkpoint or kernels that are not public yet",
            "sinq": "experimental; needs a package that is not on the index",
        },
    ),
    Surface(
        name="transformers.BitsAndBytesConfig",
        at=_AT,
    ),
    Surface(
        name="transformers.GPTQConfig",
        at=_AT,
        excluded={
            "block_name_to_quantize": _CALIBRATION,
            "cache_block_outputs": _CALIBRATION,
            "meta": _WRITTEN,
            "module_name_preceding_first_block": _CALIBRATION,
            "modules_in_block_to_quantize": _CALIBRATION,
            "pad_token_id": _CALIBRATION,
        },
    ),
    Surface(name="transformers.AwqConfig", at=_AT),
    Surface(name="transformers.TorchAoConfig", at=_AT),
    Surface(
        name="transformers.HqqConfig",
        at=_AT,
        excluded={
            "dynamic_config": "settings of single layers, which make no comparable experiment",
            "view_as_float": "another view of the same bits, for distributed training",
        },
    ),
    Surface(
        name="transformers.QuantoConfig",
        at=_AT,
        excluded={"activations": "transformers refuses it: quanto would have to be calibrated"},
    ),
    Surface(
        name="transformers.FineGrainedFP8Config",
        at=_AT,
        excluded={
            "expert_dtype": _WRITTEN,
            "modules_to_convert": "what is left out is named by modules_to_not_convert",
            "scale_fmt": _WRITTEN,
        },
    ),
    Surface(name="transformers.Mxfp4Config", at=_AT),
    Surface(
        name="transformers.CompressedTensorsConfig",
        at=_AT,
        excluded={
            "config_groups": _WRITTEN,
            "format": _WRITTEN,
            "global_compression_ratio": _WRITTEN,
            "ignore": _WRITTEN,
            "kv_cache_scheme": _WRITTEN,
            "quant_method": _WRITTEN,
            "quantization_status": _WRITTEN,
            "run_compressed": "deprecated; the opposite of dequantize",
            "use_optimized_inference": "FP8 kernels of a package of its own, not on the index",
        },
    ),
)
"""Surfaces of quantization."""
