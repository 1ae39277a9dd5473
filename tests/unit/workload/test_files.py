"""Prompts from files: what each format holds, read by eye; and what a refusal says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from llem.errors import WorkloadError

from .colors import FILES, TEXTS, texts_in


def read(folder: Path, name: str, content: str | bytes, **values: object) -> list[str]:
    """Write a file and return the prompts that are read from it."""
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    return texts_in(folder, source="file", path=name, **values)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("p.txt", "one\ntwo\n", ["one", "two"]),
        ("p.txt", "one\n\n  \ntwo", ["one", "two"]),
        ("p.txt", "  one \ntwo\t\n", ["  one ", "two\t"]),
        ("p.txt", "one\r\ntwo\r\n", ["one", "two"]),
        ("p.txt", "one\rtwo", ["one", "two"]),
        ("p.txt", "\ufeffone\ntwo", ["one", "two"]),
        ("p.txt", "grün\n日本語\n", ["grün", "日本語"]),
        # A line separator of Unicode is text, as a shell's `wc -l` has it.
        ("p.txt", "one\u2028two\x0cthree\n", ["one\u2028two\x0cthree"]),
        ("p.TXT", "one", ["one"]),
        ("p.prompts", "one\ntwo", ["one", "two"]),
        ("prompts", "one\ntwo", ["one", "two"]),
        ("p.jsonl", '{"prompt": "one"}\n{"prompt": "two"}\n', ["one", "two"]),
        ("p.ndjson", '{"prompt": "one"}\n{"prompt": "two"}\n', ["one", "two"]),
        ("p.JSONL", '{"prompt": "one"}', ["one"]),
        ("p.jsonl", '"one"\n"two"\n', ["one", "two"]),
        (
            "p.jsonl",
            '"one"\n{"text": "two"}\n"three"\n{"text": "four"}',
            ["one", "two", "three", "four"],
        ),
        ("p.jsonl", '\n{"prompt": "one"}\n\n \n{"prompt": "two"}', ["one", "two"]),
        ("p.jsonl", '\ufeff{"prompt": "one"}\r\n{"prompt": "two"}\r\n', ["one", "two"]),
        ("p.jsonl", r'{"prompt": "two\nlines \u00fc"}', ["two\nlines ü"]),
        ("p.jsonl", '{"prompt": "x", "score": NaN}', ["x"]),
        ("p.json", '["one", "two"]', ["one", "two"]),
        ("p.json", '[\n {"prompt": "one"},\n {"prompt": "two"}\n]', ["one", "two"]),
        ("p.json", '\ufeff["one"]', ["one"]),
        ("p.csv", "prompt\none\ntwo\n", ["one", "two"]),
        ("p.csv", "id,prompt\n1,one\n2,two\n", ["one", "two"]),
        ("p.csv", "\ufeffprompt,id\r\none,1\r\ntwo,2\r\n", ["one", "two"]),
        ("p.csv", 'prompt\n"a, b"\n"say ""hi"""\n', ["a, b", 'say "hi"']),
        ("p.csv", 'prompt\n"two\nlines"\n"two\r\nlines"\n', ["two\nlines", "two\r\nlines"]),
        ("p.csv", "prompt\none\n\ntwo\n", ["one", "two"]),
        ("p.tsv", "id\tprompt\n1\tone, two\n2\tthree\n", ["one, two", "three"]),
        ("p.TSV", "prompt\none\n", ["one"]),
    ],
)
def test_formats(name: str, content: str, expected: list[str], tmp_path: Path) -> None:
    assert read(tmp_path, name, content) == expected


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_every_format_holds_the_same_prompts(name: str, folder: Path) -> None:
    assert texts_in(folder, source="file", path=name) == TEXTS


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("requests", [1, 3, 5])
def test_requests_takes_the_first_prompts(requests: int, name: str, folder: Path) -> None:
    assert texts_in(folder, source="file", path=name, requests=requests) == TEXTS[:requests]


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.jsonl", "p.json", "p.txt"])
def test_a_prompt_of_a_million_characters(name: str, tmp_path: Path) -> None:
    text = "word " * 200_000 + "end"
    content = {
        ".csv": f"prompt\n{text}\n",
        ".tsv": f"prompt\n{text}\n",
        ".jsonl": f'"{text}"\n',
        ".json": f'["{text}"]',
        ".txt": text,
    }
    assert read(tmp_path, name, content[Path(name).suffix]) == [text]


def test_a_file_is_read_no_further_than_needed(tmp_path: Path) -> None:
    content = '"one"\n"two"\nnot JSON\n'
    assert read(tmp_path, "p.jsonl", content, requests=2) == ["one", "two"]
    with pytest.raises(WorkloadError, match=r"p\.jsonl:3 is not JSON"):
        read(tmp_path, "p.jsonl", content)


RECORD = {
    "content": "c", "query": "q", "input": "in", "instruction": "is",
    "question": "qu", "text": "t", "prompt": "p", "title": "ti",
}  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (["content"], "c"),
        (["content", "query"], "q"),
        (["content", "query", "input"], "in"),
        (["content", "query", "input", "instruction"], "is"),
        (["content", "query", "input", "instruction", "question"], "qu"),
        (["content", "query", "input", "instruction", "question", "text"], "t"),
        (["content", "query", "input", "instruction", "question", "text", "prompt"], "p"),
    ],
)
def test_the_usual_columns_in_their_order(keys: list[str], found: str, tmp_path: Path) -> None:
    """Those after the first are empty: a row with two texts is refused."""
    record = {key: RECORD[key] if key == keys[-1] else "" for key in ["title", *keys]}
    assert read(tmp_path, "p.jsonl", json.dumps(record)) == [found]
    table = f"{','.join(record)}\n{','.join(record.values())}\n"
    assert read(tmp_path, "p.csv", table) == [found]


@pytest.mark.parametrize("key", RECORD)
def test_a_named_column_is_taken(key: str, tmp_path: Path) -> None:
    assert read(tmp_path, "p.jsonl", json.dumps(RECORD), column=key) == [RECORD[key]]
    table = f"{','.join(RECORD)}\n{','.join(RECORD.values())}\n"
    assert read(tmp_path, "p.csv", table, column=key) == [RECORD[key]]


@pytest.mark.parametrize(("value", "said"), [("3", "a number"), ('{"a": 1}', "an object")])
def test_a_usual_column_without_text_is_not_passed_over(
    value: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkloadError, match=f"row 1: column 'prompt' holds {said}, not text"):
        read(tmp_path, "p.jsonl", f'{{"prompt": {value}, "query": "q"}}')


def test_the_column_of_the_first_record_counts_for_all(tmp_path: Path) -> None:
    content = '{"text": "one"}\n{"prompt": "", "text": "two"}'
    assert read(tmp_path, "p.jsonl", content) == ["one", "two"]


@pytest.mark.parametrize("path", ["p.txt", "./p.txt", "../{folder}/p.txt", "{absolute}/p.txt"])
def test_a_relative_path_starts_from_the_config_file(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.txt").write_text("one")
    monkeypatch.chdir("/")
    named = path.format(folder=tmp_path.name, absolute=tmp_path)
    assert texts_in(tmp_path, source="file", path=named) == ["one"]


def test_a_path_may_start_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.txt").write_text("one")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert texts_in(Path("/"), source="file", path="~/p.txt") == ["one"]


@pytest.mark.parametrize(
    ("name", "content", "column", "message", "hint"),
    [
        ("p.txt", "", None, "p.txt holds no prompt", ""),
        ("p.txt", "\n \n", None, "p.txt holds no prompt", ""),
        ("p.jsonl", "", None, "p.jsonl holds no prompt", ""),
        ("p.json", "[]", None, "p.json holds no prompt", ""),
        ("p.csv", "", None, "p.csv holds no prompt", ""),
        ("p.csv", "prompt\n", None, "p.csv holds no prompt", ""),
        ("p.txt", b"caf\xe9", None, "p.txt is not UTF-8 text", ""),
        ("p.csv", b"prompt\ncaf\xe9", None, "p.csv is not UTF-8 text", ""),
        ("p.jsonl.gz", b'"one"', None, "p.jsonl.gz is not compressed", "without .gz"),
        ("p.jsonl.gz", gzip.compress(b'"one"')[:-9], None, "p.jsonl.gz is damaged", "again"),
        ("p.jsonl", '"one"\n{"prompt": }', None, "p.jsonl:2 is not JSON", ""),
        ("p.jsonl", '{"prompt":\n"one"', None, "p.jsonl:2 is not JSON", "array of objects"),
        ("p.json", '["one"', None, "p.json:1 is not JSON", "array of objects"),
        ("p.json", "3", None, "p.json holds a single value", "array of objects"),
        ("p.jsonl", '"one"\n["two"]', None, "row 2 holds a list, not text", ""),
        ("p.json", "[1.5]", None, "row 1 is neither a string nor an object", ""),
        ("p.jsonl", '{"a": "x", "b": 1}', None, "its columns are: a, b", "workload.column"),
        ("p.csv", "a,b\n1,2\n", None, "its columns are: a, b", "workload.column"),
        ("p.jsonl", '{"a": "x", "b": 1}', "b", "row 1: column 'b' holds a number, not text", ""),
        ("p.jsonl", '{"a": "x"}\n{"a": null}', "a", "row 2: column 'a' is empty", ""),
        (
            "p.jsonl",
            '{"a": "x"}\n{"b": "x"}',
            "a",
            "row 2 has no column 'a'",
            "Its columns are: b.",
        ),
        ("p.csv", "prompt\none, two\n", None, "row 1 has 2 cells", "between double quotes"),
        ("p.csv", 'prompt\n"one\ntwo\n', None, "is not a table", "quote missing"),
        ("p.csv", "prompt,prompt\none,two\n", None, "two columns 'prompt'", "Rename"),
        ("p.csv", "body,id\nx,1\n", "boddy", "row 1 has no column 'boddy'", "Did you mean 'body'"),
        ("p.csv", "id,prompt\n1,one\n2\n", None, "row 2: column 'prompt' is empty", ""),
    ],
)
def test_a_refusal_names_the_fault(
    name: str, content: str | bytes, column: str | None, message: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkloadError) as refused:
        read(tmp_path, name, content, column=column)
    assert str(tmp_path / name) in str(refused.value)
    assert message in str(refused.value)
    assert hint in refused.value.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"absent\.txt does not exist") as refused:
        texts_in(tmp_path, source="file", path="absent.txt")
    assert "relative to the config file" in refused.value.hint


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="Is a directory"):
        texts_in(tmp_path, source="file", path=".")


def test_too_few_prompts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"requests is 3, but .*p\.txt holds 2 prompts"):
        read(tmp_path, "p.txt", "one\ntwo\n", requests=3)
