"""Points, refused ones, duplicates and runs."""

import json

import pytest

from llem.errors import ConfigInvalid
from llem.registry import Registry
from llem.study.load_study import load_study
from llem.study.plan_summary import plan_document, plan_summary, span
from llem.study.study_plan import plan_study

SHARED = "workload: {requests: 1}\n"


def test_what_comes_to_the_same_calls_is_one_experiment(plan):
    # A batch of 1 is what an unset batch size means, but the plan does not say so.
    planned = plan(
        """
        sweep: {simulated.batch_size: [1, 2]}
        variants: [{}, {decoder: {seed: 4}}, {decoder: {seed: 5}}, {measurement: {}}]
        """
    )
    assert len(planned.study) == 8
    assert planned.duplicates == 6
    assert list(planned.experiments.values()) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [row.get("decoder.seed") for row in planned.settings(0)] == [None, 4, 5, None]


@pytest.mark.parametrize(
    ("axes", "field", "line"),
    [
        ("sweep:\n  measurement.max_repetitions: [5, 40]", "measurement.max_repetitions", 3),
        ("sweep:\n  measurement.warmup.strategy: [trend, fixed]", "warmup.strategy", 3),
        ("sweep:\n  measurement.thresholds.max_gap_ratio: [0.1, 1]", "max_gap_ratio", 3),
        ("sweep:\n  name: [a, b]", "name", 3),
        ("zip:\n  name: [a, b]\n  decoder.seed: [1, 2]", "name", 2),
        ("variants:\n  - {}\n  - {measurement: {meters: [simulated]}}", "measurement.meters", 4),
        ("experiments:\n  - {name: a}\n  - {name: b}", "name", 4),
        ("sweep:\n  measurement.baseline: [{bare_s: 1}, {bare_s: 2}]", "baseline.bare_s", 3),
    ],
)
def test_no_point_is_labeled_with_a_measurement_that_is_not_made(plan, axes, field, line):
    with pytest.raises(
        ConfigInvalid, match="are the same experiment, which is measured once"
    ) as no:
        plan(axes)
    (finding,) = no.value.findings
    assert finding.path.endswith(field)
    assert finding.origin == f"study.yaml:{line}"


def test_a_point_that_is_an_experiment_of_its_own_may_have_its_own_measurement(plan):
    planned = plan(
        """
        variants:
          - {name: small, simulated: {batch_size: 1}}
          - {name: large, simulated: {batch_size: 8}, measurement: {min_duration_s: 30}}
        """
    )
    assert (planned.duplicates, len(planned.experiments)) == (0, 2)


@pytest.mark.parametrize(
    "axis",
    [
        "simulated.batch_size: [1, 2]",
        "workload.seed: [1, 2]",
        "decoder.max_new_tokens: [1, 2]",
        "decoder.ignore_eos: [true, false]",
        "runner.env.X: ['1', '2']",
    ],
)
def test_what_changes_plan_workload_or_runner_is_another_experiment(plan, axis):
    assert plan(f"sweep: {{{axis}}}").duplicates == 0


def test_texts_depend_on_the_models_tokenizer_and_synthetic_prompts_do_not(plan):
    axis = "sweep: {model.id: ['shape:tiny', 'shape:1b']}\n"
    assert plan(axis).duplicates == 1
    assert plan(axis + "workload: {source: builtin}").duplicates == 0


def test_an_id_depends_on_the_content_alone(plan):
    swept = plan("sweep: {simulated.batch_size: [1, 2]}")
    single = plan("simulated: {batch_size: 2}\nstudy: {name: renamed}")
    assert single.ids == [swept.ids[1]]


def test_refused_points_are_listed_by_rule(plan):
    planned = plan("sweep: {model.revision: [v1, null], simulated.batch_size: [1, 2]}")
    assert [point.rule for point in planned.refused] == ["shape-has-no-revision"] * 2
    assert [point.number for point in planned.refused] == [0, 1]
    text = "\n".join(plan_summary(planned, everything=False))
    assert "2 x shape-has-no-revision, such as: study.yaml:2: model.revision" in text


def test_a_study_of_refused_points_only_is_an_error_that_names_the_rules(plan):
    with pytest.raises(ConfigInvalid) as caught:
        plan("sweep: {model.revision: [v1], simulated.batch_size: [1, 2]}")
    assert "All 2 points are refused: shape-has-no-revision (2)." in caught.value.hint


def test_repeats_are_runs_with_ids_of_their_own(plan):
    planned = plan("study: {repeats: 2, order: interleaved}\nsweep: {simulated.batch_size: [1, 2]}")
    first, second = planned.ids
    runs = [run.id for run in planned.runs()]
    assert runs == [first, second, f"{first}-r2", f"{second}-r2"]
    assert planned.run_count == 4


def test_an_unbalanced_square_is_remarked(plan):
    text = (
        "study: {{repeats: {0}, order: latin-square}}\nsweep: {{simulated.batch_size: [1, 2, 3]}}"
    )
    assert list(plan(text.format(6)).remarks()) == []
    assert list(plan(text.format(4)).remarks()) == [
        "a Latin square of 3 experiments is balanced after 6 repeats, not after 4"
    ]


def test_the_duration_is_bounded_by_the_windows(plan):
    planned = plan(
        """
        study: {repeats: 2}
        sweep: {simulated.batch_size: [1, 2, 3]}
        measurement:
          {min_duration_s: 10, max_duration_s: 20, warmup: {max_duration_s: 5},
           baseline: {bare_s: 1, loaded_s: 2, after_s: 4}}
        """
    )
    assert planned.least_s == 2 * 3 * (1 + 2 + 4 + 10)
    assert planned.most_s == 2 * 3 * (1 + 2 + 4 + 5 + 20)


RUN = "measurement: {min_duration_s: 10, max_duration_s: 10, warmup: {max_duration_s: 0}, "


@pytest.mark.parametrize(
    ("settings", "baseline", "least_s", "most_s"),
    [
        # 6 runs of 10 s, 5 pauses between them.
        ("gap_s: 1000", "{bare_s: 0, loaded_s: 0, after_s: 0}", 5060, 5060),
        # The second pass begins with its own pause.
        (
            "order: interleaved, gap_s: 100, block_gap_s: 7",
            "{bare_s: 0, loaded_s: 0, after_s: 0}",
            60 + 4 * 100 + 7,
            60 + 4 * 100 + 7,
        ),
        ("thermal: {below_celsius: 50, at_most_s: 9}", "{bare_s: 0, loaded_s: 0, after_s: 0}",
         60, 60 + 6 * 9),
        # Idle power may be metered once and checked for a second later, or metered again.
        ("", "{bare_s: 5, loaded_s: 0, after_s: 0, reuse_s: 900}", 60 + 5, 60 + 6 * (5 + 1)),
        # A kept worker was there before its next run.
        ("reuse: model", "{bare_s: 5, loaded_s: 0, after_s: 0}", 60 + 5, 60 + 6 * 5),
    ],
)  # fmt: skip
def test_the_duration_contains_pauses_and_idle_metering(plan, settings, baseline, least_s, most_s):
    planned = plan(
        f"study: {{repeats: 2, {settings}}}\nsweep: {{simulated.batch_size: [1, 2, 3]}}\n"
        f"{RUN}baseline: {baseline}}}"
    )
    assert (planned.least_s, planned.most_s) == (least_s, most_s)


def test_the_overview_shows_points_refused_duplicates_runs_and_duration(plan):
    planned = plan(
        """
        sweep: {simulated.batch_size: {from: 1, to: 30, num: 30}}
        variants: [{}, {decoder: {seed: 1}}]
        """
    )
    lines = list(plan_summary(planned, everything=False))
    assert lines[:2] == ["study study", "       60  points"]
    assert "       30  duplicates (same calls, workload and runner: run once for all)" in lines
    assert "       30  runs" in lines
    assert lines[-1] == "… and 10 more; --all lists them"
    assert len(list(plan_summary(planned, everything=True))) == len(lines) + 9
    assert f"{planned.ids[0]}  simulated.batch_size=1  (and 1 more)" in lines
    assert plan_document(planned)["runs"] == planned.ids
    assert json.dumps(plan_document(planned))


def test_durations_read_well():
    assert [span(s) for s in (3, 61, 3600, 90_000)] == [
        "3 s",
        "1 min 1 s",
        "1 h 0 min",
        "25 h 0 min",
    ]


def test_a_large_grid_is_counted_exactly(tmp_path):
    file = tmp_path / "grid.yaml"
    file.write_text(
        "backend: simulated\nsweep:\n"
        "  simulated.batch_size: {from: 1, to: 20, num: 20}\n"
        "  workload.seed: {from: 1, to: 50, num: 50}\n"
        "  decoder.seed: {from: 1, to: 10, num: 10}\n"
    )
    planned = plan_study(load_study(Registry.discover(), file=file))
    assert len(planned.study) == 10_000
    assert (len(planned.experiments), planned.duplicates) == (1000, 9000)
