"""Hypotheses as they are read: sides, chains, labels that are no names."""

import numpy as np
import pytest

from bibun.errors import NotDefined
from bibun.models.inference import constraints, read

LABELS = ["a", "b", "beta[x 1]", "C(g)[T.p<=q]"]


def test_statements():
    h = read("a = 2*b + 1, 3 >= a, a - b/2 <= 4, b", LABELS)
    np.testing.assert_array_equal(h.R, [[1, -2, 0, 0], [-1, 0, 0, 0], [-1, 0.5, 0, 0], [0, 1, 0, 0]])
    np.testing.assert_array_equal(h.r, [1, -3, -4, 0])
    assert h.equal.tolist() == [True, False, False, True]
    assert h.texts == ["a = 2* b + 1", "3 >= a", "a - b /2 <= 4", "b"]


def test_chains():
    h = read("0 <= a <= b = beta[x 1] <= 1", LABELS)
    assert h.texts == ["0 <= a", "a <= b", "b = beta[x 1]", "beta[x 1] <= 1"]
    assert h.equal.tolist() == [False, False, True, False]
    np.testing.assert_array_equal(h.R[1], [-1, 1, 0, 0])


def test_labels_that_hold_relations():
    h = read("`C(g)[T.p<=q]` <= 2, a >= C(g)[T.p<=q]", LABELS)
    assert h.texts == ["C(g)[T.p<=q] <= 2", "a >= C(g)[T.p<=q]"]
    np.testing.assert_array_equal(h.R, [[0, 0, 0, -1], [1, 0, 0, -1]])


def test_some_and_both():
    h = read("a = 1, b >= 2", LABELS)
    assert str(h[~h.equal]) == "b >= 2" and str(h[h.equal] & h) == "a = 1, a = 1, b >= 2"
    assert h[np.array([1])].r.tolist() == [2]


def test_matrices_are_of_equations():
    h = read(([[1.0, 0, 0, 0]], 2.0), LABELS)
    assert h.equal.all() and h.r.tolist() == [2.0]
    with pytest.raises(ValueError, match="for 4 parameters"):
        read(np.eye(3), LABELS)


def test_a_test_takes_equations():
    R, r, texts = constraints("a = b", LABELS)
    assert R.shape == (1, 4) and r.tolist() == [0] and texts == ["a = b"]
    with pytest.raises(NotDefined, match="'b >= 0' is an inequality"):
        constraints("a = 1, b >= 0", LABELS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a == 1", "it is no expression"),
        ("a != 1", "cannot read"),
        ("a < b", "cannot read 'a < b' in 'a < b': a bound may be reached"),
        ("c = 1", "there is no parameter 'c'; there are a, b"),
        ("a**2 <= 1", "not linear"),
        ("a <= a", "holds no parameter"),
        ("", "cannot read"),
    ],
)
def test_what_cannot_be_read(text, words):
    with pytest.raises(ValueError, match=words):
        read(text, LABELS)
