"""The code of a tile program: the function a thread runs, which takes chunks of the long axis and makes tile by tile.

    void bibun_tiles(ptr context)       context: the job's table, the thread's memory

A tile's numbers are copied in before it is worked on, those of the last place again for the places that are missing at
the end: so nothing past the end is ever read. Imports row_loops.py, tile_frame.py.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from .expression import LEAVES, Expression
from .row_loops import Index, Writer, kernel
from .tile_frame import ARGUMENTS, Frame
from .tile_layout import JOB, Sum, TileLayout, canonical, joined
from .tile_program import Operand, Statement

__all__ = ["NAME", "text"]

NAME = "bibun_tiles"

LONG = 16
"""Numbers, from which on reducing them takes a vector long to wait for, so that several are made at once."""


def text(layout: TileLayout) -> str:
    """The IR of a kernel."""
    return kernel(layout.lanes, NAME, f"tile({ARGUMENTS})", lambda w: _tile(w, layout), lambda w: _thread(w, layout))


def _thread(w: Writer, layout: TileLayout) -> None:
    """Take chunks until none is left."""
    job, memory = w.field("%context", 0, "ptr"), w.field("%context", 1, "ptr")
    chunks, rows, end, size = (w.field(job, JOB[name]) for name in ("chunks", "rows", "stop", "size"))
    sums = w.field(job, JOB["sums"], "ptr")
    w.emit("br label %take")
    w.start("take")
    chunk = w.value(f"atomicrmw add ptr {job}, i64 1 monotonic")
    w.emit(f"br i1 {w.value(f'icmp slt i64 {chunk}, {chunks}')}, label %work, label %done")
    w.start("work")
    start = w.times(chunk, rows)
    stop = w.least(w.plus(start, rows), end)
    out = w.at(sums, w.times(chunk, size), "i8")

    def tile(first: str, _: list[str]) -> None:
        valid = w.least(w.minus(stop, first), layout.rows)
        w.emit(f"call void @tile(ptr {job}, ptr {memory}, ptr {out}, i64 {first}, i64 {valid})")

    w.loop("tiles", start, stop, layout.rows, tile)
    w.emit("br label %take")
    w.start("done")


def _tile(w: Writer, layout: TileLayout) -> None:
    f = _Tile(w, layout)
    for k, base in enumerate(layout.program.bases):
        if base.kind == "rows":
            f.copied(k)
    totals = iter(layout.sums)
    for s in layout.program.statements:
        if s.kind == "total":
            f.total(s, next(totals))
        elif s.kind == "exponentials":
            f.exponentials(s)
        elif s.kind == "map":
            f.map(s)
        else:
            f.reduced(s)
    for k in range(len(layout.program.outputs)):
        f.given(k)


class _Tile(Frame):
    """The function that makes one tile, under construction."""

    def reader(self, operands: Sequence[Operand], offsets: Sequence[Index]) -> Callable[[Index], Callable[[Any], str]]:
        """What gives the leaves of an expression at a vector of the tile; numbers for all places are read here."""
        w = self.w
        places = [self.address(o, at) for o, at in zip(operands, offsets, strict=True)]
        alike = {
            k: w.broadcast(place)
            for k, (o, place) in enumerate(zip(operands, places, strict=True))
            if o.base in self.fixed
        }

        def at(v: Index) -> Callable[[Any], str]:
            r = w.times(v, self.lanes)
            return lambda e: alike[e.number] if e.number in alike else w.load(places[e.number], r)

        return at

    def value(self, e: Expression, leaves: Callable[[Any], str]) -> str:
        """An expression as numbers."""
        v = self.w.body([e], leaves)[0]
        return self.w.as_number(v) if e.boolean else v

    def map(self, s: Statement) -> None:
        w = self.w
        sizes, operands = joined(s)
        strides = [o.kept for o in operands] + [canonical(sizes)]

        def one(offsets: list[Index]) -> None:
            read, to = self.reader(operands, offsets[:-1]), self.made(s.out, offsets[-1])

            def vector(v: str, _: list[str]) -> None:
                w.store(self.value(s.e, read(v)), to, w.times(v, self.lanes))

            w.loop("vector", 0, self.used, 1, vector)

        self.nest(sizes, strides, one)

    def over(
        self,
        s: Statement,
        operands: Sequence[Operand],
        offsets: Sequence[Index],
        first: Sequence[tuple[str, str]],
        body: Callable[[list[Index], list[str]], list[str]],
    ) -> list[str]:
        """Loops over the axes that are reduced; `body` is given the operands' offsets and the values so far."""
        w = self.w

        def inside(axis: int, offsets: list[Index], values: list[str]) -> list[str]:
            if axis == len(s.over):
                return body(offsets, values)

            def at(i: Index, values: list[str]) -> list[str]:
                moved = [w.plus(f, w.times(i, o.over[axis])) for f, o in zip(offsets, operands, strict=True)]
                return inside(axis + 1, moved, values)

            if s.over[axis] == 1:
                return at(0, values)
            kinds = [kind for kind, _ in first]
            return w.loop("over", 0, s.over[axis], 1, at, list(zip(kinds, values, strict=True)))

        return inside(0, list(offsets), [x for _, x in first])

    def tiled(
        self, sizes: Sequence[int], operands: Sequence[Operand], many: int,
        body: Callable[[list[list[Index]], list[Index], Index], None],
    ) -> None:  # fmt: skip
        """Loops over the kept axes, of the last one `many` numbers at once.

        `body` is given, of each of these, the operands' offsets and its own place; and which of the sets of them it is.
        """
        w, last = self.w, (sizes[-1] if sizes else 1)
        tiles = -(-last // many)
        step = canonical(sizes)
        strides = [o.kept[:-1] for o in operands] + [step[:-1]]

        def outer(offsets: list[Index]) -> None:
            def tile(t: Index) -> None:
                places: list[Index] = []
                for u in range(many):
                    i = w.plus(w.times(t, many), u)
                    clamped = tiles * many > last and not isinstance(i, int)
                    places.append(
                        w.least(i, last - 1) if clamped else i if not isinstance(i, int) else min(i, last - 1)
                    )
                each = [
                    [w.plus(f, w.times(i, o.kept[-1])) if o.kept else f for i in places]
                    for f, o in zip(offsets[:-1], operands, strict=True)
                ]
                out = [w.plus(offsets[-1], i) for i in places]
                flat = w.plus(w.times(self.over_last(offsets[-1], last), tiles), t)
                body([list(of) for of in zip(*each, strict=True)] if each else [[] for _ in places], out, flat)

            w.each("tile", tiles, tile)

        self.nest(sizes[:-1], strides, outer)

    def over_last(self, offset: Index, last: int) -> Index:
        """Which line of the last axis a number is in."""
        if isinstance(offset, int):
            return offset // last
        return self.w.value(f"sdiv i64 {offset}, {last}") if last > 1 else offset

    def reduced(self, s: Statement) -> None:
        w, v_count = self.w, self.layout.vectors
        sizes, operands = joined(s)
        product = s.kind == "sum" and s.e.op == "multiply" and not any(a.boolean for a in s.e.args)
        vectors = v_count if product or (math.prod(s.over) >= LONG and s.e.op in LEAVES) else 1
        room = 16 if self.lanes == 8 else 8
        many = max(1, min(sizes[-1], room // vectors, 4)) if product and sizes else 1
        first = w.number({"sum": -0.0, "max": float("-inf"), "min": float("inf")}[s.kind])

        def one(offsets: list[list[Index]], out: list[Index], _: Index) -> None:
            def at(start: Index) -> None:
                def body(flat: list[Index], values: list[str]) -> list[str]:
                    new = []
                    n = len(operands)
                    seen: dict[Any, Any] = {}
                    for u in range(many):
                        mine = flat[u * n : (u + 1) * n]
                        read = self.shared(operands, mine, seen)
                        for v in range(vectors):
                            new.append(self.more(s.kind, s.e, product, values[u * vectors + v], read(w.plus(start, v))))
                    return new

                every = [i for of in offsets for i in of]
                values = self.over(s, list(operands) * many, every, [(w.V, first)] * (many * vectors), body)
                for u, place in enumerate(out):
                    to = self.made(s.out, place)
                    for v in range(vectors):
                        w.store(values[u * vectors + v], to, w.times(w.plus(start, v), self.lanes))

            if vectors == v_count:
                at(0)
            else:
                w.loop("vector", 0, self.used, 1, lambda v, _: at(v))

        self.tiled(sizes, operands, many, one)

    def shared(
        self, operands: Sequence[Operand], offsets: Sequence[Index], seen: dict[Any, Any]
    ) -> Callable[[Index], Callable[[Any], str]]:
        """A reader that reads nothing twice which another of the same set has read."""
        w = self.w

        def at(v: Index) -> Callable[[Any], str]:
            def leaf(e: Any) -> str:
                o, offset = operands[e.number], offsets[e.number]
                alike, number = o.base in self.fixed, (o.base, o.offset, offset)
                key = number if alike else (*number, v)
                if key not in seen:
                    if ("at", number) not in seen:
                        seen["at", number] = self.address(o, offset)
                    place = seen["at", number]
                    seen[key] = w.broadcast(place) if alike else w.load(place, w.times(v, self.lanes))
                return seen[key]

            return leaf

        return at

    def more(self, kind: str, e: Expression, product: bool, so_far: str, leaves: Callable[[Any], str]) -> str:
        """What was reduced so far, and one more."""
        w = self.w
        if product:
            a, b = (self.value(x, leaves) for x in e.args)
            return w.fma(a, b, so_far)
        x = self.value(e, leaves)
        return {"sum": w.add, "max": w.maximum, "min": w.minimum}[kind](so_far, x)

    def exponentials(self, s: Statement) -> None:
        """Of numbers less the largest of them, which is the last operand and has to be finite."""
        w = self.w
        sizes, operands = joined(s)
        top = s.e.args[1].number
        zero, one = w.number(0.0), w.number(1.0)
        strides = [o.kept for o in operands] + [canonical(sizes)]

        def at(offsets: list[Index]) -> None:
            def vector(v: str, _: list[str]) -> None:
                r = w.times(v, self.lanes)
                largest = w.load(self.address(operands[top], offsets[top]), r)
                strange = w.inverted(w.compare("olt", w.abs(largest), w.number(float("inf"))))
                odd, on = w.label("odd"), w.label("on")
                w.emit(f"br i1 {w.any(strange)}, label %{odd}, label %{on}")
                w.start(odd)
                w.emit(f"store i64 1, ptr {w.at('%job', JOB['bad'], 'i64')}, align 8")
                w.emit(f"br label %{on}")
                w.start(on)

                def more(moved: list[Index], values: list[str]) -> list[str]:
                    d = self.value(s.e, self.reader(operands[:2], moved[:2])(v))
                    e = w.function("exp_nonpositive", d)
                    if s.shares >= 0:
                        w.store(e, self.address(operands[s.shares], moved[s.shares]), r)
                    same = w.compare("oeq", d, zero)
                    return [w.add(values[0], w.select(same, zero, e)), w.add(values[1], w.select(same, one, zero))]

                rest, first = self.over(s, operands, offsets[:-1], [(w.V, zero), (w.V, zero)], more)
                if s.out >= 0:
                    y = w.add(w.function("log1p", w.div(rest, first)), w.function("log", first))
                    w.store(w.add(y, largest), self.made(s.out, offsets[-1]), r)
                if s.shares >= 0:
                    part = w.div(one, w.add(rest, first))

                    def share(moved: list[Index], _: list[str]) -> list[str]:
                        place = self.address(operands[s.shares], moved[s.shares])
                        w.store(w.mul(w.load(place, r), part), place, r)
                        return []

                    self.over(s, operands, offsets[:-1], [], share)

            w.loop("vector", 0, self.used, 1, vector)

        self.nest(sizes, strides, at)

    def total(self, s: Statement, place: Sum) -> None:
        """Add the tile's numbers to a sum."""
        w, many = self.w, place.many
        sizes, operands = joined(s)
        product = s.e.op == "multiply" and not any(a.boolean for a in s.e.args)
        none = w.number(-0.0)
        lane = "0" if self.lanes == 1 else f"<{', '.join(f'i64 {k}' for k in range(self.lanes))}>"

        def one(offsets: list[list[Index]], out: list[Index], flat: Index) -> None:
            def vector(v: str, values: list[str]) -> list[str]:
                seen: dict[Any, Any] = {}
                left = w.minus("%valid", w.times(v, self.lanes))
                counts = w.compare_integers("slt", lane, w.splat(str(left), "i64"))
                new = []
                for u, so_far in enumerate(values):
                    x = self.more("sum", s.e, product, so_far, self.shared(operands, offsets[u], seen)(v))
                    new.append(w.select(counts, x, so_far))
                return new

            values = w.loop("vector", 0, self.used, 1, vector, [(w.V, none)] * many)
            to = w.at("%sums", w.plus(place.start, w.times(flat, place.room)))
            if many == 1:
                x = w.value(f"fadd double {w.read('double', to)}, {w.total(values[0])}")
                w.emit(f"store double {x}, ptr {to}, align 8")
                return
            values += [none] * (place.room - many)
            for g in range(0, place.room, self.lanes):
                x = w.sums(values[g : g + self.lanes])
                w.store(w.add(w.load(to, g), x), to, g)

        self.tiled(sizes, operands, many, one)
