"""What requests are made of: order, limits, cut prompts, random ids, the hash, and refusals."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from scipy import stats
from tokenizers import AddedToken, Tokenizer, models

from llem.api.session import ModelInfo, TokenizerExport
from llem.errors import WorkloadError
from llem.workload.build_workload import PreparedWorkload, build_workload, ordinary_ids
from llem.workload.prompt import Messages, Prompt, RandomTokens, TokenIds
from llem.workload.tokenizing import encode_prompts

from .colors import MODEL, NOON, PLAIN, TEXTS, build, limits, prompts, tokenizer, workload

COLORS = {"source": "prompts", "prompts": TEXTS}
UNIFORM = {"distribution": "uniform", "low": 1, "high": 1000}


# Computed by hand: printf '\x02\0\0\0\0\0\0\0' … | sha256sum, for the 64-bit little-endian words
# 2 4 7 9   1 4 8   (length, limit, ids of "blue black", then of "white").
def test_the_hash_of_two_requests(tmp_path: Path) -> None:
    built = build(tmp_path, source="prompts", prompts=["blue black", "white"], output_tokens=4)
    assert (
        built.input_ids_sha256 == "4f34baa5f656d672fc834ddc5c367d47b38e57760336171ceb1fbef140b796e5"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"prompts": ["black blue", "white"]},
        {"prompts": ["blue", "black white"]},
        {"output_tokens": 5},
        {"order": "shortest-first"},
        {"max_input_tokens": 1},
        {"chat_template": True},
    ],
)
def test_the_hash_tells_requests_apart(change: dict, tmp_path: Path) -> None:
    given = {"source": "prompts", "prompts": ["blue black", "white"], "output_tokens": 4}
    first, other = build(tmp_path, **given), build(tmp_path, **given | change)
    assert first.input_ids_sha256 != other.input_ids_sha256


def test_the_hash_is_of_requests_and_of_nothing_else(tmp_path: Path) -> None:
    given = {"source": "prompts", "prompts": ["blue black", "white"], "output_tokens": 4}
    alike = given | {"order": "longest-first", "seed": 3, "max_input_tokens": 2, "requests": 2}
    assert build(tmp_path, **given) == build(tmp_path, **alike)


def test_every_order_of_three_is_as_likely_as_any_other(tmp_path: Path) -> None:
    three = {"source": "prompts", "prompts": ["red", "green", "blue"], "order": "shuffled"}
    counts = Counter(
        tuple(ids for [ids] in prompts(build(tmp_path, seed=seed, **three))) for seed in range(1200)
    )
    assert set(counts) == set(permutations([5, 6, 7]))
    assert stats.chisquare(list(counts.values())).pvalue > 1e-6


@pytest.mark.parametrize("order", ["shuffled", "shortest-first", "longest-first"])
def test_a_prompt_keeps_its_output_limit_in_every_order(order: str, tmp_path: Path) -> None:
    given = build(tmp_path, **COLORS, output_tokens=UNIFORM)
    other = build(tmp_path, **COLORS, output_tokens=UNIFORM, order=order)
    assert len(set(limits(given))) == 5
    by_prompt = {tuple(request.prompt_ids): request.max_new_tokens for request in given.requests}
    assert prompts(other) != prompts(given)
    assert limits(other) == [by_prompt[tuple(prompt)] for prompt in prompts(other)]


def test_prompts_stay_when_output_lengths_change(tmp_path: Path) -> None:
    values = {"requests": 50, "input_tokens": UNIFORM, "order": "shuffled"}
    first = build(tmp_path, output_tokens=8, **values)
    other = build(tmp_path, output_tokens=UNIFORM, **values)
    assert prompts(first) == prompts(other)
    assert limits(first) != limits(other)


def test_output_lengths_stay_when_prompt_lengths_change(tmp_path: Path) -> None:
    first = build(tmp_path, requests=50, input_tokens=8, output_tokens=UNIFORM)
    other = build(tmp_path, requests=50, input_tokens=UNIFORM, output_tokens=UNIFORM)
    assert limits(first) == limits(other)
    assert prompts(first) != prompts(other)


def test_random_ids_stay_when_the_order_changes(tmp_path: Path) -> None:
    values = {"requests": 50, "input_tokens": UNIFORM}
    first = build(tmp_path, **values)
    other = build(tmp_path, order="longest-first", **values)
    assert sorted(prompts(first)) == sorted(prompts(other))


@pytest.mark.parametrize(
    ("output", "most", "expected"),
    [
        (8, None, [8] * 5),
        (8, 8, [8] * 5),
        (8, 3, [3] * 5),
        (8, 9, [8] * 5),
        ({"distribution": "normal", "mean": 100, "std": 1}, 60, [60] * 5),
    ],
)
def test_max_new_tokens_bounds_every_output(
    output: object, most: int | None, expected: list[int], tmp_path: Path
) -> None:
    built = build(tmp_path, **COLORS, output_tokens=output, max_new_tokens=most)
    assert limits(built) == expected


# The prompts have 4, 1, 3, 1 and 6 tokens.
@pytest.mark.parametrize(
    ("most", "cut", "survivors"),
    [
        (1, 3, [[8], [9], [5], [8], [9]]),
        (2, 3, [[7, 8], [9], [6, 5], [8], [8, 9]]),
        (3, 2, [[6, 7, 8], [9], [6, 6, 5], [8], [6, 8, 9]]),
        (4, 1, [[5, 6, 7, 8], [9], [6, 6, 5], [8], [5, 6, 8, 9]]),
        (5, 1, [[5, 6, 7, 8], [9], [6, 6, 5], [8], [9, 5, 6, 8, 9]]),
        (6, 0, PLAIN),
        (7, 0, PLAIN),
    ],
)
def test_the_last_tokens_survive(
    most: int, cut: int, survivors: list[list[int]], tmp_path: Path
) -> None:
    built = build(tmp_path, **COLORS, max_input_tokens=most)
    assert prompts(built) == survivors
    assert built.truncated_requests == cut


@pytest.mark.parametrize("requests", [1, 4, 5, None])
def test_requests_takes_the_first_prompts(requests: int | None, tmp_path: Path) -> None:
    built = build(tmp_path, **COLORS, requests=requests)
    assert prompts(built) == PLAIN[: requests or 5]


@pytest.mark.parametrize("requests", [1, 7, 32])
def test_requests_of_a_synthetic_workload(requests: int, tmp_path: Path) -> None:
    built = build(tmp_path, requests=requests, input_tokens=3, output_tokens=2)
    assert [len(prompt) for prompt in prompts(built)] == [3] * requests
    assert [request.index for request in built.requests] == list(range(requests))


def test_the_defaults_of_a_synthetic_workload(tmp_path: Path) -> None:
    built = build(tmp_path)  # as the reference says: 32 requests of 128 tokens, 64 answered
    assert [len(prompt) for prompt in prompts(built)] == [128] * 32
    assert limits(built) == [64] * 32


def test_random_ids_are_drawn_evenly_and_none_is_special(tmp_path: Path) -> None:
    model = ModelInfo(vocab_size=12, eos_token_ids=[0, 11], special_token_ids=[11, 4])
    built = build(tmp_path, model=model, requests=100, input_tokens=270)
    counts = Counter(token for prompt in prompts(built) for token in prompt)
    assert sorted(counts) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert sum(counts.values()) == 27_000
    assert stats.chisquare(list(counts.values())).pvalue > 1e-6


def test_random_prompts_differ(tmp_path: Path) -> None:
    model = ModelInfo(vocab_size=50_000)
    first, other = (build(tmp_path, model=model, seed=seed, requests=64) for seed in (0, 1))
    # Of 64 * 128 draws from 50,000 ids about this many differ: 50,000 (1 - exp(-0.16384)).
    distinct = len({token for prompt in prompts(first) for token in prompt})
    assert distinct == pytest.approx(50_000 * (1 - math.exp(-8192 / 50_000)), rel=0.02)
    assert len({tuple(prompt) for prompt in prompts(first)}) == 64
    assert prompts(first) != prompts(other)


@pytest.mark.parametrize(("context", "fits"), [(13, False), (14, True), (15, True), (None, True)])
def test_prompt_and_output_fill_the_context(
    context: int | None, fits: bool, tmp_path: Path
) -> None:
    model = ModelInfo(vocab_size=10, max_context_tokens=context)
    if fits:
        built = build(tmp_path, **COLORS, output_tokens=8, model=model)
        assert max(map(len, prompts(built))) + 8 == 14
    else:
        with pytest.raises(WorkloadError, match="prompt 5 has 6 tokens and up to 8 output tokens"):
            build(tmp_path, **COLORS, output_tokens=8, model=model)


@pytest.mark.parametrize("bound", [{"max_input_tokens": 5}, {"max_new_tokens": 7}])
def test_a_bound_makes_a_prompt_fit(bound: dict, tmp_path: Path) -> None:
    model = ModelInfo(vocab_size=10, max_context_tokens=13)
    built = build(tmp_path, **COLORS, output_tokens=8, model=model, **bound)
    assert len(built.requests) == 5


def test_an_empty_prompt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="prompt 2: the prompt is empty"):
        build(tmp_path, source="prompts", prompts=["red", "", "blue"])


def test_a_vocabulary_of_special_tokens_is_refused(tmp_path: Path) -> None:
    model = ModelInfo(vocab_size=2, eos_token_ids=[1], special_token_ids=[0])
    with pytest.raises(WorkloadError, match="only special tokens"):
        build(tmp_path, model=model)


def test_texts_need_a_tokenizer() -> None:
    section = workload(**COLORS)
    with pytest.raises(WorkloadError) as refused:
        build_workload(
            section,
            max_new_tokens=None,
            model=MODEL,
            prompts=[Prompt(text) for text in TEXTS],
            encoded=None,
        )
    assert "model.tokenizer" in refused.value.hint


def test_a_tokenizer_that_pads_and_truncates_does_neither(tmp_path: Path) -> None:
    export = tokenizer(
        truncation={
            "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0,
        },
        padding={
            "strategy": {"Fixed": 8}, "direction": "Left", "pad_to_multiple_of": None,
            "pad_id": 2, "pad_type_id": 0, "pad_token": "</s>",
        },
    )  # fmt: skip
    assert prompts(build(tmp_path, **COLORS, export=export)) == PLAIN


BEGIN = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ],
    "pair": [],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
}


def test_special_tokens_are_added_to_plain_prompts_and_left_to_a_template(tmp_path: Path) -> None:
    export = tokenizer(post_processor=BEGIN)
    two = {"source": "prompts", "prompts": ["red", "blue white"], "export": export}
    assert prompts(build(tmp_path, **two)) == [[1, 5], [1, 7, 8]]
    assert prompts(build(tmp_path, **two, chat_template=True)) == [[3, 5, 4], [3, 7, 8, 4]]


def test_a_tokenizer_that_is_not_json_is_refused(tmp_path: Path) -> None:
    export = tokenizer()
    broken = type(export)(export.tokenizer_json[:-1])
    with pytest.raises(WorkloadError, match="no tokenizer that llem can read: EOF"):
        build(tmp_path, **COLORS, export=broken)


USER = {"role": "user", "content": "red"}
ANSWER = {"role": "assistant", "content": "blue"}


def built_of(*prompts: Prompt, chat: bool = False) -> PreparedWorkload:
    """Build these prompts, 4 tokens out where a prompt does not say otherwise."""
    section = workload(**COLORS, output_tokens=4, chat_template=chat)
    encoded = encode_prompts(section, prompts, tokenizer(), NOON)
    return build_workload(
        section, max_new_tokens=None, model=MODEL, prompts=prompts, encoded=encoded
    )


@pytest.mark.parametrize("chat", [False, True])
def test_messages_are_rendered_by_the_template_and_ids_are_taken_as_they_are(chat: bool) -> None:
    built = built_of(
        Prompt("green"),
        Prompt(TokenIds((9, 1, 9))),
        Prompt(Messages((USER, ANSWER, USER))),
        Prompt(RandomTokens(7)),
        Prompt("white"),
        chat=chat,
    )
    green, ids, messages, drawn, white = prompts(built)
    assert (green, white) == (([3, 6, 4], [3, 8, 4]) if chat else ([6], [8]))
    assert ids == [9, 1, 9]
    assert messages == [3, 5, 4, 7, 3, 5, 4]  # user: red assistant: blue user: red assistant:
    assert len(drawn) == 7


def test_a_prompt_has_its_own_output_length(tmp_path: Path) -> None:
    built = built_of(Prompt("red", output_tokens=7), Prompt("red"), Prompt("red", output_tokens=1))
    assert limits(built) == [7, 4, 1]
    alike = built_of(Prompt("red", output_tokens=8), Prompt("red"), Prompt("red", output_tokens=1))
    assert built.input_ids_sha256 != alike.input_ids_sha256


@pytest.mark.parametrize("id", [10, -1])
def test_an_id_outside_the_vocabulary_is_refused(id: int) -> None:
    with pytest.raises(WorkloadError, match=rf"p\.jsonl: row 3: the model has no token {id}"):
        built_of(Prompt(TokenIds((3, id)), place="p.jsonl: row 3"))


def with_added_tokens(model: Any) -> TokenizerExport:
    """Return a tokenizer with five ordinary tokens, three added ones, and one from another file."""
    library = Tokenizer(model)
    library.add_special_tokens(["<s>", "</s>"])
    library.add_tokens([AddedToken("<image>", special=False)])
    return TokenizerExport(library.to_str(), added_tokens=[{"content": "<turn>"}])


@pytest.mark.parametrize(
    "model",
    [
        models.WordLevel({"<s>": 0, "red": 1, "blue": 2, "green": 3, "a": 4, "b": 5}, "a"),
        models.BPE({"<s>": 0, "r": 1, "e": 2, "d": 3, "a": 4, "b": 5}, []),
        models.WordPiece({"<s>": 0, "r": 1, "e": 2, "d": 3, "a": 4, "b": 5}, unk_token="a"),
        models.Unigram([("<s>", 0.0), *((letter, -1.0) for letter in "redab")], 1),
    ],
)
def test_random_prompts_hold_no_added_token(model: Any) -> None:
    export = with_added_tokens(model)
    added = {0, 6, 7}  # <s> is a word of the vocabulary; </s> and <image> follow it
    assert set(Tokenizer.from_str(export.tokenizer_json).get_added_tokens_decoder()) == added
    assert ordinary_ids(export) == [1, 2, 3, 4, 5]
    built = build_workload(
        workload(requests=50, input_tokens=20),
        max_new_tokens=None,
        # The model pads its vocabulary beyond the 9 ids of the tokenizer.
        model=ModelInfo(vocab_size=16, eos_token_ids=[5]),
        prompts=None,
        encoded=None,
        vocabulary=ordinary_ids(export),
    )
    assert {token for prompt in prompts(built) for token in prompt} == {1, 2, 3, 4}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"model": {}}', '{"model": {"vocab": 3}}'])
def test_a_tokenizer_without_a_list_of_tokens_says_so(content: str) -> None:
    with pytest.raises(WorkloadError, match=r"tokenizer\.json does not list its tokens"):
        ordinary_ids(TokenizerExport(content, origin="tokenizer.json"))


def test_the_special_tokens_of_a_plain_prompt_outlive_a_cut(tmp_path: Path) -> None:
    begin = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {
            "<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
            "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
        },
    }
    export = tokenizer(post_processor=begin)
    whole = build(tmp_path, **COLORS, export=export)
    assert prompts(whole) == [[1, *ids, 2] for ids in PLAIN]
    cut = build(tmp_path, **COLORS, export=export, max_input_tokens=4)
    assert prompts(cut) == [[1, *ids[-2:], 2] for ids in PLAIN]
    assert cut.truncated_requests == sum(len(ids) > 2 for ids in PLAIN)
    with pytest.raises(WorkloadError, match=r"adds 2 special tokens, and .* is 2"):
        build(tmp_path, **COLORS, export=export, max_input_tokens=2)
