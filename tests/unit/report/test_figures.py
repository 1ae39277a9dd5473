"""Figures are valid SVG that means the same without its page."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.report.study_report.canvas import Scale, fitting
from llem.report.study_report.content import build_report
from llem.report.study_report.figure_files import figures, write_figures
from llem.report.study_report.plots import MOST_LATENCIES, draw_latency
from llem.report.study_report.power_over_time import Curve, draw_first_window, draw_power
from llem.report.study_report.summary import Rates

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
    return build_report("t", grid, Rates())


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
    many = [stored(f"{at:03}", some__x=at) for at in range(MOST_LATENCIES + 20)]
    svg = draw_latency(build_report("t", many, Rates()), "e2e_s")
    assert svg.count('class="mark ') == MOST_LATENCIES


def test_figures_are_written_with_their_colors_inside(report, tmp_path):
    written = write_figures(report, tmp_path / "figures")
    svg = next(path for path in written if path.name == "energy-against-throughput.svg")
    text = svg.read_text(encoding="utf-8")
    ET.fromstring(text)
    assert "#0072b2" in text
    assert "var(--" not in text
    for path in written:
        if path.suffix == ".png":
            assert path.read_bytes()[:4] == b"\x89PNG"


def bands(svg, kind):
    """Return the left edge and width of every band of a kind."""
    element = re.search(rf'<path class="{kind}" d="([^"]*)"', svg)
    found = re.findall(r"M([\d.]+),[\d.]+h([\d.]+)", element[1]) if element else []
    return [(float(left), float(width)) for left, width in found]


CURVE = Curve("cpu package (rapl)", np.linspace(-1, 3, 41), np.linspace(10, 20, 41))


def test_windows_and_phases_are_shaded_where_they_were():
    outcome = stored("a", (10.0, 10.0), durations_s=[1.0, 1.0]).outcome
    shaded = {"prefill": [(0.0, 0.25), (1.0, 1.25)], "decode": [(0.25, 1.0), (1.25, 2.0)]}
    svg = draw_power(outcome, [CURVE], shaded)
    ET.fromstring(svg)
    assert "windows and their phases shaded" in svg
    first, second = bands(svg, "prefill")
    assert second[0] - first[0] == pytest.approx(4 * first[1], abs=0.5)
    assert bands(svg, "decode")[0] == pytest.approx((first[0] + first[1], 3 * first[1]), abs=0.3)
    assert bands(svg, "window")[0][0] == first[0]


def test_without_phases_the_windows_alone_are_shaded():
    svg = draw_power(stored("a").outcome, [CURVE], {})
    assert bands(svg, "window")
    assert not bands(svg, "prefill")
    assert "(windows shaded)" in svg


def test_phases_too_short_to_be_told_apart_run_into_each_other():
    outcome = stored("a", (10.0,) * 2, durations_s=[1.0, 1.0]).outcome
    many = [(at / 10_000, at / 10_000 + 2e-5) for at in range(10_000)]
    (band,) = bands(draw_power(outcome, [CURVE], {"prefill": many}), "prefill")
    (whole,) = bands(draw_power(outcome, [CURVE], {"prefill": [(0.0, 1.0)]}), "prefill")
    assert band == pytest.approx(whole, abs=0.6)
    alone = bands(draw_power(outcome, [CURVE], {"prefill": [(0.5, 0.500001)]}), "prefill")
    assert alone[0][1] >= 0.5


LONG = Curve("cpu package (rapl)", np.linspace(-30, 30, 601), np.linspace(10, 20, 601))


def test_a_short_window_is_shown_by_itself_with_its_phases():
    outcome = stored("a", (10.0, 10.0), durations_s=[2.0, 2.0]).outcome
    spans = {"prefill": [(0.0, 0.5), (2.1, 2.6)], "decode": [(0.5, 2.0), (2.6, 4.1)]}
    svg = draw_first_window(outcome, [LONG], spans)
    ((left, width),) = bands(svg, "prefill")
    assert bands(svg, "decode") == [pytest.approx((left + width, 3 * width), abs=0.3)]
    ((_, whole),) = bands(svg, "window")
    assert whole == pytest.approx(4 * width, abs=0.3)
    assert whole > 600


@pytest.mark.parametrize(
    ("curve", "phases", "duration_s"),
    [
        (LONG, {}, 2.0),  # nothing to see in it
        (LONG, {"decode": [(0.0, 20.0)]}, 20.0),  # seen well enough in the whole
        (LONG, {"decode": [(0.0, 0.2)]}, 0.2),  # too few readings
    ],
)
def test_a_window_by_itself_that_would_show_no_more_is_left_out(curve, phases, duration_s):
    outcome = stored("a", (10.0,), durations_s=[duration_s]).outcome
    assert draw_first_window(outcome, [curve], phases) is None
