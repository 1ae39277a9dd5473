"""From an experiment to the transformers calls: pure data, no engine."""

from __future__ import annotations

from typing import Any

from llem.api.plan_builder import build_plan as built
from llem.schema.call_plan import Call, CallPlan, drop_none
from llem.schema.experiment import Experiment
from llem_pytorch.config import PyTorchConfig
from llem_pytorch.kwargs.generate import generate_call
from llem_pytorch.kwargs.load import assistant_calls, load_calls, tokenizer_calls
from llem_pytorch.kwargs.placed import Arguments, placed
from llem_pytorch.kwargs.shared import SHARED
from llem_pytorch.section import section_of


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the calls and settings for ``experiment``.

    The call ``tokenizer`` is in the plan where text is involved, and is made only if core or a
    stop text really needs the engine's tokenizer.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    section = section_of(experiment)
    arguments = placed(section)

    def said(call: str) -> Arguments:
        return arguments.get(call, {})

    calls = [
        *load_calls(experiment, said("load")),
        *assistant_calls(experiment, said("assistant"), said("assistant_tokenizer")),
        *_draft_settings(said("draft_settings"), assisted=section.assistant_model is not None),
        *_compilation(section, said("compile")),
        *tokenizer_calls(experiment),
        generate_call(experiment, said("generate")),
    ]
    settings = _settings(experiment, said("settings"))
    return built(experiment, calls, settings=settings, shared=SHARED, arguments={})


def _draft_settings(arguments: Arguments, *, assisted: bool) -> list[Call]:
    """Return the call that tells the drafting model how to draft: it reads its own config."""
    drafter = "assistant_model" if assisted else "model"
    target = f"{drafter}.generation_config.update"
    return [Call(name="draft_settings", target=target, kwargs=arguments)] if arguments else []


def _compilation(section: PyTorchConfig, arguments: Arguments) -> list[Call]:
    """Return the call that compiles in place, so that ``generate()`` runs what was compiled."""
    if not section.torch_compile:
        return []
    arguments = {**arguments, "backend": section.torch_compile_backend or "inductor"}
    return [Call(name="compile", target="model.compile", kwargs=arguments)]


def _settings(experiment: Experiment, arguments: Arguments) -> dict[str, Any]:
    decoder = experiment.decoder
    return {
        "batch_size": 1,
        "seed": decoder.seed,
        "ignore_eos": experiment.ignores_eos,
        **drop_none(stop=None if decoder.stop is None else list(decoder.stop)),
        **arguments,
    }
