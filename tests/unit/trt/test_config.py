"""The section: bounds, choices, and what is refused by name."""

import pytest
from pydantic import ValidationError

from llem_trt.section import TrtConfig


@pytest.mark.parametrize(
    "section",
    [
        {"max_batch_size": 0},
        {"attn_backend": "eager"},
        {"kv_cache": {"free_gpu_memory_fraction": 1.1}},
        {"kv_cache": {"dtype": "int3"}},
        {"kv_cache_dtype": "fp8"},
        {"speculation": {"method": "guessing"}},
        {"quantization": {"quant_algo": "W3A3"}},
        {"sparse_attention": {"algorithm": "rocket", "page_size": 0}},
        {"sampling": {"beam_width": 0}},
        {"surface": "1.1"},
        {"execution": "autodeploy"},
    ],
)
def test_impossible_values_are_refused(section):
    with pytest.raises(ValidationError):
        TrtConfig.model_validate(section)


def test_the_section_is_none_by_default_and_frozen():
    section = TrtConfig()
    assert section.model_dump(exclude_none=True) == {}
    with pytest.raises(ValidationError):
        section.max_batch_size = 4


def test_every_quantization_algorithm_of_the_engine_can_be_named():
    from typing import get_args

    from llem_trt.hardware import Algorithm
    from llem_trt.reference import classes

    listed = classes("1.2")["tensorrt_llm.llmapi.QuantConfig"]["quant_algo"].choices
    assert set(get_args(Algorithm)) == set(listed)
