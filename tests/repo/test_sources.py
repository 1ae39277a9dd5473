"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

BROAD_EXCEPTS = (
    "api/meta_count.py",  # building a model of any class
    "registry/plugin_calls.py",  # importing a plugin
    "registry/plugin_calls.py",  # calling one of its hooks
    "process/worker.py",  # running an engine
    "run/preflight.py",  # reading prompts with libraries
    "run/run_experiment.py",  # driving a run
    "run/run_experiment.py",  # computing its figures
    "run/sampler.py",  # reading a meter
    "workload/chat_template.py",  # compiling a template
    "workload/chat_template.py",  # what an expression of it raises
    "workload/tokenizing.py",  # bare exceptions and panics of tokenizers
)
"""The only places of core where a failure of any kind is caught and not raised again."""


def _core(texts: dict[Path, str]) -> dict[Path, str]:
    sources = {path: text for path, text in texts.items() if path.is_relative_to("core/src/llem")}
    assert len(sources) > 50
    return sources


def test_core_contains_no_backends_name(root: Path, texts: dict[Path, str]) -> None:
    folders = [*(root / "plugins").iterdir(), *(root / "examples").glob("llem-*")]
    # "importers" is a word of the contract: the hook and the module are called so.
    names = [folder.name[len("llem_") :] for folder in folders if folder.name != "llem_importers"]
    assert {"pytorch", "vllm", "trt", "onnx"} <= set(names)
    # "llem_trt" and "trt2" name it too, so a word may be continued by "_" and digits.
    pattern = rf"(?i)(?<![a-z])({'|'.join(names)})(?![a-z])"
    assert _found(pattern, _core(texts)) == {}


def test_broad_excepts_stand_in_few_places(texts: dict[Path, str]) -> None:
    found = []
    for path, text in _core(texts).items():
        if path.suffix != ".py":
            continue
        handlers = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler)
        ]
        broad = [handler for handler in handlers if _is_broad(handler)]
        found += [str(path.relative_to("core/src/llem"))] * len(broad)
    assert sorted(found) == sorted(BROAD_EXCEPTS)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None:
        return False  # it cleans up and lets the failure go on
    if handler.type is None:
        return True
    names = [node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)]
    return not {"Exception", "BaseException"}.isdisjoint(names)


def test_files_are_short(texts: dict[Path, str]) -> None:
    lengths = {
        str(path): text.count("\n")
        for path, text in texts.items()
        # Generated tables and data are as long as what they list.
        if path.suffix in {".py", ".toml", ".md"} and not path.is_relative_to("docs/reference")
    }
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_folder_or_file_is_a_rag_bag(tree: tuple[Path, ...]) -> None:
    rag_bags = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
    found = [path for path in tree if rag_bags & set(re.split(r"[_.\-]", path.name.lower()))]
    assert found == []


def test_nothing_is_left_to_do(texts: dict[Path, str]) -> None:
    # An engine's own NotImplementedError may be named, where its message is explained.
    assert _found(r"TODO|FIXME|XXX|raise NotImplementedError|placeholder", texts) == {}


def test_no_path_or_host_of_somebodys_machine(texts: dict[Path, str]) -> None:
    folders = r"(?<![\w.}])/(home|root|Users|work|tmp/dev)/"
    assert _found(rf"{folders}|\bpypi\.org\b|pythonhosted", texts) == {}


def _found(pattern: str, texts: dict[Path, str]) -> dict[str, list[str]]:
    this_file = Path("tests/repo/test_sources.py")  # it has to name what it forbids
    hits = {
        str(path): [match.group() for match in re.finditer(pattern, text)]
        for path, text in texts.items()
        if path != this_file
    }
    return {path: found for path, found in hits.items() if found}


def test_every_package_is_typed_and_licensed(root: Path, texts: dict[Path, str]) -> None:
    for source in [root / "core/src/llem", *root.glob("plugins/*/src/*")]:
        assert (source / "py.typed").is_file(), source
        # A build sees its own folder only, and each wheel has to carry the licence.
        assert (source.parents[1] / "LICENSE").read_text() == texts[Path("LICENSE")], source
