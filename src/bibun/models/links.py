"""Links: how a mean follows from a linear predictor, in forms that keep every digit. A new link is an entry of `LINKS`.

Imports special functions of the package (through NumPy's protocols), so that everything here can be differentiated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import special
from ..transforms.directional import jvp

__all__ = ["LINKS", "Link", "link_named"]

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Link:
    """A link function η = g(μ).

    Attributes
    ----------
    name : str
    forward : callable
        g, from means to predictors.
    inverse : callable
        From predictors to means.
    log_mean : callable
        log μ from predictors, without going through μ where that would lose digits.
    log_rest : callable, optional
        log(1 - μ), for links of probabilities.
    """

    name: str
    forward: Function
    inverse: Function
    log_mean: Function
    log_rest: Function | None = None

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """dμ/dη of each predictor."""
        eta = np.asarray(eta, float)
        with np.errstate(all="ignore"):
            return np.asarray(jvp(self.inverse, (eta,), (np.ones_like(eta),))[1])

    def __reduce__(self) -> Any:
        return (_known, (self.name,)) if LINKS.get(self.name) is self else object.__reduce__(self)

    def __repr__(self) -> str:
        return self.name


def _known(name: str) -> Link:
    return LINKS[name]


def _log_complement(x: Any) -> Any:
    """log(1 - exp(-x)) for x > 0, to the last digit at both ends."""
    small = x < 0.6931471805599453
    return np.where(small, np.log(-np.expm1(-np.where(small, x, 1.0))), np.log1p(-np.exp(-np.where(small, 1.0, x))))


def _log_complement_of_exp(e: Any) -> Any:
    """log(1 - exp(-exp(e))), which is e where that is far below 0."""
    return np.where(e < -40, e, _log_complement(np.exp(np.maximum(e, -40.0))))


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link("identity", lambda m: m, lambda e: e, np.log, lambda e: np.log1p(-e)),
        Link("log", np.log, np.exp, lambda e: e, lambda e: _log_complement(-e)),
        Link("inverse", lambda m: 1 / m, lambda e: 1 / e, lambda e: -np.log(e)),
        Link("inverse-squared", lambda m: m**-2.0, lambda e: e**-0.5, lambda e: -0.5 * np.log(e)),
        Link("sqrt", np.sqrt, lambda e: e * e, lambda e: 2 * np.log(np.abs(e))),
        Link("logit", special.logit, special.expit, special.log_expit, lambda e: special.log_expit(-e)),
        Link("probit", special.ndtri, special.ndtr, special.log_ndtr, lambda e: special.log_ndtr(-e)),
        Link(
            "cloglog",
            lambda m: np.log(-np.log1p(-m)),
            lambda e: -np.expm1(-np.exp(e)),
            lambda e: _log_complement_of_exp(e),
            lambda e: -np.exp(e),
        ),
        Link(
            "loglog",
            lambda m: -np.log(-np.log(m)),
            lambda e: np.exp(-np.exp(-e)),
            lambda e: -np.exp(-e),
            lambda e: _log_complement_of_exp(-e),
        ),
        Link(
            "cauchit",
            lambda m: np.tan(np.pi * (m - 0.5)),
            lambda e: np.arctan2(1.0, -e) / np.pi,
            lambda e: np.log(np.arctan2(1.0, -e) / np.pi),
            lambda e: np.log(np.arctan2(1.0, e) / np.pi),
        ),
    )
}


def link_named(name: Any, allowed: tuple[str, ...], family: str) -> Link:
    """The link of a name, or the family's own for None; a ValueError that lists those the family has."""
    if isinstance(name, Link):
        return name
    if name is None:
        return LINKS[allowed[0]]
    if name not in allowed:
        raise ValueError(f"link={name!r} for the {family} family: one of {', '.join(allowed)}")
    return LINKS[name]
