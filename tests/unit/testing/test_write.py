"""The package that is written: complete, consistent, and never over something else."""

import ast
import tomllib
from pathlib import Path

import pytest
import yaml

import llem
from llem.errors import ConfigError, StorageError
from llem.testing.scaffold import Identity, package_files, write_package

DEMO = Identity("demo")


def test_a_package_is_complete(tmp_path):
    folder = write_package(DEMO, tmp_path)
    assert folder == tmp_path / "llem-demo"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {
        ".github/workflows/ci.yml",
        "README.md",
        "pyproject.toml",
        "src/llem_demo.py",
        "tests/test_contract.py",
        "tests/test_engine.py",
        "tests/test_plan.py",
    }


def test_its_entry_point_names_a_module_of_it():
    files = package_files(Identity("two_words"))
    project = tomllib.loads(files[Path("pyproject.toml")])["project"]
    assert project["name"] == "llem-two-words"
    assert project["dependencies"] == [f"llem-core>={llem.__version__}"]
    assert project["entry-points"]["llem.plugins.v1"] == {"two_words": "llem_two_words"}
    assert "class TwoWordsConfig(" in files[Path("src/llem_two_words.py")]


def test_every_file_is_what_its_name_says_and_leaves_nothing_open():
    for path, text in package_files(DEMO).items():
        if path.suffix == ".py":
            assert isinstance(ast.parse(text), ast.Module)
        if path.suffix == ".yml":
            assert yaml.safe_load(text)["jobs"]
            text = text.replace("${{ matrix.python }}", "")
        assert "$" not in text, path


def test_a_plugin_knows_nothing_of_core_but_the_contract():
    imported = set()
    for path, text in package_files(DEMO).items():
        if path.suffix == ".py" and path.parts[0] == "src":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and node.module.startswith("llem"):
                    imported.add(node.module)
    assert imported == {"llem.api"}


def test_the_smallest_example_is_what_is_written():
    example = Path(__file__).parents[3] / "examples/llem-minimal"
    written = package_files(Identity("minimal"))
    kept = {path for path in written if path.parts[0] != ".github"}
    assert {path: written[path] for path in kept} == {
        path: (example / path).read_text(encoding="utf-8") for path in kept
    }


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_what_is_there_already_stays_as_it_is(make, tmp_path):
    make(tmp_path / "llem-demo")
    with pytest.raises(ConfigError, match="exists already"):
        write_package(DEMO, tmp_path)
    assert list(tmp_path.rglob("*")) == [tmp_path / "llem-demo"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        write_package(DEMO, tmp_path / ("x" * 300))
