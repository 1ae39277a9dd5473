"""The backend `minimal` of llem: a toy engine in pure Python, and what drives it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from llem.api import (
    BackendConfig,
    BackendInfo,
    Call,
    CallPlan,
    Experiment,
    ModelInfo,
    OpenReport,
    Param,
    PlanExecutor,
    Request,
    RequestResult,
    RunResult,
    Session,
    build_plan,
    hookimpl,
)


class Model:
    """The engine: continues a text with the token that most often followed the latest ones."""

    def __init__(self, vocab_size: int, eos_token_ids: Sequence[int], order: int) -> None:
        self.vocab_size = vocab_size
        self.eos_token_ids = list(eos_token_ids)
        self.order = order

    def generate(
        self, prompt_ids: Sequence[int], max_new_tokens: int, *, ignore_eos: bool = False
    ) -> Iterator[int]:
        """Yield the likeliest token, again and again, up to the limit or the end of the text."""
        counts: dict[tuple[int, ...], int] = {}
        ids: list[int] = []
        for token in prompt_ids:
            self._learn(counts, ids, token)
        for _ in range(max_new_tokens):
            contexts = self._contexts(ids)
            # The longest context decides; where it is new, a shorter one does.
            scores = [
                [counts.get((*context, token), 0) for context in contexts]
                for token in range(self.vocab_size)
            ]
            token = scores.index(max(scores))
            self._learn(counts, ids, token)
            yield token
            if token in self.eos_token_ids and not ignore_eos:
                return

    def _contexts(self, ids: list[int]) -> list[tuple[int, ...]]:
        """Return the latest tokens, the longest context first and the empty one last."""
        return [tuple(ids[len(ids) - n :]) for n in range(min(self.order, len(ids)), -1, -1)]

    def _learn(self, counts: dict[tuple[int, ...], int], ids: list[int], token: int) -> None:
        for context in self._contexts(ids):
            counts[*context, token] = counts.get((*context, token), 0) + 1
        ids.append(token)


def load(folder: str, order: int = 3) -> Model:
    """Return a model with the vocabulary of a Hugging Face folder; it has no weights."""
    config = json.loads(Path(folder, "config.json").read_text())
    eos = config.get("eos_token_id", [])
    return Model(config["vocab_size"], eos if isinstance(eos, list) else [eos], order)


# What is declared: the backend, its section of a config, and the engine's calls as data.


@hookimpl
def llem_capabilities() -> BackendInfo:
    """Declare the backend."""
    return BackendInfo(name="minimal", summary="A toy in pure Python, in place of an engine")


class MinimalConfig(BackendConfig, feeds="load"):
    """Arguments of :func:`load`, each set by the field of its name."""

    order: Annotated[int | None, Field(ge=1, le=8), Param(unit="tokens")] = None
    """Tokens of context that a prediction takes into account."""


@hookimpl
def llem_config_model() -> type[BackendConfig]:
    """Return the backend's section of a config."""
    return MinimalConfig


@hookimpl
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Return the engine's calls; `build_plan` adds what the section's fields set."""
    load = Call("load", "llem_minimal.load", {"folder": experiment.model.id}, assign="model")
    generate = Call(
        "generate",
        "model.generate",
        {"ignore_eos": experiment.ignores_eos},
        runtime=("prompt_ids", "max_new_tokens"),
    )
    return build_plan(experiment, (load, generate))


# What runs, in a process of its own.


class MinimalSession(Session):
    """One request after the other."""

    def open(self, plan: CallPlan) -> OpenReport:
        """Load the model as the plan says."""
        executor = PlanExecutor(plan)
        model = executor.execute("load")
        self._generate = executor.bind("generate")
        self._ends = () if plan.call("generate").kwargs["ignore_eos"] else model.eos_token_ids
        info = ModelInfo(model.vocab_size, model.eos_token_ids, model.eos_token_ids)
        return OpenReport("llem-minimal", "0.1.0", info, devices=["cpu"])

    def prepare(self, requests: Sequence[Request]) -> None:
        """Keep the requests: whatever is not inference belongs here, since `run` is metered."""
        self._requests = requests

    def run(self) -> RunResult:
        """Answer each request, and take the time of each token as it comes."""
        started_s = time.monotonic()
        results = [self._answer(request) for request in self._requests]
        return RunResult(started_s, time.monotonic(), results)

    def _answer(self, request: Request) -> RequestResult:
        submitted_s = time.monotonic()
        ids, times_s = [], []
        for token in self._generate(
            prompt_ids=request.prompt_ids, max_new_tokens=request.max_new_tokens
        ):
            ids.append(token)
            times_s.append(time.monotonic())
        reason: Literal["eos", "length"] = "eos" if ids[-1] in self._ends else "length"
        return RequestResult(request.index, ids, reason, submitted_s, times_s[-1], times_s)


@hookimpl
def llem_measurement() -> type[Session]:
    """Return the class that carries out a plan."""
    return MinimalSession
