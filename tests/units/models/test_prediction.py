"""Predictions: their linear predictors, and what has no interval of new responses."""

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

D = {"y": [1, 0, 3, 2, 6, 8, 5, 11], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
NEW = {"x": [2.5, 8.0]}


def test_the_linear_predictor_of_a_prediction():
    r = bb.glm("y ~ x", D, family="poisson")
    mean, linear = r.predict(NEW), r.predict(NEW).linear
    X = np.column_stack([np.ones(2), NEW["x"]])
    np.testing.assert_allclose(linear.value, X @ r.coef)
    np.testing.assert_allclose(linear.se, np.sqrt(np.diag(X @ r.cov_params() @ X.T)))
    np.testing.assert_allclose(np.exp(linear.conf_int(0.9)), mean.conf_int(0.9))
    np.testing.assert_allclose(linear.linear.value, linear.value)
    with pytest.raises(NotDefined, match="scale of the mean"):
        linear.conf_int(interval="prediction")


def test_for_linear_regression_both_are_the_same():
    p = bb.glm("y ~ x", D).predict(NEW)
    np.testing.assert_allclose(p.linear.conf_int(), p.conf_int())
