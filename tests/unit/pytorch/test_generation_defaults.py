"""A checkpoint's generation defaults: none is in force, and none crashes a batch."""

import json
import shutil

import pytest
from transformers import AutoModelForCausalLM, GenerationConfig

from llem.api.session import Request
from llem_pytorch.runtime.generation_defaults import changed, keep_token_ids, pad_id

pytestmark = pytest.mark.engine

REQUESTS = [Request(0, [10, 20, 30, 40, 50], 6), Request(1, [60, 70], 6)]
TEXTS = {"source": "prompts", "prompts": ["a"]}

ASKED = {
    "penalties": {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2, "min_length": 30},
    "sampling": {"do_sample": True, "temperature": 5.0, "top_k": 7},
    "guidance": {"guidance_scale": 1.5},
    "beams": {"num_beams": 4, "num_return_sequences": 2},
    "stop texts": {"stop_strings": ["a", "b"]},
    "a clock": {"max_time": 1e-6},
    "lengths": {"max_new_tokens": 2, "max_length": 3},
    "suppressed": {"suppress_tokens": list(range(100)), "bad_words_ids": [[5], [6]]},
    "a watermark": {"watermarking_config": {"greenlist_ratio": 0.5, "bias": 9.0}},
    "prompt lookup": {"prompt_lookup_num_tokens": 3},
    "no cache": {"use_cache": False},
    "another cache": {"cache_implementation": "static"},
    "a dictionary": {"return_dict_in_generate": True, "output_scores": True},
    "decay": {"exponential_decay_length_penalty": [1, 2.0], "renormalize_logits": True},
    "pad -1": {"pad_token_id": -1},
    "pad beyond the vocabulary": {"pad_token_id": 259},
    "no pad": {"pad_token_id": None},
}


@pytest.fixture
def asking(model_folder, tmp_path):
    """Return a function that copies the model with settings added to its generation config."""

    def asking(settings):
        folder = shutil.copytree(model_folder, tmp_path / "asking")
        file = folder / "generation_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | settings))
        return folder

    return asking


def outputs(opened, folder, **sections):
    session, _ = opened(
        model={"id": str(folder)}, **{"workload": TEXTS, "pytorch": {"batch_size": 2}, **sections}
    )
    session.prepare(REQUESTS)
    run = session.run()
    effective = session.observe().effective
    effective.pop("generate.pad_token_id", None)  # fills rows that have ended; any id would do
    return [result.output_ids for result in run.requests], effective


@pytest.mark.parametrize("name", ASKED)
def test_a_checkpoint_decides_nothing_about_decoding(name, asking, opened, model_folder):
    assert outputs(opened, asking(ASKED[name])) == outputs(opened, model_folder)


def test_its_end_ids_are_in_force(asking, opened, model_folder):
    (first, second), _ = outputs(opened, model_folder)
    ends = [first[2], second[1]]
    ended, effective = outputs(opened, asking({"eos_token_id": ends}))
    for whole, cut in zip((first, second), ended, strict=True):
        at = min(whole.index(token) for token in ends if token in whole)
        assert cut == whole[: at + 1]
    assert effective["generate.eos_token_id"] == ends


def test_continuous_batches_decode_alike(asking, opened, model_folder):
    continuous = {"pytorch": {"batching": "continuous"}}
    settings = ASKED["penalties"] | ASKED["sampling"] | ASKED["pad -1"]
    mine, _ = outputs(opened, asking(settings), **continuous)
    theirs, _ = outputs(opened, model_folder, **continuous)
    assert mine == theirs


def test_whatever_differs_from_the_default_is_in_force_and_shown(opened, model_folder):
    _, effective = outputs(
        opened,
        model_folder,
        decoder={"repetition_penalty": 1.2},
        pytorch={"batch_size": 2, "no_repeat_ngram_size": 3, "suppress_tokens": [5]},
    )
    assert effective["generate.repetition_penalty"] == 1.2
    assert effective["generate.no_repeat_ngram_size"] == 3
    assert effective["generate.suppress_tokens"] == [5]


def test_every_setting_of_a_config_that_differs_is_found():
    config = GenerationConfig(
        guidance_scale=1.5, num_beams=4, min_length=3, top_k=50, custom_key=[1]
    )
    assert changed(config) == {
        "guidance_scale": 1.5,
        "num_beams": 4,
        "min_length": 3,
        "custom_key": [1],
    }


def test_the_drafting_model_has_defaults_of_its_own_dropped(model_folder):
    models = [AutoModelForCausalLM.from_pretrained(model_folder) for _ in range(2)]
    for model in models:
        model.generation_config.update(guidance_scale=2.0, pad_token_id=-1)
    keep_token_ids(model=models[0], assistant_model=models[1])
    for model in models:
        assert model.generation_config.guidance_scale is None
        assert model.generation_config.eos_token_id == 1
        assert pad_id(model) == 1
