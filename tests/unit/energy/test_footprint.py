"""Emissions and cost follow from the energy, and stay null where something is not given."""

import pytest
from pydantic import ValidationError

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.compute_energy import compute_energy
from llem.energy.footprint import footprint
from llem.schema.footprint import FootprintConfig


@pytest.fixture
def energy():
    """1 kWh in an hour, for a thousand tokens."""
    channel = Channel("cpu", "package", Quantity.POWER)
    times = [float(second) for second in range(0, 3700, 10)]
    series = Series(channel, Provenance.MEASURED, "test", times, [1000.0] * len(times))
    found, _, _ = compute_energy([series], [(50.0, 3650.0)], output_tokens=[1000])
    return found


def test_a_kilowatt_hour_has_the_emissions_and_the_price_of_one(energy):
    config = FootprintConfig(pue_ratio=1.5, grid_g_per_kwh=400, price_per_kwh=0.3, currency="EUR")
    result = footprint(energy, config)
    assert result.gross_j == pytest.approx(3.6e6)
    assert result.gross_co2e_g == pytest.approx(600)
    assert result.co2e_g_per_output_token == pytest.approx(0.6)
    assert result.gross_cost == pytest.approx(0.45)
    assert (result.net_co2e_g, result.net_cost) == (None, None)


def test_a_country_brings_its_dated_source(energy):
    result = footprint(energy, FootprintConfig(country="fr"))
    assert result.gross_co2e_g == pytest.approx(56.0)
    assert "2023" in result.grid_source
    assert result.gross_cost is None


def test_what_the_user_says_wins_over_the_table(energy):
    result = footprint(energy, FootprintConfig(country="FR", grid_g_per_kwh=10))
    assert result.gross_co2e_g == pytest.approx(10)
    assert result.grid_source == "as configured"


def test_an_unknown_country_is_refused_with_the_known_ones():
    with pytest.raises(ValidationError, match="known: AU, BR"):
        FootprintConfig(country="XX")
