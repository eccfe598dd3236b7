"""The code of a row program: the function a thread runs, which takes chunk after chunk of the rows, block by block.

    void bibun_rows(ptr context)        context: the job's table, the thread's memory

The rows left over after whole vectors are copied to a place of their own, zeros after them, so that nothing past the
last row is ever read. Imports the parts that write a block.
"""

from .row_elements import elements, finish_values, once
from .row_frame import ARGUMENTS, Frame
from .row_gradient import gradients
from .row_groups import group_sums
from .row_layout import JOB, Layout
from .row_loops import Index, Writer, kernel
from .row_predictors import copies, predictors
from .row_products import products_of

__all__ = ["NAME", "text"]

NAME = "bibun_rows"


def text(layout: Layout) -> str:
    """The IR of a kernel."""
    return kernel(layout.lanes, NAME, f"rows({ARGUMENTS})", lambda w: _rows(w, layout), lambda w: _thread(w, layout))


def _rows(w: Writer, layout: Layout) -> None:
    """The rows from start to stop, a multiple of the lanes; those from `valid` on count for nothing."""
    f = Frame(w, layout)
    known = once(f)

    def block(first: str, _: list[str]) -> None:
        f.first = first
        if layout.rows > layout.lanes:
            f.length = w.least(w.minus("%stop", first), layout.rows)
        for m in layout.matrices.values():
            predictors(f, m)
        elements(f, known)
        for m in layout.matrices.values():
            gradients(f, m)
            copies(f, m)
        for key in layout.sums:
            if key[0] == "product":
                products_of(f, key)
            elif key in layout.grouped:
                group_sums(f, key)

    w.loop("block", "%start", "%stop", layout.rows, block)


def _thread(w: Writer, layout: Layout) -> None:
    """Take chunks until none is left."""
    w.declarations |= {"declare ptr @memset(ptr, i32, i64)", "declare ptr @memcpy(ptr, ptr, i64)"}
    job, scratch = w.field("%context", 0, "ptr"), w.field("%context", 1, "ptr")
    chunks, rows, full, tail, size = (w.field(job, JOB[name]) for name in ("chunks", "rows", "full", "tail", "size"))
    sums, data, ragged = (w.field(job, JOB[name], "ptr") for name in ("sums", "data", "ragged"))
    take, work, done = "take", "work", "done"
    w.emit(f"br label %{take}")
    w.start(take)
    chunk = w.value(f"atomicrmw add ptr {job}, i64 1 monotonic")
    more = w.value(f"icmp slt i64 {chunk}, {chunks}")
    w.emit(f"br i1 {more}, label %{work}, label %{done}")
    w.start(work)
    start = w.times(chunk, rows)
    stop = w.least(w.plus(start, rows), full)
    out = w.at(sums, w.times(chunk, size), "i8")
    w.emit(f"call ptr @memset(ptr {out}, i32 0, i64 {size})")
    w.emit(f"call ptr @memset(ptr {scratch}, i32 0, i64 {8 * layout.scratch[('bad',)] + 8 * layout.lanes})")
    w.emit(f"call void @rows(ptr {job}, ptr {data}, i64 {start}, i64 {stop}, i64 {stop}, ptr {out}, ptr {scratch})")
    last = w.value(f"icmp eq i64 {chunk}, {w.minus(chunks, 1)}")
    some = w.value(f"icmp sgt i64 {tail}, 0")
    w.emit(f"br i1 {w.value(f'and i1 {last}, {some}')}, label %tail, label %finish")
    w.start("tail")
    _copy_rows(w, layout, data, ragged, full, tail)
    w.emit(f"call void @rows(ptr {job}, ptr {ragged}, i64 0, i64 {w.lanes}, i64 {tail}, ptr {out}, ptr {scratch})")
    _copy_maps(w, layout, data, ragged, full, tail)
    w.emit("br label %finish")
    w.start("finish")
    _finish(w, layout, job, out, scratch)
    w.emit(f"br label %{take}")
    w.start(done)


def _copy_rows(w: Writer, layout: Layout, data: str, ragged: str, first: Index, n: Index) -> None:
    """Copy the last rows of every array to where there is room for a whole vector of them."""
    for s, source in enumerate(layout.program.sources):
        step, column = w.field(data, 3 * s + 1), w.field(data, 3 * s + 2)
        from_ = w.at(w.field(data, 3 * s, "ptr"), w.times(first, step), "i8")
        to = w.field(ragged, 3 * s, "ptr")
        size = source.dtype.itemsize
        if source.width is not None and source.order == "F":
            _copy(w, to, size * w.lanes, from_, column, source.width, w.times(n, size))
        else:
            run = size * (1 if source.width is None else source.width)
            _copy(w, to, run, from_, step, n, run)


def _copy_maps(w: Writer, layout: Layout, data: str, ragged: str, first: Index, n: Index) -> None:
    """Copy the results of the last rows to where they belong."""
    for k, (_, dtype) in enumerate(layout.program.maps):
        place = 3 * len(layout.program.sources) + k
        to = w.at(w.field(data, place, "ptr"), w.times(first, dtype.itemsize), "i8")
        size = w.times(n, dtype.itemsize)
        w.emit(f"call ptr @memcpy(ptr {to}, ptr {w.field(ragged, place, 'ptr')}, i64 {size})")


def _copy(w: Writer, to: str, to_step: Index, from_: str, step: Index, count: Index, size: Index) -> None:
    """`count` pieces of memory of `size` bytes each."""

    def piece(i: str, _: list[str]) -> None:
        a, b = w.at(to, w.times(i, to_step), "i8"), w.at(from_, w.times(i, step), "i8")
        w.emit(f"call ptr @memcpy(ptr {a}, ptr {b}, i64 {size})")

    w.loop("copy", 0, count, 1, piece)


def _finish(w: Writer, layout: Layout, job: str, out: str, scratch: str) -> None:
    """Write the chunk's plain sums, and say if a code was out of range."""
    finish_values(w, layout, out, scratch)
    if layout.codes:
        found = w.read(w.I, w.at(scratch, layout.scratch[("bad",)]), 8 * w.lanes)
        seen = w.value(f"zext i1 {w.any(w.compare_integers('ne', found, w.integer(0)))} to i64")
        w.value(f"atomicrmw or ptr {w.at(job, JOB['bad'], 'i64')}, i64 {seen} monotonic")
