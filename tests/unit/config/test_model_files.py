"""Shapes and local folders that are not there, and what a checkpoint asks for."""

import json
from pathlib import Path

import pytest

from llem.config.model_files import generation_remarks, model_problems
from llem.schema.experiment import Experiment, ModelConfig
from llem.workload.shape_catalog import SHAPES

from .fakes import Section


class FakeExperiment(Experiment):
    """What core derives for the backend of these tests."""

    fake: Section = Section()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def problems(**model):
    return [
        " ".join(filter(None, (finding.path, finding.message, finding.hint)))
        for finding in model_problems(ModelConfig(**model))
    ]


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "t5", "is_encoder_decoder": True, "vocab_size": 8}, "encoder-decoder"),
        ({"architectures": ["BartModel"], "is_encoder_decoder": True}, "encoder-decoder"),
        ({"text_config": {"is_encoder_decoder": True}, "vision_config": {}}, "encoder-decoder"),
        ({"model_type": "vit", "image_size": 224, "patch_size": 16}, "image model"),
        ({"architectures": ["BertForMaskedLM"], "vocab_size": 8}, "encoder,"),
        ({"architectures": ["LlamaForSequenceClassification"], "vocab_size": 8}, "classifier"),
    ],
)
def test_what_is_no_decoder_is_refused(config, kind, folder):
    (folder / "config.json").write_text(json.dumps(config))
    (problem,) = problems(id=str(folder))
    assert f" {kind}" in problem
    assert "llem measures decoders" in problem


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": ["LlamaForCausalLM"], "is_encoder_decoder": False, "vocab_size": 8},
        {"architectures": ["OPTModel", "OPTForCausalLM"]},
        {"architectures": ["Gemma3ForConditionalGeneration"], "image_size": 8,
         "text_config": {"vocab_size": 8}},
        {"architectures": None},
    ],
)  # fmt: skip
def test_a_decoder_and_the_text_part_of_another_model_are_accepted(config, folder):
    (folder / "config.json").write_text(json.dumps(config))
    assert problems(id=str(folder)) == []


def test_every_shape_is_known():
    assert [problems(id=f"shape:{name}") for name in SHAPES] == [[] for _ in SHAPES]


def test_the_nearest_shape_is_named():
    assert problems(id="shape:tny") == ['model.id there is no shape "tny" Did you mean shape:tiny?']
    assert problems(id="shape:TINY")[0].endswith("Did you mean shape:tiny?")
    assert "Known: shape:tiny, shape:135m" in problems(id="shape:")[0]


@pytest.mark.parametrize("id", ["org/model", "gpt2", "models/foo", "a/b.GGUF:Q4_K_M", "s3://a/b"])
def test_what_may_be_a_hub_id_is_the_engines_to_judge(id):
    assert problems(id=id) == []


@pytest.mark.parametrize(
    ("id", "hint"),
    [
        ("https://huggingface.co/a/b", "its id alone: a/b."),
        ("HTTPS://huggingface.co/a/b/tree/main", "its id alone: a/b."),
        ("SHAPE:tiny", "Did you mean shape:tiny?"),
        ("a b/c", "owner/name"),
        ("a\0b", "owner/name"),
        ("a\nb", "owner/name"),
        ("a\n", "owner/name"),
        ("a/b/c", "owner/name"),
        ("a--b", "owner/name"),
        ("a/..", "owner/name"),
        (".a/b", "owner/name"),
        ("", "owner/name"),
        ("é/b", "owner/name"),
        ("x" * 5000, "owner/name"),
    ],
)
def test_what_no_hub_can_have_is_refused(id, hint):
    for model in ({"id": id}, {"id": "org/model", "tokenizer": id}):
        if not id and "tokenizer" not in model:
            continue  # the schema refuses it
        (problem,) = problems(**model)
        assert problem.startswith(f"model.{list(model)[-1]} ")
        assert hint in problem
        assert "\n" not in problem
        assert "\0" not in problem
        assert len(problem) < 300


@pytest.mark.parametrize("id", ["./no", "../no", "/no/such", "~/no", "~no-such-user/x", "~"])
def test_what_can_only_be_a_path_must_be_a_folder(id, folder):
    (problem,) = problems(id=id)
    assert problem.startswith("model.id ")
    assert id in problem
    assert "config.json" in problem


def test_a_folder_needs_a_config(folder):
    model = folder / "models" / "foo"
    model.mkdir(parents=True)
    for id in ("models/foo", "./models/foo", str(model), "~/models/foo"):
        assert problems(id=id) == [
            f"model.id the folder {id} has no config.json, so it holds no model"
        ]
    (model / "config.json").write_text("{}")
    for id in ("models/foo", "./models/foo", str(model), "~/models/foo"):
        assert problems(id=id) == []


def test_a_folder_with_a_gguf_file_is_told_to_name_it(folder):
    (folder / "foo").mkdir()
    (folder / "foo" / "model.Q4.gguf").touch()
    assert problems(id="foo")[0].endswith("Name its GGUF file: model.gguf_file: model.Q4.gguf.")
    assert problems(id="foo", gguf_file="model.Q4.gguf") == []
    assert problems(id="foo", gguf_file="model.q4.gguf") == [
        "model.gguf_file the folder foo has no file model.q4.gguf Did you mean model.Q4.gguf?"
    ]


def test_a_file_is_no_folder(folder):
    Path("model.gguf").touch()
    assert "a GGUF file is named by its folder here" in problems(id="./model.gguf")[0]


def test_a_folder_has_no_revision(folder):
    (folder / "foo").mkdir()
    (folder / "foo" / "config.json").write_text("{}")
    assert problems(id="foo", revision="main") == [
        "model.revision the folder foo has no revisions Remove model.revision."
    ]


def test_another_tokenizer_must_be_there(folder):
    assert problems(tokenizer="./no") == ["model.tokenizer there is no folder ./no"]
    assert problems(tokenizer="org/tokenizer") == []


@pytest.fixture
def asking(tmp_path):
    """Return a function that yields the remarks on a checkpoint with these settings."""

    def asking(settings, file="generation_config.json", **sections):
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / file).write_text(json.dumps(settings))
        model = {"model": {"id": str(tmp_path)}}
        experiment = FakeExperiment.model_validate({"backend": "fake", **model, **sections})
        return [finding.message for finding in generation_remarks(experiment)]

    return asking


CHAT = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "eos_token_id": [1, 2]}


@pytest.mark.parametrize(
    ("settings", "sections", "listed"),
    [
        (CHAT, {}, "do_sample true, temperature 0.6, top_p 0.9"),
        (CHAT, {"decoder": {"temperature": 0.6}}, "top_p 0.9"),
        ({"repetition_penalty": 1.1}, {}, "repetition_penalty 1.1"),
        ({"num_beams": 4, "length_penalty": 2.0}, {}, "num_beams 4, length_penalty 2.0"),
        ({"min_length": 30, "stop_strings": ["a"]}, {}, 'min_length 30, stop_strings ["a"]'),
        ({"use_cache": False, "guidance_scale": 1.5}, {}, "use_cache false, guidance_scale 1.5"),
        ({"cache_implementation": "static"}, {}, 'cache_implementation "static"'),
        ({"forced_eos_token_id": 2}, {}, "forced_eos_token_id 2"),
    ],
)
def test_what_a_checkpoint_asks_for_is_remarked_on(settings, sections, listed, asking):
    (message,) = asking(settings, **sections)
    assert f"ask for {listed}; llem decodes without them" in message


@pytest.mark.parametrize(
    ("settings", "sections"),
    [
        ({"bos_token_id": 0, "eos_token_id": [1, 2], "pad_token_id": 0}, {}),
        ({"max_length": 4096, "max_new_tokens": 20, "transformers_version": "5.0"}, {}),
        ({"temperature": 0.6, "top_p": 0.9, "do_sample": False}, {}),
        ({"repetition_penalty": 1.0, "num_beams": 1, "length_penalty": 2.0, "top_k": 50}, {}),
        ({"use_cache": True, "cache_implementation": None, "bad_words_ids": []}, {}),
        (CHAT, {"decoder": {"temperature": 0.0}}),
        (CHAT, {"decoder": {"preset": "standard"}}),
        ({"repetition_penalty": 1.1}, {"decoder": {"repetition_penalty": 1.0}}),
        ({"min_length": 3}, {"decoder": {"min_new_tokens": 0}}),
        ([], {}),
    ],
)
def test_what_acts_nowhere_or_is_decided_by_the_experiment_is_not(settings, sections, asking):
    assert asking(settings, **sections) == []


def test_an_old_config_has_settings_of_generation_among_its_dimensions(asking):
    (message,) = asking({"num_beams": 4, "vocab_size": 7, "use_cache": True}, file="config.json")
    assert "ask for num_beams 4; llem" in message


def test_a_file_that_is_no_json_is_left_to_the_engine(tmp_path):
    (tmp_path / "generation_config.json").write_text("{")
    experiment = FakeExperiment.model_validate({"backend": "fake", "model": {"id": str(tmp_path)}})
    assert list(generation_remarks(experiment)) == []
