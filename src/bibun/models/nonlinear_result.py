"""NonlinearResult: what the result of a nonlinear regression can do, over Result.

Imports result and what is below it; reads a SumOfSquares. The fit is in nls.py.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..optimize import minimize
from ..optimize.least_squares import Linear, lengths
from ..optimize.stopping import RULES
from ..transforms.jacobian import jacobian
from . import summary
from .certificate import certify
from .covariance import Covariance, bread
from .parameters import as_values
from .regression_result import Prediction
from .result import Result, Test

__all__ = ["MeanPrediction", "NonlinearResult"]

FAR = 1e4  # Wald half-widths: an end further out is none
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
        r, J = objective.linear(u)
        self.rss, n = float(r @ r), objective.n_obs
        self.df_resid = n - len(u)
        self.scale = self.rss / self.df_resid if self.df_resid > 0 else float("nan")
        with np.errstate(divide="ignore"):
            loglik = -0.5 * n * float(np.log(2 * np.pi) + 1 - np.log(n) + np.log(self.rss))
        if objective.root is not None:
            loglik += float(np.log(objective.root[objective.root > 0]).sum())
        df = max(self.df_resid, 1.0)
        objective.settle(max(self.rss, df * n * NOISE**2 * objective.rounding), df, -loglik)
        certificate = certify(objective, u)  # at a variance beside which rounding errors are small
        objective.settle(self.rss, df, -loglik)
        self._linear = Linear(r, J, np.where(lengths(J) > 0, lengths(J), 1.0))
        super().__init__(objective, objective, u, certificate, search, 0, loglik)
        self.cov = Covariance("expected")

    @property
    def df_model(self) -> int:
        """The number of parameters, and one for the variance, as they count in AIC."""
        return len(self.u) + 1

    @property
    def _determined(self) -> float:
        return float(self._linear.s.size)

    def _bread(self, kind: str) -> np.ndarray:
        """s² (J'J)⁻¹, in which every covariance but the "observed" is: that has the mean's second derivatives too."""
        if kind == "observed":
            return np.asarray(bread(self.objective.hessian(self.u)) * (self.scale / self.objective.variance))
        T = self._linear.whitening
        return np.asarray(self.scale * (T @ T.T))

    def _quantile(self, level: float) -> float:
        from scipy import special

        return float(special.stdtrit(self.df_resid, 0.5 + 0.5 * level)) if self.df_resid > 0 else float("nan")

    def _p_value(self, statistic: float) -> float:
        from scipy import special

        return float(2 * special.stdtr(self.df_resid, -abs(statistic))) if self.df_resid > 0 else float("nan")

    def conf_int(self, level: float = 0.95, method: str = "wald", kind: Any = None, parm: Any = None) -> np.ndarray:
        """Confidence intervals (see `Result.conf_int`), shape (k, 2), by the t distribution.

        "profile" holds the values at which the best sum of squares exceeds the least one by no more than s² t²: the
        profile t statistic, the others adapting (Bates & Watts 1988), exact where a Wald interval is not.
        """
        wanted = self._positions(parm)
        if self.df_resid <= 0:
            return np.full((len(wanted), 2), np.nan)
        alone = (
            self.jacobian.shape[0] == self.jacobian.shape[1]
            and not (self.jacobian - np.diag(self.jacobian.diagonal())).any()
        )
        if method != "profile" or not alone or not 0 < level < 1:
            return super().conf_int(level, method, kind, parm)
        out = np.full((len(wanted), 2), np.nan)
        for i, k in enumerate(wanted):
            if not self.undetermined[k]:
                for side in (-1, 1):
                    u = self.u.copy()
                    u[k] = profile_end(self.objective, self.u, k, side * self._quantile(level), self.rss, self.scale)
                    with np.errstate(all="ignore"):
                        out[i, (side + 1) // 2] = self.parameters.vector(u)[k]
        return np.sort(out, axis=1)

    def test(self, hypothesis: Any, kind: str = "wald", cov: Any = None) -> Test:
        """A test of linear hypotheses (see `Result.test`); F tests by the estimates or, "lr", by sums of squares."""
        t = super().test(hypothesis, kind, cov)
        if kind == "score":
            return t
        name = "F test of sums of squares" if kind == "lr" else "F test"
        return Test(name, t.statistic / t.df, t.df, t.hypothesis, self.df_resid)

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
        if kind not in ("pearson", "deviance"):
            raise ValueError(f"kind={kind!r}: 'response', 'pearson' or 'deviance'")
        return np.asarray(r / np.sqrt(self.scale) if kind == "pearson" else r.copy())

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


def profile_end(objective: Any, u: np.ndarray, k: int, t: float, rss: float, variance: float) -> float:
    """Where the profile t statistic of u[k] is `t`: infinite if it never is, NaN if the others cannot be refitted.

    The statistic is the signed root of what the sum of squares rises by over the variance, the others adapting. It is
    close to linear (Bates & Watts 1988), so Newton's method finds the root in a few refits, kept between two ends.
    """
    if not variance > 0:  # an exact fit
        return float(u[k])
    squares, args, free = objective.squares, objective.arguments, np.arange(len(u)) != k

    def follow(x: np.ndarray, J: np.ndarray, value: float) -> np.ndarray:
        """Where the others go, by the linear model, as u[k] moves to `value`."""
        x = x.copy()
        d = lengths(J)
        d[d == 0] = 1.0
        x[free] -= np.linalg.lstsq(J[:, free] / d[free], J[:, k] * (value - x[k]), rcond=1e-12)[0] / d[free]
        x[k] = value
        return x

    def refit(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
        """The best point with that u[k], the Jacobian, the statistic, and its derivative."""
        if free.any():
            found = minimize(
                squares.held(x, free), x[free], args=args, method="levenberg-marquardt", ftol=1e-13, maxiter=1000,
                to_the_last_digit=False, progress=False,
            )  # fmt: skip
            if found.status == RULES["interrupted"].status:
                raise KeyboardInterrupt
            if not found.success:
                raise ValueError(found.message)
            x = x.copy()
            x[free] = found.x
        with np.errstate(all="ignore"):
            r, J = np.asarray(squares.residuals(x, *args)), np.asarray(squares.jacobian(x, *args))
        rise = float(r @ r) - rss
        if rise < -1e-6 * rss - 1e6 * len(r) * objective.rounding:
            raise ArithmeticError(
                f"the sum of squares is lower, {rss + rise:.6g} after {rss:.6g}, at "
                + ", ".join(f"{n} = {v:.6g}" for n, v in zip(objective.labels, x, strict=True))
                + ": the estimates are another minimum; fit again from there"
            )
        tau = math.copysign(math.sqrt(max(rise, 0.0) / variance), t)
        return x, J, tau, float(J[:, k] @ r) / (variance * tau) if tau else math.inf

    x, J = u, np.asarray(squares.jacobian(u, *args))
    T = Linear(np.zeros(len(J)), J, np.where(lengths(J) > 0, lengths(J), 1.0)).whitening
    half = t * math.sqrt(variance) * float(np.linalg.norm(T[k]))
    near = 1e-6 * abs(t) + math.sqrt(len(J) * objective.rounding / variance) / abs(t)
    inside, at_inside, outside, trial = float(u[k]), (0.0, t / half), math.nan, float(u[k]) + half
    for _ in range(100):
        try:
            there, J_there, tau, slope = refit(follow(x, J, trial))
        except ValueError:  # not finite there, or without a minimum
            tau = math.nan
        if abs(tau - t) <= near:
            return trial + (t - tau) / slope
        if not abs(tau) <= 2 * abs(t):  # too far, or in another valley
            trial = 0.5 * (inside + trial)
        else:
            if abs(tau) < abs(t):
                inside, at_inside, x, J = trial, (tau, slope), there, J_there
            else:
                outside = trial
            trial = trial + (t - tau) / slope
        if not abs(inside - u[k]) < FAR * abs(half):
            return math.copysign(math.inf, half)
        furthest = u[k] + 3 * (inside - u[k] or half) if outside != outside else outside
        if not min(inside, furthest) < trial < max(inside, furthest):
            trial = furthest if outside != outside else 0.5 * (inside + outside)
        if abs(trial - inside) <= 1e-9 * abs(half) and abs(at_inside[0] - t) > 1e-6 * abs(t):
            if outside != outside:
                break
            outside = math.nan  # it was in another valley
            trial = inside + (t - at_inside[0]) / at_inside[1]
    return math.nan
