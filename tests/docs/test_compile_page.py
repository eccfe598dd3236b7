"""The page on compile: its picture is what `docs/figures.py` draws, its links lead somewhere (doctest runs its code)."""

import importlib.util
import re
from pathlib import Path

import pytest

from bibun.compiler import machine

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.skipif(not machine.available(), reason="the picture says machine code")
def test_the_picture_is_the_one_that_is_drawn(tmp_path):
    spec = importlib.util.spec_from_file_location("figures", DOCS / "figures.py")
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    figures.plan(tmp_path)
    name = "compile.svg"
    assert (tmp_path / name).read_text(encoding="utf-8") == (DOCS / "images" / name).read_text(encoding="utf-8")


def test_its_links_lead_somewhere():
    text = (DOCS / "compile.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (DOCS / link).exists(), link
    assert "(compile.md)" in (DOCS / "README.md").read_text(encoding="utf-8")
    assert "(docs/compile.md)" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
