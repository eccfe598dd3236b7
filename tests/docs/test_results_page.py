"""The page on results: its pictures are what `docs/figures.py` draws (doctest runs its code)."""

import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("formulaic")

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"-?\d+\.?\d*")


@pytest.mark.parametrize("name", ["profile", "diagnostics"])
def test_the_picture_is_the_one_that_is_drawn(name, tmp_path):
    """To a tenth of a pixel: other versions of NumPy and SciPy round the last digit otherwise."""
    spec = importlib.util.spec_from_file_location("figures", DOCS / "figures.py")
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    getattr(figures, name)(tmp_path)
    drawn, kept = ((folder / f"{name}.svg").read_text(encoding="utf-8") for folder in (tmp_path, DOCS / "images"))
    ET.fromstring(kept)
    assert NUMBER.sub("#", drawn) == NUMBER.sub("#", kept)
    pairs = zip(NUMBER.findall(drawn), NUMBER.findall(kept), strict=True)
    assert max(abs(float(a) - float(b)) for a, b in pairs) < 0.15
