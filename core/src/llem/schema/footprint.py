"""What turns energy into emissions and cost. Off unless asked for."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, model_validator

from llem.schema.base import FrozenModel, NonNegative, Param

GRID_SOURCE = "Our World in Data from Ember, carbon intensity of electricity generation, 2023"

GRID_G_PER_KWH = MappingProxyType(
    {
        "AU": 548.7,
        "BR": 98.3,
        "CA": 170.0,
        "CH": 34.8,
        "CN": 582.3,
        "DE": 381.0,
        "DK": 151.7,
        "ES": 174.1,
        "FI": 79.2,
        "FR": 56.0,
        "GB": 237.6,
        "IE": 290.8,
        "IN": 713.4,
        "IT": 330.7,
        "JP": 485.4,
        "KR": 430.6,
        "NL": 267.6,
        "NO": 30.1,
        "PL": 661.9,
        "SE": 40.7,
        "SG": 470.8,
        "TW": 642.4,
        "US": 369.5,
    }
)
"""By ISO 3166 two-letter code."""


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


class Footprint(FrozenModel):
    """What the energy over all windows means outside the machine; not a measurement of its own."""

    gross_j: float | None
    """The gross energy it derives from."""
    net_j: float | None
    """The net energy it derives from."""
    pue_ratio: NonNegative
    """What the building uses for each joule of the machine."""
    grid_g_per_kwh: NonNegative | None
    """Grams of CO2 equivalent per kilowatt-hour."""
    grid_source: str
    """Where that figure comes from."""
    gross_co2e_g: float | None
    """Emissions of the gross energy, in grams of CO2 equivalent."""
    net_co2e_g: float | None
    """Emissions of the net energy."""
    co2e_g_per_output_token: float | None
    """Emissions of the gross energy per output token."""
    price_per_kwh: NonNegative | None
    """Price of a kilowatt-hour."""
    currency: str
    """What price and cost are in."""
    gross_cost: float | None
    """Cost of the gross energy."""
    net_cost: float | None
    """Cost of the net energy."""
