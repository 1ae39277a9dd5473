"""Outcome folders: whole or not at all, and never two of the same name."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.errors import OutputRefused, StorageError
from llem.results import read_phases, read_samples
from llem.results.folder import OutcomeFolder, write_json

DIGEST = "0123456789abcdef"


def folder(results):
    return OutcomeFolder.unused(results, label="simulated", digest=DIGEST)


def visible(results):
    return [path.name for path in results.iterdir() if not path.name.startswith(".")]


def test_nothing_is_visible_before_it_is_complete(tmp_path):
    pending = folder(tmp_path / "results")
    pending.log_path.write_text("log")
    assert visible(tmp_path / "results") == []
    path = pending.finish({"a": 1})
    assert visible(tmp_path / "results") == [path.name]
    assert json.loads((path / "outcome.json").read_text()) == {"a": 1}
    assert (path / "worker.log").read_text() == "log"
    assert path.name.endswith("-simulated-01234567")


def test_two_runs_in_one_second_get_two_folders(tmp_path):
    first, second = folder(tmp_path), folder(tmp_path)
    assert first.id != second.id
    assert first.finish({}) != second.finish({})


def test_runs_that_start_in_the_same_instant_get_folders_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: folder(tmp_path), range(200)))
        list(pool.map(lambda pending: pending.finish({}), folders))
    assert len({pending.id for pending in folders}) == len(visible(tmp_path)) == 200


def test_a_discarded_run_leaves_nothing(tmp_path):
    folder(tmp_path).discard()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(OutputRefused, match="File exists") as caught:
        folder(tmp_path / "results")
    assert "--out" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_refused():
    with pytest.raises(OutputRefused, match="cannot write results to /proc/llem"):
        OutcomeFolder(Path("/proc/llem"), "one")


def test_a_full_disk_leaves_nothing_behind(tmp_path, small_disk):
    pending = folder(tmp_path)
    with small_disk(), pytest.raises(StorageError, match="cannot write the outcome"):
        pending.finish({"text": "x" * 100_000})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_document(tmp_path, small_disk):
    path = tmp_path / "document.json"
    write_json(path, {"old": True})
    with small_disk(), pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        write_json(path, {"text": "x" * 100_000})
    assert json.loads(path.read_text()) == {"old": True}
    assert list(tmp_path.iterdir()) == [path]


def test_a_nan_never_reaches_the_disk(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "document.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_run_replaces_what_an_earlier_one_of_its_id_left(tmp_path):
    OutcomeFolder(tmp_path, "run").finish({"status": "interrupted"})
    killed = OutcomeFolder(tmp_path, "run")
    killed.log_path.write_text("half a log")
    path = OutcomeFolder(tmp_path, "run").finish({"status": "done"})
    assert json.loads((path / "outcome.json").read_text()) == {"status": "done"}
    assert [child.name for child in path.iterdir()] == ["outcome.json"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_outcome_that_cannot_be_written_leaves_the_earlier_one(tmp_path, small_disk):
    path = OutcomeFolder(tmp_path, "run").finish({"status": "interrupted"})
    with small_disk(), pytest.raises(StorageError):
        OutcomeFolder(tmp_path, "run").finish({"text": "x" * 100_000})
    assert json.loads((path / "outcome.json").read_text()) == {"status": "interrupted"}


def test_the_readings_are_stored_with_the_outcome(tmp_path):
    channel = Channel("cpu", "package", Quantity.POWER)
    series = Series(channel, Provenance.MEASURED, "rapl", times_s=[1.0, 2.0], values=[5.0, 6.0])
    path = folder(tmp_path).finish({}, series=[series])
    rows = list(read_samples(path))
    assert [(row["time_s"], row["power_w"]) for row in rows] == [("1.0", "5.0"), ("2.0", "6.0")]
    assert {row["meter"] for row in rows} == {"rapl"}


def test_phases_are_stored_and_one_that_never_was_is_not_there(tmp_path):
    spans = {"decode": ((2.0, 3.5), (4.1, 5.0)), "prefill": ((1.0, 2.0),), "mixed": ()}
    path = folder(tmp_path).finish({}, phases=spans)
    assert read_phases(path) == {"prefill": [(1.0, 2.0)], "decode": [(2.0, 3.5), (4.1, 5.0)]}
    with pytest.raises(FileNotFoundError):
        read_phases(folder(tmp_path).finish({}))
