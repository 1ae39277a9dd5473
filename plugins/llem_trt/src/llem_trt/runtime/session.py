"""The session: one call of ``LLM.generate()`` runs all requests of a repetition."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorrt_llm

from llem.api import (
    CallPlan,
    Observation,
    OpenReport,
    PlanExecutor,
    Request,
    RunResult,
    Session,
    TokenizerExport,
)
from llem.api.weight_storage import cache_value_bytes
from llem_trt.runtime import observe
from llem_trt.runtime.block_reuse import BlockReuseCheck, counters_of
from llem_trt.runtime.open_report import (
    is_native,
    model_folder,
    model_info,
    used_bytes,
    used_devices,
)
from llem_trt.runtime.outputs import results
from llem_trt.versions import surface_of

DEFAULT_TOKENS_PER_BLOCK = 32
"""Block size where the engine does not report one."""


class TrtSession(Session):
    """Executes a plan with TensorRT-LLM."""

    def __init__(self) -> None:
        self._llm: Any = None
        self._requests: Sequence[Request] = ()
        self._generate: Callable[..., Any] | None = None
        self._arguments: dict[str, Any] = {}

    def open(self, plan: CallPlan) -> OpenReport:
        """Start the engine; its processes load the model.

        Raises:
            RuntimeError: The plan is for another version of TensorRT-LLM.
        """
        self._plan = plan
        _check_surface(plan, tensorrt_llm.__version__)
        self._native = is_native(tensorrt_llm)
        self._executor = PlanExecutor(plan)
        self._llm = self._executor.execute("load")
        self._world_size = self._llm.args.parallel_config.world_size
        folder = model_folder(plan.settings["config_from"], plan.settings.get("config_revision"))
        self._model = model_info(folder, self._llm.args)
        return OpenReport(
            engine="tensorrt_llm" if self._native else "fake_tensorrt_llm",
            engine_version=tensorrt_llm.__version__,
            model=self._model,
            devices=used_devices(self._world_size) if self._native else [],
            simulated=not self._native,
        )

    def tokenizer(self) -> TokenizerExport | None:
        """Return the model's tokenizer as data."""
        # TensorRT-LLM wraps the tokenizer of transformers.
        wrapper = self._llm.tokenizer
        return TokenizerExport.from_transformers(getattr(wrapper, "tokenizer", wrapper))

    def prepare(self, requests: Sequence[Request]) -> None:
        """Build the prompts and parameters of every request."""
        self._requests = requests
        make_params = self._executor.bind("sampling")
        self._params = [make_params(max_tokens=request.max_new_tokens) for request in requests]
        self._generate = self._executor.bind("generate")
        self._arguments = {
            "inputs": [{"prompt_token_ids": list(request.prompt_ids)} for request in requests],
            "sampling_params": self._params,
        }
        blocks = self._llm.args.kv_cache_config.tokens_per_block or DEFAULT_TOKENS_PER_BLOCK
        self._reuse_check = BlockReuseCheck([request.prompt_ids for request in requests], blocks)

    def run(self) -> RunResult:
        """Run all requests in one call; only that call is inside the window."""
        arguments = {**self._arguments, "cache_salt": self._reuse_check.next_salt()}
        generate = self._generate
        assert generate is not None
        started_s = time.monotonic()
        outputs = generate(**arguments)
        finished_s = time.monotonic()
        counters = counters_of(outputs)
        self._reuse_check.check(counters)
        eos = set() if self._plan.settings["ignore_eos"] else set(self._model.eos_token_ids)
        return RunResult(
            started_s=started_s,
            finished_s=finished_s,
            requests=results(self._requests, outputs, eos, started_s, finished_s),
            counters=counters,
        )

    def observe(self) -> Observation:
        """Read back the effective settings and the memory in use."""
        args, settings = self._llm.args, self._plan.settings
        effective = observe.effective(args, self._plan.call("load"))
        return Observation(
            effective={
                **effective,
                **observe.request_values(self._params[0], self._plan.call("sampling")),
                "settings.surface": surface_of(tensorrt_llm.__version__),
                "settings.execution": "tensorrt" if _is_legacy(args) else "pytorch",
                "settings.quant_algo": observe.quantization(args),
                "settings.ignore_eos": settings["ignore_eos"],
            },
            memory=self._memory(),
            kv_bytes_per_value=cache_value_bytes(observe.cache_dtype(args)),
            reasons=self._reuse_check.reasons(),
        )

    def close(self) -> None:
        """End the engine's processes."""
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.shutdown()
            self._executor.clear()
        self._generate, self._arguments, self._requests = None, {}, ()
        gc.collect()

    def _memory(self) -> dict[str, int]:
        return {"device_used_bytes": used_bytes(self._world_size)} if self._native else {}


def _check_surface(plan: CallPlan, version: str) -> None:
    """Refuse a plan that was made for another version."""
    planned, installed = plan.settings["surface"], surface_of(version)
    if planned != installed:
        raise RuntimeError(f"the plan is for TensorRT-LLM {planned}, and {version} is installed")


def _is_legacy(args: Any) -> bool:
    """Whether a TensorRT engine runs; each execution has its own argument class."""
    return type(args).__name__ == "TrtLlmArgs"
