"""`llem audit` on a small plugin and a small engine, both really installed in a folder."""

import json
import sys

import pytest

ENGINE = """
def load(path, size=1, dtype=None, verbose=False{more}):
    return path
"""

PLUGIN = '''
from typing import Annotated

from llem.api.parameter_audit import ParameterAudit, Surface
from llem.api.capability import BackendInfo, EngineRequirement
from llem.schema.base import EngineArg, Param
from llem.schema.experiment import BackendConfig
from llem.api.hookspecs import hookimpl

class Section(BackendConfig):
    """What tiny takes."""
    size: Annotated[int | None, Param(maps_to=(EngineArg("load", "size"),))] = None
    """How big."""

@hookimpl
def llem_capabilities():
    return BackendInfo("tiny", "A tiny backend", engine=EngineRequirement("tiny-engine", "<2"))

@hookimpl
def llem_config_model():
    return Section

@hookimpl
def llem_parameter_audit():
    return ParameterAudit(
        surfaces=(
            Surface(
                "tiny_engine.load",
                at=("load",),
                owned={{"path": "llem names the model"}},
                excluded={{{excluded}}},
            ),
        ),
        introspect="tiny_introspect.read",
        shared={{("load", "dtype"): "model.dtype"}},
        reference="{reference}",
    )
'''

INTROSPECT = """
import inspect

from llem.api.parameter_audit import FoundParameter

def read():
    import tiny_engine
    signature = inspect.signature(tiny_engine.load)
    return {"tiny_engine.load": [FoundParameter(name) for name in signature.parameters]}

def reference():
    return {"tiny_engine.load": [FoundParameter(name) for name in ("path", "size", "dtype")]}
"""

VERBOSE = '"verbose": "prints and changes nothing"'


class Folder:
    """A folder of installed distributions, and `llem audit tiny` with it on the path."""

    def __init__(self, llem, folder):
        self.folder = folder
        self._llem = llem
        folder.mkdir()

    def install(self, distribution, version="1.0", entry_points="", **modules):
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(entry_points)
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(source)

    def plugin(self, excluded=VERBOSE, reference=""):
        self.install(
            "llem-tiny",
            entry_points="[llem.plugins.v1]\ntiny = tiny_plugin\n",
            tiny_plugin=PLUGIN.format(excluded=excluded, reference=reference),
            tiny_introspect=INTROSPECT,
        )

    def engine(self, more="", version="1.0"):
        self.install("tiny-engine", version, tiny_engine=ENGINE.format(more=more))

    def audit(self, *arguments, check):
        return self._llem("audit", "tiny", *arguments, check=check, PYTHONPATH=str(self.folder))


@pytest.fixture
def folder(llem, tmp_path):
    return Folder(llem, tmp_path / "site-packages")


def test_an_engine_that_is_accounted_for(folder):
    folder.plugin()
    folder.engine()
    done = folder.audit(check=0)
    assert "tiny: compared with tiny-engine 1.0, as installed" in done.stdout
    assert "4 parameters: 2 exposed, 1 owned, 1 excluded" in done.stdout


def test_an_exclusion_that_is_taken_away_is_missed(folder):
    folder.plugin(excluded="")
    folder.engine()
    done = folder.audit(check=1)
    assert "tiny_engine.load  verbose" in done.stdout
    assert "1 unclassified" in done.stdout
    assert "Give it a field that maps to it, or classify it" in done.stdout


def test_an_engine_that_gained_and_lost_parameters(folder):
    folder.plugin(excluded=f'{VERBOSE}, "turbo": "does nothing"')
    folder.engine(more=", turbos=1", version="3.0")
    report = json.loads(folder.audit("--json", check=1).stdout)
    rows = {row["name"]: (row["classification"], row["reason"]) for row in report["parameters"]}
    assert rows["turbos"] == ("unclassified", "")
    assert rows["turbo"] == ("gone", "classified as excluded; now turbos?")
    # It is read although the plugin does not support it yet, and says so.
    assert report["engine"]["message"] == "tiny-engine 3.0 is installed; <2 is supported"
    assert report["counts"]["unclassified"] == 1


def test_an_older_engine_may_lack_parameters(folder):
    folder.plugin(excluded=f'{VERBOSE}, "turbo": "does nothing"')
    folder.engine()
    assert "turbo" in folder.audit(check=1).stdout
    assert "1 gone" in folder.audit("--allow-gone", check=0).stdout


def test_the_whole_table_for_the_documentation(folder):
    folder.plugin()
    folder.engine()
    done = folder.audit("--markdown", "--python", sys.executable, check=0)
    assert "| tiny_engine.load | size |  | exposed | tiny.size |" in done.stdout
    assert "| tiny_engine.load | path |  | owned | llem names the model |" in done.stdout
    assert "4 parameters" in done.stderr


def test_without_an_engine_there_is_nothing_to_audit(folder):
    folder.plugin()
    done = folder.audit(check=3)
    assert "tiny-engine is not installed" in done.stderr
    assert "--python" in done.stderr


def test_without_an_engine_the_reference_stands_in(folder):
    folder.plugin(excluded="", reference="tiny_introspect.reference")
    done = folder.audit(check=0)
    assert "compared with reference data of tiny-engine" in done.stdout
    folder.engine()
    assert "verbose" in folder.audit(check=1).stdout
    assert "reference data" in folder.audit("--reference", check=0).stdout


def test_an_engine_that_cannot_be_read_is_a_failure(folder):
    folder.plugin()
    folder.install("tiny-engine", tiny_engine="raise OSError('no library')")
    assert "no library" in folder.audit(check=4).stderr


def test_a_backend_without_an_engine_has_nothing_to_account_for(llem):
    done = llem("audit", "simulated", check=3)
    assert "does not account for the parameters" in done.stderr
