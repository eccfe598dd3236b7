"""`vmap`: a function of one example as a function of a batch, by one walk over its recorded graph.

The function is recorded once, on the first example. Then each operation runs once on all examples, the batch as
leading axis: elementwise operations align ranks, linear ones shift the axes and shapes among their statics, stacked
linear algebra takes the axis as it is; whatever is left runs in a loop over the examples, which is always right.
Imports core, recording.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.absorbing import absorb, has_nan
from ..core.backward import within
from ..core.graph import Node, Parts
from ..core.kinds import pick
from ..core.rule import TABLE
from ..core.tree import flatten
from .gradient import left
from .recording import Recorded, operands

__all__ = ["vmap"]

AXES = frozenset(("axis", "axis1", "axis2", "source", "destination", "start"))
SHAPES = frozenset(("shape",))
HARMLESS = frozenset(("keepdims", "ddof", "k", "offset", "matrix"))


def vmap(
    f: Callable[..., Any], in_axes: int | Sequence[int | None] | None = 0, out_axes: int = 0
) -> Callable[..., Any]:
    """The function that applies `f` to every example along an axis of its arguments.

    Parameters
    ----------
    f : callable
        A function of one example; its value an array, or nested dicts, lists and tuples of them. It may not branch on
        values.
    in_axes : int, None, or a sequence of them
        For each argument the axis of the examples, None for an argument that is the same in all.
    out_axes : int
        Where the axis of the examples is put in the value.

    Returns
    -------
    callable

    Raises
    ------
    TypeError
        If `f` branches on a value: write np.where there.
    ValueError
        If the arguments have different numbers of examples, or none.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> X, w = np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0])
    >>> bb.vmap(bb.grad(lambda w, x: np.sum(w * x) ** 2), in_axes=(None, 0))(w, X).tolist()
    [[0.0, 4.0], [32.0, 48.0], [112.0, 140.0]]
    """

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__"), updated=())
    def batched(*args: Any) -> Any:
        per_argument = (in_axes,) * len(args) if in_axes is None or isinstance(in_axes, int) else tuple(in_axes)
        if len(per_argument) != len(args):
            raise ValueError(f"in_axes has {len(per_argument)} entries for {len(args)} arguments")
        firsts, wholes, n = [], [], None
        for arg, axis in zip(args, per_argument, strict=True):
            leaves, rebuild = flatten(arg)
            leaves = [v if isinstance(v, Node) else np.asarray(v) for v in leaves]
            if axis is None:
                firsts.append(arg)
                wholes.append([(v, False) for v in leaves])
                continue
            moved = [np.moveaxis(v, axis, 0) for v in leaves]
            for v in moved:
                if n not in (None, v.shape[0]):
                    raise ValueError(f"the arguments of vmap have {n} and {v.shape[0]} examples: they must be equal")
                n = v.shape[0]
            if n == 0:
                raise ValueError("vmap of no examples: the function cannot be recorded; test for an empty batch first")
            firsts.append(rebuild([v[0] for v in moved]))
            wholes.append([(v, True) for v in moved])
        if n is None:
            raise ValueError("vmap needs an argument with an axis of examples: in_axes is None everywhere")
        leaves = [w for whole in wholes for w in whole]
        recorded = Recorded(f, firsts, "vmap")
        values = run(recorded, leaves, n)
        if any([has_nan(v) for v, _ in values if isinstance(v, (np.ndarray, np.generic, Node))]):
            recorded = Recorded(f, firsts, "vmap", absorbing=True)
            values = run(recorded, leaves, n)
        tracked = [y for y in recorded.outputs if isinstance(y, Node) and y.order]
        nested = any(isinstance(w, Node) and w.order for w, _ in leaves)
        nested = nested or (bool(tracked) and within(tracked, recorded.inputs)[2])
        out = []
        for value, spread in values:
            whole = value if spread else np.broadcast_to(value, (n, *np.shape(value)))
            out.append(left(np.moveaxis(whole, 0, out_axes) if out_axes else whole, nested))
        return recorded.rebuild(out)

    return batched


def run(recorded: Recorded, leaves: list[tuple[Any, bool]], n: int) -> list[tuple[Any, bool]]:
    """The results of a recorded function for all examples, and whether the examples differ in each."""
    found: dict[Node, tuple[Any, bool]] = dict(zip(recorded.inputs, leaves, strict=True))
    with np.errstate(all="ignore"):  # as derivatives do: which operation is one cannot be seen here
        for v in recorded.nodes:
            found[v] = over_all(v, found, n)
    return [found.get(y, (y, False)) if isinstance(y, Node) else (y, False) for y in recorded.outputs]


def over_all(v: Node, found: dict[Node, tuple[Any, bool]], n: int) -> tuple[Any, bool]:
    """The value of one operation for all examples, and whether they differ in it."""
    rule = v.rule.rule
    pairs = operands(v, lambda x: found.get(x, (x, False)))
    where = {i for i, x in zip(v.rule.where, v.inputs, strict=True) if found.get(x, (x, False))[1]}
    args = [a[0] if i in v.rule.where else a for i, a in enumerate(pairs)]
    if not where:
        return _called(rule, args), False
    if rule.kind == "elementwise" or (rule.kind == "constant" and isinstance(rule.func, np.ufunc)):
        ranks = [np.ndim(a) for a in v.values[: rule.operands]]
        rank = max(ranks)
        return _called(rule, [aligned(a, ranks[i], rank) if i in where else a for i, a in enumerate(args)]), True
    one_call: Callable[..., Any] = rule.batch if callable(rule.batch) else BY_FUNCTION.get(rule.func, by_names)
    out = one_call(rule, args, where, v, n)
    if out is NotImplemented:
        out = looped(rule, args, where, n)
    return out, True


def _called(rule: Any, args: Sequence[Any]) -> Any:
    out = rule(*args) if callable(rule) else rule.run(*args)
    return Parts(out) if isinstance(out, tuple) else out


def aligned(a: Any, rank: int, to: int) -> Any:
    """A batch of arrays of `rank` axes as a batch of arrays of `to` axes, for broadcasting."""
    return a if rank == to else np.reshape(a, (a.shape[0], *(1,) * (to - rank), *a.shape[1:]))


def looped(rule: Any, args: list[Any], where: set[int], n: int) -> Any:
    """One call an example."""
    calls = [_called(rule, [(_example(a, k) if i in where else a) for i, a in enumerate(args)]) for k in range(n)]
    if isinstance(calls[0], Parts):
        return Parts(np.stack(list(ps)) for ps in zip(*calls, strict=True))
    return np.stack(calls)


def _example(a: Any, k: int) -> Any:
    return Parts(p[k] for p in a) if isinstance(a, Parts) else a[k]


def by_names(rule: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
    """Linear functions of one operand whose statics are axes and shapes; linear algebra that stacks."""
    if rule is pick:
        return args[0][args[1]]
    if rule.kind == "general" and rule.batch == "stacks" and where == set(range(rule.operands)):
        return _called(rule, args)
    if rule.kind != "linear" or rule.variadic or where != {0} or isinstance(args[0], Parts):
        return NotImplemented
    rank = np.ndim(v.values[0])
    moved = [args[0]]
    for name, a in zip(rule.parameters[1:], args[1:], strict=True):
        if name in AXES:
            if a is None:
                if "keepdims" not in rule.parameters:
                    return NotImplemented
                a = tuple(range(1, rank + 1))
            elif isinstance(a, (tuple, list)):
                a = tuple(k if k < 0 else k + 1 for k in a)
            else:
                a = a if a < 0 else a + 1
        elif name in SHAPES and isinstance(a, (tuple, list, int)):
            a = (n, *a) if isinstance(a, (tuple, list)) else (n, a)
            if rule.func is np.broadcast_to:
                moved[0] = aligned(args[0], rank, len(a) - 1)
        elif name == "axes" and rule.func is np.transpose:
            a = (0, *range(rank, 0, -1)) if a is None else (0, *(k % rank + 1 for k in a))
        elif name not in HARMLESS:
            return NotImplemented
        moved.append(a)
    return _called(rule, moved)


def is_identity(a: Any) -> bool:
    """Whether these are the columns of a whole Hessian or Jacobian: all unit vectors."""
    return isinstance(a, np.ndarray) and a.ndim == 2 and a.shape[0] == a.shape[1] and bool((a == np.eye(len(a))).all())


def matmul(rule: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
    """Vectors become one-row or one-column matrices, stacks align."""
    a, b = args
    ra, rb = (np.ndim(x) for x in v.values)
    if where == {1} and (ra, rb) == (2, 1):  # one matrix and a batch of vectors: one product of matrices
        rows = np.swapaxes(a, 0, 1)
        return rows if is_identity(b) else np.matmul(b, rows)
    if where == {0} and (ra, rb) == (1, 2):
        return np.matmul(a, b)
    rank = max(ra, rb, 2)
    if ra == 1:
        a = np.expand_dims(a, -2)
    if rb == 1:
        b = np.expand_dims(b, -1)
    a = aligned(a, max(ra, 2), rank) if 0 in where else a
    b = aligned(b, max(rb, 2), rank) if 1 in where else b
    y = np.matmul(a, b)
    y = np.squeeze(y, -2) if ra == 1 else y
    return np.squeeze(y, -1) if rb == 1 else y


def where_(rule: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
    """All operands aligned, as in an elementwise function."""
    rank = max(np.ndim(a) for a in v.values)
    return _called(rule, [aligned(a, np.ndim(v.values[i]), rank) if i in where else a for i, a in enumerate(args)])


def getitem(rule: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
    """A basic index behind the batch; others one example at a time."""
    index = args[1]
    if where != {0} or not basic(index):
        return NotImplemented
    return _called(rule, [args[0], (slice(None), *(index if isinstance(index, tuple) else (index,))), *args[2:]])


def scatter(rule: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
    """The transpose of that."""
    index, shape = args[1], args[2]
    if where != {0} or not basic(index):
        return NotImplemented
    return _called(rule, [args[0], (slice(None), *(index if isinstance(index, tuple) else (index,))), (n, *shape)])


def basic(index: Any) -> bool:
    """Whether an index is made of integers, slices, None and Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        i is None or i is Ellipsis or (isinstance(i, (int, slice, np.integer)) and not isinstance(i, bool))
        for i in parts
    )


BY_FUNCTION: dict[Any, Callable[..., Any]] = {np.matmul: matmul, np.where: where_, absorb: where_}
"""Functions whose batch needs more than their names say. The rules of getitem and scatter join by name below."""


def _by_rule_name() -> None:
    for rule in TABLE:
        if rule.name in ("getitem", "scatter"):
            BY_FUNCTION[rule.func] = {"getitem": getitem, "scatter": scatter}[rule.name]


_by_rule_name()
