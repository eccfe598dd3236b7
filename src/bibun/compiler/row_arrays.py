"""Which arrays the code of a row program can read, and how it takes a matrix. Imports NumPy only."""

from typing import Any

import numpy as np

__all__ = ["order", "readable"]

Array = np.ndarray[Any, Any]


def readable(a: Array) -> Array:
    """The array itself where a kernel can read it as it lies in memory, else a copy.

    That is a vector of any stride, or a matrix with the numbers of each row, or of each column, side by side, both in
    this machine's byte order. `order` says which of the two a matrix is.
    """
    if not a.dtype.isnative:
        return a.astype(a.dtype.newbyteorder("="))
    return a if a.ndim < 2 or order(a) else np.ascontiguousarray(a)


def order(a: Array) -> str:
    """The order that a program's `Source` gives a matrix: "C" or "F"; "" where a kernel cannot read it."""
    if not a.size or a.shape[1] == 1 or a.strides[1] == a.itemsize:
        return "C"
    return "F" if a.shape[0] == 1 or a.strides[0] == a.itemsize else ""
