"""Errors in vLLM's words, with their hints."""

import pytest

from llem_vllm.plugin import llem_explain_error


@pytest.mark.parametrize(
    ("error_type", "message", "hint"),
    [
        (
            "ValueError",
            "Total number of attention heads (9) must be divisible by tensor parallel size (2).",
            "tensor_parallel_size",
        ),
        (
            "ValueError",
            "User-specified max_model_len (99999) is greater than the derived max_model_len "
            "(max_position_embeddings=8192).",
            "max_model_len",
        ),
        (
            "ValueError",
            "The decoder prompt (length 600) is longer than the maximum model length of 512.",
            "max_input_tokens",
        ),
        (
            "ValueError",
            "To serve at least one request with the models's max seq len (8192), (4.5 GiB KV cache "
            "is needed, which is larger than the available KV cache memory (1.0 GiB).",
            "kv_cache_memory_bytes",
        ),
        ("torch.OutOfMemoryError", "CUDA out of memory.", "gpu_memory_utilization"),
        (
            "vllm.v1.engine.exceptions.EngineDeadError",
            "EngineCore encountered an issue. See stack trace (above) for the root cause.",
            "process of vLLM ended",
        ),
        (
            "llem_vllm.runtime.engine_watch.EngineProcessDied",
            "the engine's process EngineCore ended with exit code -9",
            "process of vLLM ended",
        ),
        (
            "RuntimeError",
            "Engine core initialization failed. See root cause above. Failed core proc(s): {}",
            "process of vLLM ended",
        ),
        (
            "TypeError",
            "EngineArgs.__init__() got an unexpected keyword argument 'new_knob'",
            "passthrough_kwargs",
        ),
        ("ValueError", "Cannot find the config file for awq", "prepared"),
    ],
)
def test_a_known_error_has_a_hint(error_type, message, hint):
    assert hint in llem_explain_error(error_type, message)


def test_an_unknown_error_has_none():
    assert llem_explain_error("ValueError", "an unseen error") is None
