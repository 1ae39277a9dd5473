"""Bounds that many figures of a document share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
