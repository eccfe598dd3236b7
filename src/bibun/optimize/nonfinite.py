"""Which operation made a value that is not finite, and which parameters reached it: for messages.

The graph of the evaluation knows: the oldest node that is not finite though its arguments are, and the cotangents of
its bad elements. Imports the graph, the reverse walk, the transforms' way of calling.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.backward import cotangents
from ..core.graph import Node, Parts, history
from ..transforms.gradient import entered

__all__ = ["Culprits", "culprits"]


@dataclass
class Culprits:
    """The operation, what it made, and the components of the parameter vector that it depends on."""

    operation: str
    fault: str
    which: list[int]


def culprits(f: Callable[..., Any], tree: Any, args: tuple[Any, ...]) -> Culprits | None:
    """Look for them by running `f` once more; None where the value is finite or nothing was recorded."""
    try:
        with np.errstate(all="ignore"):
            (part,), call = entered(f, (0,), (tree, *args), {})
            y = call()
    except Exception:  # a function that cannot be recorded has no graph to ask; the message does without
        return None
    if not isinstance(y, Node) or not y.order:
        return None
    nodes = history([y], min(x.order for x in part.leaves), set(part.leaves))[0]
    for v in reversed(nodes):
        data = v._data
        if isinstance(data, (tuple, Parts)) or np.asarray(data).dtype.kind not in "fc" or np.isfinite(data).all():
            continue
        given = [a for a in v.values if isinstance(a, (np.ndarray, np.generic, float))]
        if not all(np.isfinite(a).all() for a in given if np.asarray(a).dtype.kind in "fc"):
            continue  # handed on, not made
        bad = ~np.isfinite(data)
        with np.errstate(all="ignore"):
            gs, _ = cotangents([v], part.leaves, [np.where(bad, 1.0, 0.0)])
        reached = np.concatenate([np.ravel(np.asarray(getattr(g, "_data", g))) for g in gs])
        fault = "a NaN" if np.isnan(data).any() else "an infinity"
        count = int(np.count_nonzero(bad))
        if np.size(bad) > 1:
            fault = f"{count} of {bad.size} elements " + ("NaN" if fault == "a NaN" else "infinite")
        return Culprits(v.rule.name, fault, np.flatnonzero(reached != 0).tolist())
    return None
