"""`censored` (Tobit) and `truncated`: normal regressions of what is seen between limits. Imports location_scale."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import special
from .domains import Parameter, Real, UnitInterval
from .formula_rows import Given
from .location_scale import LOG_DENSITY, LocationScale, known
from .parts import Front
from .parts_result import PartsResult

__all__ = ["censored", "truncated"]


class Limited(LocationScale):
    """A normal response between limits; the data hold `left` and `right`, which may be infinite."""

    def __init__(self) -> None:
        super().__init__("probit", "sigma")

    def latent(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean of the response without limits."""
        return eta[0]

    def between(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> tuple[Any, Any, Any, Any]:
        """The distribution function and the density at both limits, in widths."""
        out = []
        for limit, beyond in ((d.left, 0.0), (d.right, 1.0)):
            none = np.isinf(limit)
            z = np.where(none, 0.0, self.standard(np.where(none, 0.0, limit), eta, p))
            out += [np.where(none, beyond, special.ndtr(z)), np.where(none, 0.0, np.exp(LOG_DENSITY["probit"](z)))]
        return out[0], out[1], out[2], out[3]

    def seen(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The probability of a response between the limits."""
        below, _, above, _ = self.between(eta, p, d)
        return above - below


class Censored(Limited):
    """What is beyond a limit is seen as the limit."""

    title, family = "Censored normal regression (Tobit)", "censored-normal"
    answers: Mapping[str, Parameter] = {"mean": Real(), "latent": Real(), "seen": UnitInterval()}

    def mean(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean of what is seen, limits included."""
        F_left, f_left, F_right, f_right = self.between(eta, p, d)
        inside = eta[0] * (F_right - F_left) + self.width(p) * (f_left - f_right)
        left = np.where(np.isinf(d.left), 0.0, d.left) * F_left
        return left + inside + np.where(np.isinf(d.right), 0.0, d.right) * (1.0 - F_right)

    def steps(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> tuple[np.ndarray, np.ndarray]:
        """The distribution function below and at each response."""
        F = special.ndtr(self.standard(d.y, eta, p))
        return np.where(d.y <= d.left, 0.0, F), np.where(d.y >= d.right, 1.0, F)

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Responses."""
        return np.asarray(np.clip(rng.normal(eta[0], self.width(p)), d.left, d.right))


class Truncated(Limited):
    """What is beyond a limit is not seen at all."""

    title, family = "Truncated normal regression", "truncated-normal"
    answers: Mapping[str, Parameter] = {"mean": Real(), "latent": Real(), "seen": UnitInterval()}

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        return self.density(eta, p, d) - self.within(eta, p, d)

    def mean(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean of what is seen."""
        F_left, f_left, F_right, f_right = self.between(eta, p, d)
        return eta[0] + self.width(p) * (f_left - f_right) / (F_right - F_left)

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Responses between the limits."""
        below, _, above, _ = self.between(eta, p, d)
        return np.asarray(eta[0] + self.width(p) * special.ndtri(below + (above - below) * rng.random(len(eta[0]))))

    def steps(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> tuple[np.ndarray, np.ndarray]:
        """The distribution function of what is seen, twice: it has no steps."""
        below, _, above, _ = self.between(eta, p, d)
        F = (special.ndtr(self.standard(d.y, eta, p)) - below) / (above - below)
        return F, F


def censored(
    formula: str,
    data: Any,
    left: Any = 0.0,
    right: Any = None,
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Normal regression of a response that is seen as a limit where it is beyond: the Tobit model.

    Parameters
    ----------
    formula : str
        Such as ``"hours ~ wage + C(region)"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    left, right : float, str, array_like, or None
        The limits: a number, the name of a column, or a number for each row; None where there is none. A response at or
        beyond a limit is one of which no more is known.
    weights, offset : str or array_like, optional
        The name of a column, or a number for each row of the data.
    weights_are : {"frequency", "variance", "sampling"}
    cluster : str, array_like, or a list of these, optional
    levels : dict of str to sequence, optional
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional

    Returns
    -------
    PartsResult
        `labels` are the columns and "sigma". ``predict(new, what)``: "mean" (of what is seen, limits included),
        "latent" (of the response without limits), "seen" (the probability of being between them).

    Notes
    -----
    Tobin, J. (1958). Estimation of relationships for limited dependent variables. Econometrica 26, 24-36.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [0, 0, 0.4, 0, 1.1, 0.7, 2.2, 1.9], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
    >>> r = bb.censored("y ~ x", d, left=0)
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'Intercept': -1.001, 'x': 0.441, 'sigma': 0.468}
    """
    front, y, low, high = _limits(formula, data, left, right, Given(data, weights, offset, None, cluster), levels)
    w = np.ones(len(y)) if front.weights is None else front.weights
    inside = (y > low) & (y < high)
    if not inside[w > 0].any():
        raise ValueError(f"`{front.name}` is at a limit in every row: left={left!r}, right={right!r}")
    y = np.clip(y, low, high)
    rows = known(y, np.where(y >= high, high, -np.inf), np.where(y <= low, low, np.inf), inside)
    start = {0: y, "sigma": _spread(y, w)}
    return front.fit(
        Censored(), {**rows, "left": low, "right": high}, start, weights_are, method, maxiter, _beside(left, right)
    )


def truncated(
    formula: str,
    data: Any,
    left: Any = None,
    right: Any = None,
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Normal regression of a response that is not in the data at all where it is beyond a limit.

    Parameters
    ----------
    formula, data, weights, weights_are, offset, cluster, levels, method, maxiter
        As for `censored`.
    left, right : float, str, array_like, or None
        The limits: a number, the name of a column, or a number for each row; None where there is none.

    Returns
    -------
    PartsResult
        `labels` are the columns and "sigma". ``predict(new, what)``: "mean" (of what is in the data), "latent" (of the
        response without limits), "seen" (the probability of being between them).

    Raises
    ------
    ValueError
        If a response is beyond a limit.

    Notes
    -----
    Amemiya, T. (1973). Regression analysis when the dependent variable is truncated normal. Econometrica 41, 997-1016.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [0.3, 0.9, 0.4, 0.6, 1.1, 0.7, 2.2, 1.9], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
    >>> r = bb.truncated("y ~ x", d, left=0)
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'Intercept': -0.033, 'x': 0.273, 'sigma': 0.429}
    """
    front, y, low, high = _limits(formula, data, left, right, Given(data, weights, offset, None, cluster), levels)
    front.refuse((y < low) | (y > high), f"beyond a limit (left={left!r}, right={right!r}), where nothing is seen")
    w = np.ones(len(y)) if front.weights is None else front.weights
    rows = {**known(y, low, high, np.zeros(len(y), bool)), "left": low, "right": high}
    start = {0: y, "sigma": _spread(y, w)}
    return front.fit(Truncated(), rows, start, weights_are, method, maxiter, _beside(left, right))


def _limits(
    formula: str, data: Any, left: Any, right: Any, given: Given, levels: Mapping[str, Sequence[Any]] | None
) -> tuple[Front, np.ndarray, np.ndarray, np.ndarray]:
    """The formula, the response, and both limits of each row."""
    if left is None and right is None:
        raise ValueError("left=None and right=None: without a limit it is linear regression, glm(formula, data)")
    given.names += [n for n in (left, right) if isinstance(n, str)]
    front = Front(given, [formula], levels)
    y = front.numbers("a regression between limits")
    low = front.column("left", -np.inf if left is None else left)
    high = front.column("right", np.inf if right is None else right)
    bad = ~(low < high)
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"left is {low[k]:g} and right {high[k]:g} in row {front.rows[k]}: the lower limit comes first"
        )
    return front, y, low, high


def _spread(y: np.ndarray, w: np.ndarray) -> float:
    """The standard deviation, or 1 if there is none."""
    spread = float(np.sqrt(w @ (y - w @ y / w.sum()) ** 2 / w.sum()))
    return spread if spread > 0 else 1.0


def _beside(left: Any, right: Any) -> dict[str, Any]:
    return {"left": -np.inf if left is None else left, "right": np.inf if right is None else right}
