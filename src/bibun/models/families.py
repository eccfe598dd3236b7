"""Families of responses: the log-likelihood of a row given its linear predictor, and what else a distribution knows.

A new family is a class of a few lines here and an entry of `FAMILIES`; everything a result can do follows from it, and
the tests of every model try it. Imports links, domains, and special functions of the package.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import special
from ..errors import NotDefined
from .domains import Parameter, Positive
from .links import Link

__all__ = ["FAMILIES", "Family", "family_named"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Family:
    """A distribution of the response around its mean.

    Attributes
    ----------
    name : str
    links : tuple of str
        The links it has, its own first.
    dispersion : bool
        Whether a factor of the variance is estimated from Pearson's residuals after the coefficients, as in R; else it
        is 1, or a parameter of the likelihood.
    responses : str
        What a response may be, in words.
    """

    name: str = ""
    links: tuple[str, ...] = ("identity",)
    dispersion: bool = False
    responses: str = "any number"

    def more(self) -> dict[str, Parameter]:
        """Parameters of the likelihood besides the coefficients."""
        return {}

    def fits(self, y: Array) -> Array:
        """Whether each response is possible."""
        return np.isfinite(y)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        """The log-likelihood of each row, `m` trials or 1; with a dispersion, minus half the deviance."""
        return -0.5 * m * self.deviance(y, link.inverse(eta), **more)

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        """Each row's part of the deviance, of one trial."""
        raise NotDefined(f"the {self.name} family has no deviance: compare log-likelihoods, or use Pearson's residuals")

    def variance(self, mean: Any, **more: Any) -> Any:
        """The variance of a response with this mean, of one trial and dispersion 1."""
        raise NotImplementedError

    def start(self, y: Array) -> Array:
        """Means to start from, inside the domain of every link."""
        return np.asarray(0.5 * (y + y.mean()))

    def begin(self, y: Array, mean: Array, w: Array) -> dict[str, float]:
        """Values of `more` to start from: those by which responses vary around `mean` as they do, by moments."""
        return {}

    def loglik(self, y: Array, mean: Array, w: Array, variance: bool) -> float:
        """For families with a dispersion: the log-likelihood at its most likely dispersion, weights being counts.

        With `variance`, they divide each row's variance instead; beyond gaussian, the weighted log-likelihood, as in R.
        """
        raise NotDefined(f"the {self.name} family is no distribution: it has no likelihood; compare deviances")

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        """The distribution function, for quantile residuals."""
        raise NotDefined(f"the {self.name} family has no distribution function here: use another kind of residual")

    discrete = False

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        """A response for each row."""
        raise NotDefined(f"the {self.name} family is no distribution: to draw responses, fit one that is")


# --- a likelihood of its own ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Binomial(Family):
    """Successes among trials, as a proportion."""

    name: str = "binomial"
    links: tuple[str, ...] = ("logit", "probit", "cloglog", "loglog", "cauchit", "log", "identity")
    responses: str = "0 or 1, or a proportion between them"
    discrete = True

    def fits(self, y: Array) -> Array:
        return (y >= 0) & (y <= 1)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        assert link.log_rest is not None
        # what is multiplied by 0 is left out: log 0 is infinite
        hit = np.where(y > 0, y * link.log_mean(eta), 0.0)
        miss = np.where(y < 1, (1 - y) * link.log_rest(eta), 0.0)
        if type(m) is float and m == 1.0:
            return hit + miss
        k = m * y
        ways = special.gammaln(m + 1) - special.gammaln(k + 1) - special.gammaln(m - k + 1)
        return m * (hit + miss) + ways

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        return 2 * (special.xlogy(y, y) - special.xlogy(y, mean)
                    + special.xlog1py(1 - y, -y) - special.xlog1py(1 - y, -mean))  # fmt: skip

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean * (1 - mean)

    def start(self, y: Array) -> Array:
        return np.asarray((y + 0.5) / 2)

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        from scipy import stats

        return np.asarray(stats.binom.cdf(np.round(m * y), m, mean))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.binomial(np.broadcast_to(m, mean.shape).astype(int), mean) / m)


@dataclass(frozen=True)
class Poisson(Family):
    """Counts whose variance is their mean."""

    name: str = "poisson"
    links: tuple[str, ...] = ("log", "identity", "sqrt")
    responses: str = "counts: numbers of 0 and more"
    discrete = True

    def fits(self, y: Array) -> Array:
        return (y >= 0) & np.isfinite(y)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        return np.where(y > 0, y * link.log_mean(eta), 0.0) - link.inverse(eta) - special.gammaln(y + 1)

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        return 2 * (special.xlogy(y, y / mean) - (y - mean))

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean

    def start(self, y: Array) -> Array:
        return y + 0.1

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        from scipy import stats

        return np.asarray(stats.poisson.cdf(y, mean))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.poisson(mean), float)


@dataclass(frozen=True)
class NegativeBinomial(Family):
    """Counts of variance μ + μ²/θ (NB2); θ is estimated with the coefficients."""

    name: str = "negative-binomial"
    links: tuple[str, ...] = ("log", "identity", "sqrt")
    responses: str = "counts: numbers of 0 and more"
    discrete = True

    def more(self) -> dict[str, Parameter]:
        return {"theta": Positive()}

    def fits(self, y: Array) -> Array:
        return (y >= 0) & np.isfinite(y)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        theta = more["theta"]
        away = link.log_mean(eta) - np.log(theta)
        some = np.maximum(y, 1.0)
        ways = np.where(y > 0, -np.log(some) - special.betaln(some, theta), 0.0)  # to the last digit as θ grows
        return ways - theta * np.logaddexp(0.0, away) + np.where(y > 0, y * (away - np.logaddexp(0.0, away)), 0.0)

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        theta = more["theta"]
        return 2 * (special.xlogy(y, y / mean) - (y + theta) * np.log((y + theta) / (mean + theta)))

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean + mean**2 / more["theta"]

    def start(self, y: Array) -> Array:
        return y + 0.1

    def begin(self, y: Array, mean: Array, w: Array) -> dict[str, float]:
        beyond = float(np.sum(w * ((y - mean) ** 2 - mean)))  # Poisson's
        return {"theta": float(np.clip(np.sum(w * mean**2) / max(beyond, 1e-300), 0.01, 100.0))}

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        from scipy import stats

        return np.asarray(stats.nbinom.cdf(y, more["theta"], more["theta"] / (mean + more["theta"])))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.poisson(mean * rng.gamma(more["theta"], 1 / more["theta"], mean.shape)), float)


@dataclass(frozen=True)
class Beta(Family):
    """Proportions strictly between 0 and 1, with precision φ: variance μ(1 - μ)/(1 + φ)."""

    name: str = "beta"
    links: tuple[str, ...] = ("logit", "probit", "cloglog", "loglog", "cauchit")
    responses: str = "numbers strictly between 0 and 1"

    def more(self) -> dict[str, Parameter]:
        return {"precision": Positive()}

    def fits(self, y: Array) -> Array:
        return (y > 0) & (y < 1)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        assert link.log_rest is not None
        phi = more["precision"]
        a, b = phi * np.exp(link.log_mean(eta)), phi * np.exp(link.log_rest(eta))
        ways = special.gammaln(phi) - special.gammaln(a) - special.gammaln(b)
        return ways + (a - 1) * np.log(y) + (b - 1) * np.log1p(-y)

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean * (1 - mean) / (1 + more["precision"])

    def start(self, y: Array) -> Array:
        return y

    def begin(self, y: Array, mean: Array, w: Array) -> dict[str, float]:
        ratio = np.sum(w * mean * (1 - mean)) / max(float(np.sum(w * (y - mean) ** 2)), 1e-300)
        return {"precision": float(np.clip(ratio - 1, 0.1, 1e4))}

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(special.betainc(mean * more["precision"], (1 - mean) * more["precision"], y))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.beta(mean * more["precision"], (1 - mean) * more["precision"]))


# --- with a dispersion ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gaussian(Family):
    """Numbers of one variance around their mean."""

    name: str = "gaussian"
    links: tuple[str, ...] = ("identity", "log", "inverse")
    dispersion: bool = True

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        return (y - mean) ** 2

    def variance(self, mean: Any, **more: Any) -> Any:
        return np.ones_like(mean)

    def start(self, y: Array) -> Array:
        return y

    def loglik(self, y: Array, mean: Array, w: Array, variance: bool) -> float:
        n, more = float(w.sum()), 0.0
        if variance:
            n, more = float((w > 0).sum()), 0.5 * float(np.log(w[w > 0]).sum())
        with np.errstate(divide="ignore"):
            return float(-0.5 * n * (np.log(2 * np.pi * (w @ (y - mean) ** 2) / n) + 1)) + more

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(special.ndtr((y - mean) / np.sqrt(phi)))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.normal(mean, np.sqrt(phi)))


@dataclass(frozen=True)
class Gamma(Family):
    """Positive numbers of one coefficient of variation."""

    name: str = "gamma"
    links: tuple[str, ...] = ("inverse", "log", "identity")
    dispersion: bool = True
    responses: str = "numbers greater than 0"

    def fits(self, y: Array) -> Array:
        return (y > 0) & np.isfinite(y)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        return m * (np.log(y) - link.log_mean(eta) - y / link.inverse(eta) + 1)

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        return 2 * ((y - mean) / mean - np.log(y / mean))

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean**2

    def start(self, y: Array) -> Array:
        return y

    def loglik(self, y: Array, mean: Array, w: Array, variance: bool) -> float:
        from scipy.optimize import brentq

        n = float(w.sum())
        half = 0.5 * float(w @ self.deviance(y, mean)) / n  # log k - digamma(k) at the most likely shape k
        if not half > 0:
            return float("inf")
        log_k = brentq(lambda t: t - float(special.digamma(np.exp(t))) - half, -40.0, 40.0, xtol=1e-14, rtol=8.9e-16)
        k = float(np.exp(log_k))
        rows = k * np.log(k * y / mean) - k * y / mean - np.log(y) - special.gammaln(k)
        return float(w @ rows)

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(special.gammainc(1 / phi, y / (phi * mean)))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.gamma(1 / phi, phi * mean))


@dataclass(frozen=True)
class InverseGaussian(Family):
    """Positive numbers of variance φ μ³."""

    name: str = "inverse-gaussian"
    links: tuple[str, ...] = ("inverse-squared", "inverse", "log", "identity")
    dispersion: bool = True
    responses: str = "numbers greater than 0"

    def fits(self, y: Array) -> Array:
        return (y > 0) & np.isfinite(y)

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        return (y - mean) ** 2 / (y * mean**2)

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean**3

    def start(self, y: Array) -> Array:
        return y

    def loglik(self, y: Array, mean: Array, w: Array, variance: bool) -> float:
        n = float(w.sum())
        phi = float(w @ self.deviance(y, mean)) / n
        with np.errstate(divide="ignore"):
            return float(-0.5 * (n * (np.log(2 * np.pi * phi) + 1) + 3 * w @ np.log(y)))

    def cdf(self, y: Array, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        from scipy import stats

        return np.asarray(stats.invgauss.cdf(y, mean * phi, scale=1 / phi))

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        return np.asarray(rng.wald(mean, 1 / phi))


@dataclass(frozen=True)
class Tweedie(Family):
    """Sums of gamma amounts, with a mass at 0: variance φ μ^p for a power p between 1 and 2."""

    name: str = "tweedie"
    links: tuple[str, ...] = ("log", "identity")
    dispersion: bool = True
    responses: str = "numbers of 0 and more"
    power: float = 1.5

    def __post_init__(self) -> None:
        if not 1 < self.power < 2:
            raise ValueError(f"power={self.power}: strictly between 1 (Poisson) and 2 (gamma)")

    def fits(self, y: Array) -> Array:
        return (y >= 0) & np.isfinite(y)

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        p = self.power
        return 2 * (y ** (2 - p) / ((1 - p) * (2 - p)) - y * mean ** (1 - p) / (1 - p) + mean ** (2 - p) / (2 - p))

    def variance(self, mean: Any, **more: Any) -> Any:
        return mean**self.power

    def start(self, y: Array) -> Array:
        return np.asarray(0.5 * (y + y.mean()) + 1e-3 * y.mean())

    def draw(self, rng: np.random.Generator, mean: Array, m: Array, phi: float, **more: Any) -> Array:
        p = self.power
        counts = rng.poisson(mean ** (2 - p) / (phi * (2 - p)))
        shape, scale = (2 - p) / (p - 1), phi * (p - 1) * mean ** (p - 1)
        return np.where(counts > 0, rng.gamma(np.maximum(counts, 1) * shape, scale), 0.0)


@dataclass(frozen=True)
class Quasi(Family):
    """The mean and variance of another family, and a dispersion; no distribution."""

    of: Family = Poisson()
    dispersion: bool = True

    def fits(self, y: Array) -> Array:
        return self.of.fits(y)

    def rows(self, y: Any, eta: Any, link: Link, m: Any, **more: Any) -> Any:
        return self.of.rows(y, eta, link, m) if isinstance(self.of, Binomial) and type(m) is float else (
            -0.5 * m * self.deviance(y, link.inverse(eta))
        )  # fmt: skip

    def deviance(self, y: Any, mean: Any, **more: Any) -> Any:
        return self.of.deviance(y, mean)

    def variance(self, mean: Any, **more: Any) -> Any:
        return self.of.variance(mean)

    def start(self, y: Array) -> Array:
        return self.of.start(y)


def _quasi(of: Family) -> Quasi:
    return Quasi(f"quasi-{of.name}", of.links, responses=of.responses, of=of)


FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Gaussian(), Binomial(), Poisson(), Gamma(), InverseGaussian(), NegativeBinomial(), Tweedie(), Beta(),
        _quasi(Binomial()), _quasi(Poisson()),
    )
}  # fmt: skip
SPELLED = {"normal": "gaussian", "nb": "negative-binomial", "negbin": "negative-binomial", "inverse.gaussian":
           "inverse-gaussian", "quasipoisson": "quasi-poisson", "quasibinomial": "quasi-binomial"}  # fmt: skip


def family_named(name: Any, power: float | None = None) -> Family:
    """The family of a name, or a family itself; a ValueError that lists those there are."""
    if isinstance(name, Family):
        return name
    key = str(name).lower().replace("_", "-").replace(" ", "-")
    key = SPELLED.get(key, key)
    if key not in FAMILIES:
        raise ValueError(f"family={name!r}: one of {', '.join(FAMILIES)}")
    if power is not None:
        if key != "tweedie":
            raise ValueError(f"power= is for the tweedie family; it was given with {key}")
        return Tweedie(power=float(power))
    return FAMILIES[key]
