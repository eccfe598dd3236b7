"""The layout of a row program's kernel: which sums it makes, and where everything lies in memory.

Terms that are the same sum are made once, and sums over one matrix lie side by side, so that the code for one serves
all. Sizes that hang on the number of groups are known only when arrays are bound: `Sizes`. Imports row_program.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .expression import BOOLEAN, LEAVES, Expression, ordered
from .row_program import RowProgram, Term

__all__ = ["JOB", "Layout", "Made", "Matrix", "Sizes"]

JOB = {
    "next": 0, "bad": 8, "chunks": 16, "rows": 17, "full": 18, "tail": 19, "sums": 20, "size": 21, "parameters": 22,
    "data": 23, "ragged": 24, "places": 25,
}  # fmt: skip
"""Positions in the table of i64 that all threads of a call read: the chunk to be taken next, whether a code was out of
range, how many chunks there are, the rows of one, the rows in whole vectors, those left over, the chunks' sums, the
bytes of one chunk's, the parameters, the tables of the arrays and of the copies of the last rows, and then of each
block of codes where its parameters begin and how many there are, and of each sum over groups where it begins."""

SIMPLE = BOOLEAN | LEAVES | {
    "add", "subtract", "multiply", "divide", "negative", "absolute", "where", "maximum", "minimum",
}  # fmt: skip
"""Operations that take next to no time."""

FAST = 1 << 15
"""How many float64 numbers of a matrix a block may have, so that the next one has room in the second cache too."""

HUGE = 1500
"""Products of matrices as wide as this do not stay in cache: more rows are worth more than fast ones."""

TILES = {8: (8, 3), 4: (4, 3), 2: (4, 4), 1: (2, 2)}
"""By the lanes: how many columns, times how many vectors, a tile of a matrix product keeps in registers."""


@dataclass
class Matrix:
    """A matrix, with what is made of it.

    Attributes
    ----------
    source, width : int
    predictors : list of int
        The blocks whose predictors the rows need.
    gradients : list of Expression
        The e of sums e x.
    copied : bool
        Whether products need a copy of its rows in float64 and C order.
    """

    source: int
    width: int
    predictors: list[int] = field(default_factory=list)
    gradients: list[Expression] = field(default_factory=list)
    copied: bool = False


class Made(NamedTuple):
    """Which sum a term is: the `position`-th of those with this key, perhaps transposed."""

    key: tuple[Any, ...]
    position: int
    transposed: bool = False


class Layout:
    """What a kernel makes, and where it puts it.

    Attributes
    ----------
    sums : dict
        The e of all sums, by key: ("value",), ("gradient", matrix), ("product", matrix, matrix), ("group", codes),
        ("pair", codes, codes) and ("table", codes, matrix); a matrix is a source, codes are a block.
    made : list of Made
        One a term.
    matrices : dict of int to Matrix
    codes : list of int
        The blocks of codes that the rows or the sums need.
    scratch : dict
        Where in a thread's memory, in float64 numbers from its start: ("predictors", matrix), ("codes", block),
        ("rows", key), ("sum",), ("error",), ("bad",), ("copy", matrix), ("panel",). `scratch_size` in all.
    result : dict
        Where in a chunk's sums: keys without codes. `result_size` in all.
    parameters : dict
        Where the parameters of dense and scalar blocks begin. `parameter_size` in all.
    varying : set of Expression
        The expressions that are not the same in every row.
    tall, panel : int
        Of a tile of a matrix product: how many columns, and how many vectors of columns.
    rows : int
        Of a block: what is worked on together, in cache.
    """

    def __init__(self, program: RowProgram, roots: Sequence[Expression], lanes: int) -> None:
        self.program, self.lanes = program, lanes
        self.tall, self.panel = TILES[lanes]
        self.maps = list(roots[len(program.terms) :])
        self.sums: dict[tuple[Any, ...], list[Expression]] = {("value",): []}
        self.matrices: dict[int, Matrix] = {}
        self.made = [self._make(t, e) for t, e in zip(program.terms, roots, strict=False)]
        self.expressions = ordered(roots)
        used = {e.number for e in self.expressions if e.op == "predictor"}
        for k in sorted(used):
            if program.blocks[k].kind == "dense":
                self.matrix(program.blocks[k].source).predictors.append(k)
        self.codes = sorted(self._codes(used))
        for key in self.sums:
            if key[0] in ("product", "table"):
                for s in key[1:] if key[0] == "product" else key[2:]:
                    source = program.sources[s]
                    self.matrix(s).copied = source.order == "F" or source.dtype != np.float64
        self.varying = self._varying()
        self.rows = self._block()
        self._place()

    # --- what is made ------------------------------------------------------------------------------------------------

    def matrix(self, source: int) -> Matrix:
        """The matrix of a source."""
        if source not in self.matrices:
            width = self.program.sources[source].width
            if width is None:
                raise ValueError(f"a dense block reads source {source}, which is a vector: give it a matrix")
            self.matrices[source] = Matrix(source, width)
        return self.matrices[source]

    def chunks(self, source: int) -> int:
        """How many vectors hold a row of a matrix."""
        return -(-self.matrix(source).width // self.lanes)

    def padded(self, source: int) -> int:
        """The width of a matrix in whole vectors."""
        return self.chunks(source) * self.lanes

    def _codes(self, used: set[Any]) -> set[int]:
        blocks = self.program.blocks
        asked = used | {k for t in self.program.terms for k in (t.left, t.right)}
        return {k for k in asked if k is not None and blocks[k].kind == "codes"}

    def _make(self, term: Term, e: Expression) -> Made:
        blocks = self.program.blocks
        sides = [k for k in (term.left, term.right) if k is not None and blocks[k].kind != "scalar"]
        kinds = [blocks[k].kind for k in sides]
        places = [blocks[k].source if blocks[k].kind == "dense" else k for k in sides]
        transposed = False
        if len(sides) == 2 and (kinds == ["dense", "codes"] or (kinds[0] == kinds[1] and places[0] > places[1])):
            places.reverse()
            transposed = True
        if not sides:
            key: tuple[Any, ...] = ("value",)
        elif len(sides) == 1:
            key = ("gradient" if kinds[0] == "dense" else "group", places[0])
        elif kinds == ["dense", "dense"]:
            key = ("product", *places)
        elif kinds == ["codes", "codes"]:
            same = blocks[places[0]].source == blocks[places[1]].source
            key = ("group", places[0]) if same else ("pair", *places)
        else:
            key = ("table", *places)
        found = self.sums.setdefault(key, [])
        if e not in found:
            found.append(e)
        if key[0] == "gradient":
            self.matrix(key[1])
        return Made(key, found.index(e), transposed)

    # --- where it lies -----------------------------------------------------------------------------------------------

    def _block(self) -> int:
        """How many rows are worked on together, measured: few in C order, where they stay in the nearest cache."""
        products = any(key[0] in ("product", "table") for key in self.sums)
        if products and max(m.width for m in self.matrices.values()) >= HUGE:
            return 256
        tall = [m.width for m in self.matrices.values() if self.program.sources[m.source].order == "F"]
        if tall:  # as many as make columns long, and stay in the second cache
            room = 1 << (FAST // sum(tall)).bit_length() - 1 if sum(tall) < FAST else 1
            return min(max(room, 64), 128 if products else 512)
        if products:
            return 32
        if not self.matrices:
            return 64
        heavy = sum(e.op not in SIMPLE for e in self.varying) > 3  # two vectors of rows hide one another's waiting
        return self.lanes * (2 if heavy or sum(m.width for m in self.matrices.values()) <= 32 else 1)

    def _place(self) -> None:
        lanes, at = self.lanes, 0
        self.scratch: dict[tuple[Any, ...], int] = {}
        sizes: list[tuple[tuple[Any, ...], int]] = [(("sum",), len(self.sums[("value",)]) * lanes)]
        sizes += [(("error",), len(self.sums[("value",)]) * lanes), (("bad",), lanes)]
        sizes += [(("predictors", m.source), len(m.predictors) * self.rows) for m in self.matrices.values()]
        sizes += [(("codes", k), self.rows) for k in self.codes]
        sizes += [(("rows", key), len(es) * self.rows) for key, es in self.sums.items() if key != ("value",)]
        sizes += [(("copy", m.source), self.rows * self.padded(m.source)) for m in self.matrices.values() if m.copied]
        sizes += [(("panel",), self.rows * self.panel * lanes)]
        for name, size in sizes:
            self.scratch[name] = at
            at += -(-size // 8) * 8
        self.scratch_size, at = at, 0
        self.result: dict[tuple[Any, ...], int] = {}
        for key, es in self.sums.items():
            if key[0] in ("value", "gradient", "product"):
                self.result[key] = at
                at += -(-self.size(key) * len(es) // 8) * 8
        self.result_size, at = at, 0
        self.parameters: dict[int, int] = {}
        for m in self.matrices.values():
            for k in m.predictors:
                self.parameters[k] = at
                at += self.padded(m.source)
        for k, block in enumerate(self.program.blocks):
            if block.kind == "scalar":
                self.parameters[k] = at
                at += 1
        self.parameter_size = -(-at // 8) * 8
        self.grouped = [key for key in self.sums if key[0] in ("group", "pair", "table")]

    def size(self, key: tuple[Any, ...], groups: dict[int, int] | None = None) -> int:
        """How many numbers a sum has, padding included."""
        kind, *of = key
        if kind == "value":
            return 1
        if kind == "gradient":
            return self.padded(of[0])
        if kind == "product":
            return self.matrix(of[0]).width * self.padded(of[1])
        assert groups is not None
        if kind == "table":
            return groups[of[0]] * self.padded(of[1])
        return groups[of[0]] * (groups[of[1]] if kind == "pair" else 1)

    def place_of_codes(self, k: int) -> int:
        """Where in the job's table a block of codes has its place: where its parameters begin, how many there are."""
        return JOB["places"] + 2 * self.codes.index(k)

    def place_of_sum(self, key: tuple[Any, ...]) -> int:
        """Where in the job's table a sum over groups says where it begins."""
        return JOB["places"] + 2 * len(self.codes) + self.grouped.index(key)

    @property
    def job_size(self) -> int:
        """How many numbers the job's table has."""
        return JOB["places"] + 2 * len(self.codes) + len(self.grouped)

    @property
    def time(self) -> float:
        """How many nanoseconds a row takes one thread, roughly; it decides only how the rows are cut."""
        total = sum((s.width or 1) * s.dtype.itemsize for s in self.program.sources) / 16
        total += sum(0.1 if e.op in SIMPLE else 1.5 for e in self.varying)
        for key, es in self.sums.items():
            if key[0] == "product":
                total += len(es) * self.size(key) / (40 if key[1] == key[2] else 20)
            elif key[0] in ("group", "pair"):
                total += 2 * len(es)
            elif key[0] == "table":
                total += len(es) * self.padded(key[2]) / 4
        return total

    def _varying(self) -> set[Expression]:
        blocks, found = self.program.blocks, set[Expression]()
        for e in self.expressions:
            if e.op in LEAVES:
                varies = e.op == "column" or (e.op == "predictor" and blocks[e.number].kind != "scalar")
            else:
                varies = any(a in found for a in e.args if isinstance(a, Expression))
            if varies:
                found.add(e)
        return found


class Sizes:
    """A layout for so many groups: where the sums over groups and their parameters begin."""

    def __init__(self, layout: Layout, groups: dict[int, int]) -> None:
        self.groups = groups
        at, self.sums = layout.result_size, dict(layout.result)
        for key in layout.grouped:
            self.sums[key] = at
            at += -(-layout.size(key, groups) * len(layout.sums[key]) // 8) * 8
        self.result_size, at = at, layout.parameter_size
        self.parameters = dict(layout.parameters)
        for k in layout.codes:
            self.parameters[k] = at
            at += -(-groups[k] // 8) * 8
        self.parameter_size = at
