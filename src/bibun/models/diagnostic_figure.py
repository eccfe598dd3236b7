"""What `Result.plot_diagnostics` shows of each row: residuals, their order, their spread, and how much the row pulls.

Imports figure; reads a Result. report/diagnostic_plot.py draws it.
"""

from typing import Any

import numpy as np

from ..errors import NotDefined
from .figure import Figure

__all__ = ["DiagnosticFigure", "Quantiles", "diagnostics", "quantile_residuals"]

SHOWN = 400
"""Points of a quantile plot: of more rows, all at the ends and some of the middle."""

LARGEST = 3
"""Rows that are named."""


class Quantiles:
    """Residuals in their order beside the quantiles of a normal distribution.

    Attributes
    ----------
    position : ndarray of int, shape (m,)
        Which of the ordered residuals these are, from 0.
    normal, ordered : ndarray of shape (m,)
        The median of that order statistic of a standard normal sample, and the residual.
    low, high : ndarray of shape (m,)
        Where the order statistic of n independent standard normals is with probability `level`, each for itself.
    level : float
    """

    def __init__(self, residuals: np.ndarray, level: float = 0.95) -> None:
        from scipy import special

        n = len(residuals)
        self.level, self.position = level, _some(n)
        # the i-th of n uniform numbers is Beta(i, n + 1 - i)
        a, b = self.position + 1.0, n - self.position + 0.0
        self.ordered = np.sort(residuals)[self.position]
        self.normal, self.low, self.high = (
            np.asarray(special.ndtri(special.betaincinv(a, b, q))) for q in (0.5, 0.5 - 0.5 * level, 0.5 + 0.5 * level)
        )


class DiagnosticFigure(Figure):
    """Residuals and influence of the rows as four pictures. A notebook shows it by itself; `save` writes it.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        The place of each row in the data.
    fitted, residuals : ndarray of shape (n,)
    said, fitted_said : str
        What these are.
    logarithmic : bool
        Whether fitted values are shown on a logarithmic axis: those of a log link.
    quantiles : Quantiles
    cooks : ndarray of shape (n,)
    hat : ndarray of shape (n,), or None
        Where the model has none, Cook's distances are shown by row.
    coefficients : float
        The number of them, which Cook's distances are over.
    largest_residuals, largest_cooks : list of int
        Positions of the rows that are named.
    notes : list of str
    """

    kind = "diagnostics"

    def __init__(
        self,
        rows: np.ndarray,
        fitted: np.ndarray,
        residuals: np.ndarray,
        cooks: np.ndarray,
        hat: np.ndarray | None,
        coefficients: float,
        said: str,
        fitted_said: str,
        logarithmic: bool,
        notes: list[str],
    ) -> None:
        self.rows, self.fitted, self.residuals, self.cooks, self.hat = rows, fitted, residuals, cooks, hat
        self.coefficients, self.said, self.fitted_said, self.logarithmic = coefficients, said, fitted_said, logarithmic
        self.notes, self.title = notes, "Diagnostics"
        self.quantiles = Quantiles(residuals)
        self.largest_residuals = _largest(np.abs(residuals))
        self.largest_cooks = _largest(cooks)

    def __repr__(self) -> str:
        return f"<DiagnosticFigure of {len(self.rows)} rows: {self.said}>"


def diagnostics(result: Any, rng: Any, residuals: Any, fitted: Any) -> DiagnosticFigure:
    """The figure of `Result.plot_diagnostics`."""
    notes: list[str] = []
    if residuals is None:
        r, said = quantile_residuals(result, rng)
    else:
        r, said = np.array(residuals, float), "residuals"
    f, fitted_said, logarithmic = _fitted(result) if fitted is None else (np.array(fitted, float), "fitted", False)
    influence = result.influence()
    cooks, n = np.asarray(influence["cooks_distance"], float), len(influence["cooks_distance"])
    for name, a in (("residuals", r), ("fitted", f)):
        if a.shape != (n,):
            raise ValueError(f"{name} of shape {a.shape}: one number for each of the {n} rows")
    rows = _rows(result, n)
    known = ~np.isnan(r) & np.isfinite(f)
    w = result.objective.weights
    if w is not None:
        known &= w > 0
        if result.objective.weights_are == "frequency":
            notes.append("each row of frequency weights is drawn once")
    if not known.all():
        out = n - int(known.sum())
        notes.append(f"{out} row{'s are' if out > 1 else ' is'} left out, of weight 0 or without a residual")
    if known.sum() < 3:
        raise NotDefined("fewer than three rows have a residual: there is nothing to see")
    cooks = np.where(np.isfinite(cooks), cooks, 0.0)  # a row that is fitted exactly has no distance
    hat = influence.get("hat")
    return DiagnosticFigure(
        rows[known], f[known], r[known], cooks[known], None if hat is None else np.asarray(hat, float)[known],
        max(float(getattr(result, "_determined_coefficients", 0.0) if hat is not None else result._determined), 1.0),
        said, fitted_said, logarithmic, notes,
    )  # fmt: skip


def quantile_residuals(result: Any, rng: Any = 0) -> tuple[np.ndarray, str]:
    """Residuals that are standard normal where the model holds (Dunn & Smyth 1996), and what they are called.

    Parameters
    ----------
    result : Result
    rng : int or numpy.random.Generator
        Draws a place within the step of the distribution function, of responses that have steps: the same seed, the
        same residuals.

    Raises
    ------
    NotDefined
        For models without a distribution function.
    """
    from scipy import special

    try:
        middle = result.residuals("quantile")
    except (NotDefined, ValueError) as e:
        raise NotDefined(
            f"{e}; for a picture with residuals of your own, plot_diagnostics(residuals=…, fitted=…)"
        ) from None
    if getattr(result, "family", "") == "gaussian":
        return np.array(result.residuals("pearson")), "quantile residuals"  # the same, without an end at 8
    steps = _steps(result)
    if steps is None or np.array_equal(*steps):
        return np.array(middle), "quantile residuals"
    low, high = steps
    u = np.random.default_rng(rng).uniform(size=len(low))
    return np.asarray(special.ndtri(low + u * (high - low))), "randomised quantile residuals"


def _steps(result: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """The distribution function below and at each response."""
    model: Any = getattr(result.model, "loglik", None)
    if not hasattr(model, "steps"):
        return result._steps() if hasattr(result, "_steps") else None
    coef, p = model.natural(result.u)
    low, high = model.steps(model.predictors(coef, result.objective.data), p, result.objective.data)
    return np.asarray(low), np.asarray(high)


def _fitted(result: Any) -> tuple[np.ndarray, str, bool]:
    """A number for each row to show residuals against, what it is, and whether on a logarithmic axis."""
    try:
        f = np.asarray(result.fittedvalues, float)
    except NotDefined:
        f = np.asarray(result.predict().value, float)
    if f.ndim > 1:  # a probability for each class
        f = np.asarray(result.predict(what="linear").value, float)
        return (f if f.ndim == 1 else f[:, 0]), "linear predictor", False
    link = getattr(getattr(getattr(result, "_model", None), "link", None), "name", "")
    answers = getattr(getattr(result.model, "loglik", None), "answers", None)
    said = "fitted mean" if answers is None else f"fitted {next(iter(answers))}"
    return f, said, bool(link == "log" and (f > 0).all() and f.max() > 3 * f.min())


def _rows(result: Any, n: int) -> np.ndarray:
    """The place of each fitted row in the data."""
    for rows in (getattr(result, "rows", None), getattr(getattr(result, "design", None), "rows", None)):
        if rows is not None and np.shape(rows) == (n,):
            return np.asarray(rows)
    return np.arange(n)


def _some(n: int) -> np.ndarray:
    """Positions among n in their order: all, or both ends and some between."""
    if n <= SHOWN:
        return np.arange(n)
    from scipy import special

    ends = SHOWN // 5
    furthest = special.ndtri(ends / n)
    middle = n * special.ndtr(np.linspace(furthest, -furthest, SHOWN - 2 * ends))
    return np.unique(np.concatenate([np.arange(ends), np.round(middle), np.arange(n - ends, n)]).astype(int))


def _largest(a: np.ndarray) -> list[int]:
    few = min(LARGEST, len(a))
    return [int(k) for k in np.argsort(-a, kind="stable")[:few]]
