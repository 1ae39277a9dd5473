"""Storing the results of other tools: found out, marked, kept whole."""

import json

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

@hookimpl
def llem_result_importers():
    return [
        ResultImporter("none", "nothing at all", __name__ + ".nothing"),
        ResultImporter("toy", "JSON of toybench", __name__ + ".read"),
    ]

def nothing(document, told):
    return None

def read(document, told):
    if "toy" not in document:
        return None
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

    def load(text, told=NOTHING, **options):
        path = tmp_path / "old.json"
        path.write_text(text)
        stored = import_file(path, environment.registry(), tmp_path / "results", told, **options)
        return [(item.outcome, item.folder) for item in stored]

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
