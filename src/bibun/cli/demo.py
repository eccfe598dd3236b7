"""`bibun demo`: the article's last two sections on a real table.

Both regressions as a reader of the article would write them: the likelihood in plain NumPy, its gradient from bibun,
gradient descent, then Newton's method with the exact Hessian. Imports bibun's public names and report.
"""

import csv
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import bibun as bb

from ..report import tables
from ..report.chart import line_chart

__all__ = ["Fit", "fit_both", "run"]

TOLERANCE = 1e-9  # of the gradient, relative to that at the start
MOST_STEPS = 100_000
ROUNDING = 1e-14  # differences of losses below it are not drawn


# --- the two likelihoods ----------------------------------------------------------------------------------------------


def squares(beta: Any, X: Any, y: Any) -> Any:
    """Half the sum of squares: sigma² times the Gaussian negative log-likelihood, up to a constant."""
    residual = y - X @ beta
    return 0.5 * np.sum(residual**2)


def logistic(beta: Any, X: Any, y: Any) -> Any:
    """The Bernoulli negative log-likelihood of y = 0, 1 with log-odds X @ beta."""
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


# --- the two methods --------------------------------------------------------------------------------------------------


def gradient_descent(loss: Callable[[Any], Any], beta: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Steps against the gradient, of a length the curvature at the start allows; the path of the loss."""
    value_and_grad = bb.value_and_grad(loss)
    length = 1 / np.linalg.eigvalsh(bb.hessian(loss)(beta)).max()
    path: list[float] = []
    first = 0.0
    for _ in range(MOST_STEPS):
        value, g = value_and_grad(beta)
        path.append(float(value))
        first = first or np.abs(g).max()
        if np.abs(g).max() <= TOLERANCE * first:
            break
        beta = beta - length * g
    return beta, path


def newton(loss: Callable[[Any], Any], beta: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Steps to the minimum of the quadratic with the same gradient and Hessian; the path of the loss.

    The quadratic says how much a step can still lower the loss (the Newton decrement, halved). Once that is nothing,
    the step is taken and is the last: its own error is the square of what it mended.
    """
    value_and_grad, hessian = bb.value_and_grad(loss), bb.hessian(loss)
    path = []
    for _ in range(50):
        value, g = value_and_grad(beta)
        path.append(float(value))
        step = np.linalg.solve(hessian(beta), g)
        beta = beta - step
        if g @ step <= 1e-12 * (1 + abs(value)):
            break
    return beta, path


# --- a fit and what is said of it -------------------------------------------------------------------------------------


@dataclass
class Fit:
    """A fitted regression: estimates in the table's own units."""

    title: str
    names: list[str]
    coef: np.ndarray
    bse: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    letter: str  # t or z
    loglik: float
    n_obs: int
    df: int
    paths: dict[str, list[float]] = field(default_factory=dict)
    apart: float = 0.0

    def rows(self, level: float = 0.95) -> list[dict[str, Any]]:
        """One dict a coefficient, with the interval that its distribution gives."""
        from scipy import special

        tail = 0.5 + 0.5 * level
        reach = special.stdtrit(self.df, tail) if self.letter == "t" else special.ndtri(tail)
        return [
            {"term": n, "estimate": b, "std_error": s, "statistic": z, "p_value": p,
             "conf_low": b - reach * s, "conf_high": b + reach * s}
            for n, b, s, z, p in zip(self.names, self.coef, self.bse, self.statistic, self.p_value, strict=True)
        ]  # fmt: skip


def load() -> tuple[dict[str, np.ndarray], int]:
    """The penguins with nothing missing, and how many rows were left out."""
    text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    whole = [r for r in rows if "NA" not in r.values()]
    numbers = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    table = {c: np.array([float(r[c]) for r in whole]) for c in numbers}
    table["male"] = np.array([float(r["sex"] == "male") for r in whole])
    return table, len(rows) - len(whole)


def fit(
    title: str, likelihood: Callable[..., Any], table: dict[str, np.ndarray], response: str, names: list[str]
) -> Fit:
    """Fit `response` on the columns `names` by both methods.

    Gradient descent needs columns of one scale, so both work on columns in standard deviations; estimates and their
    covariance are carried back to the table's units, which is exact.
    """
    from scipy import special

    y = table[response]
    columns = np.column_stack([table[c] for c in names])
    mean, sd = columns.mean(axis=0), columns.std(axis=0)
    X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
    n, p = X.shape

    def loss(beta: Any) -> Any:
        return likelihood(beta, X, y) / n

    start = np.zeros(p)
    descended, path = gradient_descent(loss, start)
    beta, newton_path = newton(loss, start)

    back = np.diag(np.concatenate([[1.0], 1 / sd]))
    back[0, 1:] = -mean / sd
    cov = np.linalg.inv(bb.hessian(lambda b: likelihood(b, X, y))(beta))
    if likelihood is squares:
        rss = 2 * float(squares(beta, X, y))
        cov = rss / (n - p) * cov  # s² = RSS / (n - p)
        loglik = -n / 2 * (np.log(2 * np.pi * rss / n) + 1)
    else:
        loglik = -float(likelihood(beta, X, y))
    coef, bse = back @ beta, np.sqrt(np.diag(back @ cov @ back.T))
    statistic = coef / bse
    if likelihood is squares:
        p_value = 2 * special.stdtr(n - p, -np.abs(statistic))
    else:
        p_value = 2 * special.ndtr(-np.abs(statistic))
    return Fit(
        title, ["(intercept)", *names], coef, bse, statistic, p_value, "t" if likelihood is squares else "z",
        float(loglik), n, n - p, {"gradient descent": path, "Newton": newton_path},
        float(np.abs(descended - beta).max() / np.abs(beta).max()),
    )  # fmt: skip


def fit_both() -> tuple[Fit, Fit, int]:
    """The linear and the logistic regression of the demo, and how many rows had something missing."""
    table, dropped = load()
    linear = fit(
        "Linear regression: body_mass_g", squares, table, "body_mass_g",
        ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "male"],
    )  # fmt: skip
    binary = fit(
        "Logistic regression: male", logistic, table, "male",
        ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"],
    )  # fmt: skip
    return linear, binary, dropped


def run(folder: str = "bibun-demo") -> int:
    """Fit, print, write the pictures; 0, or 2 if they cannot be written."""
    linear, binary, dropped = fit_both()
    most = tables.room()
    page = tables.paragraph("Penguins of Palmer Station, Antarctica (Gorman, Williams & Fraser 2014; CC0)", most)
    page += tables.paragraph(f"{linear.n_obs} rows; {dropped} more have something missing and are left out", most)
    for f in (linear, binary):
        page += [("", ""), (f.title, "title"), ("", "")]
        page += tables.coefficients(f.rows(), f.letter, 0.95, most)
        descent, newton_path = (len(path) - 1 for path in f.paths.values())
        page.append(("", ""))
        page += tables.paragraph(f"log-likelihood {f.loglik:.8f}   n {f.n_obs}   residual df {f.df}", most)
        page += tables.paragraph(
            f"gradient descent: {descent} steps; Newton: {newton_path}; their estimates agree to {f.apart:.0e}", most
        )
    tables.write(page)
    try:
        paths = pictures(Path(folder), binary)
    except OSError as e:
        print(
            f"bibun demo: cannot write the pictures into {folder}: {e.strerror}; name another folder", file=sys.stderr
        )
        return 2
    print("\nPictures: " + "\n          ".join(map(str, paths)))
    table = resources.files("bibun.data").joinpath("penguins.csv")
    bibun = "bibun" if shutil.which("bibun") else f"{sys.executable} -m bibun"
    print("\nThe same by the command, and with any table of yours:\n")
    if not (_has("cyclopts") and _has("formulaic")):
        print(f'  {sys.executable} -m pip install "bibun[all]"')
    print(f'  {bibun} fit "{table}" "body_mass_g ~ bill_length_mm + bill_depth_mm + flipper_length_mm + sex"')
    print(f'  {bibun} fit "{table}" "sex ~ bill_length_mm + bill_depth_mm" --family binomial')
    return 0


def _has(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:  # it may be hidden
        return False


def pictures(folder: Path, fitted: Fit) -> list[Path]:
    """The convergence of the two methods, and the graph of the logistic loss."""
    folder.mkdir(parents=True, exist_ok=True)
    best = min(min(path) for path in fitted.paths.values())
    chart = line_chart(
        {
            name: ([k + 1.0 for k in range(len(path))], [v - best if v - best > ROUNDING else 0.0 for v in path])
            for name, path in fitted.paths.items()
        },
        title="Logistic regression of sex on four measurements",
        x_label="step",
        y_label="mean loss above its minimum",
        log_x=True,
        log_y=True,
    )
    X, y = bb.Variable(np.ones((333, 5)), name="X"), bb.Variable(np.ones(333), name="y")
    loss = logistic(bb.Variable(np.zeros(5), name="beta"), X, y)
    convergence, graph = folder / "convergence.svg", folder / "graph.svg"
    convergence.write_text(chart, encoding="utf-8")
    bb.draw(loss).save(graph)
    return [convergence.resolve(), graph.resolve()]
