"""The sums of a row program by NumPy: a block of rows as float64, and the sum of e a b' over it for every kind of a, b.

Dense blocks are matrix products, codes are `bincount`, and pieces are added pairwise. One class a kind of sum; a new
kind of block is a case in `sum_of`. Imports row_program.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .row_program import RowProgram, Term

__all__ = ["Rows", "Sum", "sum_of"]

Array = np.ndarray[Any, Any]


class Rows:
    """The rows of one block, as numbers; each array is converted once, when it is first asked for."""

    def __init__(self, program: RowProgram, arrays: Sequence[Array], parameters: Sequence[Array]) -> None:
        self.program, self.arrays, self.parameters = program, arrays, parameters
        self.low = self.high = 0
        self.made: dict[Any, Array] = {}
        self.kept: dict[Any, Array] = {}
        self.alike: dict[int, list[int]] = {}  # dense predictors by their matrix: one product makes them all
        for k, b in enumerate(program.blocks):
            if b.kind == "dense":
                self.alike.setdefault(b.source, []).append(k)

    def move(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.made.clear()

    def buffer(self, key: Any, shape: tuple[int, ...], order: Any = "C") -> Array:
        """An array to write into, the same one for every block of equal size."""
        found = self.kept.get(key)
        if found is None or found.shape != shape:
            found = self.kept[key] = np.empty(shape, order=order)
        return found

    def source(self, k: int) -> Array:
        """The block's rows of an array, in double precision."""
        found = self.made.get(k)
        if found is None:
            found = self.arrays[k][self.low : self.high]
            if found.dtype != np.float64:
                given, found = found, self.buffer(k, found.shape, self.program.sources[k].order)
                np.copyto(found, given)
            self.made[k] = found
        return found

    def column(self, k: int) -> Array:
        """What `column[k]` reads."""
        source, j = self.program.columns[k]
        if self.program.sources[source].width is None:
            return self.source(source)
        return np.ascontiguousarray(self.source(source)[:, j])

    def predictor(self, k: int) -> Any:
        """What `predictor[k]` stands for."""
        block = self.program.blocks[k]
        if block.kind == "codes":
            return self.parameters[k][self.codes(k)]
        alike = self.alike[block.source]
        if len(alike) == 1:
            return np.matmul(self.source(block.source), self.parameters[k])
        found = self.made.get(("products", block.source))
        if found is None:
            coefficients = np.stack([self.parameters[i] for i in alike])
            found = self.made["products", block.source] = coefficients @ self.source(block.source).T
        return found[alike.index(k)]

    def codes(self, k: int) -> Array:
        """The group of each row, for the block `k`; a code of no group is an IndexError."""
        source, groups = self.program.blocks[k].source, self.groups(k)
        found = self.made.get(("codes", k))
        if found is None:
            given = self.arrays[source][self.low : self.high]
            wrong = (given < 0) | (given >= groups) if given.dtype.kind != "b" else given >= groups
            if wrong.any():
                r = int(wrong.argmax())
                raise IndexError(
                    f"the code in row {self.low + r} is {given[r]}, and there are parameters for 0 to {groups - 1}: "
                    "give more parameters, or number the groups from 0"
                )
            found = self.made["codes", k] = given.astype(np.intp, copy=False)
        return found

    def groups(self, k: int) -> int:
        return len(self.parameters[k])

    def weighted(self, k: int, e: Array) -> Array:
        """The matrix of the dense block `k`, each row times its `e`; valid until the next call."""
        X = self.source(self.program.blocks[k].source)
        out = self.buffer(("weighted", k), X.shape, "F" if X.strides[0] < X.strides[1] else "C")
        return np.multiply(X, e[:, None], out=out)


class Sum:
    """A sum over rows, added to a block at a time: the sum of `e` itself. The pieces are added as a tree adds them."""

    def __init__(self, rows: Rows, *blocks: int) -> None:
        self.rows, self.blocks = rows, blocks
        self.pieces: list[tuple[int, Any]] = []  # (how often it was doubled, sum), those of most rows first

    def add(self, e: Array) -> None:
        piece, level = self.piece(e), 0
        while self.pieces and self.pieces[-1][0] == level:
            piece = self.pieces.pop()[1] + piece
            level += 1
        self.pieces.append((level, piece))

    def piece(self, e: Array) -> Any:
        return np.add.reduce(e)

    def zeros(self) -> Array:
        return np.zeros(())

    def summed(self) -> Any:
        total: Any = self.zeros()
        for k, (_, piece) in enumerate(reversed(self.pieces)):
            total = piece + total if k else piece
        return total

    def total(self, others: Sequence["Sum"] = ()) -> Array:
        """The whole sum, with those that other threads made."""
        total = self.summed()
        for other in others:
            total = total + other.summed()
        return np.asarray(self.finished(total))

    def finished(self, total: Any) -> Any:
        return total


class Dense(Sum):
    """Times a row of a matrix."""

    def piece(self, e: Array) -> Any:
        return e @ self.rows.source(self.rows.program.blocks[self.blocks[0]].source)

    def zeros(self) -> Array:
        return np.zeros(self.rows.program.blocks[self.blocks[0]].width)


class Codes(Sum):
    """Into the place of the row's group."""

    def piece(self, e: Array) -> Any:
        return np.bincount(self.rows.codes(self.blocks[0]), e, self.rows.groups(self.blocks[0]))

    def zeros(self) -> Array:
        return np.zeros(self.rows.groups(self.blocks[0]))


class DenseDense(Sum):
    """Times a row of a matrix, times another's transposed."""

    def piece(self, e: Array) -> Any:
        left, right = self.blocks
        return self.rows.weighted(left, e).T @ self.rows.source(self.rows.program.blocks[right].source)

    def zeros(self) -> Array:
        left, right = (self.rows.program.blocks[k] for k in self.blocks)
        return np.zeros((left.width, right.width))

    def finished(self, total: Any) -> Any:
        left, right = (self.rows.program.blocks[k].source for k in self.blocks)
        if left == right:  # symmetric to the last bit
            below = np.tril_indices(len(total), -1)
            total[below] = total.T[below]
        return total


class DenseCodes(Sum):
    """Times a row of a matrix, into the column of the row's group."""

    def piece(self, e: Array) -> Any:
        left, right = self.blocks
        codes, groups = self.rows.codes(right), self.rows.groups(right)
        return np.stack([np.bincount(codes, x, groups) for x in self.rows.weighted(left, e).T])

    def zeros(self) -> Array:
        left, right = self.blocks
        return np.zeros((self.rows.program.blocks[left].width, self.rows.groups(right)))


class Transposed(DenseCodes):
    """The same with its axes exchanged."""

    def __init__(self, rows: Rows, left: int, right: int) -> None:
        super().__init__(rows, right, left)

    def finished(self, total: Any) -> Any:
        return total.T


class Diagonal(Codes):
    """Two blocks of the same codes: a row is in one group of both."""

    def add(self, e: Array) -> None:
        self.rows.codes(self.blocks[1])  # which may have fewer groups
        super().add(e)

    def finished(self, total: Any) -> Any:
        out = np.zeros([self.rows.groups(k) for k in self.blocks])
        small = min(out.shape)
        out[range(small), range(small)] = total[:small]
        return out


class CodesCodes(Sum):
    """Into the row and column of two groups."""

    def pairs(self) -> tuple[Array, int]:
        left, right = self.blocks
        groups = self.rows.groups(right)
        return self.rows.codes(left) * groups + self.rows.codes(right), self.rows.groups(left) * groups

    def piece(self, e: Array) -> Any:
        at, count = self.pairs()
        return np.bincount(at, e, count)

    def zeros(self) -> Array:
        return np.zeros(self.rows.groups(self.blocks[0]) * self.rows.groups(self.blocks[1]))

    def finished(self, total: Any) -> Any:
        return total.reshape([self.rows.groups(k) for k in self.blocks])


class _Many(Sum):
    """With more places than a block has rows: added where they belong, and no sums of blocks made."""

    whole: Array | None = None

    def add(self, e: Array) -> None:
        if self.whole is None:
            self.whole = self.zeros()
        self.scatter(self.whole, e)

    def scatter(self, whole: Array, e: Array) -> None:
        raise NotImplementedError

    def summed(self) -> Any:
        return self.zeros() if self.whole is None else self.whole


class ManyCodes(_Many, Codes):
    def scatter(self, whole: Array, e: Array) -> None:
        np.add.at(whole, self.rows.codes(self.blocks[0]), e)


class ManyDiagonal(Diagonal, _Many):
    scatter = ManyCodes.scatter


class ManyCodesCodes(_Many, CodesCodes):
    def scatter(self, whole: Array, e: Array) -> None:
        np.add.at(whole, self.pairs()[0], e)


class ManyDenseCodes(_Many, DenseCodes):
    def scatter(self, whole: Array, e: Array) -> None:
        left, right = self.blocks
        for line, x in zip(whole, self.rows.weighted(left, e).T, strict=True):
            np.add.at(line, self.rows.codes(right), x)


class ManyTransposed(Transposed, ManyDenseCodes):
    pass


KINDS: dict[tuple[str, ...], tuple[type[Sum], type[Sum]]] = {
    (): (Sum, Sum),
    ("dense",): (Dense, Dense),
    ("codes",): (Codes, ManyCodes),
    ("dense", "dense"): (DenseDense, DenseDense),
    ("dense", "codes"): (DenseCodes, ManyDenseCodes),
    ("codes", "dense"): (Transposed, ManyTransposed),
    ("codes", "codes"): (CodesCodes, ManyCodesCodes),
    ("diagonal",): (Diagonal, ManyDiagonal),
}
"""By the kinds of the blocks: the sum, and the sum where places are more than rows of a block."""


def sum_of(term: Term, rows: Rows, block: int) -> Sum:
    """The sum that a term is; `block` rows are added at a time. A scalar's number in the row is 1."""
    blocks = rows.program.blocks
    ks = [k for k in (term.left, term.right) if k is not None and blocks[k].kind != "scalar"]
    kinds = tuple(blocks[k].kind for k in ks)
    places = 1
    if kinds == ("codes", "codes") and blocks[ks[0]].source == blocks[ks[1]].source:
        kinds = ("diagonal",)
    for k in ks[:1] if kinds == ("diagonal",) else ks:
        places *= rows.groups(k) if blocks[k].kind == "codes" else 1
    return KINDS[kinds][places > block](rows, *ks)
