"""A study whose engine lives in another environment notices what changes there."""

import json
import sys

import pytest

BASE = """
sweep: {simulated.batch_size: [1, 2]}
runner: {python: bin/python}
"""


@pytest.fixture
def environment(llem):
    """Write an interpreter that says it has this version of llem."""
    python = llem.folder / "bin" / "python"
    python.parent.mkdir()

    def write(version):
        start = f"import llem.version as v; v.__version__ = {version!r}"
        start += "; import llem.process.worker as m"
        # -P -m llem.process.worker, then its own arguments
        python.write_text(
            f"#!{sys.executable} -P\nimport sys; del sys.argv[1:4]; {start}; sys.exit(m.main())\n"
        )
        python.chmod(0o755)

    return write


def test_another_version_there_is_refused_with_both_values(llem, environment):
    (llem.folder / "study.yaml").write_text(BASE)
    environment("7.1")
    llem(*llem.run_arguments("study.yaml", "--quiet"), check=0)
    manifest = json.loads((llem.results / "study" / "study.json").read_text())
    assert manifest["versions"]["llem of bin/python"] == "7.1"
    environment("7.2")
    refused = llem(*llem.run_arguments("study.yaml", "--quiet", "--resume"), check=2)
    assert "version of llem of bin/python: was '7.1', now '7.2'" in refused.stderr


def test_one_that_does_not_start_is_known_by_its_runs(llem):
    (llem.folder / "study.yaml").write_text(BASE)
    python = llem.folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 9\n")
    python.chmod(0o755)
    done = llem(*llem.run_arguments("study.yaml", "--json"), check=4)
    assert json.loads(done.stdout)["states"] == {"failed": 2}
