"""The account of transformers' parameters is complete, and a gap in it is noticed."""

import inspect
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import llem_pytorch
from llem_pytorch.audit import AUDIT
from llem_pytorch.config.quantization import METHODS, Quantization

pytestmark = pytest.mark.engine

PACKAGE = Path(llem_pytorch.__file__).parent


def llem_audit(cwd, **variables):
    return subprocess.run(
        [sys.executable, "-m", "llem", "audit", "pytorch"],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_nothing_is_unclassified(tmp_path):
    done = llem_audit(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "unclassified" not in done.stdout


def test_without_one_exclusion_the_audit_fails_and_names_the_parameter(tmp_path):
    copy = shutil.copytree(PACKAGE, tmp_path / "copy" / "llem_pytorch")
    file = copy / "audit" / "loading.py"
    lines = file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"key_mapping"' not in line]
    assert len(kept) == len(lines) - 1
    file.write_text("".join(kept))
    done = llem_audit(tmp_path, PYTHONPATH=str(copy.parent))
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "unclassified " in line + " "][:1]
    assert "key_mapping" in done.stdout
    assert "key_mapping" in line


@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_the_fields_of_its_own_class_alone(method):
    import transformers

    (model,) = [
        argument
        for argument in get_args(get_args(Quantization)[0])
        if get_args(argument.model_fields["method"].annotation) == (method,)
    ]
    fields = set(model.model_fields) - {"method"}
    class_ = getattr(transformers, METHODS[method].rpartition(".")[2])
    parameters = set(inspect.signature(class_.__init__).parameters) - {"self", "kwargs"}
    (surface,) = [surface for surface in AUDIT.surfaces if surface.name == METHODS[method]]
    inside = {"group_size"} if method == "torchao" else set()
    owned = {"tokenizer"} if method == "gptq" else set()
    assert fields - inside == parameters - set(surface.excluded) - owned


IMPORT_EACH_FIRST = """
import importlib, os, sys, traceback
import torch, transformers  # once: each fork then imports a module of the plugin before all others
for name in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            importlib.import_module(name)
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    print(f"{name}={os.waitpid(pid, 0)[1]}", flush=True)
"""


def test_every_module_can_be_imported_first():
    names = [
        name
        for _, name, _ in pkgutil.walk_packages([str(PACKAGE)], "llem_pytorch.")
        if not name.endswith("__main__")
    ]
    command = [sys.executable, "-c", IMPORT_EACH_FIRST, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == [f"{name}=0" for name in names], done.stderr
    assert "llem_pytorch.runtime.session" in names
