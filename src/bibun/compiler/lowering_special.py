"""SciPy's functions, and those of rules/special_*.py and stats/exact.py, written with what kernels know: a line each.

What has vector code (gammaln, ndtr, …) or is called lane by lane (vector_special.py) needs no line. Logistic functions
have the form of lowering_ufuncs.decay, so that one program computes one exp(-|x|). A new line goes here. Imports
scalar_math.py, lowering_ufuncs.py and the vector functions.
"""

import math
from typing import Any

from . import vector_special  # noqa: F401  (registers the functions)
from .expression import Expression
from .lowering_ufuncs import softmax_of_two
from .scalar_math import LOWERED, m

__all__: list[str] = []

ROOT_HALF = math.sqrt(0.5)


def order(n: Any) -> int | None:
    """A fixed order as an int; None where it is not one."""
    value = n.number if isinstance(n, Expression) and n.op == "number" else n
    if isinstance(value, Expression) or value != int(value):
        return None
    return int(value)


def positive(x: Any) -> Expression:
    return m.greater(x, 0.0)


def horner(coefficients: list[float], x: Expression) -> Any:
    y: Any = coefficients[-1]
    for c in coefficients[-2::-1]:
        y = y * x + c
    return y


def whole_power(x: Expression, n: int) -> Any:
    """x ** n for an int n, by squaring."""
    if n <= 0:
        return 1.0 if n == 0 else 1.0 / whole_power(x, -n)
    half = whole_power(x, n // 2)
    return (half * half if n > 1 else 1.0) * x if n % 2 else half * half


# --- logistic functions ----------------------------------------------------------------------------------------------


def logistic_density(x: Expression) -> Expression:
    e = m.exp(-m.absolute(x))
    whole = 1.0 / (1.0 + e)
    return e * whole * whole


def logit(x: Expression) -> Expression:
    rest = 1.0 - x
    near = m.log1p((2.0 * x - 1.0) / rest)
    return m.where(m.less(m.absolute(x - 0.5), 0.25), near, m.log(x / rest))


LOWERED["expit"] = lambda x: softmax_of_two(x, 0.0)
LOWERED["softplus"] = lambda x: m.logaddexp(x, 0.0)
LOWERED["log_expit"] = lambda x: -m.logaddexp(-x, 0.0)
LOWERED["logistic_density"] = logistic_density
LOWERED["logit"] = logit
LOWERED["logit_slope"] = lambda x: 1.0 / (x * (1.0 - x))

# --- entropies, losses -----------------------------------------------------------------------------------------------


def log_ratio(a: Expression, b: Expression) -> Expression:
    close = m.logical_and(m.less(a, 2.0 * b), m.less(b, 2.0 * a))
    return m.where(close, m.log1p((a - b) / b), m.log(a) - m.log(b))


def times_log(a: Any, b: Any, y: Any) -> Expression:
    """a y, and 0 where a is 0, unless b is NaN."""
    return m.where(m.logical_and(m.equal(a, 0.0), m.equal(b, b)), 0.0, a * y)


def entr(x: Expression) -> Expression:
    y = m.where(m.less(x, 0.0), -math.inf, -x * m.log(x))
    return m.where(m.equal(x, 0.0), 0.0, y)


def divergence(a: Expression, b: Expression, y: Expression, at_zero: Any) -> Expression:
    """y where both are positive, `at_zero` where a is 0, infinite elsewhere; NaN of NaN."""
    zero = m.logical_and(m.equal(a, 0.0), m.greater_equal(b, 0.0))
    y = m.where(m.logical_and(positive(a), positive(b)), y, m.where(zero, at_zero, math.inf))
    return m.where(m.logical_or(m.isnan(a), m.isnan(b)), math.nan, y)


def huber(d: Expression, r: Expression) -> Expression:
    size = m.absolute(r)
    y = m.where(m.less_equal(size, d), 0.5 * r * r, d * (size - 0.5 * d))
    return m.where(m.less(d, 0.0), math.inf, y)


def pseudo_huber(d: Expression, r: Expression) -> Expression:
    y = d * (r * (r / (m.hypot(d, r) + d)))
    size = m.absolute(r)
    y = m.where(m.logical_and(m.equal(size, math.inf), m.less(d, math.inf)), math.inf, y)
    y = m.where(m.logical_or(m.equal(d, 0.0), m.equal(r, 0.0)), 0.0, y)
    return m.where(m.less(d, 0.0), math.inf, y)


def pseudo_huber_d(d: Expression, r: Expression) -> Expression:
    s = m.hypot(d, r)
    rise = r * (r / (s + d))
    return rise * (rise / s)


LOWERED["xlogy"] = lambda a, b: times_log(a, b, m.log(b) if isinstance(b, Expression) else math.log(b))
LOWERED["xlog1py"] = lambda a, b: times_log(a, b, m.log1p(b) if isinstance(b, Expression) else math.log1p(b))
LOWERED["quotient"] = lambda a, b: m.where(m.logical_and(m.equal(a, 0.0), m.equal(b, 0.0)), 0.0, a / b)
LOWERED["log_ratio"] = log_ratio
LOWERED["shortfall"] = lambda a, b: m.where(m.equal(a, 0.0), 1.0, (b - a) / b)
LOWERED["entr"] = entr
LOWERED["rel_entr"] = lambda a, b: divergence(a, b, a * log_ratio(a, b), 0.0)
LOWERED["kl_div"] = lambda a, b: divergence(a, b, a * log_ratio(a, b) - a + b, b)
LOWERED["huber"] = huber
LOWERED["pseudo_huber"] = pseudo_huber
LOWERED["pseudo_huber_r"] = lambda d, r: r * (d / m.hypot(d, r))
LOWERED["pseudo_huber_d"] = pseudo_huber_d
LOWERED["proper_part"] = lambda x: m.where(m.equal(x, math.inf), 1.0, x / (1.0 + x))

# --- exponentials, Box-Cox -------------------------------------------------------------------------------------------


def log1mexp(x: Expression) -> Expression:
    """Of the two forms only one logarithm: of -expm1(-x), or of 1 - exp(-x)."""
    e = -m.expm1(-x)
    return m.where(m.less(x, math.log(2)), m.log(e), m.log1p(-m.exp(-x)))


def exp_moment(n: Any, x: Expression) -> Any:
    n = order(n)
    if n is None or not 0 <= n <= 3:
        return None
    return m.exp_power_mean(n, x) if n else m.exprel(x)


def log_moment(n: Any, a: Expression, b: Expression) -> Any:
    n = order(n)
    if n is None or not 0 <= n <= 3:
        return None
    limit = math.factorial(n) * whole_power(-1.0 / b, n + 1)
    moment = m.exp_power_mean(n, a * b) if n else m.exprel(a * b)
    y = whole_power(a, n + 1) * moment
    return m.where(m.logical_and(m.equal(a, -math.inf), m.greater(b, 0.0)), limit, y)


def log_mean(n: Any, x: Expression) -> Any:
    n = order(n)
    return None if n is None or not 0 <= n <= 3 else m.log1p_mean(n, x - 1.0)


def boxcox_of(log: Expression, power: Expression) -> Expression:
    """(exp(power log) - 1) / power, and its limit: the logarithm."""
    t = power * log
    far = m.copysign(m.exp(t - m.log(m.absolute(power))), power) - 1.0 / power
    y = m.where(m.less(t, 709.78), m.expm1(t) / power, far)
    return m.where(m.less(m.absolute(power), 1e-19), log, y)


def log_of_boxcox(y: Expression, power: Expression) -> Expression:
    """log(1 + power y) / power, and its limit y."""
    t = power * y
    far = (m.log(m.copysign(1.0, power) * (y + 1.0 / power)) + m.log(m.absolute(power))) / power
    return m.where(m.equal(power, 0.0), y, m.where(m.less(t, 1.79e308), m.log1p(t) / power, far))


def inv_boxcox1p(y: Expression, power: Expression) -> Expression:
    small = m.logical_and(m.less(m.absolute(power * y), 1e-154), m.not_equal(power, 0.0))
    return m.where(small, y, m.expm1(log_of_boxcox(y, power)))


def cosm1(x: Expression) -> Expression:
    s = m.sin(0.5 * x)
    return -2.0 * s * s


LOWERED["bose"] = lambda x: 1.0 / m.expm1(x)
LOWERED["log1mexp"] = log1mexp
LOWERED["exp10"] = lambda x: m.pow(x.home.number(10.0), x)
LOWERED["cosm1"] = cosm1
LOWERED["exp_moment"] = exp_moment
LOWERED["log_moment"] = log_moment
LOWERED["log_mean"] = log_mean
LOWERED["boxcox"] = lambda x, power: boxcox_of(m.log(x), power)
LOWERED["boxcox1p"] = lambda x, power: boxcox_of(m.log1p(x), power)
LOWERED["inv_boxcox"] = lambda y, power: m.exp(log_of_boxcox(y, power))
LOWERED["inv_boxcox1p"] = inv_boxcox1p

# --- the gamma function's relatives ----------------------------------------------------------------------------------

POLYGAMMA = ("psi", "trigamma", "tetragamma", "pentagamma")


def polygamma(n: Any, x: Expression) -> Any:
    n = order(n)
    return None if n is None or not 0 <= n <= 3 else getattr(m, POLYGAMMA[n])(x)


def bernoulli(n: int) -> float:
    """The n-th Bernoulli number, n = 2, 4, …, 20."""
    from ..rules.special_gamma import BERNOULLI  # which imports SciPy

    return float(BERNOULLI[n // 2 - 1])


def student_constant(n: Any, a: Expression) -> Any:
    """By log B or differences of ψ below 30, by the asymptotic series from there on."""
    n = order(n)
    if n is None or not 0 <= n <= 2:
        return None
    x = 0.5 * a
    if n == 0:
        near = 0.5 * math.log(2 * math.pi) - m.log_beta(x, 0.5) - 0.5 * m.log(a)
    else:
        rest = (-1) ** n * math.factorial(n - 1) / 2 * whole_power(a, -n)
        near = m.polygamma_step(n - 1, x, 0.5) / 2.0**n + rest
    inverse = 1.0 / x
    steps = [(k, (2.0**-k - 2) * bernoulli(k + 1) / (k * (k + 1))) for k in range(1, 20, 2)]
    terms = [c * (-1) ** n * math.perm(k + n - 1, n) for k, c in steps]
    far = horner(terms, inverse * inverse) * whole_power(inverse, n + 1) / 2.0**n
    return m.where(m.less(a, 30.0), near, far)


def digamma_step(n: Any, a: Expression, b: Expression) -> Any:
    n = order(n)
    if n is None or not 0 <= n <= 1:
        return None if n is None or not 0 <= n <= 3 else polygamma(n, a + b) - polygamma(n, a)
    return m.polygamma_step(n, a, b)


def rising(n: Any, k: Expression, a: Expression) -> Any:
    n = order(n)
    return None if n is None or not 0 <= n <= 2 else m.log_rising(n, k, a)


def zeta_moment(n: Any, a: Expression) -> Any:
    """The first terms, and the Euler-Maclaurin formula for the others."""
    n = order(n)
    if n is None or not 0 <= n <= 3:
        return None
    first, log, b = 16, math.log(16), a - 1.0
    total: Any = 1.0 if n == 0 else 0.0
    for k in range(2, first):
        total = total + math.log(k) ** n * m.exp(-math.log(k) * a)
    rest: Any = sum((math.perm(n, n - i) * log**i / whole_power(b, n - i + 1) for i in range(n + 1)), 0.0)
    scale = m.exp(-log * a)
    total = total + rest * scale * float(first) + 0.5 * log**n * scale
    powers: list[Any] = [0.0] * n + [1.0]
    for j in range(20):
        shifted = [*powers[1:], 0.0]
        powers = [(i + 1.0) * q - (a + float(j)) * p for i, (p, q) in enumerate(zip(powers, shifted, strict=True))]
        if j % 2 == 0:
            f = sum((p * log**i for i, p in enumerate(powers)), 0.0) * scale
            total = total - bernoulli(j + 2) / math.factorial(j + 2) * float(first) ** -(j + 1) * f
    return total


LOWERED["polygamma"] = polygamma
LOWERED["digamma_step"] = digamma_step
LOWERED["rising"] = rising
LOWERED["student_constant"] = student_constant
LOWERED["student_kernel"] = lambda a, w: -0.5 * (a + 1.0) * m.log1p(w / a)
LOWERED["zeta_moment"] = zeta_moment

# --- densities -------------------------------------------------------------------------------------------------------

LARGE = 10.0
"""Parameters from here on take Loader's saddle-point form, as in rules/special_incomplete.py."""


def gamma_density(a: Any, x: Any) -> Expression:
    direct = m.exp(times_log(a - 1.0, x, m.log(x)) - x - m.gammaln(a))
    saddle = m.exp(a * m.log1p_rest((x - a) / a) - m.stirling_rest(a)) * m.sqrt(a / (2 * math.pi)) / x
    plain = m.logical_or(m.less(a, LARGE), m.less_equal(x, 0.0))
    return m.where(m.less(x, 0.0), 0.0, m.where(plain, direct, saddle))


def beta_density(a: Any, b: Any, x: Any) -> Expression:
    n, d = a + b, b * x - a * (1.0 - x)
    powers = times_log(a - 1.0, x, m.log(x)) + times_log(b - 1.0, -x, m.log1p(-x))
    direct = m.exp(powers - m.log_beta(a, b))
    rest = m.stirling_rest(n) - m.stirling_rest(a) - m.stirling_rest(b)
    exponent = a * m.log1p_rest(d / a) + b * m.log1p_rest(-d / b) + rest
    saddle = m.exp(exponent) * m.sqrt(a / n * b / (2 * math.pi)) / (x * (1.0 - x))
    inside = m.logical_and(m.greater(x, 0.0), m.less(x, 1.0))
    saddled = m.logical_and(m.greater_equal(m.minimum(a, b), LARGE), inside)
    outside = m.logical_or(m.less(x, 0.0), m.greater(x, 1.0))
    return m.where(outside, 0.0, m.where(saddled, saddle, direct))


def t_density(a: Any, x: Any) -> Expression:
    normal = m.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    y = m.exp(-0.5 * (a + 1.0) * m.log1p(x * x / a) - m.log_beta(0.5 * a, 0.5)) / m.sqrt(a)
    return m.where(m.equal(a, math.inf), normal, y)


def of_numbers(line: Any) -> Any:
    """The line, whose parameters may be given as Python ints: they are numbers, no orders."""

    def with_numbers(*args: Any) -> Any:
        return line(*[a if isinstance(a, Expression) else args[-1].home.number(a) for a in args])

    return with_numbers


for density in (gamma_density, beta_density, t_density):
    LOWERED[density.__name__] = of_numbers(density)

# --- error functions -------------------------------------------------------------------------------------------------


def halved_negative(u: Any) -> Any:
    """x where u is x (-1/√2), as rules/special_error.py writes it; else None."""
    if isinstance(u, Expression):
        if u.op == "multiply":
            for x, factor in (u.args, u.args[::-1]):
                if factor.op == "number" and abs(factor.number + ROOT_HALF) < 1e-15:
                    return x
                if factor.op == "number" and abs(factor.number - ROOT_HALF) < 1e-15:
                    return -x
        if u.op == "negative" and (x := halved_negative(u.args[0])) is not None:
            return -x
    return None


def ierfc_ratio(n: Any, u: Expression) -> Any:
    """The slope of inverse_mills asks for it at -x/√2: there it shares all that log_ndtr(x) has."""
    n = order(n)
    if n == 1 and (x := halved_negative(u)) is not None:
        return m.mills_excess(x) * ROOT_HALF
    return m.ierfc_quotient(n, u) if n in (1, 2) else None


LOWERED["ierfc_ratio"] = ierfc_ratio
LOWERED["ierfc_scaled"] = lambda n, x: m.ierfc_product(order(n), x) if order(n) in (1, 2) else None


def dawsn_derivative(n: Any, x: Expression) -> Any:
    n = order(n)
    if n is None or not 1 <= n <= 4:
        return None
    before = m.dawsn(x)
    near = 1.0 - 2.0 * x * before
    for k in range(1, n):
        before, near = near, -2.0 * x * near - 2.0 * k * before
    rising = [math.prod(range(2 * k + 1, 2 * k + 1 + n)) for k in range(36)]
    terms = [math.prod(range(2 * k - 1, 0, -2)) * r / 2 ** (k + 1) for k, r in enumerate(rising)]
    u = 1.0 / x
    return m.where(m.less(m.absolute(x), 6.5), near, whole_power(-u, n) * u * horner(terms, u * u))


LOWERED["dawsn_derivative"] = dawsn_derivative

# --- Bessel functions ------------------------------------------------------------------------------------------------

TERMS = 30


def bessel_far(sign: int, n: int, v: int, x: Expression) -> Expression:
    """The n-th derivative of the asymptotic series of e⁻ˣIᵥ or eˣKᵥ, as rules/special_bessel.py has it."""
    coefficients, c = [], 1.0
    for k in range(TERMS):
        coefficients.append(c * math.prod(-0.5 - k - j for j in range(n)))
        c *= sign * (4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1))
    inverse = 1.0 / x
    y: Expression = horner(coefficients, inverse) * whole_power(inverse, n) * m.sqrt(inverse)
    return y


def bessel_near(sign: int, n: int, v: int, f: Any) -> Any:
    if n == 0:
        return f(abs(v))
    low, high, here = (bessel_near(sign, n - 1, u, f) for u in (v - 1, v + 1, v))
    return sign * ((low + high) * 0.5 - here)


def bessel_derivative(name: str, sign: int, factor: float) -> Any:
    def line(n: Any, v: Any, x: Expression) -> Any:
        n, v = order(n), order(v)
        if n is None or v is None or not 0 <= n <= 3:
            return None
        size = m.absolute(x)
        near = bessel_near(sign, n, v, lambda u: getattr(m, name)(x.home.number(u), size))
        y = m.where(m.greater(size, 20 + v * v / 2), bessel_far(-sign, n, v, size) * factor, near)
        if name == "kve":
            return m.where(m.less(x, 0.0), math.nan, y)
        odd = (v + n) % 2 == 1
        y = m.where(m.less(x, 0.0), -y, y) if odd else y
        return m.where(m.equal(x, 0.0), 0.0 * y, y) if odd else y

    return line


LOWERED["ive_derivative"] = bessel_derivative("ive", 1, 1 / math.sqrt(2 * math.pi))
LOWERED["kve_derivative"] = bessel_derivative("kve", -1, math.sqrt(math.pi / 2))


def exp_integral(n: Any, x: Expression) -> Any:
    n = order(n)
    if n is None or n < -8:
        return None
    y = m.expn(x.home.number(max(n, 0)), x)
    for k in range(1, 1 - n):
        y = (m.exp(-x) + float(k) * y) / x
    return y


LOWERED["exp_integral"] = exp_integral
