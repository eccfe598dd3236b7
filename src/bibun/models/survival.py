"""`survival`: accelerated failure times, with censoring on the right, on the left and within intervals.

Imports location_scale and parts. Proportional hazards are elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import special
from ..errors import NotDefined
from .domains import Parameter, Positive, UnitInterval
from .formula_rows import Given
from .location_scale import LocationScale, known
from .parts import Front
from .parts_result import PartsResult

__all__ = ["survival"]

FAMILIES = {"weibull": "cloglog", "exponential": "cloglog", "log-normal": "probit", "log-logistic": "logit"}
"""The link whose inverse is the distribution function of the logarithm of time."""


class FailureTimes(LocationScale):
    """log T = x'β + σ ε; the data hold logarithms, and `jacobian`, what a density of times has besides."""

    answers: Mapping[str, Parameter] = {
        "median": Positive(), "quantile": Positive(), "survival": UnitInterval(), "mean": Positive(),
        "scale": Positive(),
    }  # fmt: skip

    def __init__(self, family: str) -> None:
        super().__init__(FAMILIES[family], None if family == "exponential" else "scale")
        self.family = family
        self.title = f"{family.capitalize()} regression of survival times"

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        return super().rows(eta, p, d) + d.jacobian

    def left(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        """What exp(x'β) leaves of each time, as R's response residuals."""
        return np.exp(d.y) - np.exp(eta[0])

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Times, none of them censored."""
        return np.asarray(np.exp(eta[0] + self.width(p) * self.link.forward(rng.random(len(eta[0])))))

    def median(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The time that half of the rows like this one survive."""
        return self.quantile(eta, p, d, np.array([0.5]))[:, 0]

    def quantile(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The times before which shares `at` fail, shape (m, shares)."""
        if at is None or not ((at > 0) & (at < 1)).all():
            raise ValueError(
                "what='quantile' needs at=, shares between 0 and 1: predict(new, 'quantile', at=[0.1, 0.5])"
            )
        return np.exp(eta[0][:, None] + self.width(p) * self.link.forward(at)[None, :])

    def survival(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The probability of living longer than times `at`, shape (m, times)."""
        if at is None or not (at > 0).all():
            raise ValueError("what='survival' needs at=, times greater than 0: predict(new, 'survival', at=[1, 5])")
        assert self.link.log_rest is not None
        return np.exp(self.link.log_rest((np.log(at)[None, :] - eta[0][:, None]) / self.width(p)))

    def scale(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """exp(x'β), which R's `survreg` calls the response."""
        return np.exp(eta[0])

    def mean(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """The mean time."""
        s = self.width(p)
        if self.family == "log-normal":
            return np.exp(eta[0] + 0.5 * s * s)
        if self.family == "log-logistic":
            if float(getattr(s, "_data", s)) >= 1:
                raise NotDefined("the mean of a log-logistic time is infinite where the scale is 1 or more: use median")
            return np.exp(eta[0]) * np.pi * s / np.sin(np.pi * s)
        return np.exp(eta[0] + special.gammaln(1.0 + s))


def survival(
    formula: str,
    data: Any,
    event: Any = None,
    family: str = "weibull",
    *,
    until: Any = None,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Accelerated failure times: columns that make time run faster or slower, with censored times.

    Parameters
    ----------
    formula : str
        Such as ``"time ~ age + C(treatment)"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    event : str or array_like, optional
        The name of a column, or a value for each row: 1 (or true) where the time is that of the event, 0 where it is
        known only that it came later. By default all times are of events.
    family : {"weibull", "exponential", "log-normal", "log-logistic"}
    until : str or array_like, optional
        In place of `event`: where the interval ends in which the event was, the response being where it begins. Equal
        ends are a time that is known; a beginning of 0, before `until`; an end of inf, after the response.
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
        `labels` are the columns and "scale", which for exponential times is 1. ``predict(new, what)``: "median",
        "quantile" (``at`` shares), "survival" (the probability of living longer than times ``at``), "mean", "scale"
        (exp(x'β)).

    Raises
    ------
    ValueError
        If a time is not greater than 0, an interval ends before it begins, or there is no event at all.

    Notes
    -----
    log T = x'β + σ ε, where ε has the extreme value (of minima), normal or logistic distribution; signs and scale are
    those of R's `survreg`. The log-likelihood is of times, not of their logarithms.

    Kalbfleisch, J. D. and Prentice, R. L. (2002). The statistical analysis of failure time data, chapter 3.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"t": [1, 3, 4, 6, 7, 9, 12, 15], "died": [1, 1, 1, 0, 1, 1, 0, 1], "x": [1, 1, 0, 1, 0, 1, 0, 0]}
    >>> r = bb.survival("t ~ x", d, event="died")
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'Intercept': 2.49, 'x': -0.64, 'scale': 0.631}
    """
    if family not in FAMILIES:
        raise ValueError(f"family={family!r}: one of {', '.join(FAMILIES)}")
    if event is not None and until is not None:
        raise ValueError("event= and until= both say what is known of a time: give one of them")
    front = Front(Given(data, weights, offset, None, cluster, (event, until)), [formula], levels)
    time = front.numbers("a model of survival")
    low, high, point = _known(front, time, event, until)
    if not (point | (low > 0))[front.counted].any() or not (point | np.isfinite(high))[front.counted].any():
        raise ValueError(f"no event is known in any row of `{front.name}`: there is nothing to learn from")
    with np.errstate(divide="ignore"):
        at = np.where(np.isfinite(high) & (low > 0), np.sqrt(low) * np.sqrt(high), np.where(low > 0, low, high))
        rows = known(np.log(at), np.log(low), np.log(high), point)
    rows["jacobian"] = np.where(point, -np.log(at), 0.0)
    model = FailureTimes(family)
    start = {0: np.log(at), "scale": 1.0}
    return front.fit(model, rows, start, weights_are, method, maxiter)


def _known(front: Front, time: np.ndarray, event: Any, until: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between what each time was, and whether it is known as a point."""
    if until is not None:
        high = front.column("until", until)
        front.refuse(time < 0, "a time is not less than 0")
        front.refuse(~(high >= time) | (high <= 0), "its interval ends before it begins (until=)")
        point = high == time
        front.refuse(
            (time == 0) & (high == np.inf), "nothing is known of a time between 0 and infinity: leave the row out"
        )
        return time, high, point
    front.refuse(time <= 0, "a time is greater than 0")
    point = np.ones(len(time), bool)
    if event is not None:
        seen = front.column("event", event)
        bad = (seen != 0) & (seen != 1)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"event is {seen[k]:g} in row {front.rows[k]}: 1 where the event was seen, 0 where it was not"
            )
        point = seen == 1
    return time, np.where(point, time, np.inf), point
