"""Prediction: means at rows of data, with intervals of the means and of new responses. Imports answers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NotDefined
from .answers import Estimate

__all__ = ["Prediction"]


class Prediction(Estimate):
    """Means at rows of data: `value`, `se` and intervals, each of shape (n,); no covariance between rows.

    Attributes
    ----------
    interval : {"confidence", "prediction"}
        What `conf_int` gives unless it is told.
    """

    def __init__(
        self,
        eta: np.ndarray,
        se_eta: np.ndarray,
        inverse: Callable[[np.ndarray], np.ndarray],
        slope: np.ndarray,
        quantile: Callable[[float], float],
        variance: Any = None,
        interval: str = "confidence",
    ) -> None:
        self.value, self.se = inverse(eta), np.abs(slope) * se_eta
        self._eta, self._se_eta, self._inverse, self._quantile = eta, se_eta, inverse, quantile
        self._variance = variance  # of a new response around its mean, or why there is none
        self.interval = interval

    @property
    def linear(self) -> "Prediction":
        """The same on the scale of the linear predictor: log odds, logarithms of rates."""
        none = "a new response is on the scale of the mean: linear has intervals of the linear predictor alone"
        return Prediction(self._eta, self._se_eta, lambda eta: eta, np.ones_like(self._eta), self._quantile, none)

    def conf_int(self, level: float = 0.95, interval: str | None = None) -> np.ndarray:
        """Intervals, shape (n, 2).

        Parameters
        ----------
        level : float
        interval : {"confidence", "prediction"}, optional
            Of the mean, found on the scale of the linear predictor and carried over; or of a new response, whose own
            variance comes on top.
        """
        interval = self.interval if interval is None else interval
        if interval not in ("confidence", "prediction"):
            raise ValueError(f"interval={interval!r}: 'confidence' or 'prediction'")
        if interval == "prediction":
            if self._variance is None or isinstance(self._variance, str):
                raise NotDefined(self._variance or "there is no interval of a new response here")
            q = self._quantile(level) * np.sqrt(self.se**2 + self._variance)
            return np.stack([self.value - q, self.value + q], axis=-1)
        q = self._quantile(level) * self._se_eta
        return np.sort(np.stack([self._inverse(self._eta - q), self._inverse(self._eta + q)], axis=-1), axis=-1)
