"""Operations and cache of a decoder, for prompts and outputs of any length.

The cost of a token depends on its position in three ways only: a part that is the same at every
position (weights), a part that grows with the tokens attended to (attention, up to its window), and
the output projection, which runs for output tokens alone. Hence a few numbers hold for all lengths,
and the sum over positions has a closed form.

Counted for a prompt of *p* and an output of *n* tokens, padding left out:

- the body sees ``p + n - 1`` positions (the last token is never fed back);
- the output projection runs *n* times: engines project only the last prompt position;
- attention is causal, and position *i* attends to ``min(i, window)`` positions, itself included.

Sources: Kaplan et al. 2020, arXiv:2001.08361, section 2.1 (two operations per weight and the
attention term); Chowdhery et al. 2022, arXiv:2204.02311, appendix B (the same for model FLOPs
utilization, which leaves recomputation out). Norms, activations, softmax and rotary embeddings are
left out, as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True)
class Attention:
    """Layers that attend to equally many positions.

    Attributes:
        flops: Operations for each position attended to, over all these layers.
        kv_elements: Numbers that a token adds to the cache, over all these layers.
        window_tokens: Most positions attended to, or ``None`` for all.
        surplus_flops: Share of ``flops`` that computes again what an earlier position computed,
            such as keys from a compressed cache.
    """

    flops: int
    kv_elements: int
    window_tokens: int | None = None
    surplus_flops: int = 0

    def attended(self, positions: int) -> int:
        """Return the sum of context lengths over ``positions`` causal positions."""
        window = self.window_tokens
        if window is None or positions <= window:
            return positions * (positions + 1) // 2
        return window * (window + 1) // 2 + (positions - window) * window

    def held(self, positions: int) -> int:
        """Return the positions in the cache after ``positions`` tokens.

        A window includes the current token, which is not needed again at the window's far end.
        """
        return positions if self.window_tokens is None else min(positions, self.window_tokens - 1)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What a decoder computes and keeps for its tokens.

    Attributes:
        method: ``analytic`` from the dimensions, or ``counted`` on the model's own class.
        parameters: Number of weights.
        active_parameters: Weights without the experts that a token does not pass through.
        position_flops: Operations for each position, whatever the context.
        output_flops: Operations of the output projection, for each output token.
        attention: Layers by their window.
        first_flops: Operations that the first position costs more than the others.
        surplus_flops: Share of ``position_flops`` without effect on the result, such as experts
            that are computed and weighted with zero.
        state_elements: Numbers that a request keeps whatever its length (recurrent layers).
    """

    method: Literal["analytic", "counted"]
    parameters: int
    active_parameters: int
    position_flops: int
    output_flops: int
    attention: tuple[Attention, ...] = ()
    first_flops: int = 0
    surplus_flops: int = 0
    state_elements: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild from the JSON data of ``dataclasses.asdict``."""
        return cls(**{**data, "attention": tuple(Attention(**part) for part in data["attention"])})

    def flops(self, input_tokens: int, output_tokens: int) -> int:
        """Return the operations of a request; 0 without an output token."""
        if output_tokens == 0:
            return 0
        positions = input_tokens + output_tokens - 1
        return (
            self.first_flops
            + self.position_flops * positions
            + self.output_flops * output_tokens
            + sum(part.flops * part.attended(positions) for part in self.attention)
        )

    def surplus(self, input_tokens: int, output_tokens: int) -> int:
        """Return those of a request's operations that a better implementation saves."""
        if output_tokens == 0:
            return 0
        positions = input_tokens + output_tokens - 1
        repeated = sum(part.surplus_flops * part.attended(positions) for part in self.attention)
        return self.surplus_flops * positions + repeated

    def kv_elements(self, positions: int) -> int:
        """Return the numbers in a request's key/value cache after ``positions`` tokens."""
        return sum(part.kv_elements * part.held(positions) for part in self.attention)

    @property
    def kv_elements_per_token(self) -> int:
        """Numbers that a token adds to the cache while no window is full."""
        return sum(part.kv_elements for part in self.attention)
