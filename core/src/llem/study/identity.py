"""When two experiments are the same one: they run the same work in the same place."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel

from llem.process.workers import load_key
from llem.registry import Backend
from llem.schema.experiment import Experiment

ID_DIGITS = 20
"""Hexadecimal digits of an experiment's id; 80 bits never collide in one store."""

_MAX_KEPT = 16_384


class Identity(NamedTuple):
    """What an experiment is.

    Attributes:
        id: Equal for experiments that are the same one.
        load: Equal for experiments that can share a worker; empty if nobody asked.
    """

    id: str
    load: str


class Identities:
    """Makes the ids of experiments; what many of them share is written as JSON only once.

    An id is the hash of call plan, workload and runner, and of nothing else: two configs that
    come to the same calls on the same prompts in the same environment are one experiment.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[BaseModel, str]] = {}

    def of(self, backend: Backend, experiment: Experiment, *, with_load: bool) -> Identity:
        """Return the identity of ``experiment``.

        Args:
            backend: The backend that runs it.
            experiment: The experiment.
            with_load: Whether to say as well which model it loads, and how.

        Raises:
            LlemError: The backend refuses to plan it.
        """
        # A shape keeps its name here: the folder it is written to differs between machines.
        plan = backend.build_plan(experiment)
        parts = (
            backend.name,
            _canonical(plan.to_json()),
            self._section(experiment.workload),
            _canonical_prompts(*_prompts(experiment)),
            self._section(experiment.runner),
        )
        load = _digest(load_key(backend, plan, experiment.runner)) if with_load else ""
        return Identity(_digest("\0".join(parts)), load)

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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@lru_cache(_MAX_KEPT)
def _canonical_prompts(*values: Any) -> str:
    return _canonical(values)
