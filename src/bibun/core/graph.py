"""The graph: what a node is, and which nodes lie behind a result.

A node points at the nodes it was computed from and never the other way, so a graph is freed as soon as its last result
is, without the cycle collector. Nothing here knows a function or an array library. Imports nothing of bibun.
"""

import itertools
from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Any

__all__ = ["BOUNDARY", "CLOSED", "SPENT", "Form", "Node", "Parts", "by_order", "history", "now"]

now = itertools.count(1).__next__
"""The clock. Every node is stamped once, so a node is always younger than what it was computed from."""

by_order = attrgetter("order")


class Node:
    """A value, and how it came to be.

    Attributes
    ----------
    _data : ndarray, NumPy scalar or Parts
        The value.
    rule : Form, Function or None
        The operation that made it; None for a leaf and for a constant.
    inputs : tuple of Node
        The tracked arguments of that operation.
    values : tuple
        All its arguments as NumPy saw them, so that a walk over arrays builds nothing.
    order : int
        The time it was recorded; 0 for a constant.
    """

    __slots__ = ("_data", "inputs", "order", "rule", "values")
    _data: Any
    inputs: tuple["Node", ...]
    order: int
    rule: Any
    values: tuple[Any, ...]


class Form:
    """A rule with its set of tracked arguments fixed: what a node keeps.

    Attributes
    ----------
    rule : Rule
    where : tuple of int
        The positions of the tracked arguments.
    pull, push : callable
        Cotangents of the tracked arguments from that of the result; the tangent of the result from theirs.
    line : str or None
        The user's line, under `debug_nans()`.
    """

    __slots__ = ("line", "pull", "push", "rule", "where")
    absorbs = True

    def __init__(self, rule: Any, where: tuple[int, ...], pull: Any, push: Any, line: str | None = None) -> None:
        self.rule, self.where, self.pull, self.push, self.line = rule, where, pull, push, line

    name = property(lambda self: self.rule.name, doc="The function's name.")

    def wrapped(self, pull: Any, push: Any, line: str | None = None) -> "Form":
        """This form with something done around its walks."""
        return Form(self.rule, self.where, pull, push, line or self.line)

    def creator_of(self, v: Node) -> Any:
        """What made `v`, as the article would see it."""
        return self.rule.creator_of(v)

    def parts(self, v: Node) -> list[Any]:
        """The results of a node that has several."""
        return self.rule.parts(v)  # type: ignore[no-any-return]


class Parts(tuple[Any, ...]):
    """The value of an operation with several results, or a cotangent of one (None where nothing arrived)."""

    __slots__ = ()

    @classmethod
    def only(cls, i: int, g: Any, n: int) -> "Parts":
        return cls([g if k == i else None for k in range(n)])

    def __add__(self, other: Any) -> "Parts":
        return Parts([b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True)])


def history(ys: Iterable[Node], low: int = 0, stop: Collection[Node] = ()) -> tuple[list[Node], list[Node]]:
    """The operations behind `ys`, newest first, and the nodes where the search ended.

    Parameters
    ----------
    ys : iterable of Node
    low : int
        Nodes stamped before this time are not entered.
    stop : collection of Node
        Nodes the search does not go to.

    Returns
    -------
    nodes, edge : list of Node
        `edge` holds the leaves and the nodes older than `low`.
    """
    nodes: list[Node] = []
    edge: list[Node] = []
    seen = set(stop)
    for y in ys:
        if y not in seen:
            seen.add(y)
            (edge if y.rule is None or y.order < low else nodes).append(y)
    for v in nodes:  # which grows meanwhile
        for x in v.inputs:
            if x not in seen:
                seen.add(x)
                (edge if x.rule is None or x.order < low else nodes).append(x)
    nodes.sort(key=by_order, reverse=True)
    return nodes, edge


BOUNDARY, CLOSED = (Form(None, (0,), lambda g, y, args: g, lambda y, args, ts: ts[0]) for _ in range(2))
SPENT = Form(None, (), lambda g, y, args: (), lambda y, args, ts: None)
"""The forms of a fresh Variable that a function is differentiated with respect to, while the function runs and after.
Their rule is the identity's."""
