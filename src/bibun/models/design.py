"""The design matrix of a regression: its checks, its penalties, and what its columns do not determine, in words.

Imports least_squares and parameters.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .least_squares import Columns, Rows, predictor
from .parameters import Values

__all__ = [
    "checked",
    "constant_columns",
    "factored",
    "has_constant",
    "linear_predictor",
    "named_data",
    "penalties",
    "problems",
]


def named_data(X: np.ndarray, y: np.ndarray, offset: np.ndarray | None) -> Values:
    """What a regression's likelihood reads: `X`, `y`, and `offset` where there is one."""
    given = {"X": X, "y": y} if offset is None else {"X": X, "y": y, "offset": offset}
    return Values(given, "data column")


def linear_predictor(d: Any, theta: Any) -> Any:
    """The linear predictor of each row, from `named_data`."""
    eta = predictor(d.X, theta)
    return eta + d.offset if "offset" in d else eta


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
    X: Any, y: Any, names: Sequence[str], weights: Any, offset: Any, intercept: bool = False
) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray | None, np.ndarray | None]:
    """The arrays of a regression, or one sentence on what does not fit; not a look at X, which `finite` takes."""
    X, y, names = np.asarray(X, float), np.asarray(y, float), [str(n) for n in names]
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y):
        raise ValueError(
            f"X of shape {X.shape} and y of shape {y.shape}: X is (rows, columns), y has a value for each row"
        )
    if not len(X) or not X.shape[1] + intercept:
        raise ValueError(f"X of shape {X.shape} is empty: there is nothing to fit")
    if len(names) != X.shape[1] + intercept:
        more = " and the intercept" if intercept else ""
        raise ValueError(f"{len(names)} names for {X.shape[1]} columns of X{more}: give one for each")
    w = None if weights is None else np.asarray(weights, float)
    offset = None if offset is None else np.asarray(offset, float)
    for name, a in (("weights", w), ("offset", offset)):
        if a is not None and a.shape != y.shape:
            raise ValueError(f"{name} of shape {a.shape} for {len(y)} rows: one for each")
    if w is not None and (not (w >= 0).all() or not 0 < w.sum() < np.inf):
        raise ValueError("weights are finite numbers ≥ 0, one for each row, not all zero")
    for name, a in (("y", y), ("offset", offset)):
        if a is not None and not np.isfinite(a).all():
            raise ValueError(f"{name} is missing or infinite in {int(np.sum(~np.isfinite(a)))} rows: leave them out")
    return X, y, names, w, offset


def factored(rows: Rows, names: list[str], sampled: bool = False) -> Columns:
    """The columns of a regression; a ValueError with the names of those that are not finite.

    `sampled`: for a search, which needs them only nearly orthonormal.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        bad = rows.infinite(sampled)
    if bad.any():
        which = ", ".join(n for n, b in zip(names[rows.constant :], bad, strict=True) if b)
        raise ValueError(f"missing or infinite values in {which}: leave those rows out, or fill them in")
    return Columns(rows, sampled)


def penalties(X: np.ndarray, penalty: Any, constant: np.ndarray) -> np.ndarray:
    """The ridge penalty of each column: one number spares constant columns, such as the intercept."""
    lam = np.zeros(len(constant))
    if penalty is None:
        return lam
    given = np.asarray(penalty, float)
    if not (np.isfinite(given).all() and (given >= 0).all()) or given.shape not in ((), lam.shape):
        raise ValueError(f"penalty={penalty!r}: a number ≥ 0, or one for each of the {len(lam)} columns")
    return np.array(given) if given.ndim else np.where(constant, 0.0, given)


def constant_columns(X: np.ndarray, intercept: bool = False) -> np.ndarray:
    """Which columns hold one number only, shape (p,); first the intercept that X does not hold, if there is one."""
    same = X[0] == X[-1]
    for step in (max(len(X) // 64, 1), 1):  # most columns that vary do so in a few rows
        for k in np.flatnonzero(same):
            same[k] = (X[::step, k] == X[0, k]).all()
    return np.concatenate([[True], same]) if intercept else np.asarray(same)


def has_constant(columns: Columns, constant: np.ndarray) -> bool:
    """Whether the columns span a constant: then a mean is part of the model."""
    rows = columns.rows
    if rows.constant or (constant & (rows.X[0] != 0)).any():
        return True
    if columns.sample is not None:
        return has_constant(columns.sample, constant) and has_constant(Columns(rows), constant)
    ones = np.ones(len(rows.X)) if rows.root is None else rows.root
    return columns.spans(np.concatenate([ones, np.zeros(len(rows.below))]))
