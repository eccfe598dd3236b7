"""Forward mode: `jvp` and `linearize`, by the same recorded graph, walked oldest first. Imports core, gradient."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.absorbing import dress, has_nan, undress
from ..core.backward import arguments, outcome, within
from ..core.broadcast import zeros_for
from ..core.graph import Node
from ..core.modes import here, modes
from ..core.nonfinite import look
from ..core.tree import flatten
from ..core.variable import Variable
from .gradient import Entered, entered, left

__all__ = ["jvp", "linearize", "push_tangents"]


def push_tangents(ys: Sequence[Any], xs: Sequence[Node], ts: Sequence[Any]) -> tuple[list[Any], bool]:
    """The tangents of `ys` from the tangents `ts` of `xs`; and whether the walk was recorded."""
    tracked = [y for y in ys if isinstance(y, Node) and y.order]
    if not tracked:
        return [zeros_for(y) for y in ys], False
    nodes, _, recorded = within(tracked, xs)
    recorded = recorded or any([isinstance(t, Node) and t.order for t in ts])
    nodes.reverse()
    if not recorded:
        ts = [t._data if isinstance(t, Node) else t for t in ts]
    start = dict(zip(xs, ts, strict=True))
    with np.errstate(all="ignore"):
        tangents = _push(nodes, dict(start), recorded, modes.on and (here.checking or here.absorbing))
        if any([y in tangents and has_nan(tangents[y]) for y in tracked]):
            tangents = _push(nodes, dict(start), recorded, True)
    return [tangents[y] if isinstance(y, Node) and y in tangents else zeros_for(y) for y in ys], recorded


def _push(nodes: list[Node], tangents: dict[Node, Any], recorded: Any, absorb: Any) -> dict[Node, Any]:
    get = tangents.get
    plain = not (recorded or absorb or modes.on)
    for v in nodes:
        inputs, rule = v.inputs, v.rule
        count = len(inputs)
        if count == 1:
            ts: tuple[Any, ...] = (get(inputs[0]),)
            if ts[0] is None:
                continue
        elif count == 2:
            ts = get(inputs[0]), get(inputs[1])
            if ts[0] is None and ts[1] is None:
                continue
        else:
            ts = tuple([get(x) for x in inputs])
            if all([t is None for t in ts]):
                continue
        if plain:
            tangents[v] = rule.push(v._data, v.values, ts)
            continue
        if absorb and rule.absorbs:
            ts = tuple([dress(t) for t in ts])
        t = rule.push(outcome(v), arguments(v), ts) if recorded else rule.push(v._data, v.values, ts)
        t = tangents[v] = undress(t)
        if modes.on and here.checking:
            look(
                rule.name, "forward derivative", t, v.values, tuple(undress(t) for t in ts if t is not None), rule.line
            )
    return tangents


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `f` at `primals` and its derivative in the direction `tangents`.

    Parameters
    ----------
    f : callable
    primals : sequence
        The arguments of `f`.
    tangents : sequence
        A direction for each of them, of the same structure and shapes.

    Returns
    -------
    y, t : array or nested
        The value and its tangent.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> y, t = bb.jvp(np.sin, (0.0,), (2.0,))
    >>> float(y), float(t)
    (0.0, 2.0)
    """
    y, f_jvp, _ = _linearized(f, primals)
    out, recorded = f_jvp(tangents)
    ys, rebuild = flatten(y)
    return rebuild([left(v, recorded) for v in ys]), rebuild(out)


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `f` at `primals`, and the linear function that gives its derivative in any direction.

    `f` runs once, however often the linear function is called.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> y, f_jvp = bb.linearize(lambda x: x**2, np.array([1.0, 2.0]))
    >>> f_jvp(np.array([1.0, 0.0])).tolist(), f_jvp(np.array([0.0, 1.0])).tolist()
    ([2.0, 0.0], [0.0, 4.0])
    """
    y, push, recorded = _linearized(f, primals)
    ys, rebuild = flatten(y)

    def f_jvp(*tangents: Any) -> Any:
        return rebuild(push(tangents)[0])

    return rebuild([left(v, recorded) for v in ys]), f_jvp


def _linearized(
    f: Callable[..., Any], primals: Sequence[Any]
) -> tuple[Any, Callable[[Sequence[Any]], tuple[list[Any], bool]], bool]:
    if not isinstance(primals, (tuple, list)):
        raise TypeError(f"primals and tangents are tuples, one entry an argument: write ({_short(primals)},)")
    xs, call = entered(f, range(len(primals)), primals, {})
    y = call()
    ys, _ = flatten(y)
    leaves = [x for part in xs for x in part.leaves]
    tracked = [v for v in ys if isinstance(v, Node) and v.order]
    recorded = within(tracked, leaves)[2] if tracked else False

    def push(tangents: Sequence[Any]) -> tuple[list[Any], bool]:
        if len(tangents) != len(xs):
            raise ValueError(f"{len(tangents)} tangents for {len(xs)} arguments: give one for each")
        ts = [t for part, tree in zip(xs, tangents, strict=True) for t in _tangents(part, tree)]
        return push_tangents(ys, leaves, ts)

    return y, push, recorded


def _tangents(part: Entered, tree: Any) -> list[Any]:
    ts = flatten(tree)[0]
    if len(ts) != len(part.leaves):
        raise ValueError(
            f"a tangent of {len(ts)} arrays for an argument of {len(part.leaves)}: give one with its structure"
        )
    out = []
    for t, x in zip(ts, part.leaves, strict=True):
        t = t if isinstance(t, Variable) else np.asarray(t)
        if t.shape != x._data.shape:
            raise ValueError(
                f"a tangent of shape {t.shape} for an argument of shape {x._data.shape}: they must be equal"
            )
        out.append(t if isinstance(t, Node) or t.dtype == x._data.dtype else t.astype(x._data.dtype))
    return out


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) < 20 else type(x).__name__
