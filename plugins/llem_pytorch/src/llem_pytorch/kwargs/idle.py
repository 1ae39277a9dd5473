"""Neutral values that transformers is not told of, because their feature is off.

Where the marker of a field can say what the field needs, core leaves them out.
"""

from __future__ import annotations

from typing import Any

from llem.api import Experiment
from llem_pytorch.config import PyTorchFields
from llem_pytorch.rules.decoding import BEAM_FIELDS, OWN_SAMPLING_FIELDS
from llem_pytorch.rules.loading import READING_FIELDS

Arguments = dict[str, dict[str, Any]]


def without_idle(arguments: Arguments, experiment: Experiment, section: PyTorchFields) -> Arguments:
    """Return ``arguments`` without values of features that are off; rules refuse all others.

    Args:
        arguments: What the section's fields set, by call.
        experiment: The experiment.
        section: Its section.
    """
    idle: set[tuple[str, str]] = set()
    if experiment.model.random_weights:
        idle |= {("load", name) for name in (*READING_FIELDS, "distributed_config")}
    if section.allow_all_kernels is False:
        idle.add(("load", "allow_all_kernels"))
    if not section.has_beams:
        idle |= {("generate", name) for name in BEAM_FIELDS}
    if not experiment.decoder.samples:
        idle |= {("generate", name) for name in OWN_SAMPLING_FIELDS}
    kept = {
        call: {name: value for name, value in values.items() if (call, name) not in idle}
        for call, values in arguments.items()
    }
    if not section.drafts_with_a_model:
        kept.pop("draft_settings", None)
    return kept
