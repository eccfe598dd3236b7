"""A row program: what is computed from every row of the data, and what is summed over the rows.

    small parameters -> predictors of the row -> expressions -> sums over rows

A sum over rows always has one form, the sum of e(r) a(r) b(r)' over the rows r, where e is an expression and a, b are 1
or the block of numbers by which parameters enter the row: with two 1s a value, with one a gradient, with none a
Hessian. So one pass over the rows gives all of them. This file says what a program is; row_kernel.py makes machine
code of it and row_numpy.py runs it with NumPy, block by block. Imports expression.py.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .expression import Expression

__all__ = ["Block", "RowProgram", "Source", "Term"]


class Source(NamedTuple):
    """An array of the data whose first axis is the rows.

    Attributes
    ----------
    dtype : numpy.dtype
        float64, float32, any integer, or bool; whatever it is, rows are computed in float64.
    width : int or None
        The number of columns of a matrix; None for a vector.
    order : {"C", "F"}
        Of a matrix: whether the numbers of a row ("C") or of a column ("F") lie side by side.
    """

    dtype: np.dtype[Any]
    width: int | None = None
    order: str = "C"


class Block(NamedTuple):
    """One predictor: how `width` parameters enter a row as one number.

    kind "dense": the row of matrix `source` times the parameters (shape (width,)).
    kind "codes": the parameter at the row's code: `source` is a vector of integers in [0, width); `width` 0 here, since
    the number of groups is not fixed by the program.
    kind "scalar": the parameter itself (shape ()); `source` -1, width 1.
    """

    kind: str
    source: int
    width: int


class Term(NamedTuple):
    """The sum over rows of `e` times the block `left` times the block `right`; None stands for 1.

    A boolean `e` counts as 0 and 1. The result has shape (parameters of left, parameters of right), an axis left out
    where there is None and where the block is a scalar.
    """

    e: Expression
    left: int | None = None
    right: int | None = None


@dataclass
class RowProgram:
    """
    Attributes
    ----------
    sources : list of Source
    columns : list of (source, column)
        What the leaf `column[k]` reads: the element of the row in a vector (column 0) or in a matrix.
    blocks : list of Block
        What the leaf `predictor[k]` stands for.
    terms : list of Term
    maps : list of (Expression, numpy.dtype)
        Results with one value a row, and the type they are stored in (a boolean expression as bool).
    """

    sources: list[Source] = field(default_factory=list)
    columns: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    maps: list[tuple[Expression, np.dtype[Any]]] = field(default_factory=list)

    def roots(self) -> list[Expression]:
        """Every expression that something is made of."""
        return [t.e for t in self.terms] + [e for e, _ in self.maps]
