"""Distributions of a place and a width, of which intervals as well as points may be known, by the names of links.

log(F(b) - F(a)) to the last digit, and the model that censored, truncated and survival regressions share. Imports
links, parts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import special
from .domains import Parameter, Positive
from .links import LINKS, Link, _log_complement
from .parts import Parts

__all__ = ["LOG_DENSITY", "LocationScale", "known", "log_between"]

HALF_LOG_2PI = 0.9189385332046727

LOG_DENSITY = {
    "probit": lambda z: -0.5 * z * z - HALF_LOG_2PI,
    "logit": lambda z: special.log_expit(z) + special.log_expit(-z),
    "cloglog": lambda z: z - np.exp(z),
}
"""Of the distribution whose distribution function is the inverse of a link."""


def log_between(link: Link, low: Any, high: Any, low_open: Any, high_open: Any) -> Any:
    """log(F(high) - F(low)), F being the inverse of a link; an open end has nothing beyond it.

    Where both ends are in the upper half it is the difference of what is above them: far tails keep their digits.
    """
    assert link.log_rest is not None
    low, high = np.where(low_open, 0.0, low), np.where(high_open, 0.0, high)
    below, above = link.log_mean(low), link.log_rest(high)
    upper = below > -0.6931471805599453
    nearer: Any = np.where(upper, link.log_rest(low), link.log_mean(high))
    further: Any = np.where(upper, above, below)
    half_open = low_open | high_open
    apart = np.where(half_open, 1.0, nearer - further)
    both = nearer + _log_complement(apart)
    one = np.where(low_open, link.log_mean(high), link.log_rest(low))
    return np.where(half_open, np.where(low_open & high_open, 0.0, one), both)


class LocationScale(Parts):
    """A response of a linear predictor and a width, known as points or within intervals.

    The data hold `y`, whether that is known as a `point`, else the ends `low` and `high` and whether they are open.

    Parameters
    ----------
    link : str
        Whose inverse is the distribution function.
    width_name : str, optional
        What the width is called; without a name it is 1.
    """

    def __init__(self, link: str, width_name: str | None) -> None:
        self.link, self.width_name = LINKS[link], width_name

    def more(self) -> dict[str, Parameter]:
        return {} if self.width_name is None else {self.width_name: Positive()}

    def key(self) -> tuple[Any, ...]:
        return self.link.name, self.width_name

    def width(self, p: Mapping[str, Any]) -> Any:
        """The width."""
        return 1.0 if self.width_name is None else p[self.width_name]

    def standard(self, x: Any, eta: Sequence[Any], p: Mapping[str, Any]) -> Any:
        """A number in widths from the place."""
        return (x - eta[0]) / self.width(p)

    def within(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        """The logarithm of the probability between `low` and `high`."""
        low, high = self.standard(d.low, eta, p), self.standard(d.high, eta, p)
        return log_between(self.link, low, high, d.low_open, d.high_open)

    def density(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        """The logarithm of the density where a point is known."""
        return LOG_DENSITY[self.link.name](self.standard(d.y, eta, p)) - np.log(self.width(p))

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        return np.where(d.point, self.density(eta, p, d), self.within(eta, p, d))


def known(y: np.ndarray, low: np.ndarray, high: np.ndarray, point: np.ndarray) -> dict[str, np.ndarray]:
    """The data of `LocationScale`, from ends that may be infinite; of points the ends are no one's concern."""
    low_open, high_open = point | (low == -np.inf), point | (high == np.inf)
    return {
        "y": y, "point": point, "low_open": low_open, "high_open": high_open,
        "low": np.where(low_open, 0.0, low), "high": np.where(high_open, 0.0, high),
    }  # fmt: skip
