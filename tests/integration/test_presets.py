"""A preset is resolved before anything is shown, planned or stored."""

import json

from llem.schema.decoder import PRESETS

CREATIVE = ("--backend", "pytorch", "--set", "decoder.preset=creative")


def test_a_checked_experiment_has_the_values_of_its_preset(llem):
    document = json.loads(llem("check", *CREATIVE, "--json", check=0).stdout)
    decoder = document["experiment"]["decoder"]
    assert decoder["preset"] == "creative"
    assert decoder.items() >= PRESETS["creative"].items()


def test_the_plan_has_them_and_what_is_written_wins(llem):
    plan = llem("explain", *CREATIVE, "--set", "decoder.top_k=7", check=0).stdout
    assert f"temperature={PRESETS['creative']['temperature']}" in plan
    assert "top_k=7" in plan


def test_a_wrong_name_gets_the_right_one(llem):
    done = llem("check", "--backend", "pytorch", "--set", "decoder.preset=creativ", check=2)
    assert "Did you mean creative?" in done.stderr


def test_a_preset_that_the_backend_cannot_honor_is_refused(llem):
    done = llem("check", "--backend", "simulated", "--set", "decoder.preset=standard", check=2)
    assert "decoder.preset: it sets top_p, which backend simulated does not honor" in done.stderr
