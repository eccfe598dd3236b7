"""`python benchmarks/estimation.py [--quick] [--only NAME]`: whole fits, with standard errors, beside their peers.

Everything is measured in this process, in turns (timing.py); medians of wall time are compared. A peer whose estimates
are not bibun's is timed all the same, and a note says how far off it is. A new case is a function in `CASES`.
"""

import argparse
import json
import os
import platform
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

for variable in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
    os.environ.setdefault(f"{variable}_NUM_THREADS", "2")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
if find_spec("bibun") is None:
    sys.path.insert(0, str(HERE.parent / "src"))  # not installed: the tree this file is in

import numpy as np
from timing import Calls, Report, faster, within

import bibun as bb
from bibun import special
from bibun.models.glm import regression

NIST = HERE.parent / "tests" / "golden" / "nist_nonlinear.json"
FUNCTIONS = {name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "arctan", "pi")}


class Setting:
    """The sizes of a run and its report."""

    def __init__(self, quick: bool, report: Report) -> None:
        self.quick, self.report = quick, report

    def case(self, name: str, calls: Calls, targets: dict[str, tuple[str, float]], budget: float | None = None) -> None:
        """Every column's estimates beside the first one's, then its time; what fails is left out, and named."""
        notes, good, wanted = [], {}, None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for column, call in calls.items():
                try:
                    found = np.asarray(call(), float)
                except Exception as e:
                    notes.append(f"{column}: {type(e).__name__}: {(str(e).splitlines() or [''])[0][:200]}")
                    continue
                good[column] = call
                wanted = found if wanted is None else wanted
                if found.shape == wanted.shape:
                    off = float(np.abs(found - wanted).max() / np.abs(wanted).max())
                    notes.append(f"{column}: estimates {off:.1e} of the largest off")
            targets = {k: t for k, t in targets.items() if k in good and next(iter(calls)) in good}
            self.report.case(name, good, targets, notes, budget)


# --- negative binomial ------------------------------------------------------------------------------------------------


def negative_binomial(s: Setting) -> None:
    """Overdispersed counts, 20,190 x 10: the model, and the same likelihood as somebody writes it."""
    n, p = (2_000 if s.quick else 20_190), 10
    rng = np.random.default_rng(n)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    mean = np.exp(X @ np.concatenate([[0.5], np.linspace(-0.3, 0.3, p - 1)]))
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, n)).astype(float)
    names = [f"x{k}" for k in range(p)]
    model = bb.MLE(negative_binomial_rows, {"beta": bb.Real(shape=p), "log_theta": bb.Real()})
    calls: Calls = {
        "bibun": lambda: _errors(regression(X, y, names, "negative-binomial"), p),
        "bibun, own likelihood": lambda: _errors(model.fit({"X": X, "y": y}), p),
    }
    with_statsmodels(calls, X, y)
    name = f"negative binomial, {n:,} x {p}"
    s.case(name, calls, {"statsmodels, Newton": faster(5), "statsmodels, GenericLikelihoodModel": faster(30)})
    own = {k: c for k, c in calls.items() if k != "bibun"}
    s.case(f"{name}, as somebody writes it", own, {"statsmodels, GenericLikelihoodModel": faster(30)})


def negative_binomial_rows(p: Any, d: Any) -> Any:
    """The log-likelihood of each row."""
    eta, theta = d.X @ p.beta, np.exp(p.log_theta)
    ways = special.gammaln(d.y + theta) - special.gammaln(theta) - special.gammaln(d.y + 1)
    return ways + d.y * eta + theta * p.log_theta - (d.y + theta) * np.logaddexp(eta, p.log_theta)


def _errors(r: Any, p: int) -> np.ndarray:
    """Coefficients of columns and their standard errors."""
    return np.concatenate([r.coef[:p], r.se()[:p]])


def with_statsmodels(calls: Calls, X: np.ndarray, y: np.ndarray) -> None:
    """statsmodels' own model, and its class for likelihoods that somebody writes."""
    try:
        import statsmodels.api as sm
        from scipy.special import gammaln
        from statsmodels.base.model import GenericLikelihoodModel
    except ImportError as e:
        print(f"statsmodels: skipped ({e})")
        return
    p = X.shape[1]

    class Own(GenericLikelihoodModel):  # type: ignore[misc]
        def loglikeobs(self, params: np.ndarray) -> np.ndarray:
            eta, theta = self.exog @ params[:-1], np.exp(params[-1])
            ways = gammaln(self.endog + theta) - gammaln(theta) - gammaln(self.endog + 1)
            both = np.logaddexp(eta, params[-1])
            return ways + self.endog * eta + theta * params[-1] - (self.endog + theta) * both

    start = np.zeros(p + 1)
    start[0] = np.log(y.mean())

    def errors(found: Any) -> np.ndarray:
        return np.concatenate([found.params[:p], found.bse[:p]])

    calls["statsmodels, Newton"] = lambda: errors(sm.NegativeBinomial(y, X).fit(method="newton", disp=0))
    calls["statsmodels, GenericLikelihoodModel"] = lambda: errors(
        Own(y, X, extra_params_names=["log_theta"]).fit(start_params=start, method="bfgs", maxiter=500, disp=0)
    )


# --- claims -----------------------------------------------------------------------------------------------------------

CATEGORIES = {"area": 6, "power": 12, "brand": 11, "gas": 2, "driver_age": 10, "vehicle_age": 8, "region": 22}
NUMBERS = 11
"""With an intercept, and a column for each category but the first, 76 coefficients of 75 columns."""


class Claims:
    """Policies in the shape of the French motor claims that actuaries know: exposure, counts, amounts."""

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(2)
        self.codes = {}
        eta = np.full(n, -2.5)
        for name, levels in CATEGORIES.items():
            share = rng.dirichlet(np.full(levels, 2.0))
            self.codes[name] = rng.choice(levels, size=n, p=share).astype(np.int32)
            eta += np.concatenate([[0.0], rng.normal(size=levels - 1) * 0.15])[self.codes[name]]
        self.numbers = rng.normal(size=(n, NUMBERS))
        eta += self.numbers @ (rng.normal(size=NUMBERS) * 0.1)
        self.exposure = np.clip(rng.beta(0.8, 0.6, n), 0.003, 1.0)
        self.counts = rng.poisson(self.exposure * np.exp(eta)).astype(float)
        size = 1500 * np.exp(self.numbers[:, :3] @ [0.1, -0.1, 0.05])
        self.amounts = np.where(self.counts > 0, rng.gamma(np.maximum(self.counts, 1.0), size), 0.0)
        dummies = [self.codes[c][:, None] == np.arange(1, k) for c, k in CATEGORIES.items()]
        self.X = np.concatenate([*dummies, self.numbers], axis=1)
        self.names = ["const", *[f"x{k}" for k in range(self.X.shape[1])]]

    def table(self, rows: Any = slice(None)) -> Any:
        """The same as a data frame with categorical columns, for those who take one."""
        import pandas as pd

        columns: dict[str, Any] = {c: pd.Categorical(self.codes[c][rows], range(k)) for c, k in CATEGORIES.items()}
        return pd.DataFrame(columns | {f"n{k}": self.numbers[rows, k] for k in range(NUMBERS)})


def claims(s: Setting) -> None:
    """Frequency, severity and pure premium of 678,013 policies with 75 columns."""
    data = Claims(20_000 if s.quick else 678_013)
    n = len(data.counts)
    hit = data.counts > 0
    rates, premiums = data.counts / data.exposure, data.amounts / data.exposure
    average = data.amounts[hit] / data.counts[hit]
    log_exposure = np.log(data.exposure)
    for name, X, table, ours, (family, y, w), theirs in (
        (
            f"claim frequency (Poisson with exposure), {n:,} x 75", data.X, data.table(),
            dict(family="poisson", y=data.counts, offset=log_exposure),
            ("poisson", rates, data.exposure), "PoissonRegressor",
        ),
        (
            f"claim severity (gamma, log link), {int(hit.sum()):,} x 75", data.X[hit], data.table(hit),
            dict(family="gamma", link="log", y=average, weights=data.counts[hit], weights_are="variance"),
            ("gamma", average, data.counts[hit]), "GammaRegressor",
        ),
        (
            f"pure premium (Tweedie of power 1.5), {n:,} x 75", data.X, data.table(),
            dict(family="tweedie", y=premiums, weights=data.exposure, weights_are="variance"),
            ("tweedie", premiums, data.exposure), "TweedieRegressor",
        ),
    ):  # fmt: skip
        calls: Calls = {"bibun": partial(ours_fitted, X, data.names, ours)}
        with_glum(calls, X, table, family, y, w)
        with_sklearn(calls, X, y, w, theirs)
        peers = [c for c in calls if c != "bibun"]
        s.case(name, calls, dict.fromkeys(peers, faster(1)), budget=30)
        if family == "poisson":
            own: Calls = {"bibun, codes": partial(codes_fitted, data)}
            own |= {k: calls[k] for k in ("glum", "glum, categories", "scikit-learn, newton-cholesky") if k in calls}
            s.case(
                f"{name}, as somebody writes it, by codes", own, {k: faster(1) for k in own if k in peers}, budget=30
            )


def ours_fitted(X: np.ndarray, names: list[str], options: dict[str, Any]) -> np.ndarray:
    """Coefficients; standard errors are computed with them."""
    r = regression(X, names=names, intercept=True, **options)
    r.se()
    return r.coef


def codes_fitted(data: Claims) -> np.ndarray:
    """The Poisson model as somebody writes it: a category's effect is looked up by its code, there are no dummies."""
    groups = {c: bb.Real(shape=k - 1) for c, k in CATEGORIES.items()}
    model = bb.MLE(claim_rows, {"const": bb.Real(), **groups, "numbers": bb.Real(shape=NUMBERS)})
    d = {**data.codes, "numbers": data.numbers, "log_exposure": np.log(data.exposure), "y": data.counts}
    r = model.fit(d, {"const": float(np.log(data.counts.sum() / data.exposure.sum()))})
    r.se()
    return r.coef


def claim_rows(p: Any, d: Any) -> Any:
    """The log-likelihood of each row, but for a constant."""
    eta = p.const + d.numbers @ p.numbers + d.log_exposure
    for category in CATEGORIES:
        eta = eta + np.concatenate([np.zeros(1), p[category]])[d[category]]
    return d.y * eta - np.exp(eta)


def with_glum(calls: Calls, X: np.ndarray, table: Any, family: str, y: np.ndarray, w: np.ndarray) -> None:
    """glum to the same number of digits, from the columns and from a table of categories; without standard errors."""
    try:
        import glum
    except ImportError as e:
        print(f"glum: skipped ({e})")
        return

    def fit(X: Any) -> np.ndarray:
        of = glum.TweedieDistribution(1.5) if family == "tweedie" else family
        m = glum.GeneralizedLinearRegressor(family=of, link="log", alpha=0, gradient_tol=1e-7, drop_first=True)
        m.fit(X, y, sample_weight=w)
        return np.concatenate([[m.intercept_], m.coef_])

    calls["glum"] = lambda: fit(X)
    calls["glum, categories"] = lambda: fit(table)


def with_sklearn(calls: Calls, X: np.ndarray, y: np.ndarray, w: np.ndarray, name: str) -> None:
    """scikit-learn's two solvers; without standard errors."""
    try:
        from sklearn import linear_model
    except ImportError as e:
        print(f"scikit-learn: skipped ({e})")
        return

    def fit(solver: str, **options: Any) -> np.ndarray:
        if name == "TweedieRegressor":
            options["power"] = 1.5
        m = getattr(linear_model, name)(alpha=0, solver=solver, max_iter=1000, **options)
        m.fit(X, y, sample_weight=w)
        return np.concatenate([[m.intercept_], m.coef_])

    calls["scikit-learn, newton-cholesky"] = partial(fit, "newton-cholesky", tol=1e-7)
    calls["scikit-learn, lbfgs"] = partial(fit, "lbfgs", tol=1e-5)


# --- nonlinear regression, intervals ----------------------------------------------------------------------------------


def nist(s: Setting) -> None:
    """NIST's 27 nonlinear problems from both starts, one after another, with standard errors."""
    problems = json.loads(NIST.read_text(encoding="utf-8"))["problems"]

    def all_runs() -> list[float]:
        return [r.se()[0] for r in (nist_fit(q, start) for q in problems.values() for start in ("start 1", "start 2"))]

    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        all_runs()
        seconds.append(time.perf_counter() - start)
    print("\nNIST's 54 runs")
    s.report.limit("NIST's 54 runs", "all of them, the first time", seconds[0], 2, "s")
    s.report.limit("NIST's 54 runs", "all of them, again", min(seconds[1:]), 2, "s")


def nist_fit(problem: dict[str, Any], start: str) -> Any:
    """One run; the model is the text of NIST's file."""
    mean = compile(problem["model"], "model", "eval")
    data = {k: np.array(v) for k, v in problem["data"].items()}
    data["y"] = eval(problem["response"], FUNCTIONS, dict(data))
    begin = {f"b{k + 1}": v for k, v in enumerate(problem[start])}
    return bb.nls(lambda p, d: eval(mean, FUNCTIONS, {**p, **d}), begin, data)


def profiles(s: Setting) -> None:
    """Profile intervals of ten parameters, over one fit."""
    n, p = (2_000 if s.quick else 20_190), 10
    rng = np.random.default_rng(n)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    mean = np.exp(X @ np.concatenate([[0.5], np.linspace(-0.3, 0.3, p - 1)]))
    y, names = rng.poisson(mean).astype(float), [f"x{k}" for k in range(p)]
    model = bb.MLE(poisson_rows, {"beta": bb.Real(shape=p)})
    fits = {
        "Poisson regression": lambda: regression(X, y, names, "poisson"),
        "a likelihood as somebody writes it": lambda: model.fit({"X": X, "y": y}),
    }
    for name, fit in fits.items():
        r = fit()
        calls: Calls = {"ten intervals": lambda r=r: r.conf_int(method="profile"), "one fit": fit}  # type: ignore[misc]
        s.report.case(f"profile intervals, {name}, {n:,} x {p}", calls, {"one fit": within(20)})


def poisson_rows(p: Any, d: Any) -> Any:
    """The log-likelihood of each row."""
    eta = d.X @ p.beta
    return d.y * eta - np.exp(eta)


CASES: dict[str, Callable[[Setting], None]] = {
    "negative-binomial": negative_binomial,
    "claims": claims,
    "nist": nist,
    "profiles": profiles,
}


def main() -> None:
    parse = argparse.ArgumentParser(description="Whole fits beside their peers.")
    parse.add_argument("--quick", action="store_true", help="small sizes and few rounds: whether everything runs")
    parse.add_argument("--only", action="append", default=[], choices=list(CASES), help="only these cases")
    parse.add_argument("--rounds", type=int, help="rounds a case (7, or 3 with --quick)")
    parse.add_argument("--json", metavar="FILE", help="write every number here")
    args = parse.parse_args()
    report = Report(args.rounds or (3 if args.quick else 7), 2.0 if args.quick else 10.0)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} CPUs, "
          f"{os.environ['OMP_NUM_THREADS']} threads, load {os.getloadavg()[0]:.2f}; wall time, medians")  # fmt: skip
    for name, case in CASES.items():
        if args.only and name not in args.only:
            continue
        try:
            case(Setting(args.quick, report))
        except Exception:
            print(f"\n{name}: failed")
            traceback.print_exc(limit=-4, file=sys.stdout)
        sys.stdout.flush()
    report.summary()
    if args.json:
        whole = {"cases": report.cases, "targets": report.lines}
        Path(args.json).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
