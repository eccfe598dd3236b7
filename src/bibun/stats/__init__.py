"""Log-densities with the names, parameters, order and defaults of scipy.stats, for arrays and Variables alike.

`norm.logpdf(x, loc, scale)` and its relatives: continuous.py (the line), positive.py, bounded.py, discrete.py,
multivariate.py; a new distribution is a class in one of them. Loads scipy.special, never scipy.stats.
"""

from .bounded import beta, genextreme, genpareto, triang, truncnorm, uniform, vonmises
from .continuous import cauchy, exponnorm, gumbel_l, gumbel_r, laplace, logistic, norm, skewnorm, t
from .discrete import bernoulli, betabinom, binom, geom, nbinom, poisson, zipf
from .multivariate import dirichlet, multinomial, multivariate_normal, multivariate_t
from .positive import (
    betaprime,
    chi2,
    expon,
    f,
    gamma,
    halfcauchy,
    halfnorm,
    invgamma,
    invgauss,
    levy,
    lognorm,
    pareto,
    rayleigh,
    weibull_min,
)

__all__ = [
    "bernoulli", "beta", "betabinom", "betaprime", "binom", "cauchy", "chi2", "dirichlet", "expon", "exponnorm",
    "f", "gamma", "genextreme", "genpareto", "geom", "gumbel_l", "gumbel_r", "halfcauchy", "halfnorm", "invgamma",
    "invgauss", "laplace", "levy", "logistic", "lognorm", "multinomial", "multivariate_normal", "multivariate_t",
    "nbinom", "norm", "pareto", "poisson", "rayleigh", "skewnorm", "t", "triang", "truncnorm", "uniform",
    "vonmises", "weibull_min", "zipf",
]  # fmt: skip
