"""RegressionResult: what every regression's result can do, over Result.

Imports result and what is below it; the fits are in regression.py and logistic.py, and a new family is a file beside
them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import summary
from .certificate import Certificate
from .constrained import profile_end
from .design import linear_predictor
from .parameters import Values
from .result import Estimate, Result, Test, normal_quantile

__all__ = ["Prediction", "RegressionResult"]


class Prediction(Estimate):
    """Means at rows of data: `value`, `se` and intervals, each of shape (n,); no covariance between rows."""

    def __init__(
        self,
        eta: np.ndarray,
        se_eta: np.ndarray,
        inverse: Callable[[np.ndarray], np.ndarray],
        slope: np.ndarray,
        quantile: Callable[[float], float],
    ) -> None:
        self.value, self.se = inverse(eta), np.abs(slope) * se_eta
        self._eta, self._se_eta, self._inverse, self._quantile = eta, se_eta, inverse, quantile

    def conf_int(self, level: float = 0.95) -> np.ndarray:
        """Intervals of the means, found on the scale of the linear predictor and carried over, shape (n, 2)."""
        q = self._quantile(level) * self._se_eta
        return np.stack([self._inverse(self._eta - q), self._inverse(self._eta + q)], axis=-1)


class RegressionResult(Result):
    """A fitted regression: a `Result` whose parameters are the coefficients of named columns.

    Attributes
    ----------
    family : {"gaussian", "binomial", "multinomial"}
    params, bse : dict of str to float
        By column.
    coef : ndarray
        The coefficients in the order of `labels`.
    df_resid : float
        Rows (the sum of the weights) less independent columns.
    statistic : {"t", "z"}
        What an estimate over its standard error is compared with: "t" for linear regression.
    scale : float
        The variance around the mean: RSS / df_resid for linear regression, 1 for the others.
    rsquared : float
        Linear regression only; around the mean if the columns span a constant, else around 0.
    deviance, null_deviance, null_loglik : float
        The null model has the intercept (if there is one) and the offset.
    null : ndarray of shape (k, m)
        Combinations of the coefficients that the data do not determine.
    """

    scale: float
    rsquared: float
    deviance: float
    null_deviance: float
    null_loglik: float
    _residuals: np.ndarray
    _T: np.ndarray  # coefficients from the orthonormal coordinates of the search
    _gamma: np.ndarray
    _over_gamma: Any

    def __init__(self, objective: Any, u: np.ndarray, certificate: Certificate, search: Any, facts: dict[str, Any]):
        polished, loglik = facts.pop("polished", 0), facts.pop("loglik")
        super().__init__(objective.model, objective, u, certificate, search, polished, loglik)
        self.family: str = facts.pop("family")
        self.df_resid: float = facts.pop("df_resid")
        self.statistic = "t" if self.family == "gaussian" else "z"
        self._rank: float = facts.pop("df_model")
        self._inverse_information: np.ndarray = facts.pop("inverse")
        self.null: np.ndarray = facts.pop("null")
        self.__dict__.update(facts)

    # --- what differs from a likelihood in general -------------------------------------------------------------------

    @property
    def params(self) -> dict[str, Any]:
        """Column name to coefficient."""
        return dict(zip(self.labels, self.coef.tolist(), strict=True))

    @params.setter
    def params(self, value: Any) -> None:
        """Result sets it; the coefficients are the truth."""

    @property
    def bse(self) -> dict[str, Any]:
        """Column name to standard error."""
        return dict(zip(self.labels, self.se().tolist(), strict=True))

    @property
    def df_model(self) -> Any:
        """Free parameters, as they count in AIC: independent columns, and the variance for linear regression.

        With a penalty, effective ones: the trace of unpenalized information times the inverse of the penalized.
        """
        return self._rank

    @property
    def _determined(self) -> float:
        return float(len(self.u) - self.null.shape[1])

    def _bread(self, kind: str) -> np.ndarray:
        return self._inverse_information  # links are canonical: what is observed is what is expected

    def _quantile(self, level: float) -> float:
        if self.statistic != "t":
            return super()._quantile(level)
        from scipy import special

        return float(special.stdtrit(self.df_resid, 0.5 + 0.5 * level)) if self.df_resid > 0 else float("nan")

    def _p_value(self, statistic: float) -> float:
        if self.statistic != "t":
            return super()._p_value(statistic)
        from scipy import special

        return float(2 * special.stdtr(self.df_resid, -abs(statistic))) if self.df_resid > 0 else float("nan")

    def test(self, hypothesis: Any, kind: str = "wald", cov: Any = None) -> Test:
        """A test of linear hypotheses (see `Result.test`); for linear regression, Wald's is the F test."""
        t = super().test(hypothesis, kind, cov)
        if self.statistic != "t" or kind != "wald":
            return t
        return Test("F test", t.statistic / t.df, t.df, t.hypothesis, self.df_resid)

    def conf_int(self, level: float = 0.95, method: str = "wald", kind: Any = None, parm: Any = None) -> np.ndarray:
        """Confidence intervals (see `Result.conf_int`), shape (k, 2).

        For linear regression the profile likelihood, the variance adapting too, has a closed form: it falls by
        (n/2) log(1 + t²/df_resid), t being the distance in standard errors.
        """
        if method != "profile":
            return super().conf_int(level, method, kind, parm)
        if not 0 < level < 1:
            raise ValueError(f"level={level}: a number between 0 and 1")
        wanted, z = self._positions(parm), normal_quantile(level)
        if self.family == "gaussian":
            with np.errstate(invalid="ignore"):
                t = np.sqrt(max(self.df_resid, 0.0) * np.expm1(z**2 / self.nobs))
                return np.stack([self.coef - t * self.se(), self.coef + t * self.se()], axis=1)[wanted]
        out = np.full((len(self.coef), 2), np.nan)
        for k in wanted:
            if not self.certificate.undetermined[k]:
                out[k] = self._profile(k, z)
        return out[wanted]

    def _profile(self, k: int, z: float) -> list[float]:
        """Both ends for one coefficient, looked for in orthonormal coordinates."""
        best = self._over_gamma.value(self._gamma)

        def coefficient(gamma: Any) -> Any:
            return self._T[k] @ gamma

        return [profile_end(self._over_gamma, self._gamma, coefficient, s, 0.5 * z**2, best) for s in (-1, 1)]

    def delta(self, g: Callable[[Any], Any], kind: Any = None) -> Estimate:
        """A function of the coefficients by column name, `lambda p: p["x1"] / p["x2"]`; see `Result.delta`."""

        def by_name(theta: Any) -> Any:
            return g(Values({label: theta[k] for k, label in enumerate(self.labels)}, "coefficient"))

        return super().delta(by_name, kind)

    def predict(self, X: Any = None, offset: Any = None, kind: Any = None) -> Prediction:
        """The mean at rows of a design matrix: values with standard errors.

        Parameters
        ----------
        X : array_like of shape (m, p), optional
            The columns in the order of the fit, without an intercept that the fit added; the fitted rows by default.
        offset : array_like of shape (m,), optional
            The fitted one for the fitted rows, else 0.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Prediction
            `value`, `se`, `conf_int(level)`. The standard error is NaN where the data do not determine a row's mean.
        """
        d = self.objective.data
        if X is None:
            X, offset = d.X, d["offset"] if offset is None and "offset" in d else offset
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != d.X.shape[1]:
            names = ", ".join(self.labels[-d.X.shape[1] :][:8])
            raise ValueError(f"X has shape {X.shape}: the fit had {d.X.shape[1]} columns, {names}")
        if self.family == "multinomial":
            raise ValueError("a mean for each class: use predict_proba of LogisticRegression")
        if len(self.coef) > X.shape[1]:
            X = np.column_stack([np.ones(len(X)), X])  # the intercept that the fit added
        eta = X @ self.coef + (0.0 if offset is None else np.asarray(offset, float))
        cov = self._any_covariance(self._wanted(kind))
        se = np.sqrt(np.maximum(np.sum((X @ cov) * X, axis=1), 0.0))
        if self.null.shape[1]:
            off = np.abs(X @ self.null)
            se = np.where((off > 1e-7 * (np.abs(X) @ np.abs(self.null))).any(axis=1), np.nan, se)
        if self.family == "gaussian":
            return Prediction(eta, se, lambda e: e, np.ones_like(eta), self._quantile)
        from scipy.special import expit

        return Prediction(eta, se, expit, expit(eta) * expit(-eta), self._quantile)

    def residuals(self, kind: str = "response") -> np.ndarray:
        """What the mean leaves of each row, shape (n,).

        Parameters
        ----------
        kind : {"response", "pearson", "deviance"}
            y - mean; over its standard deviation; signed root of each row's part of the deviance.
        """
        d = self.objective.data
        if self.family == "gaussian" and kind in ("response", "pearson", "deviance"):
            return self._residuals / (np.sqrt(self.scale) if kind == "pearson" else 1.0)
        if self.family == "multinomial":
            raise ValueError("residuals are for gaussian and binomial fits")
        from scipy import special

        eta = linear_predictor(d, self.coef)
        mean, rest = special.expit(eta), special.expit(-eta)
        r: np.ndarray = np.where(d.y == 1, rest, d.y - mean)
        if kind == "response":
            return r
        if kind == "pearson":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(np.where(r == 0, 0.0, r / np.sqrt(mean * rest)))
        if kind != "deviance":
            raise ValueError(f"kind={kind!r}: 'response', 'pearson' or 'deviance'")
        part = special.xlogy(d.y, d.y) + special.xlog1py(1 - d.y, -d.y) - (d.y * eta - np.logaddexp(0.0, eta))
        return np.asarray(np.sign(r) * np.sqrt(2 * np.maximum(part, 0.0)))

    def glance(self) -> dict[str, Any]:
        """The fit in one dict: that of `Result`, and family, df_resid, R² and residual error or deviances."""
        more = ("rsquared", "deviance", "null_deviance", "null_loglik")
        out = {**super().glance(), "family": self.family, "df_resid": self.df_resid}
        out.update({name: getattr(self, name) for name in more if hasattr(self, name)})
        if self.family == "gaussian":
            out["residual_se"] = float(np.sqrt(self.scale))
        return out

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print."""
        titles = {"gaussian": "Linear regression", "binomial": "Logistic regression"}
        title = titles.get(self.family, "Multinomial logistic regression")
        table = summary.of(self, level, kind, self.statistic, title)
        on = f"on {self.df_resid:g} degrees of freedom"
        if self.family == "gaussian":
            table.head.append(f"R² {self.rsquared:.6g}   residual error {np.sqrt(self.scale):.6g} {on}")
        else:
            table.head.append(f"deviance {self.deviance:.8g} {on}   null deviance {self.null_deviance:.8g}")
        return table

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return f"<RegressionResult {self.family}: {', '.join(self.labels)}; loglik {self.loglik:.6g}, {state}>"
