"""What runs in a process of its own: the only module that touches the engine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import onnxruntime_genai as genai

from llem.api import (
    CallPlan,
    ModelInfo,
    Observation,
    OpenReport,
    PlanExecutor,
    Request,
    RequestResult,
    RunResult,
    Session,
)
from llem.api.architecture import from_hf_config
from llem_onnx.plugin import MODEL_FILE


def load(
    folder: str, build: str = "", session_options: Mapping[str, Any] | None = None
) -> genai.Model:
    """Return the model that the model builder wrote to ``folder/build``.

    Args:
        folder: The model's folder.
        build: Subfolder of it that holds the ONNX model.
        session_options: Of ONNX Runtime, by their names in ``genai_config.json``.
    """
    # Nothing may call home from inside a window.
    genai.disable_telemetry_events()
    config = genai.Config(str(Path(folder, build)))
    decoder = {"session_options": dict(session_options or {})}
    config.overlay(json.dumps({"model": {"decoder": decoder}}))
    return genai.Model(config)


def generator(model: genai.Model, **search_options: Any) -> genai.Generator:
    """Return what generates for one request; ``max_length`` counts its prompt as well."""
    return genai.Generator(model, params(model, **search_options))


def params(model: genai.Model, **search_options: Any) -> genai.GeneratorParams:
    """Return GenAI's search options: the model's own, and over them those given."""
    made = genai.GeneratorParams(model)
    made.set_search_options(**search_options)
    return made


class OnnxSession(Session):
    """One request after the other, each with a generator of its own."""

    def open(self, plan: CallPlan) -> OpenReport:
        """Load the model as the plan says."""
        executor = PlanExecutor(plan)
        self._model = executor.execute("load")
        self._generator = executor.bind("generate")
        generate, load = plan.call("generate"), plan.call("load").kwargs
        self._options, self._lengths = generate.kwargs, set(generate.runtime) - {"model"}
        self._info = _model_info(Path(str(load["folder"])), str(load.get("build", "")))
        device, engine = self._model.device_type.lower(), "onnxruntime-genai"
        return OpenReport(engine, version(engine), self._info, devices=[device])

    def prepare(self, requests: Sequence[Request]) -> None:
        """Keep the requests: there is nothing to batch."""
        self._requests = requests

    def run(self) -> RunResult:
        """Generate for each request in turn; a call returns when the token is there."""
        started_s = time.monotonic()
        results = [self._answer(request) for request in self._requests]
        return RunResult(started_s, time.monotonic(), results)

    def _answer(self, request: Request) -> RequestResult:
        length = len(request.prompt_ids) + request.max_new_tokens
        submitted_s = time.monotonic()
        generator = self._generator(**dict.fromkeys(self._lengths, length))
        generator.append_tokens([request.prompt_ids])
        ids: list[int] = []
        times_s: list[float] = []
        while not generator.is_done():
            generator.generate_next_token()
            ids.append(int(generator.get_next_tokens()[0]))
            times_s.append(time.monotonic())
        ended = ids[-1] in self._info.eos_token_ids
        reason: Literal["eos", "length"] = "eos" if ended else "length"
        return RequestResult(request.index, ids, reason, submitted_s, times_s[-1], times_s)

    def observe(self) -> Observation:
        """Read back the options in force, the model's and GenAI's own defaults included."""
        options = params(self._model, **self._options).get_search_options()
        fixed = sorted(options.keys() - {"max_length", "min_length"})
        return Observation(effective={f"generate.{name}": options[name] for name in fixed})

    def close(self) -> None:
        """Let go of the model, and of what generates with it."""
        vars(self).clear()


def _model_info(folder: Path, build: str) -> ModelInfo:
    """Return what the files beside the model say about it."""
    model = json.loads((folder / build / MODEL_FILE).read_text())["model"]
    eos = model["eos_token_id"]
    eos_ids = eos if isinstance(eos, list) else [eos]
    file = folder / "config.json"
    return ModelInfo(
        vocab_size=model["vocab_size"],
        eos_token_ids=eos_ids,
        special_token_ids=sorted({*eos_ids, model["bos_token_id"], model["pad_token_id"]}),
        max_context_tokens=model["context_length"],
        weights_bytes=sum(path.stat().st_size for path in (folder / build).glob("*.onnx*")),
        arithmetic=from_hf_config(json.loads(file.read_text())) if file.is_file() else None,
    )
