"""Ridge, lasso and elastic-net paths of generalized linear models. Imports elastic_net_fit, families, formula_rows.

Each fit is exact: Newton steps, by derivatives of the family's own rows, whose penalized quadratics are solved by their
active sets. Columns that do not take part are looked at, not computed with.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from . import summary
from .elastic_net_fit import Rows
from .families import family_named
from .formula_glm import _response
from .formula_rows import Given
from .regression_result import RegressionResult

__all__ = ["CrossValidation", "ElasticNetPath", "elastic_net"]

FAMILIES = ("gaussian", "binomial", "poisson")
ERRORS = ("bse", "se", "cov_params", "with_cov", "conf_int", "test", "bootstrap", "profile", "plot_profile")


def elastic_net(
    formula: str,
    data: Any,
    family: Any = "gaussian",
    *,
    alpha: float = 1.0,
    lambdas: Any = None,
    n_lambdas: int = 100,
    smallest: float | None = None,
    standardize: bool = True,
    weights: Any = None,
    offset: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
) -> "ElasticNetPath":
    """A path of generalized linear models with a penalty between the lasso's and ridge's.

    Parameters
    ----------
    formula : str
        An intercept in it is never penalized.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    family : {"gaussian", "binomial", "poisson"}
        With its own link.
    alpha : float
        1 is the lasso, 0 is ridge.
    lambdas : array_like, optional
        How strong the penalties are; by default `n_lambdas` from where all coefficients are 0 down to `smallest` times
        that (1e-4, or 1e-2 where there are more columns than rows).
    n_lambdas : int
    smallest : float, optional
    standardize : bool
        Penalize coefficients of columns divided by their standard deviations.
    weights : str or array_like, optional
        How much each row counts; only their proportions matter.
    offset : str or array_like, optional
    levels : dict of str to sequence, optional
        The order of a column's categories, the first being the reference.

    Returns
    -------
    ElasticNetPath

    Raises
    ------
    ValueError
        For penalties that are none, a response that the family does not have or that is the same in all rows.

    Notes
    -----
    The minimum of

        -Σ w log-likelihood / Σ w + λ Σ (α |b s| + ½ (1 - α) (b s)²),

    s being the columns' standard deviations (divisor n) or 1; the log-likelihood of gaussian responses is minus half of
    the squares (Friedman, Hastie & Tibshirani 2010). R's `glmnet` has the same, but for gaussian responses divides the
    quadratic part by the standard deviation of the response.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"x": [1, 2, 3, 4, 5, 6], "z": [2, 1, 2, 1, 1, 2], "y": [1.0, 2.1, 2.9, 4.2, 4.9, 6.1]}
    >>> path = bb.elastic_net("y ~ x + z", d, lambdas=[0.5, 0.1])
    >>> path.coef.round(4).tolist(), path.df.tolist()
    ([[0.7129, 0.0], [0.9472, 0.0]], [1, 1])
    """
    family = family_named(family)
    if family.name not in FAMILIES:
        raise NotDefined(f"a path of the {family.name} family: {', '.join(FAMILIES)}; glm(penalty=) has ridge for all")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha}: 1 is the lasso, 0 ridge, and the elastic net lies between them")
    given = Given(data, weights, offset)
    made = given.design(formula, levels)
    y = _response(made, family)
    if not family.fits(y).all():
        raise ValueError(f"the response of {formula!r}: a {family.name} response is {family.responses}")
    w = given.row_weights(made.rows)
    if w is not None and not ((w >= 0).all() and 0 < w.sum() < np.inf):
        raise ValueError("weights are finite numbers ≥ 0, one for each row, not all zero")
    w = np.ones(len(y)) if w is None else w
    more = given.row_offset(made.rows, made.offset)
    intercept = bool(made.names) and made.names[0] == "Intercept"
    X, labels = made.X[:, intercept:], list(made.names[intercept:])
    if not labels:
        raise ValueError(f"{formula!r} has no columns to penalize")
    rows = Rows(X, y, w, np.zeros(len(y)) if more is None else more, family, intercept, standardize)
    path = ElasticNetPath(rows, labels, float(alpha), _lambdas(rows, alpha, lambdas, n_lambdas, smallest))
    path.design, path.notes, path.rows = made, made.notes, rows
    return path


class ElasticNetPath:
    """Coefficients for one penalty after the other.

    Attributes
    ----------
    labels : list of str
        The columns, without the intercept.
    lambdas : ndarray of shape (m,)
        From strong to weak.
    coef : ndarray of shape (m, p)
    intercept : ndarray of shape (m,)
        0 where the formula has none.
    df : ndarray of shape (m,)
        How many coefficients are not 0.
    dev_ratio : ndarray of shape (m,)
        The share of the null deviance that is explained.
    null_deviance : float
        The mean deviance of a row with the intercept and the offset alone.
    alpha : float
    converged : bool
    """

    design: Any = None
    notes: tuple[str, ...] = ()
    rows: Rows

    def __init__(self, rows: Rows, labels: list[str], alpha: float, lambdas: np.ndarray) -> None:
        self.rows, self.labels, self.alpha, self.lambdas = rows, labels, alpha, lambdas
        self.family, self.nobs = rows.family.name, len(rows.y)
        descent, self.converged, ends = rows.descent, True, []
        b = descent.null
        for lam in lambdas:
            b, ended = descent.fit(lam * alpha, lam * (1 - alpha), b)
            self.converged &= ended
            ends.append(b)
        self._ends = np.array(ends)
        self.intercept, self.coef = rows.raw(self._ends)
        self.df = np.count_nonzero(self.coef, axis=1)
        self.null_deviance, self.dev_ratio = descent.null_deviance, descent.explained(self._ends)

    def at(self, lam: float) -> dict[str, float]:
        """The coefficients for any penalty λ > 0, fitted exactly, by name."""
        intercept, coef = self.rows.raw(self._at(lam))
        out = dict(zip(self.labels, coef.tolist(), strict=True))
        return {"Intercept": float(intercept), **out} if self.rows.intercept else out

    def _at(self, lam: float) -> np.ndarray:
        if not 0 < lam < np.inf:
            raise ValueError(f"lam={lam}: a penalty is a number greater than 0; without one there is glm")
        near = int(np.argmin(np.abs(np.log(self.lambdas / lam))))
        if self.lambdas[near] == lam:
            return np.asarray(self._ends[near])
        b, ended = self.rows.descent.fit(lam * self.alpha, lam * (1 - self.alpha), self._ends[near])
        if not ended:
            raise ValueError(f"the fit for lam={lam:g} did not end: take a larger one")
        return b

    def predict(
        self, new: Any = None, lam: float | None = None, kind: str = "response", offset: Any = None
    ) -> np.ndarray:
        """Means ("response") or linear predictors ("link") at rows of a table, for one penalty, shape (n,).

        The fitted rows by default.
        """
        if kind not in ("response", "link"):
            raise ValueError(f"kind={kind!r}: 'response' or 'link'")
        if lam is None:
            raise NotDefined("a prediction of all penalties: give lam=, such as that of cross_validate(...).best")
        intercept, coef = self.rows.raw(self._at(lam))
        X, more = self.rows.X, self.rows.offset
        if new is not None:
            X, more = self.design.matrix(new)[:, self.rows.intercept :], self.design.offset_at(new, offset)
            offset = None
        eta = intercept + X @ coef + (0.0 if more is None else more)
        eta = eta + (0.0 if offset is None else np.asarray(offset, float))
        return np.asarray(eta if kind == "link" else self.rows.link.inverse(eta))

    def cross_validate(self, folds: Any = 10, rng: Any = None) -> "CrossValidation":
        """The mean deviance of rows that were left out, for each penalty.

        Parameters
        ----------
        folds : int, or array_like of shape (n,)
            How many parts the rows are put into at random, or the part of each.
        rng : numpy.random.Generator or int
            Needed for a number of folds.
        """
        n = self.nobs
        if np.ndim(folds):
            part = np.unique(np.asarray(folds), return_inverse=True)[1]
            if part.shape != (n,):
                raise ValueError(f"folds of shape {part.shape} for {n} rows: one for each")
        else:
            if rng is None or not 2 <= folds <= n:
                raise ValueError(f"folds={folds} of {n} rows are drawn at random: 2 or more, and give rng=")
            part = np.random.default_rng(rng).permutation(n) % int(folds)
        r, scores, sizes = self.rows, [], []
        for k in range(part.max() + 1):
            out = part == k
            kept = Rows(r.X[~out], r.y[~out], r.w[~out], r.offset[~out], r.family, bool(r.intercept), r.standardize)
            path = ElasticNetPath(kept, self.labels, self.alpha, self.lambdas)
            eta = path.intercept[:, None] + path.coef @ r.X[out].T + r.offset[out]
            deviance = r.family.deviance(r.y[out], np.asarray(r.link.inverse(eta)))
            sizes.append(float(r.w[out].sum()))
            scores.append(deviance @ r.w[out] / sizes[-1])
        return CrossValidation(self.lambdas, np.array(scores), np.array(sizes))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(RegressionResult, name):
            raise AttributeError(f"{type(self).__name__} has no {name}")
        if name in ERRORS:
            raise NotDefined(
                f"{name} of penalized coefficients: their bias is as large as their spread; glm has standard errors "
                "and tests, and with penalty= those of a ridge prior"
            )
        raise NotDefined(
            f"{name} of a path of {len(self.lambdas)} fits: at(lam) has the coefficients of one of them, "
            "predict(new, lam) its means, tidy() all of them; glm has it for a fit without a penalty"
        )

    def tidy(self) -> list[dict[str, Any]]:
        """One dict for each penalty and coefficient that is not 0: term, step, estimate, lambda, dev_ratio."""
        terms = ["Intercept", *self.labels] if self.rows.intercept else self.labels
        table = np.column_stack([self.intercept, self.coef])[:, -len(terms) :]
        return [
            {"term": terms[j], "step": int(k), "estimate": float(table[k, j]), "lambda": float(self.lambdas[k]),
             "dev_ratio": float(self.dev_ratio[k])}
            for k, j in zip(*np.nonzero(table), strict=True)
        ]  # fmt: skip

    def glance(self) -> dict[str, Any]:
        """The path in one dict."""
        return {"nobs": self.nobs, "null_deviance": self.null_deviance, "converged": self.converged}

    def summary(self) -> summary.Summary:
        """The path as a table to print."""
        table = [["lambda", "coefficients", "deviance explained"]]
        table += [
            [f"{lam:.5g}", str(k), f"{100 * share:.2f}%"]
            for lam, k, share in zip(self.lambdas, self.df, self.dev_ratio, strict=True)
        ]
        kind = {1.0: "Lasso", 0.0: "Ridge"}.get(self.alpha, f"Elastic net, alpha {self.alpha:g}")
        return summary.Summary([f"{kind}, {self.family}   n {self.nobs}"], table, list(self.notes))

    def __repr__(self) -> str:
        return f"<ElasticNetPath {self.family}: {len(self.lambdas)} penalties, {len(self.labels)} columns>"


class CrossValidation:
    """How well each penalty predicts rows that were left out.

    Attributes
    ----------
    lambdas : ndarray of shape (m,)
    scores : ndarray of shape (folds, m)
        The mean deviance of each part.
    mean, se : ndarray of shape (m,)
    best : float
        The penalty with the smallest mean.
    simplest : float
        The largest penalty whose mean is within a standard error of that.
    """

    def __init__(self, lambdas: np.ndarray, scores: np.ndarray, sizes: np.ndarray) -> None:
        self.lambdas, self.scores = lambdas, scores
        w = sizes / sizes.sum()
        self.mean = w @ scores
        self.se = np.sqrt(w @ (scores - self.mean) ** 2 / (len(w) - 1))
        k = int(np.argmin(self.mean))
        self.best = float(lambdas[k])
        self.simplest = float(lambdas[np.flatnonzero(self.mean <= self.mean[k] + self.se[k])[0]])

    def __repr__(self) -> str:
        return f"<CrossValidation: best {self.best:.5g}, simplest within a standard error {self.simplest:.5g}>"


def _lambdas(rows: Rows, alpha: float, given: Any, many: int, smallest: float | None) -> np.ndarray:
    """The penalties, from strong to weak."""
    if given is not None:
        lambdas = np.sort(np.atleast_1d(np.asarray(given, float)))[::-1]
        if not lambdas.size or not ((lambdas > 0) & np.isfinite(lambdas)).all():
            raise ValueError("lambdas are numbers greater than 0; without a penalty there is glm")
        return lambdas
    n, p = rows.X.shape
    ratio = (1e-2 if n < p else 1e-4) if smallest is None else float(smallest)
    if not 0 < ratio < 1 or many < 1:
        raise ValueError(f"smallest={smallest}, n_lambdas={many}: a share between 0 and 1, and one penalty or more")
    top = float(np.abs(rows.descent.slopes(rows.descent.null)).max()) / max(alpha, 1e-3)
    if not top > 0:
        raise ValueError("no column says anything of the response: give lambdas=")
    return np.asarray(top * ratio ** np.linspace(0, 1, many)) if many > 1 else np.array([top])
