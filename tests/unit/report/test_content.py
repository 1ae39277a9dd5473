"""What a report says, before it is drawn."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.errors import NotComparable
from llem.report.comparison.comparison import compare
from llem.report.formatting import plain_number
from llem.report.load_outcomes import StoredOutcome, split_by
from llem.report.metrics import METRICS
from llem.report.study_report.content import build_report, pareto_front
from llem.report.study_report.effects import order_trend, parameter_effects
from llem.report.study_report.evidence import (
    least_bytes_per_s,
    recipes,
    requested_and_effective,
)
from llem.report.study_report.html_page import html_page
from llem.report.study_report.markdown_page import markdown_page
from llem.report.study_report.power_over_time import MOST_POINTS, Curve, phase_spans, power_curves
from llem.report.study_report.summary import Rates, summarize
from llem.results.series_files import store_phases
from llem.schema.call_plan import Call, CallPlan, Construct, Symbol

from .outcomes import document, stored

ENERGY = METRICS["j_per_output_token"]
POINT = st.tuples(st.floats(0.1, 100), st.floats(0.1, 100))


@given(st.lists(POINT, max_size=40))
def test_nothing_beats_the_front_and_something_on_it_beats_the_rest(points):
    chosen = {points[at] for at in pareto_front(points)}

    def beats(a, b):
        return a[0] <= b[0] and a[1] >= b[1]

    for point in points:
        rivals = [other for other in chosen if beats(other, point) and other != point]
        assert bool(rivals) == (point not in chosen)


def test_energy_per_thousand_requests_in_watt_hours():
    outcome = stored("a", (36.0, 36.0), requests=10, idle_w=6.0, gain=0.1).outcome
    found = summarize("it", [outcome], Rates())
    assert found.gross_wh == pytest.approx(1.0)  # 3.6 J a request
    assert found.net_wh == pytest.approx(30 / 36)
    assert (found.input_tokens, found.output_tokens) == (5, 10)
    assert found.carbon_g is None
    assert found.cost is None
    assert not found.estimated
    assert "cpu package (rapl, measured)" in found.boundary


def test_the_interval_of_a_summary_covers_spread_and_gain():
    runs = [stored(f"a{n}", (joules,) * 2).outcome for n, joules in enumerate((35, 36, 37))]
    plain = summarize("it", runs, Rates())
    gained = [
        stored(f"a{n}", (joules,) * 2, gain=0.1).outcome for n, joules in enumerate((35, 36, 37))
    ]
    wide = summarize("it", gained, Rates())
    assert plain.high_wh - plain.gross_wh == pytest.approx(2.484 / 36, rel=0.01)
    assert wide.high_wh - wide.gross_wh > 0.19


def test_carbon_and_cost_are_counted_if_asked_for():
    outcome = stored("a", (36.0, 36.0), requests=10).outcome
    found = summarize(
        "it", [outcome], Rates(carbon_g_per_kwh=400, price_per_kwh=0.3, currency="EUR")
    )
    assert found.carbon_g == pytest.approx(0.4)
    assert found.cost == pytest.approx(0.0003)
    assert plain_number(found.cost) == "0.0003"


def test_emissions_and_cost_are_those_of_the_whole_building():
    outcome = stored("a", (36.0, 36.0), requests=10).outcome
    rates = Rates(carbon_g_per_kwh=400, price_per_kwh=0.3, pue_ratio=1.5)
    found = summarize("it", [outcome], rates)
    assert found.gross_wh == pytest.approx(1.0)
    assert found.carbon_g == pytest.approx(0.6)
    assert found.cost == pytest.approx(0.00045)


def test_an_estimate_is_called_one():
    made = document("a")
    made["energy"]["provenance"] = "estimated"
    assert summarize("it", [type(stored("a").outcome).model_validate(made)], Rates()).estimated


def test_without_energy_there_is_no_summary():
    made = document("a")
    made["energy"] = None
    assert summarize("it", [type(stored("a").outcome).model_validate(made)], Rates()) is None


def test_a_parameters_effect_is_the_mean_over_the_other_settings():
    grid = [
        stored(f"{bits}-{size}", (energy, energy * 1.001), some__bits=bits, some__batch=size)
        for size, base in ((1, 10.0), (2, 20.0), (4, 30.0))
        for bits, energy in ((None, base), (4, base * 0.8))
    ]
    effects, refused = parameter_effects(grid, [ENERGY])
    assert refused == {}
    found = {(effect.parameter, effect.value): effect for effect in effects}
    bits = found[("some.bits", 4)]
    assert bits.change.estimate == pytest.approx(-0.2)
    assert bits.settings == 3
    assert bits.baseline is None
    assert found[("some.batch", 2)].change.estimate == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"input_hash": "other"}, "input-differs"),
        ({"tokens": 90}, "output-lengths-differ"),
        ({"environment": {"engine_version": "2.0"}}, "engine-differs"),
        ({"device": "cuda:GPU-a"}, "device-differs"),
        ({"reasons": ["throttled"]}, "throttled"),
    ],
)
def test_the_report_states_no_effect_that_compare_refuses(tmp_path, change, code):
    """Two points whose template prints the clock got other prompts, and so no effect."""
    base = [stored(f"a{at}", (10.0, 10.1), some__bits=None) for at in range(3)]
    new = [stored(f"b{at}", (8.0, 8.1), some__bits=4, **change) for at in range(3)]
    ours, theirs = split_by([*base, *new], "some.bits", None)
    with pytest.raises(NotComparable) as refused:
        compare(ours, theirs, [ENERGY])
    report = build_report("a study", [*base, *new], Rates())
    assert report.effects == []
    if code == "throttled":
        assert not report.not_compared  # only the valid outcomes count, and they do not vary
        return
    assert code in report.not_compared["some.bits"]
    assert code in refused.value.message
    assert code in markdown_page(report)
    assert code in html_page(report)


def test_the_report_states_no_effect_of_invalid_outcomes():
    runs = [
        stored(f"{bits}{at}", (bits * 1.0, bits * 1.1), some__bits=bits, reasons=["throttled"])
        for at in range(3)
        for bits in (4, 8)
    ]
    report = build_report("a study", runs, Rates())
    assert report.nothing_valid
    assert report.effects == []
    assert "no outcome of the baseline may be used" in report.not_compared["some.bits"]


def test_order_that_matters_is_seen():
    def runs(drift):
        names = [(block, bits) for block in range(6) for bits in (4, 8)]
        return [
            stored(
                f"{at:02}", (bits * (1 + drift * at + 0.001 * (at % 3)),) * 2, some__bits=bits,
                environment={"started_at": f"2026-01-01T00:{at:02}:00+00:00"},
            )
            for at, (_, bits) in enumerate(names)
        ]  # fmt: skip

    warming = order_trend(runs(0.01), ENERGY)
    assert warming.slope_ratio == pytest.approx(0.1, abs=0.02)
    assert warming.p < 0.001
    assert order_trend(runs(0.0), ENERGY).p > 0.2
    assert order_trend(runs(0.0)[:4], ENERGY) is None


@pytest.mark.parametrize("column", ["power_w", "energy_j"])
def test_power_is_thinned_and_keeps_its_peaks(tmp_path, column):
    run = stored("a")
    lines = ["time_s,meter,device,domain,energy_j,power_w,average_power_w"]
    energy_j = 0.0
    for at in range(2000):
        power_w = 500.0 if at == 777 else 50.0 + at % 2
        energy_j += power_w * 0.01
        value = f"{energy_j}," if column == "energy_j" else f",{power_w}"
        lines.append(f"{95 + at / 100},rapl,cpu,package,{value},")
        lines.append(f"{95 + at / 100},rapl,cpu,core,,1,")  # not counted
    with gzip.open(tmp_path / "samples.csv.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    (curve,) = power_curves(type(run)(tmp_path, run.outcome))
    assert curve.name == "cpu package (rapl)"
    shown = curve.thinned()
    assert len(shown.times_s) <= MOST_POINTS < len(curve.times_s)
    assert max(shown.power_w) == pytest.approx(500)
    assert shown.times_s[0] == pytest.approx(-5, abs=0.05)


def test_a_part_of_power_ends_where_it_was_cut():
    curve = Curve("a", np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 10.0, 20.0, 30.0]))
    part = curve.within(0.5, 2.5)
    assert part.times_s.tolist() == [0.5, 1.0, 2.0, 2.5]
    assert part.power_w.tolist() == [5.0, 10.0, 20.0, 25.0]
    beyond = curve.within(-1.0, 1.5)
    assert beyond.times_s.tolist() == [0.0, 1.0, 1.5]


def test_without_samples_there_is_no_curve(tmp_path):
    run = stored("a")
    assert power_curves(type(run)(tmp_path, run.outcome)) == []


def test_phases_are_relative_to_the_first_window(tmp_path):
    run = StoredOutcome(tmp_path, stored("a").outcome)
    assert phase_spans(run) == {}
    begin_s = run.outcome.timing.repetitions[0].start_monotonic_s
    store_phases(tmp_path, {"mixed": (), "decode": ((begin_s + 0.5, begin_s + 1.0),),
                            "prefill": ((begin_s, begin_s + 0.5),)})  # fmt: skip
    found = phase_spans(run)
    assert list(found) == ["prefill", "decode"]
    assert found["decode"] == [pytest.approx((0.5, 1.0))]
    (tmp_path / "phases.csv.gz").write_bytes(b"")
    assert phase_spans(run) == {}


def test_requested_stands_beside_effective():
    made = document(
        "a", effective={"load.attn": "eager", "load.dtype": "torch.bfloat16", "load.k": 1}
    )
    parts = Construct("x.Y", {"bits": 4})
    load = Call(
        "load", "x.Z", {"attn": "flash", "dtype": Symbol("torch.bf"), "q": parts, "k": "auto"}
    )
    made["plan"] = {
        "settings": {"batch_size": 4},
        "calls": CallPlan((load,)).to_json()["calls"],
    }
    found = requested_and_effective([type(stored("a").outcome).model_validate(made)])
    assert [argument.name for argument in found[:2]] == ["load.attn", "load.dtype"]
    assert found[0].requested == (('"flash"', 1),)
    assert found[0].effective == (('"eager"', 1),)
    assert found[0].differs
    rest = {argument.name: argument for argument in found[2:]}
    assert rest["settings.batch_size"].effective == ((None, 1),)
    assert rest["load.q.bits"].requested == (("4", 1),)
    # "auto" asks for nothing, so nothing can differ from it.
    assert rest["load.k"].requested == ((None, 1),)
    assert not any(argument.differs for argument in rest.values())


def test_what_differs_in_one_outcome_is_not_made_up_for_by_another():
    calls = [Call("load", "x.Z", {"size": size}) for size in (1, 2)]
    documents = [document("a", effective={"load.size": 3 - size}) for size in (1, 2)]
    for made, call in zip(documents, calls, strict=True):
        made["plan"] = CallPlan((call,)).to_json()
    model = type(stored("a").outcome)
    (found,) = requested_and_effective([model.model_validate(made) for made in documents])
    assert found.differs


def test_least_traffic_reads_weights_once_a_step_and_each_context():
    made = document("a", (10.0, 10.0), tokens=40, requests=4)
    made["memory"] = {
        "host_peak_rss_bytes": None, "device_peak_bytes": None, "weights_bytes": 1000,
        "kv_cache_bytes_per_token": 10,
    }  # fmt: skip
    made["compute"] = {"flops": 1.0, "flops_per_s": 5.0, "mfu_ratio": 1.5}
    made["verdict"] = {"valid": False, "reasons": [{"code": "beyond-roofline", "message": ""}]}
    outcome = type(stored("a").outcome).model_validate(made)
    # 2 repetitions of 10 steps; 80 tokens, each with a context of 12.5 + 5 on average; 2 s.
    assert least_bytes_per_s(outcome) == pytest.approx((1000 * 20 + 10 * 17.5 * 80) / 2)
    page = html_page(build_report("t", [StoredOutcome(Path("a"), outcome)], Rates()))
    assert f'<data value="{(20_000 + 14_000) / 2}" data-from="bytes_per_s a">' in page
    assert (
        '<tr class="differs"><th scope="row" class="stored">a <span class="tag bad">above' in page
    )


def test_what_it_takes_to_measure_again():
    (recipe,) = recipes([stored(id, some__x=1, some__y=None).outcome for id in "ab"])
    assert recipe.ids == ("a", "b")
    assert recipe.config == "backend: some\nmodel:\n  id: shape:tiny\nsome:\n  x: 1\n"
    assert recipe.command == "llem run experiment.yaml"


def test_a_report_knows_its_front_series_and_reasons():
    grid = [
        stored("cheap", (5.0, 5.0), some__bits=4, reasons=("throttled",)),
        stored("fast", (10.0, 10.0), durations_s=[0.5, 0.5], some__bits=8),
        stored("bad", (11.0, 11.0), some__bits=16),
    ]
    report = build_report("t", grid, Rates())
    assert {report.outcomes[at].id for at in report.on_front} == {"fast"}  # it alone is valid
    assert report.series_by == "some.bits"
    assert report.reasons[0][:2] == ("throttled", 1)
    assert report.summaries[0].label == "bits=8"
    assert not report.nothing_valid


def test_where_nothing_is_valid_a_report_says_so_and_shows_what_there_is():
    report = build_report("t", [stored("a", reasons=("throttled",))], Rates())
    assert report.nothing_valid
    assert len(report.summaries) == 1
    assert "No outcome is valid." in html_page(report)
    assert "**No outcome is valid**" in markdown_page(report)
