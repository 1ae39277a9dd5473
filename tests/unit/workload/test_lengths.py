"""Drawn lengths against the theory of their distributions."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from .colors import build, limits, prompts

COUNT = 20_000
# Dvoretzky, Kiefer and Wolfowitz: the share of draws up to any length is nowhere further than this
# from its probability, but for 1 sample in 10^9.
FURTHEST = math.sqrt(math.log(2 / 1e-9) / (2 * COUNT))


def drawn(field: str, length: Any, folder: Path, *, seed: int = 0) -> list[int]:
    """Return many lengths of prompts or outputs."""
    values = {"input_tokens": 1, "output_tokens": 1} | {field: length}
    built = build(folder, requests=COUNT, seed=seed, **values)
    if field == "output_tokens":
        return limits(built)
    return [len(prompt) for prompt in prompts(built)]


def furthest(lengths: list[int], probability_up_to: Any) -> float:
    """Return the greatest distance between shares and probabilities of lengths up to each."""
    counts, total, worst = Counter(lengths), 0, 0.0
    for length in range(1, max(lengths) + 1):
        total += counts[length]
        worst = max(worst, abs(total / len(lengths) - probability_up_to(length)))
    return worst


UNIFORM = {"distribution": "uniform", "low": 16, "high": 48}
NORMAL = {"distribution": "normal", "mean": 60, "std": 12}
LOGNORMAL = {"distribution": "lognormal", "median": 30, "sigma": 0.5}

MEANS = {
    # the mean and the standard deviation of the integers 16 to 48
    "uniform": (UNIFORM, 32, math.sqrt((33**2 - 1) / 12)),
    "normal": (NORMAL, 60, 12),
    "lognormal": (
        LOGNORMAL,
        30 * math.exp(0.5**2 / 2),
        30 * math.exp(0.5**2 / 2) * math.sqrt(math.exp(0.5**2) - 1),
    ),
}


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
@pytest.mark.parametrize("name", MEANS)
def test_mean(name: str, field: str, tmp_path: Path) -> None:
    length, mean, std = MEANS[name]
    lengths = drawn(field, length, tmp_path)
    assert sum(lengths) / COUNT == pytest.approx(mean, abs=5 * std / math.sqrt(COUNT))


DISTRIBUTIONS = {
    "uniform": (UNIFORM, lambda length: (length - 15) / 33 if length >= 16 else 0),
    "uniform of one length": (UNIFORM | {"high": 16}, lambda length: float(length >= 16)),
    "normal": (NORMAL, lambda length: stats.norm(60, 12).cdf(length + 0.5)),
    "normal cut at 70": (
        NORMAL | {"max": 70},
        lambda length: stats.norm(60, 12).cdf(length + 0.5) if length < 70 else 1,
    ),
    # What rounds to 0 or is negative becomes 1.
    "normal that reaches below 1": (
        NORMAL | {"mean": 5},
        lambda length: stats.norm(5, 12).cdf(length + 0.5),
    ),
    "lognormal": (LOGNORMAL, lambda length: stats.lognorm(0.5, scale=30).cdf(length + 0.5)),
    "lognormal cut at 40": (
        LOGNORMAL | {"max": 40},
        lambda length: stats.lognorm(0.5, scale=30).cdf(length + 0.5) if length < 40 else 1,
    ),
}


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name: str, field: str, tmp_path: Path) -> None:
    length, probability_up_to = DISTRIBUTIONS[name]
    assert furthest(drawn(field, length, tmp_path), probability_up_to) < FURTHEST


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
@pytest.mark.parametrize(
    ("length", "least", "greatest"),
    [
        (17, 17, 17),
        (UNIFORM, 16, 48),
        (NORMAL | {"std": 0}, 60, 60),
        (NORMAL | {"mean": 59.6, "std": 0}, 60, 60),
        (NORMAL | {"mean": 0.2, "std": 0}, 1, 1),
        (NORMAL | {"mean": 5, "max": 9}, 1, 9),
        (LOGNORMAL | {"sigma": 0}, 30, 30),
        (LOGNORMAL | {"median": 0.2, "sigma": 0}, 1, 1),
        (LOGNORMAL | {"median": 2, "sigma": 2, "max": 9}, 1, 9),
    ],
)
def test_bounds(length: Any, least: int, greatest: int, field: str, tmp_path: Path) -> None:
    lengths = drawn(field, length, tmp_path)
    assert (min(lengths), max(lengths)) == (least, greatest)


def test_a_lognormal_length_ends_at_a_million(tmp_path: Path) -> None:
    length = {"distribution": "lognormal", "median": 1e6, "sigma": 5}
    lengths = drawn("output_tokens", length, tmp_path)
    assert max(lengths) == 1_000_000
    # Half of all draws lie above the median.
    assert lengths.count(1_000_000) / COUNT == pytest.approx(0.5, abs=FURTHEST)


@pytest.mark.parametrize("length", [UNIFORM, NORMAL, LOGNORMAL])
def test_prompt_and_output_lengths_are_independent(length: Any, tmp_path: Path) -> None:
    built = build(tmp_path, requests=COUNT, input_tokens=length, output_tokens=length)
    pairs = [(len(request.prompt_ids), request.max_new_tokens) for request in built.requests]
    correlation = stats.pearsonr(*zip(*pairs, strict=True)).statistic
    assert abs(correlation) < 5 / math.sqrt(COUNT)


@pytest.mark.parametrize("length", [UNIFORM, NORMAL, LOGNORMAL])
def test_another_seed_draws_other_lengths(length: Any, tmp_path: Path) -> None:
    first, again, other = (
        drawn("output_tokens", length, tmp_path, seed=seed) for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other
