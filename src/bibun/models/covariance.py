"""Covariance matrices of estimates: information, scores, and both; which one, of which clusters, with which factor.

Imports nothing of models: it is given the inverse information ("bread") and the rows' scores. A new kind is a function
in `MEAT`, and what it needs a field of `Covariance`.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import NotDefined

__all__ = ["KINDS", "Covariance", "bread", "cluster_codes"]

KINDS = ("observed", "expected", "opg", "sandwich", "cluster", "hac")
FACTORS = ("none", "G", "full", "HC2", "HC3")
ELSEWHERE = {
    "hc0": 'kind="sandwich"',
    "hc1": 'kind="sandwich", ssc="full"',
    "hc2": 'kind="sandwich", ssc="HC2"',
    "hc3": 'kind="sandwich", ssc="HC3"',
    "robust": 'kind="sandwich"',
    "clustered": 'kind="cluster", cluster=…',
    "neweywest": 'kind="hac", lags=…',
    "nonrobust": 'kind="observed"',
    "hessian": 'kind="observed"',
    "fisher": 'kind="expected"',
    "bhhh": 'kind="opg"',
}
"""What kinds are called by others, as they are written here."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """Which covariance matrix.

    Attributes
    ----------
    kind : {"observed", "expected", "opg", "sandwich", "cluster", "hac"}
    clusters : tuple of ndarray of int
        For "cluster": the cluster of each row, one array for each way of clustering.
    names : tuple of str
        Of the ways.
    ssc : {"none", "G", "full", "HC2", "HC3"}
        The small-sample factor: none; G / (G - 1) for G clusters; or that times (n - 1) / (n - k), which for "sandwich"
        and "hac" is n / (n - k). For "sandwich" of a regression also each row's own: its score over √(1 - h) or 1 - h,
        h being its pull (MacKinnon & White 1985).
    lags : int
        For "hac": how many rows back still count.
    """

    kind: str = "observed"
    clusters: tuple[np.ndarray, ...] = ()
    names: tuple[str, ...] = ()
    ssc: str = "none"
    lags: int = 0

    @staticmethod
    def of(kind: str, cluster: Any = None, ssc: Any = None, lags: int | None = None, data: Any = None) -> "Covariance":
        """A checked choice; clusters are arrays, or the names of columns of `data`."""
        if kind not in KINDS:
            here = ELSEWHERE.get(str(kind).lower().replace("-", "").replace("_", ""))
            raise ValueError(f"kind={kind!r}: one of {', '.join(KINDS)}" + (f"; that one is {here}" if here else ""))
        if cluster is not None and kind != "cluster":
            raise ValueError(f"cluster= is for kind='cluster'; it was given with kind={kind!r}")
        if (lags is not None) != (kind == "hac"):
            raise ValueError("lags= is for kind='hac', which needs it: how many rows back still count")
        if kind == "hac" and (int(lags or 0) != lags or (lags or 0) < 0):
            raise ValueError(f"lags={lags!r}: a whole number, 0 or more")
        ways: list[np.ndarray] = []
        names: list[str] = []
        if kind == "cluster":
            if cluster is None:
                raise ValueError("kind='cluster' needs cluster=: the cluster of each row, or the name of its column")
            several = isinstance(cluster, (list, tuple)) and all(isinstance(w, str) or np.ndim(w) for w in cluster)
            for k, way in enumerate(cluster if several else [cluster]):
                name = way if isinstance(way, str) else f"cluster {k + 1}" if several else "cluster"
                ways.append(cluster_codes(_column(way, data)))
                names.append(name)
        ssc = {None: "G" if kind == "cluster" else "none", False: "none", True: "full"}.get(ssc, ssc)
        allowed = {"cluster": FACTORS[:3], "hac": ("none", "full"), "sandwich": ("none", "full", "HC2", "HC3")}
        if ssc not in allowed.get(kind, ("none",)):
            raise ValueError(f"ssc={ssc!r} for kind={kind!r}: one of {', '.join(allowed.get(kind, ('none',)))}")
        return Covariance(kind, tuple(ways), tuple(names), str(ssc), int(lags or 0))

    def robust(self, inverse: np.ndarray, scores: np.ndarray, squared: np.ndarray, n: float, k: float) -> np.ndarray:
        """The covariance from the inverse information, the rows' scores, and the same by the roots of weights.

        Parameters
        ----------
        inverse : ndarray of shape (k, k)
        scores : ndarray of shape (rows, k)
            Each times its row's weight.
        squared : ndarray of shape (rows, k)
            Whose outer products sum to those of all rows that the weights stand for.
        n, k : float
            How many rows there are, and how many parameters that the data determine.
        """
        if self.kind == "opg":
            d = np.sqrt(np.maximum(np.sum(squared**2, axis=0), np.finfo(float).tiny))
            return np.asarray(np.linalg.pinv((squared / d).T @ (squared / d), hermitian=True) / np.outer(d, d))
        if self.kind == "cluster":
            return self._clustered(inverse, scores, n, k)
        if self.kind == "sandwich":
            half = squared @ inverse
            meat = half.T @ half
        else:
            half = scores @ inverse
            meat = half.T @ half
            for lag in range(1, min(self.lags, len(half) - 1) + 1):
                shifted = half[lag:].T @ half[:-lag]
                meat += (1 - lag / (self.lags + 1)) * (shifted + shifted.T)
        return np.asarray(meat * (n / (n - k) if self.ssc == "full" else 1.0))

    def _clustered(self, inverse: np.ndarray, scores: np.ndarray, n: float, k: float) -> np.ndarray:
        """Clusters of one way, or of several by inclusion and exclusion (Cameron, Gelbach & Miller 2011)."""
        half = scores @ inverse
        cov = np.zeros_like(inverse)
        for size in range(1, len(self.clusters) + 1):
            for ways in combinations(self.clusters, size):
                codes = ways[0] if size == 1 else np.unique(np.stack(ways), axis=1, return_inverse=True)[1].reshape(-1)
                if len(codes) != len(half):
                    raise ValueError(f"{len(codes)} clusters for {len(half)} rows: one for each row of the fit")
                sums = np.zeros((codes.max() + 1, len(cov)))
                np.add.at(sums, codes, half)
                cov += (-1) ** (size + 1) * self._factor(codes, n, k) * (sums.T @ sums)
        if (np.diag(cov) < 0).any():  # it is a difference of matrices
            raise NotDefined(
                f"by {' and '.join(self.names)} together some variance is negative: too few clusters for so many ways; "
                "cluster by one of them"
            )
        return cov

    def _factor(self, codes: np.ndarray, n: float, k: float) -> float:
        G = len(np.unique(codes))
        if G < 2:
            raise ValueError("one cluster only: between clusters there is nothing to compare; use kind='sandwich'")
        return {"none": 1.0, "G": G / (G - 1), "full": G / (G - 1) * (n - 1) / (n - k)}[self.ssc]

    def said(self, n: float, k: float) -> str:
        """The choice in words, with the factor."""
        if self.kind == "cluster":
            factors = [self._factor(c, n, k) for c in self.clusters]
            sizes = [len(np.unique(c)) for c in self.clusters]
            text = "clustered by " + " and ".join(f"{w} ({m})" for w, m in zip(self.names, sizes, strict=True))
        elif self.kind == "hac":
            factors, text = [n / (n - k) if self.ssc == "full" else 1.0], f"hac, {self.lags} lags"
        else:
            factors, text = [n / (n - k) if self.ssc == "full" else 1.0], self.kind
        if self.ssc in ("HC2", "HC3"):
            return f"{text}, {self.ssc}: scores over {'√(1 - h)' if self.ssc == 'HC2' else '1 - h'}"
        formula = {"none": "", "G": "G/(G-1)", "full": "G/(G-1) (n-1)/(n-k)" if self.clusters else "n/(n-k)"}[self.ssc]
        return f"{text}, times {formula} = {', '.join(f'{f:.6g}' for f in factors)}" if formula else text


def bread(h: np.ndarray) -> np.ndarray:
    """The inverse of an information matrix, in the directions that have any."""
    d = np.sqrt(np.where(np.diag(h) > 0, np.diag(h), 1.0))
    eigenvalues, vectors = np.linalg.eigh(h / np.outer(d, d))
    keep = eigenvalues > 1e-10
    if keep.all():  # the plain inverse keeps a digit more
        return np.asarray(np.linalg.inv(h / np.outer(d, d)) / np.outer(d, d))
    inverse = (vectors[:, keep] / eigenvalues[keep]) @ vectors[:, keep].T
    return np.asarray(inverse / np.outer(d, d))


def cluster_codes(values: Any) -> np.ndarray:
    """The number of each row's cluster, from labels of any kind; a ValueError where one is missing."""
    a = np.asarray(values)
    if a.ndim != 1:
        raise ValueError(f"clusters of shape {a.shape}: one for each row")
    if a.dtype.kind in "fO":
        missing = np.array([v is None or v != v for v in a.tolist()])
    else:
        missing = np.zeros(len(a), bool)
    if missing.any():
        raise ValueError(f"the cluster is missing in {int(missing.sum())} rows: leave them out of the fit")
    return np.unique(a.astype(str) if a.dtype == object else a, return_inverse=True)[1].reshape(-1)


def _column(way: Any, data: Any) -> Any:
    if not isinstance(way, str):
        return way
    try:
        return data[way]
    except (KeyError, TypeError, IndexError):
        raise ValueError(f"there is no data column {way!r} to cluster by: give the cluster of each row") from None
