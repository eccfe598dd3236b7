"""Every page in Markdown: links lead to a file, anchors to a heading, paths in backticks to something that is there.

A page of docs is reached from docs/README.md. A new page is found by itself.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("src/**/*.md"))]
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
MADE = (".venv", "bibun-demo")
"""Folders that the Makefile and the demo make."""


def prose(page):
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """The names GitHub gives headings: small letters, hyphens for blanks, no other signs."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_in_backticks_are_there(page):
    folders = (ROOT, page.parent, ROOT / "src" / "bibun")
    for path in re.findall(r"`([\w./-]+/[\w./-]*)`", prose(page)):
        if not path.startswith(MADE):
            assert any((folder / path).exists() for folder in folders), path


def test_every_page_of_docs_is_in_its_index():
    links = set(re.findall(r"\]\(([^)\s]+)\)", prose(ROOT / "docs" / "README.md")))
    assert {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"} <= links
