"""Every parameter of the reference is accounted for, and a new one is noticed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import llem_trt
from llem.api.parameter_audit import FoundParameter
from llem.introspect.engine_audit import Classification, audited
from llem_trt.audit import parameter_audit
from llem_trt.reference import classes, found
from llem_trt.section import TrtConfig
from llem_trt.versions import SURFACES


def classified(there):
    rows = audited("trt", TrtConfig, parameter_audit(), there)
    return {(row.surface, row.name): row.classification for row in rows}


def test_nothing_of_the_reference_is_left_over():
    counts = set(classified(found()).values())
    assert counts == {Classification.EXPOSED, Classification.OWNED, Classification.EXCLUDED}


def test_every_class_of_the_reference_has_a_place_in_the_plan():
    assert {surface.name for surface in parameter_audit().surfaces} == set(found())


@pytest.mark.parametrize("surface", SURFACES)
def test_one_version_alone_misses_nothing_of_the_other(surface):
    there = {
        name: [FoundParameter(parameter) for parameter in parameters]
        for name, parameters in classes(surface).items()
    }
    assert set(classified(there).values()) == {
        Classification.EXPOSED,
        Classification.OWNED,
        Classification.EXCLUDED,
    }


def test_what_both_versions_have_is_missed():
    there = {
        name: [parameter for parameter in parameters if parameter.name != "max_batch_size"]
        for name, parameters in found().items()
    }
    assert classified(there)["tensorrt_llm.LLM", "max_batch_size"] is Classification.GONE


def llem_audit(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "llem", "audit", "trt", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_accepts_the_reference():
    done = llem_audit("--reference")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reference data" in done.stdout
    assert "unclassified" not in done.stdout


def test_a_parameter_added_to_the_reference_fails_the_command(tmp_path):
    package = tmp_path / "llem_trt"
    shutil.copytree(Path(llem_trt.__file__).parent, package)
    data = package / "reference" / "tensorrt_llm.json"
    content = json.loads(data.read_text())
    content["classes"]["tensorrt_llm.llmapi.KvCacheConfig"]["new_knob"] = {"type": "int"}
    data.write_text(json.dumps(content))
    done = llem_audit("--reference", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "new_knob" in done.stdout
    assert "1 unclassified" in done.stdout
