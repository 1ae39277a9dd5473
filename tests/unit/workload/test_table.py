"""Every source with every order, output length, truncation and template: the requests by hand."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from llem.workload.build_workload import PreparedWorkload

from .colors import CHAT, FILES, PLAIN, TEXTS, build, limits, prompts

TEXT_SOURCES = {
    "prompts": {"source": "prompts", "prompts": TEXTS},
    **{name: {"source": "file", "path": name} for name in FILES},
    "dataset": {"source": "dataset", "id": "dataset", "requests": None},
}
OUTPUT_LENGTHS = {
    "fixed": (3, {3}),
    "uniform": ({"distribution": "uniform", "low": 2, "high": 5}, {2, 3, 4, 5}),
    "normal": ({"distribution": "normal", "mean": 4, "std": 9, "max": 6}, set(range(1, 7))),
    "lognormal": (
        {"distribution": "lognormal", "median": 4, "sigma": 2, "max": 7},
        set(range(1, 8)),
    ),
}
"""A length distribution, and the values it can give."""

# The places in the given order, by length; of equally long prompts the first given comes first.
BY_LENGTH = {
    # lengths 4 1 3 1 6, and with a template each 2 more
    None: {"shortest-first": [1, 3, 2, 0, 4], "longest-first": [4, 0, 2, 1, 3]},
    # lengths 3 1 3 1 3, cut to 3
    "plain": {"shortest-first": [1, 3, 0, 2, 4], "longest-first": [0, 2, 4, 1, 3]},
    # lengths 3 3 3 3 3, cut to 3
    "chat": {"shortest-first": [0, 1, 2, 3, 4], "longest-first": [0, 1, 2, 3, 4]},
}
CUT_TO_3 = {
    "plain": [[6, 7, 8], [9], [6, 6, 5], [8], [6, 8, 9]],
    # The template's own tokens stay: 3 before and 4 behind what the user says.
    "chat": [[3, 8, 4], [3, 9, 4], [3, 5, 4], [3, 8, 4], [3, 9, 4]],
}
CUT_PROMPTS = {"plain": 2, "chat": 3}


def sha256_of(built: PreparedWorkload) -> str:
    """Return the hash of 64-bit words: each prompt's length, its output limit and its ids."""
    words = []
    for request in built.requests:
        words += [len(request.prompt_ids), request.max_new_tokens, *request.prompt_ids]
    return hashlib.sha256(struct.pack(f"={len(words)}q", *words)).hexdigest()


@pytest.mark.usefixtures("datasets_library")
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
@pytest.mark.parametrize("most", [None, 3], ids=["whole", "cut"])
@pytest.mark.parametrize("output", OUTPUT_LENGTHS)
@pytest.mark.parametrize("order", ["given", "shuffled", "shortest-first", "longest-first"])
@pytest.mark.parametrize("source", TEXT_SOURCES)
def test_texts(
    source: str,
    order: str,
    output: str,
    most: int | None,
    chat: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)  # where the dataset's relative path starts
    form = "chat" if chat else "plain"
    length, possible = OUTPUT_LENGTHS[output]
    built = build(
        folder,
        **TEXT_SOURCES[source],
        order=order,
        output_tokens=length,
        max_input_tokens=most,
        chat_template=chat,
    )
    given = CUT_TO_3[form] if most else CHAT if chat else PLAIN
    if order == "shuffled":
        assert sorted(prompts(built)) == sorted(given)
    else:
        places = BY_LENGTH[form if most else None].get(order, [0, 1, 2, 3, 4])
        assert prompts(built) == [given[place] for place in places]
    assert [request.index for request in built.requests] == [0, 1, 2, 3, 4]
    assert set(limits(built)) <= possible
    assert built.truncated_requests == (CUT_PROMPTS[form] if most else 0)
    assert built.input_ids_sha256 == sha256_of(built)


@pytest.mark.parametrize("most", [None, 6], ids=["whole", "cut"])
@pytest.mark.parametrize("output", OUTPUT_LENGTHS)
@pytest.mark.parametrize("order", ["given", "shuffled", "shortest-first", "longest-first"])
@pytest.mark.parametrize("source", ["fixed", "uniform"])
def test_synthetic(source: str, order: str, output: str, most: int | None, tmp_path: Path) -> None:
    length, possible = OUTPUT_LENGTHS[output]
    lengths = {"fixed": 8, "uniform": {"distribution": "uniform", "low": 4, "high": 9}}[source]
    arguments = {"requests": 20, "input_tokens": lengths, "output_tokens": length}
    given = prompts(build(tmp_path, **arguments))
    assert len(given) == 20
    assert {len(prompt) for prompt in given} <= {"fixed": {8}, "uniform": set(range(4, 10))}[source]

    built = build(tmp_path, **arguments, order=order, max_input_tokens=most)
    cut = (
        given
        if most is None
        else [prompt[len(prompt) - 6 :] if len(prompt) > 6 else prompt for prompt in given]
    )
    sizes = [len(prompt) for prompt in prompts(built)]
    assert sorted(prompts(built)) == sorted(cut)
    assert built.truncated_requests == sum(a != b for a, b in zip(given, cut, strict=True))
    assert built.truncated_requests == (
        0 if most is None else sum(len(prompt) > 6 for prompt in given)
    )
    if order == "given":
        assert prompts(built) == cut
    if order in {"shortest-first", "longest-first"}:
        assert sizes == sorted(sizes, reverse=order == "longest-first")
    assert set(limits(built)) <= possible
    assert built.input_ids_sha256 == sha256_of(built)
