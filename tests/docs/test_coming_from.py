"""The tables for those who come from elsewhere: everything in the middle column runs on the data of the page."""

import doctest
import re
from pathlib import Path

import pytest

pytest.importorskip("formulaic")
pytest.importorskip("sklearn")

PAGE = (Path(__file__).parents[2] / "docs" / "coming_from.md").read_text(encoding="utf-8")
CELL = re.compile(r"(?<!\\)\|")
ROWS = [[c.strip() for c in CELL.split(t)[1:-1]] for t in PAGE.splitlines() if t.startswith("| ") and "`" in t]


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """The names of the page."""
    made = {"path": str(tmp_path_factory.mktemp("saved") / "fit.json")}
    for example in doctest.DocTestParser().get_examples(PAGE):
        exec(example.source, made)
    return made


def test_every_row_has_three_cells_and_one_piece_of_code():
    assert len(ROWS) > 100
    assert [r for r in ROWS if len(r) != 3 or not re.fullmatch(r"`[^`]+`", r[1])] == []


@pytest.mark.parametrize("code", sorted({r[1].strip("`") for r in ROWS}))
def test_it_runs(code, space):
    value = eval(code, space)
    assert value is not None or "save" in code or "backward" in code or "check_grads" in code
    if hasattr(value, "converged"):
        assert value.converged
    assert str(value)
