"""The session: the one place that touches the engine, in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from llem.api.architecture import from_hf_config
from llem.api.session import (
    ModelInfo,
    Observation,
    OpenReport,
    Request,
    RequestResult,
    RunResult,
    Session,
)
from llem.schema.call_plan import CallPlan, import_dotted, resolve_kwargs
from llem_onnx.model import params


class OnnxSession(Session):
    """One request after the other, each with a generator of its own."""

    def open(self, plan: CallPlan) -> OpenReport:
        """Load the model as the plan says."""
        load, generate = plan.call("load"), plan.call("generate")
        where = resolve_kwargs(load)
        self._model = import_dotted(load.target)(**where)
        self._generator = import_dotted(generate.target)
        self._options = resolve_kwargs(generate)
        self._lengths = [name for name in generate.runtime if name != "model"]
        self._facts = _facts(Path(where["folder"]), where.get("build", ""))
        return OpenReport(
            engine="onnxruntime-genai",
            engine_version=version("onnxruntime-genai"),
            model=self._facts,
            devices=[self._model.device_type.lower()],
        )

    def prepare(self, requests: Sequence[Request]) -> None:
        """Keep the requests: there is nothing to batch."""
        self._requests = requests

    def run(self) -> RunResult:
        """Generate for each request in turn; a call returns when the token is there."""
        started_s = time.monotonic()
        results = [self._answer(request) for request in self._requests]
        return RunResult(started_s, time.monotonic(), results)

    def _answer(self, request: Request) -> RequestResult:
        submitted_s = time.monotonic()
        length = len(request.prompt_ids) + request.max_new_tokens
        lengths = dict.fromkeys(self._lengths, length)
        generator = self._generator(model=self._model, **self._options, **lengths)
        generator.append_tokens([request.prompt_ids])
        output_ids: list[int] = []
        token_times_s: list[float] = []
        while not generator.is_done():
            generator.generate_next_token()
            output_ids.append(int(generator.get_next_tokens()[0]))
            token_times_s.append(time.monotonic())
        return RequestResult(
            index=request.index,
            output_ids=output_ids,
            finish_reason="eos" if output_ids[-1] in self._facts.eos_token_ids else "length",
            submitted_s=submitted_s,
            finished_s=token_times_s[-1],
            token_times_s=token_times_s,
        )

    def observe(self) -> Observation:
        """Read back the options in force, the model's and GenAI's own defaults included."""
        options = params(self._model, **self._options).get_search_options()
        fixed = sorted(options.keys() - {"max_length", "min_length"})
        return Observation(effective={f"generate.{name}": options[name] for name in fixed})

    def close(self) -> None:
        """Let go of the model."""
        self._model = None


def _facts(folder: Path, build: str) -> ModelInfo:
    """Return what the files beside the model say about it."""
    model = json.loads((folder / build / "genai_config.json").read_text())["model"]
    eos = model["eos_token_id"]
    eos_ids = eos if isinstance(eos, list) else [eos]
    special = {*eos_ids, model["bos_token_id"], model["pad_token_id"]}
    file = folder / "config.json"
    return ModelInfo(
        vocab_size=model["vocab_size"],
        eos_token_ids=eos_ids,
        special_token_ids=sorted(special),
        max_context_tokens=model["context_length"],
        weights_bytes=sum(one.stat().st_size for one in (folder / build).glob("*.onnx*")),
        architecture=from_hf_config(json.loads(file.read_text())) if file.is_file() else None,
    )
