"""The search for likelihoods whose rows do not add up by their weights alone. Imports search.

Cox's model has weights inside the sums of those at risk, Firth's penalty is counted once: such `rows` take the weights
from the data, and some of the rows are not a smaller case of all of them.
"""

from typing import Any

import numpy as np

from .search import Search

__all__ = ["WholeSearch"]


class WholeSearch(Search):
    """A `Search` over all rows at once, whose weights are a column of the data."""

    def _arguments(self, total: float, data: dict[str, Any], weights: Any) -> tuple[Any, ...]:
        return super()._arguments(total, data, None)

    def _start(self, zero: np.ndarray) -> np.ndarray:
        return zero
