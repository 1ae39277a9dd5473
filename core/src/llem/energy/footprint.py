"""Emissions and cost of a measured energy: ``J · PUE / 3.6e6 · (g or price) per kWh``."""

from __future__ import annotations

from llem.schema.energy import Energy
from llem.schema.footprint import GRID_G_PER_KWH, GRID_SOURCE, Footprint, FootprintConfig

J_PER_KWH = 3.6e6


def footprint(energy: Energy, config: FootprintConfig) -> Footprint:
    """Return what ``energy`` means in grams of CO2 equivalent and in money.

    Args:
        energy: The measured energy.
        config: PUE, grid and price; what is left out stays ``None``.
    """
    grid_g, source = config.grid_g_per_kwh, "as configured"
    if grid_g is None:
        known = config.country is not None
        grid_g = GRID_G_PER_KWH[config.country.upper()] if config.country else None
        source = GRID_SOURCE if known else ""
    return Footprint(
        gross_j=energy.gross_j,
        net_j=energy.net_j,
        pue_ratio=config.pue_ratio,
        grid_g_per_kwh=grid_g,
        grid_source=source,
        gross_co2e_g=_times(energy.gross_j, config.pue_ratio, grid_g),
        net_co2e_g=_times(energy.net_j, config.pue_ratio, grid_g),
        co2e_g_per_output_token=_times(energy.j_per_output_token, config.pue_ratio, grid_g),
        price_per_kwh=config.price_per_kwh,
        currency=config.currency,
        gross_cost=_times(energy.gross_j, config.pue_ratio, config.price_per_kwh),
        net_cost=_times(energy.net_j, config.pue_ratio, config.price_per_kwh),
    )


def _times(energy_j: float | None, pue_ratio: float, per_kwh: float | None) -> float | None:
    if energy_j is None or per_kwh is None:
        return None
    return energy_j * pue_ratio / J_PER_KWH * per_kwh
