"""The bootstrap: a fit repeated for rows, or clusters, drawn anew, as numbers of times that each row counts.

Imports constrained, covariance; reads a Result, over whose `Space` (restricted.py) replicates are searched.
"""

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import NotDefined
from .answers import checked_level
from .constrained import constrained
from .covariance import cluster_codes
from .evaluations import Evaluations
from .restricted import span

__all__ = ["Bootstrap", "bootstrap"]

GONE = 1e-6


class Bootstrap:
    """Estimates of drawn rows.

    Attributes
    ----------
    estimates : ndarray of shape (reps - failed, k)
        In the order of `labels`.
    failed : int
        Replicates without a maximum (classes that are separated, a category that was not drawn); they are left out.
    labels : list of str
    """

    def __init__(
        self, labels: list[str], coef: np.ndarray, estimates: np.ndarray, failed: int, acceleration: np.ndarray
    ) -> None:
        self.labels, self.coef, self.estimates, self.failed = labels, coef, estimates, failed
        self.acceleration = acceleration

    @property
    def se(self) -> np.ndarray:
        """The standard deviation of the replicates, shape (k,)."""
        return np.asarray(self.estimates.std(axis=0, ddof=1))

    @property
    def bias(self) -> np.ndarray:
        """The mean of the replicates less the estimates, shape (k,)."""
        return np.asarray(self.estimates.mean(axis=0) - self.coef)

    def conf_int(self, level: float = 0.95, kind: str = "bca") -> np.ndarray:
        """Intervals, shape (k, 2).

        Parameters
        ----------
        level : float
        kind : {"bca", "percentile"}
            Quantiles of the replicates: bias-corrected and accelerated, or as they are.

        Notes
        -----
        Efron (1987). The bias is corrected by the share of replicates below the estimate; the acceleration is a sixth
        of the skewness of the rows' (or clusters') influence, which is their scores times the inverse information.
        """
        from scipy import special

        level = checked_level(level)
        if kind not in ("bca", "percentile"):
            raise ValueError(f"kind={kind!r}: 'bca' or 'percentile'")
        B = len(self.estimates)
        z = special.ndtri(0.5 + 0.5 * level) * np.array([-1.0, 1.0])
        shares = np.broadcast_to(special.ndtr(z), (len(self.coef), 2))
        if kind == "bca":
            below = np.mean(self.estimates < self.coef, axis=0) + 0.5 * np.mean(self.estimates == self.coef, axis=0)
            bias = special.ndtri(np.clip(below, 1 / (B + 1), B / (B + 1)))[:, None]
            shares = special.ndtr(bias + (bias + z) / (1 - self.acceleration[:, None] * (bias + z)))
        ends = [np.quantile(e, s, method="weibull") for e, s in zip(self.estimates.T, shares, strict=True)]
        return np.array(ends).reshape(-1, 2)

    def __repr__(self) -> str:
        failed = f", {self.failed} more failed" if self.failed else ""
        return f"<Bootstrap of {', '.join(self.labels)}: {len(self.estimates)} replicates{failed}>"


def bootstrap(result: Any, reps: int, rng: Any, cluster: Any = None) -> Bootstrap:
    """Refit a result to drawn rows (see `Result.bootstrap`).

    Parameters
    ----------
    result : Result
    reps : int
    rng : int or numpy.random.Generator
    cluster : array_like or str, optional

    Returns
    -------
    Bootstrap

    Notes
    -----
    Replicates are searched from the estimates by Newton steps, with the program that was compiled for the fit: drawn
    rows are weights. A row of a frequency weight w stands for w rows, which are drawn one by one; weights of the other
    kinds stay with their rows.
    """
    if rng is None:
        raise ValueError("rng= is missing: give a seed or numpy.random.default_rng(seed), which makes the draws again")
    if int(reps) != reps or reps < 2:
        raise ValueError(f"reps={reps}: how many times rows are drawn, 2 or more; 999 is usual")
    if not result.objective.by_rows:
        raise NotDefined("the bootstrap draws rows, and the likelihood returns one number: return one value a row")
    rng, space, scores = np.random.default_rng(rng), result._space(), result._weighted_scores()[0]
    codes = None if cluster is None else _codes(result, cluster, len(scores))
    w = result.objective.weights if result.objective.weights_are == "frequency" else None
    known = span(space.profile().covariance)
    out: list[np.ndarray] = []
    for times in _drawn(len(scores), w, int(reps), rng, codes):
        with np.errstate(all="ignore"):
            found = constrained(result._redrawn(times), space.gamma, space.held)
        # the information in each direction, as a share of that of the fit: where there is next to none is no maximum
        if found.success and np.linalg.eigvalsh(known.T @ found.hessian @ known)[0] > GONE:
            out.append(np.asarray(space.shown(found.u)))
    failed = int(reps) - len(out)
    if 2 * failed > reps:
        raise ArithmeticError(f"{failed} of {reps} replicates have no maximum: use method='profile'")
    if failed:
        warnings.warn(
            f"{failed} of {reps} replicates have no maximum, and are left out of the intervals",
            UserWarning,
            stacklevel=3,
        )
    influence = scores @ result._bread("observed") @ result.jacobian.T
    acceleration = _skewness(influence, w, codes) / 6
    return Bootstrap(list(result.labels), np.asarray(result.coef), np.array(out), failed, acceleration)


def _drawn(
    n: int, w: np.ndarray | None, reps: int, rng: np.random.Generator, codes: np.ndarray | None
) -> Iterator[np.ndarray]:
    """How many times each row counts, for each replicate; `w` are frequency weights."""
    for _ in range(reps):
        if codes is not None:
            groups = int(codes.max()) + 1
            yield np.bincount(rng.integers(groups, size=groups), minlength=groups)[codes].astype(float)
        elif w is not None:
            drawn = rng.multinomial(max(round(float(w.sum())), 1), w / w.sum())
            yield np.where(w > 0, drawn / np.where(w > 0, w, 1.0), 0.0)
        else:
            yield np.bincount(rng.integers(n, size=n), minlength=n).astype(float)


def _codes(result: Any, cluster: Any, n: int) -> np.ndarray:
    """The number of each row's cluster."""
    if isinstance(cluster, str):
        try:
            cluster = result._columns[cluster]
        except (KeyError, TypeError, IndexError):
            raise ValueError(f"there is no data column {cluster!r}: give the cluster of each row") from None
    codes = cluster_codes(cluster)
    if len(codes) != n:
        raise ValueError(f"{len(codes)} clusters for {n} rows: one for each row of the fit")
    return codes


def _skewness(influence: np.ndarray, w: np.ndarray | None, codes: np.ndarray | None) -> np.ndarray:
    """Of what each row, weights included, or each cluster moves an estimate by; for each parameter, over √n."""
    many = np.ones(len(influence))
    if codes is not None:
        sums = np.zeros((int(codes.max()) + 1, influence.shape[1]))
        np.add.at(sums, codes, influence)
        influence, many = sums, np.ones(len(sums))
    elif w is not None:
        influence, many = influence / np.where(w > 0, w, 1.0)[:, None], w
    with np.errstate(all="ignore"):
        a = many @ influence**3 / (many @ influence**2) ** 1.5
    return np.where(np.isfinite(a), a, 0.0)


def reweighted(objective: Any, weights: np.ndarray) -> Evaluations:
    """A likelihood's objective with other weights, of the same compiled program where there is one."""
    if objective.arguments:
        return Evaluations(objective.derivatives, (objective.arguments[0], weights))
    own = copy.copy(objective)
    own.weights = weights
    return own  # type: ignore[no-any-return]
