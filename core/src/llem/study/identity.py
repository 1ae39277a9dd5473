"""When two experiments are the same one: they run the same work in the same place."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

from llem.api.config import Experiment
from llem.registry import Backend

ID_DIGITS = 20
"""Hexadecimal digits of an experiment's id; 80 bits never collide in one store."""

_MAX_KEPT = 4096


class Identities:
    """Makes the ids of experiments; what many of them share is written as JSON only once.

    An id is the hash of call plan, workload and runner, and of nothing else: two configs that
    come to the same calls on the same prompts in the same environment are one experiment.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[BaseModel, str]] = {}

    def id(self, backend: Backend, experiment: Experiment) -> str:
        """Return the id of ``experiment``.

        Raises:
            LlemError: The backend refuses to plan it.
        """
        # A shape keeps its name here: the folder it is written to differs between machines.
        plan = backend.build_plan(experiment)
        parts = (
            backend.name,
            _canonical(plan.to_json()),
            self._section(experiment.workload),
            _canonical(_prompts(experiment)),
            self._section(experiment.runner),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:ID_DIGITS]

    def _section(self, section: BaseModel) -> str:
        # By its place in memory, because hashing a section costs as much as writing it.
        kept = self._kept.get(id(section))
        if kept is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            kept = self._kept[id(section)] = (section, _canonical(section.model_dump(mode="json")))
        return kept[1]


def _prompts(experiment: Experiment) -> list[Any]:
    """Return what else decides about prompts and lengths, besides the workload's section."""
    longest = experiment.decoder.max_new_tokens
    if experiment.workload.source == "synthetic":
        return [longest]
    # A text becomes tokens by the model's tokenizer.
    model = experiment.model
    return [longest, model.id, model.revision, model.tokenizer, model.gguf_file]


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
