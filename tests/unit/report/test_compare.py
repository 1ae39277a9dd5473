"""What is compared with what, what is refused, and the values that a comparison rests on."""

import pytest

from llem.errors import ConfigError, NotComparable
from llem.report.comparison.comparison import compare
from llem.report.comparison.pairing import matches
from llem.report.load_outcomes import only_varying, read_all, split_by, with_settings
from llem.report.metrics import METRICS, metric

from .outcomes import place, stored, write

ENERGY = [METRICS["j_per_output_token"]]


def runs(name, joules, **options):
    """Return one run for each of ``joules``, in blocks of one study."""
    return [
        stored(f"{name}{block}", (total, total), place=place(block), **options)
        for block, total in enumerate(joules)
    ]


def only(answer):
    (comparison,) = answer.comparisons
    return comparison


def test_a_change_is_found_with_its_interval():
    comparison = only(
        compare([stored("a", (10.0, 10.1, 9.9))], [stored("b", (12.0, 12.1, 11.9))], ENERGY)
    )
    interval = comparison.change.interval()
    assert interval.estimate == pytest.approx(0.2, abs=0.001)
    assert 0.15 < interval.low < 0.2 < interval.high < 0.25
    assert comparison.difference.estimate == pytest.approx(0.02)
    assert (comparison.base_mean, comparison.new_mean) == pytest.approx((0.1, 0.12))
    assert comparison.found


def test_no_change_is_not_found_and_says_what_would_have_been():
    comparison = only(
        compare([stored("a", (10.0, 10.1, 9.9))], [stored("b", (10.1, 9.9, 10.0))], ENERGY)
    )
    assert not comparison.found
    assert 0.01 < comparison.smallest_detectable < 0.1
    assert comparison.repetitions_needed >= 2


def test_one_experiment_a_side_is_compared_by_its_repetitions():
    comparison = only(
        compare([stored("a", (10.0, 10.1, 9.9))], [stored("b", (12.0, 12.1))], ENERGY)
    )
    assert comparison.samples.unit == "repetition"
    assert (len(comparison.samples.base), len(comparison.samples.new)) == (3, 2)


def test_several_experiments_a_side_count_once_each_however_often_they_repeat():
    base = [stored(f"a{n}", (10.0 + n,) * 50) for n in range(3)]
    new = [stored(f"b{n}", (10.5 + n,) * 50) for n in range(3)]
    comparison = only(compare(base, new, ENERGY))
    assert comparison.samples.unit == "experiment"
    assert comparison.samples.base == pytest.approx((0.10, 0.11, 0.12))
    assert not comparison.found  # 150 repetitions a side would have "found" it


def test_one_experiment_against_several_has_no_interval():
    comparison = only(compare([stored("a")], runs("b", (10.0, 10.1, 10.2)), ENERGY))
    assert comparison.p is None
    assert comparison.samples.unit == "experiment"


def test_runs_of_one_block_are_pairs():
    base, new = runs("a", (10, 11, 13)), runs("b", (10.5, 11.6, 13.6), some__x=1)
    comparison = only(compare(base, new, ENERGY))
    assert comparison.samples.paired
    assert comparison.found


def test_a_run_whose_partner_is_missing_is_in_no_pair():
    base, new = runs("a", (10, 11, 13, 50)), runs("b", (10.5, 11.6, 13.6))
    comparison = only(compare(base, new, ENERGY))
    assert comparison.samples.paired
    assert comparison.samples.base == pytest.approx((0.10, 0.11, 0.13))


def test_several_runs_in_one_block_are_no_pairs():
    base = [stored(f"a{n}", (10.0 + n,) * 2, place=place(0)) for n in range(3)]
    new = [stored(f"b{n}", (10.5 + n,) * 2, place=place(0)) for n in range(3)]
    assert not only(compare(base, new, ENERGY)).samples.paired


@pytest.mark.parametrize("change", [{"place": place(7)}, {"place": place(0, study="other")}])
def test_runs_that_share_no_block_are_no_pairs(change):
    base = runs("a", (10, 11))
    new = [*runs("b", (10.5, 11.6))[1:], stored("b", (10.5, 10.5), **change)]
    assert not only(compare(base, new, ENERGY)).samples.paired


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("input-differs", {"input_hash": "def"}),
        ("output-lengths-differ", {"tokens": 99}),
        ("device-differs", {"device": "cuda:GPU-1"}),
        ("device-differs", {"environment": {"cpu": "Another processor"}}),
        ("engine-differs", {"environment": {"engine_version": "2.0"}}),
    ],
)
def test_what_is_not_alike_is_refused_unless_allowed(code, change):
    base, new = [stored("a")], [stored("b", **change)]
    with pytest.raises(NotComparable) as refusal:
        compare(base, new, ENERGY)
    assert code in refusal.value.message
    assert f"--allow {code}" in refusal.value.hint
    answer = compare(base, new, ENERGY, allow=[code])
    assert [mismatch.code for mismatch in answer.allowed] == [code]


def test_gain_errors_count_across_devices_only():
    base, here = stored("a", gain=0.05), stored("b", gain=0.05)
    there = stored("c", gain=0.05, device="cuda:GPU-1")
    same = only(compare([base], [here], ENERGY))
    across = only(compare([base], [there], ENERGY, allow=["device-differs"]))
    assert same.gain_error is None
    assert across.gain_error == pytest.approx(0.0707, abs=1e-4)
    assert across.change.standard_error > 0.07 > same.change.standard_error
    speed = only(
        compare([base], [there], [METRICS["output_tokens_per_s"]], allow=["device-differs"])
    )
    assert speed.gain_error is None


def test_invalid_outcomes_are_left_out_and_listed():
    bad = stored("bad", reasons=("throttled",))
    answer = compare([stored("a")], [stored("b"), bad], ENERGY)
    assert answer.left_out == (("bad", "throttled"),)
    with pytest.raises(NotComparable, match="throttled"):
        compare([stored("a")], [bad], ENERGY)
    assert only(compare([stored("a")], [bad], ENERGY, allow=["invalid"])).p is not None


def test_everything_that_differs_is_listed():
    base = stored("a", some__x=1, effective={"load.kernel": "fast", "load.dtype": "bf16"})
    new = stored("b", some__x=2, effective={"load.kernel": "slow", "load.dtype": "bf16"},
                 environment={"versions": {"lib": "3"}})  # fmt: skip
    names = {
        name: (ours, theirs) for name, ours, theirs in compare([base], [new], ENERGY).differing
    }
    assert names == {
        "some.x": ([1], [2]),
        "effective load.kernel": (["fast"], ["slow"]),
        "version of lib": ([None], ["3"]),
    }


def test_what_the_baseline_varies_is_held_equal():
    grid = [
        stored(f"{bits}-{size}", some__bits=bits, some__batch=size)
        for bits in (None, 4, 8)
        for size in (1, 2)
    ]
    found = matches(*split_by(grid, "some.bits", None))
    assert [(match.held, match.variant) for match in found] == [
        ({"some.batch": 1}, {"some.bits": 4}),
        ({"some.batch": 1}, {"some.bits": 8}),
        ({"some.batch": 2}, {"some.bits": 4}),
        ({"some.batch": 2}, {"some.bits": 8}),
    ]
    assert {value for match in found for value in match.base_values.values()} == {None}


def test_settings_that_only_variants_have_do_not_keep_them_from_the_baseline():
    base = stored("base", some__four_bit=None, some__kind=None)
    kinds = [stored(kind, some__four_bit=True, some__kind=kind) for kind in ("nf4", "fp4")]
    found = matches(*split_by([base, *kinds], "some.four_bit", None))
    assert [match.variant["some.kind"] for match in found] == ["nf4", "fp4"]


def test_a_baseline_can_be_chosen():
    grid = [stored(str(size), some__batch=size) for size in (1, 2, 4)]
    base, new = split_by(grid, "some.batch", "2")
    assert [run.outcome.id for run in base] == ["2"]
    assert [run.outcome.id for run in new] == ["1", "4"]
    with pytest.raises(NotComparable, match="no outcome has"):
        split_by(grid, "some.batch", "3")
    with pytest.raises(NotComparable, match="does not vary"):
        split_by(grid, "some.other", None)


def test_two_studies_match_by_their_settings():
    old = [stored(f"a{size}", some__batch=size) for size in (1, 2)]
    new = [stored(f"b{size}", some__batch=size) for size in (2, 4)]
    (match,) = matches(old, new)
    assert match.held == {"some.batch": 2}
    assert match.variant == {}
    with pytest.raises(NotComparable, match=r"some\.batch"):
        matches(old, [stored("b", some__batch=8)])


def test_where_chooses_outcomes():
    grid = [stored(str(size), some__batch=size, some__on=True) for size in (1, 2)]
    assert [
        stored_outcome.outcome.id
        for stored_outcome in with_settings(grid, ["some.batch=2", "some.on=true"])
    ] == ["2"]
    with pytest.raises(NotComparable, match="no outcome"):
        with_settings(grid, ["some.batch=3"])
    with pytest.raises(NotComparable, match="PARAMETER=VALUE"):
        with_settings(grid, ["some.batch"])


def test_one_folder_needs_exactly_one_parameter_that_varies():
    grid = [stored(str(size), some__batch=size) for size in (1, 2)]
    assert only_varying(grid) == "some.batch"
    with pytest.raises(NotComparable, match="nothing varies"):
        only_varying(grid[:1])
    with pytest.raises(NotComparable, match=r"some\.batch, some\.x"):
        only_varying([*grid, stored("c", some__batch=1, some__x=1)])


def test_more_comparisons_make_each_p_larger():
    base = [stored(f"a{size}", (10.0, 10.2, 9.9), some__batch=size) for size in range(5)]
    new = [stored(f"b{size}", (10.4, 10.6, 10.2), some__batch=size) for size in range(5)]
    answer = compare(base, new, ENERGY)
    alone = only(compare(base[:1], new[:1], ENERGY))
    assert [comparison.p for comparison in answer.comparisons] == pytest.approx([alone.p] * 5)
    assert answer.comparisons[0].p_holm == pytest.approx(5 * alone.p)
    assert answer.comparisons[0].smallest_detectable > alone.smallest_detectable


def test_net_energy_may_be_negative_and_then_has_no_ratio():
    base, new = stored("a", (10.0, 10.1), idle_w=10.05), stored("b", (12.0, 12.1), idle_w=10.05)
    comparison = only(compare([base], [new], [METRICS["net_j_per_output_token"]]))
    assert comparison.change is None
    assert comparison.difference.estimate == pytest.approx(0.02)
    assert comparison.p is not None


def test_a_metric_that_was_not_measured_is_named():
    answer = compare([stored("a")], [stored("b")], [METRICS["device_peak_bytes"]])
    assert answer.comparisons == ()
    assert answer.missing == ("device_peak_bytes of the same settings",)


def test_an_unknown_metric_is_put_right():
    with pytest.raises(ConfigError, match="Did you mean 'mean_w'"):
        metric("mean_W")


def test_outcomes_are_read_from_folders_of_any_depth(tmp_path):
    write(tmp_path / "study", "a")
    write(tmp_path / "study", "b")
    write(tmp_path / "study", ".c.partial")
    assert [run.outcome.id for run in read_all([tmp_path])] == ["a", "b"]
    assert [run.outcome.id for run in read_all([tmp_path / "study" / "b"])] == ["b"]


def test_the_same_study_run_twice_makes_no_pairs(tmp_path):
    for folder, joules in (("first", (10.0, 11.0, 12.0)), ("second", (10.1, 11.1, 12.1))):
        for block, total in enumerate(joules):
            write(tmp_path / folder, f"r{block}", (total, total), place=place(block))
    first, second = (read_all([tmp_path / folder]) for folder in ("first", "second"))
    comparison = only(compare(first, second, ENERGY))
    assert not comparison.samples.paired
    assert not comparison.found  # pairing by block alone would have made much of a steady offset
