"""Experiments of the PyTorch backend, and small models to run them on."""

import json
import shutil

import pytest

from llem.schema.experiment import Experiment
from llem.workload.shape_folder import write_shape
from llem_pytorch.kwargs import plan_calls
from llem_pytorch.section import PyTorchConfig


class PyTorchExperiment(Experiment):
    """What core derives for this backend."""

    backend: str = "pytorch"
    pytorch: PyTorchConfig = PyTorchConfig()


@pytest.fixture(scope="session")
def experiment():
    """Return a function that validates an experiment from its sections."""

    def experiment(**sections):
        return PyTorchExperiment.model_validate(
            {"model": {"id": "folder", "weights": "pretrained"}, **sections}
        )

    return experiment


@pytest.fixture(scope="session")
def build():
    """Return the function that builds the plan of an experiment."""
    return plan_calls


@pytest.fixture(scope="session")
def plan(experiment):
    """Return a function that builds the plan of an experiment from its sections."""
    return lambda **sections: plan_calls(experiment(**sections))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """Return a folder with a tiny pretrained model whose greedy text varies from step to step."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("model")
    for file in write_shape("shape:tiny").glob("tokenizer*"):
        shutil.copy(file, folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=259,  # the tokenizer's 256 bytes and three special tokens
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.5,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def ending_at(model_folder, tmp_path):
    """Return a function that copies the model with another EOS id in its generation config."""

    def ending_at(eos_id):
        folder = shutil.copytree(model_folder, tmp_path / f"eos-{eos_id}")
        file = folder / "generation_config.json"
        settings = json.loads(file.read_text()) | {"eos_token_id": eos_id}
        file.write_text(json.dumps(settings))
        return folder

    return ending_at


@pytest.fixture
def opened(plan):
    """Return a function that opens a session for sections, closed after the test."""
    from llem_pytorch.runtime.session import PyTorchSession

    sessions = []

    def opened(**sections):
        session = PyTorchSession()
        sessions.append(session)
        return session, session.open(plan(**sections))

    yield opened
    for session in sessions:
        session.close()
