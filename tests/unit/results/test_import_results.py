"""Storing the results of other tools: found out, marked, kept whole."""

import json
import os

import pytest
from click.testing import CliRunner

from llem.api.importers import ImportHints
from llem.cli import main
from llem.errors import ConfigError, PluginBroken
from llem.results import read_outcome
from llem.results.import_results import import_file
from llem.results.outcome_rows import list_outcomes

READER = """
from llem.api.hookspecs import hookimpl
from llem.api.importers import ImportedResult, ResultImporter
from llem.errors import ConfigError

@hookimpl
def llem_result_importers():
    return [
        ResultImporter("none", "nothing at all", __name__ + ".nothing"),
        ResultImporter("toy", "JSON of toybench", __name__ + ".read"),
    ]

def nothing(document, told):
    return None

def read(document, told):
    if isinstance(document, str):
        if not document.startswith("toy;"):
            return None
        document = {"toy": float(document.split()[1].split(";")[0])}
    if "toys" in document:
        return [read({"toy": toy}, told) for toy in document["toys"]]
    if "toy" not in document:
        return None
    if not document["toy"]:
        raise ConfigError("no time passed")
    figures = {"output_tokens_per_s": document["toy"]}
    if told.output_tokens:
        figures["duration_s"] = told.output_tokens / document["toy"]
    return ImportedResult("toybench run", "toy", "a/model", figures, tool_version="3",
                         settings={"toy": {"size": document.get("size")}})
"""

NOTHING = ImportHints()


@pytest.fixture
def load(environment, tmp_path):
    """Return a function that writes a file and imports it."""
    environment.install("llem-toy", {"reader": READER})

    def load(text, told=NOTHING, path=None, repeats=False, **options):
        if path is None:
            path = tmp_path / "old.json"
            path.write_text(text)
        stored = import_file(path, environment.registry(), tmp_path / "results", told, **options)
        return stored if repeats else [(item.outcome, item.folder) for item in stored]

    return load


def test_an_imported_outcome_says_that_it_is_and_is_not_valid(load):
    ((outcome, folder),) = load('{"toy": 12.5, "more": [1, 2]}')
    assert read_outcome(folder) == outcome
    assert outcome.imported.provenance == "imported"
    assert (outcome.imported.tool, outcome.imported.tool_version) == ("toybench run", "3")
    assert outcome.imported.metrics == {"output_tokens_per_s": 12.5}
    assert not outcome.verdict.valid
    assert [reason.code for reason in outcome.verdict.reasons] == ["imported"]


def test_nothing_passes_for_measured_by_llem(load):
    ((outcome, _),) = load('{"toy": 12.5}')
    measured = ("workload", "tokens", "throughput", "latency", "energy", "compute", "memory")
    assert [getattr(outcome, name) for name in measured] == [None] * len(measured)
    assert outcome.timing.repetitions == ()
    assert outcome.environment.logical_cores is None


def test_the_rest_is_kept_and_hashed(load):
    ((outcome, folder),) = load('{"toy": 12.5, "more": [1, 2]}')
    content = (folder / "imported.json").read_bytes()
    assert json.loads(content) == {"toy": 12.5, "more": [1, 2]}
    assert outcome.imported.file == "old.json"
    assert outcome.id.endswith(outcome.imported.file_sha256[:8])


def test_the_same_file_again_replaces_and_another_one_stands_beside(load, tmp_path):
    load('{"toy": 12.5}')
    load('{"toy": 12.5}')
    assert len(list((tmp_path / "results").iterdir())) == 1
    load('{"toy": 13.0}')
    assert len(list((tmp_path / "results").iterdir())) == 2


def test_what_is_told_reaches_the_reader(load):
    ((outcome, _),) = load('{"toy": 10.0}', ImportHints(output_tokens=50))
    assert outcome.imported.metrics["duration_s"] == 5.0


def test_a_file_that_was_appended_to_holds_several(load):
    found = load('{"toy": 1.0, "size": 1}\n{"toy": 2.0, "size": 2}\n')
    assert [outcome.imported.metrics["output_tokens_per_s"] for outcome, _ in found] == [1.0, 2.0]
    assert [outcome.experiment["toy"]["size"] for outcome, _ in found] == [1, 2]


def test_a_listing_shows_its_figures(load, tmp_path):
    load('{"toy": 12.5}')
    (listed,) = list_outcomes(tmp_path / "results")
    assert (listed.output_tokens_per_s, listed.j_per_output_token, listed.valid) == (
        12.5,
        None,
        False,
    )
    assert (listed.model, listed.backend) == ("a/model", "toy")


def test_an_unknown_file_stores_nothing_and_names_the_formats(load, tmp_path):
    with pytest.raises(ConfigError, match="has no known format") as caught:
        load('{"toy": 1.0} {"other": 1}')
    assert "document 2 of 2 has no known format" in caught.value.message
    assert "pip install llem-importers" in caught.value.hint
    assert "  toy: JSON of toybench" in caught.value.hint
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "it is empty"), ("{", "line 1 is no JSON"), ("\x00", "it is no text")],
)
def test_what_is_not_json_is_refused(load, text, message):
    with pytest.raises(ConfigError, match=message):
        load(text)


def test_a_format_can_be_named_and_must_exist(load):
    assert len(load('{"toy": 1.0}', format="toy")) == 1
    with pytest.raises(ConfigError, match="known format"):
        load('{"toy": 1.0}', format="none")
    with pytest.raises(ConfigError, match="there is no format 'x'"):
        load('{"toy": 1.0}', format="x")


def test_a_reader_that_fails_is_its_plugins_fault(load):
    with pytest.raises(PluginBroken, match="reader of 'toy' of plugin 'reader' failed: TypeError"):
        load("[7]")


def test_the_command_imports_the_files_of_real_tools(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.json").write_text(
        json.dumps({"avg_latency": 2.0, "latencies": [2.0, 2.0], "percentiles": {}})
    )
    result = CliRunner().invoke(
        main, ["results", "import", "old.json", "--requests", "8", "--output-tokens", "4"]
    )
    assert result.exit_code == 0, result.output
    assert "old.json: vllm bench latency: duration_s, requests_per_s" in result.output
    shown = CliRunner().invoke(
        main, ["results", "show", *map(str, (tmp_path / "results").iterdir())]
    )
    assert "output tokens per second" in shown.output
    assert "imported from vllm bench latency" in shown.output
    assert "verdict: not valid" in shown.output
    again = CliRunner().invoke(main, ["results", "import", "old.json", "--json"])
    (document,) = json.loads(again.output)
    assert document["imported"]["metrics"] == {"duration_s": 2.0}


READ = b'{"toy": 12.5, "more": [1, 2]}'


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + READ, READ.decode().encode("utf-16"), b"\n " + READ + b"\n\n"]
)
def test_how_a_file_is_encoded_makes_no_other_outcome(load, tmp_path, content):
    path = tmp_path / "marked.json"
    path.write_bytes(content)
    ((plain, _),) = load(READ.decode())
    ((marked, _),) = load(None, path=path)
    assert (marked.id, marked.imported.metrics) == (plain.id, plain.imported.metrics)


def test_numbers_that_are_none_become_null_and_are_told(load):
    ((outcome, folder),) = load('{"toy": 12.5, "more": [NaN, -Infinity, 1]}')
    assert json.loads((folder / "imported.json").read_text())["more"] == [None, None, 1]
    (warning,) = outcome.warnings
    assert warning.code == "imported-in-part"
    assert warning.message.startswith("-Infinity, NaN in 2 places; ")
    assert read_outcome(folder) == outcome


def test_a_figure_beyond_the_range_of_numbers_is_left_out(load):
    with pytest.raises(ConfigError, match="is of toy, and holds no figures"):
        load('{"toy": 1e999}')


def test_a_table_is_kept_as_text(load):
    ((outcome, folder),) = load("toy;size\n7;2\n")
    assert (folder / "imported.txt").read_text() == "toy;size\n7;2\n"
    assert outcome.imported.metrics == {"output_tokens_per_s": 7.0}


def test_each_result_of_one_document_has_an_outcome_of_its_own(load):
    found = load('{"toys": [1.0, 2.0]}')
    assert [outcome.imported.metrics["output_tokens_per_s"] for outcome, _ in found] == [1.0, 2.0]
    assert [outcome.id[-2:] for outcome, _ in found] == ["-1", "-2"]


def test_a_list_that_no_format_knows_is_read_item_by_item(load):
    assert len(load('[{"toy": 1.0}, {"toy": 2.0}]')) == 2
    with pytest.raises(ConfigError, match="item 2 of a list has no known format"):
        load('[{"toy": 1.0}, {"other": 2.0}]')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08\x00\x00", "it is no text"),
        (b'{"toy": 1.0} {"toy": ', "after 1 whole document, line 1 is no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"schema_version": 3, "verdict": {}}', "it is an outcome of llem"),
        (b"\xff\xfea", "it is no text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_message(load, tmp_path, content, message):
    path = tmp_path / "strange"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load(None, path=path)
    assert "toy: JSON of toybench" in caught.value.hint
    assert not (tmp_path / "results").exists()


def test_a_reader_refuses_data_that_are_its_own(load):
    with pytest.raises(ConfigError, match="it is of toy: no time passed") as caught:
        load('{"toy": 0}')
    assert "toy: JSON of toybench" in caught.value.hint


def test_folders_missing_files_and_pipes_are_refused(load, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path, "it cannot be read: Is a directory"),
        (tmp_path / "nowhere.json", "it cannot be read: No such file"),
        (tmp_path / "pipe", "it is empty"),  # no process writes into it
    ):
        with pytest.raises(ConfigError, match=message):
            load(None, path=path)


def test_an_earlier_import_of_the_same_figures_is_named(load, tmp_path):
    first, again, copy = (
        load('{"toy": 12.5}', repeats=True),
        load('{"toy": 12.5}', repeats=True),
        load('{"toy": 12.5, "name": "copy"}', repeats=True),
    )
    assert [item.known_as for item in first] == [None]
    assert [item.known_as for item in again] == [item.folder for item in first]
    assert [item.known_as for item in copy] == [item.folder for item in first]
    assert [item.known_as for item in load('{"toy": 13.0}', repeats=True)] == [None]
    appended = load('{"toy": 14.0}\n{"toy": 14.0}\n', repeats=True)
    assert [item.known_as for item in appended] == [None, appended[0].folder]


def test_a_bad_file_in_a_list_stops_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = {"avg_latency": 2.0, "latencies": [2.0, 2.0], "percentiles": {}}
    (tmp_path / "a.json").write_text(json.dumps(good))
    (tmp_path / "bad.json").write_text('{"foo": 1}')
    (tmp_path / "b.json").write_text(json.dumps(good | {"latencies": [4.0]}))
    files = ["a.json", "bad.json", "missing.json", "b.json"]
    result = CliRunner().invoke(main, ["results", "import", *files])
    assert result.exit_code == 2
    assert len(list((tmp_path / "results").iterdir())) == 2
    for line in (
        "a.json: vllm bench latency", "not imported: bad.json: it has no known format",
        "not imported: missing.json: it cannot be read", "b.json: vllm bench latency",
        "2 of 4 files were not imported", "vllm-bench: JSON of vllm bench serve",
    ):  # fmt: skip
        assert line in result.output
    again = CliRunner().invoke(main, ["results", "import", "a.json"])
    assert (again.exit_code, "imported before, and replaced" in again.output) == (0, True)


def test_the_formats_are_listed():
    listed = CliRunner().invoke(main, ["results", "import", "--list"])
    assert listed.exit_code == 0
    assert "codecarbon" in listed.output
    assert "emissions.csv of CodeCarbon" in listed.output
    assert CliRunner().invoke(main, ["results", "import"]).exit_code == 2
