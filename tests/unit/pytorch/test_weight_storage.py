"""Weights in each form they are stored in, against a count of the storages that exist."""

import gc
import importlib

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    GptOssConfig,
    GptOssForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    QuantoConfig,
    TorchAoConfig,
)

from llem.api.session import Request
from llem.api.weight_storage import cache_value_bytes, holds_packed_weights, weights_bytes
from llem_pytorch.runtime.facts import model_facts, parameter_count


def storages():
    """Return the bytes of every storage that a living tensor has, by address."""
    gc.collect()
    found = {}
    for item in gc.get_objects():
        if issubclass(type(item), torch.Tensor):
            for tensor in plain(item):
                if isinstance(tensor, FakeTensor):  # left over by torch.compile; it has no memory
                    continue
                storage = tensor.untyped_storage()
                found[storage.data_ptr()] = storage.nbytes()
    return found


def plain(tensor):
    if not hasattr(tensor, "__tensor_flatten__"):
        return [tensor]
    names, _ = tensor.__tensor_flatten__()
    return [leaf for name in names for leaf in plain(getattr(tensor, name))]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return a folder with a small Llama in bfloat16, and its number of weights."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    folder = tmp_path_factory.mktemp("checkpoint")
    model.save_pretrained(folder)
    return folder, sum(weight.numel() for weight in model.parameters())


def torchao(name):
    return TorchAoConfig(getattr(importlib.import_module("torchao.quantization"), name)())


METHODS = {
    "bfloat16": ("torch", lambda: None),
    "int8": ("bitsandbytes", lambda: BitsAndBytesConfig(load_in_8bit=True)),
    "nf4": (
        "bitsandbytes",
        lambda: BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4"),
    ),
    "fp4 in bfloat16": (
        "bitsandbytes",
        lambda: BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_storage=torch.bfloat16),
    ),
    "nf4, doubly": (
        "bitsandbytes",
        lambda: BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True
        ),
    ),
    "quanto int8": ("optimum.quanto", lambda: QuantoConfig(weights="int8")),
    "quanto int4": ("optimum.quanto", lambda: QuantoConfig(weights="int4")),
    "quanto int2": ("optimum.quanto", lambda: QuantoConfig(weights="int2")),
    "quanto float8": ("optimum.quanto", lambda: QuantoConfig(weights="float8")),
    "torchao int8": ("torchao", lambda: torchao("Int8WeightOnlyConfig")),
    "torchao float8": ("torchao", lambda: torchao("Float8WeightOnlyConfig")),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_quantized_model_has_its_weights_and_the_bytes_of_its_storages(method, checkpoint):
    package, config = METHODS[method]
    pytest.importorskip(package)
    folder, weights = checkpoint

    def load():
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.bfloat16, quantization_config=config()
        )

    load()  # a library makes tables of its own at the first use
    before = storages()
    model = load()
    held = sum(size for at, size in storages().items() if at not in before)
    facts = model_facts(model)
    assert facts.weights_bytes == pytest.approx(held, rel=0.01)
    assert facts.parameters == weights
    assert (facts.weights_bytes < 2 * weights) == (method != "bfloat16")


@pytest.mark.parametrize(
    ("scheme", "form"), [("W4A16", "pack-quantized"), ("FP8_DYNAMIC", "float-quantized")]
)
def test_a_checkpoint_of_compressed_tensors(scheme, form, checkpoint, tmp_path):
    compressed_checkpoint(checkpoint[0], tmp_path, scheme, form)
    before = storages()
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    held = sum(size for at, size in storages().items() if at not in before)
    assert holds_packed_weights(model)
    assert weights_bytes(model) == pytest.approx(held, rel=0.01)
    assert parameter_count(model) == checkpoint[1]


def compressed_checkpoint(source, folder, scheme, form):
    """Write the model of ``source`` as compressed-tensors packs it."""
    quantization = pytest.importorskip("compressed_tensors.quantization")
    from compressed_tensors.compressors import ModelCompressor
    from compressed_tensors.quantization.utils import calculate_qparams

    model = LlamaForCausalLM.from_pretrained(source)
    quantization.apply_quantization_config(
        model,
        quantization.QuantizationConfig(
            config_groups={scheme: ["Linear"]},
            ignore=["lm_head"],
            format=form,
            quantization_status="frozen",
        ),
    )
    for module in model.modules():
        if getattr(module, "quantization_scheme", None) is not None:
            settings, weight = module.quantization_scheme.weights, module.weight
            groups = weight.reshape(weight.shape[0], -1, settings.group_size or weight.shape[1])
            scale, _ = calculate_qparams(groups.amin(-1), groups.amax(-1), settings)
            module.weight_scale.data.copy_(scale.reshape(module.weight_scale.shape))
    compressor = ModelCompressor.from_pretrained_model(model)
    compressor.compress_model(model)
    model.save_pretrained(folder)
    compressor.update_config(folder)


class PackedLinear(torch.nn.Module):
    """A linear layer as GPTQ and AWQ store it: no parameter, four buffers, 4 bits a weight."""

    def __init__(self, layer):
        super().__init__()
        rows, columns = layer.in_features, layer.out_features
        groups = rows // 32
        self.register_buffer("qweight", torch.zeros(rows // 8, columns, dtype=torch.int32))
        self.register_buffer("qzeros", torch.zeros(groups, columns // 8, dtype=torch.int32))
        self.register_buffer("scales", torch.zeros(groups, columns, dtype=torch.float16))
        self.register_buffer("g_idx", torch.zeros(rows, dtype=torch.int32))
        self.bytes = rows * columns // 2 + groups * columns // 2 + 2 * groups * columns + 4 * rows


def test_weights_in_buffers_are_weights(checkpoint):
    model = LlamaForCausalLM.from_pretrained(checkpoint[0])
    packed = 0
    for layer in model.model.layers:
        for part in (layer.self_attn, layer.mlp):
            for name, linear in list(part.named_children()):
                if isinstance(linear, torch.nn.Linear):
                    replacement = PackedLinear(linear)
                    packed += replacement.bytes
                    setattr(part, name, replacement)
    rest = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    assert weights_bytes(model) == packed + rest
    assert parameter_count(model) == checkpoint[1]


def test_blocks_of_mxfp4():
    from transformers.integrations.mxfp4 import Mxfp4GptOssExperts

    config = GptOssConfig(
        vocab_size=64,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        num_local_experts=4,
    )
    model = GptOssForCausalLM(config)
    weights = sum(weight.numel() for weight in model.parameters())
    experts = model.model.layers[0].mlp
    experts.experts = Mxfp4GptOssExperts(config)
    held = sum(weight.untyped_storage().nbytes() for weight in model.state_dict().values())
    assert weights_bytes(model) == held
    assert parameter_count(model) == weights


def test_tables_of_a_plain_model_are_no_weights():
    """A causal mask and a table of positions are buffers, and no linear layer holds them."""
    model = torch.nn.Linear(4, 4, bias=False)
    model.register_buffer("mask", torch.ones(64, 64, dtype=torch.bool))
    model.register_buffer("positions", torch.arange(64)[None])
    assert not holds_packed_weights(model)
    assert weights_bytes(model) == 64


def test_memory_that_layers_share_counts_once():
    model = torch.nn.ModuleList([torch.nn.Linear(8, 8, bias=False) for _ in range(2)])
    model[1].weight = torch.nn.Parameter(model[0].weight.data[2:6])
    assert weights_bytes(model) == 8 * 8 * 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto", "model"),
        ("fp8", 1),
        ("fp8_e4m3", 1),
        ("FP8", 1),
        ("torch.float8_e4m3fn", 1),
        ("nvfp4", 0.5625),
        ("bfloat16", 2),
        ("torch.float32", 4),
        ("turboquant_k8v4", "unknown"),
    ],
)
def test_a_value_of_a_cache_takes_the_bytes_of_its_type(name, expected):
    assert cache_value_bytes(name) == expected


@pytest.mark.parametrize(
    ("settings", "least"), [({"nbits": 4}, 0.5), ({"nbits": 2, "q_group_size": 32}, 0.25)]
)
def test_a_value_of_a_quantized_cache_takes_its_bits_and_its_share_of_a_scale(
    settings, least, checkpoint, opened
):
    """Each group has a scale and a shift, in the type in which the model computes: 2 bytes each."""
    pytest.importorskip("optimum.quanto")
    session, _ = opened(
        model={"id": str(checkpoint[0]), "dtype": "bfloat16"},
        pytorch={
            "cache_implementation": "quantized",
            "cache_config": {"backend": "quanto", **settings},
        },
    )
    session.prepare([Request(0, list(range(10)), 3)])
    session.run()
    observation = session.observe()
    group = settings.get("q_group_size", 64)
    assert observation.kv_bytes_per_value == pytest.approx(least + 4 / group, rel=0.01)
    assert observation.effective["generate.cache_nbits"] == settings["nbits"]
    assert observation.effective["generate.cache_residual_length"] == 128


def test_a_value_of_a_plain_cache_takes_the_bytes_of_what_it_holds(checkpoint, opened):
    session, _ = opened(model={"id": str(checkpoint[0]), "dtype": "bfloat16"})
    session.prepare([Request(0, list(range(10)), 3)])
    session.run()
    assert session.observe().kv_bytes_per_value == 2
