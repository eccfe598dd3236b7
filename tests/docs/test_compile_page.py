"""The page on compile: its picture is what `docs/figures.py` draws (doctest runs its code)."""

import importlib.util
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
