"""The backend's declaration, and its hints for errors."""

import pytest

from llem.api.capability import Capability, Support
from llem.schema.decoder import DecoderConfig
from llem_trt import plugin


def test_every_claim_says_that_nothing_has_run_on_hardware():
    info = plugin.llem_capabilities()
    assert info.claims.keys() == set(Capability)
    levels = {claim.level for claim in info.claims.values()}
    assert levels == {Support.NO, Support.PARTIAL}
    for claim in info.claims.values():
        assert claim.level is Support.NO or "not run on hardware" in claim.note
    assert "not run on hardware" in info.summary


def test_the_way_to_the_engine_names_both_command_and_container():
    install = plugin.llem_capabilities().engine.install
    assert 'pip install "llem-trt[engine]"' in install
    assert "container" in install


def test_decoder_parameters_exist():
    assert plugin.llem_capabilities().decoder_parameters < DecoderConfig.model_fields.keys()


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB", "free_gpu_memory_fraction"),
        (
            "The sum of prompt length (9000), query length (0) should not exceed max_num_tokens",
            "max_num_tokens",
        ),
        ("Only 1 GPUs are available, but 4 are required.", "CUDA_VISIBLE_DEVICES"),
        ("LLM got invalid argument: knob", "llem audit trt"),
        ("1 validation error for KvCacheConfig: Extra inputs are not permitted", "llem audit trt"),
        ("Speculation type Medusa does not support backend pytorch", "trt.speculation.method"),
        ("libmpi.so.40: cannot open shared object file", "MPI"),
        ("libnvinfer.so.10: cannot open shared object file", "container"),
        (
            "the plan is for TensorRT-LLM 1.3, and 1.2.1 is installed",
            "trt.surface",
        ),
    ],
)
def test_known_errors_have_a_hint(message, hint):
    assert hint in plugin.llem_explain_error("RuntimeError", message)


def test_unknown_errors_have_none():
    assert plugin.llem_explain_error("ValueError", "something else") is None
