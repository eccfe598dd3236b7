"""Covariance matrices of estimates, on the scale of the real numbers u: observed information, scores, and both.

Imports nothing of models; reads an Objective and a Certificate. A new kind is one function in KINDS.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["KINDS", "covariance"]


def observed(objective: Any, u: np.ndarray, undetermined: np.ndarray) -> np.ndarray:
    """The inverse of the observed information: right when the likelihood is."""
    h = objective.hessian(u)
    d = np.sqrt(np.where(np.diag(h) > 0, np.diag(h), 1.0))
    eigenvalues, vectors = np.linalg.eigh(h / np.outer(d, d))
    keep = eigenvalues > 1e-10
    if keep.all():  # the plain inverse keeps a digit more
        return np.linalg.inv(h / np.outer(d, d)) / np.outer(d, d)
    inverse = (vectors[:, keep] / eigenvalues[keep]) @ vectors[:, keep].T
    return inverse / np.outer(d, d)


def opg(objective: Any, u: np.ndarray, undetermined: np.ndarray) -> np.ndarray:
    """The inverse of the sum of outer products of the rows' scores (Berndt, Hall, Hall & Hausman 1974)."""
    s = weighted_scores(objective, u, power=0.5)
    d = np.sqrt(np.maximum(np.sum(s**2, axis=0), np.finfo(float).tiny))
    return np.linalg.pinv((s / d).T @ (s / d), hermitian=True) / np.outer(d, d)


def sandwich(objective: Any, u: np.ndarray, undetermined: np.ndarray) -> np.ndarray:
    """Information, scores, information: right when only the estimating equations are (Huber 1967; White 1982)."""
    bread = observed(objective, u, undetermined)
    s = weighted_scores(objective, u, power=0.5) @ bread  # a weight of 2 is the row twice
    return s.T @ s


def weighted_scores(objective: Any, u: np.ndarray, power: float) -> np.ndarray:
    """The rows' scores times their weights to a power; refused where the likelihood has no rows."""
    if not objective.by_rows:
        raise ValueError(
            "this covariance needs a score for each row, and the likelihood returns one number: return one value a row"
        )
    s = objective.scores(u)
    return s if objective.weights is None else s * objective.weights[:, None] ** power


KINDS: dict[str, Callable[..., np.ndarray]] = {"observed": observed, "opg": opg, "sandwich": sandwich}


def covariance(kind: str, objective: Any, u: np.ndarray, undetermined: np.ndarray) -> np.ndarray:
    """The covariance of u; NaN in the rows and columns of what is not determined."""
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: one of {', '.join(KINDS)}")
    cov = KINDS[kind](objective, u, undetermined)
    if undetermined.any():
        cov = cov.copy()
        cov[undetermined, :] = cov[:, undetermined] = np.nan
    return cov
