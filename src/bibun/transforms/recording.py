"""A function recorded whole: its graph on given arguments, for the walks that run it on other values.

While it is recorded nothing may escape from the record: comparisons and the like become nodes too, and a branch on a
value is refused. Imports core, gradient.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..core.backward import within
from ..core.graph import Node
from ..core.modes import mode
from ..core.tree import flatten
from .gradient import Entered, entered

__all__ = ["Recorded"]


class Recorded:
    """The graph of `f(*args)`.

    Whether a derivative inside `f` meets zero times infinity depends on values, so it cannot be seen here: what runs
    the graph looks for a NaN in its results, and then records again with `absorbing`.

    `rewriting(out, leaves)` is done to every result inside `f` before a derivative of it is recorded.

    Attributes
    ----------
    parts : list of Entered
        The arguments taken apart, with fresh Variables for leaves.
    inputs : list of Node
        Those leaves, in order.
    nodes : list of Node
        The operations between them and the results, oldest first.
    outputs : list
        The leaves of the result: Variables, or constants.
    rebuild : callable
        Puts leaves into the structure of the result.
    """

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], purpose: str, absorbing: bool = False, rewriting: Any = None
    ) -> None:
        self.parts: list[Entered]

        def inside(*called: Any) -> Any:
            with mode("rewriting", rewriting):
                return f(*called)

        self.parts, call = entered(inside, range(len(args)), args, {})
        with mode("tracing", purpose), mode("absorbing", absorbing), mode("rewriting", None):
            with np.errstate(all="ignore") if rewriting is not None else nullcontext():  # these values are no results
                out = call()
            if rewriting is not None:
                out = rewriting.whole(out, [x for part in self.parts for x in part.leaves])
        self.outputs, self.rebuild = flatten(out)
        self.inputs: list[Node] = [x for part in self.parts for x in part.leaves]
        tracked = [y for y in self.outputs if isinstance(y, Node) and y.order]
        self.nodes = within(tracked, self.inputs)[0][::-1] if tracked else []


def operands(v: Node, value_of: Callable[[Node], Any]) -> list[Any]:
    """The arguments of a node with its tracked inputs replaced by `value_of` them."""
    args = list(v.values)
    for i, x in zip(v.rule.where, v.inputs, strict=True):
        args[i] = value_of(x)
    return args
