"""A number that a report shows, with the place in the outcomes that it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from llem.report.table import number


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        value: The number, in SI units or as the source defines it; ``None`` if not measured.
        source: ``<outcome id>#<dotted key>`` of a stored figure, or the name of a computed one.
        text: How it is shown; by default four significant digits.
    """

    value: float | None
    source: str
    text: str = ""

    @property
    def shown(self) -> str:
        """The text that readers see."""
        return self.text or number(self.value)
