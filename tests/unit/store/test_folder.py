"""Outcome folders: whole or not at all, and never two of the same name."""

import errno
import json
import os
from pathlib import Path

import pytest

from llem.api.errors import OutputRefused, StorageError
from llem.store.folder import OutcomeFolder, write_json

DIGEST = "0123456789abcdef"


def folder(results):
    return OutcomeFolder(results, label="simulated", digest=DIGEST)


def visible(results):
    return [path.name for path in results.iterdir() if not path.name.startswith(".")]


def test_nothing_is_visible_before_it_is_complete(tmp_path):
    one = folder(tmp_path / "results")
    one.log_path.write_text("log")
    assert visible(tmp_path / "results") == []
    path = one.finish({"a": 1})
    assert visible(tmp_path / "results") == [path.name]
    assert json.loads((path / "outcome.json").read_text()) == {"a": 1}
    assert (path / "worker.log").read_text() == "log"
    assert path.name.endswith("-simulated-01234567")


def test_two_runs_in_one_second_get_two_folders(tmp_path):
    first, second = folder(tmp_path), folder(tmp_path)
    assert first.id != second.id
    assert first.finish({}) != second.finish({})


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
        OutcomeFolder(Path("/proc/llem"), label="simulated", digest=DIGEST)


def test_a_full_disk_leaves_nothing_behind(tmp_path, small_disk):
    one = folder(tmp_path)
    with small_disk(), pytest.raises(StorageError, match="cannot write the outcome"):
        one.finish({"text": "x" * 100_000})
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
