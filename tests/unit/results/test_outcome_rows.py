"""Listing and exporting outcomes, thousands of them included."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import llem
from llem.errors import StorageError
from llem.results import Copies
from llem.results.outcome_rows import exported, list_outcomes


def store(folder, *, position=0, tokens_per_s=12.5, **changes):
    """Store an outcome as a run would leave it, as far as listings look at it."""
    document = {
        "schema_version": 3,
        "id": folder.name,
        "study": {"name": "s", "position": position, "points": [{"a.b": position}]},
        "status": "done",
        "verdict": {"valid": False, "reasons": [{"code": "x", "message": "X"}, {"code": "y"}]},
        "experiment": {"backend": "simulated", "model": {"id": "shape:tiny", "revision": None}},
        "throughput": {"output_tokens_per_s": tokens_per_s},
        "energy": {"j_per_output_token": None, "devices": [{"device": "cpu"}]},
        "environment": {"started_at": "2026-01-01", "devices": ["cpu"]},
        **changes,
    }
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def results(tmp_path):
    for number in range(3):
        store(tmp_path / "study" / f"run{2 - number}", position=number)
    store(tmp_path / "alone", study=None)
    return tmp_path


def ids(results):
    return [row.id for row in list_outcomes(results)]


def test_outcomes_are_listed_by_study_and_order(results):
    assert ids(results) == ["alone", "run2", "run1", "run0"]
    first = list_outcomes(results)[1]
    assert (first.study, first.settings, first.status) == ("s", {"a.b": 0}, "done")
    assert (first.output_tokens_per_s, first.j_per_output_token) == (12.5, None)


def test_a_listing_follows_every_change(results):
    list_outcomes(results)
    shutil.rmtree(results / "study/run1")
    shutil.rmtree(results / "alone")
    store(results / "alone", study=None, tokens_per_s=99.0)
    store(results / "new", study=None)
    assert ids(results) == ["alone", "new", "run2", "run0"]
    assert list_outcomes(results)[0].output_tokens_per_s == 99.0
    assert {path.name for path in results.iterdir()} == {"alone", "new", "study"}


def test_outcomes_of_older_versions_are_listed(tmp_path):
    old = {"study": {"study": "s", "position": 3, "points": [{"measurement.limits": {}}]}}
    store(tmp_path / "two", schema_version=2, **old)
    failure = {"code": "out-of-memory"}
    store(tmp_path / "one", schema_version=1, status="failed", failure=failure, study=None)
    first, two = list_outcomes(tmp_path)
    assert first.status == "out-of-memory"
    assert (two.study, two.position, two.settings) == ("s", 3, {"measurement.thresholds": {}})


def test_an_outcome_that_cannot_be_read_is_listed_as_such(results):
    (results / "alone/outcome.json").write_text("{")
    assert list_outcomes(results)[0].status == "unreadable"
    with pytest.raises(StorageError, match="alone"):
        llem.load_results(results)


def test_a_study_can_be_listed_by_itself(results):
    assert ids(results / "study") == ["run2", "run1", "run0"]
    assert ids(results / "study/run1") == ["run1"]


def test_ten_thousand_outcomes_list_in_three_seconds(tmp_path):
    kept = sorted((Path(__file__).parents[3] / "docs/measured").glob("**/outcome.json"))
    for number in range(10_000):
        folder = tmp_path / "study" / f"{number:05}"
        folder.mkdir(parents=True)
        (folder / "outcome.json").symlink_to(kept[number % len(kept)])
    start_s, copies = time.process_time(), Copies()
    listed = list_outcomes(tmp_path, copies)
    assert time.process_time() - start_s < 3
    assert len(listed) == len(kept)
    assert len(listed) + len(copies.folders) == 10_000
    assert {(row.status, row.valid) for row in listed} == {("done", True)}
    first = json.loads(kept[0].read_text())
    (row,) = [row for row in listed if row.folder == "study/00000"]
    assert row.output_tokens_per_s == first["throughput"]["output_tokens_per_s"]
    assert row.j_per_output_token == first["energy"]["j_per_output_token"]
    assert row.study == first["study"]["study"]


def test_records_are_flat_and_alike(results):
    records = llem.load_results(results)
    assert len({tuple(record) for record in records}) == 1
    last = records[-1]
    assert last["experiment.model.id"] == "shape:tiny"
    assert last["verdict.reasons"] == "x y"
    assert last["energy.j_per_output_token"] is None
    assert last["environment.devices"] == "cpu"
    assert last["study.position"] == 0
    assert Path(last["folder"]) == results / "study/run2"


def test_csv_and_json_hold_the_same_records(results):
    records = llem.load_results(results)
    assert json.loads(exported(records, "json")) == records
    rows = list(csv.DictReader(io.StringIO(exported(records, "csv").decode())))
    assert [row["id"] for row in rows] == [record["id"] for record in records]
    assert rows[0]["energy.j_per_output_token"] == ""


def test_nothing_can_be_exported_too(tmp_path):
    assert llem.load_results(tmp_path) == []
    assert json.loads(exported([], "json")) == []


def test_parquet_keeps_types_and_what_is_missing(results):
    parquet = pytest.importorskip("pyarrow.parquet")
    records = llem.load_results(results)
    records[0]["mixed"], records[1]["mixed"] = 1, "text"
    records = [{"mixed": None, **record} for record in records]
    table = parquet.read_table(io.BytesIO(exported(records, "parquet"))).to_pylist()
    assert [row["throughput.output_tokens_per_s"] for row in table] == [12.5] * 4
    assert table[0]["energy.j_per_output_token"] is None
    assert [row["mixed"] for row in table] == ["1", "text", None, None]


def test_parquet_without_its_library_says_what_to_install(results, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "pyarrow.py").write_text("raise ModuleNotFoundError('no', name='pyarrow')\n")
    done = subprocess.run(
        [sys.executable, "-m", "llem", "results", "export", results, "--format", "parquet"],
        env={**os.environ, "PYTHONPATH": str(blocked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'llem-core[analysis]'" in done.stderr


def test_importing_llem_result_importers_nothing_else():
    code = "import llem, sys; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
