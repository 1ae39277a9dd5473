"""Thirty plugins in one environment, three of them bad: the bad ones are named, the rest work."""

import json
import os
import subprocess
import sys

import pytest

from llem.testing.scaffold import Identity, package_files

COUNT = 30


def install(folder, name, distribution=None, change=lambda source: source):
    """Put a generated plugin where an installer would, with its module changed."""
    identity = Identity(name)
    distribution = distribution or identity.distribution
    for path, text in package_files(identity).items():
        if path.parts[0] == "src":
            place = folder.joinpath(*path.parts[1:])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(change(text))
    info = folder / f"{distribution.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[llem.plugins.v1]\n{name} = {identity.package}\n")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs `llem` where the plugins p00 to p29 are installed."""
    folder = tmp_path_factory.mktemp("site")
    changes = {
        "p03": lambda source: "import no_such_module_anywhere\n",
        "p07": lambda source: f"{source}\n\nimport time\n\ntime.sleep(1)\n",
    }
    for number in range(COUNT):
        name = f"p{number:02}"
        install(folder, name, change=changes.get(name, lambda source: source))
    install(folder, "p11", distribution="llem-rival")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "llem", *arguments],
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip

    return run


def test_the_bad_ones_are_named_and_the_others_are_well(run):
    done = run("plugins", "--json")
    rows = [
        row
        for row in json.loads(done.stdout)
        if row["name"][0] == "p" and row["name"][1:].isdigit()
    ]
    assert len(rows) == COUNT + 1
    (broken,) = [row for row in rows if row["status"] == "broken"]
    assert broken["name"] == "p03"
    assert "No module named 'no_such_module_anywhere'" in broken["message"]
    twins = [row for row in rows if row["status"] == "duplicate"]
    assert [(row["name"], row["distribution"]) for row in twins] == [
        ("p11", "llem-p11"), ("p11", "llem-rival"),
    ]  # fmt: skip
    assert all("llem-p11 and llem-rival" in row["message"] for row in twins)
    (slow,) = [row for row in rows if row["name"] == "p07"]
    assert (slow["status"], slow["message"].partition(":")[0]) == ("ok", "slow")
    well = [row for row in rows if row["status"] == "ok"]
    assert len(well) == COUNT - 2
    assert all(row["summary"].startswith("A toy") for row in well)


def test_the_listing_says_so_in_words(run):
    lines = run("plugins").stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith(("p03", "p07", "p11"))] == [
        "broken", "ok", "duplicate", "duplicate",
    ]  # fmt: skip
    assert any(line.startswith("p07") and "slow: took" in line for line in lines)


def test_capabilities_pass_over_the_bad_ones(run):
    done = run("capabilities", "--json")
    names = {backend["name"] for backend in json.loads(done.stdout)["backends"]}
    assert {"p00", "p07", "p29"} <= names
    assert not {"p03", "p11"} & names
    (line,) = done.stderr.splitlines()
    assert line.startswith("llem: plugin 'p03' cannot be imported")


def test_help_asks_none_of_them(run):
    assert run("--help").stderr == ""
