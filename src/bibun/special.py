"""Functions of scipy.special, for arrays and Variables alike, under SciPy's names.

SciPy's ufuncs are SciPy's own: `scipy.special.gammaln(v)` and `bibun.special.gammaln(v)` are the same call. What SciPy
writes as Python functions, which do not let a Variable in, is written again here or in rules/special_sums.py.
"""

# isort: off
from .core.scipy_special import (
    beta, betainc, betaincc, betainccinv, betaincinv, betaln, binom, boxcox, boxcox1p, cbrt, chdtr, chdtrc,
    chdtri, cosm1, dawsn, digamma, entr, erf, erfc, erfcinv, erfcx, erfi, erfinv, exp1, exp2, exp10, expi,
    expit, expm1, expn, exprel, fdtr, fdtrc, fdtri, gamma, gammainc, gammaincc, gammainccinv, gammaincinv,
    gammaln, gdtr, gdtrc, huber, hyp0f1, hyp1f1, hyp2f1, i0, i0e, i1, i1e, inv_boxcox, inv_boxcox1p, iv, ive,
    j0, j1, jn, jv, jve, k0, k0e, k1, k1e, kl_div, kn, kv, kve, log1p, log_expit, log_ndtr, loggamma, logit,
    nbdtr, nbdtrc, ndtr, ndtri, ndtri_exp, owens_t, pdtr, pdtrc, poch, powm1, pseudo_huber, psi, rel_entr,
    rgamma, spence, stdtr, stdtrit, wrightomega, xlog1py, xlogy, y0, y1, yn, yv, yve, zeta,
)  # fmt: skip

# isort: on

from .rules import special as _rules  # noqa: F401  (declares them)
from .rules.special_elementary import softplus
from .rules.special_gamma import multigammaln, polygamma
from .rules.special_sums import log_softmax, logsumexp, softmax

__all__ = [
    "beta", "betainc", "betaincc", "betainccinv", "betaincinv", "betaln", "binom", "boxcox", "boxcox1p", "cbrt",
    "chdtr", "chdtrc", "chdtri", "cosm1", "dawsn", "digamma", "entr", "erf", "erfc", "erfcinv", "erfcx", "erfi",
    "erfinv", "exp1", "exp2", "exp10", "expi", "expit", "expm1", "expn", "exprel", "fdtr", "fdtrc", "fdtri",
    "gamma", "gammainc", "gammaincc", "gammainccinv", "gammaincinv", "gammaln", "gdtr", "gdtrc", "huber",
    "hyp0f1", "hyp1f1", "hyp2f1", "i0", "i0e", "i1", "i1e", "inv_boxcox", "inv_boxcox1p", "iv", "ive", "j0",
    "j1", "jn", "jv", "jve", "k0", "k0e", "k1", "k1e", "kl_div", "kn", "kv", "kve", "log1p", "log_expit",
    "log_ndtr", "log_softmax", "loggamma", "logit", "logsumexp", "multigammaln", "nbdtr", "nbdtrc", "ndtr",
    "ndtri", "ndtri_exp", "owens_t", "pdtr", "pdtrc", "poch", "polygamma", "powm1", "pseudo_huber", "psi",
    "rel_entr", "rgamma", "softmax", "softplus", "spence", "stdtr", "stdtrit", "wrightomega", "xlog1py",
    "xlogy", "y0", "y1", "yn", "yv", "yve", "zeta",
]  # fmt: skip
