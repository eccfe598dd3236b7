"""Taylor series of a function along a line, by one walk over the recorded graph.

Linear operations act coefficient by coefficient, products by Cauchy's rule. Everything else satisfies y' = J(x) x',
and the right side is an expression the rules already write: it is recorded once, and its own series, one order shorter,
gives the next coefficient of y. Imports core, recording.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..core.backward import within
from ..core.broadcast import zeros_for
from ..core.graph import Node, Parts
from ..core.tree import flatten
from ..core.variable import Variable, close, inner
from .gradient import left
from .recording import Recorded

__all__ = ["taylor"]

Series = list[Any]
"""Coefficients of 1, t, t², …"""


def taylor(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], order: int) -> Any:
    """The Taylor coefficients of `f(primals + t * tangents)` in t.

    Parameters
    ----------
    f : callable
    primals, tangents : sequence
        The arguments of `f`, and a direction for each of them.
    order : int
        The highest power of t.

    Returns
    -------
    list of array
        `order + 1` coefficients, each with the structure of the value of `f`; the k-th is the k-th derivative over k!.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> [float(c) for c in bb.taylor(np.exp, (0.0,), (1.0,), 3)]
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    if order < 0:
        raise ValueError(f"order={order}: a series has at least its constant term, order 0")
    recorded = Recorded(f, primals, "taylor")
    ts = [t for tree in tangents for t in flatten(tree)[0]]
    start: dict[Node, Series] = {}
    for x, t in zip(recorded.inputs, ts, strict=True):
        t = t if isinstance(t, Variable) else np.asarray(t, x._data.dtype)
        if t.shape != x._data.shape:
            raise ValueError(
                f"a tangent of shape {t.shape} for an argument of shape {x._data.shape}: they must be equal"
            )
        start[x] = [x, t] + [zeros_for(x)] * (order - 1) if order else [x]
    found = series(recorded.nodes, start, order)
    tracked = [y for y in recorded.outputs if isinstance(y, Node) and y.order]
    nested = bool(tracked) and within(tracked, recorded.inputs)[2]
    out = []
    for k in range(order + 1):
        leaves = [
            found[y][k] if isinstance(y, Node) and y in found else (y if k == 0 else zeros_for(y))
            for y in recorded.outputs
        ]
        out.append(recorded.rebuild([left(c, nested) for c in leaves]))
    return out


def series(nodes: list[Node], found: dict[Node, Series], order: int) -> dict[Node, Series]:
    """The series of each node, oldest first, given those of the nodes they begin with."""
    for v in nodes:
        xs = [found.get(x, [x] + [None] * order) for x in v.inputs]
        kind = v.rule.rule.kind
        if all(s[k] is None for s in xs for k in range(1, order + 1)):
            found[v] = [v] + [None] * order
        elif kind == "linear":
            found[v] = [v] + [_push(v, [s[k] for s in xs]) for k in range(1, order + 1)]
        elif kind == "constant":
            found[v] = [v] + [zeros_for(v)] * order
        elif v.rule.rule.func is np.divide:
            found[v] = quotient(v, xs, order)
        elif kind == "multilinear" or v.rule.rule.func is np.multiply:
            found[v] = cauchy(v, xs, order)
        else:
            found[v] = solved(v, xs, order)
    return found


def _arguments(v: Node, inputs: Sequence[Any]) -> list[Any]:
    args = list(v.values)
    for i, x in zip(v.rule.where, inputs, strict=True):
        args[i] = x
    return args


def _push(v: Node, ts: list[Any]) -> Any:
    if all(t is None for t in ts):
        return None
    return v.rule.push(
        v if not isinstance(v._data, Parts) else Parts(v.rule.parts(v)), tuple(_arguments(v, v.inputs)), ts
    )


def cauchy(v: Node, xs: list[Series], order: int) -> Series:
    """A product: y_k = Σ f(a_i, b_j, …) over i + j + … = k."""
    run = v.rule.rule
    out: Series = [v]
    for k in range(1, order + 1):
        total: Any = None
        for powers in product(range(k + 1), repeat=len(xs)):
            chosen = [s[p] for s, p in zip(xs, powers, strict=True)]
            if sum(powers) == k and not any(c is None for c in chosen):
                term = run(*_arguments(v, chosen))
                total = term if total is None else total + term
        out.append(total)
    return out


def quotient(v: Node, xs: list[Series], order: int) -> Series:
    """y = a / b: from a = y b, y_k = (a_k - Σ b_j y_{k-j}) / b_0."""
    whole = dict(zip(v.rule.where, xs, strict=True))
    a = whole.get(0, [v.values[0]] + [None] * order)
    b = whole.get(1, [v.values[1]] + [None] * order)
    out: Series = [v]
    for k in range(1, order + 1):
        rest = a[k]
        for j in range(1, k + 1):
            if b[j] is not None and out[k - j] is not None:
                rest = -(b[j] * out[k - j]) if rest is None else rest - b[j] * out[k - j]
        out.append(None if rest is None else rest / b[0])
    return out


def solved(v: Node, xs: list[Series], order: int) -> Series:
    """y' = push(y, x, x'), recorded once; its series to order k-1 gives y_k."""
    several = isinstance(v._data, Parts)
    ys = [close(inner(p)) for p in (v.rule.parts(v) if several else [v])]
    args = [close(inner(s[0])) for s in xs]
    ts = [close(inner(s[1] if s[1] is not None else zeros_for(s[0]))) for s in xs]
    expression = v.rule.push(Parts(ys) if several else ys[0], tuple(_arguments(v, args)), ts)
    parts = list(expression) if several else [expression]
    tracked = [e for e in parts if isinstance(e, Node) and e.order]
    begin = [*ys, *args, *ts]
    nodes = within(tracked, begin)[0][::-1] if tracked else []
    whole = set(ys)
    uses_y = any(x in whole for n in nodes for x in n.inputs) or any(e in whole for e in tracked)
    out: list[Series] = [[p] for p in (v.rule.parts(v) if several else [v])]
    for k in range(1, order + 1) if uses_y else [order]:
        # to order k-1: y as far as it is known, x, and x' whose coefficient j is (j+1) x_{j+1}
        found = {y: s[:k] for y, s in zip(ys, out, strict=True)}
        found.update({a: s[:k] for a, s in zip(args, xs, strict=True)})
        found.update(
            {
                t: [None if c is None else (j + 1) * c for j, c in enumerate(s[1 : k + 1])]
                for t, s in zip(ts, xs, strict=True)
            }
        )
        found = {n: [zeros_for(n) if c is None and j == 0 else c for j, c in enumerate(s)] for n, s in found.items()}
        if not uses_y:
            found.update({y: [y] + [None] * (k - 1) for y in ys})
        series(nodes, found, k - 1)
        for e, s in zip(parts, out, strict=True):
            slope = found[e] if isinstance(e, Node) and e in found else [e] + [None] * (k - 1)
            for j in range(len(s), k + 1):
                s.append(None if slope[j - 1] is None else slope[j - 1] / j)
    if not several:
        return [v, *out[0][1:]]
    return [v] + [Parts(zeros_for(s[0]) if s[k] is None else s[k] for s in out) for k in range(1, order + 1)]
