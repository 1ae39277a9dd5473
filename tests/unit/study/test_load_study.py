"""What a study file says, and what its points are."""

from pathlib import Path

import pytest

from llem.config.source import read_file
from llem.study.load_study import load_study
from llem.study.study_file import is_study

from ..config.fakes import FAKE, OTHER, FakeBackend, FakeRegistry, OtherSection

THIRD = FakeBackend("third", OtherSection)


def rows(study):
    """Return what tells each point apart."""
    return [study.differences(number) for number in range(len(study))]


def experiments(study):
    """Return the experiment of each point."""
    return [point.loaded.experiment for point in study]


def test_axes_are_crossed_and_the_last_one_is_the_fastest(study):
    loaded = study("sweep: {fake.batch_size: [1, 2], decoder.temperature: [0, 0.5]}")
    assert rows(loaded) == [
        {"fake.batch_size": 1, "decoder.temperature": 0},
        {"fake.batch_size": 1, "decoder.temperature": 0.5},
        {"fake.batch_size": 2, "decoder.temperature": 0},
        {"fake.batch_size": 2, "decoder.temperature": 0.5},
    ]
    made = experiments(loaded)
    assert [experiment.section.batch_size for experiment in made] == [1, 1, 2, 2]
    assert [experiment.decoder.temperature for experiment in made] == [0, 0.5, 0, 0.5]


def test_a_point_is_found_again_by_its_number(study):
    loaded = study(
        """
        sweep: {fake.batch_size: [1, 2, 3], fake.bits: [4, 8]}
        experiments: [{model: {id: "shape:1b"}}]
        """
    )
    assert [point.number for point in loaded] == list(range(7))
    for point in loaded:
        assert loaded.point(point.number) == point
    assert loaded.point(6).loaded.experiment.model.id == "shape:1b"


def test_a_swept_field_wins_over_the_base_whose_other_fields_stay(study):
    loaded = study(
        """
        decoder: {temperature: 0.3, top_p: 0.5}
        sweep: {decoder.temperature: [0.7]}
        """
    )
    (experiment,) = experiments(loaded)
    assert (experiment.decoder.temperature, experiment.decoder.top_p) == (0.7, 0.5)


def test_nested_and_dotted_axes_are_the_same_and_set_wins(study):
    nested = study("sweep: {fake: {batch_size: {pow2: {from: 1, to: 4}}}}")
    assert rows(nested) == [{"fake.batch_size": size} for size in (1, 2, 4)]
    changed = study("sweep: {fake.batch_size: [1, 2]}", overrides=["sweep.fake.batch_size=[8]"])
    assert rows(changed) == [{"fake.batch_size": 8}]


def test_zipped_fields_change_together(study):
    loaded = study(
        """
        zip: {workload.input_tokens: [1, 2], workload.output_tokens: [10, 20]}
        sweep: {fake.bits: [4, 8]}
        """
    )
    assert len(loaded) == 4
    workloads = [experiment.workload for experiment in experiments(loaded)]
    assert [(workload.input_tokens, workload.output_tokens) for workload in workloads] == [
        (1, 10),
        (2, 20),
        (1, 10),
        (2, 20),
    ]


def test_variants_are_crossed_and_an_empty_one_is_the_base(study):
    loaded = study(
        """
        variants:
          attention: [{}, {fake: {attention: sdpa}}]
          size: [{fake: {batch_size: 2}}, {fake: {batch_size: 3}, decoder: {temperature: 1}}]
        """
    )
    sections = [experiment.section for experiment in experiments(loaded)]
    assert [(section.attention, section.batch_size) for section in sections] == [
        (None, 2), (None, 3), ("sdpa", 2), ("sdpa", 3),
    ]  # fmt: skip


def test_a_variant_of_another_kind_replaces_the_whole_section(study):
    loaded = study(
        """
        workload: {source: synthetic, input_tokens: 5}
        variants: [{}, {workload: {source: prompts, prompts: [hello]}}]
        """
    )
    assert [experiment.workload.source for experiment in experiments(loaded)] == [
        "synthetic",
        "prompts",
    ]


def test_axes_of_a_backend_multiply_its_points_only(study):
    loaded = study(
        """
        backends: {fake: {runner: {python: /a}}, other: {runner: {python: /b}}}
        fake: {bits: 4}
        sweep: {fake.batch_size: [1, 2, 3], other.block_size: [8, 16], decoder.temperature: [0]}
        variants: [{}, {fake: {attention: sdpa}}]
        """
    )
    points = list(loaded)
    of = {name: [made for made in experiments(points) if made.backend == name]
          for name in ("fake", "other")}  # fmt: skip
    assert (len(of["fake"]), len(of["other"])) == (6, 2)
    assert {made.runner.python for made in of["fake"]} == {"/a"}
    assert {made.runner.python for made in of["other"]} == {"/b"}
    assert {made.section.bits for made in of["fake"]} == {4}
    assert loaded.differences(0)["backend"] == "fake"


def test_listed_experiments_are_not_crossed_and_may_stand_alone(study):
    alone = study("experiments: [{fake: {bits: 4}}, {fake: {bits: 8}}]")
    assert [experiment.section.bits for experiment in experiments(alone)] == [4, 8]
    both = study("sweep: {fake.batch_size: [1, 2]}\nexperiments: [{fake: {bits: 4}}]")
    assert [experiment.section.bits for experiment in experiments(both)] == [None, None, 4]


def test_a_listed_experiment_may_name_its_backend(study):
    loaded = study("backends: [fake, other]\nexperiments: [{backend: other}, {}]")
    assert [experiment.backend for experiment in experiments(loaded)] == ["fake", "other", "other"]
    with pytest.raises(Exception, match="third is none of the study's backends, fake, other"):
        study("backends: [fake, other]\nexperiments: [{backend: third}]")


def test_flags_lie_over_the_base_and_choose_among_backends(study):
    (flagged,) = experiments(study("sweep: {fake.bits: [4]}", model="shape:1b"))
    assert flagged.model.id == "shape:1b"
    chosen = study("backends: [fake, other]", backend="other")
    assert [experiment.backend for experiment in experiments(chosen)] == ["other"]


def test_an_experiment_is_a_study_of_one_point(study):
    assert rows(study("model: {id: 'shape:tiny'}")) == [{}]


def test_a_file_extends_another_one(study, write):
    write("fake: {bits: 4, batch_size: 2}\nsweep: {decoder.temperature: [0, 1]}", "base.yaml")
    loaded = study(
        """
        extends: base.yaml
        fake: {batch_size: 3}
        sweep: {decoder.temperature: [0.5]}
        """
    )
    (experiment,) = experiments(loaded)
    assert (experiment.section.bits, experiment.section.batch_size) == (4, 3)
    assert experiment.decoder.temperature == 0.5


def test_what_a_base_file_says_wrong_is_blamed_on_it(study_refused, write):
    write("fake: {batch_size: none}", "base.yaml")
    assert study_refused("extends: base.yaml").startswith("base.yaml:1: fake.batch_size: must be")


@pytest.mark.parametrize("name", ["study.yaml", "./study.yaml"])
def test_a_file_that_extends_itself_is_refused(study_refused, name):
    assert "study.yaml extends study.yaml" in study_refused(f"extends: {name}")


def test_a_circle_of_files_is_refused(study_refused, write):
    write("extends: study.yaml", "base.yaml")
    message = study_refused("extends: base.yaml")
    assert "study.yaml extends base.yaml extends study.yaml" in message


def test_a_study_is_told_from_an_experiment_by_its_keys(write):
    assert not is_study(read_file(write("model: {id: a}")))
    assert is_study(read_file(write("sweep: {a.b: [1]}")))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sweep: {fake.batch_siz: [1]}", "study.yaml:2: fake.batch_siz: there is no such key. "
         "Did you mean batch_size?"),
        ("sweep: {batch_size: [1]}", "Did you mean fake.batch_size?"),
        ("sweep:\n  fake.batch_size:\n    - 1\n    - no", "study.yaml:5: fake.batch_size: must be"),
        ("sweep: {fake.batch_size: []}", "the axis has no values"),
        ("sweep: {fake.batch_size: 4}", "an axis is a list"),
        ("sweep: [1]", "must be a section"),
        ("experiments: []", "the study has no points"),
        ("experiments: {}", "must be a list of partial configs"),
        ("variants: [1]", "variants.0: must be a section of keys"),
        ("variants: []", "at least one"),
        ("zip: {fake.bits: [4, 8], fake.batch_size: [1]}", "fake.bits has 2, fake.batch"),
        ("backends: 3", "must be a list of names"),
        ("backend: fake\nbackends: [fake]", "exclude each other"),
        ("extends: 3", "must be the name of a file"),
        ("extends: nowhere.yaml", "nowhere.yaml does not exist"),
        ("study: {repeats: 0}", "study.yaml:2: study.repeats: must be"),
        ("study: {order: latin}", "must be sequential, interleaved, shuffled or latin-square"),
        ("study: {reuse: everything}", "must be none or model"),
        ("study: {gap: 3}", "Did you mean gap_s?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_line_and_way_out(study_refused, text, problem):
    assert problem in study_refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "sweep: {fake.bits: [4]}\nzip: {fake.bits: [4], fake.batch_size: [1]}",
        "sweep: {fake.bits: [4], fake: {bits: [8]}}",
        "sweep: {workload.input_tokens: [4], workload.input_tokens.mean: [5]}",
        "sweep: {fake.bits: [4]}\nvariants: [{}, {fake: {bits: 8}}]",
        "variants: {a: [{fake: {bits: 8}}], b: [{fake: {bits: 4}}]}",
    ],
)
def test_two_axes_that_set_the_same_field_are_refused(study_refused, text):
    message = study_refused(text)
    assert "both set it" in message or "stands there twice" in message


def test_a_million_points_are_refused_before_any_is_made(study_refused):
    axis = "{from: 1, to: 1000, num: 1000}"
    message = study_refused(
        f"sweep: {{workload.input_tokens: {axis}, workload.output_tokens: {axis}}}"
    )
    assert "the study has 1,000,000 points, more than 100,000" in message


def test_points_that_a_rule_refuses_are_kept_apart_with_file_and_line(study):
    loaded = study(
        """
        decoder: {top_p: 0.5}
        sweep:
          decoder.temperature: [0, 0.5]
        """
    )
    bad, good = loaded
    assert good.loaded is not None
    assert [finding.code for finding in bad.refusals] == ["greedy-ignores-top-p"]
    assert "study.yaml:3: decoder.top_p" in str(bad.refusals[0])


def test_every_remark_about_a_point_is_kept_with_file_and_line(study):
    loaded = study(
        """
        model: {trust_remote_code: true}
        sweep:
          fake.bits: [4, 8]
        """
    )
    remarks = [[str(remark) for remark in point.loaded.warnings] for point in loaded]
    remote = "study.yaml:3: model.trust_remote_code: Python code that ships with the model"
    assert [[remark.startswith(remote) for remark in of_point] for of_point in remarks] == [
        [True], [False, True],
    ]  # fmt: skip
    assert remarks[1][0].startswith("study.yaml:5: fake.bits: the engine accepts it and does")


def test_a_backend_that_llem_chose_is_remarked_on_in_every_point(write):
    registry = FakeRegistry(FAKE, FakeBackend("other", OtherSection))
    loaded = load_study(registry, file=write("sweep: {fake.bits: [4, 8]}"))
    codes = [[remark.code for remark in point.loaded.warnings] for point in loaded]
    assert codes == [["backend-chosen"], ["backend-chosen", "bits-are-ignored"]]


def test_values_of_a_field_are_those_of_its_points(study):
    (swept,) = study("runner: {env: {A: b}}\nsweep: {runner.python: [/a, /b]}").grids
    assert swept.values_of("runner", "python") == ["/a", "/b"]
    (partly,) = study("variants: [{}, {runner: {python: /a}}]").grids
    assert partly.values_of("runner", "python") == [None, "/a"]


def test_a_rule_inside_a_section_refuses_its_point_only(study):
    loaded = study("sweep: {fake.even: [1, 2]}")
    assert [bool(point.refusals) for point in loaded] == [True, False]


def test_a_missing_model_refuses_the_points_that_name_it(study):
    loaded = study("sweep: {model.id: ['shape:tiny', ./nowhere]}")
    assert [[finding.code for finding in point.refusals] for point in loaded] == [
        [],
        ["model-missing"],
    ]


def test_the_name_comes_from_the_file_unless_it_is_given(study):
    assert study("sweep: {fake.bits: [4]}").name == "study"
    assert study("study: {name: nightly}\nsweep: {fake.bits: [4]}").name == "nightly"


def test_secrets_stay_out_of_the_document(study):
    loaded = study("runner: {env: {HF_TOKEN: hf_abcdefghijklmnopqrstuvwxyz}}")
    assert loaded.document["runner"]["env"]["HF_TOKEN"] == "<redacted>"


def test_a_backend_that_is_not_installed_is_an_error_of_its_own(study):
    with pytest.raises(Exception, match="no backend 'missing'"):
        study("backends: [fake, missing]", registry=FakeRegistry(FAKE, OTHER, THIRD))


def test_relative_paths_start_at_the_studys_file(study):
    (point,) = study("sweep: {fake.bits: [4]}")
    assert point.loaded.base_dir == Path()


@pytest.mark.parametrize(
    "grid",
    [
        "sweep: {backend: [fake, other]}",
        "sweep: {backend.x: [1, 2]}",
        "zip: {backend: [fake, other], name: [a, b]}",
        "variants: [{}, {backend: other}]",
        "variants: {some: [{backend: other}]}",
    ],
)
def test_an_axis_cannot_set_the_backend(study_refused, grid):
    message = study_refused(f"backend: fake\n{grid}")
    assert "a point of the grid cannot set backend. Use `backends:`" in message
    assert message.startswith("study.yaml:2: ")


@pytest.mark.parametrize("key", ["study", "backends", "extends", "sweep"])
def test_an_axis_cannot_set_what_describes_the_study(study_refused, key):
    message = study_refused(f"backend: fake\nvariants: [{{{key}: {{x: 1}}}}]")
    assert f"cannot set {key}. Write it at the top of the file." in message


def test_a_section_of_a_backend_cannot_choose_another_backend(study_refused):
    message = study_refused("backends: {fake: {backend: other}, other: null}")
    assert "backends.fake.backend: a point of the grid cannot set backend" in message


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("block_gap_s: 5", "block_gap_s: it acts only between passes"),
        ("block_gap_s: 5, order: interleaved", "block_gap_s: it acts only between passes"),
        ("seed: 3", "study.seed: it acts only with order shuffled, and the order is sequential"),
        ("seed: 3, order: latin-square", "the order is latin-square"),
        ("failures: {stop_after: null, probe_after_s: 9}", "probe_after_s: it acts only where"),
        ("failures: {prune: [fake.batch_sise]}", "no axis varies \"fake.batch_sise\". Did you mean "
         "fake.batch_size?"),
        ("failures: {prune: [nonsense]}", "Varied here: fake.batch_size."),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_act_is_refused(study_refused, settings, problem):
    text = f"backend: fake\nstudy: {{{settings}}}\nsweep: {{fake.batch_size: [1, 2]}}"
    message = study_refused(text)
    assert problem in message
    assert message.startswith("study.yaml:2: study.")


@pytest.mark.parametrize(
    "settings",
    [
        "block_gap_s: 0, seed: 0",
        "block_gap_s: 5, order: interleaved, repeats: 2",
        "seed: 3, order: shuffled",
        "failures: {stop_after: null}",
        "failures: {prune: [fake.batch_size]}",
    ],
)
def test_a_setting_that_acts_or_says_nothing_is_accepted(study, settings):
    loaded = study(f"study: {{{settings}}}\nsweep: {{fake.batch_size: [1, 2]}}")
    assert len(list(loaded)) == 2
