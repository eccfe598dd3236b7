"""The memory of a tile: where numbers are, how they come in and go out. Imports row_loops.py, tile_layout.py.

void tile(job, memory, sums, start, valid)      the tile's first place, and how many of its places there are
"""

from collections.abc import Callable, Sequence

import numpy as np

from .row_loops import Index, Writer
from .tile_layout import TileLayout, canonical
from .tile_program import Operand

__all__ = ["ARGUMENTS", "Frame"]

ARGUMENTS = "ptr %job, ptr %memory, ptr %sums, i64 %start, i64 %valid"


class Frame:
    """A function `tile` under construction: where arrays are, and how they come and go."""

    def __init__(self, w: Writer, layout: TileLayout) -> None:
        self.w, self.layout, self.lanes = w, layout, layout.lanes
        self.fixed = {
            k: w.field("%job", layout.at["base", k], "ptr")
            for k, b in enumerate(layout.program.bases)
            if b.kind == "fixed"
        }
        n = self.lanes
        self.whole = w.value(f"sdiv i64 %valid, {n}")
        self.used = w.value(f"sdiv i64 {w.plus('%valid', n - 1)}, {n}")

    # --- memory ------------------------------------------------------------------------------------------------------

    def address(self, o: Operand, offset: Index) -> str:
        """Of the numbers of an operand: all of a tile's, or the one for all places."""
        base = self.fixed.get(o.base)
        place = self.w.plus(offset, o.offset)
        if base is not None:
            return self.w.at(base, place)
        place = self.w.plus(place, self.layout.places[o.base])
        return self.w.at("%memory", self.w.times(place, self.layout.rows))

    def made(self, base: int, offset: Index) -> str:
        """Of a number that is made."""
        return self.address(Operand(base, 0, (), ()), offset)

    def nest(self, sizes: Sequence[int], strides: Sequence[Sequence[int]], body: Callable[[list[Index]], None]) -> None:
        """Loops; `body` is given, for each of the strides, how far it is from the first number."""

        def inside(axis: int, offsets: list[Index]) -> None:
            if axis == len(sizes):
                body(offsets)
                return
            w = self.w
            w.each(
                "axis",
                sizes[axis],
                lambda i: inside(
                    axis + 1, [w.plus(o, w.times(i, s[axis])) for o, s in zip(offsets, strides, strict=True)]
                ),
            )

        inside(0, [0] * len(strides))

    def copied(self, base: int) -> None:
        """An argument's numbers, into the thread's memory."""
        w, layout = self.w, self.layout
        entry = layout.at["base", base]
        shape = layout.program.bases[base].shape
        axis = shape.index(layout.program.n)
        source = w.field("%job", entry, "ptr")
        step = w.field("%job", entry + 1 + axis)
        source = w.at(source, w.times("%start", step), "i8")
        others = [k for k in range(len(shape)) if k != axis]
        far = {k: w.field("%job", entry + 1 + k) for k in others}
        sizes = [shape[k] for k in others]
        last = w.minus("%valid", 1)

        def one(places: list[Index], offset: Index) -> None:
            from_ = source
            for k, i in zip(others, places, strict=True):
                from_ = w.at(from_, w.times(i, far[k]), "i8")
            to = self.made(base, offset)

            def vector(v: str, _: list[str]) -> None:
                r = w.times(v, self.lanes)
                x = w.strided(w.at(from_, w.times(r, step), "i8"), step, np.dtype(float))
                w.store(x, to, r)

            def number(r: str, _: list[str]) -> None:
                x = w.read("double", w.at(from_, w.times(w.least(r, last), step), "i8"), 1)
                w.emit(f"store double {x}, ptr {w.at(to, r)}, align 8")

            w.loop("copy", 0, self.whole, 1, vector)
            w.loop("rest", w.times(self.whole, self.lanes), layout.rows, 1, number)

        def inside(axis: int, places: list[Index], offset: Index) -> None:
            if axis == len(sizes):
                one(places, offset)
                return
            stride = canonical(sizes)[axis]
            w.each("axis", sizes[axis], lambda i: inside(axis + 1, [*places, i], w.plus(offset, w.times(i, stride))))

        inside(0, [], 0)

    def given(self, output: int) -> None:
        """Numbers that are results, to where they belong."""
        w, layout = self.w, self.layout
        out = layout.program.outputs[output]
        entry = layout.at["output", output]
        others = [k for k in range(len(out.shape)) if k != out.axis]
        step = w.field("%job", entry + 1 + out.axis)
        target = w.at(w.field("%job", entry, "ptr"), w.times("%start", step), "i8")
        far = {k: w.field("%job", entry + 1 + k) for k in others}

        def inside(axis: int, to: str, offset: Index) -> None:
            if axis == len(others):
                from_ = self.address(out.operand, offset)

                def number(r: str, _: list[str]) -> None:
                    x = w.read("double", w.at(from_, r))
                    w.emit(f"store double {x}, ptr {w.at(to, w.times(r, step), 'i8')}, align 1")

                w.loop("give", 0, "%valid", 1, number)
                return
            k = others[axis]
            w.each(
                "axis",
                out.shape[k],
                lambda i: inside(
                    axis + 1,
                    w.at(to, w.times(i, far[k]), "i8"),
                    w.plus(offset, w.times(i, out.operand.kept[axis])),
                ),
            )

        inside(0, target, 0)
