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
        variants: [{}, {name: other}, {decoder: {seed: 5}}, {measurement: {min_repetitions: 4}}]
        """
    )
    assert len(planned.study) == 8
    assert planned.duplicates == 6
    assert list(planned.experiments.values()) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [row.get("name") for row in planned.settings(0)] == [None, "other", None, None]


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
    planned = plan("sweep: {model.revision: [main, null], simulated.batch_size: [1, 2]}")
    assert [point.rule for point in planned.refused] == ["shape-has-no-revision"] * 2
    assert [point.number for point in planned.refused] == [0, 1]
    text = "\n".join(plan_summary(planned, everything=False))
    assert "2 x shape-has-no-revision, such as: study.yaml:2: model.revision" in text


def test_a_study_of_refused_points_only_is_an_error_that_names_the_rules(plan):
    with pytest.raises(ConfigInvalid) as caught:
        plan("sweep: {model.revision: [main], simulated.batch_size: [1, 2]}")
    assert "All 2 points are refused: shape-has-no-revision (2)." in caught.value.hint


def test_repeats_are_runs_with_ids_of_their_own(plan):
    planned = plan("study: {repeats: 2, order: interleaved}\nsweep: {simulated.batch_size: [1, 2]}")
    first, second = planned.ids
    runs = [run.id for run in planned.runs()]
    assert runs == [f"{first}-r1", f"{second}-r1", f"{first}-r2", f"{second}-r2"]
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
           baseline: {bare_s: 1, loaded_s: 2}}
        """
    )
    assert planned.least_s == 2 * 3 * (3 + 10)
    assert planned.most_s == 2 * 3 * (3 + 5 + 20)


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
