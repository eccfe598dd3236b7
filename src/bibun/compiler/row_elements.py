"""What is computed from each row: the expressions, a vector of rows at a time, and the sums of plain values.

What only parameters enter is computed once, before the rows. Values are kept in the thread's memory for the sums that
follow. Imports row_frame.py, row_groups.py.
"""

from collections.abc import Sequence

import numpy as np

from .expression import Expression
from .row_frame import Frame
from .row_groups import group_parameter, groups_of
from .row_layout import Layout
from .row_loops import Index, Writer, element

__all__ = ["elements", "finish_values", "once"]


def once(f: Frame) -> dict[Expression, str]:
    """The values that are the same in every row."""
    values: dict[Expression, str] = {}
    varying = f.layout.varying
    for e in f.layout.expressions:
        if e not in varying:
            if e.op == "predictor":
                values[e] = f.w.broadcast(f.parameters, f.layout.parameters[e.number])
            else:
                values[e] = f.w.node(e, _arguments(e, values))
    return values


def _arguments(e: Expression, values: dict[Expression, str]) -> list[object]:
    return [values[a] if isinstance(a, Expression) else a for a in e.args]


def elements(f: Frame, known: dict[Expression, str]) -> None:
    """Write the block's expressions, their sums, and what is to be kept of them."""
    w, value = f.w, f.layout.sums[("value",)]

    def vector(slot: Index, sums: list[str]) -> list[str]:
        codes = {k: groups_of(f, k, slot) for k in f.layout.codes}
        values = dict(known)
        for e in f.layout.expressions:
            if e not in values:
                values[e] = w.node(e, _arguments(e, values)) if e.args else _leaf(f, e, slot, codes)
        for k, e in enumerate(f.layout.maps):
            _give(f, k, e, values[e], slot)
        lane = "zeroinitializer" if w.lanes == 1 else f"<{', '.join(f'i64 {i}' for i in range(w.lanes))}>"
        left = w.minus(w.minus("%valid", f.first), slot)
        valid = w.compare_integers("slt", lane, w.splat(str(left), "i64"))
        kept: dict[Expression, str] = {}

        def masked(e: Expression) -> str:
            if e not in kept:
                v = w.as_number(values[e]) if e.boolean else values[e]
                kept[e] = w.select(valid, v, w.number(0.0))
            return kept[e]

        for key, es in f.layout.sums.items():
            if key != ("value",):
                for k, e in enumerate(es):
                    w.store(masked(e), f.memory("rows", key), w.plus(slot, k * f.layout.rows))
        return [w.add(s, masked(e)) if s else masked(e) for s, e in zip(sums, value, strict=True)]

    straight = f.length == w.lanes
    _add_values(f, f.carrying("elements", vector, ["" if straight else w.number(0.0)] * len(value)))


def _leaf(f: Frame, e: Expression, slot: Index, codes: dict[int, list[str]]) -> str:
    """A value that the row has."""
    w, program = f.w, f.layout.program
    if e.op == "predictor":
        block = program.blocks[e.number]
        if block.kind == "codes":
            return group_parameter(f, e.number, codes[e.number])
        m = f.layout.matrix(block.source)
        return w.load(f.memory("predictors", m.source), w.plus(slot, m.predictors.index(e.number) * f.layout.rows))
    if e.op != "column":
        raise ValueError(f"a row program reads columns and predictors, not {e.op!r}")
    source, column = program.columns[e.number]
    dtype = f.dtype(source)
    if program.sources[source].width is None:
        found = w.strided(f.row(source, slot), f.row_step[source], dtype)
    elif f.order(source) == "C":
        found = w.gathered(w.at(f.row(source, slot), column * dtype.itemsize, "i8"), f.row_step[source], dtype)
    else:
        return w.numbers(f.column(source, slot, column), dtype)
    return w.number_of(found, dtype, w.lanes)


def _give(f: Frame, k: int, e: Expression, v: str, slot: Index) -> None:
    """Write a result that every row has, in its own type."""
    w, dtype = f.w, f.layout.program.maps[k][1]
    kind = element(dtype)
    many = kind if w.lanes == 1 else f"<{w.lanes} x {kind}>"
    if dtype.kind == "b":
        v = w.value(f"zext {w.M} {v if e.boolean else w.as_mask(v)} to {many}")
    else:
        v = w.as_number(v) if e.boolean else v
        if dtype == np.float32:
            v = w.value(f"fptrunc {w.V} {v} to {many}")
        elif dtype.kind in "iu":
            v = w.value(f"{'fptosi' if dtype.kind == 'i' else 'fptoui'} {w.V} {v} to {many}")
    place = w.at(f.results[k], w.times(w.plus(f.first, slot), dtype.itemsize), "i8")
    w.emit(f"store {many} {v}, ptr {place}, align 1")


def _add_values(f: Frame, sums: Sequence[str]) -> None:
    """Add the block's sums to those so far, keeping what rounding takes away (Knuth's two-sum)."""
    w = f.w
    for k, y in enumerate(sums):
        at = k * w.lanes
        s, lost = w.load(f.memory("sum"), at), w.load(f.memory("error"), at)
        t = w.add(s, y)
        z = w.sub(t, s)
        error = w.add(w.sub(s, w.sub(t, z)), w.sub(y, z))
        w.store(t, f.memory("sum"), at)
        w.store(w.add(lost, error), f.memory("error"), at)


def finish_values(w: Writer, layout: Layout, out: str, scratch: str) -> None:
    """Write the chunk's sums of plain values; where one is infinite, what was lost is no number and is left out."""
    sums, errors = (w.at(scratch, layout.scratch[(name,)]) for name in ("sum", "error"))
    for k in range(len(layout.sums[("value",)])):
        total, lost = w.total(w.load(sums, k * w.lanes)), w.total(w.load(errors, k * w.lanes))
        both = w.value(f"fadd double {total}, {lost}")
        usable = w.value(f"fcmp ord double {lost}, {lost}")
        result = w.value(f"select i1 {usable}, double {both}, double {total}")
        w.emit(f"store double {result}, ptr {w.at(out, layout.result[('value',)] + k)}, align 8")
