"""What users write into the section of vLLM."""

import pytest

from llem.config.load import load_experiment
from llem.errors import ConfigInvalid
from llem.registry import Registry


def loaded(setting):
    return load_experiment(Registry.discover(), file=None, overrides=[setting], backend="vllm")


def test_a_list_is_a_list():
    section = loaded("vllm.cudagraph_capture_sizes=[1, 2]").experiment.vllm
    assert section.cudagraph_capture_sizes == (1, 2)


def test_a_key_of_an_earlier_version_says_what_took_its_place():
    with pytest.raises(ConfigInvalid, match=r"This key was removed: .*vllm.kv_offloading_size"):
        loaded("vllm.swap_space=2")
