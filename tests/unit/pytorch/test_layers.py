"""The layers show whether weights are quantized, in whichever way they came to be so."""

import json
import shutil

import pytest

from llem.api.session import Request

pytestmark = pytest.mark.engine

BLOCK = 32
"""Rows and columns of a weight that share a scale, as the checkpoint of the tests has them."""


@pytest.fixture
def fp8_folder(model_folder, tmp_path):
    """Return a checkpoint whose linear weights are stored in FP8, with their scales."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(model_folder, tmp_path / "fp8")
    stored = {}
    for name, weight in load_file(folder / "model.safetensors").items():
        if not name.endswith("_proj.weight"):
            stored[name] = weight
            continue
        rows, columns = weight.shape
        stored[name] = weight.to(torch.float8_e4m3fn)
        stored[f"{name}_scale_inv"] = torch.ones(rows // BLOCK, columns // BLOCK)
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {
        "quant_method": "fp8",
        "activation_scheme": "dynamic",
        "weight_block_size": [BLOCK, BLOCK],
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("section", "codes"),
    [
        ({}, {"quantization-not-applied"}),
        ({"quantization": {"method": "fp8"}}, {"quantization-not-applied"}),
        ({"quantization": {"method": "fp8", "dequantize": True}}, set()),
    ],
)
def test_a_checkpoint_unpacked_for_want_of_kernels_is_told(opened, fp8_folder, section, codes):
    session, _ = opened(model={"id": str(fp8_folder)}, pytorch={**section, "device": "cpu"})
    session.prepare([Request(0, [10, 20, 30], 2)])
    session.run()
    observed = session.observe()
    assert observed.reasons.keys() == codes
    assert observed.effective["load.linear_layers"] == {"Linear[float32]": 15}


def test_packed_layers_and_experts_count_as_quantized():
    import torch
    from transformers import GptOssConfig
    from transformers.integrations.mxfp4 import Mxfp4GptOssExperts

    from llem_pytorch.runtime.layers import is_quantized, linear_layers

    class PackedLinear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("qweight", torch.zeros(2, 2, dtype=torch.int32))

    small = GptOssConfig(hidden_size=32, intermediate_size=32, num_local_experts=2)
    dense = torch.nn.Linear(2, 2)
    packed = torch.nn.ModuleList([dense, PackedLinear()])
    experts = torch.nn.ModuleList([dense, Mxfp4GptOssExperts(small)])
    assert linear_layers(packed) == {"Linear[float32]": 1, "PackedLinear[int32]": 1}
    assert linear_layers(experts) == {"Linear[float32]": 1, "Mxfp4GptOssExperts": 1}
    assert is_quantized(packed)
    assert is_quantized(experts)
    assert not is_quantized(torch.nn.ModuleList([dense]))
