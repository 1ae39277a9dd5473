"""Every run is carried out once, after crashes and interruptions too."""

import json
import shutil
from datetime import datetime

import pytest

from llem.errors import (
    ConfigError,
    EngineMissing,
    OutputRefused,
    StorageError,
    StudyBusy,
    StudyChanged,
)
from llem.study.journal import read_journal
from llem.study.lock import study_lock
from llem.study.study_state import study_states

from .conftest import PaperExecutor, Witness

THREE = "sweep: {simulated.batch_size: [1, 2, 3]}"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results" / "study"


@pytest.fixture
def paper(folder):
    """Return an executor, by what it is to do."""
    return lambda **behavior: PaperExecutor(folder, **behavior)


def batch(task):
    return task.loaded.experiment.simulated.batch_size


def status(**by_batch):
    """Return what says how a run ends, by its batch size."""
    return lambda task: by_batch.get(f"b{batch(task)}", "done")


def test_every_run_is_carried_out_once_in_order_and_told(begin, paper):
    executor, witness = paper(), Witness()
    summary = begin(THREE, executor=executor, witness=witness)
    assert [batch(task) for task in executor.tasks[:-1]] == [1, 2, 3]
    assert executor.tasks[-1] is None  # it was closed
    assert (summary.total, summary.left, dict(summary.states)) == (3, 0, {"done": 3})
    assert [(number, total) for number, total, _, _ in witness.begun] == [(1, 3), (2, 3), (3, 3)]
    assert [entry["event"] for entry in witness.entries] == [
        "study-begun", *["run-started", "run-finished"] * 3, "study-finished",
    ]  # fmt: skip
    assert witness.entries == list(read_journal(summary.folder))


def test_every_run_sees_the_time_when_the_study_was_begun_also_after_it_was_resumed(begin, paper):
    executor = paper(before=lambda task: raise_at(task, 2))
    with pytest.raises(StorageError):
        begin(THREE, executor=executor)
    later = paper()
    summary = begin(THREE, executor=later, resume=True)
    entry = read_journal(summary.folder)[0]
    begun_at = datetime.fromisoformat(entry["at"]).astimezone().replace(tzinfo=None, microsecond=0)
    tasks = [task for task in (*executor.tasks, *later.tasks) if task is not None]
    assert [batch(task) for task in tasks] == [1, 2, 3]
    assert {task.begun_at for task in tasks} == {begun_at}


def raise_at(task, size):
    if batch(task) == size:
        raise StorageError("full")


def test_the_order_of_repeats_is_stored(begin, folder):
    begin(f"study: {{repeats: 2, order: interleaved}}\n{THREE}")
    runs = json.loads((folder / "study.json").read_text())["runs"]
    positions = [
        json.loads((folder / run / "outcome.json").read_text())["study"]["position"] for run in runs
    ]
    assert positions == list(range(6))


def test_remarks_on_the_design_are_written_down_once(begin):
    text = f"study: {{repeats: 1, order: latin-square}}\n{THREE}"
    witness = Witness()
    begin(text, witness=witness)
    begin(text, witness=witness, resume=True)
    (entry,) = witness.events("design-remark")
    assert entry["remark"].endswith("is balanced after 6 repeats, not after 1")


def test_an_outcome_is_recorded_for_all_its_points(begin, folder):
    summary = begin("variants: [{}, {decoder: {seed: 3}}]")
    (run,) = folder.glob("[!.]*/outcome.json")
    assert json.loads(run.read_text())["study"]["points"] == [{}, {"decoder.seed": 3}]
    assert summary.total == 1


def test_a_study_is_not_begun_twice_by_accident(begin):
    begin(THREE)
    with pytest.raises(OutputRefused, match="was begun already"):
        begin(THREE)


def test_resuming_what_was_never_begun_begins_it(begin):
    assert begin(THREE, resume=True).states["done"] == 3


def test_resuming_what_is_finished_runs_nothing(begin, paper):
    begin(THREE)
    executor = paper()
    assert begin(THREE, executor=executor, resume=True).left == 0
    assert executor.runs == []


def test_an_interrupt_between_two_runs_loses_nothing(begin, paper):
    def interrupt(task):
        if batch(task) == 2:
            raise KeyboardInterrupt

    summary = begin(THREE, executor=paper(before=interrupt))
    assert (summary.interrupted, summary.left) == (True, 2)
    executor = paper()
    summary = begin(THREE, executor=executor, resume=True)
    assert [batch(task) for task in executor.tasks[:-1]] == [2, 3]
    assert summary.states["done"] == 3


def test_a_run_that_was_interrupted_is_run_again(begin, paper):
    summary = begin(THREE, executor=paper(status=status(b2="interrupted")))
    assert (summary.interrupted, dict(summary.states)) == (True, {"done": 1})
    executor = paper()
    begin(THREE, executor=executor, resume=True)
    assert [batch(task) for task in executor.tasks[:-1]] == [2, 3]


def test_an_outcome_that_the_journal_does_not_know_counts(begin, paper, folder):
    begin(THREE)
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(lines[:4]))
    executor, witness = paper(), Witness()
    begin(THREE, executor=executor, witness=witness, resume=True)
    assert executor.runs == []
    recovered = witness.events("run-finished")
    assert [entry["recovered"] for entry in recovered] == [True, True]


def test_an_outcome_deleted_by_hand_is_measured_again(begin, paper, folder):
    first = begin(THREE)
    runs = json.loads((first.folder / "study.json").read_text())["runs"]
    shutil.rmtree(folder / runs[1])
    executor, witness = paper(), Witness()
    begin(THREE, executor=executor, witness=witness, resume=True)
    assert executor.runs == [runs[1]]
    assert [entry["run"] for entry in witness.events("outcome-missing")] == [runs[1]]


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"status": "done"}'])
def test_a_damaged_outcome_is_measured_again(begin, paper, folder, damage):
    first = begin(THREE)
    runs = json.loads((first.folder / "study.json").read_text())["runs"]
    (folder / runs[1] / "outcome.json").write_text(damage)
    executor, witness = paper(), Witness()
    begin(THREE, executor=executor, witness=witness, resume=True)
    assert executor.runs == [runs[1]]
    assert [entry["run"] for entry in witness.events("outcome-damaged")] == [runs[1]]


def test_repeats_can_be_added_to_a_study(begin, paper):
    begin(THREE)
    executor = paper()
    summary = begin(
        f"study: {{repeats: 2}}\n{THREE}", executor=executor, resume=True, accept_drift=True
    )
    assert len(executor.runs) == 3
    assert all(run.endswith("-r2") for run in executor.runs)
    assert summary.states["done"] == 6


def test_a_complete_outcome_whose_folder_was_not_named_yet_counts(begin, paper, folder):
    begin(THREE)
    run = sorted(folder.glob("[!.]*/outcome.json"))[0].parent
    run.rename(folder / f".{run.name}.partial")
    (folder / ".other.partial").mkdir()
    executor = paper()
    begin(THREE, executor=executor, resume=True)
    assert executor.runs == []
    assert run.is_dir()
    assert not list(folder.glob(".*.partial"))


def test_failed_runs_stay_unless_they_are_to_be_retried(begin, paper):
    assert dict(begin(THREE, executor=paper(status=status(b2="failed"))).states) == {
        "done": 2, "failed": 1,
    }  # fmt: skip
    executor = paper()
    assert begin(THREE, executor=executor, resume=True).states["failed"] == 1
    assert executor.runs == []
    summary = begin(THREE, executor=executor, resume=True, retry_failed=True)
    assert [batch(task) for task in executor.tasks if task] == [2]
    assert summary.states["done"] == 3


@pytest.mark.parametrize("error", [ConfigError("not here"), EngineMissing("not here")])
def test_a_run_that_is_refused_where_it_runs_leaves_the_study_unfinished(begin, paper, error):
    def refuse(task):
        if batch(task) == 2:
            raise error

    witness = Witness()
    summary = begin(THREE, executor=paper(before=refuse), witness=witness)
    assert dict(summary.states) == {"done": 2, "refused": 1}
    assert (summary.left, summary.stopped) == (1, "refused")
    assert witness.events("run-finished")[1]["reason"] == "not here"
    (state,) = study_states(summary.folder.parent)
    assert (state.state, state.remark, state.states) == ("stopped", "refused runs: 1", {"done": 2})
    executor = paper()
    summary = begin(THREE, executor=executor, resume=True)
    assert [batch(task) for task in executor.tasks if task] == [2]
    assert (dict(summary.states), summary.left) == ({"done": 3}, 0)


def test_failures_in_a_row_pause_the_study_then_stop_it(begin, paper):
    pauses, witness = [], Witness()
    text = """
        study: {failures: {stop_after: 2, probe_after_s: 7}}
        sweep: {workload.seed: [1, 2, 3, 4]}
        """
    summary = begin(
        text, executor=paper(status=lambda task: "failed"), witness=witness, sleep=pauses.append
    )
    assert pauses.count(7) == 1
    assert (summary.states["failed"], summary.left) == (3, 1)
    assert "kept failing" in summary.stopped
    assert begin(text, executor=paper(), resume=True).states == {"failed": 3, "done": 1}


def test_a_probe_that_succeeds_lets_the_study_go_on(begin, paper):
    text = "study: {failures: {stop_after: 1}}\nsweep: {simulated.batch_size: [1, 2, 3, 4]}"
    summary = begin(text, executor=paper(status=status(b1="failed", b3="failed")))
    assert dict(summary.states) == {"failed": 2, "done": 2}


def test_points_beyond_one_that_ran_out_of_memory_are_pruned(begin, paper):
    text = """
        study: {failures: {prune: [simulated.batch_size]}}
        sweep: {workload.seed: [1, 2], simulated.batch_size: [1, 2, 4, 8]}
        """

    def memory(task):
        large = batch(task) >= 2 and task.loaded.experiment.workload.seed == 1
        return "out-of-memory" if large else "done"

    witness = Witness()
    summary = begin(text, executor=paper(status=memory), witness=witness)
    assert dict(summary.states) == {"done": 5, "out-of-memory": 1, "pruned": 2}
    pruned = [entry for entry in witness.events("run-finished") if entry["status"] == "pruned"]
    out_of_memory = witness.events("run-finished")[1]
    assert {entry["because_of"] for entry in pruned} == {out_of_memory["run"]}
    executor = paper()
    begin(text, executor=executor, resume=True)
    assert executor.runs == []


def test_pauses_are_made_between_runs_and_between_passes(begin):
    pauses = []
    text = "study: {repeats: 2, order: interleaved, gap_s: 3, block_gap_s: 9}\n" + THREE
    begin(text, sleep=pauses.append)
    assert pauses == [3, 3, 9, 3, 3]


def test_a_thermal_condition_is_waited_for_and_written_down(begin):
    readings = iter([80.0, 70.0, 60.0, 50.0, 50.0])
    witness = Witness()
    begin(
        f"study: {{thermal: {{below_celsius: 65}}}}\n{THREE}",
        witness=witness,
        temperature=lambda: next(readings),
    )
    started = witness.events("run-started")
    assert [(entry["cooled_s"], entry["celsius"]) for entry in started] == [
        (2.0, 60.0), (0.0, 50.0), (0.0, 50.0),
    ]  # fmt: skip


@pytest.mark.parametrize("changed", ["sweep: {simulated.batch_size: [1, 2]}", THREE + "\nname: x"])
def test_a_study_that_has_changed_is_refused_with_both_values(begin, changed):
    begin(THREE)
    with pytest.raises(StudyChanged, match=r"config \S+: was .*, now "):
        begin(changed, resume=True)


def test_another_version_is_refused_or_recorded(begin, folder):
    begin(THREE)
    manifest = json.loads((folder / "study.json").read_text())
    manifest["versions"] |= {"llem": "0.0.1", "torch": "1.0"}
    (folder / "study.json").write_text(json.dumps(manifest))
    with pytest.raises(StudyChanged) as caught:
        begin(THREE, resume=True)
    assert "version of llem: was '0.0.1', now '" in caught.value.message
    assert "version of torch: was '1.0', now absent" in caught.value.message
    assert "--accept-drift" in caught.value.hint
    witness = Witness()
    begin(THREE, witness=witness, resume=True, accept_drift=True)
    assert len(witness.events("drift-accepted")[0]["changes"]) == 2
    assert begin(THREE, resume=True).left == 0  # from now on this is the study


def test_a_study_that_grew_runs_what_is_new(begin, paper):
    begin(THREE)
    executor = paper()
    begin(
        "sweep: {simulated.batch_size: [3, 4]}",
        executor=executor, resume=True, accept_drift=True,
    )  # fmt: skip
    assert [batch(task) for task in executor.tasks[:-1]] == [4]


def test_a_folder_that_another_live_study_uses_is_refused(begin, folder):
    folder.mkdir(parents=True)
    with study_lock(folder), pytest.raises(StudyBusy):
        begin(THREE)


def test_the_folder_of_an_experiment_is_not_taken_for_a_studys(begin, folder):
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text("{}")
    with pytest.raises(OutputRefused, match="is the outcome of an experiment"):
        begin(THREE)


def test_a_disk_that_fills_up_loses_nothing_that_was_finished(begin, paper, small_disk, folder):
    text = "sweep: {simulated.batch_size: {from: 1, to: 40, num: 40}}"
    with small_disk(), pytest.raises(StorageError, match="File too large"):
        begin(text)
    done = len(list(folder.glob("[!.]*/outcome.json")))
    assert 1 <= done < 40
    executor = paper()
    summary = begin(text, executor=executor, resume=True)
    assert summary.states["done"] == 40
    assert len(executor.runs) == 40 - done


def test_secrets_stay_out_of_everything_that_is_stored(begin, folder):
    secret = "hf_" + "s3cret" * 6
    begin(f"sweep: {{runner.env.HF_TOKEN: [{secret}], simulated.batch_size: [1, 2]}}")
    stored = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "<redacted>" in stored
    assert secret not in stored
