"""Tables of a fit: what they say, escaped HTML, LaTeX with balanced braces."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import bibun as bb
from bibun.models.summary import Summary

pytest.importorskip("formulaic")
HOSTILE = "<script>alert(1)</script> & \"q\" 'a' 50%_$x^2 #{~}\\n 体重"


def result():
    rng = np.random.default_rng(0)
    d = {"y": rng.poisson(2, 40).astype(float), HOSTILE: rng.normal(size=40), "w": np.arange(40.0) % 3 + 1}
    d[HOSTILE][3] = np.nan
    return bb.glm(f"y ~ `{HOSTILE}`", d, "poisson", weights="w", weights_are="sampling")


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        assert tag in ("div", "table", "thead", "tbody", "tr", "th", "td")
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


def test_html_is_the_same_table_and_escaped():
    table = result().summary()
    page = table._repr_html_()
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert "<script" not in page
    for text in (HOSTILE, *table.head, *table.notes, *(c for row in table.rows for c in row if c)):
        assert text in tags.text


def test_it_says_weights_covariance_and_what_was_left_out():
    said = str(result().summary())
    assert "sampling weights, sum 78 in 39 rows" in said
    assert "standard errors: sandwich" in said
    assert "1 of 40 rows is left out" in said
    assert "times n/(n-k) = " in str(result().with_cov("sandwich", ssc="full").summary())


def test_latex_is_escaped():
    text = result().summary().latex()
    bare = re.sub(r"\\[\\&%$#_{}]", "", text)
    assert bare.count("{") == bare.count("}")
    for c in "%#":
        assert c not in bare
    assert bare.count("$") % 2 == 0
    rows = [line for line in text.splitlines() if "&" in line and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {6}
    assert text.startswith(r"\begin{tabular}{lrrrrrr}")
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))


def test_minus_signs_are_none_in_names():
    text = Summary([], [["", "b"], ["a-b", "-1e-5"], ["[2mm]", "–"]], []).latex()
    assert r"a-b & $-$1e$-$5" in text
    assert "{[}2mm{]} & --" in text
