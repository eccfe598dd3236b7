"""Rows of data a few at a time, in an order drawn anew for every pass. Imports the tree."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.tree import flatten

__all__ = ["Batches"]


class Batches:
    """The data, in batches of rows.

    Parameters
    ----------
    data : array_like or nested
        Arrays, or data frames, with the same number of rows.
    size : int
        Rows in a batch; the last one of a pass has what is left.
    rng : numpy.random.Generator or int
        Draws the order.
    """

    def __init__(self, data: Any, size: int, rng: Any) -> None:
        leaves, self._rebuild = flatten(data)
        self._leaves = [leaf if hasattr(leaf, "iloc") else np.asarray(leaf) for leaf in leaves]
        rows = {len(leaf) if np.ndim(leaf) else None for leaf in self._leaves}
        if len(rows) != 1 or None in rows:
            shapes = ", ".join(str(np.shape(leaf)) for leaf in self._leaves) or "nothing"
            raise ValueError(
                f"data holds {shapes}: mini-batches need arrays with the same number of rows; what has no rows goes "
                "to args="
            )
        self.n = rows.pop() or 0
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 1 <= size <= self.n:
            raise ValueError(f"batch_size={size!r}: it is a whole number between 1 and the {self.n} rows of data")
        self.size = int(size)
        if rng is None:
            raise ValueError(
                "batch_size needs rng=, which draws the rows: np.random.default_rng(seed), or the seed itself, "
                "so that the same call gives the same numbers"
            )
        self.rng = np.random.default_rng(rng)

    def __iter__(self) -> Iterator[Any]:
        order = self.rng.permutation(self.n)
        for k in range(0, self.n, self.size):
            rows = order[k : k + self.size]
            yield self._rebuild([x.iloc[rows] if hasattr(x, "iloc") else x[rows] for x in self._leaves])
