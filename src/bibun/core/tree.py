"""Parameters in nested dicts, lists, tuples and dataclasses: taken apart into leaves and put together again.

optree does it; an array or number, or a tuple of them, never loads it. Imports the graph.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import Node

__all__ = ["flatten", "map_leaves"]

_LEAVES = (np.ndarray, float, int, complex, np.generic, Node)
_SPACE = "bibun"
_seen: set[type] = set()


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of `tree`, and the function that puts others in their places.

    A leaf is anything that is not a dict, list, tuple, named tuple, dataclass or None.
    """
    if isinstance(tree, _LEAVES):
        return [tree], _only
    if type(tree) is tuple and all([isinstance(x, _LEAVES) for x in tree]):
        return list(tree), tuple
    import optree

    _register(tree)
    leaves, spec = optree.tree_flatten(tree, namespace=_SPACE)

    def rebuild(values: list[Any]) -> Any:
        return optree.tree_unflatten(spec, values)

    return list(leaves), rebuild


def map_leaves(f: Callable[[Any], Any], tree: Any) -> Any:
    """`tree` with `f` of every leaf in its place."""
    leaves, rebuild = flatten(tree)
    return rebuild([f(x) for x in leaves])


def _only(values: list[Any]) -> Any:
    return values[0]


def _register(tree: Any) -> None:
    """Make the dataclasses in `tree` known to optree: their fields are their children."""
    if isinstance(tree, dict):
        for v in tree.values():
            _register(v)
    elif isinstance(tree, (list, tuple)):
        for v in tree:
            _register(v)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        cls: Any = type(tree)
        names = [f.name for f in dataclasses.fields(cls)]
        for n in names:
            _register(getattr(tree, n))
        if cls not in _seen:
            import optree

            _seen.add(cls)

            def put_together(_: Any, children: Any, cls: Any = cls, names: list[str] = names) -> Any:
                made: Any = object.__new__(cls)  # not __init__: it may check or convert what it is given
                for n, v in zip(names, children, strict=True):
                    object.__setattr__(made, n, v)
                return made

            def take_apart(x: Any, names: list[str] = names) -> Any:
                return tuple(getattr(x, n) for n in names), None

            optree.register_pytree_node(cls, take_apart, put_together, namespace=_SPACE)
