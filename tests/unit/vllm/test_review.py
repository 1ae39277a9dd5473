"""Findings of the machine and the model's files against an experiment."""

import json

import pytest

from llem.api.capability import Gpu, HostInfo
from llem.config.rule_checks import unmet_conditions
from llem_vllm.review import review

MODEL = {
    "model_type": "llama",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "vocab_size": 49152,
    "max_position_embeddings": 8192,
}


def host(*gpus):
    return HostInfo("Linux", "CPU", 8, 2**34, gpus)


def gpu(capability):
    return Gpu("GPU-1", "A GPU", 2**34, capability)


@pytest.fixture
def folder(tmp_path):
    def folder(**changes):
        (tmp_path / "config.json").write_text(json.dumps({**MODEL, **changes}))
        return {"id": str(tmp_path), "weights": "pretrained"}

    return folder


def findings(experiment, facts, **sections):
    return [
        (finding.code, finding.severity, finding.path)
        for finding in (
            *unmet_conditions(experiment(**sections), facts),
            *review(experiment(**sections), facts),
        )
    ]


@pytest.mark.parametrize(
    ("section", "changes", "finding"),
    [
        (
            {"tensor_parallel_size": 2},
            {},
            ("heads-not-divisible", "error", "vllm.tensor_parallel_size"),
        ),
        (
            {"max_model_len": 8193},
            {},
            ("context-longer-than-model", "error", "vllm.max_model_len"),
        ),
        (
            {"enable_expert_parallel": True},
            {},
            ("no-experts", "error", "vllm.enable_expert_parallel"),
        ),
        (
            {"quantization": "awq"},
            {},
            ("checkpoint-not-quantized", "error", "vllm.quantization"),
        ),
        ({"tensor_parallel_size": 3}, {}, None),
        ({"max_model_len": 8192}, {}, None),
        ({"max_model_len": 8193}, {"rope_scaling": {"type": "yarn"}}, None),
        ({"enable_expert_parallel": True}, {"num_local_experts": 8}, None),
        ({"quantization": "awq"}, {"quantization_config": {"quant_method": "awq"}}, None),
        ({"quantization": "fp8"}, {}, None),
        ({"max_model_len": 8192}, {"rope_parameters": None}, None),
        (
            {"max_model_len": 8193},
            {"rope_parameters": None},
            ("context-longer-than-model", "error", "vllm.max_model_len"),
        ),
        ({"max_model_len": 9000}, {"rope_parameters": {"full_attention": {"factor": 8}}}, None),
        (
            {"tensor_parallel_size": 5},
            {"num_attention_heads": None, "n_head": 12},
            ("heads-not-divisible", "error", "vllm.tensor_parallel_size"),
        ),
        (
            {"max_model_len": 1025},
            {"max_position_embeddings": None, "n_positions": 1024},
            ("context-longer-than-model", "error", "vllm.max_model_len"),
        ),
        (
            {"tensor_parallel_size": 3},
            {"text_config": {"num_attention_heads": 8}},
            ("heads-not-divisible", "error", "vllm.tensor_parallel_size"),
        ),
        ({"enable_expert_parallel": True}, {"ffn_config": {"moe_num_experts": 16}}, None),
        ({"quantization": "compressed-tensors"}, {"compression_config": {"format": "int"}}, None),
        (
            {"quantization": "awq"},
            {"text_config": {"quantization_config": {"quant_method": "awq"}}},
            None,
        ),
    ],
)
def test_the_files_of_the_model(experiment, folder, section, changes, finding):
    found = findings(experiment, host(), model=folder(**changes), vllm=section)
    assert found == ([finding] if finding else [])


@pytest.mark.parametrize(
    ("method", "file"),
    [
        ("modelopt", "hf_quant_config.json"),
        ("gptq", "quantize_config.json"),
        ("awq", "quant_config.json"),
    ],
)
def test_quantization_may_be_described_in_a_file_of_its_own(
    experiment, folder, tmp_path, method, file
):
    model = folder()
    (tmp_path / file).write_text("{}")
    assert findings(experiment, host(), model=model, vllm={"quantization": method}) == []


def test_a_longer_context_is_allowed_on_request(experiment, folder):
    runner = {"env": {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}}
    (finding,) = findings(
        experiment, host(), model=folder(), vllm={"max_model_len": 9000}, runner=runner
    )
    assert finding[:2] == ("context-longer-than-model", "warning")


def test_a_broken_file_is_left_to_the_engine(experiment, tmp_path):
    (tmp_path / "config.json").write_text("{")
    section = {"tensor_parallel_size": 2}
    assert findings(experiment, host(), model={"id": str(tmp_path)}, vllm=section) == []


@pytest.mark.parametrize(
    ("gpus", "sections", "finding"),
    [
        (
            [gpu((8, 0))],
            {"vllm": {"tensor_parallel_size": 2, "pipeline_parallel_size": 2}},
            ("too-few-gpus", "error", "vllm.tensor_parallel_size"),
        ),
        (
            [],
            {"vllm": {"enable_cumem_allocator": True}},
            ("too-few-gpus", "error", "vllm.enable_cumem_allocator"),
        ),
        (
            [gpu((7, 5))],
            {"model": {"id": "m", "dtype": "bfloat16"}},
            ("compute-capability", "error", "model.dtype"),
        ),
        (
            [gpu((8, 0))],
            {"vllm": {"kv_cache_dtype": "fp8"}},
            ("emulated", "warning", "vllm.kv_cache_dtype"),
        ),
        ([gpu((9, 0))], {"vllm": {"kv_cache_dtype": "fp8"}}, None),
        ([gpu((8, 0))] * 4, {"vllm": {"tensor_parallel_size": 4}}, None),
        ([], {"vllm": {"tensor_parallel_size": 2}}, None),
    ],
)
def test_the_devices_of_the_machine(experiment, gpus, sections, finding):
    assert findings(experiment, host(*gpus), **sections) == ([finding] if finding else [])
