"""Rows of JSON documents in the shapes that programs write, and of other files."""

from __future__ import annotations

import bz2
import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

from llem.errors import WorkloadError
from llem.workload import prompt_files

from .colors import texts_in

ROWS = [{"prompt": "one", "id": 1}, {"prompt": "two", "id": 2}]

# What pandas writes of these rows, by the name of the orientation.
PANDAS: dict[str, Any] = {
    "records": ROWS,
    "columns": {"prompt": {"0": "one", "1": "two"}, "id": {"0": 1, "1": 2}},
    "index": {"0": ROWS[0], "1": ROWS[1]},
    "split": {"columns": ["prompt", "id"], "index": [0, 1], "data": [["one", 1], ["two", 2]]},
    "table": {
        "schema": {"fields": [{"name": "index", "type": "integer"}], "primaryKey": ["index"]},
        "data": [{"index": 0, **ROWS[0]}, {"index": 1, **ROWS[1]}],
    },
}
DOCUMENTS: dict[str, Any] = {
    **PANDAS,
    "list in an object": {"version": "1.0", "data": ROWS},
    "list of another name": {"meta": {"count": 2}, "entries": ROWS},
    "one of two lists": {"features": [{"name": "prompt"}], "rows": ROWS},
    "texts in an object": {"prompts": ["one", "two"]},
    "columns as lists": {"prompt": ["one", "two"], "id": [1, 2]},
    "the viewer of the Hub": {
        "features": [{"name": "prompt"}],
        "rows": [{"row_idx": number, "row": row} for number, row in enumerate(ROWS)],
    },
    "rows by name": {"first": ROWS[0], "second": ROWS[1]},
}


def read(folder: Path, name: str, content: str | bytes, **values: Any) -> list[Any]:
    """Write a file and return the prompts that are read from it."""
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    return texts_in(folder, source="file", path=name, **values)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("shape", DOCUMENTS)
def test_documents(shape: str, suffix: str, indent: int | None, tmp_path: Path) -> None:
    content = json.dumps(DOCUMENTS[shape], indent=indent)
    assert read(tmp_path, f"p{suffix}", content) == ["one", "two"]


@pytest.mark.parametrize("orient", PANDAS)
def test_documents_of_pandas_itself(orient: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    written = pandas.DataFrame(ROWS).to_json(orient=orient)
    assert read(tmp_path, "p.json", written) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.json", '{"prompt": "one"}\n{"prompt": "two"}\n'),
        ("p.json", '{\n "prompt": "one"\n}\n{\n "prompt": "two"\n}\n'),
        ("p.jsonl", '[{"prompt": "one"},\n {"prompt": "two"}]'),
        ("p.json.xz", lzma.compress(b'["one", "two"]')),
        ("p.csv.bz2", bz2.compress(b"prompt\none\ntwo\n")),
        ("p.txt", bz2.compress(b"one\ntwo\n")),
        ("p.csv", "prompt;id\none;1\ntwo;2\n"),
        ("p.csv", "prompt\tid\none\t1\ntwo\t2\n"),
        ("p.tsv", "prompt,id\none,1\ntwo,2\n"),
        ("p.csv", "sep=;\nprompt;id\none;1\ntwo;2\n"),
        ("p.csv", " id , Prompt \n1,one\n2,two\n"),
        ("p.csv", "prompt,id,\none,1,\ntwo,2,\n"),
        ("p.csv", '\n\n"prompt"\none\ntwo'),
    ],
)
def test_files_that_are_not_what_their_name_says(
    name: str, content: str | bytes, tmp_path: Path
) -> None:
    assert read(tmp_path, name, content) == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"prompt": "one", "stop": ["x"], "tools": [{"name": "y"}]}', ["one"]),
        ('{"question_id": 81, "turns": ["one", "two"]}', ["one"]),
        ('{"question": "one", "answers": [{"text": "x"}]}', ["one"]),
    ],
)
def test_a_single_row_is_no_list_of_rows(content: str, expected: list[str], tmp_path: Path) -> None:
    assert read(tmp_path, "p.jsonl", content) == expected


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        ("p.json", '{"train": [{"prompt": "x"}], "test": [{"prompt": "y"}]}', "train, test", "own"),
        ("p.json", "[" * 100_000, "nested too deeply", "array of objects"),
        ("p.json", "5", "holds a single value", "array of objects"),
        ("p.json", '{"schema": {}}', "p.json: row 1", "workload.column"),
        ("p.json", "[[1.5, 2]]", "row 1 holds a list, not text", ""),
        ("p.json", '[{"a": 1},\n {"a": 2},\n x]', "p.json:3 is not JSON", "array of objects"),
        ("p.json", f'{{"prompt": {"9" * 5000}}}', "", ""),
        ("p.txt", '{"prompt": "one"}\n{"prompt": "two"}\n', "holds JSON", ".jsonl"),
        ("p.txt", '[\n "one"\n]', "holds JSON", ".jsonl"),
        ("p.txt", "id,prompt\n1,one\n", "holds a table", ".csv"),
        ("p.txt", b"one\0two\0\0\0\0\0three", "not a text file", "llem reads JSON"),
        ("p.md", "# title\n", "end in .md are not read", "llem reads JSON"),
        ("p.xlsx", b"PK\x03\x04" + b"x" * 50, "an Office file", "Save the sheet as CSV"),
        ("p.zip", b"PK\x03\x04" + b"x" * 50, "a zip archive", "Unpack it"),
        ("p.parquet", b"not parquet", "p.parquet", ""),
        ("p.csv", "id,prompt\n1,one,two\n", "row 1 has 3 cells", "double quotes"),
        ("p.jsonl", '{"prompt": "a\\udc00"}', "row 1: character 2 is half", "emoji"),
    ],
)
def test_refusals(name: str, content: str | bytes, message: str, hint: str, tmp_path: Path) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(WorkloadError) as refused:
        read(tmp_path, name, content)
    assert message in refused.value.message
    assert name in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_encoding_is_named_and_read_when_set(encoding: str, tmp_path: Path) -> None:
    content = "prompt\none\ntwo é\n".encode(encoding)
    with pytest.raises(WorkloadError) as refused:
        read(tmp_path, "p.csv", content)
    assert f"workload.encoding: {encoding}," in refused.value.hint
    assert read(tmp_path, "p.csv", content, encoding=encoding) == ["one", "two é"]


def test_a_wrong_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="is not ascii text"):
        read(tmp_path, "p.txt", "é", encoding="ascii")


def test_the_line_of_a_wrong_byte_is_named(tmp_path: Path) -> None:
    content = b"one\n" * 40_000 + b"caf\xe9\n"
    with pytest.raises(WorkloadError, match="line 40001 holds the byte 0xe9"):
        read(tmp_path, "p.txt", content)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_has_no_end_is_refused(make: Any, tmp_path: Path) -> None:
    make(tmp_path / "p.txt")
    with pytest.raises(WorkloadError, match="is not a file but a device or a pipe"):
        texts_in(tmp_path, source="file", path="p.txt")


def test_limits_of_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkloadError, match="row 1: the prompt has 10,000,001 characters"):
        read(tmp_path, "p.txt", b"x" * 10_000_001)
    monkeypatch.setattr(prompt_files, "MOST_LINE", 1000)
    with pytest.raises(WorkloadError, match="line 2 has more than 1,000 characters"):
        read(tmp_path, "p.txt", b"one\n" + b"x" * 1001)
    assert read(tmp_path, "p.json", json.dumps(["one"] * 1000), requests=2) == ["one", "one"]
    monkeypatch.setattr(prompt_files, "MOST_BYTES", 2**20)
    with pytest.raises(WorkloadError, match="holds more than"):
        read(tmp_path, "p.txt.bz2", bz2.compress(b"one\n" * 2**19))


def test_zstandard(tmp_path: Path) -> None:
    frame = bytes.fromhex("28b52ffd2008410000") + b"one\ntwo\n"  # a raw block of 8 bytes
    try:
        import zstandard  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(WorkloadError) as refused:
            read(tmp_path, "p.txt.zst", frame)
        assert "pip install zstandard" in refused.value.hint
    else:
        assert read(tmp_path, "p.txt.zst", frame) == ["one", "two"]


@pytest.mark.parametrize("form", ["parquet", "feather", "arrow"])
def test_arrow(form: str, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({
        "messages": [[{"role": "user", "content": "one"}]],
        "max_tokens": [7],
    })  # fmt: skip
    path = tmp_path / f"p.{form}"
    if form == "parquet":
        arrow.parquet = pytest.importorskip("pyarrow.parquet")
        arrow.parquet.write_table(table, path)
    elif form == "feather":
        pytest.importorskip("pyarrow.feather").write_feather(table, path)
    else:
        with arrow.ipc.new_stream(path, table.schema) as writer:  # as `datasets` stores them
            writer.write_table(table)
    [content] = texts_in(tmp_path, source="file", path=path.name)
    assert content.messages == ({"role": "user", "content": "one"},)


def test_parquet_needs_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)  # as if it were not installed
    with pytest.raises(WorkloadError, match="needs the library pyarrow") as refused:
        read(tmp_path, "p.parquet", b"PAR1")
    assert "pip install pyarrow" in refused.value.hint
