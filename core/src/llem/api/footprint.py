"""The footprint part of an outcome: emissions and cost, beside the energy they derive from."""

from __future__ import annotations

from llem.api.bounds import NonNegative
from llem.api.config.base import FrozenModel


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
