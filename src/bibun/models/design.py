"""The design matrix of a regression: its checks, its penalties, and what its columns do not determine, in words.

Imports least_squares and parameters.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .least_squares import Columns
from .parameters import Values

__all__ = ["checked", "constant_columns", "has_constant", "named_data", "penalties", "problems", "weighted"]


def named_data(X: np.ndarray, y: np.ndarray, offset: np.ndarray) -> Values:
    """What a regression's likelihood reads."""
    return Values({"X": X, "y": y, "offset": offset}, "data column")


def problems(columns: Columns, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Which coefficients the columns do not determine, and why, in words."""
    undetermined = np.zeros(len(names), bool)
    if not columns.null.shape[1]:
        return undetermined, []
    undetermined = (columns.null != 0).any(axis=1)
    lost = [n for n, u in zip(names, undetermined, strict=True) if u]
    said = "; ".join(columns.dependencies(names)) if columns.null.shape[1] <= 5 else (
        f"{shown([names[k] for k in columns.dependent])} are combinations of the other columns, of which "
        f"{columns.rank} are independent"
    )  # fmt: skip
    return undetermined, [f"collinear columns: {said}; not determined: {shown(lost)}"]


def shown(names: list[str], limit: int = 8) -> str:
    """A list of names for a message, not too long."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def checked(
    X: Any, y: Any, names: Sequence[str], weights: Any, offset: Any
) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray, np.ndarray]:
    """The arrays of a regression, or one sentence on what does not fit."""
    X, y, names = np.asarray(X, float), np.asarray(y, float), [str(n) for n in names]
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y):
        raise ValueError(
            f"X of shape {X.shape} and y of shape {y.shape}: X is (rows, columns), y has a value for each row"
        )
    if not X.size:
        raise ValueError(f"X of shape {X.shape} is empty: there is nothing to fit")
    if len(names) != X.shape[1]:
        raise ValueError(f"{len(names)} names for {X.shape[1]} columns of X: give one for each")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    offset = np.zeros(len(y)) if offset is None else np.asarray(offset, float)
    for name, a in (("weights", w), ("offset", offset)):
        if a.shape != y.shape:
            raise ValueError(f"{name} of shape {a.shape} for {len(y)} rows: one for each")
    if not (w >= 0).all() or not 0 < w.sum() < np.inf:
        raise ValueError("weights are finite numbers ≥ 0, one for each row, not all zero")
    for name, a in (("y", y), ("offset", offset)):
        if not np.isfinite(a).all():
            raise ValueError(f"{name} is missing or infinite in {int(np.sum(~np.isfinite(a)))} rows: leave them out")
    bad = ~np.isfinite(X).all(axis=0)
    if bad.any():
        which = ", ".join(n for n, b in zip(names, bad, strict=True) if b)
        raise ValueError(f"missing or infinite values in {which}: leave those rows out, or fill them in")
    return X, y, names, w, offset


def weighted(X: np.ndarray, root: np.ndarray, lam: np.ndarray) -> np.ndarray:
    """The rows times the roots of their weights, with rows for the penalties below."""
    A = X if (root == 1).all() else root[:, None] * X
    return np.concatenate([A, np.diag(np.sqrt(lam))[lam > 0]]) if lam.any() else A


def penalties(X: np.ndarray, penalty: Any) -> np.ndarray:
    """The ridge penalty of each column: one number spares constant columns, such as the intercept."""
    lam = np.zeros(X.shape[1])
    if penalty is None:
        return lam
    given = np.asarray(penalty, float)
    if not (np.isfinite(given).all() and (given >= 0).all()) or given.shape not in ((), lam.shape):
        raise ValueError(f"penalty={penalty!r}: a number ≥ 0, or one for each of the {X.shape[1]} columns")
    return np.array(given) if given.ndim else np.where(constant_columns(X), 0.0, given)


def constant_columns(X: np.ndarray) -> np.ndarray:
    """Which columns hold one number only, shape (p,)."""
    same = X[0] == X[-1]
    for k in np.flatnonzero(same):
        same[k] = (X[:, k] == X[0, k]).all()
    return np.asarray(same)


def has_constant(columns: Columns, X: np.ndarray, root: np.ndarray) -> bool:
    """Whether the columns, weighted by `root`, span a constant: then a mean is part of the model."""
    if (constant_columns(X) & (X[0] != 0)).any():
        return True
    return columns.spans(np.concatenate([root, np.zeros(len(columns.A) - len(root))]))
