"""What the host process imports: never an engine, and no more than a command needs.

Each case runs in a fresh interpreter, because this one has imported too much already.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import llem
from llem.api import ENTRY_POINT_GROUP

ENGINES = ("torch", "transformers", "vllm", "tensorrt_llm")
ROOT = Path(__file__).parents[2]
PLUGINS = sorted(
    module
    for project in [ROOT / "core/pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]
    for module in tomllib.loads(project.read_text())["project"]["entry-points"][
        ENTRY_POINT_GROUP
    ].values()
)
LIST_MODULES = """
import json, sys
from llem.cli import main
sys.argv[0] = "llem"
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(json.dumps(sorted(sys.modules)))
"""


def _modules_after(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LIST_MODULES, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("capabilities",),
        ("capabilities", "--here"),
        ("params",),
        ("params", "--rules", "--backend", "pytorch"),
        ("check", "--backend", "pytorch"),
        ("check", "--backend", "vllm"),
        ("plugins",),
        ("schema",),
        ("doctor",),
        ("explain", "--backend", "pytorch"),
        ("run", "--dry-run", "--backend", "pytorch"),
    ],
    ids=" ".join,
)
def test_the_host_imports_no_engine(arguments: tuple[str, ...], tmp_path: Path) -> None:
    for engine in ENGINES:
        # Ends the process at once: an exception could be caught as a broken plugin's.
        (tmp_path / f"{engine}.py").write_text("import os; os._exit(97)\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("llem"), *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # 3: the engine is not installed here, which matters only to what would run it.
    assert done.returncode in ({0, 3} if arguments[0] in {"run", "doctor"} else {0}), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", PLUGINS)
def test_a_plugin_describes_itself_with_the_standard_library_alone(module: str) -> None:
    listing = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    foreign = {
        name.partition(".")[0]
        for name in json.loads(done.stdout)
        if name.partition(".")[0] not in sys.stdlib_module_names
    }
    # What interpreters and editable installs load by themselves starts with an underscore.
    foreign = {name for name in foreign if not name.startswith("_")}
    assert foreign <= {"llem", module.partition(".")[0], "pluggy"}


def test_help_loads_little() -> None:
    modules = _modules_after("--help")
    assert not modules & {"pydantic", "yaml", "rich", "numpy", "psutil", "tokenizers", "jinja2"}
    assert len(modules) < 250


def test_capabilities_loads_no_models_of_a_config() -> None:
    modules = _modules_after("capabilities")
    assert not modules & {"pydantic", "numpy", "tokenizers", "jinja2", "huggingface_hub"}
    assert len(modules) < 350


def _modules_of(statement: str) -> set[str]:
    listing = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", listing], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_but_its_version() -> None:
    loaded = _modules_of("import llem") - _modules_of("import importlib, typing, __future__")
    assert {name for name in loaded if not name.startswith("_")} == {"llem", "llem.version"}


def test_every_public_name_is_there_and_is_loaded_when_it_is_used() -> None:
    source = ast.parse(Path(llem.__file__).read_text())
    (guarded,) = (node for node in source.body if isinstance(node, ast.If))
    typed = {alias.name for node in ast.walk(guarded) if isinstance(node, ast.ImportFrom)
             for alias in node.names}  # fmt: skip
    assert set(llem.__all__) == typed | {"__version__"} == set(dir(llem))
    for name in llem.__all__:
        assert getattr(llem, name), name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = llem.no_such_name


def test_each_public_name_loads_its_own_part() -> None:
    assert not _modules_of("from llem import measure") & {"jinja2", "scipy.stats", "click"}
    assert "llem.report.comparison" not in _modules_of("from llem import measure")
    assert not _modules_of("from llem import load_results") & {"rich", "scipy", "psutil"}


def test_every_plugin_is_held_to_the_contract_alone(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [setting for setting in settings["contracts"] if setting["id"] == "plugins"]
    rooms = {f"llem.{room.name}" for room in (root / "core/src/llem").glob("[a-z]*/")}
    assert set(contract["forbidden_modules"]) == rooms - {"llem.api", "llem.schema"}
    assert set(contract["source_modules"]) == {
        package.name for package in root.glob("plugins/*/src/*") if package.is_dir()
    }
