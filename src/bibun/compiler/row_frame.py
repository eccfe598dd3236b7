"""The frame of the code over a stretch of rows: its arguments by name, the block at hand, and loops over its vectors.

    void rows(ptr job, ptr data, i64 start, i64 stop, i64 valid, ptr out, ptr scratch)

All parts of a kernel are written into one frame: row_predictors.py, row_elements.py, row_gradient.py, row_products.py
and row_groups.py. Imports row_layout.py, row_loops.py.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .row_layout import JOB, Layout
from .row_loops import Index, Writer

__all__ = ["ARGUMENTS", "Frame"]

ARGUMENTS = (
    "ptr noalias %job, ptr noalias %data, i64 %start, i64 %stop, i64 %valid, ptr noalias %out, ptr noalias %scratch"
)


class Frame:
    """Where everything is while a block of rows is worked on.

    `data` has of each source its address and the bytes from row to row and from column to column, then the address of
    each map's array.

    Attributes
    ----------
    w : Writer
    layout : Layout
    first : str
        The block's first row.
    length : Index
        How many rows it has, a multiple of the lanes.
    """

    def __init__(self, w: Writer, layout: Layout) -> None:
        self.w, self.layout = w, layout
        self.first: str = "%start"
        self.length: Index = layout.rows
        self.parameters = w.field("%job", JOB["parameters"], "ptr")
        sources = range(len(layout.program.sources))
        self.base = {s: w.field("%data", 3 * s, "ptr") for s in sources}
        self.row_step = {s: w.field("%data", 3 * s + 1) for s in sources}
        self.column_step = {s: w.field("%data", 3 * s + 2) for s in sources}
        self.results = {k: w.field("%data", 3 * len(sources) + k, "ptr") for k in range(len(layout.program.maps))}
        self.group_parameters: dict[int, str] = {}
        self.group_count: dict[int, str] = {}
        for k in layout.codes:
            place = layout.place_of_codes(k)
            self.group_parameters[k] = w.at(self.parameters, w.field("%job", place))
            self.group_count[k] = w.field("%job", place + 1)
        self.group_sums = {key: w.at("%out", w.field("%job", layout.place_of_sum(key))) for key in layout.grouped}

    def dtype(self, source: int) -> np.dtype[Any]:
        """Of the elements of a source."""
        return self.layout.program.sources[source].dtype

    def order(self, source: int) -> str:
        """Of a matrix."""
        return self.layout.program.sources[source].order

    def memory(self, *name: Any) -> str:
        """The address of a part of the thread's memory."""
        return self.w.at("%scratch", self.layout.scratch[name])

    def sum(self, key: tuple[Any, ...]) -> str:
        """The address of the first sum of a kind."""
        return self.group_sums[key] if key in self.group_sums else self.w.at("%out", self.layout.result[key])

    def row(self, source: int, slot: Index) -> str:
        """The address of a row of the block, in a vector or a matrix."""
        w = self.w
        return w.at(self.base[source], w.times(w.plus(self.first, slot), self.row_step[source]), "i8")

    def rows(self, source: int, slot: Index) -> list[str]:
        """The addresses of a vector of rows."""
        addresses = [self.row(source, slot)]
        while len(addresses) < self.w.lanes:
            addresses.append(self.w.at(addresses[-1], self.row_step[source], "i8"))
        return addresses

    def column(self, source: int, slot: Index, column: Index) -> str:
        """The address of an element of a matrix."""
        w = self.w
        return w.at(self.row(source, slot), w.times(column, self.column_step[source]), "i8")

    def vectors(self, stem: str, body: Callable[[Index], None]) -> None:
        """`body(slot)` for the rows of the block, a vector of them at a time."""
        self.carrying(stem, lambda slot, _: body(slot), [])

    def carrying(self, stem: str, body: Callable[[Index, list[str]], Any], first: list[str]) -> list[str]:
        """The same with vectors handed on from one to the next: `body(slot, values)` returns them anew."""
        if self.length == self.w.lanes:
            return body(0, first) or []
        return self.w.loop(stem, 0, self.length, self.w.lanes, body, [(self.w.V, v) for v in first])

    def tall(self, stem: str, body: Callable[[Index], None]) -> None:
        """`body(row)` for each row of the block."""
        if self.length == self.w.lanes:
            for k in range(self.w.lanes):
                body(k)
        else:
            self.w.loop(stem, 0, self.length, 1, lambda row, _: body(row))
