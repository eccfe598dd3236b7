"""Writes src/bibun/compiler/coefficients_special.py: the polynomials of the special functions' kernels.

    python -m tests.golden.make_coefficients_special

Fitted as those of make_coefficients.py are. Asymptotic series are fitted too, in t = 1/z² for z >= 4: a polynomial then
serves where the series itself would not yet.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

from tests.golden.make_coefficients import error, polynomial, split

HEADER = '''"""Coefficients of vector_gamma.py and vector_error.py: numbers only.

Written by tests/golden/make_coefficients_special.py; do not edit. A polynomial's coefficients begin with the constant
term.
"""

'''
FROM = 4  # the z from which on the asymptotic forms hold
TINY = mp.mpf("1e-8")  # where forms that cancel in t are taken instead of at 0


def of_square(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of z as one of t = 1/z²; at t = 0 it is taken next to it."""
    return lambda t: f(1 / mp.sqrt(max(t, TINY**2)))


def stirling(z: Any) -> Any:
    """z times what Stirling's formula leaves of log Γ(z)."""
    return z * (mp.loggamma(z) - (z - 0.5) * mp.log(z) + z - mp.log(2 * mp.pi) / 2)


def digamma_rest(z: Any) -> Any:
    return z**2 * (mp.log(z) - 1 / (2 * z) - mp.digamma(z))


def polygamma_rest(n: int) -> Callable[[Any], Any]:
    """What is left of |ψ⁽ⁿ⁾(z)| after two terms of its series, over z⁻ⁿ⁻²."""

    def rest(z: Any) -> Any:
        size = (-1) ** (n + 1) * mp.polygamma(n, z)
        return z ** (n + 2) * (size - mp.factorial(n - 1) / z**n - mp.factorial(n) / 2 / z ** (n + 1))

    return rest


def ierfc(n: int, x: Any) -> Any:
    """exp(x²) iⁿerfc(x), by the parabolic cylinder function."""
    half = mp.exp(x * x / 2) * mp.pcfu(n + mp.mpf(1) / 2, mp.sqrt(2) * x)
    return half * mp.sqrt(2 / mp.pi) / mp.sqrt(mp.mpf(2) ** n)


def half_line(n: int, k: Any) -> Callable[[Any], Any]:
    """(1 + 2x)ⁿ⁺¹ exp(x²) iⁿerfc(x) for x >= 0 as a function of (x - k) / (x + k) in [-1, 1]."""

    def g(s: Any) -> Any:
        x = k * (1 + s) / (1 - min(s, 1 - TINY**2))
        return (1 + 2 * x) ** (n + 1) * ierfc(n, x)

    return g


def mean(top: Callable[[Any], Any], power: int) -> Callable[[Any], Any]:
    """∫ top(τ) / (1 + xτ)^power dτ over [0, 1] as a function of s = x / (2 + x)."""

    def g(s: Any) -> Any:
        x = 2 * s / (1 - s)
        return mp.quad(lambda tau: top(tau) / (1 + x * tau) ** power, [0, 1])

    return g


def wanted() -> dict[str, tuple[Callable[[Any], Any], Any, Any, int]]:
    """The functions, where they are fitted and the degrees."""
    end = mp.mpf(1) / FROM**2
    root = mp.findroot(mp.digamma, mp.mpf("1.4616"))

    def around_two(v: Any) -> Any:
        u = v + mp.mpf("1.75")
        return mp.loggamma(u) / (u - 2) if abs(u - 2) > TINY**2 else mp.digamma(2)

    def around_root(v: Any) -> Any:
        u = v + mp.mpf("1.5")
        return mp.digamma(u) / (u - root) if abs(u - root) > TINY**2 else mp.polygamma(1, root)

    table: dict[str, tuple[Callable[[Any], Any], Any, Any, int]] = {
        "GAMMALN": (around_two, -0.5, 0.5, 19),
        "STIRLING": (of_square(stirling), 0, end, 9),
        "DIGAMMA": (around_root, -0.5, 0.5, 22),
        "DIGAMMA_REST": (of_square(digamma_rest), 0, end, 10),
        "ERF": (lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) if z else 2 / mp.sqrt(mp.pi), 0, 1, 12),
        "ERFCX": (lambda t: half_line(0, 4)(t) - 1, -1, 1, 23),
        "IERFC_1": (half_line(1, 4), -1, 1, 25),
        "IERFC_2": (half_line(2, 4), -1, 1, 27),
    }
    for n in (1, 2, 3):
        table[f"POLYGAMMA_{n}"] = of_square(polygamma_rest(n)), 0, end, 8 + 2 * n
        # below 0 the mean of (1 - t)ⁿ exp(-xt) times exp(x): all terms have one sign
        table[f"EXP_MEAN_{n}"] = lambda x, n=n: mp.hyp1f1(n + 1, n + 2, x) / (n + 1), 0, 2 + n, 14 + 2 * n
        table[f"EXP_MEAN_BACK_{n}"] = lambda x, n=n: mp.hyp1f1(1, n + 2, x) / (n + 1), 0, 2 + n, 14 + 2 * n
        table[f"LOG_MEAN_{n}"] = mean(lambda tau, n=n: tau**n, n + 1), -mp.mpf(1) / 3, mp.mpf(1) / 3, 20 + 2 * n
    table["RISING_0"] = mean(lambda tau: 1 - tau, 1), 0, 0.5, 17
    table["RISING_1"] = mean(lambda tau: tau, 1), 0, 0.5, 16
    table["RISING_2"] = mean(lambda tau: tau**2, 2), 0, 0.5, 17
    return table


def main() -> None:
    """Write the file."""
    lines = []
    mp.mp.dps = 70
    for name, (f, low, high, degree) in wanted().items():
        c = polynomial(f, low, high, degree)
        print(f"{name:14} degree {degree:2}, largest error {error(f, low, high, c):.1e}", flush=True)
        lines += [f"{name} = (", *(f"    {v!r}," for v in c), ")"]
    root = mp.findroot(mp.digamma, mp.mpf("1.4616")) - mp.mpf("1.5")
    lines.append(f"DIGAMMA_ROOT = {tuple(split(root))!r}")
    lines.append(f"HALF_LOG_TAU = {float(mp.log(2 * mp.pi) / 2)!r}")
    path = Path(__file__).parents[2] / "src/bibun/compiler/coefficients_special.py"
    path.write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
