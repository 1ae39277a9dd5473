"""Arguments passed on unchecked reach the call; what something else sets is refused."""

import pytest

from llem.errors import ConfigError


def test_arguments_are_merged_into_their_call(plan):
    built = plan(
        passthrough_kwargs={
            "load": {"use_safetensors": True},
            "generate": {"forced_eos_token_id": 3},
        }
    )
    assert built.call("load").kwargs == {"use_safetensors": True}
    assert built.call("generate").kwargs["forced_eos_token_id"] == 3


@pytest.mark.parametrize(
    ("call", "argument", "setter"),
    [
        ("load", "dtype", "model.dtype"),
        ("load", "torch_dtype", "model.dtype"),
        ("load", "attn_implementation", "pytorch.attn_implementation"),
        ("load", "device_map", "pytorch.device_map"),
        ("generate", "use_cache", "pytorch.use_cache"),
        ("generate", "temperature", "decoder.temperature"),
        ("generate", "min_p", "decoder.min_p"),
        ("generate", "do_sample", "decoder.do_sample"),
        ("generate", "stop_strings", "decoder.stop"),
        ("generate", "max_length", "workload.output_tokens"),
        ("generate", "input_ids", "llem: the prompts"),
        ("generate", "streamer", "llem: takes the time"),
        ("generate", "num_return_sequences", "pytorch.num_return_sequences"),
    ],
)
def test_what_something_else_sets_is_refused_by_name(plan, call, argument, setter):
    with pytest.raises(ConfigError, match=rf"passthrough_kwargs\.{call}.*{argument}.*{setter}"):
        plan(passthrough_kwargs={call: {argument: 1, "harmless": 2}})


def test_every_collision_is_named_at_once(plan):
    with pytest.raises(ConfigError, match=r"top_k .*, top_p ") as refused:
        plan(passthrough_kwargs={"generate": {"top_k": 1, "harmless": 2, "top_p": 1}})
    assert "harmless" not in str(refused.value)


def test_an_unknown_call_is_refused_with_the_known_ones(plan):
    with pytest.raises(ConfigError, match=r"passthrough_kwargs\.prefill") as refused:
        plan(passthrough_kwargs={"prefill": {}})
    assert "load, generation_defaults, generate" in refused.value.hint


def test_beams_are_not_streamed(plan):
    generate = plan(pytorch={"num_beams": 2}).call("generate")
    assert "streamer" not in generate.runtime
    assert generate.kwargs["num_beams"] == 2
