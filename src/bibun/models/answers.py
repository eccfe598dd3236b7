"""What methods of a Result answer with: estimates, tests, comparisons. Imports nothing of models."""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Comparison", "Estimate", "Test", "checked_level", "normal_quantile"]


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

    def __init__(self, smaller: Any, larger: Any) -> None:
        self.smaller, self.larger = smaller, larger
        df = larger.df_model - smaller.df_model
        self.lr = Test("likelihood ratio", 2 * (larger.loglik - smaller.loglik), df, "H0: the smaller model")
        self.aic = {"smaller": smaller.aic, "larger": larger.aic}
        self.bic = {"smaller": smaller.bic, "larger": larger.bic}

    def __repr__(self) -> str:
        return (
            f"{self.lr}\nAIC smaller {self.smaller.aic:.4f}, larger {self.larger.aic:.4f}; "
            f"BIC smaller {self.smaller.bic:.4f}, larger {self.larger.bic:.4f}"
        )


def normal_quantile(level: float) -> float:
    """The two-sided standard normal quantile."""
    from scipy import special

    return float(special.ndtri(0.5 + 0.5 * checked_level(level)))


def checked_level(level: Any) -> float:
    """The level of an interval, a number between 0 and 1."""
    if isinstance(level, (bool, str)) or not np.isscalar(level) or not 0 < level < 1:  # type: ignore[operator]
        raise ValueError(f"level={level!r}: a number between 0 and 1, such as level=0.95")
    return float(level)  # type: ignore[arg-type]
