"""Products: the sums of e times a row of one matrix times a row of another, transposed; X'WX of a Hessian.

The rows of the right matrix times e are packed into panels a few vectors wide. A tile is a function that keeps the
products of a few columns with a panel in registers over the block's rows. Of one matrix with itself only the upper
triangle is made. Imports row_frame.py.
"""

from typing import Any

from .row_frame import Frame
from .row_loops import Index, Writer
from .row_predictors import plain_rows

__all__ = ["products_of"]


def products_of(f: Frame, key: tuple[Any, ...]) -> None:
    """Add the block's products of two matrices to those so far."""
    w, layout, lanes = f.w, f.layout, f.w.lanes
    _, left, right = key
    product = _Product(f, left, right)

    def weighted(k: Index) -> None:
        product.e = w.at(f.memory("rows", key), w.times(k, layout.rows))
        product.to = w.at(f.sum(key), w.times(k, product.height * product.padded))
        n = layout.panel
        many = layout.matrix(right).width // (n * lanes) * n
        if many > 2 * n:
            w.loop("panel", 0, many, n, lambda c, _: product.panel(c, n))
        else:
            for c in range(0, many, n):
                product.panel(c, n)
        if many < layout.chunks(right):
            product.panel(many, layout.chunks(right) - many)

    w.each("weight", len(layout.sums[key]), weighted)


class _Product:
    """One product: `height` columns of the left matrix times the columns of the right, `padded` to whole vectors.

    `e` is the address of the rows' weights, `to` that of the product.
    """

    def __init__(self, f: Frame, left: int, right: int) -> None:
        self.f, self.right, self.symmetric = f, right, left == right
        self.x, self.x_step = plain_rows(f, f.layout.matrix(left))
        self.height, self.padded = f.layout.matrix(left).width, f.layout.padded(right)
        self.tall = f.layout.tall
        self.e = self.to = ""

    def panel(self, c: Index, n: int) -> None:
        """The n vectors of columns from the c-th, as far up as they are wanted."""
        w, lanes = self.f.w, self.f.w.lanes
        self.pack(c, n)
        if not self.symmetric:
            self.tiles(0, self.height, c, n)
            return
        self.tiles(0, w.times(c, lanes), c, n)
        for skip in range(n):  # the triangle at the panel's foot
            start = w.times(w.plus(c, skip), lanes)
            tall = lanes if isinstance(start, str) else min(lanes, self.height - start)
            for i in range(0, tall, self.tall):
                self.tile(w.plus(start, i), min(self.tall, tall - i), c, n, skip)

    def pack(self, c: Index, n: int) -> None:
        """The weights times the rows of the right matrix, side by side."""
        f, w, m, lanes = self.f, self.f.w, self.f.layout.matrix(self.right), self.f.w.lanes
        y, step = plain_rows(f, m)
        panel = f.memory("panel")

        def row(r: Index) -> None:
            e, place = w.broadcast(self.e, r), w.at(y, w.times(r, step), "i8")
            for i in range(n):
                chunk = w.plus(c, i)
                j = w.times(chunk, lanes)
                if m.copied:
                    v = w.load(place, j)
                else:
                    left = lanes if isinstance(chunk, str) else min(lanes, m.width - chunk * lanes)
                    v = w.numbers(w.at(place, j), f.dtype(self.right), left)
                w.store(w.mul(v, e), panel, w.plus(w.times(r, n * lanes), i * lanes))

        w.loop("pack", 0, f.length, 1, lambda r, _: row(r))

    def tiles(self, start: int, stop: Index, c: Index, n: int) -> None:
        """The rows of the product from start to stop, in the panel's columns."""
        tall = self.tall
        if isinstance(stop, str):  # the first column of a panel: a multiple of a tile's height
            self.f.w.loop("tiles", start, stop, tall, lambda i, _: self.tile(i, tall, c, n))
            return
        whole = start + (stop - start) // tall * tall
        if whole > start:
            self.f.w.loop("tiles", start, whole, tall, lambda i, _: self.tile(i, tall, c, n))
        if whole < stop:
            self.tile(whole, stop - whole, c, n)

    def tile(self, i: Index, tall: int, c: Index, n: int, skip: int = 0) -> None:
        """The product's rows from i in the panel's columns, but for its first `skip` vectors."""
        f, w, lanes = self.f, self.f.w, self.f.w.lanes
        name = _tile(w, tall, n - skip)
        panel = w.at(f.memory("panel"), skip * lanes)
        to = w.at(self.to, w.plus(w.times(i, self.padded), w.times(w.plus(c, skip), lanes)))
        w.emit(
            f"call void @{name}(ptr {w.at(self.x, i)}, i64 {self.x_step}, ptr {panel}, i64 {8 * n * lanes}, "
            f"i64 {f.length}, ptr {to}, i64 {8 * self.padded})"
        )


def _tile(w: Writer, tall: int, n: int) -> str:
    """The function that adds to `tall` times n vectors of products; its name."""
    name = f"bibun_tile_{tall}_{n}_{w.lanes}"
    if name in w.functions:
        return name
    t = Writer(w.lanes)
    t.declarations, t.functions = w.declarations, w.functions

    def row(r: str, sums: list[str]) -> list[str]:
        x, y = t.at("%x", t.times(r, "%x_step"), "i8"), t.at("%y", t.times(r, "%y_step"), "i8")
        right = [t.load(y, j * t.lanes) for j in range(n)]
        return [
            t.fma(a, b, sums[i * n + j])
            for i, a in ((i, t.broadcast(x, i)) for i in range(tall))
            for j, b in enumerate(right)
        ]

    sums = t.loop("rows", 0, "%rows", 1, row, [(t.V, t.number(0.0))] * (tall * n))
    for i in range(tall):
        line = t.at("%to", t.times(i, "%to_step"), "i8")
        for j in range(n):
            t.store(t.add(t.load(line, j * t.lanes), sums[i * n + j]), line, j * t.lanes)
    head = "ptr noalias %x, i64 %x_step, ptr noalias %y, i64 %y_step, i64 %rows, ptr noalias %to, i64 %to_step"
    w.functions[name] = "\n".join(
        [f"define internal void @{name}({head}) noinline nounwind {{", "entry:", *t.lines, "  ret void", "}"]
    )
    return name
