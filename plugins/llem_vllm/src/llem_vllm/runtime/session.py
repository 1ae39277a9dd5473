"""The session: vLLM's offline engine runs all requests of a repetition in one call."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import vllm

from llem.api import (
    CallPlan,
    Observation,
    OpenReport,
    PlanExecutor,
    Request,
    RequestResult,
    RunResult,
    Session,
    TokenizerExport,
)
from llem.api.weight_storage import cache_value_bytes
from llem_vllm.runtime import observe
from llem_vllm.runtime.engine_metrics import TokenTimes, delta, totals
from llem_vllm.runtime.engine_processes import engine_processes, register_session, watching
from llem_vllm.runtime.model_info import eos_ids, model_info
from llem_vllm.runtime.prefix_cache_check import PrefixCacheCheck
from llem_vllm.runtime.results import beam_results, generated_results, require_one_length


class VLLMSession(Session):
    """Executes a plan with vLLM."""

    def __init__(self) -> None:
        self._llm: Any = None
        self._requests: Sequence[Request] = ()
        self._generate: Callable[..., Any] | None = None
        self._arguments: dict[str, Any] = {}
        self._params: Any = None

    def open(self, plan: CallPlan) -> OpenReport:
        """Start the engine; its processes load the model."""
        self._plan = plan
        self._executor = PlanExecutor(plan)
        register_session()
        self._llm = self._executor.execute("load")
        self._times = TokenTimes(self._llm.llm_engine.output_processor)
        self._workers = self._llm.collective_rpc("llem_describe")
        return OpenReport(
            engine="vllm",
            engine_version=vllm.__version__,
            model=model_info(self._llm, self._workers),
            devices=list(dict.fromkeys(worker["device"] for worker in self._workers)),
        )

    def tokenizer(self) -> TokenizerExport | None:
        """Return the model's tokenizer as data."""
        return TokenizerExport.from_transformers(self._llm.get_tokenizer())

    def prepare(self, requests: Sequence[Request]) -> None:
        """Build the prompts and parameters of every request."""
        self._requests = requests
        self._eos_ids = set() if self._plan.settings["ignore_eos"] else eos_ids(self._llm)
        self._cache_check = PrefixCacheCheck([request.prompt_ids for request in requests])
        # Each request has its own output limit, except in beam search.
        if self._searches:
            require_one_length(requests)
        make_params = self._executor.bind("sampling")
        params = [make_params(max_tokens=request.max_new_tokens) for request in requests]
        self._params = params[0]
        self._generate = self._executor.bind("generate")
        self._arguments = {
            "prompts": [{"prompt_token_ids": list(request.prompt_ids)} for request in requests],
            **({"params": self._params} if self._searches else {"sampling_params": params}),
        }
        with watching(engine_processes(self._llm)):
            self._llm.collective_rpc("llem_reset_peak_memory")

    def run(self) -> RunResult:
        """Run all requests in one call; only that call is inside the window."""
        generate = self._generate
        assert generate is not None
        with watching(engine_processes(self._llm)):
            self._reset()
            before = totals(self._llm.get_metrics())
            started_s = time.monotonic()
            outputs = generate(**self._arguments)
            finished_s = time.monotonic()
            counters = delta(before, totals(self._llm.get_metrics()))
        return RunResult(
            started_s=started_s,
            finished_s=finished_s,
            requests=self._results(outputs, started_s, finished_s),
            counters=counters,
        )

    def observe(self) -> Observation:
        """Read back the effective settings and the memory of all processes."""
        load = self._plan.call("load")
        effective = observe.effective(self._llm.llm_engine.vllm_config, self._workers, load)
        reasons = self._cache_check.reasons()
        if differences := list(observe.speculation_differences(load, effective)):
            reasons["effective-differs"] = "; ".join(differences)
        return Observation(
            effective={
                **effective,
                **observe.request_values(self._params, self._plan.call("sampling")),
                "settings.seed": effective["load.seed"],
                "settings.num_threads": [worker["threads"] for worker in self._workers],
            },
            memory=self._memory(),
            reasons=reasons,
            kv_bytes_per_value=cache_value_bytes(str(effective["load.kv_cache_dtype"])),
        )

    def close(self) -> None:
        """End the engine's processes."""
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.llm_engine.engine_core.shutdown()
            self._executor.clear()
        self._generate, self._arguments, self._requests = None, {}, ()
        gc.collect()

    @property
    def _searches(self) -> bool:
        return "params" in self._plan.call("generate").runtime

    def _reset(self) -> None:
        """Remove what an earlier repetition left: token times, random state, cached prompts."""
        self._times.clear()
        self._llm.collective_rpc("llem_set_seed", args=(self._plan.settings["seed"],))
        if self._plan.settings["reset_prefix_cache"]:
            self._cache_check.reset(self._llm)

    def _results(
        self, outputs: Sequence[Any], started_s: float, finished_s: float
    ) -> list[RequestResult]:
        if self._searches:
            return beam_results(
                self._requests,
                outputs,
                self._eos_ids,
                started_s=started_s,
                finished_s=finished_s,
            )
        self._cache_check.check(outputs)
        return generated_results(self._requests, outputs, self._times, self._eos_ids)

    def _memory(self) -> dict[str, int]:
        memory: dict[str, int] = {}
        with watching(engine_processes(self._llm)):
            workers = self._llm.collective_rpc("llem_memory")
        for worker in workers:
            for name, value in worker.items():
                memory[name] = memory.get(name, 0) + value
        return memory
