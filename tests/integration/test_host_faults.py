"""Libraries and plugins that raise in the host: a failed outcome, and the study goes on."""

import json
import os
from pathlib import Path

import pytest

from .quick_experiments import QUICK

LIBRARY = """
class DatasetNotFoundError(Exception):
    pass

def load_dataset(path, *arguments, **options):
    if path == "broken":
        raise DatasetNotFoundError("no split of it can be read")
    return [{"text": "one"}, {"text": "two"}]
"""
MEASUREMENT = f"measurement: {json.dumps(QUICK['measurement'])}"
DATASET = f"""
backend: simulated
model: {{id: "shape:tiny"}}
workload: {{source: dataset, id: broken, requests: 2, output_tokens: 4}}
{MEASUREMENT}
"""
NO_ANSWERS = """
from llem_minimal import *
from llem_minimal import MinimalSession, hookimpl, llem_build_kwargs, llem_capabilities
from llem_minimal import RequestResult, llem_config_model

class Silent(MinimalSession):
    def _answer(self, request):
        real = super()._answer(request)
        return RequestResult(real.index, [], "length", real.submitted_s, real.finished_s, [])

@hookimpl
def llem_measurement():
    return Silent
"""
MINIMAL = Path(__file__).parents[2] / "examples" / "llem-minimal" / "src"
POINTS = """
[llem.plugins.v1]
minimal = silent
"""


@pytest.fixture
def site(tmp_path):
    """A folder of third-party modules; in a process with it on the path they can be imported."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_an_error_of_a_library_is_a_failed_outcome_with_its_traceback(llem, site):
    (site / "datasets.py").write_text(LIBRARY)
    (llem.folder / "exp.yaml").write_text(DATASET)
    done = llem("run", "exp.yaml", "--json", PYTHONPATH=str(site), check=4)
    outcome = json.loads(done.stdout)
    assert llem.stored() == [outcome]
    failure = outcome["failure"]
    assert (failure["code"], failure["phase"]) == ("host-error", "preflight")
    assert "DatasetNotFoundError: no split of it can be read" in failure["message"]
    assert failure["error_type"] == "datasets.DatasetNotFoundError"
    assert "in load_dataset" in failure["traceback"]
    assert outcome["verdict"]["valid"] is False
    assert "Traceback" not in done.stderr


def test_a_study_goes_on_after_an_error_in_the_host_and_resumes(llem, site):
    (site / "datasets.py").write_text(LIBRARY)
    (llem.folder / "study.yaml").write_text(f"{DATASET}sweep: {{workload.id: [broken, whole]}}\n")
    env = {"PYTHONPATH": str(site)}
    llem("run", "study.yaml", "--quiet", check=4, **env)
    states = [json.loads(path.read_text())["status"] for path in outcomes(llem)]
    assert sorted(states) == ["done", "failed"]
    (site / "datasets.py").write_text(LIBRARY.replace('"broken"', '"mended"'))
    llem("run", "study.yaml", "--quiet", "--resume", "--retry-failed", check=0, **env)
    assert [json.loads(path.read_text())["status"] for path in outcomes(llem)] == ["done"] * 2


def test_answers_that_allow_no_figures_are_a_failed_outcome(llem, site):
    (site / "silent.py").write_text(NO_ANSWERS)
    info = site / "llem_silent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llem-silent\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (llem.folder / "exp.yaml").write_text(
        "backend: minimal\nmodel: {id: 'shape:tiny'}\nworkload: {output_tokens: 4}\n" + MEASUREMENT
    )
    path = os.pathsep.join([str(site), str(MINIMAL)])
    done = llem("run", "exp.yaml", "--json", PYTHONPATH=path, check=4)
    outcome = json.loads(done.stdout)
    assert llem.stored() == [outcome]
    failure = outcome["failure"]
    assert (failure["code"], failure["phase"]) == ("host-error", "outcome")
    assert outcome["verdict"]["valid"] is False
    assert "Traceback" in failure["traceback"]
    assert "Traceback" not in done.stderr


def outcomes(llem) -> list[Path]:
    return [*llem.results.glob("study/*/outcome.json")]
