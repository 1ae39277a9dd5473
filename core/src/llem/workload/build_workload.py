"""Build the requests of one repetition: token ids, output limits, order and their hash."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from llem.api.session import ModelInfo, Request, RequestResult, RunResult, TokenizerExport
from llem.errors import WorkloadError, counted
from llem.schema.workload import (
    Length,
    LogNormalLength,
    NormalLength,
    SyntheticWorkload,
    UniformLength,
    Workload,
)
from llem.workload.prompt import EncodedPrompts, Prompt, RandomTokens, TokenIds
from llem.workload.tokenizing import needs_tokenizer


def draw_lengths(length: Length, count: int, generator: np.random.Generator) -> list[int]:
    """Return ``count`` lengths in tokens, each at least 1."""
    match length:
        case int():
            return [length] * count
        case UniformLength():
            drawn = generator.integers(length.low, length.high, size=count, endpoint=True)
            return [int(value) for value in drawn]
        case NormalLength():
            return _rounded(generator.normal(length.mean, length.std, size=count), length.max)
        case LogNormalLength():
            exponents = generator.normal(np.log(length.median), length.sigma, size=count)
            # No field accepts a longer length; the bound keeps a wide draw from filling memory.
            return _rounded(np.exp(np.minimum(exponents, np.log(1e6))), length.max)


def _rounded(drawn: np.ndarray[tuple[int], np.dtype[np.float64]], most: int | None) -> list[int]:
    return [int(value) for value in np.clip(np.rint(drawn), 1, most)]


@dataclass(frozen=True, slots=True)
class PreparedWorkload:
    """The requests of one repetition.

    Attributes:
        requests: In order of submission; ``index`` counts that order.
        truncated_requests: How many prompts were cut to ``max_input_tokens``.
        input_ids_sha256: Hash of all prompt ids and output limits, in order.
        own_lengths: How many requests have the output length that their row states.
        chat_template: Where the chat template comes from, if one was used.
        template_time: The time that the template saw, ISO 8601, if it may write it.
    """

    requests: tuple[Request, ...]
    truncated_requests: int
    input_ids_sha256: str
    own_lengths: int = 0
    chat_template: str | None = None
    template_time: str | None = None


def build_workload(
    workload: Workload,
    *,
    max_new_tokens: int | None,
    model: ModelInfo,
    prompts: Sequence[Prompt] | None,
    encoded: EncodedPrompts | None,
    vocabulary: Sequence[int] | None = None,
) -> PreparedWorkload:
    """Turn ``workload`` into requests of token ids.

    Prompt lengths, prompt ids, output lengths and order each have their own random stream: a change
    of output lengths leaves the prompts as they are.

    Args:
        workload: The workload section.
        max_new_tokens: Upper bound on every output length, or ``None``.
        model: The loaded model; its vocabulary and context length are used.
        prompts: The prompts, or ``None`` for a synthetic workload.
        encoded: The token ids of texts and messages; ``None`` if there are none of these.
        vocabulary: The ids that random prompts may hold; ``None`` for all of the model's.

    Raises:
        WorkloadError: A prompt holds an id that the model does not know, or exceeds its context.
    """
    prompt_lengths, ids, output_lengths, order = _streams(workload)
    prompts = _with_random(workload, prompts, prompt_lengths)
    if encoded is None and needs_tokenizer(prompts):
        raise WorkloadError(
            "the model has no tokenizer that llem can read",
            hint="Set model.tokenizer, or use a synthetic workload.",
        )
    encoded = encoded or EncodedPrompts((None,) * len(prompts))
    prompt_ids = _prompt_ids(prompts, encoded.ids, model, partial(_draw, model, vocabulary, ids))
    prompt_ids, truncated = _truncate(prompt_ids, workload.max_input_tokens)
    limits = _limits(workload, prompts, max_new_tokens, output_lengths)
    _check_context(prompt_ids, limits, model.max_context_tokens)
    requests = tuple(
        Request(index=index, prompt_ids=prompt_ids[place], max_new_tokens=limits[place])
        for index, place in enumerate(_order(prompt_ids, workload.order, order))
    )
    return PreparedWorkload(
        requests,
        truncated + encoded.truncated,
        _hash(requests),
        own_lengths=sum(prompt.output_tokens is not None for prompt in prompts),
        chat_template=encoded.template,
        template_time=encoded.template_time,
    )


def longest_request_tokens(
    workload: Workload,
    *,
    max_new_tokens: int | None,
    prompts: Sequence[Prompt] | None,
    encoded: EncodedPrompts | None,
) -> int:
    """Return the most tokens that a request takes, prompt and output together.

    A text that is not encoded yet counts for nothing. The arguments are those of
    :func:`build_workload`, which does the same once the model is loaded.
    """
    prompt_lengths, _, output_lengths, _ = _streams(workload)
    prompts = _with_random(workload, prompts, prompt_lengths)
    limits = _limits(workload, prompts, max_new_tokens, output_lengths)
    ids = encoded.ids if encoded is not None else (None,) * len(prompts)
    lengths = map(_length, prompts, ids)
    longest = workload.max_input_tokens
    cut = (length if longest is None else min(length, longest) for length in lengths)
    return max(map(sum, zip(cut, limits, strict=True)), default=0)


def _length(prompt: Prompt, encoded: list[int] | None) -> int:
    match prompt.content:
        case TokenIds(ids):
            return len(ids)
        case RandomTokens(count):
            return count
    return len(encoded or ())


def _streams(workload: Workload) -> list[np.random.Generator]:
    """Return the random streams of prompt lengths, prompt ids, output lengths and order."""
    return list(map(np.random.default_rng, np.random.SeedSequence(workload.seed).spawn(4)))


def _with_random(
    workload: Workload, prompts: Sequence[Prompt] | None, generator: np.random.Generator
) -> Sequence[Prompt]:
    """Return the prompts; those of a synthetic workload are lengths."""
    if isinstance(workload, SyntheticWorkload):
        lengths = draw_lengths(workload.input_tokens, workload.requests, generator)
        return [Prompt(RandomTokens(length)) for length in lengths]
    assert prompts is not None
    return prompts


def _limits(
    workload: Workload,
    prompts: Sequence[Prompt],
    max_new_tokens: int | None,
    generator: np.random.Generator,
) -> list[int]:
    """Return the output length of each prompt."""
    drawn = draw_lengths(workload.output_tokens, len(prompts), generator)
    limits = [
        limit if prompt.output_tokens is None else prompt.output_tokens
        for prompt, limit in zip(prompts, drawn, strict=True)
    ]
    return limits if max_new_tokens is None else [min(limit, max_new_tokens) for limit in limits]


def draws_ids(prompts: Sequence[Prompt] | None) -> bool:
    """Whether a prompt is random: all of a synthetic workload are, and those of a trace."""
    return prompts is None or any(isinstance(prompt.content, RandomTokens) for prompt in prompts)


def ordinary_ids(tokenizer: TokenizerExport) -> list[int]:
    """Return the ids of a tokenizer's vocabulary, without those of added tokens.

    An added token ends a request, begins a turn of a chat, or holds the place of an image. Ids
    beyond the vocabulary are those of tokens that another file adds, or of no token.

    Raises:
        WorkloadError: The tokenizer is no document of the ``tokenizers`` library.
    """
    try:
        document = json.loads(tokenizer.tokenizer_json)
        vocabulary = document["model"]["vocab"]
        added = {token["id"] for token in document.get("added_tokens") or ()}
        # A list has an entry per id, in their order: that of SentencePiece's unigram model.
        ids = vocabulary.values() if isinstance(vocabulary, dict) else range(len(vocabulary))
        return sorted(set(ids) - added)
    except (ValueError, KeyError, TypeError) as error:
        raise WorkloadError(f"{tokenizer.origin} does not list its tokens: {error}") from error


def _draw(
    model: ModelInfo,
    vocabulary: Sequence[int] | None,
    generator: np.random.Generator,
    lengths: Sequence[int],
) -> list[list[int]]:
    """Return prompts of random ids, none of them special."""
    special = {*model.special_token_ids, *model.eos_token_ids}
    known = np.arange(model.vocab_size)
    if vocabulary is not None:
        known = np.intersect1d(known, vocabulary)
    allowed = np.setdiff1d(known, sorted(special))
    if not allowed.size:
        raise WorkloadError("the model's vocabulary holds only special tokens")
    drawn = allowed[generator.integers(allowed.size, size=sum(lengths))]
    return [part.tolist() for part in np.split(drawn, np.cumsum(lengths)[:-1])]


def _prompt_ids(
    prompts: Sequence[Prompt],
    encoded: Sequence[list[int] | None],
    model: ModelInfo,
    draw: Callable[[Sequence[int]], list[list[int]]],
) -> list[list[int]]:
    """Return the token ids of each prompt; those of which only the length is known are drawn."""
    contents = [prompt.content for prompt in prompts]
    lengths = [content.count for content in contents if isinstance(content, RandomTokens)]
    random_ids = iter(draw(lengths) if lengths else ())
    return [
        next(random_ids)
        if isinstance(prompt.content, RandomTokens)
        else _known_ids(prompt.content, prompt.place, model.vocab_size)
        if isinstance(prompt.content, TokenIds)
        else ids or []
        for prompt, ids in zip(prompts, encoded, strict=True)
    ]


def _known_ids(content: TokenIds, place: str, vocab_size: int) -> list[int]:
    unknown = [id for id in content.ids if not 0 <= id < vocab_size]
    if unknown:
        raise WorkloadError(
            f"{place}: the model has no token {unknown[0]}: its vocabulary holds {vocab_size:,}",
            hint="Token ids fit the model whose tokenizer wrote them.",
        )
    return list(content.ids)


def _truncate(prompts: list[list[int]], most: int | None) -> tuple[list[list[int]], int]:
    """Keep the last ``most`` ids of each prompt: a question usually stands at the end."""
    if most is None:
        return prompts, 0
    return [prompt[-most:] for prompt in prompts], sum(len(prompt) > most for prompt in prompts)


def _check_context(
    prompts: Sequence[Sequence[int]], limits: Sequence[int], context: int | None
) -> None:
    for number, (prompt, limit) in enumerate(zip(prompts, limits, strict=True), start=1):
        if not prompt:
            raise WorkloadError(f"prompt {number} has no token")
        if context is not None and len(prompt) + limit > context:
            raise WorkloadError(
                f"prompt {number} has {counted(len(prompt), 'token')} and up to "
                f"{counted(limit, 'output token')}, but the model's context holds {context}",
                hint="Lower workload.max_input_tokens or workload.output_tokens.",
            )


def _order(
    prompts: Sequence[Sequence[int]], order: str, generator: np.random.Generator
) -> Sequence[int]:
    """Return the places of ``prompts`` in order of submission; equal lengths keep their order."""
    places = range(len(prompts))
    match order:
        case "shuffled":
            return [int(place) for place in generator.permutation(len(prompts))]
        case "shortest-first":
            return sorted(places, key=lambda place: len(prompts[place]))
        case "longest-first":
            return sorted(places, key=lambda place: -len(prompts[place]))
        case _:
            return places


def _hash(requests: Sequence[Request]) -> str:
    """Return SHA-256 over each request's prompt length, output limit and ids, as 64-bit words."""
    digest = hashlib.sha256()
    for request in requests:
        words = array("q", [len(request.prompt_ids), request.max_new_tokens, *request.prompt_ids])
        digest.update(words.tobytes())
    return digest.hexdigest()


def broken_promises(
    requests: Sequence[Request], runs: Sequence[RunResult], *, exact: bool, least: int
) -> Iterator[str]:
    """Yield what ``runs`` returned other than the workload promises.

    Args:
        requests: The requests of a repetition.
        runs: The repetitions.
        exact: Whether each output has the length of its limit, because EOS is ignored. Otherwise
            an EOS may end a request before it. A stop text may do so in any case.
        least: Output tokens that no EOS may prevent.
    """
    limits = {request.index: request.max_new_tokens for request in requests}
    sequences = max(
        (len(results) for run in runs for results in run.by_request.values()), default=1
    )
    for run in runs:
        found = run.by_request
        if found.keys() != limits.keys() or len(run.requests) != sequences * len(limits):
            yield (
                f"{counted(len(run.requests), 'result')} for {counted(len(found), 'request')} "
                f"came back, and the workload has {counted(len(limits), 'request')}"
            )
            return
    wrong = [
        result
        for run in runs
        for result in run.requests
        if not _is_whole(result, limits[result.index], exact=exact, least=least)
    ]
    if wrong:
        first = wrong[0]
        yield (
            f"{len(wrong)} results have another output length than the workload promises: request "
            f"{first.index} ended by {first.finish_reason} after {len(first.output_ids)} of "
            f"{counted(limits[first.index], 'token')}"
        )


def _is_whole(result: RequestResult, limit: int, *, exact: bool, least: int) -> bool:
    length = len(result.output_ids)
    if length >= limit or result.finish_reason == "length":
        return length == limit
    return result.finish_reason == "stop" or (not exact and length >= min(least, limit))
