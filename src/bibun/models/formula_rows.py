"""What stands beside a formula: weights, offsets, exposures, clusters, by names of columns or as arrays.

Imports data, formula, covariance. What every model of a formula is given in the same way is read here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .covariance import Covariance
from .data import table
from .formula import Design, design

__all__ = ["Given"]


class Given:
    """A table, and what a fit is given beside its formula.

    Parameters
    ----------
    data : dict of arrays, data frame, or Table
    weights, offset, exposure : str or array_like, optional
        The name of a column, or a number for each row of the data.
    cluster : str, array_like, or a list of these, optional
    also : sequence
        Whatever else may be the name of a column.
    """

    def __init__(
        self,
        data: Any,
        weights: Any = None,
        offset: Any = None,
        exposure: Any = None,
        cluster: Any = None,
        also: Sequence[Any] = (),
    ) -> None:
        self.table = table(data)
        self.weights, self.offset, self.exposure = weights, offset, exposure
        several = isinstance(cluster, (list, tuple)) and all(isinstance(w, str) or np.ndim(w) for w in cluster)
        self.ways = [] if cluster is None else list(cluster) if several else [cluster]
        named = [n for n in (weights, offset, exposure, *self.ways, *also) if isinstance(n, str)]
        self.names = list(dict.fromkeys(named))

    def design(
        self, formula: str, levels: Mapping[str, Sequence[Any]] | None = None, also: Sequence[str] = ()
    ) -> Design:
        """The design of a formula; rows that miss a value of any column that is used are left out."""
        made = design(formula, self.table, levels, also=list(dict.fromkeys([*self.names, *also])))
        beside = {"offset": self.offset, "exposure": self.exposure}
        made.beside = {what: name for what, name in beside.items() if isinstance(name, str)}
        return made

    def column(self, what: str, given: Any, rows: np.ndarray) -> Any:
        """A column, or an array with a value for each row of the data, at some rows."""
        a = np.asarray(self.table[given].values if isinstance(given, str) else given)
        if a.shape[:1] != (self.table.n_rows,):
            raise ValueError(f"{what} of shape {a.shape} for {self.table.n_rows} rows of data: one for each")
        return a[rows]

    def numbers(self, what: str, given: Any, rows: np.ndarray) -> np.ndarray:
        """The same as numbers."""
        if isinstance(given, str) and not self.table[given].numeric:
            raise ValueError(f"{what}: the column `{given}` holds text, and numbers are needed")
        return np.asarray(self.column(what, given, rows), float)

    def row_weights(self, rows: np.ndarray) -> np.ndarray | None:
        """The weights of some rows."""
        return None if self.weights is None else self.numbers("weights", self.weights, rows)

    def row_offset(self, rows: np.ndarray, of_formula: np.ndarray | None = None) -> np.ndarray | None:
        """The offset of some rows: the formula's, what is given, and the logarithm of the exposure."""
        total = None if of_formula is None else np.array(of_formula, float)
        for name, given in (("offset", self.offset), ("exposure", self.exposure)):
            if given is None:
                continue
            a = self.numbers(name, given, rows)
            if name == "exposure":
                if not (a > 0).all():
                    raise ValueError(
                        "exposure holds numbers that are not greater than 0: their logarithm is the offset"
                    )
                a = np.log(a)
            total = a if total is None else total + a
        return total

    def covariance(self, rows: np.ndarray) -> Covariance | None:
        """The covariance of clusters, where there are any."""
        if not self.ways:
            return None
        found = Covariance.of("cluster", [self.column("cluster", way, rows) for way in self.ways])
        names = tuple(way if isinstance(way, str) else f"cluster {k + 1}" for k, way in enumerate(self.ways))
        return Covariance("cluster", found.clusters, names, found.ssc)
