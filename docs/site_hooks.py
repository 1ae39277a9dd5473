"""What mkdocs is told besides mkdocs.yml: the pages outside ``docs``, and the order of all pages.

On a code host a page may link to any file of the repository; a site has what is in ``docs`` alone.
So whatever its pages link to elsewhere becomes a part of the site, under ``project``, and the links
are changed accordingly. The order is that of ``docs/index.md``, which lists every page.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_DOCS = "docs/"
_OUTSIDE = "project/"
_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_FENCES = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> None:
    """Put the pages in order."""
    config.nav = _navigation()


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add what is linked to from within ``docs``, and from what that adds."""
    for path in sorted(_linked_outside()):
        files.append(File.generated(config, _uri(path), abs_src_path=str(ROOT / path)))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let a page's links lead where their targets are on the site."""
    here = page.file.src_uri
    source = _path(here)

    def changed(link: re.Match[str]) -> str:
        text, target, anchor = link.groups()
        path = _target(source, target)
        if (ROOT / path).is_dir():
            return text  # a folder is no page
        there = posixpath.relpath(_uri(path), posixpath.dirname(here))
        return f"[{text}]({there}{anchor or ''})"

    # Code is left alone: every other piece of the split is a fence with its content.
    pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        piece if piece.startswith("```") else _LINK.sub(changed, piece) for piece in pieces
    )


def _navigation() -> list[dict[str, Any]]:
    """Return the sections of the index, each with the pages that it links to."""
    first, *sections = re.split(r"^## ", (ROOT / "docs/index.md").read_text(), flags=re.MULTILINE)
    found: list[dict[str, Any]] = [{"Documentation": "index.md"}, *_entries(first)]
    for section in sections:
        title, _, text = section.partition("\n")
        found.append({title: _entries(text)})
    return found


def _entries(text: str) -> list[dict[str, Any]]:
    linked = [(title, _target("docs/index.md", link)) for title, link, _ in _LINK.findall(text)]
    return [{title: _uri(path)} for title, path in linked if not (ROOT / path).is_dir()]


def _linked_outside() -> set[str]:
    """Return the files outside ``docs`` that its pages reach by links."""
    found: set[str] = set()
    left = [page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")]
    while left:
        page = left.pop()
        for path in set(_targets(page)) - found:
            if not path.startswith(_DOCS) and (ROOT / path).is_file():
                found.add(path)
                left += [path] if path.endswith(".md") else []
    return found


def _targets(page: str) -> Iterator[str]:
    text = _FENCES.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for _, target, _ in _LINK.findall(text):
        yield _target(page, target)


def _target(page: str, link: str) -> str:
    """Return where a link of ``page`` leads, from the repository's root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _uri(path: str) -> str:
    """Return where a file of the repository is on the site."""
    return path.removeprefix(_DOCS) if path.startswith(_DOCS) else f"{_OUTSIDE}{path}"


def _path(uri: str) -> str:
    """Return which file of the repository is at ``uri``."""
    return uri.removeprefix(_OUTSIDE) if uri.startswith(_OUTSIDE) else f"{_DOCS}{uri}"
