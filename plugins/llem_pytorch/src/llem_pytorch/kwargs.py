"""From an experiment to the transformers calls: pure data, no engine."""

from __future__ import annotations

from typing import Any

from llem.api.config import Experiment
from llem.api.config.passthrough import merge_passthrough
from llem.api.plan import Call, CallPlan, Construct, Symbol
from llem_pytorch.rules import SAMPLING_FIELDS, section_of

SHARED = {
    ("load", "config"): "llem",
    ("load", "dtype"): "model.dtype",
    ("load", "gguf_file"): "model.gguf_file",
    ("load", "output_loading_info"): "llem",
    ("load", "revision"): "model.revision",
    ("load", "state_dict"): "llem",
    ("load", "torch_dtype"): "model.dtype",
    ("load", "trust_remote_code"): "model.trust_remote_code",
    ("generate", "do_sample"): "decoder.do_sample",
    ("generate", "eos_token_id"): "decoder.ignore_eos",
    ("generate", "generation_config"): "llem",
    ("generate", "inputs"): "workload",
    ("generate", "max_length"): "workload.output_tokens",
    ("generate", "max_new_tokens"): "workload.output_tokens",
    ("generate", "max_time"): "workload.output_tokens",
    ("generate", "min_length"): "decoder.min_new_tokens",
    ("generate", "min_new_tokens"): "decoder.min_new_tokens",
    ("generate", "num_return_sequences"): "llem: one output for each request",
    ("generate", "repetition_penalty"): "decoder.repetition_penalty",
    ("generate", "return_dict_in_generate"): "llem",
    ("generate", "stop_strings"): "decoder.stop",
    ("generate", "temperature"): "decoder.temperature",
    **{("generate", name): f"decoder.{name}" for name in SAMPLING_FIELDS},
}
"""What sets an argument that the backend's own section does not."""

NO_EOS = [-1]
"""An EOS id that no token has. transformers then warns and generates up to the length limit; its
check for EOS stays in place, so a step costs the same as with EOS."""


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the calls and settings for ``experiment``.

    The call ``tokenizer`` is in the plan where text is involved, and is made only if core or a
    stop text really needs the engine's tokenizer.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    calls = [*_load_calls(experiment), *_tokenizer_calls(experiment), _generate_call(experiment)]
    return CallPlan(
        calls=merge_passthrough(calls, experiment, SHARED), settings=_settings(experiment)
    )


def _load_calls(experiment: Experiment) -> list[Call]:
    model, section = experiment.model, section_of(experiment)
    kernel = _given(attn_implementation=section.attn_implementation)
    trust = _given(trust_remote_code=model.trust_remote_code or None)
    if model.random_weights:
        # Without weights there is no checkpoint whose type "auto" could take; the config's own
        # type, which is what an unset dtype means here, is the same thing.
        named_dtype = None if model.dtype == "auto" else _dtype(model.dtype)
        return [
            Call(
                name="load_config",
                target="transformers.AutoConfig.from_pretrained",
                args=(model.id,),
                kwargs={**_source(experiment), **trust},
                assign="config",
            ),
            Call(
                name="load",
                target="transformers.AutoModelForCausalLM.from_config",
                kwargs={**_given(dtype=named_dtype), **kernel, **trust},
                runtime=("config",),
                assign="model",
            ),
        ]
    # Packed blocks would run on kernels fetched from the hub, or on whatever stands in for them.
    dense = Construct("transformers.GgufConfig", {"dequantize": True}) if model.gguf_file else None
    return [
        Call(
            name="load",
            target="transformers.AutoModelForCausalLM.from_pretrained",
            args=(model.id,),
            kwargs={
                **_source(experiment),
                **_given(dtype=_dtype(model.dtype)),
                **kernel,
                **_given(device_map=section.device_map, quantization_config=dense),
                **trust,
            },
            assign="model",
        )
    ]


def _tokenizer_calls(experiment: Experiment) -> list[Call]:
    model = experiment.model
    if experiment.workload.source == "synthetic" and experiment.decoder.stop is None:
        return []
    # A revision belongs to the repository it was given for.
    source = {} if model.tokenizer else _source(experiment)
    return [
        Call(
            name="tokenizer",
            target="transformers.AutoTokenizer.from_pretrained",
            args=(model.tokenizer or model.id,),
            kwargs={**source, **_given(trust_remote_code=model.trust_remote_code or None)},
            assign="tokenizer",
        )
    ]


def _generate_call(experiment: Experiment) -> Call:
    decoder = experiment.decoder
    kwargs = _given(do_sample=decoder.samples)
    if decoder.samples:
        names = ("temperature", *SAMPLING_FIELDS)
        kwargs |= _given(**{name: getattr(decoder, name) for name in names})
    kwargs |= _given(
        repetition_penalty=decoder.repetition_penalty,
        min_new_tokens=decoder.min_new_tokens,
        use_cache=section_of(experiment).use_cache,
        eos_token_id=NO_EOS if experiment.ignores_eos else None,
    )
    runtime: tuple[str, ...] = (
        "input_ids",
        "attention_mask",
        "max_new_tokens",
        "pad_token_id",
        "stopping_criteria",
        "streamer",
    )
    if experiment.passthrough_kwargs.get("generate", {}).get("num_beams", 1) != 1:
        # Which beam wins is known at the end only, so transformers refuses to stream.
        runtime = runtime[:-1]
    return Call(name="generate", target="model.generate", kwargs=kwargs, runtime=runtime)


def _settings(experiment: Experiment) -> dict[str, Any]:
    decoder, section = experiment.decoder, section_of(experiment)
    return {
        "batch_size": section.batch_size or 1,
        "seed": decoder.seed,
        "ignore_eos": experiment.ignores_eos,
        **_given(
            device=section.device,
            num_threads=section.num_threads,
            stop=None if decoder.stop is None else list(decoder.stop),
        ),
    }


def _source(experiment: Experiment) -> dict[str, Any]:
    model = experiment.model
    return _given(revision=model.revision, gguf_file=model.gguf_file)


def _dtype(name: str | None) -> Symbol | str | None:
    return Symbol(f"torch.{name}") if name not in (None, "auto") else name


def _given(**values: Any) -> dict[str, Any]:
    """Return those ``values`` that are not ``None``: an unset field emits nothing."""
    return {name: value for name, value in values.items() if value is not None}
