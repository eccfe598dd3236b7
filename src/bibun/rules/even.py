"""Even functions of norms: where a norm is 0 its slope is 0 by convention, and yet its square is smooth there.

A cotangent g that is a recorded function of the norm y and 0 with it (2y, for a square) has g/y → dg/dy, so the
gradient g·x/y has the limit x·dg/dy. The pulls of norms, moduli and standard deviations ask here for that slope. Two
forward derivatives, one of the other, know no g: their curvature at 0 is 0. Imports core, products.
"""

from typing import Any

import numpy as np

from ..core.absorbing import undress
from ..core.backward import cotangents
from ..core.broadcast import unbroadcast
from ..core.graph import Node, history
from ..core.modes import here, modes
from ..core.rule import Rule
from ..typing import Array
from .products import possible

__all__ = ["limit", "smooth_when_even"]

NEAR = 16
"""While recording for other values the limit is always part of the record, if so few operations lead from y to g. A
longer way is not walked, for every norm on it would double the record: its even functions have slope 0 at 0 there."""


def limit(g: Any, y: Any) -> tuple[Array, Array] | None:
    """Where y and g are both 0, and dg/dy; None where g is no recorded function of y, or they are nowhere."""
    g = undress(g)
    if not isinstance(y, Node) or not isinstance(g, Node):
        return None
    if modes.on and here.tracing and len(history([g], y.order, [y])[0]) > NEAR:
        return None
    even, reached = zeros_of(g, y)
    if not possible(even):
        return None
    one = np.ones((), y._data.dtype)
    slopes, _ = cotangents([np.sum(reached)], [y, *same(g, y)], [one])
    return even, sum(slopes[1:], slopes[0])


def zeros_of(g: Any, y: Any) -> tuple[Any, Any]:
    """Where both are 0, and g there."""
    even = np.logical_and(np.equal(y, 0), np.equal(g, 0))
    return even, np.where(even, g, 0)


def same(g: Node, y: Node) -> list[Node]:
    """The other times this norm was computed on the way to `g`: `norm(x) * norm(x)` is a square too."""
    made = history([g], min([x.order for x in y.inputs]))[0]
    return [v for v in made if v is not y and alike(v, y)]


def alike(v: Node, y: Node) -> bool:
    """Whether both are one function of the same arguments."""
    if getattr(v.rule, "rule", None) is not y.rule.rule or v.rule.where != y.rule.where:
        return False
    rest = [k for k in range(len(y.values)) if k not in y.rule.where]
    return all([a is b for a, b in zip(v.inputs, y.inputs, strict=True)]) and all(
        [type(y.values[k]) in (int, tuple, bool, float, type(None)) and v.values[k] == y.values[k] for k in rest]
    )


def smooth_when_even(rule: Rule) -> None:
    """Let an elementwise norm of its operands (|x|, hypot) keep the curvature of its even functions at 0."""
    plain: Any = rule.walks

    def walks(where: tuple[int, ...], same: bool) -> Any:
        pull, push = plain(where, same)

        def smooth(g: Array, y: Array, args: Any) -> Any:
            found = limit(g, y) if isinstance(y, Node) else None
            if found is None:
                return pull(g, y, args)
            even, slope = found
            usual = pull(np.where(even, 0, g), y, tuple([np.where(even, 1, x) for x in args]))
            usual = usual if isinstance(usual, tuple) else (usual,)
            slope = np.where(even, slope, 0)
            gxs = [
                unbroadcast(gx, args[i]) + unbroadcast(slope * np.where(even, args[i], 0), args[i])
                for i, gx in zip(where, usual, strict=True)
            ]
            return gxs[0] if len(gxs) == 1 else tuple(gxs)

        return smooth, push

    rule.walks = walks  # type: ignore[method-assign]
    for (where, same), form in rule.forms.items():
        form.pull, form.push = walks(where, same)
