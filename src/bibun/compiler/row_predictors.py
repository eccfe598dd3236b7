"""Predictors: the products of the block's rows with the parameters of dense blocks, and copies of rows for products.

In C order a vector of rows at a time: their products with the parameters in vectors over the columns, which are then
summed all at once. In F order vectors over the rows, a few columns at a time. Imports row_frame.py.
"""

from collections.abc import Callable

from .row_frame import Frame
from .row_layout import Matrix
from .row_loops import Index

__all__ = ["STRAIGHT", "ask", "asked_by_gradient", "by_few", "copies", "plain_rows", "predictors"]

LOOPED, STRAIGHT, TOGETHER = 3, 16, 4
"""Rows of so many whole vectors are taken by a loop; of more than STRAIGHT, in pieces of so many vectors TOGETHER."""

COLUMNS = 8
"""How many columns are read together in F order."""

AHEAD, LINE = 8192, 64
"""How many bytes ahead rows are asked for (4096 is a fifth slower: a page apart is one place in a cache), and the bytes
of a cache line."""


def predictors(f: Frame, m: Matrix) -> None:
    """Write the predictors of a matrix into the frame's memory."""
    if m.predictors:
        (_by_rows if f.order(m.source) == "C" else _by_columns)(f, m)


def _by_rows(f: Frame, m: Matrix) -> None:
    w, padded, lanes = f.w, f.layout.padded(m.source), f.w.lanes
    beta = w.at(f.parameters, f.layout.parameters[m.predictors[0]])
    eta, kept = f.memory("predictors", m.source), f.memory("panel")

    def vector(slot: Index) -> None:
        def predictor(k: Index) -> None:
            b = w.at(beta, w.times(k, padded))
            if m.width < LOOPED * lanes:
                sums = [_product(f, m, row, b) for row in f.rows(m.source, slot)]
            else:
                first = f.row(m.source, slot)

                def row(i: str, _: list[str]) -> None:
                    place = w.at(first, w.times(i, f.row_step[m.source]), "i8")
                    w.store(_product(f, m, place, b), kept, w.times(i, lanes))

                w.loop("row", 0, lanes, 1, row)
                sums = [w.load(kept, i * lanes) for i in range(lanes)]
            w.store(w.sums(sums), w.at(eta, w.times(k, f.layout.rows)), slot)

        w.each("predictor", len(m.predictors), predictor)

    f.vectors("predict", vector)


def _product(f: Frame, m: Matrix, row: str, beta: str) -> str:
    """The product of a row with parameters, lane by lane; the rows that follow are asked for."""
    w, dtype, lanes = f.w, f.dtype(m.source), f.w.lanes
    full, rest = divmod(m.width, lanes)
    asked = asked_by_gradient(f, m)

    def part(c: Index, s: str, n: int = lanes) -> str:
        offset = w.times(c, lanes * dtype.itemsize)
        if not asked:
            ask(f, m, row, offset)
        x, b = w.numbers(w.at(row, offset, "i8"), dtype, n), w.load(beta, w.times(c, lanes))
        return w.fma(x, b, s) if s else w.mul(x, b)

    sums, start = [""], 0
    if full > STRAIGHT:
        start = full // TOGETHER * TOGETHER
        first = [(w.V, w.number(0.0))] * TOGETHER
        sums = w.loop(
            "columns", 0, start, TOGETHER, lambda c, s: [part(w.plus(c, i), s[i]) for i in range(TOGETHER)], first
        )
    for c in range(start, full):
        sums[c % len(sums)] = part(c, sums[c % len(sums)])
    if rest:
        sums[-1] = part(full, sums[-1], rest)
    while len(sums) > 1:
        sums = [w.add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
    return sums[0]


def ask(f: Frame, m: Matrix, row: str, offset: Index) -> None:
    """Ask for what is at this offset in a later row, if a cache line may begin there."""
    size = m.width * f.dtype(m.source).itemsize
    if not isinstance(offset, int) or offset % LINE == 0:
        later = f.w.at(row, f.w.times(max(1, AHEAD // size), f.row_step[m.source]), "i8")
        f.w.prefetch(f.w.at(later, offset, "i8"))


def asked_by_gradient(f: Frame, m: Matrix) -> bool:
    """Whether later rows are asked for by the gradient: it is a loop over rows, and where theirs is none the shorter
    code is the faster one, too."""
    return len(f.layout.sums.get(("gradient", m.source), ())) == 1 and f.w.lanes <= m.width < LOOPED * f.w.lanes


def _by_columns(f: Frame, m: Matrix) -> None:
    w = f.w
    beta = w.at(f.parameters, f.layout.parameters[m.predictors[0]])
    eta = f.memory("predictors", m.source)
    padded, dtype = f.layout.padded(m.source), f.dtype(m.source)

    def predictor(k: Index) -> None:
        b, y = w.at(beta, w.times(k, padded)), w.at(eta, w.times(k, f.layout.rows))
        f.vectors("clear", lambda slot: w.store(w.number(0.0), y, slot))

        def columns(j: Index, n: int) -> None:
            bs = [w.broadcast(b, w.plus(j, i)) for i in range(n)]
            places = [f.column(m.source, 0, w.plus(j, i)) for i in range(n)]

            def vector(slot: Index) -> None:
                s, offset = w.load(y, slot), w.times(slot, dtype.itemsize)
                for place, b in zip(places, bs, strict=True):
                    x = w.at(place, offset, "i8")
                    w.prefetch(w.at(x, f.layout.rows * dtype.itemsize, "i8"))  # of the next block
                    s = w.fma(w.numbers(x, dtype), b, s)
                w.store(s, y, slot)

            f.vectors("rows", vector)

        by_few(f, m.width, COLUMNS, columns)

    w.each("predictor", len(m.predictors), predictor)


def by_few(f: Frame, n: int, step: int, body: Callable[[Index, int], None]) -> None:
    """`body(j, count)` for 0, step, …, `count` of them each, and then for those left over."""
    full = n // step * step
    if full == step:
        body(0, step)
    elif full:
        f.w.loop("few", 0, full, step, lambda j, _: body(j, step))
    if full < n:
        body(full, n - full)


def copies(f: Frame, m: Matrix) -> None:
    """Copy the block's rows of a matrix as float64 in C order, where products need that."""
    if not m.copied:
        return
    w, lanes, padded = f.w, f.w.lanes, f.layout.padded(m.source)
    copy, dtype = f.memory("copy", m.source), f.dtype(m.source)

    def by_row(slot: Index) -> None:
        for k, row in enumerate(f.rows(m.source, slot)):
            to = w.at(copy, w.times(w.plus(slot, k), padded))

            def columns(j: Index, n: int, row: str = row, to: str = to) -> None:
                w.store(w.numbers(w.at(row, w.times(j, dtype.itemsize), "i8"), dtype, n), to, j)

            by_few(f, m.width, lanes, columns)

    def by_column(slot: Index) -> None:
        def columns(j: Index, n: int) -> None:
            read = [w.numbers(f.column(m.source, slot, w.plus(j, i)), dtype) for i in range(n)]
            for k, x in enumerate(w.transposed(read + [w.number(0.0)] * (lanes - n))):
                w.store(x, copy, w.plus(w.times(w.plus(slot, k), padded), j))

        by_few(f, m.width, lanes, columns)

    f.vectors("copy", by_row if f.order(m.source) == "C" else by_column)


def plain_rows(f: Frame, m: Matrix) -> tuple[str, Index]:
    """The block's rows of a matrix as float64 in C order: where the first is, and the bytes to the next."""
    if m.copied:
        return f.memory("copy", m.source), 8 * f.layout.padded(m.source)
    return f.row(m.source, 0), f.row_step[m.source]
