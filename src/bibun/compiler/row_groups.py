"""Codes: the parameter at each row's code, and the sums over the rows of each group.

A code out of range is noted and read as 0, so that no code reads or writes outside. Imports row_frame.py.
"""

from typing import Any

from .row_frame import Frame
from .row_loops import Index
from .row_predictors import plain_rows

__all__ = ["group_parameter", "group_sums", "groups_of"]


def groups_of(f: Frame, k: int, slot: Index) -> list[str]:
    """The codes of a vector of rows, lane by lane; they are kept for the sums."""
    w = f.w
    source = f.layout.program.blocks[k].source
    dtype = f.dtype(source)
    v = w.strided(f.row(source, slot), f.row_step[source], dtype)
    if dtype.itemsize < 8:
        given = f"i{8 * dtype.itemsize}" if w.lanes == 1 else f"<{w.lanes} x i{8 * dtype.itemsize}>"
        v = w.value(f"{'sext' if dtype.kind == 'i' else 'zext'} {given} {v} to {w.I}")
    inside = w.compare_integers("ult", v, w.splat(f.group_count[k], "i64"))
    outside = w.select_integers(inside, w.integer(0), w.integer(1))
    bad = f.memory("bad")
    so_far = w.read(w.I, bad, 8 * w.lanes)
    w.emit(f"store {w.I} {w.integers('or', so_far, outside)}, ptr {bad}, align {8 * w.lanes}")
    v = w.select_integers(inside, v, w.integer(0))
    w.emit(f"store {w.I} {v}, ptr {w.at(f.memory('codes', k), slot)}, align {8 * w.lanes}")
    if w.lanes == 1:
        return [v]
    return [w.value(f"extractelement {w.I} {v}, i64 {i}") for i in range(w.lanes)]


def group_parameter(f: Frame, k: int, codes: list[str]) -> str:
    """The parameters at the codes of a vector of rows."""
    w, v = f.w, "poison"
    for i, code in enumerate(codes):
        x = w.read("double", w.at(f.group_parameters[k], code))
        v = x if w.lanes == 1 else w.value(f"insertelement {w.V} {v}, double {x}, i64 {i}")
    return v


def group_sums(f: Frame, key: tuple[Any, ...]) -> None:
    """Add the block's rows to sums over groups: of one block of codes, of two, or of codes and a matrix."""
    w, layout = f.w, f.layout
    kind, *of = key
    number = layout.sums[key]
    values, sums = f.memory("rows", key), f.sum(key)
    table = plain_rows(f, layout.matrix(of[1])) if kind == "table" else None
    size = f.group_count[of[0]]
    if kind == "pair":
        size = str(w.times(size, f.group_count[of[1]]))
    elif kind == "table":
        size = str(w.times(size, layout.padded(of[1])))

    def row(r: Index) -> None:
        place: Index = w.read("i64", w.at(f.memory("codes", of[0]), r))
        if kind == "pair":
            other = w.read("i64", w.at(f.memory("codes", of[1]), r))
            place = w.plus(w.times(place, f.group_count[of[1]]), other)
        elif kind == "table":
            place = w.times(place, layout.padded(of[1]))
        for k in range(len(number)):
            at = w.at(sums, w.plus(w.times(size, k), place))
            e = w.read("double", w.at(values, w.plus(r, k * layout.rows)))
            if table is None:
                total = w.value(f"fadd double {w.read('double', at)}, {e}")
                w.emit(f"store double {total}, ptr {at}, align 8")
            else:
                _add_row(f, of[1], w.at(table[0], w.times(r, table[1]), "i8"), w.splat(e), at)

    f.tall("groups", row)


def _add_row(f: Frame, source: int, row: str, e: str, to: str) -> None:
    """Add e times a row of float64 to a line of a table."""
    w, width, lanes = f.w, f.layout.matrix(source).width, f.w.lanes
    full, rest = divmod(width, lanes)
    dtype = f.dtype(source) if not f.layout.matrix(source).copied else None

    def part(j: Index, n: int) -> None:
        place = w.at(row, j)
        x = w.load(place) if dtype is None else w.numbers(place, dtype, n)
        sums = w.at(to, j)
        new = w.fma(x, e, w.read(w.V, sums, 8))
        w.emit(f"store {w.V} {new}, ptr {sums}, align 8")

    if full > 4:
        w.loop("line", 0, full * lanes, lanes, lambda j, _: part(j, lanes))
    else:
        for c in range(full):
            part(c * lanes, lanes)
    if rest:
        part(full * lanes, rest)
