"""Backpropagation: one loop over the operations behind a result, newest first.

The same loop computes with arrays or, given a `step`, extends the graph, absorbs zeros, looks for NaNs. What lies
above it here decides which of them a caller needs. Imports the graph; the forward twin is transforms/directional.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..typing import Array
from .absorbing import dress, has_nan, undress
from .broadcast import zeros_for
from .graph import Node, Parts, history
from .modes import here, modes
from .nonfinite import look

__all__ = ["arguments", "cotangents", "depends", "outcome", "reverse", "within"]

Step = Callable[[Node, Any], Any]


def reverse(nodes: list[Node], grads: dict[Node, Any], step: Step | None = None) -> dict[Node, Any]:
    """Carry cotangents from results to origins.

    Parameters
    ----------
    nodes : list of Node
        Operations, newest first.
    grads : dict from Node to cotangent
        The seeds; filled on the way, and what is left at the end belongs to the edge.
    step : callable, optional
        `step(node, g)` gives the cotangents of the node's inputs. By default its rule pulls over plain arrays.
    """
    pop = grads.pop
    for v in nodes:
        g = pop(v, None)
        if g is None:
            continue
        gxs = v.rule.pull(g, v._data, v.values) if step is None else step(v, g)
        inputs = v.inputs
        count = len(inputs)
        if count == 1:
            if gxs is not None:
                (x,) = inputs
                grads[x] = grads[x] + gxs if x in grads else gxs
        elif count == 2:  # written out: a loop would cost as much as the addition
            a, b = inputs
            ga, gb = gxs
            if ga is not None:
                grads[a] = grads[a] + ga if a in grads else ga
            if gb is not None:
                grads[b] = grads[b] + gb if b in grads else gb
        else:
            for x, gx in zip(inputs, gxs, strict=True):
                if gx is not None:
                    grads[x] = grads[x] + gx if x in grads else gx
    return grads


def outcome(v: Node) -> Any:
    """The result of an operation as a rule wants to see it in a recorded walk: a Variable, or Parts of Variables."""
    return Parts(v.rule.parts(v)) if type(v._data) is Parts else v


def arguments(v: Node) -> tuple[Any, ...]:
    """The arguments of an operation with its tracked inputs put back in: what a recorded walk reads."""
    inputs, values, order = v.inputs, v.values, v.order
    for x in inputs:
        if x.order > order:
            raise RuntimeError(
                f"an input of {v.rule.name}, shape {np.shape(x._data)}, was given new data after it was recorded; "
                "record the operation again"
            )
    if len(inputs) == len(values):
        return inputs
    args = list(values)
    for i, x in zip(v.rule.where, inputs, strict=True):
        args[i] = x
    return tuple(args)


def depends(nodes: list[Node], xs: set[Node]) -> set[Node]:
    """Those of `nodes` (newest first) that depend on `xs`, and `xs` themselves."""
    found = set(xs)
    for v in reversed(nodes):
        for x in v.inputs:
            if x in found:
                found.add(v)
                break
    return found


def cotangents(ys: Sequence[Any], xs: Sequence[Node], gs: Sequence[Any]) -> tuple[list[Array], bool]:
    """The cotangent of each of `xs`, given `gs`, those of `ys`; and whether the walk was recorded.

    It is recorded exactly when something tracked other than `xs` reaches the result: an `x` with a past, a captured
    Variable, or a tracked `g`.
    """
    pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if isinstance(y, Node) and y.order]
    if not pairs:
        return [zeros_for(x) for x in xs], False
    nodes, edge, recorded = within([y for y, _ in pairs], xs)
    recorded = recorded or any([isinstance(g, Node) and g.order for _, g in pairs])
    need = depends(nodes, set(xs)) if edge else None
    step = stepper(recorded, need) if recorded or edge else None
    if modes.on and here.checking:
        step = checked(step or stepper(False))
    elif modes.on and here.absorbing:
        step = absorbing(step or stepper(False))
    with np.errstate(all="ignore"):
        grads = reverse(nodes, _seeds(pairs, recorded), step)
        if any([x in grads and has_nan(grads[x]) for x in xs]):
            grads = reverse(nodes, _seeds(pairs, recorded), absorbing(step or stepper(False)))
    return [grads[x] if x in grads else zeros_for(x) for x in xs], recorded


def _seeds(pairs: list[tuple[Node, Any]], recorded: bool) -> dict[Node, Any]:
    seeds: dict[Node, Any] = {}
    for y, g in pairs:
        g = g if recorded or not isinstance(g, Node) else g._data
        seeds[y] = seeds[y] + g if y in seeds else g
    return seeds


def within(ys: Sequence[Node], xs: Sequence[Node]) -> tuple[list[Node], list[Node], bool]:
    """The operations between `xs` and `ys` and nothing older, what else they reached, and whether to record a walk."""
    low = min([x.order for x in xs])
    nodes, edge = history(ys, low, set(xs))
    edge = [v for v in edge if v.order]
    return nodes, edge, bool(edge) or any([x.inputs for x in xs])


def stepper(recorded: bool, need: set[Node] | None = None) -> Step:
    """A step that records itself, or keeps to the nodes in `need`, or both."""

    if recorded and need is None:
        return lambda v, g: v.rule.pull(g, outcome(v) if type(v._data) is Parts else v, arguments(v))

    def step(v: Node, g: Any) -> Any:
        inputs = v.inputs
        if need is not None and not any([x in need for x in inputs]):
            return None if len(inputs) == 1 else (None,) * len(inputs)
        gxs = v.rule.pull(g, outcome(v), arguments(v)) if recorded else v.rule.pull(g, v._data, v.values)
        if need is None or len(inputs) == 1:
            return gxs
        return tuple([gx if x in need else None for x, gx in zip(inputs, gxs, strict=True)])

    return step


def absorbing(step: Step) -> Step:
    """The step with products in which zero absorbs."""

    def absorbed(v: Node, g: Any) -> Any:
        gxs = step(v, dress(g) if v.rule.absorbs else g)
        return undress(gxs) if len(v.inputs) == 1 else tuple([undress(gx) for gx in gxs])

    return absorbed


def checked(step: Step) -> Step:
    """The step under `debug_nans()`: absorbing, since only a NaN that would remain counts, and looked at after each."""
    step = absorbing(step)

    def looked_at(v: Node, g: Any) -> Any:
        gxs = step(v, g)
        look(v.rule.name, "backward", gxs, v.values, g, v.rule.line)
        return gxs

    return looked_at
