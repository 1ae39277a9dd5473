"""Answers about what is installed, and how they are rendered."""

from __future__ import annotations

import json
import re

import pytest

from llem.api.capability import Capability, Gpu, HostInfo, Support
from llem.errors import UnknownBackend
from llem.introspect.capability_matrix import (
    capabilities,
    matrix_json,
    matrix_table,
    missing_conditions,
)
from llem.introspect.installed import plugin_details, plugin_table, plugins, plugins_called
from llem.tables import render_json, render_markdown, render_text

CLAIMS = """claims={
    Capability.FLOAT32: Claim(Support.YES),
    Capability.FLOAT16: Claim(Support.YES, requires=(ComputeCapability(5, 3),)),
    Capability.LORA: Claim(
        Support.PARTIAL, note="one at a time", requires=(ComputeCapability(5, 3),)
    ),
}, devices=("cpu", "cuda")"""
ENGINE = "engine=EngineRequirement('rocket-engine', '>=2', 'pip install rocket-engine')"


@pytest.fixture
def registry(environment, source):
    """A registry of one backend that can something, one that can nothing, and a broken one."""
    environment.install("llem-able", {"able": source("able", CLAIMS)})
    environment.install("llem-bare", {"bare": source("bare", ENGINE)})
    environment.install("llem-void", {"void": "1 / 0"})
    return environment.registry()


def test_every_capability_is_asked_of_every_healthy_backend(registry):
    able, bare = capabilities(registry)
    assert (able.name, bare.name) == ("able", "bare")
    rows = matrix_json((able, bare))["rows"]
    assert [row["capability"] for row in rows] == list(Capability)
    levels = {row["capability"]: row["claims"]["able"]["level"] for row in rows}
    assert levels.pop(Capability.FLOAT32) is Support.YES
    assert levels.pop(Capability.FLOAT16) is Support.YES
    assert levels.pop(Capability.LORA) is Support.PARTIAL
    assert set(levels.values()) == {Support.NOT_STATED}
    assert {row["claims"]["bare"]["level"] for row in rows} == {Support.NOT_STATED}


def test_one_backend_can_be_asked_alone(registry, capsys):
    assert [info.name for info in capabilities(registry, "bare")] == ["bare"]
    assert capsys.readouterr().err == ""  # the broken one was not touched


def test_the_matrix_as_markdown_has_footnotes(registry):
    lines = render_markdown(matrix_table(capabilities(registry))).splitlines()
    assert lines[:4] == [
        "| capability | able | bare |",
        "| --- | --- | --- |",
        "| float32 | yes | not stated |",
        "| float16 | yes[^1] | not stated |",
    ]
    assert "| LoRA adapters | partial[^2] | not stated |" in lines
    assert lines[-3:] == ["", "[^1]: needs sm53+", "[^2]: one at a time; needs sm53+"]


def test_the_matrix_as_text_has_numbers(registry):
    text = render_text(matrix_table(capabilities(registry)))
    assert re.search(r"\nfloat16 +yes \(1\) +not stated\n", text)
    assert text.endswith("\n\n(1) needs sm53+\n(2) one at a time; needs sm53+")


def test_the_matrix_as_json_is_complete(registry):
    document = json.loads(render_json(matrix_json(capabilities(registry))))
    assert document["backends"][0] == {
        "name": "able",
        "summary": "A backend of the tests",
        "devices": ["cpu", "cuda"],
    }
    row = next(row for row in document["rows"] if row["capability"] == "LoRA adapters")
    assert row["claims"]["able"] == {
        "level": "partial",
        "note": "one at a time",
        "requires": ["sm53+"],
        "missing": None,
        "settings": {},
    }


def test_every_plugin_is_listed_in_its_state(registry):
    found = plugins(registry)
    assert [(plugin.record.name, plugin.record.status) for plugin in found] == [
        ("able", "ok"),
        ("bare", "ok"),
        ("void", "broken"),
    ]
    lines = render_text(plugin_table(found)).splitlines()
    assert lines[2].split()[:5] == ["able", "ok", "llem-able", "1.0", "none"]
    assert "rocket-engine: not installed" in lines[3]
    assert "ZeroDivisionError" in lines[4]


def test_one_plugin_is_shown_in_full(registry):
    [plugin] = plugins_called(registry, "bare")
    assert plugin.backend is not None
    assert plugin.backend.hooks == {"llem_capabilities", "llem_config_model"}
    text = render_text(plugin_details([plugin]))
    assert "engine       rocket-engine is not installed\n" in text
    assert "module       llem_bare_bare\n" in text


def test_an_unknown_plugin_cannot_be_shown(registry):
    with pytest.raises(UnknownBackend, match="'x'") as caught:
        plugins_called(registry, "x")
    assert caught.value.hint == "Installed: able, bare, void."


def test_nothing_installed_is_an_empty_table():
    assert render_text(plugin_table(())).splitlines()[0].startswith("plugin")


def test_conditions_are_held_against_a_machine(registry):
    gpu = Gpu("GPU-1", "any", 2**30, (7, 0))
    levels = {}
    for name, gpus in {"none": (), "one": (gpu,)}.items():
        facts = HostInfo("Linux-6", "any", 1, 2**30, gpus)
        infos = capabilities(registry, "able")
        rows = {
            row["capability"]: row["claims"]["able"] for row in matrix_json(infos, facts)["rows"]
        }
        levels[name] = tuple(
            rows[asked]["missing"] for asked in (Capability.FLOAT16, Capability.FLOAT32)
        )
        text = render_text(matrix_table(infos, facts))
        assert bool(re.search(r"float16 +not here \(1\)", text)) is (name == "none")
        assert bool(re.search("float16 +yes, here", text)) is (name == "one")
    assert levels == {"none": (["sm53+"], []), "one": ([], [])}


def test_whether_a_distribution_is_installed_is_looked_up(environment, source):
    claims = """claims={
        Capability.LORA: Claim(
            Support.YES, requires=(Installed("click"), Installed("no-such-thing"))
        ),
    }"""
    environment.install("llem-able", {"able": source("able", claims)})
    facts = HostInfo("Linux-6", "any", 1, 2**30)
    (info,) = capabilities(environment.registry(), "able")
    claim = info.claim(Capability.LORA)
    assert [str(condition) for condition in claim.requires] == [
        "click installed",
        "no-such-thing installed",
    ]
    assert [str(condition) for condition in missing_conditions(claim, facts)] == [
        "no-such-thing installed"
    ]
