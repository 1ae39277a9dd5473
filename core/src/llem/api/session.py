"""What runs inside the worker process: the session a backend implements, and what it returns.

All records are plain frozen dataclasses that travel as JSON. Times are seconds of
``time.monotonic()`` (``CLOCK_MONOTONIC``), which host and worker share on one machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from llem.api.arithmetic import Arithmetic
from llem.schema.call_plan import CallPlan

FinishReason = Literal["eos", "length", "stop"]


@dataclass(frozen=True, slots=True)
class Record:
    """A dataclass that travels between host and worker as a JSON object."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the record from :meth:`to_json`."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Request(Record):
    """One request of the workload.

    Attributes:
        index: Position in the workload, from 0; results refer to it.
        prompt_ids: Token ids, the same for every backend.
        max_new_tokens: Output tokens after which this request ends.
    """

    index: int
    prompt_ids: list[int]
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class RequestResult(Record):
    """What one request got.

    Attributes:
        index: The request's index.
        output_ids: Generated ids up to and including the first EOS; no padding, no filler.
        finish_reason: Why it ended: ``eos``, ``length`` (its limit) or ``stop`` (a stop text).
        submitted_s: When the request was handed to the engine.
        finished_s: When its last token was available to the caller.
        token_times_s: When each output token was available to the caller, one per output
            token, never decreasing; ``None`` where the engine does not tell.
        first_token_s: When the first output token was available, for engines that tell this one
            and no others.
    """

    index: int
    output_ids: list[int]
    finish_reason: FinishReason
    submitted_s: float
    finished_s: float
    token_times_s: list[float] | None = None
    first_token_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult(Record):
    """One repetition of the workload.

    Attributes:
        started_s: Immediately before the first engine call.
        finished_s: Immediately after the last one, with the device synchronised.
        requests: One result per request, in request order; several in a row where a request
            returns several sequences.
        padding_input_tokens: Positions the engine computed only to fill a batch's prompts.
        padding_output_tokens: Positions it generated for rows that had already ended.
        counters: Further engine counters, such as prefix-cache hits.
    """

    started_s: float
    finished_s: float
    requests: list[RequestResult]
    padding_input_tokens: int = 0
    padding_output_tokens: int = 0
    counters: dict[str, float] = field(default_factory=dict)

    @property
    def by_request(self) -> dict[int, list[RequestResult]]:
        """The results of each request, by its index; several where it returned several sequences.

        A request is counted once, whatever it returned.
        """
        found: dict[int, list[RequestResult]] = {}
        for result in self.requests:
            found.setdefault(result.index, []).append(result)
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the record from its JSON data."""
        requests = [RequestResult.from_json(item) for item in data["requests"]]
        return cls(**{**data, "requests": requests})


@dataclass(frozen=True, slots=True)
class ModelInfo(Record):
    """What the loaded model is.

    Attributes:
        vocab_size: Number of token ids the model accepts.
        eos_token_ids: Ids that end a request.
        special_token_ids: Ids that synthetic prompts must not contain.
        max_context_tokens: Longest prompt plus output, or ``None`` if unknown.
        parameters: Number of weights, counted on the loaded model where possible.
        weights_bytes: Bytes the weights occupy, or ``None`` if unknown.
        dtype: Data type in which it computes.
        tf32: Whether matrices of float32 are multiplied in TF32 on devices that can.
        arithmetic: What it computes and keeps for its tokens, or ``None`` if that is unknown.
        arithmetic_note: Why it is unknown, or what is special about it.
    """

    vocab_size: int
    eos_token_ids: list[int] = field(default_factory=list)
    special_token_ids: list[int] = field(default_factory=list)
    max_context_tokens: int | None = None
    parameters: int | None = None
    weights_bytes: int | None = None
    dtype: str | None = None
    tf32: bool = False
    arithmetic: Arithmetic | None = None
    arithmetic_note: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the record from its JSON data."""
        arithmetic = data.get("arithmetic")
        rebuilt = Arithmetic.from_json(arithmetic) if arithmetic else None
        return cls(**{**data, "arithmetic": rebuilt})


@dataclass(frozen=True, slots=True)
class OpenReport(Record):
    """What ``open`` found.

    Attributes:
        engine: Name of the engine, such as ``transformers``.
        engine_version: Its version.
        model: Facts about the loaded model.
        devices: The devices the engine really uses: ``cpu``, or ``cuda:<uuid>``.
        simulated: True when no engine ran; such an outcome is never valid.
    """

    engine: str
    engine_version: str
    model: ModelInfo
    devices: list[str]
    simulated: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the record from its JSON data."""
        return cls(**{**data, "model": ModelInfo.from_json(data["model"])})


@dataclass(frozen=True, slots=True)
class TokenizerExport(Record):
    """A tokenizer in the form the ``tokenizers`` library reads.

    Attributes:
        tokenizer_json: Content of a ``tokenizer.json``.
        chat_template: Jinja source of the chat template, of several by name, or ``None``.
        special_tokens: Texts the template may use, such as ``{"bos_token": "<s>"}``.
        added_tokens: Tokens that ``tokenizer_json`` lacks, each as the arguments of
            ``tokenizers.AddedToken``.
        splits_special_tokens: Whether special tokens in a prompt are read as plain text.
        origin: The file of the tokenizer, for messages.
        template_origins: The file of each template by name; ``default`` is that of a single one.
    """

    tokenizer_json: str
    chat_template: str | dict[str, str] | None = None
    special_tokens: dict[str, str] = field(default_factory=dict)
    added_tokens: list[dict[str, Any]] = field(default_factory=list)
    splits_special_tokens: bool = False
    origin: str = "the engine's tokenizer"
    template_origins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_transformers(cls, tokenizer: Any) -> Self | None:
        """Return a tokenizer of transformers as data; ``None`` for one written in Python."""
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            return None
        return cls(
            tokenizer_json=backend.to_str(),
            chat_template=tokenizer.chat_template,
            splits_special_tokens=getattr(tokenizer, "split_special_tokens", False),
            special_tokens={
                name: token
                for name, token in tokenizer.special_tokens_map.items()
                if isinstance(token, str)
            },
        )


@dataclass(frozen=True, slots=True)
class Observation(Record):
    """What was really in force, read back from the live engine after the runs.

    Attributes:
        effective: Effective value by ``<call>.<argument>`` or ``settings.<name>``; where the
            plan asked for another value, the verdict says so.
        memory: Bytes by name, such as ``device_peak_bytes``; a name ends in ``_bytes``.
        reasons: Verdict codes with their message, for what the session knows went wrong.
        kv_bytes_per_value: Bytes of one value in the KV cache, scales included; ``model`` is the
            type in which the model computes.
    """

    effective: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    kv_bytes_per_value: float | Literal["model", "unknown"] = "model"


class Session(ABC):
    """Executes one plan in the worker: ``open → prepare → run … run → observe → close``, or
    ``reopen`` instead of ``close`` to go on with another one.

    The constructor takes no arguments and does nothing. Any method may raise; the host then
    stores a failed outcome with the traceback.
    """

    @abstractmethod
    def open(self, plan: CallPlan) -> OpenReport:
        """Import the engine and load the model. Called once, first."""

    def reopen(self, plan: CallPlan) -> None:
        """Take on another plan that loads the same model in the same way.

        Everything that stems from earlier runs must go: caches, batches, random state, peak
        memory figures. A session that finds that it cannot get back to where ``open`` left it
        raises; the host then starts a fresh worker.

        When: after ``observe``, instead of ``close``; only for a backend that declares
        ``hot_swappable``, and only where the plans differ in nothing else.
        """
        raise RuntimeError("this session cannot take on another plan")

    def tokenizer(self) -> TokenizerExport | None:
        """Return the model's tokenizer, if the engine can hand it out.

        When: after ``open``, and only when the model's folder has no ``tokenizer.json`` that the
        host could read by itself. Texts need it; random prompts leave out its added tokens, and
        are drawn without it if this raises.
        """
        return None

    @abstractmethod
    def prepare(self, requests: Sequence[Request]) -> None:
        """Do everything that is not inference: batch, pad, move to the device.

        When: once, outside every window. ``run`` must then do the engine's work alone.
        """

    @abstractmethod
    def run(self) -> RunResult:
        """Run the prepared workload once and synchronise the device.

        When: once per warm-up and per measured repetition, inside a window. It must do the
        same work each time, print nothing, and leave no request cached for the next one.
        """

    def observe(self) -> Observation:
        """Read back what was in force. Called once, after the last run; must not raise."""
        return Observation()

    def close(self) -> None:
        """Release what ``open`` took. May be called more than once, or after a failed ``open``."""
        return
