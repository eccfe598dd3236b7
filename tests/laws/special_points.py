"""The points of scipy.special: for every elementwise rule the function in mpmath, and points chosen to hurt.

A rule without a row in `TABLE` or `INVERSES` fails a test of test_special_accuracy.py. Values are SciPy's own and not
tried, except those of bibun's own functions.
"""

from dataclasses import dataclass
from typing import Any

import mpmath as mp

__all__ = ["INVERSES", "TABLE", "Row"]


@dataclass
class Row:
    """`f` in mpmath; points, each a number or a tuple; explicit first slopes where differences of `f` cannot tell."""

    f: Any
    points: list[Any]
    slopes: tuple[Any, ...] | None = None
    first: float = 1e-12
    second: float = 1e-12


def npdf(x: Any) -> Any:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def ncdf(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def expit(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def erfcx(x: Any) -> Any:
    return mp.exp(x * x) * mp.erfc(x)


def ierfc(n: int, x: Any) -> Any:
    """exp(x²) iⁿerfc(x) by its recurrence, with digits to lose."""
    before, y = 2 / mp.sqrt(mp.pi), erfcx(x)
    for m in range(1, n + 1):
        before, y = y, before / (2 * m) - x * y / m
    return y


def dawsn(n: int, x: Any) -> Any:
    before, y = mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), None
    y = 1 - 2 * x * before
    for m in range(1, n):
        before, y = y, -2 * x * y - 2 * m * before
    return y


def psi(n: int, x: Any) -> Any:
    return mp.polygamma(n, x)


def exp_moment(n: int, x: Any) -> Any:
    y = mp.expm1(x) / x if x else mp.mpf(1)
    for m in range(1, n + 1):
        y = (mp.exp(x) - m * y) / x if x else mp.mpf(1) / (m + 1)
    return y


def log_moment(n: int, a: Any, b: Any) -> Any:
    return a ** (n + 1) * exp_moment(n, a * b)


def log_mean(n: int, x: Any) -> Any:
    y = mp.log(x) / (x - 1) if x != 1 else mp.mpf(1)
    for m in range(1, n + 1):
        y = (y - x**-m / m) / (x - 1) if x != 1 else mp.mpf(1) / (m + 1)
    return y


def power_like(x: Any, lam: Any) -> Any:
    return mp.expm1(lam * mp.log(x)) / lam if lam else mp.log(x)


def inverse_power_like(y: Any, lam: Any) -> Any:
    return mp.exp(mp.log1p(lam * y) / lam) if lam else mp.exp(y)


def xlogy(a: Any, b: Any) -> Any:
    return a * mp.log(b)


def gamma_density(a: Any, x: Any) -> Any:
    return mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def beta_density(a: Any, b: Any, x: Any) -> Any:
    return mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b))


def t_density(a: Any, x: Any) -> Any:
    return mp.exp(mp.loggamma((a + 1) / 2) - mp.loggamma(a / 2) - (a + 1) / 2 * mp.log1p(x * x / a)) / mp.sqrt(
        a * mp.pi
    )


def f_density(a: Any, b: Any, x: Any) -> Any:
    s = b + a * x
    return beta_density(a / 2, b / 2, a * x / s) * a * b / s**2


def scaled(f: Any, sign: int) -> Any:
    return lambda v, x: mp.exp(sign * x) * f(v, x)


def ive_slope(n: int, v: Any, x: Any) -> Any:
    return mp.exp(-x) * ((mp.besseli(v - 1, x) + mp.besseli(v + 1, x)) / 2 - mp.besseli(v, x))


def kve_slope(n: int, v: Any, x: Any) -> Any:
    return mp.exp(x) * (mp.besselk(v, x) - (mp.besselk(v - 1, x) + mp.besselk(v + 1, x)) / 2)


def fixed(f: Any, n: int) -> Any:
    return lambda x: f(n, x)


# --- the table --------------------------------------------------------------------------------------------------------

# fmt: off
EVERYWHERE = [-6.0, -1.0, -1e-9, 0.0, 1e-5, 0.7, 3.0, 20.0]
TAILS = [-1e6, -1e3, -40.0, -10.0, -3.0, -2.8, -0.3, 0.0, 1.0, 10.0, 20.0, 36.0]
LOGITS = [-700.0, -300.0, -40.0, -1.0, -1e-8, 0.0, 1e-12, 0.5, 37.0, 300.0, 700.0]
UNIT = [1e-30, 1e-9, 0.2, 0.5 - 1e-9, 0.5, 0.5 + 1e-12, 0.9, 1 - 1e-12]
POSITIVE = [1e-20, 1e-6, 0.3, 1.0, 1.4616, 2.0, 7.5, 100.0, 1e8]
PAIRS = [(0.3, 0.7), (2.0, 3.0), (1e-10, 5.0), (1e-8, 1e-9), (1e10, 1e-3), (1e8, 1e8), (40.0, 2.5), (0.5, 1e9)]
FAR = [1e-3, 0.8, 5.0, 29.0, 31.0, 300.0, 1e5, 1e10]
TALL = [(2.5, 1e-3), (0.7, 3.0), (9.9, 10.2), (10.1, 10.0), (50.0, 200.0), (1e6, 1e6 + 30), (1e8, 1e8 - 3e4), (1e4, 9e3)]
BETAS = [(2.5, 0.7, 0.2), (0.5, 40.0, 1e-6), (14.0, 30.0, 0.4), (1e6, 2e6, 0.3334), (1e8, 1e3, 0.99999), (12.0, 1e9, 1e-8)]
RATES = [(0.3, 2.5, 1.7), (1e4, 12.0, 1e-3), (2.0, 1e6, 5e5)]
FISHER = [(3.0, 7.0, 0.3), (30.0, 50.0, 1.2), (1e6, 2e6, 1.001)]
STUDENT = [(2.5, 0.3), (1.0, -1e8), (30.0, 4.0), (1e9, 2.0), (0.3, 1e-9), (5.0, 1e3)]
SHARES = [(0.3, 0.7), (1e-10, 1.0), (1.0, 1.0 + 1e-9), (2.0, 1.9), (1e5, 1e-5), (1e-9, 1e9)]
HUBER = [(1.3, 0.2), (1.3, 1.4), (1.3, -5.0), (0.1, 1e5), (1e5, 1e-3)]
BOX = [(2.0, 0.0), (2.0, 1e-9), (0.3, -1e-5), (1.0 + 1e-9, 0.5), (50.0, 2.5), (1e-6, 0.1), (1e-6, -0.3), (0.5, 1.0), (1e5, -2.0)]
INVERSE_BOX = [(0.7, 1e-9), (2.0, 0.4), (-1.2, 0.3), (0.5, -0.2), (30.0, 0.1), (-1.0, 0.9), (1e-8, 0.5), (3.0, 1.0 + 1e-9)]

def grid(first: Any, rest: Any) -> list[Any]:
    return [(n, *(x if isinstance(x, tuple) else (x,))) for n in first for x in rest]


TABLE: dict[str, Row] = {
    "erf": Row(None, EVERYWHERE, (lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),)),
    "erfc": Row(mp.erfc, EVERYWHERE),
    "erfi": Row(mp.erfi, EVERYWHERE),
    "erfcx": Row(erfcx, [-20.0, -1.0, 0.0, 0.4, 1.99, 2.0, 2.5, 10.0, 1e3, 1e8]),
    "dawsn": Row(fixed(lambda n, x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), 0), [-7.5, -1.0, 0.0, 0.3, 5.0, 6.2, 6.3, 7.0, 20.0, 50.0]),
    "ndtr": Row(ncdf, [-36.0, -5.0, -1e-8, 0.0, 2.0, 30.0], (npdf,)),
    "log_ndtr": Row(None, TAILS, (lambda x: npdf(x) / ncdf(x),)),
    "inverse_mills": Row(lambda x: npdf(x) / ncdf(x), [-10.0, -3.0, 0.0, 1.0, 10.0], second=1e-11),
    "owens_t": Row(
        None, [(0.3, 0.7), (-2.0, 5.0), (5.0, 1e-3), (10.0, -0.4)],
        (lambda h, a: -npdf(h) * mp.erf(a * h / mp.sqrt(2)) / 2, lambda h, a: mp.exp(-h * h * (1 + a * a) / 2) / (2 * mp.pi * (1 + a * a))),
    ),
    "ierfc_scaled": Row(ierfc, grid((1, 2), [-5.0, 0.0, 1.0, 1.99, 2.0, 5.0, 1e4])),
    "ierfc_ratio": Row(lambda n, x: ierfc(n, x) / ierfc(n - 1, x), grid((1,), [0.0, 1.0, 1.7, 2.0, 5.0, 1e4])),
    "dawsn_derivative": Row(dawsn, grid((1, 2), [0.3, 2.0, 6.3, 20.0]), first=1e-11, second=1e-10),
    "gammaln": Row(mp.loggamma, [*POSITIVE, 1 + 1e-9, 2 - 1e-9]),
    "loggamma": Row(mp.loggamma, POSITIVE),
    "gamma": Row(mp.gamma, [1e-20, 0.3, 1.0, 1.4616, 7.5, 150.0, -0.6, -3.3]),
    "rgamma": Row(mp.rgamma, [-20.0, -3.0, -2.5, -1e-9, 0.0, 0.49, 0.51, 1.4616, 3.0, 100.0]),
    "psi": Row(mp.digamma, [*POSITIVE, -0.6, -3.3]),
    "zeta": Row(mp.zeta, grid((2.0, 3.5), [0.1, 1.0, 30.0, 1e4])),
    "polygamma": Row(psi, grid((0, 1, 3), [1e-6, 0.3, 1.4616, 30.0, 1e6])),
    "digamma_step": Row(
        lambda n, a, b: psi(n, a + b) - psi(n, a),
        grid((0, 1), [(0.3, 0.7), (1e8, 1e-3), (2.0, 1e-12), (1e-5, 3.0), (5.0, -2.0), (1e5, -99999.5)]),
    ),
    "beta": Row(mp.beta, [(0.3, 0.7), (2.0, 3.0), (40.0, 2.5)]),
    "betaln": Row(None, PAIRS, (lambda a, b: psi(0, a) - psi(0, a + b), lambda a, b: psi(0, b) - psi(0, a + b))),
    "binom": Row(mp.binomial, [(5.3, 2.0), (4.0, 2.0), (10.0, 5.0 + 1e-9), (300.0, 1e-5), (1e6, 2.0), (7.0, 7.0 - 1e-8)]),
    "poch": Row(mp.rf, [(0.3, 0.7), (2.0, 3.0), (1e6, 1e-4), (30.0, -2.5), (5.0, 1e-10)]),
    "expit": Row(None, LOGITS, (lambda x: expit(x) * expit(-x),)),
    "logistic_density": Row(lambda x: expit(x) * expit(-x), [x for x in LOGITS if abs(x) != 1e-12]),
    "log_expit": Row(None, [x for x in LOGITS if x > -100], (lambda x: expit(-x),)),
    "softplus": Row(None, [x for x in LOGITS if x < 100], (expit,)),
    "logit": Row(lambda x: mp.log(x / (1 - x)), UNIT),
    "logit_slope": Row(lambda x: 1 / (x * (1 - x)), UNIT),
    "xlogy": Row(xlogy, SHARES),
    "xlog1py": Row(lambda a, b: a * mp.log1p(b), [(0.3, 0.7), (2.0, 1e-9), (1.0, -0.999999), (3.0, 1e8)]),
    "quotient": Row(lambda a, b: a / b, SHARES),
    "log_ratio": Row(lambda a, b: mp.log(a / b), SHARES),
    "shortfall": Row(lambda a, b: (b - a) / b, SHARES),
    "entr": Row(lambda x: -x * mp.log(x), [1e-20, 0.3, 1.0, 50.0]),
    "rel_entr": Row(lambda a, b: a * mp.log(a / b), SHARES),
    "kl_div": Row(lambda a, b: a * mp.log(a / b) - a + b, SHARES),
    "huber": Row(lambda d, r: r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2), HUBER),
    "pseudo_huber": Row(lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1), HUBER),
    "pseudo_huber_r": Row(lambda d, r: d * r / mp.sqrt(d * d + r * r), HUBER[:3]),
    "pseudo_huber_d": Row(lambda d, r: (mp.sqrt(d * d + r * r) - d) ** 2 / mp.sqrt(d * d + r * r), HUBER[:3]),
    "boxcox": Row(power_like, BOX),
    "boxcox1p": Row(lambda x, lam: power_like(1 + x, lam), [(x - 1 if x > 1e-5 else 1e-9, lam) for x, lam in BOX]),
    "inv_boxcox": Row(inverse_power_like, INVERSE_BOX),
    "inv_boxcox1p": Row(lambda y, lam: inverse_power_like(y, lam) - 1, INVERSE_BOX),
    "exprel": Row(fixed(exp_moment, 0), [-1e4, -30.0, -2.9, -1.0, -1e-9, 1e-20, 0.5, 2.9, 3.1, 300.0]),
    "exp_moment": Row(exp_moment, grid((0, 1), [-1e4, -5.0, -1.0, 1e-9, 0.5, 3.5, 300.0])),
    "log_moment": Row(log_moment, grid((1,), [(0.3, 0.7), (2.0, 1e-9), (-14.0, 0.3), (-14.0, -0.3)])),
    "log_mean": Row(log_mean, grid((0, 1), [1e-9, 0.1, 0.69, 0.71, 1 + 1e-9, 1.29, 1.31, 5.0, 1e6])),
    "cosm1": Row(lambda x: mp.cos(x) - 1, EVERYWHERE),
    "expm1": Row(mp.expm1, EVERYWHERE),
    "log1p": Row(mp.log1p, [-0.999999, 1e-12, 0.5, 1e9]),
    "cbrt": Row(mp.cbrt, POSITIVE),
    "exp2": Row(lambda x: mp.mpf(2) ** x, EVERYWHERE),
    "exp10": Row(lambda x: mp.mpf(10) ** x, EVERYWHERE),
    "wrightomega": Row(lambda x: mp.lambertw(mp.exp(x)).real, [-100.0, -3.0, 0.5, 10.0, 1e6]),
    "proper_part": Row(lambda x: x / (1 + x), POSITIVE),
    "spence": Row(None, [1e-9, 0.3, 1 - 1e-9, 1.0, 1 + 1e-6, 2.0, 1e6], (lambda x: mp.log(x) / (1 - x) if x != 1 else mp.mpf(-1),)),
    "expi": Row(mp.ei, [1e-6, 0.5, 3.0, 100.0]),
    "exp1": Row(mp.e1, [1e-6, 0.5, 3.0, 100.0]),
    "powm1": Row(lambda a, b: a**b - 1, [(2.0, 1e-9), (1.0 + 1e-9, 3.0), (0.3, -2.5), (50.0, 2.0)]),
    "j0": Row(fixed(mp.besselj, 0), [1e-8, 0.5, 3.0, 100.0]),
    "j1": Row(fixed(mp.besselj, 1), [-2.0, 1e-8, 0.5, 3.0, 100.0]),
    "jv": Row(mp.besselj, grid((0, 1, 2.5), [1e-3, 0.5, 3.0, 100.0])),
    "jve": Row(mp.besselj, grid((0, 2.5), [1e-3, 0.5, 3.0, 100.0])),
    "y0": Row(fixed(mp.bessely, 0), [1e-8, 0.5, 3.0, 100.0]),
    "y1": Row(fixed(mp.bessely, 1), [1e-8, 0.5, 3.0, 100.0]),
    "yn": Row(mp.bessely, grid((0, 1, 4), [1e-3, 0.5, 3.0, 100.0])),
    "yv": Row(mp.bessely, grid((0, 2.5), [1e-3, 0.5, 3.0, 100.0])),
    "yve": Row(mp.bessely, grid((0, 2.5), [1e-3, 0.5, 3.0, 100.0])),
    "i0": Row(fixed(mp.besseli, 0), [-3.0, 1e-8, 0.5, 300.0]),
    "i1": Row(fixed(mp.besseli, 1), [-3.0, 1e-8, 0.5, 300.0]),
    "iv": Row(mp.besseli, grid((0, 2.5), [1e-3, 0.5, 3.0, 300.0])),
    "i0e": Row(fixed(scaled(mp.besseli, -1), 0), FAR),
    "i1e": Row(fixed(scaled(mp.besseli, -1), 1), FAR),
    "ive": Row(scaled(mp.besseli, -1), grid((0, 2.5, 4), FAR)),
    "ive_derivative": Row(ive_slope, [(1, v, x) for v in (0, 2.5) for x in (0.8, 5.0, 29.0, 40.0, 1e5)], second=1e-10),
    "k0": Row(fixed(mp.besselk, 0), [1e-8, 0.5, 3.0, 300.0]),
    "k1": Row(fixed(mp.besselk, 1), [1e-8, 0.5, 3.0, 300.0]),
    "kn": Row(mp.besselk, grid((0, 1, 4), [1e-3, 0.5, 3.0, 300.0])),
    "kv": Row(mp.besselk, grid((0, 2.5), [1e-3, 0.5, 3.0, 300.0])),
    "k0e": Row(fixed(scaled(mp.besselk, 1), 0), FAR),
    "k1e": Row(fixed(scaled(mp.besselk, 1), 1), FAR),
    "kve": Row(scaled(mp.besselk, 1), grid((0, 2.5, 4), FAR)),
    "kve_derivative": Row(kve_slope, [(1, 0, 0.8), (1, 0, 1e5), (1, 2.5, 29.0), (1, 2.5, 40.0)], second=1e-10),
    "hyp0f1": Row(mp.hyp0f1, grid((1.5, 3), [-0.5, 0.3, 5.0])),
    "hyp1f1": Row(mp.hyp1f1, [(1.5, 2.5, x) for x in (-0.5, 0.3, 5.0)]),
    "hyp2f1": Row(mp.hyp2f1, [(1.5, 0.5, 2.5, x) for x in (-0.5, 0.3, 0.8)]),
    "expn": Row(mp.expint, grid((0, 1, 2, 5), [1e-3, 0.5, 3.0, 100.0])),
    "exp_integral": Row(mp.expint, grid((0, 2), [1e-3, 0.5, 3.0, 100.0])),
    # Incomplete functions: SciPy's values, our densities.
    "gamma_density": Row(gamma_density, TALL),
    "gammainc": Row(None, TALL, (gamma_density,)),
    "gammaincc": Row(None, TALL, (lambda a, x: -gamma_density(a, x),)),
    "chdtr": Row(None, TALL, (lambda v, x: gamma_density(v / 2, x / 2) / 2,)),
    "chdtrc": Row(None, TALL, (lambda v, x: -gamma_density(v / 2, x / 2) / 2,)),
    "pdtr": Row(None, grid((0, 3, 1000), [0.3, 7.0, 900.0]), (lambda k, m: -gamma_density(k + 1, m),)),
    "pdtrc": Row(None, grid((0, 3, 1000), [0.3, 7.0, 900.0]), (lambda k, m: gamma_density(k + 1, m),)),
    "gdtr": Row(None, RATES, (lambda a, b, x: x * gamma_density(b, a * x), lambda a, b, x: a * gamma_density(b, a * x))),
    "gdtrc": Row(None, RATES, (lambda a, b, x: -x * gamma_density(b, a * x), lambda a, b, x: -a * gamma_density(b, a * x))),
    "beta_density": Row(beta_density, BETAS),
    "betainc": Row(None, BETAS, (beta_density,)),
    "betaincc": Row(None, BETAS, (lambda a, b, x: -beta_density(a, b, x),)),
    "nbdtr": Row(None, grid((0, 7, 1000), [(3, 0.2), (40, 0.03)]), (lambda k, n, p: beta_density(n, k + 1, p),)),
    "nbdtrc": Row(None, grid((0, 7, 1000), [(3, 0.2), (40, 0.03)]), (lambda k, n, p: -beta_density(n, k + 1, p),)),
    "fdtr": Row(None, FISHER, (f_density,)),
    "fdtrc": Row(None, FISHER, (lambda a, b, x: -f_density(a, b, x),)),
    "t_density": Row(t_density, STUDENT),
    "stdtr": Row(None, STUDENT, (t_density,)),
}

INVERSES = {
    "erfinv": (lambda y: 2 / mp.sqrt(mp.pi) * mp.exp(-y * y), [-0.99, 1e-9, 0.5, 1 - 1e-10, 1 - 2**-53]),
    "erfcinv": (lambda y: -2 / mp.sqrt(mp.pi) * mp.exp(-y * y), [1e-300, 1e-10, 0.3, 1.0, 1.9]),
    "ndtri": (npdf, [1e-300, 1e-10, 0.3, 0.5, 1 - 1e-10]),
    "ndtri_exp": (lambda y: npdf(y) / ncdf(y), [-1e6, -100.0, -2.0, -0.1, -1e-10]),
    "gammaincinv": (gamma_density, [(2.5, 0.01), (0.7, 0.5), (30.0, 0.99), (1e6, 0.3)]),
    "gammainccinv": (lambda a, y: -gamma_density(a, y), [(2.5, 0.01), (0.7, 0.5), (30.0, 0.99)]),
    "chdtri": (lambda a, y: -gamma_density(a / 2, y / 2) / 2, [(2.5, 0.01), (0.7, 0.5), (60.0, 0.99)]),
    "betaincinv": (beta_density, [(2.5, 0.7, 0.01), (20.0, 30.0, 0.9)]),
    "betainccinv": (lambda a, b, y: -beta_density(a, b, y), [(2.5, 0.7, 0.01), (20.0, 30.0, 0.9)]),
    "fdtri": (f_density, [(3.0, 7.0, 0.3), (20.0, 30.0, 0.9)]),
    "stdtrit": (t_density, [(2.5, 0.1), (30.0, 0.99)]),
}
"""The inverse functions: the slope of what they invert, and points. Judged at SciPy's own value."""

# fmt: on
