"""NIST's linear problems, to the digits promised; the table is in the report when a test fails."""

import numpy as np
import pytest

from tests.units.estimators import nist_digits


@pytest.mark.parametrize("name", nist_digits.PROBLEMS)
def test_digits(name):
    least = nist_digits.LEAST.get(name, 9.0)
    assert min(nist_digits.row(name).values()) >= least, nist_digits.table()


def test_all_eleven_are_there():
    assert len(nist_digits.PROBLEMS) == 11
    assert len(nist_digits.table().splitlines()) == 12


def test_filip_is_solved_as_exactly_as_its_rounded_matrix_allows():
    mpmath = pytest.importorskip("mpmath")
    X, y = nist_digits.design("filip")
    with mpmath.workdps(60):
        A = mpmath.matrix(X.tolist())
        exact = mpmath.lu_solve(A.T * A, A.T * mpmath.matrix(y.tolist()))
        r = mpmath.matrix(y.tolist()) - A * exact
        s2 = (r.T * r)[0] / (len(y) - X.shape[1])
        inverse = (A.T * A) ** -1
        sd = [float(mpmath.sqrt(s2 * inverse[k, k])) for k in range(X.shape[1])]
    fit = nist_digits.fit("filip")
    np.testing.assert_allclose(fit.coef, [float(b) for b in exact], rtol=1e-13)
    np.testing.assert_allclose(fit.se(), sd, rtol=1e-13)
