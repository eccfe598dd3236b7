"""CoxResult: what follows from a fit of Cox's model: hazards, survival, residuals, concordance, proportionality.

Imports regression_result; the likelihood it asks for derivatives is cox.py's.
"""

from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.gradient import grad
from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian
from . import summary
from .design import linear_predictor
from .regression_result import Prediction, RegressionResult
from .result import Estimate, Test
from .row_figures import beside_data, influence_of, shown_column

__all__ = ["CoxResult", "Survival"]


class Survival(Estimate):
    """Survival probabilities: `value`, `se` and intervals of shape (times, rows)."""

    def __init__(self, time: np.ndarray, hazard: np.ndarray, se_hazard: np.ndarray, quantile: Any) -> None:
        self.time, self.hazard, self._se_hazard, self._quantile = time, hazard, se_hazard, quantile
        self.value = np.exp(-hazard)
        self.se = self.value * se_hazard

    def conf_int(self, level: float = 0.95) -> np.ndarray:
        """Intervals found for the cumulative hazard, which is minus the logarithm; within 0 and 1."""
        q = self._quantile(level) * self._se_hazard
        return np.asarray(np.exp(-np.stack([self.hazard + q, np.maximum(self.hazard - q, 0.0)], axis=-1)))


class CoxResult(RegressionResult):
    """A fit of Cox's model: a `Result` whose parameters are logarithms of hazard ratios.

    Attributes
    ----------
    ties : str
    time, event : ndarray of shape (n,)
    strata : list
        What the strata are called; `stratum` has the number of each row's.
    events : float
        How many events there are (the sum of their frequency weights), which is the n of `bic`.
    null_loglik : float
        Where all coefficients are 0.
    """

    ties: str
    time: np.ndarray
    event: np.ndarray
    start: np.ndarray | None
    stratum: np.ndarray
    strata: list[Any]
    center: np.ndarray
    keep: list[int] | None = None
    _X: np.ndarray

    # --- figures -----------------------------------------------------------------------------------------------------

    @property
    def events(self) -> float:
        """How many events there are, by frequency weights."""
        dead = self.objective.data["rows"]
        counts = self.objective.weights is not None and self.objective.weights_are == "frequency"
        return float(self._row_weights()[dead].sum() if counts else dead.size)

    @property
    def bic(self) -> float:
        """k log(events) - 2 log-likelihood; R counts the same, but for weights, of which it does not know the kind."""
        return float(self.df_model * np.log(self.events) - 2 * self.loglik)

    def _bread(self, kind: str) -> np.ndarray:
        if kind == "expected":
            raise NotDefined("the expected information needs the distribution of censoring: use kind='observed'")
        return super()._bread(kind)

    def _weighted_scores(self, ssc: str = "none") -> tuple[np.ndarray, np.ndarray]:
        self._no_exact("score residuals, which this covariance is of")
        if ssc in ("HC2", "HC3"):
            raise NotDefined(f"ssc={ssc!r} needs a fitted value for each row, which Cox's model has not: use 'full'")
        return super()._weighted_scores()

    def _no_exact(self, what: str) -> None:
        if self.ties == "exact":
            raise NotDefined(f"{what}: not with exact ties, where a row has no part of its own; use ties='efron'")

    def _need_model(self, what: str) -> Any:
        raise NotDefined(
            f"{what} of Cox's model: it leaves the baseline hazard free; there are predict (relative hazards), "
            "survival, and residuals of the kinds martingale, deviance, score, schoenfeld, dfbeta"
        )

    def _settle(self, found: Any, space: Any) -> None:
        super()._settle(found, space)
        self.__dict__.pop("deviance", None)  # which of a partial likelihood there is none

    # --- predictions -------------------------------------------------------------------------------------------------

    def predict(
        self,
        X: Any = None,
        offset: Any = None,
        kind: Any = None,
        *,
        interval: str = "confidence",
        weights: Any = None,
    ) -> Prediction:
        """The hazard at rows of covariates over that where all are 0, exp(x'b).

        Parameters
        ----------
        X : a table or array_like of shape (m, p), optional
            A table with the columns of the formula, or the columns in the order of `labels`. The fitted rows by
            default.
        offset : array_like of shape (m,), optional
            In place of the column that the fit was given as its offset; by default that, or 0 where it was given an
            array. An offset of the formula comes on top.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Prediction
            Intervals are found for x'b and carried over.
        """
        if interval != "confidence" or weights is not None:
            self._need_model("an interval of a new response")
        rows, more = self._new(X, offset)
        eta = rows @ self.coef + more
        cov = self._any_covariance(self._wanted(kind))
        se = np.sqrt(np.maximum(np.sum((rows @ cov) * rows, axis=1), 0.0))
        if self.null.shape[1]:
            off = np.abs(rows @ self.null)
            se = np.where((off > 1e-7 * (np.abs(rows) @ np.abs(self.null))).any(axis=1), np.nan, se)
        return Prediction(eta, se, np.exp, np.exp(eta), self._quantile)

    def survival(self, new: Any = None, times: Any = None, stratum: Any = None, offset: Any = None) -> Survival:
        """The probability to be without the event until `times`, for rows of covariates.

        Parameters
        ----------
        new : a table or array_like of shape (m, p), optional
            As for `predict`.
        times : array_like of shape (t,), optional
            All times of the stratum by default.
        stratum : optional
            Whose baseline hazard; needed where there are several.
        offset : array_like of shape (m,), optional

        Returns
        -------
        Survival
            `time`, `hazard` (cumulative), `value`, `se`, `conf_int`, of shape (times, rows).

        Notes
        -----
        exp(-H(t) exp(x'b)) with the hazard of `baseline_hazard`; the variance of Tsiatis (1981), which for Efron's ties
        has the sums that the likelihood has.
        """
        self._no_exact("the baseline hazard")
        if self.cov.kind != "observed":
            raise NotDefined("errors of survival by a robust covariance: with_cov('observed').survival(…) has others")
        g = self._line(stratum)
        rows, more = self._new(new, offset)
        d, loglik = self.objective.data, self.objective.model.loglik
        t = np.unique(self.time[self.stratum == g]) if times is None else np.atleast_1d(np.asarray(times, float))
        mine = np.flatnonzero(d.line == g)
        upto = self.time[d.rows[mine]] <= t[:, None]
        rows = rows - self.center[g]

        def hazards(theta: Any) -> Any:
            logs, mean = loglik.logarithms(linear_predictor(d, theta), d["weights"], d)
            eta = rows @ theta + more
            return upto @ (mean[mine, None] * np.exp(eta - logs[mine, None]))

        logs, mean = loglik.logarithms(linear_predictor(d, self.coef), d["weights"], d)
        eta = rows @ self.coef + more
        inner = upto @ (mean[mine, None] * np.exp(2 * (eta - logs[mine, None])))
        J = np.asarray(jacobian(hazards)(self.coef))
        cov = self._any_covariance(self.cov)
        variance = inner + np.einsum("tmi,ij,tmj->tm", J, cov, J)
        return Survival(t, np.asarray(hazards(self.coef)), np.sqrt(variance), self._quantile)

    def baseline_hazard(self, stratum: Any = None) -> dict[str, np.ndarray]:
        """The cumulative hazard where all covariates are 0: "time" and "cumulative_hazard" at each time there is.

        Notes
        -----
        Breslow's estimate; for Efron's ties with the sums that the likelihood has, as R.
        """
        self._no_exact("the baseline hazard")
        g = self._line(stratum)
        d = self.objective.data
        logs, mean = self.objective.model.loglik.logarithms(linear_predictor(d, self.coef), d["weights"], d)
        mine = d.line == g
        jumps = mean[mine] * np.exp(-self.center[g] @ self.coef - logs[mine])
        t = np.unique(self.time[self.stratum == g])
        sums = np.concatenate([[0.0], np.cumsum(jumps)])
        return {"time": t, "cumulative_hazard": sums[np.searchsorted(self.time[d.rows[mine]], t, "right")]}

    def _line(self, stratum: Any) -> int:
        if stratum is None and len(self.strata) == 1:
            return 0
        if stratum not in self.strata:
            raise ValueError(f"stratum={stratum!r}: one of {', '.join(map(repr, self.strata[:8]))}")
        return self.strata.index(stratum)

    def _new(self, X: Any, offset: Any) -> tuple[np.ndarray, Any]:
        """Rows of covariates, and their offset."""
        if X is None:
            return self._X, self.objective.data.get("offset", 0.0) if offset is None else np.asarray(offset, float)
        if self.design is not None and not isinstance(X, np.ndarray):
            offset, X = self.design.offset_at(X, offset), self.design.matrix(X)[:, self.keep]
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != len(self.coef):
            raise ValueError(f"X has shape {X.shape}: the fit had {len(self.coef)} columns, {', '.join(self.labels)}")
        return X, 0.0 if offset is None else np.asarray(offset, float)

    # --- residuals ---------------------------------------------------------------------------------------------------

    @property
    def event_rows(self) -> np.ndarray:
        """The rows that had the event, by stratum and time: the order of Schoenfeld's residuals."""
        return np.asarray(self.objective.data["rows"])

    def residuals(self, kind: str = "martingale") -> np.ndarray:
        """Residuals of rows.

        Parameters
        ----------
        kind : {"martingale", "deviance", "cox-snell", "score", "dfbeta", "dfbetas", "schoenfeld", "scaled-schoenfeld"}
            Events less expected events, shape (n,); the signed root of their deviance; expected events; a row's part of
            the score, shape (n, k); what it moves the coefficients by, to first order, and that over standard errors;
            for each event (`event_rows`) its covariates less their mean at risk, shape (events, k), and that times
            the number of events and the covariance, plus the coefficients (Grambsch & Therneau 1994).
        """
        d, loglik = self.objective.data, self.objective.model.loglik
        w = d["weights"]
        if kind in ("martingale", "deviance", "cox-snell"):
            self._no_exact(f"{kind} residuals")
            eta = np.asarray(linear_predictor(d, self.coef))
            counted = np.where(w > 0, w, 1.0)
            martingale = np.asarray(grad(lambda e: np.sum(loglik.terms(e, w, d)))(eta)) / counted
            expected = np.maximum(self.event - martingale, 0.0)
            if kind == "cox-snell":
                return expected
            if kind == "martingale":
                return martingale
            with np.errstate(all="ignore"):
                logs = np.where(self.event == 1, np.log(expected), 0.0)
            return np.asarray(np.sign(martingale) * np.sqrt(np.maximum(-2 * (martingale + logs), 0.0)))
        if kind in ("score", "dfbeta", "dfbetas"):
            self._no_exact(f"{kind} residuals")
            scores = np.asarray(self.objective.scores(self.u))
            if kind == "score":
                return scores
            dfbeta = scores @ self._inverse_information
            return np.asarray(dfbeta if kind == "dfbeta" else dfbeta / self.se("observed"))
        if kind in ("schoenfeld", "scaled-schoenfeld"):
            self._no_exact(f"{kind} residuals")
            J = np.asarray(jacobian(lambda theta: loglik(theta, d), mode="forward")(self.coef))
            _, mean = loglik.logarithms(np.zeros(len(w)), w, d)
            X = d["X"][d.rows]
            center = (w[d.rows][:, None] * X - J) / mean[:, None]
            tie = np.cumsum(np.concatenate([[True], (np.diff(d.end) != 0) | (np.diff(d.line) != 0)])) - 1
            own = np.stack([np.bincount(tie, c)[tie] for c in center.T], axis=1) / d.count[:, None]
            r = X - own
            if kind == "schoenfeld":
                return np.asarray(r)
            return np.asarray(r @ self._inverse_information * len(r) + self.coef)
        if kind in ("response", "pearson", "standardized", "quantile"):
            self._need_model(f"{kind} residuals")
        raise ValueError(
            f"kind={kind!r}: 'martingale', 'deviance', 'cox-snell', 'score', 'dfbeta', 'dfbetas', 'schoenfeld' or "
            "'scaled-schoenfeld'"
        )

    def influence(self) -> dict[str, np.ndarray]:
        """How much each row pulls, by its score residual (see `Result.influence`)."""
        self._no_exact("influence")
        return influence_of(self)

    def loglik_rows(self) -> np.ndarray:
        """Not defined: terms of a partial likelihood are of events, and hold all rows at risk."""
        raise NotDefined("a row has no part of a partial likelihood of its own: residuals('martingale') is near to it")

    def bootstrap(self, reps: int = 999, rng: Any = None, cluster: Any = None) -> Any:
        """Not defined: rows drawn twice would be tied; robust errors are of score residuals."""
        raise NotDefined(
            "rows drawn anew would be tied with themselves: conf_int(kind='sandwich'), with_cov('cluster', …) and "
            "conf_int(method='profile') are what there is"
        )

    def augment(self) -> dict[str, np.ndarray]:
        """The columns of the formula's table with martingale and deviance residuals and the relative hazard."""
        rows = {kind: self.residuals(kind) for kind in ("martingale", "deviance")}
        rows["relative_hazard"] = self.predict().value
        data = {} if self.table is None else {n: shown_column(self.table[n]) for n in self.table.names}
        return beside_data(data, rows, None if self.design is None else self.design.rows)

    # --- how well it fits --------------------------------------------------------------------------------------------

    def concordance(self) -> Estimate:
        """Of pairs of rows one of which is known to have had the event first, the share that the predictor says so of.

        Notes
        -----
        Harrell's C; equal predictors count a half. Its variance is that of a row's pull (infinitesimal jackknife),
        summed by cluster where the result's covariance is of clusters.
        """
        if self.start is not None:
            raise NotDefined("concordance with delayed entry: compare models by their log-likelihood")
        eta, w = self.predict()._eta, self.objective.data["weights"]
        agree, both = np.zeros(len(eta)), np.zeros(len(eta))
        for g in range(len(self.strata)):
            mine = np.flatnonzero(self.stratum == g)
            mine = mine[np.lexsort((self.event[mine] == 1, -self.time[mine]))]
            t, e, x, v = self.time[mine], self.event[mine] == 1, eta[mine], w[mine]
            a, b = np.zeros(len(mine)), np.zeros(len(mine))
            for k in np.flatnonzero(e):
                later = slice(0, k)
                counts = v[later] * ~((t[later] == t[k]) & e[later])
                won = counts * ((x[k] > x[later]) + 0.5 * (x[k] == x[later]))
                a[k] += won.sum()
                b[k] += counts.sum()
                a[later] += v[k] * (won / np.where(v[later] > 0, v[later], 1.0))
                b[later] += v[k] * (counts / np.where(v[later] > 0, v[later], 1.0))
            agree[mine], both[mine] = a, b
        total = float(w @ both)
        if not total > 0:
            raise NotDefined("concordance: no pair of rows is comparable")
        value = float(w @ agree) / total
        pull = w * 2 * (agree - value * both) / total
        if self.cov.kind == "cluster" and len(self.cov.clusters) == 1:
            pull = np.bincount(self.cov.clusters[0], pull)
        return Estimate(value, np.array([[float(pull @ pull)]]))

    def test_proportional(self, transform: str = "identity") -> list[Test]:
        """Whether each hazard ratio stays the same over time: score tests of b + c g(t), and of all together, last.

        Parameters
        ----------
        transform : {"identity", "log", "rank"}
            g: the time, its logarithm, or the rank of the event.

        Notes
        -----
        The derivatives of the partial likelihood by c at 0, exactly, as R's `cox.zph` of survival 3.
        """
        self._no_exact("the test of proportional hazards")
        d, loglik = self.objective.data, self.objective.model.loglik
        t = self.time[d.rows]
        made: dict[str, Any] = {
            "identity": np.asarray,
            "log": np.log,
            "rank": lambda t: np.searchsorted(np.unique(t), t),
        }
        if transform not in made:
            raise ValueError(f"transform={transform!r}: {', '.join(made)}")
        with np.errstate(all="ignore"):
            g = np.asarray(made[transform](t), float)
        if not np.isfinite(g).all():
            raise ValueError(f"transform={transform!r} of times that are not greater than 0")
        g = g - g.mean()

        def bend(c: Any) -> np.ndarray:
            return np.asarray(hessian(lambda theta: -np.sum(c * loglik(theta, d)))(self.coef))

        slope: Any = grad(lambda theta: np.sum(g * loglik(theta, d)))
        U = np.asarray(slope(self.coef))
        Ibb, Ibc, Icc = bend(np.ones(len(g))), bend(g), bend(g**2)
        left = Icc - Ibc @ np.linalg.pinv(Ibb, hermitian=True) @ Ibc
        out = []
        for k, label in enumerate(self.labels):
            with np.errstate(all="ignore"):
                out.append(Test("score test", U[k] ** 2 / left[k, k], 1, f"the hazard ratio of {label} is constant"))
        every = float(U @ np.linalg.pinv(left, hermitian=True) @ U)
        return [*out, Test("score test", every, int(self._determined), "all hazard ratios are constant")]

    # --- tables ------------------------------------------------------------------------------------------------------

    def glance(self) -> dict[str, Any]:
        """The fit in one dict: that of `Result`, and events, ties and the null log-likelihood."""
        out = super().glance()
        out.pop("df_resid")
        return {**out, "events": self.events, "ties": self.ties, "null_loglik": self.null_loglik}

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print."""
        table = summary.of(self, level, kind, "z", "Cox's proportional hazards")
        strata = f"   {len(self.strata)} strata" if len(self.strata) > 1 else ""
        table.head.append(f"{self.events:g} events, ties by {self.ties}{strata}   null {self.null_loglik:.8g}")
        return table
