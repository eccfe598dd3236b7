"""LinearFit: what a fitted linear predictor can do that is no maximum of a likelihood.

Quantile and robust regression are kinds of it: each says which covariances it has and what its residuals are. Methods
have the names of `Result`. Imports formula_rows, inference, prediction, regression_result.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from . import inference, summary
from .answers import Estimate, Test, checked_level
from .formula import Design
from .formula_rows import Given
from .prediction import Prediction
from .regression_result import RegressionResult

__all__ = ["LinearFit", "Problem"]


class Problem:
    """The rows of a formula: columns, response, frequency weights and offset, checked.

    Attributes
    ----------
    X : ndarray of shape (n, p)
    y, w : ndarray of shape (n,)
        `y` without the offset.
    n_obs : float
        The sum of the weights.
    """

    def __init__(
        self, formula: str, data: Any, weights: Any, offset: Any, levels: Mapping[str, Sequence[Any]] | None
    ) -> None:
        given = Given(data, weights, offset)
        self.design: Design = given.design(formula, levels)
        made = self.design
        if made.response is None or made.response_levels is not None:
            raise ValueError(f"the formula {formula!r} needs a response of numbers before ~")
        self.table, self.names, self.X = given.table, list(made.names), made.X
        w = given.row_weights(made.rows)
        if w is not None and not ((w >= 0).all() and 0 < w.sum() < np.inf):
            raise ValueError("weights are finite numbers ≥ 0, one for each row, not all zero")
        self.w = np.ones(len(self.X)) if w is None else w
        self.weighted = w is not None
        self.n_obs = float(self.w.sum())
        self.offset = given.row_offset(made.rows, made.offset)
        self.y = np.asarray(made.response, float) - (0.0 if self.offset is None else self.offset)
        p, used = self.X.shape[1], self.X[self.w > 0]
        size = np.abs(used).max(axis=0, initial=0.0)
        rank = np.linalg.matrix_rank(used / np.where(size > 0, size, 1.0)) if p else 0
        if rank < p:
            raise ValueError(f"{p} columns of which {rank} are independent: leave out of {', '.join(self.names)}")
        if not self.n_obs > p:
            raise ValueError(f"{self.n_obs:g} rows for {p} coefficients: nothing is left to estimate errors from")


class LinearFit:
    """A fitted linear predictor.

    Attributes
    ----------
    labels : list of str
    coef : ndarray of shape (p,)
    params, bse : dict of str to float
    nobs, df_resid : float
    converged : bool
    kinds : tuple of str
        The covariances there are, the usual one first.
    notes : tuple of str
    """

    kinds: tuple[str, ...] = ()
    title = ""
    instead = ""  # what there is of likelihoods
    converged = True

    def __init__(self, problem: Problem, coef: np.ndarray, kind: str | None = None) -> None:
        self.problem, self.coef, self.labels = problem, coef, problem.names
        self.design, self.notes, self.nobs = problem.design, problem.design.notes, problem.n_obs
        self.df_resid = problem.n_obs - len(coef)
        self.kind = self._checked(kind)
        self._cov: dict[str, np.ndarray] = {}

    def _checked(self, kind: str | None) -> str:
        kind = self.kinds[0] if kind is None else kind
        if kind not in self.kinds:
            raise NotDefined(f"kind={kind!r} of {self.title}: there are {', '.join(self.kinds)}")
        return kind

    def _covariance(self, kind: str) -> np.ndarray:
        raise NotImplementedError

    # --- estimates ---------------------------------------------------------------------------------------------------

    @property
    def params(self) -> dict[str, float]:
        """Column name to coefficient."""
        return dict(zip(self.labels, self.coef.tolist(), strict=True))

    @property
    def bse(self) -> dict[str, float]:
        """Column name to standard error."""
        return dict(zip(self.labels, self.se().tolist(), strict=True))

    def cov_params(self, kind: str | None = None, *options: Any, **more: Any) -> np.ndarray:
        """The covariance matrix of the coefficients; `kinds` says which there are."""
        if options or more:
            raise NotDefined(
                f"clusters, lags and small factors of {self.title}: there are {', '.join(self.kinds)} as they are"
            )
        kind = self.kind if kind is None else self._checked(kind)
        if kind not in self._cov:
            self._cov[kind] = self._covariance(kind)
        return self._cov[kind].copy()

    def se(self, kind: str | None = None) -> np.ndarray:
        """Standard errors in the order of the labels."""
        return np.asarray(np.sqrt(np.diag(self.cov_params(kind))))

    def _quantile(self, level: float) -> float:
        from scipy import special

        return float(special.stdtrit(self.df_resid, 0.5 + 0.5 * checked_level(level)))

    def conf_int(
        self, level: float = 0.95, method: str = "wald", kind: str | None = None, parm: Any = None
    ) -> np.ndarray:
        """Wald intervals with the t distribution of `df_resid`, shape (p, 2); of some labels, `parm`."""
        if method != "wald":
            raise NotDefined(f"method={method!r} of {self.title}: there is 'wald', and no likelihood to profile")
        half = self._quantile(level) * self.se(kind)
        wanted = [self.labels.index(n) for n in (self.labels if parm is None else np.atleast_1d(parm).tolist())]
        return np.stack([self.coef - half, self.coef + half], axis=1)[wanted]

    def test(self, hypothesis: Any, kind: str = "wald", cov: str | None = None) -> Test:
        """Wald's F test of linear hypotheses such as ``"x1 = x2, x3 = 0"`` (see `Result.test`)."""
        if kind != "wald":
            raise NotDefined(f"kind={kind!r} of {self.title}: there is 'wald', and no likelihood for the others")
        R, r, texts = inference.constraints(hypothesis, self.labels)
        if np.linalg.matrix_rank(R) < len(R):
            raise ValueError(f"the equations {', '.join(texts)} say the same thing twice: leave one out")
        gap = R @ self.coef - r
        statistic = gap @ np.linalg.solve(R @ self.cov_params(cov) @ R.T, gap) / len(R)
        return Test("F test", statistic, len(R), ", ".join(texts), self.df_resid)

    def delta(self, g: Callable[[Any], Any], kind: str | None = None) -> Estimate:
        """A function of the coefficients by name, plain NumPy, with its standard error by the delta method."""
        from ..transforms.jacobian import jacobian
        from .parameters import Values

        def f(b: Any) -> Any:
            return g(Values({n: b[k] for k, n in enumerate(self.labels)}, "coefficient"))

        value = np.asarray(f(self.coef))
        J = np.asarray(jacobian(f)(self.coef)).reshape(value.size, -1)
        return Estimate(value, J @ self.cov_params(kind) @ J.T, self._quantile)

    # --- rows --------------------------------------------------------------------------------------------------------

    @property
    def fittedvalues(self) -> np.ndarray:
        """The predictor of each fitted row, its offset included."""
        eta = self.problem.X @ self.coef
        return np.asarray(eta if self.problem.offset is None else eta + self.problem.offset)

    def residuals(self, kind: str = "response") -> np.ndarray:
        """The response less the fitted value, shape (n,)."""
        if kind != "response":
            raise NotDefined(f"kind={kind!r} of {self.title}: there are 'response' residuals")
        return np.asarray(self.problem.y - self.problem.X @ self.coef)

    def predict(self, new: Any = None, offset: Any = None, kind: str | None = None) -> Prediction:
        """The predictor at rows of a table with the columns of the formula, with standard errors and intervals.

        The fitted rows by default; a row with a missing value is NaN.
        """
        if new is None:
            X, more = self.problem.X, self.problem.offset
        elif isinstance(new, np.ndarray):
            X, more = new, None
            if X.ndim != 2 or X.shape[1] != len(self.coef):
                raise ValueError(f"an array of shape {X.shape}: the fit had {len(self.coef)} columns, {self.labels}")
        else:
            X, more, offset = self.design.matrix(new), self.design.offset_at(new, offset), None
        eta = X @ self.coef
        eta = eta + (0.0 if more is None else more) + (0.0 if offset is None else np.asarray(offset, float))
        se = np.sqrt(np.sum((X @ self.cov_params(kind)) * X, axis=1))
        said = f"there is no interval of a new response after {self.title}: it says nothing of the whole distribution"
        return Prediction(eta, se, lambda e: e, np.ones_like(eta), self._quantile, said)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and hasattr(RegressionResult, name):
            raise NotDefined(f"{name} of {self.title}, which maximizes no likelihood: {self.instead}")
        raise AttributeError(name)

    @property
    def loglik(self) -> float:
        """Not defined where the fit is no maximum of a likelihood."""
        raise NotDefined(f"{self.title} maximizes no likelihood: {self.instead}")

    def with_cov(self, kind: str, *options: Any, **more: Any) -> Any:
        """The same fit with other standard errors."""
        self.cov_params(kind, *options, **more)
        other = copy.copy(self)
        other.kind = self._checked(kind)
        return other

    @property
    def aic(self) -> float:
        """2 p - 2 log-likelihood, where there is one."""
        return float(2 * len(self.coef) - 2 * self.loglik)

    @property
    def bic(self) -> float:
        """p log n - 2 log-likelihood, where there is one."""
        return float(len(self.coef) * np.log(self.nobs) - 2 * self.loglik)

    # --- tables ------------------------------------------------------------------------------------------------------

    def tidy(self, level: float = 0.95, kind: str | None = None) -> list[dict[str, Any]]:
        """One dict a coefficient: term, estimate, std_error, statistic, p_value, conf_low, conf_high."""
        from scipy import special

        se, ends = self.se(kind), self.conf_int(level, kind=kind)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.coef / se
        p = 2 * special.stdtr(self.df_resid, -np.abs(t))
        columns = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
        rows = zip(self.labels, *(a.tolist() for a in (self.coef, se, t, p, *ends.T)), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def glance(self) -> dict[str, Any]:
        """The fit in one dict."""
        return {"nobs": self.nobs, "df_resid": self.df_resid, "converged": self.converged}

    def _head(self) -> list[str]:
        return [f"{self.title[0].upper()}{self.title[1:]}   n {self.nobs:g}"]

    def summary(self, level: float = 0.95, kind: str | None = None) -> summary.Summary:
        """The estimates as a table to print; in notebooks HTML, and `.latex()` for papers."""
        rows = summary.table(self.tidy(level, kind), level, "t")
        notes = [f"standard errors: {self.kind if kind is None else kind}", *self.notes]
        if self.problem.weighted:
            notes.append(f"frequency weights, sum {self.nobs:g} in {len(self.problem.w)} rows")
        return summary.Summary(self._head(), rows, notes)

    def __repr__(self) -> str:
        state = "" if self.converged else ", NOT converged"
        return f"<{type(self).__name__}: {', '.join(self.labels)}{state}>"
