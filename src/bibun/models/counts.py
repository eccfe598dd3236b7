"""`zero_inflated` and `hurdle`: counts with more zeros, or fewer, than their distribution. Imports families, parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import special
from .domains import Parameter, Positive, UnitInterval
from .families import FAMILIES
from .formula_rows import Given
from .links import _log_complement
from .parts import Front, Parts
from .parts_result import PartsResult

__all__ = ["hurdle", "zero_inflated"]


class Counts(Parts):
    """Two predictors: the logarithm of the mean of the counts, and the log odds of what the zeros come from."""

    names = ("count", "zero")

    def __init__(self, family: str) -> None:
        self.counts = FAMILIES[family]

    def more(self) -> dict[str, Parameter]:
        return self.counts.more()

    def key(self) -> tuple[Any, ...]:
        return (self.counts.name,)

    def of(self, y: Any, eta: Any, p: Mapping[str, Any]) -> Any:
        """The logarithm of the probability of a count, without regard to the zeros; to the last digit as θ → ∞."""
        if "theta" not in p:
            return y * eta - np.exp(eta) - special.gammaln(y + 1.0)
        theta, some = p["theta"], np.maximum(y, 1.0)
        away = eta - np.log(theta)
        ways = np.where(y > 0, -np.log(some) - special.betaln(some, theta), 0.0)
        return ways - theta * np.logaddexp(0.0, away) + np.where(y > 0, y * (away - np.logaddexp(0.0, away)), 0.0)

    def count(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean of the counts' own distribution."""
        return np.exp(eta[0])

    def probability(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """Of the counts `at` (0, 1, 2, … by default 0), shape (m, counts)."""
        at = np.zeros(1) if at is None else at
        return np.stack([np.exp(self.rows(eta, p, Count(y))) for y in at], axis=1)

    def steps(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> tuple[np.ndarray, np.ndarray]:
        """The distribution function below and at each count."""
        none = np.exp(self.rows(eta, p, Count(0.0)))
        more = {n: p[n] for n in self.more()}
        mean = np.exp(eta[0])

        def F(y: np.ndarray) -> np.ndarray:
            zero, own = (self.counts.cdf(c, mean, np.ones(1), 1.0, **more) for c in (np.zeros(len(mean)), y))
            return np.where(y < 0, 0.0, none + (1 - none) * (own - zero) / (1 - zero))

        return F(np.asarray(d.y) - 1), F(np.asarray(d.y))


class Count:
    """One count for every row."""

    def __init__(self, y: float) -> None:
        self.y = np.float64(y)


class ZeroInflated(Counts):
    """Zeros of two kinds: of the counts' own distribution, and those that could not be anything else."""

    family = "zero-inflated"
    answers: Mapping[str, Parameter] = {
        "mean": Positive(), "count": Positive(), "zero": UnitInterval(), "probability": UnitInterval()
    }  # fmt: skip

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        own = self.of(d.y, eta[0], p)
        return special.log_expit(-eta[1]) + np.where(d.y == 0, np.logaddexp(eta[1], own), own)

    def zero(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The probability that a row could be nothing but zero."""
        return special.expit(eta[1])

    def mean(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean of all counts."""
        return np.exp(eta[0]) * special.expit(-eta[1])

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Counts."""
        own = self.counts.draw(rng, np.exp(eta[0]), np.ones(1), 1.0, **{n: p[n] for n in self.more()})
        return np.where(rng.random(len(own)) < special.expit(eta[1]), 0, own)


class Hurdle(Counts):
    """Whether there is anything at all, and if so how many: counts of 1 and more."""

    family = "hurdle"
    answers: Mapping[str, Parameter] = {
        "mean": Positive(), "count": Positive(), "positive": UnitInterval(), "probability": UnitInterval()
    }  # fmt: skip

    def some(self, eta: Any, p: Mapping[str, Any]) -> Any:
        """The logarithm of the probability that the counts' own distribution gives to 1 and more."""
        x = eta if "theta" not in p else np.log(p["theta"]) + np.log(np.logaddexp(0.0, eta - np.log(p["theta"])))
        tiny = x < -30.0  # log(1 - exp(-exp(x))) is x - exp(x) / 2 to the last digit
        return np.where(tiny, x - 0.5 * np.exp(x), _log_complement(np.exp(np.where(tiny, 0.0, x))))

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        more = special.log_expit(eta[1]) + self.of(d.y, eta[0], p) - self.some(eta[0], p)
        return np.where(d.y == 0, special.log_expit(-eta[1]), more)

    def positive(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The probability of 1 and more."""
        return special.expit(eta[1])

    def mean(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean of all counts."""
        return np.exp(special.log_expit(eta[1]) + eta[0] - self.some(eta[0], p))


def zero_inflated(
    formula: str,
    data: Any,
    zeros: str | None = None,
    family: str = "poisson",
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    exposure: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Counts with more zeros than their distribution has: some rows could not be anything but zero.

    Parameters
    ----------
    formula : str
        Of the logarithm of the mean of the counts' own distribution, such as ``"visits ~ age + C(sex)"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    zeros : str, optional
        Of the log odds that a row could not be anything but zero, such as ``"~ age"``; by default the same columns.
    family : {"poisson", "negative-binomial"}
    weights, offset, exposure : str or array_like, optional
        The name of a column, or a number for each row of the data. Offset and exposure are the counts'.
    weights_are : {"frequency", "variance", "sampling"}
    cluster : str, array_like, or a list of these, optional
    levels : dict of str to sequence, optional
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional

    Returns
    -------
    PartsResult
        `labels` are ``"count:column"``, ``"zero:column"``, and "theta" of the negative binomial, whose variance is
        μ + μ²/θ. ``predict(new, what)``: "mean", "count" (the mean of the counts' own distribution), "zero" (the
        probability of a row that could not be anything else), "probability" (of the counts ``at=[0, 1, 2]``).

    Raises
    ------
    ValueError
        If a response is not a whole number of 0 and more.

    Notes
    -----
    P(y) = π 1[y = 0] + (1 - π) p(y), logit π = z'γ; the signs of R's `zeroinfl`. Where there are no more zeros than
    the counts' own, the "zero" coefficients run to -inf, and the certificate says so.

    Lambert, D. (1992). Zero-inflated Poisson regression, with an application to defects in manufacturing.
    Technometrics 34, 1-14.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [0, 0, 1, 3, 0, 2, 0, 6, 0, 4], "x": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
    >>> r = bb.zero_inflated("y ~ x", d, "~ 1")
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'count:Intercept': -0.093, 'count:x': 0.2, 'zero:Intercept': -0.38}
    """
    given = Given(data, weights, offset, exposure, cluster)
    return _fitted(ZeroInflated, formula, zeros, family, given, levels, weights_are, method, maxiter)


def hurdle(
    formula: str,
    data: Any,
    zeros: str | None = None,
    family: str = "poisson",
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    exposure: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Counts in two steps: whether there is anything at all, and if so how many.

    Parameters
    ----------
    formula : str
        Of the logarithm of the mean of the counts' distribution, before its zeros are taken away.
    zeros : str, optional
        Of the log odds that there is anything at all, such as ``"~ age"``; by default the same columns.
    data, family, weights, weights_are, offset, exposure, cluster, levels, method, maxiter
        As for `zero_inflated`.

    Returns
    -------
    PartsResult
        `labels` are ``"count:column"``, ``"zero:column"``, and "theta" of the negative binomial. ``predict(new,
        what)``: "mean", "count", "positive" (the probability of 1 and more), "probability" (of the counts
        ``at=[0, 1, 2]``).

    Notes
    -----
    P(0) = 1 - π, P(y) = π p(y) / (1 - p(0)) for y > 0, logit π = z'γ: of 1 and more, as R's `hurdle` has it.

    Mullahy, J. (1986). Specification and testing of some modified count data models. Journal of Econometrics 33,
    341-365.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [0, 0, 1, 3, 0, 2, 0, 6, 0, 4], "x": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
    >>> r = bb.hurdle("y ~ x", d)
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'count:Intercept': 0.029, 'count:x': 0.183, 'zero:Intercept': -0.792, 'zero:x': 0.176}
    """
    given = Given(data, weights, offset, exposure, cluster)
    return _fitted(Hurdle, formula, zeros, family, given, levels, weights_are, method, maxiter)


def _fitted(
    kind: type[Counts],
    formula: str,
    zeros: str | None,
    family: str,
    given: Given,
    levels: Mapping[str, Sequence[Any]] | None,
    weights_are: str,
    method: str,
    maxiter: int | None,
) -> PartsResult:
    if family not in ("poisson", "negative-binomial"):
        raise ValueError(f"family={family!r}: 'poisson' or 'negative-binomial'")
    zeros = "~" + formula.partition("~")[2] if zeros is None else zeros
    front = Front(given, [formula, zeros], levels)
    model = kind(family)
    y = front.numbers(f"a {model.family} model")
    front.refuse((y < 0) | (y != np.floor(y)), "a count is a whole number of 0 and more")
    w = np.ones(len(y)) if front.weights is None else front.weights
    if not (w @ y > 0):
        raise ValueError(f"`{front.name}` is 0 in every row: there are no counts")
    start = {0: np.log(np.maximum(y, 0.5)), "theta": 1.0}
    return front.fit(model, {"y": y}, start, weights_are, method, maxiter)
