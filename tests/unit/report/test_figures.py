"""Figures are valid SVG that means the same without its page."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.report.content.report import build
from llem.report.content.summary import Rates
from llem.report.figures.export import figures, write_figures
from llem.report.figures.latency import MOST_ROWS, latency
from llem.report.figures.scale import Scale, fitting

from .outcomes import stored

VALUE = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(st.lists(VALUE, min_size=1, max_size=20), st.booleans())
def test_a_scale_holds_every_value_and_a_few_round_ticks(values, zero):
    scale = fitting(values, 10, 110, zero=zero)
    assert all(10 - 1e-6 <= scale.at(value) <= 110 + 1e-6 for value in values)
    ticks = scale.ticks(6)
    assert 2 <= len(ticks) <= 13
    assert all(scale.low <= tick + 1e-6 and tick - 1e-6 <= scale.high for tick in ticks)


def test_a_scale_can_run_upwards():
    scale = Scale(0, 10, 200, 100)
    assert scale.at(2.5) == 175


@pytest.fixture
def report():
    grid = [
        stored(f"{name}{block}", (energy, energy * 1.01), some__kind=name)
        for block in range(3)
        for name, energy in (('<plain> & "odd"', 10.0), ("other", 8.0))
    ]
    return build("t", grid, Rates())


def test_every_figure_is_well_formed_and_has_a_name(report):
    found = dict(figures(report))
    assert "energy-against-throughput" in found
    assert "effects-on-j_per_output_token" in found
    assert "latency-e2e_s" in found
    assert "order-j_per_output_token" in found
    for svg in found.values():
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root.get("aria-label")


def test_more_latencies_than_one_can_compare_are_not_drawn():
    many = [stored(f"{at:03}", some__x=at) for at in range(MOST_ROWS + 20)]
    svg = latency(build("t", many, Rates()), "e2e_s")
    assert svg.count('class="mark ') == MOST_ROWS


def test_figures_are_written_with_their_colours_inside(report, tmp_path):
    written = write_figures(report, tmp_path / "figures")
    svg = next(path for path in written if path.name == "energy-against-throughput.svg")
    text = svg.read_text(encoding="utf-8")
    ET.fromstring(text)
    assert "#0072b2" in text
    assert "var(--" not in text
    for path in written:
        if path.suffix == ".png":
            assert path.read_bytes()[:4] == b"\x89PNG"
