"""Result: everything that follows from a fit, one class for every model.

Estimates are named by what was declared; matrices are in the order of `labels`. Imports covariance, inference, summary.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..core.tree import map_leaves
from ..transforms.jacobian import jacobian
from . import covariance, inference, summary
from .certificate import Certificate
from .constrained import profile_end
from .parameters import as_values

__all__ = ["Comparison", "Estimate", "Result", "Test"]


class Estimate:
    """A function of the parameters: its value, standard error and interval.

    Attributes
    ----------
    value, se : ndarray
    cov : ndarray
        The covariance of the elements of `value`.
    """

    def __init__(self, value: Any, cov: np.ndarray, quantile: Callable[[float], float] | None = None) -> None:
        self.value = np.asarray(value)
        self.cov = cov
        self._quantile = quantile or normal_quantile
        with np.errstate(invalid="ignore"):
            self.se = np.sqrt(np.diag(cov)).reshape(self.value.shape)

    def conf_int(self, level: float = 0.95) -> np.ndarray:
        """Wald intervals, shape value.shape + (2,)."""
        z = self._quantile(level)
        return np.stack([self.value - z * self.se, self.value + z * self.se], axis=-1)

    def __repr__(self) -> str:
        return f"Estimate(value={self.value}, se={self.se})"


class Test:
    """A test: its statistic, degrees of freedom and p-value; an F test where `df_resid` is given."""

    __test__ = False  # not for pytest

    def __init__(self, name: str, statistic: float, df: int, hypothesis: str, df_resid: float | None = None) -> None:
        from scipy import special

        self.name, self.statistic, self.df, self.hypothesis = name, float(statistic), int(df), hypothesis
        self.df_resid = df_resid
        self.p_value = float("nan")
        if df and df_resid is None:
            self.p_value = float(special.chdtrc(df, max(self.statistic, 0.0)))
        elif df and df_resid is not None and df_resid > 0:
            self.p_value = float(special.fdtrc(df, df_resid, max(self.statistic, 0.0)))

    def __repr__(self) -> str:
        of = f"chi2({self.df})" if self.df_resid is None else f"F({self.df}, {self.df_resid:g})"
        return f"{self.name}: {of} = {self.statistic:.6g}, p = {self.p_value:.4g}   ({self.hypothesis})"


class Comparison:
    """Two fits of the same rows: the likelihood ratio of nested models, and both information criteria."""

    def __init__(self, smaller: "Result", larger: "Result") -> None:
        self.smaller, self.larger = smaller, larger
        df = larger.df_model - smaller.df_model
        self.lr = Test("likelihood ratio", 2 * (larger.loglik - smaller.loglik), df, "the smaller model holds")
        self.aic = {"smaller": smaller.aic, "larger": larger.aic}
        self.bic = {"smaller": smaller.bic, "larger": larger.bic}

    def __repr__(self) -> str:
        return (
            f"{self.lr}\nAIC smaller {self.smaller.aic:.4f}, larger {self.larger.aic:.4f}; "
            f"BIC smaller {self.smaller.bic:.4f}, larger {self.larger.bic:.4f}"
        )


class Result:
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
        self._cov: dict[str, np.ndarray] = {}

    # --- figures -----------------------------------------------------------------------------------------------------

    @property
    def df_model(self) -> int:
        """The number of free parameters."""
        return len(self.u)

    @property
    def aic(self) -> float:
        """2k - 2 log-likelihood."""
        return 2 * self.df_model - 2 * self.loglik

    @property
    def bic(self) -> float:
        """k log n - 2 log-likelihood; NaN where the likelihood has no rows."""
        return float("nan") if self.nobs is None else self.df_model * float(np.log(self.nobs)) - 2 * self.loglik

    @property
    def converged(self) -> bool:
        """Whether the estimates are a maximum, identified and found to numerical precision."""
        return self.certificate.ok

    @property
    def bse(self) -> dict[str, Any]:
        """Standard errors from the observed information; NaN for what is not determined (`certificate` says why)."""
        return self.parameters.by_name(self.se())

    def se(self, kind: str = "observed") -> np.ndarray:
        """Standard errors in the order of the labels."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(np.diag(self.cov_params(kind)))

    def cov_params(self, kind: str = "observed") -> np.ndarray:
        """The covariance matrix of the estimates, in the order of `labels`.

        Parameters
        ----------
        kind : {"observed", "opg", "sandwich"}
            The inverse of the observed information; of the rows' outer products of scores; or robust to a likelihood
            that is wrong about the spread. The last two need a likelihood by rows.
        """
        if kind not in self._cov:
            cov = self._covariance(kind)
            lost = np.isnan(np.diag(cov))
            cov = self.jacobian @ np.where(lost | lost[:, None], 0.0, cov) @ self.jacobian.T
            gone = (self.jacobian[:, lost] != 0).any(axis=1)
            cov[gone], cov[:, gone] = np.nan, np.nan
            self._cov[kind] = cov
        return self._cov[kind].copy()

    @cached_property
    def jacobian(self) -> np.ndarray:
        """The derivative of the estimates by the real numbers of the search, shape (k, size)."""
        return self.parameters.jacobian(self.u)

    @property
    def undetermined(self) -> np.ndarray:
        """Which estimates the data do not determine: they have no standard error."""
        return np.asarray((self.jacobian[:, self.certificate.undetermined] != 0).any(axis=1))

    def _covariance(self, kind: str) -> np.ndarray:
        """The covariance on the scale of the search; NaN for what is not determined."""
        return covariance.covariance(kind, self.objective, self.u, self.certificate.undetermined)

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
        scores = covariance.weighted_scores(self.objective, self.u, 1.0)
        if self.jacobian.shape[0] != self.jacobian.shape[1]:
            raise ValueError(
                "elements of a simplex or a correlation matrix cannot move alone, so rows have no scores by them; "
                "result.objective.scores(result.u) has them by the real numbers of the search"
            )
        return np.asarray(np.linalg.solve(self.jacobian.T, scores.T).T)

    # --- intervals and tests -----------------------------------------------------------------------------------------

    def conf_int(
        self, level: float = 0.95, method: str = "wald", kind: str = "observed", parm: Any = None
    ) -> np.ndarray:
        """Confidence intervals of the free parameters.

        Parameters
        ----------
        level : float
        method : {"wald", "profile"}
            "wald": estimate ± quantile × standard error, on a scale without ends (log for Positive, logit for
            intervals), carried back, so that an interval stays in its domain. "profile": where the likelihood ratio
            stops refusing, exact roots, all other parameters adapting.
        kind : str
            The covariance for "wald".
        parm : str or sequence of str, optional
            Labels of the parameters wanted; all by default.

        Returns
        -------
        ndarray of shape (k, 2)
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level}: a number between 0 and 1")
        wanted = self._positions(parm)
        z = self._quantile(level)
        if method == "wald":
            with np.errstate(invalid="ignore"):
                middle = self.parameters.stretched(self.coef)
                half = z * self.se(kind) * np.abs(self.parameters.stretch(self.coef))
                ends = [self.parameters.unstretched(middle + s * half) for s in (-1, 1)]
            return np.sort(np.stack(ends, axis=1), axis=1)[wanted]
        if method != "profile":
            raise ValueError(f"method={method!r}: 'wald' or 'profile'")
        out = np.full((len(self.coef), 2), np.nan)
        for k in wanted:
            if self.undetermined[k]:
                continue

            def shown(u: Any, k: int = k) -> Any:
                return self.parameters.stretched(self.parameters.vector(u))[k]

            t = np.array(self.parameters.stretched(self.coef), float)
            for side in (-1, 1):
                t[k] = profile_end(self.objective, self.u, shown, side, 0.5 * z**2, -self.loglik)
                with np.errstate(all="ignore"):
                    out[k, (side + 1) // 2] = self.parameters.unstretched(t)[k]
        return np.sort(out, axis=1)[wanted]

    def test(self, hypothesis: Any, kind: str = "observed") -> Test:
        """A Wald test of linear hypotheses about the parameters.

        Parameters
        ----------
        hypothesis : str, or R, or (R, r)
            Equations in the labels, ``"x1 = x2, x3 = 0"``; or the matrix and the right side of R b = r.
        kind : str
            The covariance to use.

        Raises
        ------
        ValueError
            If an equation cannot be read, is redundant, or speaks of a parameter that is not determined.
        """
        R, r, texts = inference.constraints(hypothesis, self.labels)
        cov = R @ np.where(np.isnan(self.cov_params(kind)), 0.0, self.cov_params(kind)) @ R.T
        if np.isnan(
            (np.abs(R) @ np.where(np.isnan(self.se(kind)), np.nan, 0.0)[:, None])[np.any(R != 0, axis=1)]
        ).any():
            lost = [self.labels[k] for k in np.flatnonzero(self.undetermined & np.any(R != 0, axis=0))]
            if lost:
                raise ValueError(
                    f"{', '.join(lost)} is not determined by the data: {'; '.join(self.certificate.problems)}"
                )
        if np.linalg.matrix_rank(R) < len(R):
            raise ValueError(f"the equations {', '.join(texts)} say the same thing twice: leave one out")
        gap = R @ self.coef - r
        return Test("Wald test", gap @ np.linalg.solve(cov, gap), len(R), ", ".join(texts))

    def compare(self, other: "Result") -> Comparison:
        """The likelihood ratio test against a nested model (or one this is nested in), and both criteria.

        Raises
        ------
        ValueError
            If the fits are of different numbers of rows, or have equally many parameters.
        """
        if self.nobs != other.nobs:
            raise ValueError(
                f"the fits are of {self.nobs} and {other.nobs} rows: a likelihood ratio needs the same rows"
            )
        if self.df_model == other.df_model:
            raise ValueError(
                f"both models have {self.df_model} parameters: neither is nested in the other; compare aic"
            )
        smaller, larger = sorted((self, other), key=lambda r: r.df_model)
        return Comparison(smaller, larger)

    def delta(self, g: Callable[[Any], Any], kind: str = "observed") -> Estimate:
        """A function of the parameters, with its standard error by the delta method.

        Parameters
        ----------
        g : callable
            `g(p)` with the parameters as the likelihood sees them; plain NumPy; a number or an array.
        """

        def f(u: Any) -> Any:
            return g(self.parameters.natural(u))

        value = np.asarray(map_leaves(_plain, f(self.u)))
        J = np.asarray(jacobian(f)(self.u)).reshape(value.size, len(self.u))
        cov = self._covariance(kind)
        used = np.any(J != 0, axis=0)
        return Estimate(value, J[:, used] @ cov[np.ix_(used, used)] @ J[:, used].T, self._quantile)

    def predict(self, f: Callable[..., Any], data: Any = None, kind: str = "observed") -> Estimate:
        """A function of parameters and data, such as a mean, at new data: values with standard errors.

        Parameters
        ----------
        f : callable
            `f(p, d)`, plain NumPy.
        data : dict or data frame, optional
            New data; the fitted ones by default.
        """
        d = self.objective.data if data is None else as_values(data)
        return self.delta(lambda p: f(p, d), kind)

    # --- tables -----------------------------------------------------------------------------------------------------

    def tidy(self, level: float = 0.95, kind: str = "observed") -> list[dict[str, Any]]:
        """One dict a parameter: term, estimate, std_error, statistic, p_value, conf_low, conf_high."""
        se, ends = self.se(kind), self.conf_int(level, kind=kind)
        with np.errstate(invalid="ignore", divide="ignore"):
            z = self.coef / se
        return [
            {"term": label, "estimate": float(b), "std_error": float(s), "statistic": float(t),
             "p_value": self._p_value(float(t)), "conf_low": float(e[0]), "conf_high": float(e[1])}
            for label, b, s, t, e in zip(self.labels, self.coef, se, z, ends, strict=True)
        ]  # fmt: skip

    def glance(self) -> dict[str, Any]:
        """The fit in one dict: loglik, aic, bic, nobs, df_model, converged, iterations."""
        return {
            "loglik": self.loglik, "aic": self.aic, "bic": self.bic, "nobs": self.nobs, "df_model": self.df_model,
            "converged": self.converged, "iterations": int(getattr(self.search, "nit", 0)),
        }  # fmt: skip

    def summary(self, level: float = 0.95, kind: str = "observed") -> summary.Summary:
        """The estimates as a table to print."""
        return summary.of(self, level, kind)

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


def normal_quantile(level: float) -> float:
    """The two-sided standard normal quantile."""
    from scipy import special

    return float(special.ndtri(0.5 + 0.5 * level))


def _plain(x: Any) -> Any:
    return getattr(x, "_data", x)
