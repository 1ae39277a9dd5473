"""What the model's files on this disk say about an experiment."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from llem.errors import Finding
from llem.schema.decoder import PRESETS, SAMPLING_FIELDS, DecoderConfig
from llem.schema.experiment import Experiment, ModelConfig

_MOST_SHOWN = 100
"""Characters of an id that a message repeats."""


def model_problems(model: ModelConfig) -> Iterator[Finding]:
    """Yield an error for a shape or local folder that does not exist or does not fit.

    The engine checks hub ids. ``models/foo`` may be a hub id or a folder; it counts as a folder
    if that folder exists.
    """
    if model.is_shape:
        yield from _unknown_shape(model.id.removeprefix("shape:"))
    elif is_folder(model.id) or _looks_like_path(model.id):
        yield from _bad_folder(model)
    elif not _may_be_hub_id(model.id):
        yield _no_model(model.id)
    if other_kind := _other_kind(model):
        yield Finding(
            code="not-a-decoder",
            message=f"this is {other_kind}, and llem measures decoders: models that continue a "
            "prompt token by token",
            path="model.id",
            hint="Name a model whose config.json has an architecture ...ForCausalLM.",
        )
    other = model.tokenizer
    if other is None or (other and is_folder(other)):
        return
    if _looks_like_path(other):
        yield Finding("tokenizer-missing", f"there is no folder {other}", path="model.tokenizer")
    elif not _may_be_hub_id(other):
        yield replace(_no_model(other), path="model.tokenizer")


def is_folder(model_id: str) -> bool:
    """Whether ``model_id`` names an existing folder."""
    try:
        return Path(model_id).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # too long for a path; an unknown home; a NUL
        return False


def _looks_like_path(model_id: str) -> bool:
    return model_id in {".", "..", "~"} or model_id.startswith(("/", "./", "../", "~"))


# A name or `owner/name`, as huggingface_hub accepts it; `:` begins what some engines add to it.
_HUB_ID = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}(?::[\w.-]+)?", re.ASCII)
_ADDRESS = re.compile(r"(?i)https?://[^/]+/+([^/\s]+/[^/\s?#]+)")


def _may_be_hub_id(model_id: str) -> bool:
    """Whether a hub may have a model of this id; addresses of other stores are the engine's."""
    if re.match(r"[a-z0-9]+://\S+\Z", model_id) and not _ADDRESS.match(model_id):
        return True
    if model_id.lower().startswith("shape:"):
        return False
    parts = re.split("[/:]", model_id)
    return bool(_HUB_ID.fullmatch(model_id)) and not any(
        "--" in part or ".." in part or part.strip("-.") != part for part in parts
    )


def _no_model(model_id: str) -> Finding:
    shown = json.dumps(model_id if len(model_id) <= _MOST_SHOWN else f"{model_id[:_MOST_SHOWN]}…")
    if address := _ADDRESS.match(model_id):
        hint = f"Name the model by its id alone: {address[1]}."
    elif model_id.lower().startswith("shape:"):
        hint = f"Did you mean {model_id.lower()}?"
    else:
        hint = "A hub id is a name or owner/name of letters, digits, '.', '_' and '-'."
    message = f"{shown} is no hub id, and there is no such folder"
    return Finding("model-missing", message, path="model.id", hint=hint)


def _bad_folder(model: ModelConfig) -> Iterator[Finding]:
    if not is_folder(model.id):
        yield Finding(
            code="model-missing",
            message=f"there is no folder {model.id}",
            path="model.id",
            hint="Name a folder with a config.json; a GGUF file is named by its folder here "
            "and its file name in model.gguf_file.",
        )
        return
    folder = Path(model.id).expanduser()
    if model.revision is not None:
        yield Finding(
            code="folder-has-no-revision",
            message=f"the folder {model.id} has no revisions",
            path="model.revision",
            hint="Remove model.revision.",
        )
    gguf_files = sorted(path.name for path in folder.glob("*.gguf"))
    if model.gguf_file is not None and not (folder / model.gguf_file).is_file():
        near = difflib.get_close_matches(model.gguf_file, gguf_files, n=1) or gguf_files
        yield Finding(
            code="model-missing",
            message=f"the folder {model.id} has no file {model.gguf_file}",
            path="model.gguf_file",
            hint=f"Did you mean {near[0]}?" if near else "",
        )
    if model.gguf_file is None and not (folder / "config.json").is_file():
        yield Finding(
            code="model-missing",
            message=f"the folder {model.id} has no config.json, so it holds no model",
            path="model.id",
            hint=f"Name its GGUF file: model.gguf_file: {gguf_files[0]}." if gguf_files else "",
        )


_OTHER_HEADS = {
    "ForMaskedLM": "an encoder",
    "ForSequenceClassification": "a classifier",
    "ForTokenClassification": "a classifier",
    "ForQuestionAnswering": "a model that marks answers",
    "ForImageClassification": "an image model",
}


def _other_kind(model: ModelConfig) -> str:
    """Return what the model is by its config, if it is no decoder; otherwise nothing."""
    config = {} if model.is_shape else _json_object(_local_file(model, "config.json")) or {}
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    if any(part.get("is_encoder_decoder") is True for part in parts):
        return "an encoder-decoder model"
    sizes = ("vocab_size", "padded_vocab_size")
    if "image_size" in config and not any(name in part for part in parts for name in sizes):
        return "an image model"
    named = config.get("architectures")
    heads = [str(name) for name in named] if isinstance(named, list) else []
    kinds = [
        next((kind for end, kind in _OTHER_HEADS.items() if head.endswith(end)), "")
        for head in heads
    ]
    return kinds[0] if kinds and all(kinds) else ""


def _unknown_shape(name: str) -> Iterator[Finding]:
    from llem.workload.shape_catalog import SHAPES

    if name not in SHAPES:
        near = difflib.get_close_matches(name.lower(), SHAPES, n=1)
        known = ", ".join(f"shape:{shape}" for shape in SHAPES)
        yield Finding(
            code="shape-unknown",
            message=f"there is no shape {json.dumps(name[:_MOST_SHOWN])}",
            path="model.id",
            hint=f"Did you mean shape:{near[0]}?" if near else f"Known: {known}.",
        )


_ON_PURPOSE = ("max_length", "max_new_tokens", "return_dict_in_generate", "is_assistant")
"""Lengths, which the workload decides, and the form of what is returned."""

_OFF = {
    "temperature": 1, "top_p": 1, "typical_p": 1, "repetition_penalty": 1, "length_penalty": 1,
    "encoder_repetition_penalty": 1, "guidance_scale": 1, "num_beams": 1, "num_beam_groups": 1,
    "num_return_sequences": 1, "use_cache": True, "cache_implementation": "dynamic",
}  # fmt: skip
"""Values that change nothing, where they are not empty, 0 or false."""

_OF_SAMPLING = (*SAMPLING_FIELDS, "top_h", "epsilon_cutoff", "eta_cutoff")
_OF_BEAMS = ("length_penalty", "early_stopping", "diversity_penalty", "num_beam_groups")
_IN_DECODER = {"min_length": "min_new_tokens", "stop_strings": "stop"}
"""Settings of a `generation_config` that the decoder section has under another name."""

_MOST_BYTES = 2**20
_MOST_VALUE_CHARACTERS = 60


def generation_remarks(experiment: Experiment) -> Iterator[Finding]:
    """Yield a remark if the checkpoint's own generation defaults ask for another decoding.

    They are not in force, on any backend: engines read them in part or not at all, and one
    experiment must do the same work on each. What the experiment sets itself is not remarked on.
    Without a file at hand (a hub model that was never loaded here) nothing is said.
    """
    asked = _checkpoint_settings(experiment.model)
    greedy_by_choice = _is_set(experiment, "do_sample") and not experiment.decoder.samples
    samples = asked.get("do_sample") and not greedy_by_choice
    beams = asked.get("num_beams")
    names = [
        name
        for name, value in asked.items()
        if _acts(name, value)
        and (samples or name not in _OF_SAMPLING)
        and (beams not in (None, 1) or name not in _OF_BEAMS)
        and not _is_set(experiment, name)
    ]
    if not names:
        return
    listed = ", ".join(f"{name} {_shown(asked[name])}" for name in names)
    fields = [_IN_DECODER.get(name, name) for name in names]
    known = [f"decoder.{field}" for field in fields if field in DecoderConfig.model_fields]
    yield Finding(
        code="model-defaults-unused",
        message=f"the checkpoint's generation defaults ask for {listed}; llem decodes without "
        "them, on every backend alike",
        severity="warning",
        path="model.id",
        hint=f"To use them, set {', '.join(known)}." if known else "",
    )


def _checkpoint_settings(model: ModelConfig) -> dict[str, Any]:
    """Return the model's `generation_config.json`; without it, what an old `config.json` has."""
    if model.is_shape:
        return {}
    generation = _json_object(_local_file(model, "generation_config.json"))
    if generation is not None:
        return generation
    config = _json_object(_local_file(model, "config.json")) or {}
    # Before transformers had a file for them, settings of generation stood among the dimensions.
    known = {"do_sample", *_OF_SAMPLING, *_OF_BEAMS, *_OFF, *_IN_DECODER} - {"use_cache"}
    return {name: value for name, value in config.items() if name in known}


def stated_context_tokens(model: ModelConfig) -> int | None:
    """Return the positions that the model's config.json states; ``None`` if none is at hand."""
    config = _json_object(_local_file(model, "config.json")) or {}
    texts = config.get("text_config")
    found = {**config, **texts} if isinstance(texts, dict) else config
    stated = found.get("max_position_embeddings", found.get("n_positions"))
    return stated if isinstance(stated, int) and stated > 0 else None


def _local_file(model: ModelConfig, name: str) -> Path | None:
    """Return a file of the model, in its folder or in the hub's cache; nothing is downloaded."""
    if is_folder(model.id):
        return Path(model.id).expanduser() / name
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model.id, name, revision=model.revision)
    except (HFValidationError, OSError):
        return None
    return Path(found) if isinstance(found, str) else None


def _json_object(path: Path | None) -> dict[str, Any] | None:
    """Return the object in a JSON file; ``None`` if it holds none, which the engine reports."""
    try:
        if path is None or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _acts(name: str, value: Any) -> bool:
    """Whether a setting of a checkpoint changes what is computed."""
    if name in _ON_PURPOSE or name.startswith(("_", "output_", "assistant_", "num_assistant_")):
        return False
    if name == "transformers_version" or name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        return False
    if name in _OFF and value is not None:
        return bool(value != _OFF[name])
    return bool(value)


def _is_set(experiment: Experiment, name: str) -> bool:
    """Whether the experiment decides about the setting itself."""
    decoder = experiment.decoder
    fields = decoder.model_fields_set | set(PRESETS[decoder.preset] if decoder.preset else ())
    if "temperature" in fields:
        fields |= {"do_sample"}
    in_decoder = _IN_DECODER.get(name, name) in fields
    return in_decoder or getattr(experiment.section, name, None) is not None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_VALUE_CHARACTERS else text[:_MOST_VALUE_CHARACTERS] + "…"
