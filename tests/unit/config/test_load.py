"""File, flags and overrides become one experiment."""

from pathlib import Path

import pytest

from llem.config import load_experiment
from llem.errors import BackendUnavailable, ConfigFileError, ConfigInvalid, UnknownBackend
from llem.registry import Registry

from .fakes import FAKE, OTHER, FakeBackend, FakeRegistry, Section


def test_flags_win_over_the_file_and_set_over_both(load):
    text = "backend: other\nmodel: {id: from-file, dtype: float16}\nname: file\n"
    loaded = load(text, backend="fake", model="from-flag", overrides=["name=set"])
    assert loaded.backend is FAKE
    assert loaded.experiment.model.id == "from-flag"
    assert loaded.experiment.model.dtype == "float16"
    assert loaded.experiment.name == "set"
    loaded = load(
        text, backend="other", overrides=["backend=fake", "model.id=set", "model.id=last"]
    )
    assert (loaded.backend, loaded.experiment.model.id) == (FAKE, "last")


def test_the_experiment_is_typed_and_frozen(load):
    loaded = load("backend: fake\nfake: {batch_size: 4}")
    assert loaded.experiment.section == Section(batch_size=4)
    assert loaded.experiment.backend == "fake"
    assert loaded.warnings == ()
    with pytest.raises(ValueError, match="frozen"):
        loaded.experiment.name = "x"


def test_json_is_read_like_yaml(load):
    text = '{\n\t"backend": "fake",\n\t"workload": {"requests": 3}\n}'
    assert load(text, name="exp.json").experiment.workload.requests == 3


def test_relative_paths_start_at_the_file(load, tmp_path):
    (tmp_path / "sub").mkdir()
    assert load("backend: fake", name="sub/exp.yaml").base_dir == Path("sub")
    assert load(backend="fake").base_dir == Path()


@pytest.mark.parametrize("text", ["backend: fake\nmodel:\nworkload: ~\nfake:\nname: null", "{}"])
def test_an_empty_section_is_one_of_defaults(load, text):
    loaded = load(text, backend="fake")
    assert loaded.experiment == load("backend: fake").experiment


def test_numbers_may_be_whole_where_any_will_do(load):
    experiment = load("backend: fake\nmeasurement: {min_duration_s: 5, target_ci_ratio: 1e-2}")
    assert experiment.experiment.measurement.min_duration_s == 5.0
    assert experiment.experiment.measurement.target_ci_ratio == 0.01


def test_a_home_folder_is_written_out(load, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{}")
    assert load("backend: fake", model="~/m").experiment.model.id == str(tmp_path / "m")


def test_the_backend_is_chosen_when_none_is_named(load):
    assert load("model: {id: shape:tiny}").backend is FAKE
    assert load().experiment.backend == "fake"
    assert load("backend: null").backend is FAKE


def test_a_choice_among_several_is_a_warning(load):
    loaded = load(registry=FakeRegistry(FakeBackend("zzz"), FAKE))
    assert loaded.backend is FAKE
    assert [warning.code for warning in loaded.warnings] == ["backend-chosen"]


def test_a_backend_without_an_engine_must_be_named(load):
    registry = FakeRegistry(FakeBackend("pretend", engine=None))
    with pytest.raises(BackendUnavailable, match="usable engine") as caught:
        load(registry=registry)
    assert caught.value.exit_code == 3
    assert "--backend pretend" in caught.value.hint
    assert load(registry=registry, backend="pretend").experiment.backend == "pretend"


def test_an_engine_that_is_missing_does_not_stop_validation(load):
    assert load("backend: other").backend is OTHER


def test_an_unknown_backend_is_told_where_it_stands(load):
    with pytest.raises(UnknownBackend) as caught:
        load("name: a\nbackend: fkae")
    assert caught.value.message == "exp.yaml:2: no backend 'fkae'"
    assert caught.value.hint == "Did you mean another?"
    with pytest.raises(UnknownBackend, match=r"^--backend: no backend 'x'"):
        load(backend="x")


@pytest.mark.parametrize(("text", "shown"), [("5", "5"), ("on", "true"), ("[a]", "a list")])
def test_a_backend_that_is_no_name(refused, text, shown):
    assert refused(f"backend: {text}") == [
        f"exp.yaml:1: backend: must be the name of a backend, not {shown}. Installed: fake, other."
    ]


def test_warnings_know_their_line(load):
    loaded = load("backend: fake\npassthrough_kwargs:\n  load: {low_cpu_mem_usage: true}")
    assert list(map(str, loaded.warnings)) == [
        "exp.yaml:3: passthrough_kwargs.load: passed on unchecked: low_cpu_mem_usage"
    ]


def test_rules_and_files_are_judged_together(refused):
    lines = refused("backend: fake\nmodel:\n  id: shape:tinny\n  revision: v1\n")
    assert lines == [
        "exp.yaml:4: model.revision: an embedded shape has no revisions "
        '(model.revision: "v1", model.id: "shape:tinny"). Remove model.revision.',
        'exp.yaml:3: model.id: there is no shape "tinny". Did you mean shape:tiny?',
    ]


def test_a_flag_is_named_as_the_origin(refused):
    assert refused("backend: fake", model="./nowhere")[0].startswith(
        "--model: model.id: there is no folder ./nowhere"
    )


def test_a_section_that_is_a_value_takes_no_flag(refused):
    (line,) = refused("backend: fake\nmodel: shape:tiny", model="shape:1b")
    assert line.startswith("--model: model.id: model (exp.yaml:2) is a value, not a section")


def test_a_file_that_is_not_there(load):
    with pytest.raises(ConfigFileError, match=r"nowhere\.yaml does not exist"):
        load_experiment(FakeRegistry(FAKE), file=Path("nowhere.yaml"))


def test_the_schema_is_named_where_keys_are_wrong(load):
    with pytest.raises(ConfigInvalid) as caught:
        load("nam: x", backend="fake")
    assert "llem schema --backend fake" in caught.value.hint


def test_with_the_installed_plugins(load, refused):
    registry = Registry.discover()
    loaded = load(registry=registry, backend="simulated", overrides=["simulated.batch_size=4"])
    assert loaded.experiment.section.batch_size == 4
    assert refused("simulated: {bach_size: 4}", registry=registry, backend="simulated") == [
        "exp.yaml:1: simulated.bach_size: there is no such key. Did you mean batch_size?"
    ]
    with pytest.raises(UnknownBackend, match=r"--backend: .*simulatd.*simulated"):
        load(registry=registry, backend="simulatd")
