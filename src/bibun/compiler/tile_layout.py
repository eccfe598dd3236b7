"""The layout of a tile program: how long a tile is, and where in memory everything lies. Imports tile_program.py."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .expression import ordered
from .row_layout import SIMPLE
from .tile_program import Operand, Statement, TileProgram

__all__ = ["JOB", "Sum", "TileLayout", "canonical", "joined"]

JOB = {"next": 0, "bad": 8, "chunks": 16, "rows": 17, "stop": 18, "sums": 19, "size": 20, "table": 21}
"""Positions in the table that all threads read: the chunk to be taken next, whether exponentials were not of finite
numbers, how many chunks there are, the places of one, of all, the chunks' sums, the bytes of one chunk's, and then of
every array its address, and how many bytes it is to the next number along the long axis and along the others."""

FAST = 1 << 20
"""Bytes that a tile's arrays may take, so that they stay near."""

MOST = 8
"""Vectors of a tile."""


class Sum(NamedTuple):
    """Where the numbers of a total are: for each line of its last axis, of `last` numbers, `tiles` times `many` of them
    and room for `room`."""

    start: int
    last: int
    tiles: int
    many: int
    room: int


class TileLayout:
    """Where everything is in memory.

    Attributes
    ----------
    vectors, rows : int
        Of a tile.
    places : dict
        Of each base but the fixed ones: which number of a place its first is.
    room : int
        Bytes a thread needs.
    table : list of (str, int)
        The arrays in the job's table: "base" or "output" and which; `at` has where in the table each begins.
    sums : list of Sum
        Of each total.
    sum_size : int
        How many numbers all of them have.
    """

    def __init__(self, program: TileProgram, lanes: int) -> None:
        self.program, self.lanes = program, lanes
        last: dict[int, int] = {}
        for k, s in enumerate(program.statements):
            last |= dict.fromkeys(s.reads() | s.makes(), k)
        last |= {o.operand.base: len(program.statements) for o in program.outputs}
        self.places: dict[int, int] = {}
        free: list[tuple[int, int]] = []
        size = 0

        def give(base: int) -> None:
            nonlocal size
            wanted = program.bases[base].size
            fit = min((f for f in free if f[0] >= wanted), default=None)
            if fit is None:
                self.places[base], size = size, size + wanted
            else:
                free.remove(fit)
                self.places[base] = fit[1]
                if fit[0] > wanted:
                    free.append((fit[0] - wanted, fit[1] + wanted))

        for k, base in enumerate(program.bases):
            if base.kind == "rows":
                give(k)
        for k, s in enumerate(program.statements):
            for base in sorted(s.makes()):
                give(base)
            for base, end in last.items():
                if end == k and program.bases[base].kind != "fixed":
                    free.append((program.bases[base].size, self.places[base]))
        self.vectors = MOST
        while self.vectors > 1 and size * self.vectors * lanes * 8 > FAST:
            self.vectors //= 2
        self.rows = self.vectors * lanes
        self.room = 8 * self.rows * size
        self.table: list[tuple[str, int]] = [("base", k) for k, b in enumerate(program.bases) if b.kind != "made"]
        self.table += [("output", k) for k in range(len(program.outputs))]
        self.at: dict[tuple[str, int], int] = {}
        self.job_size = JOB["table"]
        for entry in self.table:
            self.at[entry] = self.job_size
            self.job_size += 1 + len(self.shape(entry))
        self.sums: list[Sum] = []
        self.sum_size = 0
        for s in program.statements:
            if s.kind == "total":
                kept, _ = joined(s)
                last = kept[-1] if kept else 1
                tiles = -(-last // (2 * lanes if lanes == 8 else lanes))
                many = -(-last // tiles)
                room = -(-many // lanes) * lanes if many > 1 else 1
                self.sums.append(Sum(self.sum_size, last, tiles, many, room))
                self.sum_size += -(-math.prod(kept[:-1]) * tiles * room // lanes) * lanes

    def shape(self, entry: tuple[str, int]) -> tuple[int, ...]:
        """The shape of an array of the table."""
        kind, k = entry
        return self.program.bases[k].shape if kind == "base" else self.program.outputs[k].shape

    @property
    def time(self) -> float:
        """About how many nanoseconds a place of the axis takes."""
        total = 0.0
        for s in self.program.statements:
            count = 1
            for k in (*s.kept, *s.over):
                count *= k
            work = sum(0.3 if e.op in SIMPLE else 8.0 for e in ordered([s.e]) if e.op != "number")
            total += count * (work + 10 * (s.kind == "exponentials"))
        return total / self.lanes


def joined(s: Statement) -> tuple[tuple[int, ...], list[Operand]]:
    """The kept axes, and how operands go through them, with axes that are as one made one."""
    kept = [k for k in range(len(s.kept)) if s.kept[k] != 1]
    axes: list[list[int]] = []
    for k in kept:
        if axes and all(o.kept[axes[-1][-1]] == o.kept[k] * s.kept[k] for o in s.operands):
            axes[-1].append(k)
        else:
            axes.append([k])
    sizes = []
    for group in axes:
        size = 1
        for k in group:
            size *= s.kept[k]
        sizes.append(size)
    return tuple(sizes), [o._replace(kept=tuple([o.kept[g[-1]] for g in axes])) for o in s.operands]


def canonical(sizes: Sequence[int]) -> tuple[int, ...]:
    """How far it is to the next number along each axis, where they stand in order."""
    out, step = [], 1
    for k in sizes[::-1]:
        out.append(step)
        step *= k
    return tuple(out[::-1])
