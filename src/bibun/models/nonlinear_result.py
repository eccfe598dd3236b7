"""NonlinearResult: what the result of a nonlinear regression can do, over Result.

Imports result and what is below it; reads a SumOfSquares. The fit is in nls.py.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..optimize.least_squares import Linear, lengths
from ..transforms.jacobian import jacobian
from . import summary
from .answers import checked_level
from .certificate import certify
from .constrained import along
from .covariance import Covariance
from .parameters import as_values
from .regression_result import Prediction
from .result import Result, Test
from .row_figures import beside_data

__all__ = ["MeanPrediction", "NonlinearResult"]

NOISE = 3e4  # rounding errors of the response: less noise is none


class MeanPrediction(Prediction):
    """Means at rows of data: `value`, `se` and intervals, each of shape (n,); no covariance between rows."""

    def __init__(self, mean: np.ndarray, se: np.ndarray, variance: np.ndarray, quantile: Callable[[float], float]):
        super().__init__(mean, se, lambda m: m, np.ones_like(mean), quantile)
        self._variance = variance  # of a new response around its mean

    def conf_int(self, level: float = 0.95, interval: str = "confidence") -> np.ndarray:
        """Intervals, shape (n, 2), by the delta method.

        Parameters
        ----------
        level : float
        interval : {"confidence", "prediction"}
            For the mean; for a new response, whose own variance comes on top.
        """
        if interval not in ("confidence", "prediction"):
            raise ValueError(f"interval={interval!r}: 'confidence' or 'prediction'")
        if interval == "confidence":
            return super().conf_int(level)
        q = self._quantile(level) * np.sqrt(self.se**2 + self._variance)
        return np.stack([self.value - q, self.value + q], axis=-1)


class NonlinearResult(Result):
    """A fitted nonlinear regression: a `Result` with residuals and predictions.

    Attributes
    ----------
    rss : float
        The (weighted) residual sum of squares.
    df_resid : float
        Rows of positive weight less parameters.
    scale : float
        The variance around the mean, rss / df_resid; NaN where there are as many parameters as rows.
    """

    def __init__(self, objective: Any, u: np.ndarray, search: Any) -> None:
        loglik = self._figures(objective, u, np.eye(len(u)))
        df = max(self.df_resid, 1.0)
        objective.settle(max(self.rss, df * objective.n_obs * NOISE**2 * objective.rounding), df, -loglik)
        certificate = certify(objective, u)  # at a variance beside which rounding errors are small
        objective.settle(self.rss, df, -loglik)
        super().__init__(objective, objective, u, certificate, search, 0, loglik)
        self.cov = Covariance("expected")

    def _figures(self, objective: Any, u: np.ndarray, Z: np.ndarray) -> float:
        """Learn the sum of squares and what follows from it, the directions `Z` being free; the log-likelihood."""
        r, J = objective.linear(u)
        J, n = J @ Z, objective.n_obs
        self.rss, self.df_resid = float(r @ r), n - Z.shape[1]
        self.scale = self.rss / self.df_resid if self.df_resid > 0 else float("nan")
        self._linear = Linear(r, J, np.where(lengths(J) > 0, lengths(J), 1.0))
        self._whitening = Z @ self._linear.whitening
        with np.errstate(divide="ignore"):
            loglik = -0.5 * n * float(np.log(2 * np.pi) + 1 - np.log(n) + np.log(self.rss))
        if objective.root is not None:
            loglik += float(np.log(objective.root[objective.root > 0]).sum())
        return loglik

    @property
    def df_model(self) -> int:
        """The number of parameters, and one for the variance, as they count in AIC."""
        return super().df_model + 1

    @property
    def _determined(self) -> float:
        return float(self._linear.s.size)

    def _bread(self, kind: str) -> np.ndarray:
        """s² (J'J)⁻¹, in which every covariance but the "observed" is: that has the mean's second derivatives too."""
        if kind == "observed":
            return np.asarray(super()._bread(kind) * (self.scale / self.objective.variance))
        T = self._whitening
        return np.asarray(self.scale * (T @ T.T))

    def _quantile(self, level: float) -> float:
        from scipy import special

        level = checked_level(level)
        return float(special.stdtrit(self.df_resid, 0.5 + 0.5 * level)) if self.df_resid > 0 else float("nan")

    def _p_value(self, statistic: float) -> float:
        from scipy import special

        return float(2 * special.stdtr(self.df_resid, -abs(statistic))) if self.df_resid > 0 else float("nan")

    def conf_int(
        self, level: float = 0.95, method: str = "wald", kind: Any = None, parm: Any = None, **more: Any
    ) -> np.ndarray:
        """Confidence intervals (see `Result.conf_int`), shape (k, 2), by the t distribution.

        "profile" holds the values at which the best sum of squares exceeds the least one by no more than s² t²: the
        profile t statistic, the others adapting (Bates & Watts 1988), exact where a Wald interval is not.
        """
        if self.rss == 0 and method in ("profile", "score"):
            method = "wald"  # an exact fit: every interval is a point
        return super().conf_int(level, method, kind, parm, **more)

    def test(self, hypothesis: Any, kind: str = "wald", cov: Any = None) -> Test:
        """A test of linear hypotheses (see `Result.test`); all are F tests with the variance of this fit.

        By the estimates; "lr" by sums of squares, as R's `anova`; "score" by the slopes of the restricted one.
        """
        t = super().test(hypothesis, kind, cov)
        name = {"wald": "F test", "lr": "F test of sums of squares", "score": "F test of scores"}[kind]
        return Test(name, t.statistic / t.df, t.df, t.hypothesis, self.df_resid)

    def _redrawn(self, times: np.ndarray) -> Any:
        """The sum of squares, each row counting so many times; what was compiled serves it."""
        objective = object.__new__(type(self.objective))
        root = np.sqrt(times) if self.objective.root is None else np.sqrt(times) * self.objective.root
        objective.__dict__.update(self.objective.__dict__, root=root, _known=None)
        return objective

    def _information(self, u: np.ndarray, H: np.ndarray) -> np.ndarray:
        """J'J over the variance: the expected information."""
        J = self.objective.linear(u)[1]
        return np.asarray(J.T @ J / self.objective.variance)

    def _settle(self, found: Any, space: Any) -> None:
        """Take the estimates of a restricted search, and the figures that follow from them."""
        assert self._held is not None
        before, self.objective = self.objective.variance, copy.copy(self.objective)
        loglik = self._figures(self.objective, found.u, along(found.normals))
        self.objective.settle(self.rss, max(self.df_resid, 1.0), -loglik)
        self._held.inverse *= self.objective.variance / before
        super()._settle(found, space)
        self.loglik = loglik

    def predict(self, data: Any = None, weights: Any = None, kind: Any = None) -> MeanPrediction:  # type: ignore[override]
        """The mean at rows of data: values with standard errors and intervals by the delta method.

        Parameters
        ----------
        data : dict of arrays or data frame, optional
            What the mean reads, by name; the fitted rows by default.
        weights : array_like, optional
            Of the new rows, for prediction intervals: 1 by default, and the fitted ones for the fitted rows.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        MeanPrediction
            `value`, `se`, `conf_int(level, interval="confidence" or "prediction")`. The standard error is NaN where the
            data do not determine a row's mean.
        """
        objective = self.objective
        d = objective.data if data is None else as_values(data)
        value = np.asarray(objective.mean(self.u, d), float)
        J = np.asarray(jacobian(lambda u: objective.mean(u, d))(self.u)).reshape(*value.shape, len(self.u))
        variance = np.sum((J @ self._any_covariance(self._wanted(kind))) * J, axis=-1)
        for v in self.certificate.directions:
            variance[np.abs(J @ v) > 1e-7 * (np.abs(J) @ np.abs(v))] = np.nan
        if weights is None:
            w = np.ones_like(value) if data is not None or objective.root is None else objective.root**2
        else:
            w = objective.weighed(weights, len(value))
        with np.errstate(divide="ignore"):
            return MeanPrediction(value, np.sqrt(np.maximum(variance, 0.0)), self.scale / w, self._quantile)

    def residuals(self, kind: str = "response") -> np.ndarray:
        """What the mean leaves of each row, shape (n,).

        Parameters
        ----------
        kind : {"response", "pearson", "deviance"}
            Response less mean; that over its standard deviation; that times the root of the weight.
        """
        objective = self.objective
        r = objective.linear(self.u)[0]
        if kind == "response":
            return np.asarray(objective.y - objective.mean(self.u, objective.data))
        if kind == "standardized":
            raise NotDefined("a row of a curve has no exact pull of its own: use kind='pearson'")
        if kind == "quantile":
            kind = "pearson"  # of the normal distribution they are the same
        if kind not in ("pearson", "deviance"):
            raise ValueError(f"kind={kind!r}: 'response', 'pearson', 'deviance' or 'quantile'")
        return np.asarray(r / np.sqrt(self.scale) if kind == "pearson" else r.copy())

    def loglik_rows(self) -> np.ndarray:
        """The log-likelihood of each row at the most likely variance, shape (n,); 0 for rows of weight 0."""
        objective, r = self.objective, self.objective.linear(self.u)[0]
        variance = self.rss / objective.n_obs
        with np.errstate(all="ignore"):
            rows = -0.5 * (np.log(2 * np.pi * variance) + r**2 / variance)
            return rows if objective.root is None else np.where(objective.root > 0, rows + np.log(objective.root), 0.0)

    def augment(self) -> dict[str, np.ndarray]:
        """The data with "fitted", "residuals", "standardized_residuals", "hat" and "cooks_distance" of each row.

        The last three are those of the linear regression on the mean's derivatives (Bates & Watts 1988, section 2.8).
        """
        (r, J), d, s2 = self.objective.linear(self.u), self.objective.data, self.scale
        hat = np.sum((J @ self._linear.whitening) ** 2, axis=1)
        with np.errstate(all="ignore"):
            figures = {
                "fitted": np.asarray(self.objective.mean(self.u, d), float), "residuals": self.residuals(),
                "standardized_residuals": r / np.sqrt(s2 * (1 - hat)), "hat": hat,
                "cooks_distance": r**2 * hat / (len(self.u) * s2 * (1 - hat) ** 2),
            }  # fmt: skip
        return beside_data({k: np.asarray(d[k]) for k in d if np.shape(d[k])[:1] == r.shape}, figures)

    def glance(self) -> dict[str, Any]:
        """The fit in one dict: that of `Result`, and rss, df_resid and residual_se."""
        more = {"rss": self.rss, "df_resid": self.df_resid, "residual_se": float(np.sqrt(self.scale))}
        return {**super().glance(), **more}

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print."""
        table = summary.of(self, level, kind, "t", "Nonlinear regression")
        table.head.append(
            f"residual standard error {summary.number(float(np.sqrt(self.scale)), 8)} on {self.df_resid:g} degrees of "
            "freedom"
        )
        return table
