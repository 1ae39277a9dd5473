"""The object that says how weights are quantised."""

from __future__ import annotations

from llem.schema.call_plan import Construct
from llem.schema.experiment import Experiment
from llem_pytorch.config.quantization import METHODS
from llem_pytorch.kwargs.placed import Arguments
from llem_pytorch.section import section_of


def quantization_config(experiment: Experiment, arguments: Arguments) -> Construct | None:
    """Return the quantisation of ``experiment`` as an object to build, if it has any.

    Args:
        experiment: The experiment.
        arguments: What its fields say, by the name of the object's parameter.
    """
    section, model = section_of(experiment), experiment.model
    if model.gguf_file is not None:
        # Packed blocks would run on kernels fetched from the hub, or on whatever stands in.
        return Construct("transformers.GgufConfig", {"dequantize": True})
    if section.load_in_4bit or section.load_in_8bit:
        switches = ("load_in_4bit", "load_in_8bit")
        kept = {k: v for k, v in arguments.items() if v or k not in switches}
        return Construct("transformers.BitsAndBytesConfig", kept)
    if section.quantization is None:
        return None
    method = section.quantization.method
    if method == "torchao":
        arguments = {**arguments, "quant_type": _torchao_type(experiment)}
    if method == "gptq":
        arguments = {"bits": 4, **arguments}
        if "dataset" in arguments:
            # Calibration encodes its texts with the model's tokenizer.
            arguments["tokenizer"] = model.tokenizer or model.id
    return Construct(METHODS[method], arguments)


def _torchao_type(experiment: Experiment) -> Construct:
    quantization = section_of(experiment).quantization
    assert quantization is not None
    assert quantization.method == "torchao"
    size = quantization.group_size
    return Construct(
        f"torchao.quantization.{quantization.quant_type or 'Int8WeightOnlyConfig'}",
        {} if size is None else {"group_size": size},
    )
