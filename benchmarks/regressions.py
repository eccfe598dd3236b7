"""Whole fits beside statsmodels and scikit-learn, in one process: `python benchmarks/regressions.py [--quick]`.

Each row is one fit from arrays to coefficients with standard errors (scikit-learn gives none). The time of the two
products X'y and X'WX that any Newton step must make stands among the rows as the limit.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np


def made(n: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A design with an intercept, a continuous and a binary response."""
    rng = np.random.default_rng(n + k)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
    eta = X @ (rng.normal(size=k) / np.sqrt(k))
    return X, eta + rng.normal(size=n), (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float)


def bibun_fits(X: np.ndarray, y: np.ndarray, b: np.ndarray) -> dict[str, Callable[[], object]]:
    import bibun as bb
    from bibun.models import regression

    names = [f"x{i}" for i in range(X.shape[1])]
    rows = lambda p, d: d.y * (d.X @ p.beta) - np.logaddexp(0, d.X @ p.beta)
    return {
        "linear": lambda: regression.linear(X, y, names).bse,
        "logistic": lambda: regression.logistic(X, b, names).bse,
        "logistic as a user's likelihood": lambda: (
            bb.MLE(rows, {"beta": bb.Real(shape=X.shape[1])}).fit({"X": X, "y": b}).bse
        ),
    }


def statsmodels_fits(X: np.ndarray, y: np.ndarray, b: np.ndarray) -> dict[str, Callable[[], object]]:
    import statsmodels.api as sm

    return {
        "linear": lambda: sm.OLS(y, X).fit().bse,
        "logistic": lambda: sm.Logit(b, X).fit(method="newton", disp=0).bse,
        "logistic as a user's likelihood": lambda: sm.GLM(b, X, family=sm.families.Binomial()).fit().bse,
    }


def sklearn_fits(X: np.ndarray, y: np.ndarray, b: np.ndarray) -> dict[str, Callable[[], object]]:
    from sklearn import linear_model

    bare = dict(fit_intercept=False)
    newton = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, **bare)
    lbfgs = linear_model.LogisticRegression(C=np.inf, solver="lbfgs", tol=1e-8, max_iter=1000, **bare)
    return {
        "linear": lambda: linear_model.LinearRegression(**bare).fit(X, y).coef_,
        "logistic": lambda: newton.fit(X, b).coef_,
        "logistic as a user's likelihood": lambda: lbfgs.fit(X, b).coef_,
    }


def limit(X: np.ndarray, y: np.ndarray, b: np.ndarray) -> dict[str, Callable[[], object]]:
    return dict.fromkeys(("linear", "logistic"), lambda: ((X * b[:, None]).T @ X, X.T @ y))


def median(f: Callable[[], object], rounds: int) -> float:
    f()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the small size")
    sizes = [(10_000, 10)] if parser.parse_args().quick else [(10_000, 10), (1_000_000, 20)]
    for n, k in sizes:
        X, y, b = made(n, k)
        found: dict[str, dict[str, float]] = {}
        for who, make in (
            ("bibun", bibun_fits),
            ("statsmodels", statsmodels_fits),
            ("scikit-learn", sklearn_fits),
            ("one step", limit),
        ):
            try:
                fits = make(X, y, b)
            except ImportError as e:
                print(f"{who}: skipped ({e})")
                continue
            for name, f in fits.items():
                found.setdefault(name, {})[who] = median(f, 7 if n < 100_000 else 3)
        print(f"\n{n:,} rows x {k} columns (ms, wall; the third row: GLM and lbfgs for the peers)")
        print(
            f"{'':34}"
            + "".join(f"{w:>14}" for w in ("bibun", "statsmodels", "scikit-learn", "one step"))
            + "   bibun/peers"
        )
        for name, row in found.items():
            cells = "".join(
                f"{row[w] * 1e3:14.1f}" if w in row else f"{'':14}"
                for w in ("bibun", "statsmodels", "scikit-learn", "one step")
            )
            ratios = ", ".join(f"{row['bibun'] / row[w]:.2f}" for w in ("statsmodels", "scikit-learn") if w in row)
            print(f"{name:34}{cells}   {ratios}")


if __name__ == "__main__":
    main()
