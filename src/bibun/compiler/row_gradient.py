"""Gradients: the sums of e times the rows of a matrix, over the block, added to those so far.

In C order sums stay in registers over the block, a vector of columns each. In F order a vector of rows at a time, as
many columns together as there are lanes. Imports row_frame.py.
"""

from .row_frame import Frame
from .row_layout import Matrix
from .row_loops import Index
from .row_predictors import STRAIGHT, ask, asked_by_gradient, by_few

__all__ = ["gradients"]

WIDE = 4
"""How many vectors of columns a wide matrix has in registers."""


def gradients(f: Frame, m: Matrix) -> None:
    """Write the gradients of a matrix, that of each e in turn; the rows are in cache by then."""
    w, key = f.w, ("gradient", m.source)
    if key not in f.layout.sums:
        return

    def gradient(k: Index) -> None:
        e = w.at(f.memory("rows", key), w.times(k, f.layout.rows))
        to = w.at(f.sum(key), w.times(k, f.layout.padded(m.source)))
        (_by_rows if f.order(m.source) == "C" else _by_columns)(f, m, e, to)

    w.each("gradient", len(f.layout.sums[key]), gradient)


def _by_rows(f: Frame, m: Matrix, e: str, to: str) -> None:
    w, lanes, dtype = f.w, f.w.lanes, f.dtype(m.source)
    full, rest = divmod(m.width, lanes)

    def columns(c: Index, whole: int, left: int = 0) -> None:
        """Whole vectors of columns from c, and `left` columns after them."""
        counts = [lanes] * whole + [left] * bool(left)
        places = [w.at(to, w.times(w.plus(c, i), lanes)) for i in range(len(counts))]
        sums = [w.load(place) for place in places]
        offset = w.times(c, lanes * dtype.itemsize)

        def row(r: Index, sums: list[str]) -> list[str]:
            g, place = w.broadcast(e, r), w.at(f.row(m.source, r), offset, "i8")
            offsets = [i * lanes * dtype.itemsize for i in range(len(counts))]
            if asked_by_gradient(f, m):
                for k in offsets:
                    ask(f, m, place, k)
            parts = [w.numbers(w.at(place, k, "i8"), dtype, n) for k, n in zip(offsets, counts, strict=True)]
            return [w.fma(x, g, s) for x, s in zip(parts, sums, strict=True)]

        sums = w.loop("gradient", 0, f.length, 1, row, [(w.V, s) for s in sums])
        for s, place in zip(sums, places, strict=True):
            w.store(s, place)

    if full > STRAIGHT:
        whole = full // WIDE * WIDE
        w.loop("columns", 0, whole, WIDE, lambda c, _: columns(c, WIDE))
        if whole < full or rest:
            columns(whole, full - whole, rest)
    else:
        columns(0, full, rest)


def _by_columns(f: Frame, m: Matrix, e: str, to: str) -> None:
    w, dtype, lanes = f.w, f.dtype(m.source), f.w.lanes

    def columns(j: Index, n: int) -> None:
        places = [f.column(m.source, 0, w.plus(j, i)) for i in range(n)]

        def vector(slot: Index, sums: list[str]) -> list[str]:
            g, offset = w.load(e, slot), w.times(slot, dtype.itemsize)
            return [
                w.fma(w.numbers(w.at(place, offset, "i8"), dtype), g, s) for place, s in zip(places, sums, strict=True)
            ]

        zero = w.number(0.0)
        sums = f.carrying("rows", vector, [zero] * n)
        total = w.sums([*sums, *[zero] * (lanes - n)])
        w.store(w.add(w.load(to, j), total), to, j)

    by_few(f, m.width, lanes, columns)
