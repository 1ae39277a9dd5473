"""The site is built of these pages, and a strict build fails for a link that leads nowhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="needs mkdocs-material")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A small documentation with the settings of this one."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "aside").mkdir()
    for name in ("mkdocs.yml", "docs/site_hooks.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "docs/index.md").write_text(
        "# Index\n\n[Aside](../aside/README.md#more)\n\n## First\n\n[Page](page.md), "
        "[folder](../aside)\n\n```\n[code](../aside/README.md)\n```\n"
    )
    (tmp_path / "docs/page.md").write_text("# Page\n\n## More\n")
    (tmp_path / "aside/README.md").write_text(
        "# Aside\n\n[back](../docs/page.md#more)\n\n## More\n"
    )
    return tmp_path


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", "site"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_pages_outside_become_a_part_of_the_site(copy: Path) -> None:
    done = build(copy)
    assert done.returncode == 0, done.stderr
    index = (copy / "site/index.html").read_text()
    assert 'href="project/aside/#more"' in index
    assert ", folder</p>" in index
    assert "[code](../aside/README.md)" in index
    assert 'href="../../page/#more"' in (copy / "site/project/aside/index.html").read_text()
    assert not list((copy / "site").rglob("*.py"))


@pytest.mark.parametrize(
    "link", ["gone.md", "page.md#gone", "../aside/gone.md", "../aside/README.md#gone"]
)
def test_a_link_that_leads_nowhere_fails(link: str, copy: Path) -> None:
    page = copy / "docs/page.md"
    page.write_text(f"{page.read_text()}\n[x]({link})\n")
    done = build(copy)
    assert done.returncode != 0
    assert "gone" in done.stderr
