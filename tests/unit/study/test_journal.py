"""The journal survives an incomplete last line, and no other damage."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.errors import StorageError
from llem.study.journal import Journal, read_journal
from llem.study.manifest import read_manifest


def events(folder):
    return [entry["event"] for entry in read_journal(folder)]


def test_entries_are_read_back_in_order(tmp_path):
    with Journal(tmp_path) as journal:
        journal.write("begun", folder="Ordner äöü")
        journal.write("ended")
    first, second = read_journal(tmp_path)
    assert (first["seq"], first["event"], first["folder"]) == (0, "begun", "Ordner äöü")
    assert (second["seq"], second["event"]) == (1, "ended")


def test_there_may_be_no_journal(tmp_path):
    assert list(read_journal(tmp_path)) == []


@given(st.integers(1, 200))
def test_a_journal_cut_anywhere_loses_the_cut_line_only(tmp_path_factory, bytes_cut):
    folder = tmp_path_factory.mktemp("study")
    with Journal(folder) as journal:
        for number in range(3):
            journal.write("run", number=number)
    path = folder / "journal.jsonl"
    content = path.read_bytes()
    kept = content[: max(0, len(content) - bytes_cut)]
    path.write_bytes(kept)
    whole = kept.count(b"\n")
    assert len(list(read_journal(folder))) == whole
    with Journal(folder) as journal:
        assert len(journal.entries) == whole + (kept[-1:] not in (b"\n", b""))
        journal.write("after")
    assert events(folder)[-1] == "after"
    assert [entry["seq"] for entry in read_journal(folder)] == list(range(len(events(folder))))


def test_a_repair_is_written_down(tmp_path):
    (tmp_path / "journal.jsonl").write_text('{"seq":0,"event":"begun"}\n{"seq":1,"ev')
    with Journal(tmp_path) as journal:
        assert journal.entries[-1]["event"] == "journal-repaired"
        assert journal.entries[-1]["lost_bytes"] == 12
    assert events(tmp_path) == ["begun", "journal-repaired"]


@pytest.mark.parametrize("line", ['{"seq":1,"ev', "[1]", '{"seq":7,"event":"x"}', "\x00\x00"])
def test_damage_before_the_last_line_is_not_mended(tmp_path, line):
    last = '{"seq":2,"event":"ended"}\n'
    (tmp_path / "journal.jsonl").write_text(f'{{"seq":0,"event":"begun"}}\n{line}\n{last}')
    with pytest.raises(StorageError, match=r"journal.jsonl:2: the journal is damaged"):
        Journal(tmp_path)


def test_the_order_does_not_come_from_the_clock(tmp_path):
    later = {"seq": 0, "at": "2999-01-01T00:00:00+00:00", "event": "begun"}
    (tmp_path / "journal.jsonl").write_text(json.dumps(later) + "\n")
    with Journal(tmp_path) as journal:
        journal.write("ended")
    assert events(tmp_path) == ["begun", "ended"]


def test_a_full_disk_is_an_error_and_the_next_start_mends_it(tmp_path, small_disk):
    journal = Journal(tmp_path)
    journal.write("begun")
    with small_disk(), pytest.raises(StorageError, match="cannot access the journal"):
        journal.write("too-long", text="x" * 10_000)
    with Journal(tmp_path) as journal:
        assert [entry["event"] for entry in journal.entries] == ["begun", "journal-repaired"]


def test_a_pipe_in_place_of_a_study_is_refused_and_waits_for_no_writer(tmp_path):
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(StorageError, match=r"cannot read the journal .*: it is no regular file"):
        read_journal(tmp_path)
    (tmp_path / "study.json").symlink_to("/dev/zero")
    with pytest.raises(StorageError, match="does not describe a study: it is no regular file"):
        read_manifest(tmp_path)
