"""Chats through the whole of llem: refused before metering, pinned in time, told in the outcome."""

from __future__ import annotations

import json
import re

import pytest

from llem.results import read_requests
from llem.workload.shape_folder import write_shape

CLOCK = "{{ strftime_now('%Y-%m-%d %H:%M:%S') }}"
TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if enable_thinking is defined and not enable_thinking %}<no thinking>{% endif %}"
)
CHAT = [
    "--set", "workload.source=prompts", "--set", 'workload.prompts=["hi"]',
    "--set", "workload.chat_template=true", "--set", "workload.requests=1",
]  # fmt: skip


@pytest.fixture
def model(llem):
    """Return what makes a model's folder with a chat template."""
    from shutil import copytree

    def model(name, template, **config):
        folder = copytree(write_shape("shape:tiny"), llem.folder / name)
        (folder / "chat_template.jinja").write_text(template)
        if config:
            (folder / "tokenizer_config.json").write_text(json.dumps(config))
        return name

    return model


BROKEN = {
    "tag": ("\n{% nothing %}", r"broken/chat_template\.jinja, line 2: .* unknown tag"),
    "loop": ("{% for t in documents %}{% endfor %}", r"line 1: .* raises TypeError: 'NoneType'"),
    "refusal": ("{{ raise_exception('system first') }}", "refuses the messages: system first"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_check_and_run_refuse_a_template_before_anything_is_metered(llem, model, fault):
    template, message = BROKEN[fault]
    arguments = ["--backend", "simulated", "--model", f"./{model('broken', template)}", *CHAT]
    checked = llem("check", *arguments, check=2)
    ran = llem("run", *arguments, check=2)
    assert re.search(message, checked.stderr)
    assert ran.stderr == checked.stderr
    assert "metering" not in ran.stdout + ran.stderr
    assert not llem.results.exists() or not list(llem.results.iterdir())


def test_a_tokenizer_that_cannot_be_read_is_refused_by_check(llem, model):
    name = model("odd", TEMPLATE)
    path = llem.folder / name / "tokenizer.json"
    document = json.loads(path.read_text())
    document["pre_tokenizer"] = {"type": "Quantum"}
    path.write_text(json.dumps(document))
    done = llem("check", "--backend", "simulated", "--model", f"./{name}", *CHAT, check=2)
    assert f"{name}/tokenizer.json is no tokenizer that llem can read" in done.stderr
    assert "Traceback" not in done.stderr


def test_arguments_and_a_system_prompt_are_part_of_the_experiment(llem, model):
    name = model("m", TEMPLATE)
    more = ["--set", "workload.chat_template_kwargs={enable_thinking: false}",
            "--set", "workload.system_prompt=Be brief."]  # fmt: skip
    plain = llem.run("--model", f"./{name}", *CHAT, check=0, workload__requests=1)
    asked = llem.run("--model", f"./{name}", *CHAT, *more, check=0, workload__requests=1)
    ids = {outcome["workload"]["input_ids_sha256"] for outcome in (plain, asked)}
    assert len(ids) == 2
    assert plain["experiment_sha256"] != asked["experiment_sha256"]
    assert asked["experiment"]["workload"]["chat_template_kwargs"] == {"enable_thinking": False}
    assert asked["workload"]["chat_template"] == "./m/chat_template.jinja"
    folder = next(path for path in llem.results.iterdir() if asked["id"] == path.name)
    [first, *_] = read_requests(folder)
    text = "system: Be brief.\nuser: hi\n<no thinking>"
    assert first["input_tokens"] == len(text)  # an id per byte


def test_the_runs_of_a_study_see_one_time(llem, model):
    name = model("dated", CLOCK + TEMPLATE)
    (llem.folder / "study.yaml").write_text(
        f"""
        study: {{name: dated, gap_s: 1.1}}
        backend: simulated
        model: {{id: ./{name}}}
        workload: {{source: prompts, prompts: [hi], chat_template: true, output_tokens: 4}}
        sweep: {{simulated.batch_size: [1, 2]}}
        measurement:
          min_duration_s: 0.1
          max_duration_s: 0.3
          baseline: {{bare_s: 0, loaded_s: 0, after_s: 0}}
        """
    )
    llem("run", "study.yaml", "--out", llem.results, check=0)
    outcomes = [json.loads(path.read_text()) for path in llem.results.glob("dated/*/outcome.json")]
    assert len(outcomes) == 2
    [seen] = {outcome["workload"]["template_time"] for outcome in outcomes}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", seen)
    assert len({outcome["workload"]["input_ids_sha256"] for outcome in outcomes}) == 1
