"""What the backend says about a machine, and about its engine's errors."""

import json
from importlib.metadata import PackageNotFoundError

import pytest

from llem.api.capability import Gpu, HostInfo
from llem.config.rule_checks import unmet_conditions
from llem_pytorch import plugin
from llem_pytorch.plugin import llem_explain_error
from llem_pytorch.review import COMPILERS, COMPOSITES


def machine(*capabilities):
    gpus = [
        Gpu(uuid=f"GPU-{number}", name="made up", memory_bytes=2**34, compute_capability=capability)
        for number, capability in enumerate(capabilities)
    ]
    return HostInfo(
        system="Linux", cpu="made up", logical_cores=2, memory_bytes=2**34, gpus=tuple(gpus)
    )


def findings(experiment, facts):
    needs = unmet_conditions(experiment, facts, packages=False)
    found = (*needs, *plugin.llem_preflight(experiment, facts))
    return [(finding.code, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("sections", "facts", "expected"),
    [
        ({}, machine(), []),
        ({"pytorch": {"device": "cuda"}}, machine(), [("too-few-gpus", "error")]),
        ({"pytorch": {"device": "cuda"}}, machine((8, 0)), []),
        (
            {"pytorch": {"attn_implementation": "flash_attention_2"}},
            machine(),
            [("too-few-gpus", "error")],
        ),
        (
            {"pytorch": {"attn_implementation": "flash_attention_3"}},
            machine((8, 0)),
            [("compute-capability", "error")],
        ),
        (
            {"pytorch": {"attn_implementation": "kernels-community/flash-attn2"}},
            machine((7, 5)),
            [("compute-capability", "error")],
        ),
        (
            {"pytorch": {"cache_implementation": "offloaded"}},
            machine(),
            [("too-few-gpus", "error")],
        ),
        (
            {"pytorch": {"quantization": {"method": "fp8"}}},
            machine((8, 0)),
            [("emulated", "warning")],
        ),
        ({"pytorch": {"attn_implementation": "flash_attention_2"}}, machine((8, 6)), []),
        (
            {"model": {"id": "m", "dtype": "float16"}},
            machine(),
            [("float16-on-cpu", "warning")],
        ),
        ({"model": {"id": "m", "dtype": "float16"}}, machine((7, 5)), []),
        (
            {"model": {"id": "m", "dtype": "bfloat16"}},
            machine((7, 5)),
            [("emulated", "warning")],
        ),
        (
            {"model": {"id": "m", "dtype": "bfloat16"}, "pytorch": {"device": "cpu"}},
            machine((7, 5)),
            [],
        ),
        ({"model": {"id": "m", "dtype": "bfloat16"}}, machine(), []),
        (
            {"pytorch": {"batch_size": 8}, "workload": {"requests": 4}},
            machine(),
            [("batch-larger-than-workload", "warning")],
        ),
    ],
)
def test_findings(experiment, sections, facts, expected):
    assert findings(experiment(**sections), facts) == expected


def test_a_finding_names_its_field_and_a_way_out(experiment):
    sections = {"pytorch": {"device": "cuda"}}
    (finding,) = unmet_conditions(experiment(**sections), machine())
    assert finding.message == '"cuda" needs an NVIDIA GPU, and none is visible'
    assert finding.path == "pytorch.device"
    assert finding.hint


@pytest.mark.parametrize(
    ("error_type", "message", "hint"),
    [
        ("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate", "batch_size"),
        (
            "builtins.OSError",
            "You are trying to access a gated repo.\nMake sure to have access to it",
            "HF_TOKEN",
        ),
        (
            "builtins.OSError",
            "We couldn't connect to 'https://huggingface.co' to load the files",
            "hf download",
        ),
        (
            "builtins.OSError",
            "x/y is not a local folder and is not a valid model identifier listed on",
            "model.id",
        ),
        ("ValueError", "requires you to execute ... `trust_remote_code=True`", "trust"),
        ("ImportError", "requires `accelerate`. You can install it", "pip install accelerate"),
        ("ImportError", "FlashAttention2 has been toggled on, but it cannot be used", "sdpa"),
        ("AssertionError", "Torch not compiled with CUDA enabled", "pytorch.device"),
        ("ValueError", "The following `model_kwargs` are not used by the model: ['x']", "passth"),
        ("ModuleNotFoundError", "No module named 'optimum.gptq'", "gptqmodel"),
        ("ImportError", "compressed-tensors>=0.15.0 is required for", "install compressed-tensors"),
        ("ValueError", "MXFP4 quantization requires Triton: CUDA requires", "triton"),
        ("RuntimeError", "A GPU or XPU is needed for FP8 quantization.", "pytorch.device"),
        ("ValueError", "AWQ does require the model to be pre-quantized. You", "model.id"),
        ("ValueError", "Group size (64) must be a divisor of (160)", "q_group_size"),
        ("NotImplementedError", "QuantizationMethod.HQQ is not available yet and", "quanto"),
        ("InductorError", "CppCompileError: C++ compile error", "pytorch.batch_size"),
        ("RuntimeError", "an error without a known cause", None),
    ],
)
def test_errors_are_explained(error_type, message, hint):
    explained = llem_explain_error(error_type, message)
    assert (hint is None) == (explained is None)
    assert hint is None or hint in explained
    assert plugin.llem_explain_error(error_type, message) == explained


@pytest.fixture
def without_packages(monkeypatch):
    """Let torch be installed, and nothing that it can work with."""

    def version(name):
        if name != "torch":
            raise PackageNotFoundError(name)
        return "2.0"

    monkeypatch.setattr("importlib.metadata.version", version)


@pytest.mark.parametrize(
    ("sections", "path", "package"),
    [
        ({"quantization": {"method": "torchao"}}, "pytorch.quantization.method", "torchao"),
        ({"quantization": {"method": "quanto", "weights": "int8"}},
         "pytorch.quantization.method", "optimum-quanto"),
        ({"quantization": {"method": "hqq"}}, "pytorch.quantization.method", "hqq"),
        ({"quantization": {"method": "gptq"}}, "pytorch.quantization.method",
         "optimum and gptqmodel"),
        ({"quantization": {"method": "awq"}}, "pytorch.quantization.method", "gptqmodel"),
        ({"use_kernels": True}, "pytorch.use_kernels", "kernels"),
        ({"cache_implementation": "quantized"}, "pytorch.cache_config.backend", "optimum-quanto"),
        ({"cache_implementation": "quantized", "cache_config": {"backend": "quanto"}},
         "pytorch.cache_config.backend", "optimum-quanto"),
        ({"cache_implementation": "quantized", "cache_config": {"backend": "hqq"}},
         "pytorch.cache_config.backend", "hqq"),
    ],
)  # fmt: skip
def test_a_missing_package_is_found_beforehand(
    experiment, without_packages, sections, path, package
):
    made = experiment(model={"id": "m"}, pytorch=sections)
    found = [*unmet_conditions(made, machine()), *plugin.llem_preflight(made, machine())]
    (error,) = [finding for finding in found if finding.code == "package-missing"]
    assert (error.severity, error.path) == ("error", path)
    assert package in error.message
    assert f"pip install {package.replace(' and ', ' ')}" in error.hint


def test_a_checkpoint_that_is_quantized_needs_its_package(experiment, without_packages, tmp_path):
    config = {"model_type": "llama", "quantization_config": {"quant_method": "awq"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    made = experiment(model={"id": str(tmp_path)})
    assert ("package-missing", "error") in findings(made, machine())
    made = experiment(model={"id": str(tmp_path)}, runner={"python": "/elsewhere"})
    assert findings(made, machine()) == []


@pytest.mark.parametrize(
    "sections",
    [{}, {"use_kernels": False}, {"cache_implementation": "dynamic"},
     {"cache_implementation": "quantized", "cache_config": {"backend": "fp8"}}],
)  # fmt: skip
def test_what_needs_no_package_is_accepted(experiment, without_packages, sections):
    made = experiment(model={"id": "m"}, pytorch=sections)
    assert list(unmet_conditions(made, machine())) == []
    assert ("package-missing", "error") not in findings(made, machine())


@pytest.mark.parametrize("name", sorted(COMPILERS))
def test_a_compiler_of_torch_is_accepted(experiment, name):
    made = experiment(pytorch={"torch_compile": True, "torch_compile_backend": name})
    assert findings(made, machine()) == []


def test_an_unknown_compiler_is_refused_with_the_nearest(experiment):
    for name, hint in (("inductr", "Did you mean inductor?"), ("foo", "Known: aot_eager, ")):
        made = experiment(pytorch={"torch_compile": True, "torch_compile_backend": name})
        (error,) = plugin.llem_preflight(made, machine())
        assert (error.code, error.severity) == ("compiler-unknown", "error")
        assert error.hint.startswith(hint)


def test_the_compilers_are_those_of_the_installed_torch():
    dynamo = pytest.importorskip("torch._dynamo")
    assert "inductor" in dynamo.list_backends()
    assert {name for name in dynamo.list_backends(()) if "TESTING" not in name} <= COMPILERS


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "llama"}, [("dormant-setting", "warning")]),
        ({"model_type": "mixtral", "num_local_experts": 8}, []),
        ({"text_config": {"n_routed_experts": 64}}, []),
        (None, []),
    ],
)
def test_a_kernel_of_experts_is_told_a_dense_model(experiment, tmp_path, config, expected):
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    id = "org/model" if config is None else str(tmp_path)
    made = experiment(model={"id": id}, pytorch={"experts_implementation": "eager"})
    assert findings(made, machine()) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "llava", "text_config": {}, "vision_config": {}}, ["not-a-causal-lm"]),
        ({"model_type": "qwen2_vl", "vision_config": {}, "vocab_size": 8}, ["not-a-causal-lm"]),
        ({"model_type": "gemma3", "text_config": {}, "vision_config": {}}, []),
        ({"model_type": "llama", "vocab_size": 8}, []),
    ],
)
def test_a_model_of_another_auto_class_is_refused(experiment, tmp_path, config, expected):
    (tmp_path / "config.json").write_text(json.dumps(config))
    judged = experiment(model={"id": str(tmp_path), "weights": "random"})
    codes = [finding.code for finding in plugin.llem_preflight(judged, machine())]
    assert [code for code in codes if code == "not-a-causal-lm"] == expected


def test_the_composites_are_those_of_the_installed_transformers():
    auto = pytest.importorskip("transformers.models.auto.modeling_auto")
    from transformers import CONFIG_MAPPING

    names = auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    found = {name for name in names if getattr(CONFIG_MAPPING[name], "sub_configs", None)}
    assert found
    assert found <= COMPOSITES
