"""Outcomes are found and read, those of older versions included."""

import json

import pytest

from llem.errors import StorageError
from llem.results import outcome_folders, read_document
from llem.results.read_outcomes import SCHEMA_VERSION


def store(folder, **document):
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text(json.dumps(document))
    return folder


def test_outcomes_are_found_one_and_two_folders_down(tmp_path):
    alone = store(tmp_path / "b-alone")
    in_study = store(tmp_path / "a-study" / "run")
    store(tmp_path / ".hidden.partial")
    (tmp_path / "a-study" / "journal.jsonl").write_text("")
    assert list(outcome_folders(tmp_path)) == [in_study, alone]
    assert list(outcome_folders(alone)) == [alone]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="there is no folder"):
        list(outcome_folders(tmp_path / "nowhere"))


def test_version_1_called_running_out_of_memory_a_failure(tmp_path):
    failure = {"code": "out-of-memory"}
    folder = store(tmp_path / "old", schema_version=1, status="failed", failure=failure)
    assert read_document(folder)["status"] == "out-of-memory"
    assert read_document(folder)["schema_version"] == SCHEMA_VERSION
    other = store(tmp_path / "other", schema_version=1, status="failed", failure={"code": "x"})
    assert read_document(other)["status"] == "failed"


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, "1", None])
def test_other_versions_are_refused(tmp_path, version):
    folder = store(tmp_path / "one", schema_version=version)
    with pytest.raises(StorageError, match="its schema version is"):
        read_document(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 2'])
def test_what_is_no_outcome_is_refused(tmp_path, text):
    folder = store(tmp_path / "one")
    (folder / "outcome.json").write_text(text)
    with pytest.raises(StorageError, match="is not a readable outcome"):
        read_document(folder)
