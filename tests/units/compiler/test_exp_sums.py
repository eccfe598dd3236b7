"""Sums of exponentials by their short way: the rule's numbers, special values included."""

import numpy as np
import pytest

from bibun.compiler.exp_sums import QUICK
from bibun.rules.special_sums import log_sum, shares

RNG = np.random.default_rng(0)
TINY = np.array([[0.0, -60.0], [-1e-300, -800.0], [0.0, 0.0], [700.0, 710.0], [-1e308, 1e308]])
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308]


@pytest.mark.parametrize("axis", [0, 1, -1, None, (0, 1)])
@pytest.mark.parametrize(
    "x",
    [RNG.normal(size=(5, 7)), TINY, np.zeros((3, 4)), np.zeros((0, 3)), np.zeros((3, 0)), RNG.choice(ODD, (40, 3))],
    ids=["normal", "tiny", "equal", "none", "empty", "odd"],
)
@pytest.mark.parametrize("b", [1.0, 2.0])
def test_as_the_rule_has_it(x, axis, b):
    with np.errstate(all="ignore"):
        for keep in (False, True):
            got, expected = QUICK["log_sum"](x, b, axis, keep), log_sum(x, b, axis, keep)
            assert np.shape(got) == np.shape(expected)
            np.testing.assert_allclose(got, expected, 1e-15)
        np.testing.assert_allclose(QUICK["shares"](x, b, axis), shares(x, b, axis), 1e-15)


def test_numbers_and_single_precision_are_the_rules():
    assert QUICK["log_sum"](np.float64(3.0), 1.0, None, False) == 3.0
    assert QUICK["log_sum"](np.ones((2, 3), np.float32), 1.0, 0, False).dtype == np.float32
