"""Sums of exponentials as a plan runs them: what the rules compute, in fewer passes where everything is finite.

The next rule whose usual case has a shorter way goes here, with what it is to be when the case is not usual. Imports
the rules of these sums.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..rules import special_sums

__all__ = ["run_of"]

Array = np.ndarray[Any, Any]


def _largest(x: Any, b: Any, axis: Any) -> Array | None:
    """The largest elements along one axis; None where the sum is not that of finite numbers, each of weight 1."""
    if type(x) is not np.ndarray or x.dtype != np.float64 or type(b) is not float or b != 1.0:
        return None
    if type(axis) is not int or not x.shape[axis]:
        return None
    m = np.maximum.reduce(x, axis, keepdims=True)
    finite = math.isfinite(m.item()) if m.size == 1 else np.isfinite(m).all()
    return m if finite else None


def _log_sum(x: Any, b: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log Σ exp(x), the largest terms kept apart, for log1p."""
    m = _largest(x, b, axis)
    if m is None:
        return special_sums.log_sum(x, b, axis, keepdims)
    e = x - m
    top = e == 0
    first = np.add.reduce(top, axis, float, keepdims=True)
    np.exp(e, out=e)
    np.putmask(e, top, 0.0)
    y = np.log1p(np.add.reduce(e, axis, keepdims=True) / first) + np.log(first)
    y += m
    return y if keepdims else y.squeeze(axis)[()]


def _shares(x: Any, b: Any, axis: Any = None) -> Any:
    """exp(x) / Σ exp(x)."""
    m = _largest(x, b, axis)
    if m is None:
        return special_sums.shares(x, b, axis)
    e = x - m
    np.exp(e, out=e)
    e /= np.add.reduce(e, axis, keepdims=True)
    return e


QUICK: dict[str, Callable[..., Any]] = {"log_sum": _log_sum, "shares": _shares}


def run_of(rule: Any) -> Callable[..., Any]:
    """What computes a rule over arrays."""
    return QUICK.get(rule.name, rule.run)  # type: ignore[no-any-return]
