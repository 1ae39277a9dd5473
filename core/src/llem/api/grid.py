"""Mean grid intensity by country, for a first idea. Dated, and rough: grids vary by the hour.

Source: Our World in Data, "Carbon intensity of electricity generation", 2023, from Ember's yearly
electricity data; grams of CO2 equivalent per kilowatt-hour generated, over the life cycle.
"""

from __future__ import annotations

from types import MappingProxyType

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
