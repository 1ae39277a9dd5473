"""What decides about the quantization of weights besides the fields of its object."""

from __future__ import annotations

from typing import Any

from llem.api import Construct, Experiment
from llem_pytorch.config import PyTorchFields

NAME = "quantization_config"
SWITCHES = ("load_in_4bit", "load_in_8bit")


def quantized(
    arguments: dict[str, dict[str, Any]], experiment: Experiment, section: PyTorchFields
) -> dict[str, dict[str, Any]]:
    """Return ``arguments`` with the quantization that the experiment as a whole asks for.

    Args:
        arguments: What the section's fields set, by call.
        experiment: The experiment.
        section: Its section.
    """
    load = dict(arguments.get("load", {}))
    chosen = _quantization(load.pop(NAME, None), experiment, section)
    if chosen is not None:
        load[NAME] = chosen
    return {**arguments, "load": load}


def _quantization(
    asked: Construct | None, experiment: Experiment, section: PyTorchFields
) -> Construct | None:
    model = experiment.model
    if model.gguf_file is not None:
        # Packed blocks would run on kernels fetched from the hub, or on a replacement for them.
        return Construct("transformers.GgufConfig", {"dequantize": True})
    if asked is None or not section.quantizes:
        return None
    kwargs = dict(asked.kwargs)
    if section.load_in_4bit or section.load_in_8bit:
        # A switch that is off is left out: bitsandbytes refuses to be told of both.
        kept = {name: value for name, value in kwargs.items() if value or name not in SWITCHES}
        return Construct("transformers.BitsAndBytesConfig", kept)
    method = section.quantization
    assert method is not None
    if method.method == "torchao":
        size = method.group_size
        kwargs["quant_type"] = Construct(
            f"torchao.quantization.{method.quant_type or 'Int8WeightOnlyConfig'}",
            {} if size is None else {"group_size": size},
        )
    if method.method == "gptq":
        kwargs.setdefault("bits", 4)
        if "dataset" in kwargs:
            # Calibration encodes its texts with the model's tokenizer.
            kwargs["tokenizer"] = model.tokenizer or model.id
    return Construct(asked.target, kwargs)
