"""The demo's chart: one SVG for light and dark pages, axes that say what they show, and names that cannot break it."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bibun.report.chart import line_chart

IMAGES = Path(__file__).parents[3] / "docs" / "images"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(series, **axes):
    text = line_chart(series, "A & <B>", "x", "y", **axes)
    return text, ET.fromstring(text)


def test_every_colour_is_of_the_style_and_has_its_dark_counterpart():
    text, root = drawn({f"line {k}": ([0, 1], [k, -k]) for k in range(5)})
    assert not re.search(r'(fill|stroke)="#', text)
    style = root.find(f"{SVG}style").text
    used = {name for e in root.iter() for name in e.get("class", "").split() if name.startswith("series")}
    assert used == {"series0", "series1", "series2", "series3"}
    for name in used | {"card", "grid", "text"}:
        assert style.count(f" .{name}{{") == 2, name


def test_what_a_logarithmic_axis_cannot_show_is_left_out():
    _, root = drawn({"a": ([1, 10, 100, 1000], [1, 1e-3, 0.0, 1e-6])}, log_x=True, log_y=True)
    assert len(root.find(f"{SVG}polyline").get("points").split()) == 3
    words = {e.text for e in root.iter(f"{SVG}text")}
    assert {"1", "1000", "10⁻⁶", "A & <B>"} <= words and not any("-" in w for w in words)


def test_numbers_below_zero_have_a_true_minus():
    _, root = drawn({"a": ([0, 1], [-2, 2])})
    assert "−2" in {e.text for e in root.iter(f"{SVG}text")}


@pytest.mark.parametrize("path", sorted(IMAGES.rglob("*.svg")), ids=lambda p: p.stem)
def test_pictures_of_the_docs_follow_the_page(path):
    text = path.read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text or "matplotlib" in text.lower()
