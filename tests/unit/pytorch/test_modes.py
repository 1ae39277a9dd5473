"""Every way to run yields the right tokens, counts them once, and says what was in force."""

import pytest

from llem.api.session import Request

pytestmark = pytest.mark.engine

PROMPTS = [[10, 20, 30, 40, 50], [60, 70], [80, 90, 100, 110, 120, 130, 140]]
LIMITS = (8, 12, 6)


def run(session):
    requests = enumerate(zip(PROMPTS, LIMITS, strict=True))
    session.prepare([Request(index, prompt, limit) for index, (prompt, limit) in requests])
    return session.run()


@pytest.fixture(scope="module")
def plain(plan, model_folder):
    """Return the greedy outputs of the plainest run."""
    from llem_pytorch.runtime.session import PyTorchSession

    session = PyTorchSession()
    session.open(plan(model={"id": str(model_folder)}))
    found = [request.output_ids for request in run(session).requests]
    session.close()
    return found


SAME_TOKENS = {
    "static cache": {"cache_implementation": "static", "batch_size": 3},
    "no cache": {"use_cache": False},
    "chunked prefill": {"prefill_chunk_size": 3},
    "sorted batches": {"batch_order": "length", "batch_size": 2},
    "prompt lookup": {"prompt_lookup_num_tokens": 3},
    "early exit": {"assistant_early_exit": 1, "num_assistant_tokens": 3},
    "continuous": {"batching": "continuous"},
    "eager continuous": {"batching": "continuous", "attn_implementation": "eager"},
    "math kernel": {"sdpa_kernels": ["math"]},
}


@pytest.mark.parametrize("section", SAME_TOKENS.values(), ids=SAME_TOKENS)
def test_a_mode_that_must_not_change_the_tokens_does_not(opened, model_folder, plain, section):
    session, _ = opened(model={"id": str(model_folder)}, pytorch=section)
    result = run(session)
    assert [request.index for request in result.requests] == [0, 1, 2]
    assert [request.output_ids for request in result.requests] == plain
    for request in result.requests:
        assert len(request.token_times_s) == len(request.output_ids)
        assert request.token_times_s == sorted(request.token_times_s)
        assert request.finished_s <= result.finished_s


def test_an_assistant_is_counted_and_forgets_what_it_learnt(opened, model_folder, plain):
    session, _ = opened(
        model={"id": str(model_folder)},
        pytorch={
            "assistant_model": str(model_folder),
            "num_assistant_tokens": 4,
            "num_assistant_tokens_schedule": "heuristic",
        },
    )
    first = run(session)
    again = session.run()
    assert [request.output_ids for request in first.requests] == plain
    assert first.counters == again.counters
    steps = first.counters["speculation_steps"]
    accepted = first.counters["speculation_accepted_tokens"]
    assert steps + accepted == sum(LIMITS)
    assert accepted > 0, "the model agrees with itself"
    assert any(
        request.token_times_s[step] == request.token_times_s[step + 1]
        for request in first.requests
        for step in range(len(request.output_ids) - 1)
    ), "tokens of one step come together"
    effective = session.observe().effective
    assert effective["generate.mode"] == "assisted_generation"
    assert effective["draft_settings.num_assistant_tokens"] == 4


def test_every_returned_sequence_is_output(opened, model_folder):
    section = {"num_beams": 3, "num_return_sequences": 2, "batch_size": 3}
    session, _ = opened(model={"id": str(model_folder)}, pytorch=section)
    result = run(session)
    assert [request.index for request in result.requests] == [0, 0, 1, 1, 2, 2]
    assert [len(request.output_ids) for request in result.requests] == [8, 8, 12, 12, 6, 6]
    assert all(request.token_times_s is None for request in result.requests)
    assert result.padding_output_tokens == 6 * 12 - 2 * sum(LIMITS)
    effective = session.observe().effective
    assert effective["generate.num_beams"] == 3
    assert effective["generate.mode"] == "beam_search"


def test_continuous_batching_returns_several_sequences_of_one_prompt(opened, model_folder):
    session, _ = opened(
        model={"id": str(model_folder)},
        decoder={"temperature": 0.8, "top_k": 5},
        pytorch={
            "batching": "continuous",
            "num_return_sequences": 2,
            "continuous_batching": {"page_size": 16, "num_blocks": 64},
        },
    )
    result = run(session)
    assert [request.index for request in result.requests] == [0, 0, 1, 1, 2, 2]
    assert [len(request.output_ids) for request in result.requests] == [8, 8, 12, 12, 6, 6]
    effective = session.observe().effective
    assert effective["settings.batching"] == "continuous"
    assert effective["continuous_batching.page_size"] == 16
    assert effective["continuous_batching.num_blocks"] == 64


@pytest.mark.parametrize(
    ("section", "cache", "named"),
    [
        ({}, "DynamicCache", "dynamic"),
        ({"cache_implementation": "static"}, "StaticCache", "static"),
        (
            {"cache_implementation": "quantized", "cache_config": {"backend": "fp8"}},
            "QuantizedCache",
            "quantized",
        ),
        ({"use_cache": False}, None, None),
    ],
)
def test_the_cache_is_read_back_from_a_generation(opened, model_folder, section, cache, named):
    session, _ = opened(model={"id": str(model_folder)}, pytorch=section)
    run(session)
    effective = session.observe().effective
    assert effective["generate.cache_class"] == cache
    assert effective["generate.cache_implementation"] == named
    assert effective["generate.use_cache"] is (cache is not None)


@pytest.mark.parametrize(
    ("section", "layer"),
    [
        ({"load_in_8bit": True}, "Linear8bitLt[int8]"),
        ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "Linear4bit[uint8]"),
    ],
)
def test_quantization_is_read_back_from_the_layers(opened, model_folder, section, layer):
    session, _ = opened(model={"id": str(model_folder), "dtype": "bfloat16"}, pytorch=section)
    run(session)
    observed = session.observe()
    assert observed.effective["load.linear_layers"] == {layer: 14, "Linear[bfloat16]": 1}
    assert observed.effective["load.quantization_method"] == "bitsandbytes"
    assert observed.reasons == {}
    if "bnb_4bit_quant_type" in section:
        assert observed.effective["load.quantization_config.bnb_4bit_quant_type"] == "nf4"


def test_a_failing_compilation_fails_nothing_but_the_verdict(opened, model_folder, plain):
    section = {"torch_compile": True, "torch_compile_backend": "no-such-backend"}
    session, _ = opened(model={"id": str(model_folder)}, pytorch=section)
    assert [request.output_ids for request in run(session).requests] == plain
    observed = session.observe()
    assert observed.effective["settings.torch_compile"] is False
    assert "InvalidBackend" in observed.reasons["compile-failed"]


def test_a_traced_model_computes_the_same_and_says_so(opened, model_folder, plain):
    section = {"torch_compile": True, "torch_compile_backend": "eager", "batch_size": 3}
    session, _ = opened(model={"id": str(model_folder)}, pytorch=section)
    assert [request.output_ids for request in run(session).requests] == plain
    observed = session.observe()
    assert observed.effective["settings.torch_compile"] is True
    assert observed.effective["compile.graphs"] > 0
    assert observed.reasons == {}


def test_a_replaced_attention_kernel_is_an_error_unless_allowed(plan):
    from types import SimpleNamespace

    from llem_pytorch.runtime.observe import check_attention

    model = SimpleNamespace(config=SimpleNamespace(_attn_implementation="sdpa"))
    asked = {"attn_implementation": "flash_attention_2"}
    with pytest.raises(RuntimeError, match="replaced the attention kernel flash_attention_2"):
        check_attention(model, plan(pytorch=asked))
    check_attention(model, plan(pytorch={**asked, "allow_kernel_fallback": True}))
    check_attention(model, plan())


def test_switches_of_torch_are_set_and_read_back(opened, model_folder):
    section = {
        "float32_matmul_precision": "high",
        "deterministic_algorithms": True,
        "flush_denormal": True,
        "mkldnn": False,
        "sdpa_kernels": ["math", "flash"],
    }
    session, _ = opened(model={"id": str(model_folder)}, pytorch=section)
    run(session)
    effective = session.observe().effective
    restore()
    assert {name: effective[f"settings.{name}"] for name in section} == section


def restore():
    """Put torch's own defaults back for the tests that follow."""
    from llem_pytorch.runtime import numerics

    numerics.apply(
        {
            "float32_matmul_precision": "highest",
            "deterministic_algorithms": False,
            "flush_denormal": False,
            "mkldnn": True,
            "sdpa_kernels": ["math", "flash", "mem_efficient", "cudnn"],
        }
    )
