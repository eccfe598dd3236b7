"""`beta_regression`: shares between 0 and 1, with columns for their mean and their precision. Imports families."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .domains import Parameter, Positive, UnitInterval
from .families import FAMILIES
from .formula_rows import Given
from .links import link_named
from .parts import Front, Parts
from .parts_result import PartsResult

__all__ = ["beta_regression"]


class Beta(Parts):
    """Two predictors: the link of the mean, and the logarithm of the precision φ; the variance is μ(1 - μ)/(1 + φ)."""

    title, family = "Beta regression", "beta"
    names = ("mean", "precision")
    answers: Mapping[str, Parameter] = {"mean": UnitInterval(), "precision": Positive()}

    def __init__(self, link: Any) -> None:
        self.link = link_named(link, FAMILIES["beta"].links, "beta")

    def key(self) -> tuple[Any, ...]:
        return (self.link.name,)

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        return FAMILIES["beta"].rows(d.y, eta[0], self.link, 1.0, precision=np.exp(eta[1]))

    def mean(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean share."""
        return self.link.inverse(eta[0])

    def precision(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The precision φ."""
        return np.exp(eta[1])

    def steps(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> tuple[np.ndarray, np.ndarray]:
        """The distribution function, twice: it has no steps."""
        F = FAMILIES["beta"].cdf(d.y, self.link.inverse(eta[0]), np.ones(1), 1.0, precision=np.exp(eta[1]))
        return F, F

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Shares."""
        return FAMILIES["beta"].draw(rng, self.link.inverse(eta[0]), np.ones(1), 1.0, precision=np.exp(eta[1]))


def beta_regression(
    formula: str,
    data: Any,
    precision: str = "~ 1",
    link: Any = "logit",
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Beta regression of shares, with columns for their mean and for their precision.

    Parameters
    ----------
    formula : str
        Of the mean, such as ``"share ~ x + C(g)"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    precision : str
        Of the logarithm of the precision, such as ``"~ x"``.
    link : {"logit", "probit", "cloglog", "loglog", "cauchit"}
        Of the mean.
    weights, offset : str or array_like, optional
        The name of a column, or a number for each row of the data; the offset is the mean's.
    weights_are : {"frequency", "variance", "sampling"}
    cluster : str, array_like, or a list of these, optional
    levels : dict of str to sequence, optional
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional

    Returns
    -------
    PartsResult
        `labels` are ``"mean:column"`` and ``"precision:column"``. ``predict(new, what)``: "mean", "precision".

    Notes
    -----
    Ferrari, S. L. P. and Cribari-Neto, F. (2004). Beta regression for modelling rates and proportions. Journal of
    Applied Statistics 31, 799-815.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [0.1, 0.2, 0.15, 0.4, 0.35, 0.6, 0.5, 0.8], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
    >>> r = bb.beta_regression("y ~ x", d, precision="~ x")
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'mean:Intercept': -2.089, 'mean:x': 0.433, 'precision:Intercept': 4.581, 'precision:x': -0.253}
    """
    model = Beta(link)
    front = Front(Given(data, weights, offset, None, cluster), [formula, precision], levels)
    y = front.numbers("a beta regression")
    front.refuse((y <= 0) | (y >= 1), "a beta response is a number strictly between 0 and 1")
    start = {0: np.asarray(model.link.forward(y)), 1: np.full(len(y), 1.0)}
    return front.fit(model, {"y": y}, start, weights_are, method, maxiter)
