"""One remark about an experiment: a refused value, a warning, a reason of the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark with a stable code, where it belongs, and what to do about it.

    Attributes:
        code: Stable kebab-case identifier, for programs and documentation.
        message: What is the matter, in one sentence.
        severity: ``error`` refuses the experiment; ``warning`` is recorded and shown.
        path: Dotted path of the field concerned (``model.id``), or empty.
        remedy: What to do, or empty.
        origin: Where the value came from (``exp.yaml:12`` or ``--set``), or empty.
    """

    code: str
    message: str
    severity: Literal["error", "warning"] = "error"
    path: str = ""
    remedy: str = ""
    origin: str = ""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.origin, self.path) if part)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text.removesuffix('.')}. {self.remedy}" if self.remedy else text
