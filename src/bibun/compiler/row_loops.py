"""Writing loops over rows: a `Writer` is a `Builder` that also loads data of any type, loops, and sums vectors.

Nothing here knows of row programs; what is generally useful for code over arrays goes here. Imports ir.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .ir import Builder

__all__ = ["Index", "Writer", "element", "kernel"]

Index = int | str
"""A whole number known now, or the name of an i64 of the code."""


def element(dtype: np.dtype[Any]) -> str:
    """The IR type of one element of an array."""
    if dtype.kind == "f" and dtype.itemsize in (4, 8):
        return "double" if dtype.itemsize == 8 else "float"
    if dtype.kind in "iub":
        return f"i{8 * dtype.itemsize}"
    raise NotImplementedError(f"kernels read float64, float32, integers and bool, not {dtype}: convert the array")


def _many(n: int, kind: str) -> str:
    return kind if n == 1 else f"<{n} x {kind}>"


def _suffix(n: int, dtype: np.dtype[Any]) -> str:
    """How names of LLVM spell a vector of elements."""
    return f"v{n}{'f' if dtype.kind == 'f' else 'i'}{8 * dtype.itemsize}"


class Writer(Builder):
    """A `Builder` for functions over arrays. An `Index` is given where an i64 is wanted."""

    # --- whole numbers and addresses ---------------------------------------------------------------------------------

    def plus(self, a: Index, b: Index) -> Index:
        """a + b."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0 or b == 0:
            return b if a == 0 else a
        return self.value(f"add i64 {a}, {b}")

    def minus(self, a: Index, b: Index) -> Index:
        """a - b."""
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        return a if b == 0 else self.value(f"sub i64 {a}, {b}")

    def times(self, a: Index, b: Index) -> Index:
        """a b."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a == 0 or b == 0:
            return 0
        if a == 1 or b == 1:
            return b if a == 1 else a
        return self.value(f"mul i64 {a}, {b}")

    def least(self, a: Index, b: Index) -> str:
        """The smaller of two."""
        less = self.value(f"icmp slt i64 {a}, {b}")
        return self.value(f"select i1 {less}, i64 {a}, i64 {b}")

    def at(self, pointer: str, index: Index, of: str = "double") -> str:
        """The address of an element; of="i8" counts in bytes."""
        return pointer if index == 0 else self.value(f"getelementptr {of}, ptr {pointer}, i64 {index}")

    def read(self, kind: str, pointer: str, align: int = 8) -> str:
        """Load a value of any type."""
        return self.value(f"load {kind}, ptr {pointer}, align {align}")

    def field(self, pointer: str, index: Index, kind: str = "i64") -> str:
        """The i64, or pointer, at a position of a table."""
        return self.read(kind, self.at(pointer, index, "i64"))

    # --- vectors in memory of ours (aligned) -------------------------------------------------------------------------

    def load(self, pointer: str, index: Index = 0) -> str:
        """The vector of float64 at an index."""
        return self.read(self.V, self.at(pointer, index), 8 * self.lanes)

    def store(self, v: str, pointer: str, index: Index = 0) -> None:
        """Write a vector of float64."""
        self.emit(f"store {self.V} {v}, ptr {self.at(pointer, index)}, align {8 * self.lanes}")

    def splat(self, x: str, kind: str = "double") -> str:
        """One number in every lane."""
        if self.lanes == 1:
            return x
        many = _many(self.lanes, kind)
        one = self.value(f"insertelement {many} poison, {kind} {x}, i64 0")
        return self.value(f"shufflevector {many} {one}, {many} poison, <{self.lanes} x i32> zeroinitializer")

    def broadcast(self, pointer: str, index: Index = 0) -> str:
        """The float64 at an index in every lane."""
        return self.splat(self.read("double", self.at(pointer, index)))

    # --- vectors of the data: any type, any alignment ----------------------------------------------------------------

    def number_of(self, v: str, dtype: np.dtype[Any], lanes: int) -> str:
        """Loaded elements as float64."""
        given, wanted = _many(lanes, element(dtype)), _many(lanes, "double")
        if dtype.kind == "b":
            true = self.value(f"icmp ne {given} {v}, {'0' if lanes == 1 else 'zeroinitializer'}")
            return self.value(f"uitofp {_many(lanes, 'i1')} {true} to {wanted}")
        if dtype.kind == "f":
            return v if dtype.itemsize == 8 else self.value(f"fpext {given} {v} to {wanted}")
        return self.value(f"{'sitofp' if dtype.kind == 'i' else 'uitofp'} {given} {v} to {wanted}")

    def numbers(self, pointer: str, dtype: np.dtype[Any], n: int | None = None) -> str:
        """Elements side by side as float64: a vector of them, or the first n and then zeros. No other is touched."""
        if n is None or n == self.lanes:
            return self.number_of(self.read(_many(self.lanes, element(dtype)), pointer, 1), dtype, self.lanes)
        if n & n - 1 == 0:
            few = self.number_of(self.read(_many(n, element(dtype)), pointer, 1), dtype, n)
            if n == 1:
                return self.value(f"insertelement {self.V} zeroinitializer, double {few}, i64 0")
            order = ", ".join(f"i32 {min(i, n)}" for i in range(self.lanes))
            small = _many(n, "double")
            mask = f"<{self.lanes} x i32> <{order}>"
            return self.value(f"shufflevector {small} {few}, {small} zeroinitializer, {mask}")
        many = _many(self.lanes, element(dtype))
        name = f"llvm.masked.load.{_suffix(self.lanes, dtype)}.p0"
        self.declarations.add(f"declare {many} @{name}(ptr, i32, {self.M}, {many})")
        mask = f"{self.M} <{', '.join(f'i1 {int(i < n)}' for i in range(self.lanes))}>"
        v = self.value(f"call {many} @{name}(ptr {pointer}, i32 1, {mask}, {many} zeroinitializer)")
        return self.number_of(v, dtype, self.lanes)

    def gathered(self, pointer: str, step: Index, dtype: np.dtype[Any]) -> str:
        """A vector of elements `step` bytes apart, as they are."""
        kind = element(dtype)
        if self.lanes == 1:
            return self.read(kind, pointer, 1)
        many, v = _many(self.lanes, kind), "poison"
        for k in range(self.lanes):
            x = self.read(kind, pointer, 1)
            v = self.value(f"insertelement {many} {v}, {kind} {x}, i64 {k}")
            pointer = self.at(pointer, step, "i8") if k + 1 < self.lanes else pointer
        return v

    def strided(self, pointer: str, step: Index, dtype: np.dtype[Any]) -> str:
        """The same, by one load where they lie side by side; elsewhere, where few are, in as few lines as can be."""
        if self.lanes == 1:
            return self.gathered(pointer, step, dtype)
        many = _many(self.lanes, element(dtype))
        near, far, after = (self.label(stem) for stem in ("near", "far", "loaded"))
        together = self.value(f"icmp eq i64 {step}, {dtype.itemsize}")
        self.emit(f"br i1 {together}, label %{near}, label %{far}")
        self.start(near)
        a = self.read(many, pointer, 1)
        self.emit(f"br label %{after}")
        self.start(far)
        lane = f"<{', '.join(f'i64 {k}' for k in range(self.lanes))}>"
        bytes_from = self.integers("mul", lane, self.splat(str(step), "i64"))
        pointers = f"<{self.lanes} x ptr>"
        places = self.value(f"getelementptr i8, ptr {pointer}, {self.I} {bytes_from}")
        name = f"llvm.masked.gather.{_suffix(self.lanes, dtype)}.v{self.lanes}p0"
        self.declarations.add(f"declare {many} @{name}({pointers}, i32, {self.M}, {many})")
        every = f"i32 1, {self.M} splat (i1 true), {many} poison"
        b = self.value(f"call {many} @{name}({pointers} {places}, {every})")
        self.emit(f"br label %{after}")
        self.start(after)
        return self.value(f"phi {many} [ {a}, %{near} ], [ {b}, %{far} ]")

    def prefetch(self, pointer: str) -> None:
        """Ask for a cache line that will be read; the address may be anything."""
        self.declarations.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.emit(f"call void @llvm.prefetch.p0(ptr {pointer}, i32 0, i32 2, i32 1)")

    # --- sums --------------------------------------------------------------------------------------------------------

    def sums(self, vectors: Sequence[str]) -> str:
        """As many vectors as there are lanes, each summed: a lane of the result for each."""
        vectors, h, n = list(vectors), 1, self.lanes
        while h < n:
            blocks = range(0, n, 2 * h)
            low = [j for q in blocks for j in (*range(q, q + h), *range(n + q, n + q + h))]
            high = [j + h for j in low]
            vectors = [
                self.add(self._shuffled(a, b, low), self._shuffled(a, b, high))
                for a, b in zip(vectors[::2], vectors[1::2], strict=True)
            ]
            h *= 2
        return vectors[0]

    def transposed(self, vectors: Sequence[str]) -> list[str]:
        """As many vectors as there are lanes, rows and columns exchanged."""
        vectors, h, n = list(vectors), 1, self.lanes
        while h < n:
            blocks = range(0, n, 2 * h)
            low = [j for q in blocks for j in (*range(q, q + h), *range(n + q, n + q + h))]
            new = list(vectors)
            for i in range(n):
                if not i & h:
                    new[i] = self._shuffled(vectors[i], vectors[i + h], low)
                    new[i + h] = self._shuffled(vectors[i], vectors[i + h], [j + h for j in low])
            vectors = new
            h *= 2
        return vectors

    def _shuffled(self, a: str, b: str, order: Sequence[int]) -> str:
        lanes = ", ".join(f"i32 {i}" for i in order)
        return self.value(f"shufflevector {self.V} {a}, {self.V} {b}, <{self.lanes} x i32> <{lanes}>")

    def total(self, v: str) -> str:
        """The sum of the lanes, a double."""
        if self.lanes == 1:
            return v
        self.declarations.add(f"declare double @llvm.vector.reduce.fadd.{self.suffix}(double, {self.V})")
        return self.value(f"call reassoc double @llvm.vector.reduce.fadd.{self.suffix}(double -0.0, {self.V} {v})")

    # --- control -----------------------------------------------------------------------------------------------------

    def loop(
        self,
        stem: str,
        start: Index,
        stop: Index,
        step: int,
        body: Callable[[str, list[str]], Sequence[str] | None],
        carried: Sequence[tuple[str, str]] = (),
    ) -> list[str]:
        """`for i in range(start, stop, step)`: `body(i, values)` writes it, and returns the carried values anew.

        `carried` has the type and first value of each; the last ones are returned.
        """
        before, head, inside, after = self.block, self.label(stem), self.label(stem), self.label(stem)
        self.emit(f"br label %{head}")
        self.start(head)
        place = len(self.lines)
        i = self.value("phi")
        values = [self.value("phi") for _ in carried]
        more = self.value(f"icmp slt i64 {i}, {stop}")
        self.emit(f"br i1 {more}, label %{inside}, label %{after}")
        self.start(inside)
        new = body(i, values) or []
        following = self.value(f"add i64 {i}, {step}")
        self.emit(f"br label %{head}")
        self.lines[place] = f"  {i} = phi i64 [ {start}, %{before} ], [ {following}, %{self.block} ]"
        for k, ((kind, first), v, w) in enumerate(zip(carried, values, new, strict=True)):
            self.lines[place + 1 + k] = f"  {v} = phi {kind} [ {first}, %{before} ], [ {w}, %{self.block} ]"
        self.start(after)
        return values

    def each(self, stem: str, n: int, body: Callable[[Index], None]) -> None:
        """`for i in range(n)`, written without a loop where n is 1."""
        if n == 1:
            body(0)
        elif n:
            self.loop(stem, 0, n, 1, lambda i, _: body(i))


def kernel(lanes: int, name: str, piece: str, work: Callable[[Writer], None], thread: Callable[[Writer], None]) -> str:
    """The IR of a kernel.

    Parameters
    ----------
    lanes : int
    name : str
        Of the function that each thread runs, with the pointer `%context`.
    piece : str
        The name and arguments of the function that does a piece of the work.
    work, thread : callable
        Write the bodies of the two.
    """
    inner, outer = Writer(lanes), Writer(lanes)
    work(inner)
    outer.declarations, outer.functions = inner.declarations, inner.functions
    thread(outer)
    heads = {
        f"define internal void @{piece} noinline nounwind": inner,
        # a chunk's worth of work is behind every line of it: it is translated as it stands, in half the time
        f"define void @{name}(ptr %context) nounwind noinline optnone": outer,
    }
    return outer.module(
        *[line for head, w in heads.items() for line in (f"{head} {{", "entry:", *w.lines, "  ret void", "}")]
    )
