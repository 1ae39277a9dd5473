"""Answers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any


def render_json(answer: Any) -> str:
    """Return a dataclass, a sequence of them, or JSON data as indented JSON."""
    return json.dumps(_plain(answer), indent=2, ensure_ascii=False)


def _plain(answer: Any) -> Any:
    if is_dataclass(answer) and not isinstance(answer, type):
        return asdict(answer)
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return [_plain(item) for item in answer]
    return answer
