"""Draw token lengths from a fixed number or a distribution."""

from __future__ import annotations

import numpy as np

from llem.api.config import Length
from llem.api.config.workload import LogNormalLength, NormalLength, UniformLength


def draw_lengths(length: Length, count: int, generator: np.random.Generator) -> list[int]:
    """Return ``count`` lengths of at least 1.

    Units: tokens.
    """
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
            # A length beyond the type's own bound is nonsense, not memory to be asked for.
            return _rounded(np.exp(np.minimum(exponents, np.log(1e6))), length.max)


def _rounded(drawn: np.ndarray[tuple[int], np.dtype[np.float64]], most: int | None) -> list[int]:
    return [int(value) for value in np.clip(np.rint(drawn), 1, most)]
