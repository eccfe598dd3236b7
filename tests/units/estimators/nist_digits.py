"""NIST's eleven linear problems: how many digits are right. `python -m tests.units.estimators.nist_digits` prints it.

The design matrix is float64, powers included; the figures compared with are exact (tests/golden/nist_linear.json).
"""

import json
from pathlib import Path

import numpy as np

from bibun.models.regression import RegressionResult, linear

DATA = json.loads((Path(__file__).parents[2] / "golden" / "nist_linear.json").read_text(encoding="utf-8"))
PROBLEMS = [name for name in DATA if name != "source"]
LEAST = {"filip": 7.0}  # its design matrix, rounded to float64, is another problem from the eighth digit on


def digits(found: object, right: object) -> float:
    """The number of right digits of the worst element, 15 at most; decimals where the right value is 0."""
    a, b = np.atleast_1d(np.asarray(found, float)), np.atleast_1d(np.asarray(right, float))
    error = np.abs(a - b) / np.where(b == 0, 1.0, np.abs(b))
    return float(min(15.0, -np.log10(max(error.max(), 1e-15))))


def design(name: str) -> tuple[np.ndarray, np.ndarray]:
    """X and y of a problem."""
    d = DATA[name]
    x, y = np.array(d["x"], float), np.array(d["y"], float)
    if d["model"] == "polynomial":
        return x[:, None] ** np.arange(0 if d["intercept"] else 1, d["degree"] + 1), y
    x = x if len(x) == len(y) else x.T
    return np.column_stack([np.ones(len(y)), x]) if d["intercept"] else x, y


def fit(name: str) -> RegressionResult:
    """The regression."""
    X, y = design(name)
    return linear(X, y, [f"b{k}" for k in range(X.shape[1])])


def row(name: str) -> dict[str, float]:
    """The digits of one problem."""
    r, d = fit(name), DATA[name]
    return {
        "coefficients": digits(r.coef, d["beta"]),
        "standard errors": digits(r.se(), d["sd"]),
        "residual error": digits(np.sqrt(r.scale), d["residual_sd"]),
        "R²": digits(r.rsquared, d["rsquared"]),
    }


def table() -> str:
    """All of them as text."""
    rows = {name: row(name) for name in PROBLEMS}
    heads = list(next(iter(rows.values())))
    lines = [" " * 10 + "".join(f"{h:>18}" for h in heads)]
    lines += [f"{name:<10}" + "".join(f"{v:>18.1f}" for v in r.values()) for name, r in rows.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
