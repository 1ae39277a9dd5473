"""Listing and exporting outcomes, thousands of them included."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import llem
from llem.errors import StorageError
from llem.results.export import exported
from llem.results.index import INDEX_FILE, summaries


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
    return [one.id for one in summaries(results)]


def test_outcomes_are_listed_by_study_and_order(results):
    assert ids(results) == ["alone", "run2", "run1", "run0"]
    first = summaries(results)[1]
    assert (first.study, first.settings, first.status) == ("s", {"a.b": 0}, "done")
    assert (first.output_tokens_per_s, first.j_per_output_token) == (12.5, None)


def test_the_index_is_used_and_follows_every_change(results):
    before = summaries(results)
    index = json.loads((results / INDEX_FILE).read_text())
    assert set(index["outcomes"]) == {"alone", "study/run0", "study/run1", "study/run2"}
    assert summaries(results) == before
    shutil.rmtree(results / "study/run1")
    shutil.rmtree(results / "alone")
    store(results / "alone", study=None, tokens_per_s=99.0)
    store(results / "new", study=None)
    assert ids(results) == ["alone", "new", "run2", "run0"]
    assert summaries(results)[0].output_tokens_per_s == 99.0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1, "outcomes": {"a": [1]}}'])
def test_a_damaged_or_missing_index_is_made_anew(results, content):
    before = summaries(results)
    (results / INDEX_FILE).write_text(content)
    assert summaries(results) == before
    (results / INDEX_FILE).unlink()
    assert summaries(results) == before


def test_an_outcome_that_cannot_be_read_is_listed_as_such(results):
    (results / "alone/outcome.json").write_text("{")
    assert summaries(results)[0].status == "unreadable"
    with pytest.raises(StorageError, match="alone"):
        llem.load_results(results)


def test_a_study_can_be_listed_by_itself(results):
    assert ids(results / "study") == ["run2", "run1", "run0"]
    assert ids(results / "study/run1") == ["run1"]


def test_listing_ten_thousand_outcomes_reads_none_of_them_twice(tmp_path):
    one = (store(tmp_path / "first") / "outcome.json").read_text()
    for number in range(10_000):
        folder = tmp_path / "study" / f"{number:05}"
        folder.mkdir(parents=True)
        (folder / "outcome.json").write_text(one)
    assert len(summaries(tmp_path)) == 10_001
    for path in tmp_path.glob("study/*/outcome.json"):
        status = path.stat()
        path.write_text("x" * status.st_size)  # nobody will notice, because nobody looks
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert {one.status for one in summaries(tmp_path)} == {"done"}


def test_records_are_flat_and_alike(results):
    records = llem.load_results(results)
    assert len({tuple(one) for one in records}) == 1
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
    assert [row["id"] for row in rows] == [one["id"] for one in records]
    assert rows[0]["energy.j_per_output_token"] == ""


def test_nothing_can_be_exported_too(tmp_path):
    assert llem.load_results(tmp_path) == []
    assert json.loads(exported([], "json")) == []


def test_parquet_keeps_types_and_what_is_missing(results):
    parquet = pytest.importorskip("pyarrow.parquet")
    records = llem.load_results(results)
    records[0]["mixed"], records[1]["mixed"] = 1, "text"
    records = [{"mixed": None, **one} for one in records]
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
