"""A recorded result with parts of its graph replaced: the stable forms, and what takes the place of other nodes.

A pattern is itself a small graph; it is laid over the graph from its last operation down. A node that is replaced stays
for whoever else uses it. Imports stable_forms.py, and core.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.backward import within
from ..core.graph import Node, Parts, history, now
from ..core.modes import Here, mode
from ..core.tree import flatten
from ..core.variable import Variable
from .constants import identity
from .stable_forms import OF_NUMPY, SCIPY, of_scipy

__all__ = ["Stable", "recorded_again"]


class Stable:
    """What is done to the result of a function without rows, before a derivative of it is recorded.

    Parameters
    ----------
    n : int
        The number of rows, over which sums stay sums: they are one pass. 0 if there are none.
    """

    def __init__(self, n: int = 0) -> None:
        self.n = n
        self.table: dict[Any, list[tuple[Node, Any]]] = {}
        self.kinds: dict[Any, bool] = {}

    def __call__(self, out: Any, leaves: Sequence[Node]) -> Any:
        """`out` in stable forms, as far as it was computed after `leaves`."""
        ys, rebuild = flatten(out)
        tracked = [y for y in ys if isinstance(y, Node) and y.order]
        if not tracked or not leaves:
            return out
        nodes = within(tracked, list(leaves))[0]
        names = {v.rule.name for v in nodes if _rule(v) is not None}
        if not names & SEEDS:
            return out
        self.table = patterns(bool(names & SCIPY))
        with np.errstate(all="ignore"):  # as derivatives do
            instead = self._settled(nodes)
        self.kinds.clear()
        return rebuild([instead.get(y, y) if isinstance(y, Node) else y for y in ys]) if instead else out

    whole = __call__

    def _settled(self, nodes: list[Node]) -> dict[Node, Any]:
        """What takes the place of which of `nodes`, newest first."""
        instead: dict[Node, Any] = {}
        table = self.table
        for v in reversed(nodes):
            w = recorded_again(v, instead) if instead else v
            if _function(w) in table:
                w = self._form(w)
            if w is not v:
                instead[v] = w
        return instead

    def _form(self, v: Any) -> Any:
        """The stable form of a node, itself settled; the node where there is none."""
        if not isinstance(v, Node) or isinstance(v._data, Parts):
            return v
        below = {_function(x) for x in v.inputs}
        for pattern, form in self.table.get(_function(v), ()):
            if not _below(pattern) <= below:
                continue
            for found in self._matches(pattern, v, Found()):
                since = now()
                if not found.exponential():
                    continue
                y = form(*[found.bound[x] for x in _operands(pattern)], *found.statics)
                if isinstance(y, Node) and y._data.shape == v._data.shape and y._data.dtype == v._data.dtype:
                    if y.order < since:
                        return y
                    instead = self._settled(history([y], since)[0])
                    return instead.get(y, y)
        return v

    def _matches(self, p: Any, u: Any, found: "Found") -> Iterator["Found"]:
        """The ways in which a pattern lies on what is there."""
        if not isinstance(p, Node):
            if not isinstance(u, Node) and _equal(p, u):
                yield found
            return
        if p.rule is None:
            if p in found.bound:
                if _same(found.bound[p], u):
                    yield found
            elif p.name not in KINDS or self._is(u, KINDS[p.name]):  # type: ignore[attr-defined]
                yield found.with_bound(p, u)
            return
        rule = _rule(u)
        if rule is None or _function(u) is not _function(p) or self._over_rows(u):
            return
        mine, theirs = _arguments(p), _arguments(u)
        if len(mine) != len(theirs):
            return
        k = rule.operands
        if rule.kind == "elementwise":
            k = len(mine)
        found = found.with_statics(theirs[k:])
        yield from self._each(mine[:k], theirs[:k], found)
        if rule.name in ("add", "multiply"):
            yield from self._each(mine[:k], theirs[k - 1 :: -1], found)

    def _is(self, u: Any, kind: frozenset[str]) -> bool:
        """Whether a value is of a kind, looked into once."""
        if not isinstance(u, Node):
            return _kind(u, kind, self.n)
        key = u, kind
        if key not in self.kinds:
            self.kinds[key] = _kind(u, kind, self.n)
        return self.kinds[key]

    def _each(self, ps: Sequence[Any], us: Sequence[Any], found: "Found") -> Iterator["Found"]:
        if not ps:
            yield found
            return
        for one in self._matches(ps[0], us[0], found):
            yield from self._each(ps[1:], us[1:], one)

    def _over_rows(self, u: Node) -> bool:
        return _adds_rows(u, self.n)


class Found:
    """What the names of a pattern stand for, and the statics met on the way."""

    __slots__ = ("bound", "statics")

    def __init__(self, bound: dict[Node, Any] | None = None, statics: tuple[Any, ...] = ()) -> None:
        self.bound, self.statics = bound or {}, statics

    def with_bound(self, p: Node, u: Any) -> "Found":
        """The same, with one more name."""
        return Found({**self.bound, p: u}, self.statics)

    def exponential(self) -> bool:
        """Whether there is an exponential in what has to be a sum of them; a share alone has no need of a logarithm."""
        given = [u for p, u in self.bound.items() if p.name in ("p", "q")]  # type: ignore[attr-defined]
        nodes = [u for u in given if isinstance(u, Node)]
        return not given or any(_rule(v) is not None and v.rule.name == "exp" for v in history(nodes)[0])

    def with_statics(self, more: Sequence[Any]) -> "Found":
        """The same, with statics."""
        return Found(self.bound, (*self.statics, *more))


SEEDS = frozenset(["exp", "log", "log1p", "expm1", "share", "expit", "ndtr", "erf", "erfc", "gamma", "std"])
"""Functions of which every pattern, or what it is about, has one."""

EXPONENTIALS = frozenset(["exp", "share", "expit", "add", "multiply", "sum", "getitem", "reshape", "expand_dims"])
POSITIVE = EXPONENTIALS | {"ndtr", "divide", "prod"}
KINDS = {"p": EXPONENTIALS, "q": EXPONENTIALS, "u": POSITIVE, "v": POSITIVE}
"""Names in patterns that stand for values made by these functions and positive constants only."""


def _kind(u: Any, kind: frozenset[str], n: int) -> bool:
    """Whether a value is made by functions of a kind, and not a constant alone where it is a node."""
    stack, seen = [u], set()
    while stack:
        x = stack.pop()
        if not isinstance(x, Node):
            if (
                not isinstance(x, (int, float, np.ndarray, np.generic))
                or np.size(x) != 1
                or not np.all(np.greater(x, 0))
            ):
                return False
            continue
        if x in seen:
            continue
        seen.add(x)
        rule = _rule(x)
        if rule is None or rule.name not in kind or _adds_rows(x, n) or len(seen) > 64:
            return False
        if rule.name not in ("exp", "share", "expit", "ndtr"):
            stack += _arguments(x)[: rule.operands]
    return True


def _adds_rows(u: Node, n: int) -> bool:
    """Whether a node adds up rows: a sum that a pass over the rows is for."""
    return bool(n) and _rule(u).name == "sum" and n in u.values[0].shape and n not in np.shape(u._data)


def _rule(v: Any) -> Any:
    """The rule of the table a node was recorded by; None of what is no operation of it."""
    if not isinstance(v, Node) or not v.order or not v.inputs:
        return None
    rule = getattr(v.rule, "rule", None)
    return None if rule is v.rule or getattr(rule, "kind", "function") == "function" else rule


def _function(v: Any) -> Any:
    """The function a node was recorded from: the same, though somebody declares its rule again."""
    rule = _rule(v)
    return rule if rule is None or rule.func is None else rule.func


def _arguments(v: Node) -> list[Any]:
    """The arguments of a node, its tracked inputs among them."""
    args = list(v.values)
    for i, x in zip(v.rule.where, v.inputs, strict=True):
        args[i] = x
    return args


def _equal(a: Any, b: Any) -> bool:
    """Whether two constants are the same number."""
    try:
        return np.size(b) == 1 and bool(np.all(np.equal(a, b)))
    except TypeError:
        return False


def _same(a: Any, b: Any) -> bool:
    """Whether two values are computed in the same way from the same."""
    stack, seen = [(a, b)], set()
    while stack:
        a, b = stack.pop()
        if a is b or (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        rule = _rule(a)
        if rule is None or rule is not _rule(b) or a.rule.where != b.rule.where or len(seen) > 4096:
            return False
        for x, y in zip(_arguments(a), _arguments(b), strict=True):
            if isinstance(x, Node) and isinstance(y, Node):
                stack.append((x, y))
            elif isinstance(x, Node) or isinstance(y, Node) or not (x is y or identity(x) == identity(y)):
                return False
    return True


def recorded_again(v: Node, instead: dict[Node, Any]) -> Any:
    """A node on what has taken the place of its inputs; itself where nothing has."""
    new = [instead.get(x, x) for x in v.inputs]
    if all(a is b for a, b in zip(new, v.inputs, strict=True)):
        return v
    args = list(v.values)
    for i, x in zip(v.rule.where, new, strict=True):
        args[i] = x
    y = v.rule.rule(*args)
    return y[0].inputs[0] if isinstance(v._data, Parts) else y


@functools.cache
def _below(pattern: Node) -> frozenset[Any]:
    """The functions whose results a pattern's last operation takes."""
    return frozenset([_function(x) for x in pattern.inputs if x.rule is not None])


def _operands(pattern: Node) -> list[Node]:
    """The names of a pattern, in the order of its line."""
    return sorted({x for v in history([pattern])[0] for x in v.inputs if x.rule is None}, key=lambda x: x.order)


@functools.cache
def patterns(scipy: bool) -> dict[Any, list[tuple[Node, Any]]]:
    """The table, each line's pattern recorded, by the rule it ends with; SciPy's lines only if `scipy`."""
    if scipy:
        found = {root: list(those) for root, those in patterns(False).items()}
        more = of_scipy()
    else:
        found, more = {}, OF_NUMPY
    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(all="ignore"))
        for name in ("paused", "checking", "tracing", "looking", "rewriting", "absorbing"):
            stack.enter_context(mode(name, getattr(Here, name)))
        for pattern, form, _ in more:
            code = pattern.__code__
            names = [Variable(np.full(2, 0.5), name) for name in code.co_varnames[: code.co_argcount]]
            y = pattern(*names)
            found.setdefault(_function(y), []).append((y, form))
    return found
