"""Experiment files: what is read, where it stands, and what cannot be read."""

import json
from pathlib import Path

import pytest

from llem.config.source import MAX_BYTES, Source, read_file
from llem.errors import ConfigFileError, ConfigInvalid


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(content, name="exp.yaml"):
        path = tmp_path.joinpath(name).relative_to(tmp_path)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def refused(write):
    def refused(content, name="exp.yaml"):
        with pytest.raises(ConfigFileError) as caught:
            read_file(write(content, name))
        assert caught.value.exit_code == 2
        return caught.value

    return refused


def test_every_value_knows_its_line(write):
    source = read_file(write("model:\n  id: x\n  dtype: auto\nworkload: {requests: 3}\n"))
    assert source.data["workload"] == {"requests": 3}
    assert source.origin(("model", "dtype")) == "exp.yaml:3"
    assert source.origin(("workload", "requests")) == "exp.yaml:4"


def test_what_is_missing_stands_where_its_section_does(write):
    source = read_file(write("\nworkload:\n  source: file\n"))
    assert source.origin(("workload", "path")) == "exp.yaml:2"
    assert source.origin(("decoder", "top_p")) == ""


def test_a_byte_order_mark_is_no_content(write):
    assert read_file(write(b"\xef\xbb\xbfname: a")).data == {"name": "a"}


def test_json_with_tabs_and_pairs_of_escapes(write):
    document = {"name": "a", "workload": {"prompts": ["smile \U0001f600", "a/b"], "requests": 1e3}}
    text = json.dumps(document, indent="\t").replace("/", "\\/")
    source = read_file(write(text, "exp.json"))
    assert source.data == document
    assert source.origin(("workload", "prompts", 1)) == "exp.json:6"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: a\nname: b", "exp.yaml:2: the key name stands on line 1 already"),
        ("- a\n- b", "exp.yaml: the top level must be keys with values"),
        ("just words", "exp.yaml: the top level must be keys with values"),
        ("", "exp.yaml is empty"),
        ("# only a comment\n", "exp.yaml is empty"),
        (b"name: a\nnote: \xff\xfe", "exp.yaml:2: not UTF-8 text: invalid start byte"),
        ("name: a".encode("utf-16"), "exp.yaml is not UTF-8 text: it holds binary data"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "exp.yaml is not UTF-8 text: it holds binary data"),
    ],
)
def test_what_is_no_experiment_is_refused(refused, content, message):
    assert refused(content).message == message


def test_an_empty_file_is_told_what_one_looks_like(refused):
    assert "model: {id: shape:tiny}" in refused("").hint


def test_json_is_refused_in_the_words_of_json(refused):
    error = refused('{\n"name": "a",\n}', "exp.json")
    assert error.message.startswith("exp.json:3: not valid JSON: ")
    assert "exp.json:1: the key a" in refused('{"a": 1, "a": 2}', "exp.json").message
    assert "nested" in refused("[" * 100_000, "exp.json").message


def test_a_file_that_is_too_large_is_not_read(refused):
    error = refused(b"a: 1\n" + b"#" * MAX_BYTES)
    assert error.message == "exp.yaml is larger than 4,194,304 bytes"
    assert "workload.source: file" in error.hint


def test_a_file_without_an_end_is_not_read_to_it(tmp_path):
    link = tmp_path / "endless.yaml"
    link.symlink_to("/dev/zero")
    with pytest.raises(ConfigFileError, match="is larger than"):
        read_file(link)


def test_a_missing_file_a_folder_and_a_bad_name(tmp_path):
    with pytest.raises(ConfigFileError, match=r"no\.yaml does not exist"):
        read_file(tmp_path / "no.yaml")
    with pytest.raises(ConfigFileError, match="is a folder, not an experiment file"):
        read_file(tmp_path)
    with pytest.raises(ConfigFileError, match="cannot be read"):
        read_file(tmp_path / ("x" * 5000))
    with pytest.raises(ConfigFileError, match="cannot be read"):
        read_file(tmp_path / "a\0b")


def test_an_unreadable_file():
    # File modes do not stop root; the kernel does, at an address that is not mapped.
    with pytest.raises(ConfigFileError, match="/proc/self/mem cannot be read: "):
        read_file(Path("/proc/self/mem"))


def test_a_value_replaces_all_that_stood_there(write):
    source = read_file(
        write("workload:\n  output_tokens:\n    distribution: uniform\n    low: 1\n")
    )
    source.assign(("workload", "output_tokens"), 8, "--set")
    assert source.data == {"workload": {"output_tokens": 8}}
    assert source.origin(("workload", "output_tokens", "low")) == "--set"
    assert ("workload", "output_tokens", "low") not in source.origins


def test_a_section_made_by_an_option_comes_from_it():
    source = Source()
    source.assign(("workload", "source"), "file", "--set")
    assert source.origin(("workload", "path")) == "--set"
    assert source.origin(("model", "id")) == ""


def test_an_empty_section_takes_values(write):
    source = read_file(write("workload:\n"))
    source.assign(("workload", "requests"), 8, "--set")
    assert source.data == {"workload": {"requests": 8}}


def test_nothing_goes_into_a_value(write):
    source = read_file(write("workload:\n  output_tokens: 64\n"))
    with pytest.raises(ConfigInvalid) as caught:
        source.assign(("workload", "output_tokens", "low"), 3, "--set")
    assert str(caught.value) == (
        "--set: workload.output_tokens.low: workload.output_tokens (exp.yaml:2) is a value, "
        "not a section, so it has no low. "
        "Set the whole of it: --set workload.output_tokens={low: …}."
    )
