"""RegressionResult: what every regression's result can do, over Result.

Imports result and what is below it; the fits are in regression.py and logistic.py, and a new family is a file beside
them.
"""

import copy
from functools import cached_property
from typing import Any

import numpy as np

from .. import special
from ..errors import NotDefined
from . import summary
from .answers import Test, checked_level, normal_quantile
from .certificate import Certificate
from .constrained import along, covariance_along
from .design import linear_predictor
from .least_squares import Rows
from .margins import Averaging
from .parameters import Values
from .prediction import Prediction
from .restricted import Space
from .result import Result
from .row_figures import RegressionRows
from .search import ByVector, InOrthonormal

__all__ = ["Prediction", "RegressionResult"]


class RegressionResult(Averaging, RegressionRows, Result):
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
    _residuals: np.ndarray
    _T: np.ndarray  # coefficients from the orthonormal coordinates of the search
    _gamma: np.ndarray
    _over_gamma: Any
    _model: Any  # family and link
    design: Any = None  # of a formula
    notes: tuple[str, ...] = ()
    table: Any = None  # what a formula was read with, whole

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
            raise NotDefined(
                f"the {self.family} family has no likelihood here, or is no distribution: compare deviances"
            )
        return self._loglik

    @loglik.setter
    def loglik(self, value: float | None) -> None:
        self._loglik = value

    def _fact(self, name: str, why: str) -> float:
        value = self.__dict__.get(name)
        if value is None:
            raise NotDefined(f"the {self.family} family {why}")
        return float(value)

    @property
    def deviance(self) -> float:
        """Twice what the log-likelihood falls short of that of a mean for each row, at dispersion 1."""
        return self._fact("deviance", "has no deviance: compare log-likelihoods")

    @property
    def null_deviance(self) -> float:
        """The same of the model with the intercept (if there is one) and the offset alone."""
        return self._fact("null_deviance", "has no deviance: compare log-likelihoods")

    @property
    def null_loglik(self) -> float:
        """The log-likelihood of that model."""
        return self._fact("null_loglik", "has no likelihood here: compare deviances")

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
    def _columns(self) -> Any:
        return self.objective.data if self.table is None else _Fitted(self.table, self.design.rows)

    @property
    def _determined(self) -> float:
        return float(len(self.u) - self.null.shape[1] - self._n_held)

    def _weighted_scores(self, ssc: str = "none") -> tuple[np.ndarray, np.ndarray]:
        scores, squared = super()._weighted_scores()
        if ssc in ("HC2", "HC3"):
            self._need_model("the pull of a row in models")
            left = 1 - self.influence()["hat"][:, None]
            left = np.sqrt(left) if ssc == "HC2" else left
            return scores / left, squared / left
        return scores, squared

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

        level = checked_level(level)
        return float(special.stdtrit(self.df_resid, 0.5 + 0.5 * level)) if self.df_resid > 0 else float("nan")

    def _p_value(self, statistic: float) -> float:
        if self.statistic != "t":
            return super()._p_value(statistic)
        from scipy import special

        return float(2 * special.stdtr(self.df_resid, -abs(statistic))) if self.df_resid > 0 else float("nan")

    def test(self, hypothesis: Any, kind: str = "wald", cov: Any = None) -> Test:
        """A test of linear hypotheses (see `Result.test`).

        Where a dispersion is estimated, all three are F tests with the dispersion of this fit: by the estimates; "lr"
        by deviances, as R's `anova(test="F")`; and by scores, Rao's statistic over the dispersion and its degrees of
        freedom. For linear regression they are one. (R's `lrtest`, with the most likely dispersion of each fit, is
        `compare` with the restricted fit.)
        """
        t = super().test(hypothesis, kind, cov)
        if self.statistic != "t":
            return t
        name = {"wald": "F test", "lr": "F test of deviances", "score": "F test of scores"}[kind]
        return Test(name, t.statistic / t.df, t.df, t.hypothesis, self.df_resid)

    def conf_int(
        self,
        level: float = 0.95,
        method: str = "wald",
        kind: Any = None,
        parm: Any = None,
        *,
        reps: int = 999,
        rng: Any = None,
        cluster: Any = None,
    ) -> np.ndarray:
        """Confidence intervals (see `Result.conf_int`), shape (k, 2).

        Where a dispersion is estimated, "profile" and "score" invert the F tests of `test`; but for linear regression
        the profile likelihood, the variance adapting too, has a closed form: it falls by (n/2) log(1 + t²/df_resid), t
        being the distance in standard errors.
        """
        if method == "profile" and "_residuals" in self.__dict__ and not self.inequalities:
            level = checked_level(level)
            with np.errstate(invalid="ignore"):
                t = np.sqrt(max(self.df_resid, 0.0) * np.expm1(normal_quantile(level) ** 2 / self.nobs))
                half = t * self.se("observed")
            return np.stack([self.coef - half, self.coef + half], axis=1)[self._positions(parm)]
        return super().conf_int(level, method, kind, parm, reps=reps, rng=rng, cluster=cluster)

    def _space(self) -> Space:
        """The coordinates of the search, the dispersion being the one of this fit."""
        if not self.scale > 0:
            raise NotDefined("nothing is left to estimate the error from: there are no tests and intervals")
        if "_over_gamma" not in self.__dict__:
            self._make_coordinates()
        over = InOrthonormal(self._over_gamma.total / self.scale, self._over_gamma.arguments)
        best = over.value(self._gamma)
        return Space(over, self._gamma, best, self.parameters, self._T, self._information, self._held)

    def _make_coordinates(self) -> None:
        """For linear regression, which was solved directly: coordinates in which its information is the identity."""
        inverse = self._inverse_information / self.scale
        d = np.sqrt(np.where(np.diag(inverse) > 0, np.diag(inverse), 1.0))
        eigenvalues, V = np.linalg.eigh(inverse / np.outer(d, d))
        keep = eigenvalues > 1e-14
        T = d[:, None] * V[:, keep] * np.sqrt(eigenvalues[keep])
        w, X = self.objective.weights, self.objective.data.X
        P = np.eye(T.shape[1]) - T.T @ Rows(X, len(T) > X.shape[1], w).gram @ T
        total = self.objective.n_obs
        penalty = P / total if np.abs(P).max(initial=0.0) > 1e-6 else None
        self._T, self._gamma = T, np.linalg.pinv(T) @ self.coef
        arguments = T, penalty, total, dict(self.objective.data), w, ByVector(self._model)
        self._over_gamma = InOrthonormal(total, arguments)

    def _redrawn(self, times: np.ndarray) -> InOrthonormal:
        """The likelihood over the coordinates of the search, each row counting so many times."""
        T, P, before, d, w, rows = self._over_gamma.arguments
        w = times if w is None else times * w
        total = float(w.sum())
        return InOrthonormal(total / self.scale, (T, None if P is None else P * (before / total), total, d, w, rows))

    def _information(self, gamma: np.ndarray, H: np.ndarray) -> np.ndarray:
        """The expected information of the coordinates, where it is not the observed one and has a closed form."""
        model = self._model
        if model is None or model.canonical or model.names:
            return H
        eta = np.asarray(linear_predictor(self.objective.data, self._T @ gamma))
        variance = model.family.variance(np.asarray(model.link.inverse(eta)))
        w = self._row_weights() * self._trials() * model.link.slope(eta) ** 2 / variance
        X, P = self.objective.data.X, self._over_gamma.arguments[1]
        information = self._T.T @ Rows(X, model.width > X.shape[1], w).gram @ self._T
        return np.asarray((information + (0.0 if P is None else P * self._over_gamma.total)) / self.scale)

    def _settle(self, found: Any, space: Space) -> None:
        """Take the estimates of a restricted search, and the figures that follow from them."""
        assert self._held is not None
        model, d, before, inverse = self._model, self.objective.data, self.scale, self._held.inverse
        self.u = space.settled(self.u + self._T @ (found.u - self._gamma), self._held)
        self._gamma, self.coef = found.u, np.asarray(self.parameters.vector(self.u))
        P = self._over_gamma.arguments[1]
        rank = float(len(found.u) - len(self._held) + (model is not None and model.family.dispersion))
        if P is not None:
            rank -= float(np.sum(inverse * P)) * self._over_gamma.total / before
        self.df_resid += self._rank - rank
        self._rank = rank
        self.loglik = -self.objective.value(self.u)
        if model is not None:
            self._settle_rows(model, d)
        elif "deviance" in self.__dict__:
            self.__dict__["deviance"] = -2 * self.loglik
        free = along(self._held.R).any(axis=1)
        self._inverse_information = self._T @ inverse @ self._T.T * (self.scale / before) * np.outer(free, free)
        own = np.linalg.norm(self.null - self._T @ (np.linalg.pinv(self._T) @ self.null), axis=0)
        self.null = self.null[:, own > 1e-8 * np.linalg.norm(self.null, axis=0)]
        if model is not None and not model.canonical and not model.names:
            V = covariance_along(self._information(found.u, inverse), found.normals)
            self._expected = self._T @ V @ self._T.T * np.outer(free, free)

    def _settle_rows(self, model: Any, d: Any) -> None:
        """The dispersion, deviance and likelihood of new estimates."""
        _, mean = self._predicted()
        family, m, w, y = model.family, self._trials(), self._row_weights(), np.asarray(d["y"], float)
        with np.errstate(all="ignore"):
            if "deviance" in self.__dict__:
                self.__dict__["deviance"] = float(w @ (m * family.deviance(y, mean, **self._more)))
            if not family.dispersion:
                return
            self.scale = float(w @ (m * (y - mean) ** 2 / family.variance(mean, **self._more))) / self.df_resid
            try:
                self.loglik = family.loglik(y, mean, w * m, self.objective.weights_are == "variance")
            except NotDefined:
                self.loglik = None
        if "_residuals" in self.__dict__:
            self._residuals = y - mean
            self.rsquared = 1 - self.deviance / self.null_deviance
        self.objective = copy.copy(self.objective)
        self.objective.model = copy.copy(self.objective.model)
        self.objective.model.loglik = self.objective.model.loglik.scaled(self.scale)

    def _read(self, u: Any) -> Any:
        """The estimates by label, `lambda p: p["x1"] / p["x2"]`, for `delta`."""
        shown = self.parameters.vector(u)
        return Values({label: shown[k] for k, label in enumerate(self.labels)}, "coefficient")

    def predict(
        self,
        X: Any = None,
        offset: Any = None,
        kind: Any = None,
        *,
        interval: str = "confidence",
        weights: Any = None,
    ) -> Prediction:
        """The mean at rows of a design matrix: values with standard errors.

        Parameters
        ----------
        X : array_like of shape (m, p), or a table, optional
            After a formula, a table with its columns; else the columns in the order of the fit, without an intercept
            that the fit added. The fitted rows by default.
        offset : array_like of shape (m,), optional
            In place of the columns that the fit was given as its offset and exposure; by default these, or 0 where it
            was given arrays. An offset of the formula comes on top.
        kind : str, optional
            The covariance to use, if not the result's own.
        interval : {"confidence", "prediction"}
            What `conf_int` is to give: an interval of the mean, or of a new response.
        weights : array_like of shape (m,), optional
            After variance weights, those of the new responses: 1 by default, and the fitted ones for the fitted rows.

        Returns
        -------
        Prediction
            `value`, `se`, `conf_int(level)`. The standard error is NaN where the data do not determine a row's mean.

        Raises
        ------
        NotDefined
            For a prediction interval of another family than gaussian: the quantiles of its distribution at the
            estimates would leave out that these are estimated.

        Notes
        -----
        Prediction intervals are value ± t √(se² + φ/w): exact for linear regression, by the delta method with another
        link.
        """
        model = self._need_model("a mean")
        k, known = model.width, self._given_columns
        w = 1.0 if weights is None else np.asarray(weights, float)
        if X is None:
            d = self.objective.data
            X, offset = d.X, d["offset"] if offset is None and "offset" in d else offset
            if weights is None and self.objective.weights_are == "variance":
                w = self._row_weights()
        elif self.design is not None and not isinstance(X, np.ndarray):
            offset = self.design.offset_at(X, offset)
            X = self.design.matrix(X)[:, k - known :]
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != known:
            names = ", ".join(self.labels[k - known : k][:8])
            raise ValueError(f"X has shape {X.shape}: the fit had {known} columns, {names}")
        if k > X.shape[1]:
            X = np.column_stack([np.ones(len(X)), X])  # the intercept that the fit added
        eta = X @ self.coef[:k] + (0.0 if offset is None else np.asarray(offset, float))
        cov = self._any_covariance(self._wanted(kind))[:k, :k]
        se = np.sqrt(np.maximum(np.sum((X @ cov) * X, axis=1), 0.0))
        if self.null.shape[1]:
            off = np.abs(X @ self.null[:k])
            se = np.where((off > 1e-7 * (np.abs(X) @ np.abs(self.null[:k]))).any(axis=1), np.nan, se)
        variance: Any = (
            f"the {self.family} family has no prediction interval that takes account of the estimates' errors: see "
            "confidence intervals of the mean, or draw responses with simulate"
        )
        if self.family == "gaussian":
            if np.shape(w) not in ((), eta.shape) or not np.all(np.asarray(w) > 0):
                raise ValueError(f"weights of shape {np.shape(w)} for {len(eta)} rows: a number above 0 for each")
            variance = self.scale / w
        made = Prediction(eta, se, model.link.inverse, model.link.slope(eta), self._quantile, variance, interval)
        if interval != "confidence":
            made.conf_int()  # says now why there is none
        return made

    @property
    def _given_columns(self) -> int:
        """How many columns X had, an intercept that the fit added not among them."""
        return int(self.objective.data.X.shape[1])

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
        residual standard error. Variance weights are part of each row's variance.
        """
        model, y = self._need_model("residuals"), np.asarray(self.objective.data["y"], float)
        family, m, more = model.family, self._trials(), self._more
        phi: Any = self.scale
        if self.objective.weights_are == "variance":  # as many trials, and so much less dispersion
            m, phi = m * self._row_weights(), phi / self._row_weights()
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
                lower, upper = self._steps()
                return np.asarray(special.ndtri(0.5 * (upper + lower)))
        raise ValueError(f"kind={kind!r}: 'response', 'pearson', 'deviance', 'standardized' or 'quantile'")

    def _steps(self) -> tuple[np.ndarray, np.ndarray]:
        """The distribution function below and at each response; twice the same where it has no steps."""
        model, y, m = self._need_model("residuals"), np.asarray(self.objective.data["y"], float), self._trials()
        phi: Any = self.scale / (self._row_weights() if self.objective.weights_are == "variance" else 1.0)
        family, mean, more = model.family, self._predicted()[1], self._more
        with np.errstate(all="ignore"):
            upper = family.cdf(y, mean, m, phi, **more)
            if not family.discrete:
                return upper, upper
            return np.where(y > 0, family.cdf(y - 1 / m, mean, m, phi, **more), 0.0), upper

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
        if self._model is None:
            return super().influence()
        model = self._need_model("influence")
        eta, mean = self._predicted()
        k, d, m, more = model.width, self.objective.data, self._trials(), self._more
        w = np.ones(len(eta)) if self.objective.weights_are == "frequency" else self._row_weights()
        slope = model.link.slope(eta)
        X = np.column_stack([np.ones(len(eta)), d.X]) if k > d.X.shape[1] else d.X
        inverse = self._inverse_information[:k, :k] if model.canonical else self._expected
        with np.errstate(all="ignore"):
            variance = np.asarray(model.family.variance(mean, **more)) / m
            hat = w * slope**2 / variance * np.sum((X @ inverse) * X, axis=1) / self.scale
            pearson = (np.asarray(d["y"], float) - mean) * np.sqrt(w / variance)
            cooks = pearson**2 * hat / (self._determined_coefficients * self.scale * (1 - hat) ** 2)
            score = (np.asarray(d["y"], float) - mean) * slope * w / (variance * self.scale)
            dfbeta = score[:, None] * (X @ inverse) / (1 - hat)[:, None]
        return {"hat": hat, "cooks_distance": cooks, "dfbeta": dfbeta, "dfbetas": dfbeta / self.se("observed")[:k]}

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

    def rows_said(self) -> list[str]:
        """What weights say and which rows were left out, in sentences."""
        return [*super().rows_said(), *self.notes]

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print; in notebooks HTML, and `.latex()` for papers."""
        title = "Multinomial logistic regression" if self._model is None else self._model.title
        table = summary.of(self, level, kind, self.statistic, title)
        on = f"on {self.df_resid:g} degrees of freedom"
        if self.family == "gaussian":
            shown = f"R² {self.rsquared:.6g}   " if "rsquared" in self.__dict__ else ""
            table.head.append(f"{shown}residual error {np.sqrt(self.scale):.6g} {on}")
        else:
            if "deviance" in self.__dict__:
                null = self.__dict__.get("null_deviance")
                null = "" if null is None else f"   null deviance {null:.8g}"
                table.head.append(f"deviance {self.deviance:.8g} {on}{null}")
            if self.statistic == "t":
                table.head.append(f"dispersion {self.scale:.6g}")
        return table

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        fit = f"deviance {self.deviance:.6g}" if self._loglik is None else f"loglik {self.loglik:.6g}"
        return f"<RegressionResult {self.family}: {', '.join(self.labels)}; {fit}, {state}>"


class _Fitted:
    """Columns of a table at the fitted rows."""

    def __init__(self, table: Any, rows: np.ndarray) -> None:
        self.table, self.rows = table, rows

    def __getitem__(self, name: str) -> Any:
        return np.asarray(self.table[name].values)[self.rows]
