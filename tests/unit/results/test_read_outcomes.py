"""Outcomes are found and read, those of older versions included."""

import json
import os
from pathlib import Path

import pytest

from llem.errors import StorageError
from llem.results import outcome_folders, read_document, read_outcome
from llem.results.outcome_rows import list_outcomes
from llem.results.read_outcomes import MOST_BYTES, SCHEMA_VERSION, read_limited


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


VERSION_2 = {
    "schema_version": 2,
    "self_cost": {"cpu_s": 1.0, "cpu_ratio": 0.1},
    "study": {
        "study": "s", "run": "r", "points": [
            {"measurement.limits.accept": ["throttled"], "measurement.limits.max_gap_ratio": 0.1,
             "decoder.seed": 1},
        ],
    },
    "imported": {"figures": {"duration_s": 1.0}},
    "timing": {
        "spawn_s": 0.1, "ended_by": "precision", "precision_of": "duration",
        "precision_ratio": 0.01, "load_s": 2.0,
        "repetitions": [{"started_s": 3.0, "duration_s": 1.0}],
    },
    "energy": {
        "gross_j": 5.0, "devices": [{"id": "cpu", "domain": "package"}],
        "conditions": [{"device": "cpu", "looks": 7}],
    },
    "footprint": {"gross_j": 5.0},
    "experiment": {
        "backend": "b", "footprint": {"country": "DE"},
        "measurement": {"limits": {"accept": ["throttled"], "max_gap_ratio": 0.1}},
        "b": {"limits": 1, "id": 2},
    },
    "log_tail": "",
}  # fmt: skip

VERSION_3 = {
    "schema_version": 3,
    "overhead": {"cpu_s": 1.0, "cpu_ratio": 0.1},
    "study": {
        "name": "s", "run_id": "r", "points": [
            {"measurement.thresholds.allow": ["throttled"],
             "measurement.thresholds.max_gap_ratio": 0.1, "decoder.seed": 1},
        ],
    },
    "imported": {"metrics": {"duration_s": 1.0}},
    "timing": {
        "worker_start_s": 0.1, "stop_reason": "precision", "ci_metric": "duration",
        "ci_ratio": 0.01, "load_s": 2.0,
        "repetitions": [{"start_monotonic_s": 3.0, "duration_s": 1.0}],
    },
    "energy": {
        "gross_j": 5.0, "devices": [{"device": "cpu", "domain": "package"}],
        "conditions": [{"device": "cpu", "samples": 7}],
    },
    "experiment": {
        "backend": "b",
        "measurement": {"thresholds": {"allow": ["throttled"], "max_gap_ratio": 0.1}},
        "b": {"limits": 1, "id": 2},
    },
    "log_tail": "",
}  # fmt: skip


def test_version_3_renamed_keys_and_left_emissions_to_the_report(tmp_path):
    assert read_document(store(tmp_path / "old", **VERSION_2)) == VERSION_3
    assert read_document(store(tmp_path / "new", **VERSION_3)) == VERSION_3


def test_sections_that_an_old_outcome_lacks_stay_missing(tmp_path):
    parts = {"timing": None, "energy": None, "study": None, "imported": None, "log_tail": "x"}
    folder = store(tmp_path / "old", schema_version=2, **parts)
    assert read_document(folder) == {"schema_version": SCHEMA_VERSION, **parts}


def test_an_outcome_with_a_footprint_still_loads(tmp_path):
    kept = sorted((Path(__file__).parents[3] / "docs/measured").glob("**/outcome.json"))[0]
    old = json.loads(kept.read_text())
    assert old["schema_version"] == 2
    old["footprint"] = {"gross_j": 1.0, "pue_ratio": 1.2, "gross_co2e_g": 3.0}
    old["experiment"]["footprint"] = {"country": "DE", "pue_ratio": 1.2}
    outcome = read_outcome(store(tmp_path / "old", **old))
    assert outcome.energy.gross_j == old["energy"]["gross_j"]
    assert outcome.overhead.cpu_s == old["self_cost"]["cpu_s"]
    assert "footprint" not in outcome.experiment


def test_pipes_devices_and_huge_files_are_no_outcomes(tmp_path):
    for name in ("pipe", "device", "huge", "deep"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe" / "outcome.json")
    (tmp_path / "device" / "outcome.json").symlink_to("/dev/zero")
    with (tmp_path / "huge" / "outcome.json").open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # sparse: it takes no space
    (tmp_path / "deep" / "outcome.json").write_text("[" * 100_000)
    for name, message in (
        ("pipe", "it is no regular file"), ("device", "it is no regular file"),
        ("huge", "it is larger than 64 MiB"), ("deep", "nested too deeply"),
    ):  # fmt: skip
        with pytest.raises(StorageError, match=message):
            read_outcome(tmp_path / name)
    assert [(row.id, row.status) for row in list_outcomes(tmp_path)] == [
        ("deep", "unreadable"), ("huge", "unreadable"),
    ]  # fmt: skip


def test_a_device_is_read_up_to_the_limit():
    with pytest.raises(ValueError, match="larger than 0 MiB"):
        read_limited(Path("/dev/zero"), 1000, regular=False)
