"""Writes src/bibun/compiler/coefficients.py: the polynomials of the kernels' functions, computed with mpmath.

    python tests/golden/make_coefficients.py

A polynomial is fitted by least squares at Chebyshev points, which comes close to the best there is. Its coefficients are
rounded to doubles one after the other, from the constant term on, and after each the others are fitted anew, so that
they take up what the rounding left.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

HEADER = '''"""Coefficients of vector_math.py: numbers only.

Written by tests/golden/make_coefficients.py; do not edit. A polynomial's coefficients begin with the constant term.
"""

'''


def polynomial(f: Callable[[Any], Any], low: Any, high: Any, degree: int, first: float | None = None) -> list[float]:
    """A polynomial close to the best, in doubles; `first`: its constant term, if that is to be exact."""
    low, high, n = mp.mpf(low), mp.mpf(high), 4 * (degree + 1)
    points = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    rest = mp.matrix([f(x) for x in points])
    found: list[float] = []
    for k in range(degree + 1):
        powers = mp.matrix(n, degree + 1 - k)
        for i, x in enumerate(points):
            for j in range(k, degree + 1):
                powers[i, j - k] = x**j
        c = float(mp.lu_solve(powers.T * powers, powers.T * rest)[0])
        c = first if k == 0 and first is not None else c
        found.append(c)
        rest -= mp.matrix([c * x**k for x in points])
    return found


def error(f: Callable[[Any], Any], low: Any, high: Any, c: list[float]) -> float:
    """The largest difference of the polynomial from f."""
    low, high = mp.mpf(low), mp.mpf(high)
    points = [low + (high - low) * (k + mp.mpf("0.37")) / 300 for k in range(300)]
    return float(max(abs(mp.polyval([mp.mpf(v) for v in c[::-1]], x) - f(x)) for x in points))


def parts(value: Any, bits: int, n: int) -> list[float]:
    """A number as a sum of n doubles, all but the last of `bits` bits."""
    out = []
    for _ in range(n - 1):
        exponent = mp.floor(mp.log(abs(value), 2)) + 1 - bits
        out.append(float(mp.nint(value / mp.mpf(2) ** exponent) * mp.mpf(2) ** exponent))
        value -= mp.mpf(out[-1])
    return [*out, float(value)]


def split(value: Any) -> list[float]:
    """A number as the sum of two doubles."""
    return [float(value), float(value - mp.mpf(float(value)))]


def atanh_tail(z: Any) -> Any:
    """(2 atanh(s) / s - 2) / z, s the root of z."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def table() -> dict[str, Any]:
    """Every polynomial and constant, by name."""
    half_ln2 = mp.log(2) / 2 * mp.mpf("1.0001")
    log_z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.0001")
    quarter = mp.pi / 4 * mp.mpf("1.0001")
    atan_z = mp.mpf("0.41422") ** 2

    def root(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda z: f(mp.sqrt(z))

    wanted: dict[str, tuple[Callable[[Any], Any], Any, Any, int]] = {
        "EXP": (lambda r: (mp.exp(r) - 1 - r) / r**2, -half_ln2, half_ln2, 10),
        "LOG": (atanh_tail, 0, log_z, 6),
        "LOG1P_UNIT": (atanh_tail, 0, mp.mpf(1) / 9, 9),
        "LOG_TAIL": (lambda z: (atanh_tail(z) / 2 - mp.mpf(1) / 3) / z, 0, log_z, 6),
        "SIN": (root(lambda r: (mp.sin(r) / r - 1) / r**2), 0, quarter**2, 6),
        "COS": (root(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4), 0, quarter**2, 6),
        "ARCSIN": (root(lambda s: (mp.asin(s) / s - 1) / s**2), 0, mp.mpf("0.2500001"), 12),
        "ARCTAN": (root(lambda t: (mp.atan(t) / t - 1) / t**2), 0, atan_z, 11),
        "INVERSE_CBRT": (lambda x: x ** (-mp.mpf(1) / 3), 1, 8, 6),
        "COSH": (root(lambda r: (mp.cosh(r) - 1) / r**2), 0, half_ln2**2, 5),
        "SINH": (root(lambda r: (mp.sinh(r) / r - 1) / r**2), 0, half_ln2**2, 5),
    }
    out: dict[str, Any] = {}
    for name, (f, low, high, degree) in wanted.items():
        mp.mp.dps = 70
        out[name] = polynomial(f, low, high, degree, 0.5 if name in ("EXP", "COSH") else None)
        print(f"{name:14} degree {degree:2}, largest error {error(f, low, high, out[name]):.1e}")
    out["LN2"] = parts(mp.log(2), 32, 2)
    out["LN2_LONG"] = parts(mp.log(2), 40, 2)
    out["LN2_SPLIT"] = split(mp.log(2))
    out["LOG2_E"] = split(1 / mp.log(2))
    out["LOG10_E"] = split(1 / mp.log(10))
    out["LOG10_2"] = parts(mp.log(2, 10), 40, 2)
    out["THIRD"] = split(mp.mpf(1) / 3)
    out["PI"] = split(mp.pi)
    out["PI_2"] = parts(mp.pi / 2, 53, 3)
    out["PI_4"] = parts(mp.pi / 4, 48, 2)
    out["TWO_OVER_PI"] = float(2 / mp.pi)
    return out


def main() -> None:
    """Write the file."""
    lines = []
    for name, value in table().items():
        if isinstance(value, float):
            lines.append(f"{name} = {value!r}")
        elif len(value) <= 3:
            lines.append(f"{name} = ({', '.join(map(repr, value))})")
        else:
            lines += [f"{name} = (", *(f"    {v!r}," for v in value), ")"]
    path = Path(__file__).parents[2] / "src/bibun/compiler/coefficients.py"
    path.write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
