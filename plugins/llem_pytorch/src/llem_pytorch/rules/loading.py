"""What cannot be loaded together."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_pytorch.config import PyTorchFields

READING_FIELDS = ("device_map", "disable_mmap", "use_kernels", "distributed")
"""Fields that act while weights are read."""


GROUPED_TORCHAO_TYPES = ("Int4WeightOnlyConfig", "Int8WeightOnlyConfig")
"""Types of torchao whose weights share scales in groups of a chosen size."""


def _flash_attention_in_float32(experiment: Experiment, section: PyTorchFields) -> bool:
    return section.asks_for_flash_attention and experiment.model.dtype == "float32"


def _flash_attention_on_cpu(experiment: Experiment, section: PyTorchFields) -> bool:
    return section.asks_for_flash_attention and section.device == "cpu"


def _quantized_random_weights(experiment: Experiment, section: PyTorchFields) -> bool:
    return section.quantizes and experiment.model.random_weights


def _skipping_modules_of_nothing(experiment: Experiment, section: PyTorchFields) -> bool:
    return bool(section.llm_int8_skip_modules) and not (
        section.load_in_4bit or section.load_in_8bit
    )


def _ungrouped_torchao_type(experiment: Experiment, section: PyTorchFields) -> bool:
    chosen = section.quantization
    if chosen is None or chosen.method != "torchao" or chosen.group_size is None:
        return False
    return chosen.quant_type not in (None, *GROUPED_TORCHAO_TYPES)


def _gguf_on_disk(experiment: Experiment, section: PyTorchFields) -> bool:
    places = section.device_map
    on_disk = isinstance(places, dict) and "disk" in places.values()
    return on_disk and experiment.model.gguf_file is not None


def _trusting_no_kernels(experiment: Experiment, section: PyTorchFields) -> bool:
    loads_some = section.use_kernels or "/" in (section.attn_implementation or "")
    return bool(section.allow_all_kernels) and not loads_some


def _compiled_in_pieces(experiment: Experiment, section: PyTorchFields) -> bool:
    places = section.device_map
    offloaded = isinstance(places, dict) and not {"cpu", "disk"}.isdisjoint(places.values())
    return bool(section.torch_compile) and offloaded


def _acting_on_reading(name: str) -> Rule[PyTorchFields]:
    """Return the rule that refuses a field of reading where random weights are not read."""

    def violated(experiment: Experiment, section: PyTorchFields) -> bool:
        return acts(experiment, f"pytorch.{name}") and experiment.model.random_weights

    return Rule(
        name=f"{name.replace('_', '-')}-needs-pretrained-weights",
        fields=(f"pytorch.{name}", "model.weights"),
        reason="it acts while transformers reads weights, and random ones are not read",
        hint=f"Remove pytorch.{name}, or use a model with pretrained weights.",
        violated=violated,
    )


RULES = (
    Rule(
        name="flash-attention-needs-half-precision",
        fields=("pytorch.attn_implementation", "model.dtype"),
        reason="flash attention kernels exist for float16 and bfloat16 only",
        hint="Set model.dtype to bfloat16 or float16, or pytorch.attn_implementation to sdpa.",
        violated=_flash_attention_in_float32,
    ),
    Rule(
        name="flash-attention-needs-cuda",
        fields=("pytorch.attn_implementation", "pytorch.device"),
        reason="flash attention kernels run on CUDA devices only",
        hint="Set pytorch.attn_implementation to sdpa, or pytorch.device to cuda.",
        violated=_flash_attention_on_cpu,
    ),
    *map(_acting_on_reading, READING_FIELDS),
    Rule(
        name="quantization-needs-pretrained-weights",
        fields=(
            "pytorch.load_in_4bit",
            "pytorch.load_in_8bit",
            "pytorch.quantization",
            "model.weights",
        ),
        reason="transformers quantizes while it reads weights, and random ones are not read",
        hint="Use a model with pretrained weights, or no quantization.",
        violated=_quantized_random_weights,
    ),
    Rule(
        name="skipped-modules-need-quantization",
        fields=(
            "pytorch.llm_int8_skip_modules",
            "pytorch.load_in_4bit",
            "pytorch.load_in_8bit",
        ),
        reason="bitsandbytes quantizes no module that could be left out",
        hint="Set pytorch.load_in_4bit or pytorch.load_in_8bit to true, or remove it.",
        violated=_skipping_modules_of_nothing,
    ),
    Rule(
        name="torchao-group-size-needs-groups",
        fields=("pytorch.quantization.group_size", "pytorch.quantization.quant_type"),
        reason="this type has no groups of a chosen size",
        hint="Use Int4WeightOnlyConfig or Int8WeightOnlyConfig, or remove it.",
        violated=_ungrouped_torchao_type,
    ),
    Rule(
        name="gguf-file-stays-off-disk",
        fields=("pytorch.device_map", "model.gguf_file"),
        reason="transformers cannot offload a GGUF file to disk",
        hint="Place its modules on devices or cpu.",
        violated=_gguf_on_disk,
    ),
    Rule(
        name="allowed-kernels-are-loaded",
        fields=(
            "pytorch.allow_all_kernels",
            "pytorch.use_kernels",
            "pytorch.attn_implementation",
        ),
        reason="no kernel of the hub is asked for",
        hint="Set pytorch.use_kernels or name a hub kernel, or remove it.",
        violated=_trusting_no_kernels,
    ),
    Rule(
        name="compiled-model-is-not-offloaded",
        fields=("pytorch.torch_compile", "pytorch.device_map"),
        reason="torch.compile fails on weights that are offloaded to cpu or disk",
        hint="Set pytorch.torch_compile to false, or keep the model on devices.",
        violated=_compiled_in_pieces,
        excludes=("pytorch.device_map",),
    ),
)
"""Rules over loading."""
