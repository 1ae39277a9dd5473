"""Units: what a key's name says about its value."""

from __future__ import annotations

_ENDINGS = {
    "_tokens_per_s": "tokens/s",
    "_bytes_per_token": "bytes/token",
    "j_per_output_token": "J/token",
    "j_per_prefill_token": "J/token",
    "j_per_decode_token": "J/token",
    "j_per_request": "J/request",
    "requests_per_s": "requests/s",
    "flops_per_s": "FLOP/s",
    "flops": "FLOP",
    "_tokens": "tokens",
    "_bytes": "bytes",
    "_ratio": "ratio",
    "_s": "s",
    "_j": "J",
    "_w": "W",
    "_c": "°C",
}
"""The unit that a key's ending stands for, longest endings first."""


def unit_of(name: str) -> str:
    """Return the unit that ``name`` ends in, or nothing."""
    return next((unit for ending, unit in _ENDINGS.items() if name.endswith(ending)), "")
