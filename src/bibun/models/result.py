"""Result: everything that follows from a fit, one class for every model.

Estimates are named by what was declared; matrices are in the order of `labels`. Imports covariance, held, summary.
"""

import contextlib
import copy
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..core.tree import map_leaves
from ..errors import NotDefined
from ..transforms.jacobian import jacobian
from . import summary
from .answers import Comparison, Estimate, Test, checked_level, normal_quantile
from .certificate import Certificate
from .covariance import Covariance, bread
from .held import Restricting
from .maketables import ForTables
from .other_names import OtherNames
from .parameters import as_values
from .plots import Plots
from .restricted import Space, span
from .row_figures import RowFigures
from .saving import Saving

__all__ = ["Comparison", "Estimate", "Result", "Test"]


class Result(RowFigures, Plots, Restricting, Saving, ForTables, OtherNames):
    """A fitted likelihood.

    Attributes
    ----------
    params, bse : dict
        Declared name to estimate and to standard error, arrays of the declared shape.
    labels : list of str
        The free elements in the order of every vector and matrix.
    loglik, aic, bic : float
    nobs : float or None
        The number of rows (the sum of the weights); None where the likelihood has no rows.
    converged : bool
        Whether the certificate found nothing wrong.
    certificate : Certificate
    search : OptimizeResult
        What the optimizer says.
    cov : Covariance
        Which covariance standard errors are from, unless one is asked for: "observed"; after sampling weights
        "sandwich".
    """

    def __init__(
        self,
        model: Any,
        objective: Any,
        u: np.ndarray,
        certificate: Certificate,
        search: Any,
        polished: int = 0,
        loglik: float | None = None,
    ) -> None:
        self.model, self.objective, self.u, self.certificate, self.search = model, objective, u, certificate, search
        self.polished = polished
        self.parameters = model.parameters
        self.labels: list[str] = self.parameters.labels
        self.loglik = -objective.value(u) if loglik is None else loglik
        self.nobs = objective.n_obs
        self.coef: np.ndarray = np.asarray(self.parameters.vector(u))
        self.params = self.parameters.values(u)
        self.cov = Covariance("sandwich" if objective.weights_are == "sampling" else "observed")
        self._cov: dict[Any, np.ndarray] = {}

    # --- figures -----------------------------------------------------------------------------------------------------

    @property
    def df_model(self) -> int:
        """The number of free parameters, less the equations that hold and the inequalities that bind."""
        return len(self.u) - self._n_held

    @property
    def aic(self) -> float:
        """2k - 2 log-likelihood."""
        return 2 * self.df_model - 2 * self.loglik

    @property
    def bic(self) -> float:
        """k log n - 2 log-likelihood, of a likelihood by rows."""
        if self.nobs is None:
            raise NotDefined("BIC needs the number of rows: return one value a row from the likelihood, or use aic")
        return self.df_model * float(np.log(self.nobs)) - 2 * self.loglik

    @property
    def converged(self) -> bool:
        """Whether the estimates are a maximum, identified and found to numerical precision."""
        return self.certificate.ok

    @property
    def bse(self) -> dict[str, Any]:
        """Standard errors from the observed information; NaN for what is not determined (`certificate` says why)."""
        return self.parameters.by_name(self.se())

    def se(self, kind: Any = None) -> np.ndarray:
        """Standard errors in the order of the labels."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(np.diag(self.cov_params(kind)))

    def cov_params(self, kind: Any = None, cluster: Any = None, ssc: Any = None, lags: int | None = None) -> np.ndarray:
        """The covariance matrix of the estimates, in the order of `labels`.

        Parameters
        ----------
        kind : {"observed", "expected", "opg", "sandwich", "cluster", "hac"}, optional
            The inverse of the observed information, or of the expected; of the rows' outer products of scores (Berndt,
            Hall, Hall & Hausman 1974); robust to a likelihood that is wrong about the spread (Huber 1967; White 1982);
            to rows of a cluster that depend on each other; or to each row depending on `lags` before it (Newey & West
            1987). All but the first two need a likelihood by rows. By default the result's own.
        cluster : array_like of shape (rows,), str, or a list of these, optional
            The cluster of each row, or the name of a column of the data; several for clusters of several ways.
        ssc : {"none", "G", "full", "HC2", "HC3"}, optional
            The small-sample factor: none; G / (G - 1) for G clusters, the default there; and that times
            (n - 1) / (n - k), or n / (n - k) where there are no clusters; for "sandwich" of a regression also a factor
            of each row, by its pull.
        lags : int, optional
            For "hac".
        """
        wanted = self._wanted(kind, cluster, ssc, lags)
        key = wanted.kind if wanted.kind in ("observed", "opg") else wanted
        if key not in self._cov:
            cov = self._covariance(wanted)
            lost = np.isnan(np.diag(cov))
            cov = self.jacobian @ np.where(lost | lost[:, None], 0.0, cov) @ self.jacobian.T
            gone = (self.jacobian[:, lost] != 0).any(axis=1)
            cov[gone], cov[:, gone] = np.nan, np.nan
            if self._held is not None:
                cov[self._held.fixed], cov[:, self._held.fixed] = 0.0, 0.0
            self._cov[key] = cov
        return self._cov[key].copy()

    def with_cov(self, kind: str, cluster: Any = None, ssc: Any = None, lags: int | None = None) -> Any:
        """The same fit, whose standard errors, intervals and tests are of another covariance (see `cov_params`).

        Examples
        --------
        >>> import numpy as np, bibun as bb
        >>> d = {"y": np.array([1.0, 2.0, 4.0, 3.0, 6.0, 5.0]), "g": ["a", "a", "b", "b", "c", "c"]}
        >>> rows = lambda p, d: -0.5 * (d.y - p.mu) ** 2
        >>> r = bb.MLE(rows, {"mu": bb.Real()}).fit(d)
        >>> [round(float(x.bse["mu"]), 4) for x in (r, r.with_cov("cluster", "g"))]
        [0.4082, 1.1547]
        """
        other = copy.copy(self)
        other.cov = self._wanted(kind, cluster, ssc, lags)
        other._cov = {}
        return other

    @property
    def _columns(self) -> Any:
        """The data by name, a value for each fitted row."""
        return self.objective.data

    def cov_said(self, kind: Any = None) -> str:
        """The covariance in words, with its small-sample factor."""
        return self._wanted(kind).said(self.nobs or 1.0, self._determined)

    @property
    def _determined(self) -> float:
        """How many parameters the data determine: the k of small-sample factors."""
        return float(len(self.u) - self.certificate.undetermined.sum() - self._n_held)

    def _wanted(self, kind: Any = None, cluster: Any = None, ssc: Any = None, lags: int | None = None) -> Covariance:
        if kind is None and cluster is None and ssc is None and lags is None:
            return self.cov
        if isinstance(kind, Covariance):
            return kind
        kind = ("cluster" if cluster is not None else self.cov.kind) if kind is None else kind
        if kind == self.cov.kind and cluster is None and ssc is None and lags is None:
            return self.cov
        return Covariance.of(kind, cluster, ssc, lags, self._columns)

    @cached_property
    def jacobian(self) -> np.ndarray:
        """The derivative of the estimates by the real numbers of the search, shape (k, size)."""
        return self.parameters.jacobian(self.u)

    @property
    def undetermined(self) -> np.ndarray:
        """Which estimates the data do not determine: they have no standard error."""
        return np.asarray((self.jacobian[:, self.certificate.undetermined] != 0).any(axis=1))

    def _covariance(self, wanted: Covariance) -> np.ndarray:
        """The covariance on the scale of the search; NaN for what is not determined."""
        cov = self._any_covariance(wanted).copy()
        lost = self.certificate.undetermined
        cov[lost], cov[:, lost] = np.nan, np.nan
        return cov

    def _any_covariance(self, wanted: Covariance) -> np.ndarray:
        """The same without NaN, right for every combination that is determined."""
        inverse = self._bread(wanted.kind)
        if wanted.kind in ("observed", "expected"):
            return inverse
        if wanted.kind == "opg" and self._held is not None:  # of what is left free
            squared, U = self._weighted_scores()[1], span(inverse)
            return np.asarray(U @ wanted.robust(U, squared, squared @ U, self.nobs or 1.0, self._determined) @ U.T)
        return wanted.robust(inverse, *self._weighted_scores(wanted.ssc), self.nobs or 1.0, self._determined)

    def _bread(self, kind: str) -> np.ndarray:
        """The inverse of the information."""
        if kind == "expected":
            raise NotDefined(
                "the expected information needs the distribution of the response, and a likelihood in general does not "
                "tell it: use kind='observed'"
            )
        return bread(self.objective.hessian(self.u)) if self._held is None else self._held.inverse

    def _weighted_scores(self, ssc: str = "none") -> tuple[np.ndarray, np.ndarray]:
        """The rows' scores times their weights, and times what makes outer products those of all rows."""
        if ssc in ("HC2", "HC3"):
            raise NotDefined(f"ssc={ssc!r} needs the pull of each row, which regressions have: use ssc='full'")
        if not self.objective.by_rows:
            raise NotDefined(
                "this covariance needs a score for each row, and the likelihood returns one number: return one value a "
                "row"
            )
        s, w = self.objective.scores(self.u), self.objective.weights
        if w is None:
            return s, s
        scores = s * w[:, None]
        return scores, s * np.sqrt(w)[:, None] if self.objective.weights_are == "frequency" else scores

    def _quantile(self, level: float) -> float:
        """How many standard errors a two-sided interval reaches."""
        return normal_quantile(level)

    def _p_value(self, statistic: float) -> float:
        """The two-sided p-value of an estimate over its standard error."""
        from scipy import special

        return float(2 * special.ndtr(-abs(statistic)))

    def scores(self) -> np.ndarray:
        """The derivative of each row's log-likelihood by each parameter, shape (n, k).

        For parameters that are one number each behind the search; elements of a simplex, say, cannot move alone.
        """
        scores = self._weighted_scores()[0]
        if self.jacobian.shape[0] != self.jacobian.shape[1]:
            raise NotDefined(
                "elements of a simplex or a correlation matrix cannot move alone, so rows have no scores by them: "
                "result.objective.scores(result.u) has them by the real numbers of the search"
            )
        return np.asarray(np.linalg.solve(self.jacobian.T, scores.T).T)

    # --- intervals and tests -----------------------------------------------------------------------------------------

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
        """Confidence intervals of the free parameters.

        Parameters
        ----------
        level : float
        method : {"wald", "profile", "score", "bootstrap"}
            "wald": estimate ± quantile × standard error, on a scale without ends (log for Positive, logit for
            intervals), carried back, so that an interval stays in its domain. "profile": where the likelihood ratio
            stops refusing, exact roots, all other parameters adapting; infinite where it never does, NaN where the
            others cannot be refitted. "score": the same of Rao's test. "bootstrap": BCa intervals of rows, or
            clusters, drawn anew (see `bootstrap`).
        kind : str
            The covariance for "wald".
        parm : str or sequence of str, optional
            Labels of the parameters wanted; all by default.
        reps, rng, cluster
            For "bootstrap".

        Returns
        -------
        ndarray of shape (k, 2)

        Examples
        --------
        >>> import numpy as np, bibun as bb
        >>> rows = lambda p, d: d.y * np.log(p.mean) - p.mean
        >>> r = bb.MLE(rows, {"mean": bb.Positive()}).fit({"y": np.array([3.0, 1.0, 4.0, 1.0, 5.0])})
        >>> [r.conf_int(method=m).round(3).tolist() for m in ("wald", "profile", "score")]
        [[[1.658, 4.728]], [[1.577, 4.533]], [[1.668, 4.7]]]
        """
        level = checked_level(level)
        wanted = self._positions(parm)
        if method == "bootstrap":
            return np.asarray(self.bootstrap(reps, rng, cluster).conf_int(level)[wanted])
        z = self._quantile(level)
        if method == "wald":
            with np.errstate(invalid="ignore"):
                middle = self.parameters.stretched(self.coef)
                half = z * self.se(kind) * np.abs(self.parameters.stretch(self.coef))
                ends = [self.parameters.unstretched(middle + s * half) for s in (-1, 1)]
            return np.sort(np.stack(ends, axis=1), axis=1)[wanted]
        if method not in ("profile", "score"):
            raise ValueError(f"method={method!r}: 'wald', 'profile', 'score' or 'bootstrap'")
        out = np.full((len(self.coef), 2), np.nan)
        known = [k for k in dict.fromkeys(wanted) if not self.undetermined[k]]
        if known and np.isfinite(z):
            space = self._space()
            for k in known:
                out[k] = space.ends(k, z, method)
        return out[wanted]

    def bootstrap(self, reps: int = 999, rng: Any = None, cluster: Any = None) -> Any:
        """The fit repeated for rows, or clusters, drawn anew: a `Bootstrap` with estimates and intervals.

        Parameters
        ----------
        reps : int
        rng : int or numpy.random.Generator
            It must be given: the same one gives the same intervals.
        cluster : array_like of shape (rows,) or str, optional
            Whole clusters are drawn.

        Raises
        ------
        NotDefined
            For a likelihood that is one number: it has no rows to draw.
        """
        from .bootstrap import bootstrap

        return bootstrap(self, reps, rng, cluster)

    def test(self, hypothesis: Any, kind: str = "wald", cov: Any = None) -> Test:
        """A test of linear hypotheses about the parameters.

        Parameters
        ----------
        hypothesis : str, list of str, dict, or R, or (R, r)
            Equations in the labels, ``"x1 = x2, x3 = 0"``, in one text or several; labels and what each is, ``{"x3":
            0}``; or the matrix and the right side of R b = r.
        kind : {"wald", "lr", "score"}
            By the estimates and their covariance; by what the log-likelihood loses where the hypothesis holds; by its
            slope there (Rao), compared with the expected information where a model has it in closed form, else with the
            observed.
        cov : str, optional
            For "wald", the covariance to use, if not the result's own.

        Returns
        -------
        Test

        Raises
        ------
        ValueError
            If an equation cannot be read, is redundant, or speaks of a parameter that is not determined.
        """
        R, r, texts = self._hypothesis(hypothesis)
        said = ", ".join(texts)
        if kind == "wald":
            V = self.cov_params(cov)
            gap = R @ self.coef - r
            V = R @ np.where(np.isnan(V), 0.0, V) @ R.T
            return Test("Wald test", gap @ np.linalg.solve(V, gap), len(R), said)
        if kind not in ("lr", "score"):
            raise ValueError(f"kind={kind!r}: 'wald', 'lr' or 'score'")
        space = self._space()
        found = self._constrained(space, R, r, said)
        if kind == "lr":
            return Test("likelihood ratio test", 2 * (found.value - space.best), len(R), said)
        statistic = space.score(found)
        if np.isnan(statistic):
            raise NotDefined(
                f"where {said} holds the observed information is not positive, so there is no score test: use kind='lr'"
            )
        return Test("score test", statistic, len(R), said)

    def _space(self) -> Space:
        """The coordinates of the search, which tests and intervals go through."""
        return Space(
            self.objective, self.u, self.objective.value(self.u), self.parameters, np.eye(len(self.u)),
            self._information, self._held,
        )  # fmt: skip

    def _redrawn(self, times: np.ndarray) -> Any:
        """The likelihood over the coordinates of the search, each row counting so many times."""
        from .bootstrap import reweighted

        w = self.objective.weights
        return reweighted(self.objective, times if w is None else times * w)

    def _information(self, u: np.ndarray, H: np.ndarray) -> np.ndarray:
        """What score tests compare slopes with, H being the observed information."""
        return H

    def _constrained(self, space: Space, R: np.ndarray, r: np.ndarray, said: str) -> Any:
        """The best parameters for which R b = r."""
        return space.restricted(space.constraints(R, r), said)

    # --- restrictions ------------------------------------------------------------------------------------------------

    def _settle(self, found: Any, space: Space) -> None:
        """Take the estimates of a restricted search."""
        assert self._held is not None
        self.u = space.settled(found.u, self._held)
        self.loglik = -found.value
        self.coef = np.asarray(self.parameters.vector(self.u))
        self.params = self.parameters.values(self.u)

    def compare(self, other: "Result") -> Comparison:
        """The likelihood ratio test against a nested model (or one this is nested in), and both criteria.

        Raises
        ------
        ValueError
            If the fits are of different numbers of rows, or have equally many parameters.
        NotDefined
            If one is held by inequalities, under which the likelihood ratio has no chi-square.
        """
        if self.inequalities or other.inequalities:
            raise NotDefined(
                f"under inequalities the likelihood ratio, here {2 * abs(self.loglik - other.loglik):.6g}, is a "
                "mixture of chi-squares (Self & Liang 1987), whose weights are not known: of one inequality alone its "
                "p-value is half that of chi2(1)"
            )
        if self.nobs != other.nobs:
            rows = " and ".join("an unknown number of" if n is None else f"{n:g}" for n in (self.nobs, other.nobs))
            raise ValueError(f"the fits are of {rows} rows: a likelihood ratio needs the same rows")
        if self.df_model == other.df_model:
            raise ValueError(
                f"both models have {self.df_model} parameters: neither is nested in the other; compare aic"
            )
        smaller, larger = sorted((self, other), key=lambda r: r.df_model)
        return Comparison(smaller, larger)

    def delta(self, g: Callable[[Any], Any], kind: Any = None) -> Estimate:
        """A function of the parameters, with its standard error by the delta method.

        Parameters
        ----------
        g : callable
            `g(p)` with the parameters as the likelihood sees them; plain NumPy; a number or an array.
        """

        def f(u: Any) -> Any:
            return g(self._read(u))

        value = np.asarray(map_leaves(_plain, f(self.u)))
        J = np.asarray(jacobian(f)(self.u)).reshape(value.size, len(self.u))
        cov = self._covariance(self._wanted(kind))
        used = np.any(J != 0, axis=0)
        J, cov = J[:, used], cov[np.ix_(used, used)]
        rounding = 1e-14 * (np.abs(J) @ np.abs(cov) @ np.abs(J).T)
        cov = J @ cov @ J.T
        return Estimate(value, np.where(np.abs(cov) <= rounding, 0.0, cov), self._quantile)

    def _read(self, u: Any) -> Any:
        """The parameters that `delta` gives to a function."""
        return self.parameters.natural(u)

    def predict(self, f: Callable[..., Any] | None = None, data: Any = None, kind: Any = None) -> Estimate:
        """A function of parameters and data, such as a mean, at new data: values with standard errors.

        Parameters
        ----------
        f : callable
            `f(p, d)`, plain NumPy.
        data : dict or data frame, optional
            New data; the fitted ones by default.
        """
        if not callable(f):
            raise NotDefined("a likelihood does not say what there is to predict: give f(p, d), such as a mean, first")
        d = self.objective.data if data is None else as_values(data)
        return self.delta(lambda p: f(p, d), kind)

    def avg_slopes(self, *_: Any, **__: Any) -> Any:
        """Not defined: a likelihood does not say which of its numbers is a mean."""
        raise NotDefined(
            "averages over the rows are of models that say what they predict, and a likelihood does not: delta has any "
            "function of the parameters, such as result.delta(lambda p: np.mean(np.exp(p.a + p.b * x)))"
        )

    avg_predictions = marginal_means = contrasts = avg_slopes

    # --- tables -----------------------------------------------------------------------------------------------------

    def tidy(self, level: float = 0.95, kind: Any = None) -> list[dict[str, Any]]:
        """One dict a parameter: term, estimate, std_error, statistic, p_value, conf_low, conf_high."""
        se, ends = self.se(kind), self.conf_int(level, kind=kind)
        with np.errstate(invalid="ignore", divide="ignore"):
            z = self.coef / (np.where(se == 0, np.nan, se) if self.constraints else se)  # what is fixed has none
        return [
            {"term": label, "estimate": float(b), "std_error": float(s), "statistic": float(t),
             "p_value": self._p_value(float(t)), "conf_low": float(e[0]), "conf_high": float(e[1])}
            for label, b, s, t, e in zip(self.labels, self.coef, se, z, ends, strict=True)
        ]  # fmt: skip

    def glance(self) -> dict[str, Any]:
        """The fit in one dict: loglik, aic, bic, nobs, df_model, converged, iterations."""
        out: dict[str, Any] = {}
        with contextlib.suppress(NotDefined):
            out = {"loglik": self.loglik, "aic": self.aic}
            out["bic"] = self.bic
        return {
            **out, "nobs": self.nobs, "df_model": self.df_model, "converged": self.converged,
            "iterations": int(getattr(self.search, "nit", 0)),
        }  # fmt: skip

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print; in notebooks HTML, and `.latex()` for papers."""
        return summary.of(self, level, kind)

    def rows_said(self) -> list[str]:
        """What weights say, which rows were left out and what is held, in sentences."""
        w, held = self.objective.weights, [] if self._held is None else self._held.said()
        return held if w is None else [f"{self.objective.weights_are} weights, sum {w.sum():g} in {len(w)} rows", *held]

    def __repr__(self) -> str:
        said = "converged" if self.converged else "NOT converged"
        return f"<Result of {self.model!r}: loglik {self.loglik:.6g}, {said}>"

    def _positions(self, parm: Any) -> list[int]:
        if parm is None:
            return list(range(len(self.labels)))
        out = []
        for p in [parm] if isinstance(parm, str) else list(parm):
            matches = [k for k, label in enumerate(self.labels) if label == p or label.startswith(f"{p}[")]
            if not matches:
                raise ValueError(f"there is no parameter {p!r}; there are {', '.join(self.labels)}")
            out += matches
        return out


def _plain(x: Any) -> Any:
    return getattr(x, "_data", x)
