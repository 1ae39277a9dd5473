"""From an experiment to the transformers calls: pure data, no engine."""

from __future__ import annotations

from llem.api import Call, CallPlan, Experiment, build_plan, drop_none, section_arguments
from llem_pytorch.config import PyTorchFields
from llem_pytorch.kwargs.generate import generate_call, generation_defaults
from llem_pytorch.kwargs.idle import without_idle
from llem_pytorch.kwargs.load import assistant_calls, load_calls, tokenizer_calls
from llem_pytorch.kwargs.quantized import quantized
from llem_pytorch.kwargs.shared import SHARED


def plan_calls(experiment: Experiment) -> CallPlan:
    """Return the calls and settings for ``experiment``.

    The call ``tokenizer`` is in the plan where text is involved, and is made only if core or a
    stop text really needs the engine's tokenizer.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    section, decoder = experiment.section_as(PyTorchFields), experiment.decoder
    acting = without_idle(section_arguments(experiment), experiment, section)
    arguments = quantized(acting, experiment, section)
    calls = [
        *load_calls(experiment),
        *assistant_calls(experiment, section),
        generation_defaults(section),
        *(_draft_settings(section) if "draft_settings" in arguments else ()),
        *_compilation(section),
        *tokenizer_calls(experiment, section),
        generate_call(experiment, section),
    ]
    settings = {
        "batch_size": 1,
        "seed": decoder.seed,
        "ignore_eos": experiment.ignores_eos,
        **drop_none(stop=list(decoder.stop or ()) or None),
    }
    return build_plan(experiment, calls, settings=settings, shared=SHARED, arguments=arguments)


def _draft_settings(section: PyTorchFields) -> list[Call]:
    """Return the call that tells the drafting model how to draft: it reads its own config."""
    drafter = "model" if section.assistant_model is None else "assistant_model"
    return [Call(name="draft_settings", target=f"{drafter}.generation_config.update")]


def _compilation(section: PyTorchFields) -> list[Call]:
    """Return the call that compiles in place, so that ``generate()`` runs what was compiled."""
    if not section.torch_compile:
        return []
    return [Call(name="compile", target="model.compile", kwargs={"backend": "inductor"})]
