"""Files in the layouts of published data sets: the prompts in each, or what its refusal says.

The files under ``files/`` are shortened, and their texts replaced; layout, names of columns,
encoding and compression are those of the originals.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer, models

from llem.api.session import ModelInfo
from llem.cli import main
from llem.errors import WorkloadError
from llem.workload.build_workload import build_workload
from llem.workload.prompt import Messages, RandomTokens, TokenIds
from llem.workload.prompt_sources import load_prompts, with_decoder

from .colors import workload

FILES = Path(__file__).parent / "files"
ALPACA = (
    "Was asked of the model or.",
    "Long it should think before.\n\nTwitter, Instagram, Telegram",
    "With something short a measured answer needs a.\n\nI am anxious.",
)
GERMAN = ("Wie hoch ist die \u201eRendite\u201c \u2013 in \u20ac?", "\u00dcber uns")
GUESS = "Guess what was asked of the model or how."


@pytest.fixture(scope="module", autouse=True)
def _in_the_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Copy the files into the current folder, with those that are not UTF-8 text."""
    folder = Path(shutil.copytree(FILES, tmp_path_factory.mktemp("workload") / "files"))
    plain = folder / "HumanEval.jsonl"
    (folder / "HumanEval.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    (folder / "win1252.txt").write_text("\n".join(GERMAN), encoding="windows-1252")
    (folder / "excel_utf16.csv").write_text((folder / "quotes.csv").read_text(), "utf-16")
    try:
        from pyarrow import parquet, table
    except ModuleNotFoundError:
        (folder / "real.parquet").write_bytes(b"PAR1")
    else:
        columns = {"prompt": ["hello world", "what is ai?"] * 5}
        parquet.write_table(table(columns), folder / "real.parquet")
    with contextlib.chdir(folder):
        yield


def load(name: str, **values: Any) -> tuple[list[Any], list[int | None], str]:
    """Return content and output length of each prompt, and the remarks."""
    loaded = load_prompts(workload(source="file", path=name, **values), Path())
    assert loaded is not None
    contents = [prompt.content for prompt in loaded.prompts]
    return contents, [prompt.output_tokens for prompt in loaded.prompts], "\n".join(loaded.remarks)


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    ("name", "first", "count"),
    [
        ("HumanEval.jsonl.gz", "And the same words every time so that no reader has", 2),
        ("caps.csv", "hello", 1),
        ("jsonl_named.json", "Janet\u2019s ducks lay 16 eggs per day. How much does she", 2),
        ("nan.jsonl", "x", 1),
        ("quotes.csv", 'He said "hi", twice', 3),
        ("real.parquet", "hello world", 10),
        ("semicolon.csv", "Bonjour, ça va?", 2),
    ],
)
def test_texts(name: str, first: str, count: int) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    contents, lengths, remarks = load(name)
    assert contents[0].startswith(first)
    assert lengths == [None] * count
    assert remarks == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alpaca.json", ["row 2", "'instruction' alone", "input", r"{instruction}\n\n{input}"]),
        ("array_named.jsonl", ["row 2", "input", r"{instruction}\n\n{input}"]),
        ("dict_data.json", ["row 2", "input", r"{instruction}\n\n{input}"]),
        ("dict_squad.json", ["row 1", "context", r"{context}\n\n{question}"]),
        ("dolly.jsonl", ["row 1", "context", r"{instruction}\n\n{context}"]),
        ("longbench.jsonl", ["row 1", "context", r"{context}\n\n{input}"]),
        ("null_prompt.jsonl", ["row 1", "column 'prompt' is empty"]),
        ("emptycell.csv", ["row 1", "column 'prompt' is empty"]),
        ("lone_surrogate.jsonl", ["row 1", "half of a character", r"\ud83d"]),
        ("excel_utf16.csv", ["UTF-16", "workload.encoding: utf-16"]),
        ("win1252.txt", ["line 1", "0x84", "workload.encoding: windows-1252"]),
        ("prompts.yaml", [".yaml are not read", "JSON (.json, .jsonl)"]),
    ],
)
def test_a_refusal_says_what_to_do(name: str, words: list[str]) -> None:
    with pytest.raises(WorkloadError) as refused:
        load(name)
    said = f"{refused.value.message} {refused.value.hint}"
    assert [word for word in [name, *words] if word not in said] == []


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("alpaca.json", {"template": "{instruction}\n\n{input}"}, ALPACA),
        ("alpaca.json", {"column": "instruction", "requests": 1}, (ALPACA[0],)),
        ("dict_squad.json", {"template": "{context}\n\n{question}"}, ("c\n\nq?",)),
        ("dict_squad.json", {"column": "question"}, ("q?",)),
        ("win1252.txt", {"encoding": "windows-1252"}, GERMAN),
        ("excel_utf16.csv", {"encoding": "utf-16"}, ('He said "hi", twice',)),
    ],
)
def test_a_setting_reads_what_was_refused(
    name: str, values: dict, expected: tuple[str, ...]
) -> None:
    assert load(name, **values)[0][: len(expected)] == list(expected)


def test_a_named_column_may_be_empty_in_no_row() -> None:
    with pytest.raises(WorkloadError, match="row 1: column 'input' is empty"):
        load("alpaca.json", column="input")


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "columns"),
    [
        ("AzureLLMInferenceTrace_conv.csv", [374, 396], [44, 109], ["ContextTokens", "TIMESTAMP"]),
        ("BurstGPT_1.csv", [472, 1087], [18, 230], ["Request tokens", "Timestamp"]),
        ("mooncake_trace.jsonl", [6758, 7319], [500, 490], ["input_length", "hash_ids"]),
    ],
)
def test_a_trace_is_lengths_and_no_text(
    name: str, inputs: list[int], outputs: list[int], columns: list[str]
) -> None:
    contents, lengths, remarks = load(name)
    assert contents == [RandomTokens(count) for count in inputs]
    assert lengths == outputs
    assert "random tokens" in remarks
    assert "not replayed" in remarks
    assert [column for column in columns if column not in remarks] == []


@pytest.mark.parametrize("column", ["ContextTokens", "contexttokens"])
def test_a_column_of_numbers_is_refused(column: str) -> None:
    with pytest.raises(WorkloadError, match="all prompts are numbers, such as 374") as refused:
        load("AzureLLMInferenceTrace_conv.csv", column=column)
    assert "needs no workload.column" in refused.value.hint


def test_rows_state_their_own_output_length() -> None:
    _, lengths, remarks = load("vllm_custom.jsonl")
    assert lengths == [5, 1520, 819]
    assert "3 of 3 prompts" in remarks
    _, lengths, remarks = load("vllm_custom.jsonl", row_lengths=False)
    assert lengths == [None] * 3
    assert remarks == ""


def test_token_ids() -> None:
    assert load("token_ids.jsonl")[0] == [TokenIds((5, 6, 7))]


def test_requests_of_the_openai_api() -> None:
    contents, lengths, remarks = load("openai_batch.jsonl")
    assert contents == [Messages((user("Hello world!"),))]
    assert lengths == [1000]
    assert "not those of the requests: model" in remarks
    contents, _, _ = load("openai_chat.jsonl")
    asked = user("Or how long it should.")
    assert contents == [Messages(({"role": "system", "content": GUESS}, asked))]
    assert load("chat_prompt.jsonl")[0] == [Messages((user("hi"),))]


def test_recorded_conversations() -> None:
    contents, _, remarks = load("sharegpt.json")
    first, second = (
        "Answer needs a clear question and the same words every.",
        "Of the model or how long it should think before.",
    )
    assert contents == [first, second]
    assert "1 of 3 rows hold no user turn and are left out" in remarks
    assert "1 later one is not" in remarks
    contents, _, remarks = load("sharegpt.json", turns="all")
    answer = assistant("Same words every time so.")
    last = user("Reader has to guess what was asked of the.")
    assert contents == [Messages((user(first), answer, last)), Messages((user(second),))]
    assert "later" not in remarks


def test_questions_of_several_turns() -> None:
    contents, _, remarks = load("mt_bench_question.jsonl")
    assert contents[1] == "Something short a measured answer needs a."
    assert "2 later ones are not" in remarks
    with pytest.raises(WorkloadError, match="row 1: turns holds 2 questions without the answers"):
        load("mt_bench_question.jsonl", turns="all")


def test_messages_of_a_tree_of_conversations() -> None:
    contents, _, remarks = load("oasst.jsonl")
    assert contents == ["Hello"]
    assert "1 of 2 rows are no message of a user and are left out" in remarks


ALL = sorted([*(path.name for path in FILES.iterdir()), "win1252.txt", "excel_utf16.csv"])
QUICK = {
    "workload.requests": "null",
    "measurement.min_duration_s": 0.02,
    "measurement.max_duration_s": 1,
    "measurement.sample_period_s": 0.01,
    "measurement.target_ci_ratio": 0.9,
    "measurement.warmup.stable_within_ratio": 1,
    "measurement.baseline.bare_s": 0,
    "measurement.baseline.loaded_s": 0,
    "measurement.baseline.after_s": 0,
}


def command(name: str, *arguments: str, **settings: Any) -> tuple[int, str, str]:
    """Call a command of llem on the simulated engine: exit code, output and messages."""
    pairs = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    done = CliRunner().invoke(main, [name, "--backend", "simulated", *arguments, *pairs])
    assert not isinstance(done.exception, Exception), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("name", ALL)
def test_check_and_run_say_the_same(name: str) -> None:
    name = "HumanEval.jsonl.gz" if name == "HumanEval.jsonl" else name
    settings = {"workload.source": "file", "workload.path": name}
    checked, _, said = command("check", **settings)
    ran, _, also_said = command("run", "--dry-run", **settings)
    assert checked in (0, 2)
    assert (checked, said) == (ran, also_said)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("vllm_custom.jsonl", [5, 1520, 819]),
        ("AzureLLMInferenceTrace_conv.csv", [44, 109]),
        ("openai_batch.jsonl", [1000]),
    ],
)
def test_each_request_gets_its_own_length(name: str, outputs: list[int]) -> None:
    settings = {
        "workload.source": "file",
        "workload.path": name,
        "simulated.decode_steps_per_s": 1e6,
        "simulated.prefill_tokens_per_s": 1e9,
    }
    code, stdout, _ = command("run", "--json", **settings, **QUICK)
    assert code == 0
    outcome = json.loads(stdout)
    assert outcome["tokens"]["output_tokens"] % sum(outputs) == 0
    assert outcome["workload"]["own_lengths"] == len(outputs)
    remarks = [warning["code"] for warning in outcome["warnings"]]
    assert "prompts-remark" in remarks
    [folder] = Path("results").glob(outcome["id"])
    with gzip.open(folder / "requests.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    assert [row["output_tokens"] for row in rows][: len(outputs)] == outputs
    code, stdout, _ = command(
        "run", "--json", **settings, **QUICK, **{"workload.row_lengths": "false"}
    )
    other = json.loads(stdout)
    assert other["workload"]["own_lengths"] == 0
    assert other["experiment_sha256"] != outcome["experiment_sha256"]
    assert other["workload"]["input_ids_sha256"] != outcome["workload"]["input_ids_sha256"]


def test_random_prompts_of_a_model_hold_no_added_token() -> None:
    """The hash of the run is that of prompts drawn from the ordinary ids alone."""
    library = Tokenizer(models.WordLevel({f"w{id}": id for id in range(100)}, "w0"))
    library.add_special_tokens(["w3", "w4", "<image>"])
    Path("model").mkdir()
    library.save("model/tokenizer.json")
    Path("model/config.json").write_text('{"model_type": "llama"}')
    settings = {"workload.requests": 3, "workload.input_tokens": 200, "workload.output_tokens": 2}
    code, stdout, _ = command("run", "--json", "--model", "model", **QUICK | settings)
    assert code == 0
    info = ModelInfo(**json.loads(stdout)["model"])
    ordinary = [id for id in range(100) if id not in (3, 4)]
    by_vocabulary = {
        name: build_workload(
            workload(requests=3, input_tokens=200, output_tokens=2),
            max_new_tokens=None,
            model=info,
            prompts=None,
            encoded=None,
            vocabulary=vocabulary,
        ).input_ids_sha256
        for name, vocabulary in {"ordinary": ordinary, "all": None}.items()
    }
    found = json.loads(stdout)["workload"]["input_ids_sha256"]
    assert found == by_vocabulary["ordinary"] != by_vocabulary["all"]


def test_a_trace_asks_for_exact_lengths() -> None:
    settings = {"workload.source": "file", "workload.path": "mooncake_trace.jsonl"}
    _, _, said = command("check", **settings)
    assert "decoder.ignore_eos: true makes the lengths exact" in said
    _, _, said = command("check", **settings, **{"decoder.ignore_eos": "true"})
    assert "makes the lengths exact" not in said


def test_a_row_below_the_least_output_is_refused() -> None:
    section = workload(source="file", path="vllm_custom.jsonl")
    found = load_prompts(section, Path())
    assert found is not None
    assert with_decoder(found, min_new_tokens=5, ignore_eos=False) == found
    with pytest.raises(WorkloadError, match="row 1: its output of 5 tokens is below"):
        with_decoder(found, min_new_tokens=6, ignore_eos=True)
