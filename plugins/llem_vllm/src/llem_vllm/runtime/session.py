"""The session: all requests at once through vLLM's offline engine."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import vllm

from llem.api.child_processes import peak_rss_bytes
from llem.api.session import (
    Observation,
    OpenReport,
    Request,
    RequestResult,
    RunResult,
    Session,
    TokenizerExport,
)
from llem.schema.call_plan import Call, CallPlan, import_dotted, resolve_kwargs
from llem_vllm.runtime import lifeline, observe
from llem_vllm.runtime.counters import since, totals
from llem_vllm.runtime.engine_watch import processes, watching
from llem_vllm.runtime.facts import eos_ids, model_facts
from llem_vllm.runtime.prefix_guard import PrefixGuard
from llem_vllm.runtime.results import generated, searched
from llem_vllm.runtime.token_times import TokenTimes
from llem_vllm.runtime.tokenizer import export


class VllmSession(Session):
    """Executes a plan with vLLM."""

    def __init__(self) -> None:
        self._llm: Any = None
        self._requests: Sequence[Request] = ()
        self._arguments: dict[str, Any] = {}
        self._params: Any = None

    def open(self, plan: CallPlan) -> OpenReport:
        """Start the engine, which loads the model in processes of its own."""
        self._plan = plan
        load = plan.call("load")
        lifeline.announce()
        self._llm = import_dotted(load.target)(**resolve_kwargs(load))
        self._times = TokenTimes(self._llm.llm_engine.output_processor)
        self._workers = self._llm.collective_rpc("llem_describe")
        return OpenReport(
            engine="vllm",
            engine_version=vllm.__version__,
            model=model_facts(self._llm, self._workers),
            devices=list(dict.fromkeys(worker["device"] for worker in self._workers)),
        )

    def tokenizer(self) -> TokenizerExport | None:
        """Return the model's tokenizer as data."""
        return export(self._llm.get_tokenizer())

    def prepare(self, requests: Sequence[Request]) -> None:
        """Make the prompts and parameters of every request."""
        self._requests = requests
        self._eos_ids = set() if self._plan.settings["ignore_eos"] else eos_ids(self._llm)
        self._guard = PrefixGuard([request.prompt_ids for request in requests])
        sampling = self._plan.call("sampling")
        make = import_dotted(sampling.target)
        kwargs = resolve_kwargs(sampling)
        params = [make(**kwargs, max_tokens=one.max_new_tokens) for one in requests]
        self._params = params[0]
        self._arguments = {
            **resolve_kwargs(self._generate),
            "prompts": [{"prompt_token_ids": list(one.prompt_ids)} for one in requests],
            **({"params": self._params} if self._searches else {"sampling_params": params}),
        }
        with watching(processes(self._llm)):
            self._llm.collective_rpc("llem_forget_peak")

    def run(self) -> RunResult:
        """Hand all requests over in one call; what precedes and follows it is bookkeeping."""
        generate = self._target()
        with watching(processes(self._llm)):
            self._start_over()
            before = totals(self._llm.get_metrics())
            started_s = time.monotonic()
            outputs = generate(**self._arguments)
            finished_s = time.monotonic()
            counters = since(before, totals(self._llm.get_metrics()))
        return RunResult(
            started_s=started_s,
            finished_s=finished_s,
            requests=self._results(outputs, started_s, finished_s),
            counters=counters,
        )

    def observe(self) -> Observation:
        """Read the effective settings and the memory of all processes back."""
        load = self._plan.call("load")
        effective = observe.effective(self._llm.llm_engine.vllm_config, self._workers, load)
        reasons = self._guard.reasons()
        if differences := list(observe.nested_differences(load, effective)):
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
        )

    def close(self) -> None:
        """End the engine's processes."""
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.llm_engine.engine_core.shutdown()
        self._arguments, self._requests = {}, ()
        gc.collect()

    @property
    def _generate(self) -> Call:
        return self._plan.call("generate")

    @property
    def _searches(self) -> bool:
        return "params" in self._generate.runtime

    def _target(self) -> Callable[..., Any]:
        """Return the method of the engine that the plan names."""
        return getattr(self._llm, self._generate.target.partition(".")[2])  # type: ignore[no-any-return]

    def _start_over(self) -> None:
        """Leave nothing of an earlier repetition to this one."""
        self._times.clear()
        self._llm.collective_rpc("llem_start_over", args=(self._plan.settings["seed"],))
        if self._plan.settings["reset_prefix_cache"]:
            self._guard.reset(self._llm)

    def _results(
        self, outputs: Sequence[Any], started_s: float, finished_s: float
    ) -> list[RequestResult]:
        if self._searches:
            return searched(
                self._requests,
                outputs,
                self._eos_ids,
                started_s=started_s,
                finished_s=finished_s,
            )
        self._guard.check(outputs)
        return generated(self._requests, outputs, self._times, self._eos_ids)

    def _memory(self) -> dict[str, int]:
        memory: dict[str, int] = {}
        with watching(processes(self._llm)):
            workers = self._llm.collective_rpc("llem_memory")
        for worker in workers:
            for name, value in worker.items():
                memory[name] = memory.get(name, 0) + value
        peak = peak_rss_bytes()
        return memory if peak is None else {**memory, "host_peak_rss_bytes": peak}
