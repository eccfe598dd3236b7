"""Moments as vector code: of exponentials (exprel, Box-Cox), of 1/(1 + wt) (logarithms near 1), and sums of logarithms.

Near 0 each is a polynomial, beyond a quotient that would cancel there. Coefficients: coefficients_special.py.
tests/units/compiler/test_vector_special.py holds the largest errors. Imports ir.py, vector_math.py, vector_gamma.py.
"""

import math

from . import coefficients as c
from . import coefficients_special as s
from .ir import Builder, vector
from .vector_gamma import polynomial
from .vector_math import exp, expm1, log1p

__all__: list[str] = []

EXP_MEAN = {
    1: (s.EXP_MEAN_1, s.EXP_MEAN_BACK_1),
    2: (s.EXP_MEAN_2, s.EXP_MEAN_BACK_2),
    3: (s.EXP_MEAN_3, s.EXP_MEAN_BACK_3),
}
LOG_MEAN = {1: s.LOG_MEAN_1, 2: s.LOG_MEAN_2, 3: s.LOG_MEAN_3}


@vector("exprel")
def exprel(b: Builder, x: str) -> str:
    """(exp(x) - 1) / x, and 1 at 0."""
    one = b.number(1.0)
    y = b.div(expm1(b, x), x)
    y = b.select(b.compare("olt", b.abs(x), b.number(1e-17)), one, y)
    return b.select(b.compare("ogt", x, b.number(717.0)), b.number(math.inf), y)


@vector("exp_power_mean")
def exp_moment(b: Builder, n: int, x: str) -> str:
    """∫₀¹ tⁿ exp(x t) dt, n = 1, 2, 3."""
    far, e, size = exprel(b, x), exp(b, x), b.abs(x)
    onward, back = (polynomial(b, size, p) for p in EXP_MEAN[n])
    near = b.select(b.compare("olt", x, b.number(0.0)), b.mul(e, back), onward)
    for m in range(1, n + 1):
        far = b.div(b.sub(e, far if m == 1 else b.mul(far, b.number(float(m)))), x)
    return b.select(b.compare("olt", size, b.number(2.0 + n)), near, far)


@vector("log1p_mean")
def log1p_mean(b: Builder, n: int, w: str) -> str:
    """∫₀¹ tⁿ / (1 + w t)ⁿ⁺¹ dt, n = 0, …, 3: of w = x - 1 the function log_mean of x."""
    one = b.number(1.0)
    far = b.div(log1p(b, w), w)
    if n == 0:
        return b.select(b.compare("olt", b.abs(w), b.number(1e-300)), one, far)
    x = b.add(one, w)
    inverse = b.div(one, x)
    power = one
    for m in range(1, n + 1):
        power = b.mul(power, inverse)
        far = b.div(b.sub(far, power if m == 1 else b.mul(power, b.number(1 / m))), w)
    near = polynomial(b, b.div(w, b.add(w, b.number(2.0))), LOG_MEAN[n])
    middle = b.both(b.compare("ogt", w, b.number(-0.5)), b.compare("olt", w, one))
    return b.select(middle, near, far)


@vector("lag")
def lag(b: Builder, x: str) -> str:
    """log(1 + x) - x / (1 + x), which begins as x²/2; of x >= 0, in whose place 0 stands for what is negative."""
    near = b.mul(b.mul(x, x), polynomial(b, b.div(x, b.add(x, b.number(2.0))), s.LOG_MEAN_1))
    one = b.number(1.0)
    far = b.sub(log1p(b, x), b.sub(one, b.div(one, b.add(one, x))))
    middle = b.both(b.compare("ogt", x, b.number(-0.5)), b.compare("olt", x, one))
    return b.select(middle, near, far)


@vector("log1p_rest")
def log1p_rest(b: Builder, x: str) -> str:
    """log(1 + x) - x, which begins as -x²/2."""
    q = b.div(x, b.add(x, b.number(2.0)))
    z, half = b.mul(q, q), b.mul(b.mul(x, x), b.number(0.5))
    near = b.sub(b.mul(q, b.fma(z, polynomial(b, z, c.LOG), half)), half)
    middle = b.both(b.compare("ogt", x, b.number(-0.29)), b.compare("olt", x, b.number(0.41)))
    return b.select(middle, near, b.sub(log1p(b, x), x))


# --- Σ log(1 + j a) --------------------------------------------------------------------------------------------------

HEAD = 4


@vector("log_rising")
def rising(b: Builder, n: int, k: str, a: str) -> str:
    """The n-th derivative in `a` of Σ log(1 + j a) over j = 0, …, k - 1, for a >= 0, n = 0, 1, 2.

    The terms to j = 3 as they are, the others by the Euler-Maclaurin formula: an integral, which is no difference but a
    polynomial where x = (k - 4) a / (1 + 4 a) is small, and what the asymptotic forms of log Γ, ψ, ψ' add.
    """
    one = b.number(1.0)
    start = b.fma(a, b.number(float(HEAD)), one)
    count = b.sub(k, b.number(float(HEAD)))
    count = b.larger(count, b.number(0.0))
    inverse = b.div(one, start)
    x = b.mul(b.mul(count, a), inverse)
    end = b.div(inverse, b.add(one, x))  # 1 / (1 + k a)
    tail = _TAILS[n](b, a, count, x, inverse, end)
    tail = b.select(b.compare("ogt", k, b.number(float(HEAD))), tail, b.number(0.0))
    y = b.add(tail, _head(b, n, k, a))
    y = b.select(b.compare("olt", k, b.number(2.0)), b.number(0.0), y)
    return b.select(b.compare("uno", k, a), b.add(k, a), y)


def _head(b: Builder, n: int, k: str, a: str) -> str:
    """The terms j = 1, 2, 3 < k."""
    above = [b.compare("oge", k, b.number(j + 1.0)) for j in (1, 2, 3)]
    if n == 0:  # the logarithm of a product, less 1
        two, three = b.number(2.0), b.number(3.0)
        third = b.fma(a, b.number(6.0), b.number(11.0))
        p = b.select(above[2], b.fma(third, a, b.number(6.0)), b.select(above[1], b.fma(a, two, three), b.number(1.0)))
        return log1p(b, b.mul(p, a))
    total = b.number(0.0)
    for j, mask in zip((1, 2, 3), above, strict=True):
        term = b.div(b.number(float(j)), b.fma(a, b.number(float(j)), b.number(1.0)))
        term = b.neg(b.mul(term, term)) if n == 2 else term
        total = b.add(total, b.select(mask, term, b.number(0.0)))
    return total


def _integral(b: Builder, n: int, x: str) -> str:
    """∫₀¹ (1 - t)/(1 + x t), t/(1 + x t) or t²/(1 + x t)² dt for n = 0, 1, 2."""
    one = b.number(1.0)
    near = polynomial(b, b.div(x, b.add(x, b.number(2.0))), (s.RISING_0, s.RISING_1, s.RISING_2)[n])
    log = log1p(b, x)
    if n == 0:
        far = b.div(b.sub(b.fma(log, b.div(one, x), log), one), x)
    elif n == 1:
        far = b.div(b.sub(one, b.div(log, x)), x)
    else:
        y = b.add(one, b.div(one, b.add(one, x)))
        far = b.div(b.div(b.sub(y, b.div(b.add(log, log), x)), x), x)
    return b.select(b.compare("olt", x, b.number(2.0)), near, far)


def _tail_0(b: Builder, a: str, count: str, x: str, inverse: str, end: str) -> str:
    """x k' I(x) - log(1 + x)/2 + k' log(1 + 4 a) + the rest of log Γ at 1/a + k, less that at 1/a + 4."""
    u, v = b.mul(a, inverse), b.mul(a, end)
    rest = b.sub(b.mul(polynomial(b, b.mul(v, v), s.STIRLING), v), b.mul(polynomial(b, b.mul(u, u), s.STIRLING), u))
    y = b.fma(b.mul(count, x), _integral(b, 0, x), b.fma(log1p(b, x), b.number(-0.5), rest))
    return b.fma(count, log1p(b, b.mul(a, b.number(float(HEAD)))), y)


def _tail_1(b: Builder, a: str, count: str, x: str, inverse: str, end: str) -> str:
    """The integral of (4 + i) / (1 + 4 a + i a) over i = 0 … k', half the last term less the first, and the rest."""
    u, v = b.mul(a, inverse), b.mul(a, end)
    k = b.add(count, b.number(float(HEAD)))
    mean = b.fma(log1p_mean(b, 0, x), b.number(float(HEAD)), b.mul(count, _integral(b, 1, x)))
    first, last = b.mul(inverse, inverse), b.mul(end, end)
    rest = b.mul(last, polynomial(b, b.mul(v, v), s.DIGAMMA_REST))
    rest = b.sub(rest, b.mul(first, polynomial(b, b.mul(u, u), s.DIGAMMA_REST)))
    ends = b.sub(b.mul(k, end), b.mul(inverse, b.number(float(HEAD))))
    return b.fma(b.mul(count, inverse), mean, b.fma(ends, b.number(-0.5), rest))


def _tail_2(b: Builder, a: str, count: str, x: str, inverse: str, end: str) -> str:
    """The same of -(4 + i)² / (1 + 4 a + i a)²."""
    k = b.add(count, b.number(float(HEAD)))
    mean = b.mul(b.div(b.number(1.0), b.add(x, b.number(1.0))), b.number(16.0))
    mean = b.fma(b.mul(count, b.number(8.0)), log1p_mean(b, 1, x), mean)
    mean = b.fma(b.mul(count, count), _integral(b, 2, x), mean)
    first, last = b.mul(inverse, b.number(float(HEAD))), b.mul(k, end)
    ends = b.sub(b.mul(last, last), b.mul(first, first))
    rest = b.sub(_bernoulli_2(b, a, k, end), _bernoulli_2(b, a, b.number(float(HEAD)), inverse))
    y = b.fma(b.mul(count, b.mul(inverse, inverse)), mean, b.fma(ends, b.number(-0.5), rest))
    return b.neg(y)


def _bernoulli_2(b: Builder, a: str, y: str, w: str) -> str:
    """Σ over q of B₂q/(2q)! times the (2q - 1)-th derivative of y²/(1 + y a)², in w = 1/(1 + y a).

    It is Σ B₂q/(2q) a^(2q-3) w^2q (2 - 2q w), and Σ B₂q/(2q) t^(q-1) the polynomial of ψ: its first term apart, since
    2 - 2w = 2 a y w, the others by the polynomial and its derivative.
    """
    begin, *others = s.DIGAMMA_REST
    v = b.mul(a, w)
    t = b.mul(v, v)
    plain = polynomial(b, t, others)
    weighted = polynomial(b, t, [(q + 2) * x for q, x in enumerate(others)])
    square = b.mul(w, w)
    first = b.mul(b.mul(b.mul(square, w), y), b.number(2 * begin))
    rest = b.fma(b.mul(weighted, w), b.number(-2.0), b.mul(plain, b.number(2.0)))
    return b.fma(b.mul(b.mul(a, square), square), rest, first)


_TAILS = (_tail_0, _tail_1, _tail_2)
