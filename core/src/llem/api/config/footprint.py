"""What turns energy into emissions and cost. Off unless asked for."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from llem.api.config.base import FrozenModel, Param
from llem.api.grid import GRID_G_PER_KWH


class FootprintConfig(FrozenModel):
    """Emissions and cost, derived from the measured energy and shown beside it."""

    pue_ratio: Annotated[float, Field(ge=1, le=10), Param(examples=(1.2,))] = 1.0
    """Power usage effectiveness: what the building uses for each joule of the machine."""

    country: Annotated[str | None, Field(min_length=2, max_length=2), Param(examples=("DE",))] = (
        None
    )
    """Two-letter code whose mean grid intensity is taken from llem's own table."""

    grid_g_per_kwh: Annotated[float | None, Field(ge=0, le=5000), Param(unit="g/kWh")] = None
    """Grid intensity in grams of CO2 equivalent; wins over the country's."""

    price_per_kwh: Annotated[float | None, Field(ge=0, le=1e6), Param(unit="1/kWh")] = None
    """Price of electricity, in `currency`."""

    currency: str = ""
    """What the price is in, such as `EUR`."""

    @model_validator(mode="after")
    def _know_the_country(self) -> Self:
        if self.country is not None and self.country.upper() not in GRID_G_PER_KWH:
            known = ", ".join(sorted(GRID_G_PER_KWH))
            raise ValueError(f"no grid intensity for {self.country!r} is known; known: {known}")
        return self
