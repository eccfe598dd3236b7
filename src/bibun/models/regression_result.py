"""RegressionResult: what every regression's result can do, over Result.

Imports result and what is below it; the fits are in regression.py and logistic.py, and a new family is a file beside
them.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from .. import special
from ..errors import NotDefined
from . import summary
from .certificate import Certificate
from .constrained import profile_end
from .design import linear_predictor
from .least_squares import Rows
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
    family : str
        The distribution of the response, such as "gaussian", "binomial", "multinomial".
    params, bse : dict of str to float
        By column; and by name, what is estimated besides the coefficients.
    coef : ndarray
        The estimates in the order of `labels`.
    df_resid : float
        Rows (the sum of frequency weights) less independent columns.
    statistic : {"t", "z"}
        What an estimate over its standard error is compared with: "t" where a dispersion is estimated.
    scale : float
        The dispersion, 1 for families without one: Pearson's chi-square over `df_resid`, which for linear regression is
        the variance.
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
    _model: Any  # family and link
    design: Any = None  # of a formula
    notes: tuple[str, ...] = ()

    def __init__(self, objective: Any, u: np.ndarray, certificate: Certificate, search: Any, facts: dict[str, Any]):
        polished, loglik = facts.pop("polished", 0), facts.pop("loglik")
        super().__init__(objective.model, objective, u, certificate, search, polished, np.nan)
        self.loglik = loglik
        self.family: str = facts.pop("family")
        self.df_resid: float = facts.pop("df_resid")
        self._model = facts.pop("_model", None)
        self.statistic = "t" if self._model is not None and self._model.family.dispersion else "z"
        self._rank: float = facts.pop("df_model")
        self._inverse_information: np.ndarray = facts.pop("inverse")
        self.null: np.ndarray = facts.pop("null")
        self.__dict__.update(facts)

    # --- what differs from a likelihood in general -------------------------------------------------------------------

    @property
    def loglik(self) -> float:
        """The log-likelihood; `NotDefined` for quasi families, which are no distributions."""
        if self._loglik is None:
            raise NotDefined(f"the {self.family} family is no distribution: it has no likelihood; compare deviances")
        return self._loglik

    @loglik.setter
    def loglik(self, value: float | None) -> None:
        self._loglik = value

    def __getattr__(self, name: str) -> Any:
        if name in ("deviance", "null_deviance"):
            raise NotDefined(f"the {self.__dict__.get('family')} family has no deviance: compare log-likelihoods")
        if name == "null_loglik":
            raise NotDefined(f"the {self.__dict__.get('family')} family is no distribution: it has no likelihood")
        raise AttributeError(name)

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
        if kind != "expected" or self._model is None or self._model.canonical:
            return self._inverse_information
        if self._model.names:
            raise NotDefined(
                f"the expected information of the {self.family} family has no closed form in what is estimated besides "
                "the coefficients: use kind='observed'"
            )
        return self._expected

    @cached_property
    def _expected(self) -> np.ndarray:
        """The inverse of the coefficients' expected information, what is besides them being known."""
        model, k = self._model, self._model.width
        eta, mean = self._predicted()
        w = (
            self._row_weights()
            * self._trials()
            * model.link.slope(eta) ** 2
            / model.family.variance(mean, **self._more)
        )
        X, T = self.objective.data.X, self._T[:k, : self._T.shape[1] - len(model.names)]
        information = T.T @ (Rows(X, k > X.shape[1], w).gram + self._penalty()[:k, :k]) @ T
        return np.asarray(T @ np.linalg.pinv(information, rcond=1e-13, hermitian=True) @ T.T * self.scale)

    def _penalty(self) -> np.ndarray:
        P, total = self._over_gamma.arguments[1], self._over_gamma.total
        if P is None:
            return np.zeros((len(self.u), len(self.u)))
        back = np.linalg.pinv(self._T)
        return np.asarray(back.T @ P @ back * total)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _need_model(self, what: str) -> Any:
        if self._model is None:
            raise NotDefined(
                f"{what} of several classes: a mean for each class is predict_proba's of LogisticRegression"
            )
        return self._model

    @property
    def _more(self) -> dict[str, float]:
        """What is estimated besides the coefficients, by name."""
        k = self._model.width
        return dict(zip(self._model.names, self.coef[k:].tolist(), strict=True))

    def _row_weights(self) -> np.ndarray:
        w = self.objective.weights
        return np.ones(len(self.objective.data["y"])) if w is None else w

    def _trials(self) -> Any:
        return self.objective.data.get("trials", 1.0)

    def _predicted(self) -> tuple[np.ndarray, np.ndarray]:
        """Linear predictor and mean of the fitted rows."""
        model = self._need_model("predictors")
        eta = np.asarray(linear_predictor(self.objective.data, self.coef[: model.width]))
        return eta, np.asarray(model.link.inverse(eta))

    @property
    def fittedvalues(self) -> np.ndarray:
        """The mean of each fitted row, shape (n,)."""
        return self._predicted()[1]

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
        if "_residuals" in self.__dict__:
            with np.errstate(invalid="ignore"):
                t = np.sqrt(max(self.df_resid, 0.0) * np.expm1(z**2 / self.nobs))
                return np.stack([self.coef - t * self.se(), self.coef + t * self.se()], axis=1)[wanted]
        if self.statistic == "t":
            z = self._quantile(level)
        best = self._over_gamma.value(self._gamma)
        out = np.full((len(self.coef), 2), np.nan)
        for k in wanted:
            if self.certificate.undetermined[k]:
                continue

            def shown(gamma: Any, k: int = k) -> Any:
                return self.parameters.stretched(self.parameters.vector(self._T @ gamma))[k]

            t = np.array(self.parameters.stretched(self.coef), float)
            for side in (-1, 1):
                t[k] = profile_end(self._over_gamma, self._gamma, shown, side, 0.5 * z**2 * self.scale, best)
                out[k, (side + 1) // 2] = self.parameters.unstretched(t)[k]
        return np.sort(out, axis=1)[wanted]

    def delta(self, g: Callable[[Any], Any], kind: Any = None) -> Estimate:
        """A function of the coefficients by column name, `lambda p: p["x1"] / p["x2"]`; see `Result.delta`."""

        def by_name(theta: Any) -> Any:
            shown = self.parameters.vector(theta)
            return g(Values({label: shown[k] for k, label in enumerate(self.labels)}, "coefficient"))

        return super().delta(by_name, kind)

    def predict(self, X: Any = None, offset: Any = None, kind: Any = None) -> Prediction:
        """The mean at rows of a design matrix: values with standard errors.

        Parameters
        ----------
        X : array_like of shape (m, p), or a table, optional
            After a formula, a table with its columns; else the columns in the order of the fit, without an intercept
            that the fit added. The fitted rows by default.
        offset : array_like of shape (m,), optional
            The fitted one for the fitted rows, else 0.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Prediction
            `value`, `se`, `conf_int(level)`. The standard error is NaN where the data do not determine a row's mean.
        """
        model, d = self._need_model("a mean"), self.objective.data
        if X is None:
            X, offset = d.X, d["offset"] if offset is None and "offset" in d else offset
        elif self.design is not None and not isinstance(X, np.ndarray):
            more = self.design.offset_of(X)
            X = self.design.matrix(X)[:, model.width - d.X.shape[1] :]
            offset = more if offset is None else np.asarray(offset, float) + (0.0 if more is None else more)
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != d.X.shape[1]:
            names = ", ".join(self.labels[model.width - d.X.shape[1] : model.width][:8])
            raise ValueError(f"X has shape {X.shape}: the fit had {d.X.shape[1]} columns, {names}")
        k = model.width
        if k > X.shape[1]:
            X = np.column_stack([np.ones(len(X)), X])  # the intercept that the fit added
        eta = X @ self.coef[:k] + (0.0 if offset is None else np.asarray(offset, float))
        cov = self._any_covariance(self._wanted(kind))[:k, :k]
        se = np.sqrt(np.maximum(np.sum((X @ cov) * X, axis=1), 0.0))
        if self.null.shape[1]:
            off = np.abs(X @ self.null[:k])
            se = np.where((off > 1e-7 * (np.abs(X) @ np.abs(self.null[:k]))).any(axis=1), np.nan, se)
        return Prediction(eta, se, model.link.inverse, model.link.slope(eta), self._quantile)

    def residuals(self, kind: str = "response") -> np.ndarray:
        """What the mean leaves of each row, shape (n,).

        Parameters
        ----------
        kind : {"response", "pearson", "deviance", "standardized", "quantile"}
            y - mean; that over its standard deviation; the signed root of the row's part of the deviance; Pearson's
            over what the row's own pull leaves of it, √(φ(1 - h)); and the normal quantile of the distribution
            function (Dunn & Smyth 1996), for counts at the middle of its step.

        Notes
        -----
        Pearson's and deviance residuals are of dispersion 1, as R's; but Pearson's of linear regression are over the
        residual standard error.
        """
        model, y = self._need_model("residuals"), np.asarray(self.objective.data["y"], float)
        family, m, more = model.family, self._trials(), self._more
        eta, mean = self._predicted()
        r = np.asarray(y - mean)
        if model.link.name == "logit":
            r = np.where(y == 1, special.expit(-eta), r)  # 1 - mean, to the last digit
        if kind == "response":
            return self._residuals if "_residuals" in self.__dict__ else r
        with np.errstate(all="ignore"):
            if kind in ("pearson", "standardized"):
                spread = family.variance(mean, **more)
                if model.link.name == "logit":
                    spread = special.expit(eta) * special.expit(-eta)
                pearson = np.where(r == 0, 0.0, r / np.sqrt(spread / m))
                if kind == "pearson":
                    return np.asarray(pearson / np.sqrt(self.scale) if self.family == "gaussian" else pearson)
                return np.asarray(pearson / np.sqrt(self.scale * (1 - self.influence()["hat"])))
            if kind == "deviance":
                part = np.maximum(m * family.deviance(y, mean, **more), 0.0)
                return np.asarray(np.sign(r) * np.sqrt(part))
            if kind == "quantile":
                upper = family.cdf(y, mean, m, self.scale, **more)
                if family.discrete:
                    lower = np.where(y > 0, family.cdf(y - 1 / m, mean, m, self.scale, **more), 0.0)
                    upper = 0.5 * (upper + lower)
                return np.asarray(special.ndtri(upper))
        raise ValueError(f"kind={kind!r}: 'response', 'pearson', 'deviance', 'standardized' or 'quantile'")

    def influence(self) -> dict[str, np.ndarray]:
        """How much each row pulls.

        Returns
        -------
        dict of ndarray
            "hat", shape (n,): the row's share in its own fitted value. "cooks_distance", shape (n,): how far it moves
            all coefficients. "dfbeta", shape (n, k): by how much each estimate is larger because the row is there, to
            first order (one Newton step). "dfbetas": that over the standard errors.

        Notes
        -----
        Pregibon (1981); for linear regression all are exact. Rows of frequency weights count one at a time.
        """
        model = self._need_model("influence")
        eta, mean = self._predicted()
        k, d, m, more = model.width, self.objective.data, self._trials(), self._more
        w = np.ones(len(eta)) if self.objective.weights_are == "frequency" else self._row_weights()
        slope = model.link.slope(eta)
        X = np.column_stack([np.ones(len(eta)), d.X]) if k > d.X.shape[1] else d.X
        inverse = self._expected
        with np.errstate(all="ignore"):
            variance = np.asarray(model.family.variance(mean, **more)) / m
            hat = w * slope**2 / variance * np.sum((X @ inverse) * X, axis=1) / self.scale
            pearson = (np.asarray(d["y"], float) - mean) * np.sqrt(w / variance)
            cooks = pearson**2 * hat / (self._determined_coefficients * self.scale * (1 - hat) ** 2)
            score = (np.asarray(d["y"], float) - mean) * slope * w / (variance * self.scale)
            dfbeta = score[:, None] * (X @ inverse) / (1 - hat)[:, None]
        return {"hat": hat, "cooks_distance": cooks, "dfbeta": dfbeta, "dfbetas": dfbeta / self.se()[:k]}

    @property
    def _determined_coefficients(self) -> float:
        return self._determined - len(self._model.names)

    def simulate(self, rng: np.random.Generator | int, times: int = 1) -> np.ndarray:
        """Responses drawn from the fitted model, shape (times, n)."""
        model = self._need_model("draws")
        rng = np.random.default_rng(rng)
        mean, m = self.fittedvalues, self._trials()
        return np.stack([model.family.draw(rng, mean, m, self.scale, **self._more) for _ in range(times)])

    def glance(self) -> dict[str, Any]:
        """The fit in one dict: that of `Result`, and family, df_resid, R² and residual error or deviances."""
        more = ("rsquared", "deviance", "null_deviance", "null_loglik")
        out = {**super().glance(), "family": self.family, "df_resid": self.df_resid}
        out.update({name: self.__dict__[name] for name in more if self.__dict__.get(name) is not None})
        if self.family == "gaussian":
            out["residual_se"] = float(np.sqrt(self.scale))
        return out

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print."""
        title = "Multinomial logistic regression" if self._model is None else self._model.title
        table = summary.of(self, level, kind, self.statistic, title)
        on = f"on {self.df_resid:g} degrees of freedom"
        if self.family == "gaussian":
            table.head.append(f"R² {self.rsquared:.6g}   residual error {np.sqrt(self.scale):.6g} {on}")
        else:
            table.head += [f"deviance {self.deviance:.8g} {on}   null deviance {self.null_deviance:.8g}"] * (
                "deviance" in self.__dict__
            )
            if self.statistic == "t":
                table.head.append(f"dispersion {self.scale:.6g}")
        return table

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return f"<RegressionResult {self.family}: {', '.join(self.labels)}; loglik {self.loglik:.6g}, {state}>"
