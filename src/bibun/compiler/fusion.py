"""Which calls of a plan become one step: elementwise operations over arrays of one shape, and what is summed of them.

A line about a call in `_member` is what makes a kernel of it. Imports fused_step.py, ordering.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .cells import BITS, PASSED, WHOLE, Unsupported
from .expression import BOOLEAN, Expressions
from .fused_step import SUMS, FusedStep, Member, made
from .ordering import Order
from .scalar_math import lowered

__all__ = ["Traced", "fused", "single"]

FEWEST = 4096
"""Elements, below which an array is left to NumPy."""

WIDEST = 1024
"""Columns of a matrix, up to which a product with it is made row by row."""

TRUTH = BOOLEAN | set(BITS) | {"where"}
"""Operations that may give truth values: sums and products of truth values are something else to NumPy."""


class Traced:
    """What a call was recorded as.

    Attributes
    ----------
    rule : Rule
    shape, dtype : tuple, numpy.dtype
        Of its result.
    given : list
        The shape and dtype of every argument; None of one that is no array, or has several parts.
    """

    __slots__ = ("dtype", "given", "rule", "shape")

    def __init__(self, rule: Any, result: Any, values: Sequence[Any]) -> None:
        self.rule = rule
        self.shape: tuple[int, ...] = getattr(result, "shape", ())
        self.dtype: Any = getattr(result, "dtype", None)
        self.given = [(a.shape, a.dtype) if isinstance(a, (np.ndarray, np.generic)) else None for a in values]


def fused(steps: list[Any], kept: set[int], large: Callable[[tuple[int, ...]], bool]) -> list[Any]:
    """The same steps, those that can be one as one.

    Parameters
    ----------
    steps : list
        In an order in which they can be run.
    kept : set of int
        The slots that are read afterwards.
    large : callable
        Whether arrays of a shape may be worth a kernel.
    """
    known: dict[Any, bool] = {}
    members = [_member(s, large, known) for s in steps]
    if sum(m is not None for m in members) < 2:
        return steps
    turned = {s.out: s.slots[0][1] for s in steps if _turns(s)}

    def closed(inside: list[int], read: set[int]) -> list[Any]:
        """A step of these calls; the calls themselves where it would save nothing."""
        group = [m for i in inside if (m := members[i]) is not None]
        saves = len(group) > 1 and any(m.arrays or m.role == "predictor" for m in group)
        return [FusedStep(group, read, turned)] if saves else [m.call for m in group]

    late = [{m.call.out} if m is not None and m.role in SUMS else set() for m in members]
    return Order(steps, [m and m.shape for m in members], late, kept, closed).made()


def _turns(step: Any) -> bool:
    """Whether a call transposes a matrix."""
    traced: Traced | None = getattr(step, "traced", None)
    if traced is None or traced.rule.name not in ("transpose", "swapaxes") or traced.given[0] is None:
        return False
    (m, _), name, rest = traced.given[0], traced.rule.name, step.arguments[1:]
    if len(m) != 2 or not step.slots:
        return False
    axes = (1, 0) if name == "transpose" and rest[0] is None else rest[0] if name == "transpose" else rest
    return sorted(a % 2 for a in axes) == [0, 1] and (name == "swapaxes" or tuple(a % 2 for a in axes) == (1, 0))


def _member(step: Any, large: Callable[[tuple[int, ...]], bool], known: dict[Any, bool]) -> Member | None:
    """What a call is to a kernel; None where it is nothing."""
    traced: Traced | None = getattr(step, "traced", None)
    if traced is None or traced.dtype is None:
        return None
    rule = traced.rule
    if rule.name in ("sum", "mean", "matmul"):
        return _product(step, traced, large) if rule.name == "matmul" else _total(step, traced, large)
    if not large(traced.shape):
        return None
    if rule.name == "broadcast_to" and rule.kind == "linear":
        alike = traced.dtype == np.float64 and step.slots and _size(traced.given[0]) == 1
        return Member(step, "spread", traced.shape, []) if alike else None
    m = _each(step, traced)
    return m if m is not None and _has_kernel(m, known) else None


def single(step: Any, traced: Traced) -> list[int] | None:
    """Where the numbers are among the arguments of an operation on single elements; None where a call is none.

    It is one in double precision or on truth values.
    """
    rule, dtype = traced.rule, traced.dtype
    plain = rule.kind == "elementwise" or rule.name in ("where", "absorb") or rule.name in PASSED
    constant = rule.kind == "constant" and isinstance(rule.func, np.ufunc) and not getattr(rule.run, "keywords", None)
    if not (plain or constant) or rule.name in WHOLE or rule.name in ("reshape", "broadcast_to"):
        return None
    if dtype != np.float64 and not (dtype.kind == "b" and rule.name in TRUTH):
        return None
    operands = [i for i, g in enumerate(traced.given) if g is not None]
    kinds = [traced.given[i][1] for i in operands]  # type: ignore[index]
    if any(k.kind not in "biuf" or k.itemsize > 8 for k in kinds):
        return None
    if any(not isinstance(a, (int, float, np.generic, np.ndarray, np.dtype, type, type(None))) for a in step.arguments):
        return None
    return operands if _double(rule.name, step.arguments, traced, operands) else None


def _each(step: Any, traced: Traced) -> Member | None:
    """An operation on the elements of arrays of one shape, and on numbers."""
    operands = single(step, traced)
    if operands is None:
        return None
    arrays = [i for i in operands if traced.given[i][0] == traced.shape]  # type: ignore[index]
    if any(_size(traced.given[i]) != 1 for i in operands if i not in arrays):
        return None
    return Member(step, "each", traced.shape, arrays)


def _has_kernel(m: Member, known: dict[Any, bool]) -> bool:
    """Whether a kernel can compute a call."""
    call = m.call
    moving = sorted({*m.arrays, *(i for i, _ in call.slots)})
    key = call.name, tuple(moving), tuple([repr(a) for i, a in enumerate(call.arguments) if i not in moving])
    if key not in known:
        home = Expressions()
        try:
            e = made(call, {i: home.leaf("column", i) for i in moving}, home)
            known[key] = lowered([e]) is not None
        except (Unsupported, AttributeError, TypeError):
            known[key] = False
    return known[key]


def _double(name: str, arguments: Sequence[Any], traced: Traced, operands: list[int]) -> bool:
    """Whether NumPy computes in double precision, or with truth values only."""
    if traced.dtype == np.float64:
        return True
    if name in BITS:
        return all(traced.given[i][1].kind == "b" for i in operands)  # type: ignore[index]
    kinds = [traced.given[i][1] if i in operands else a for i, a in enumerate(arguments)]  # type: ignore[index]
    if name == "where":
        return all(getattr(k, "kind", "") == "b" for k in kinds[1:])
    return bool(np.result_type(*kinds) in (np.float64, np.bool_))


def _total(step: Any, traced: Traced, large: Callable[[tuple[int, ...]], bool]) -> Member | None:
    """A sum, or a mean, of all elements of an array."""
    given = traced.given[0]
    if given is None or given[1] != np.float64 or traced.dtype != np.float64 or not large(given[0]):
        return None
    axes, ndim = step.arguments[1], len(given[0])
    over = range(ndim) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    if traced.shape or {k % ndim for k in over} != set(range(ndim)):
        return None
    return Member(step, traced.rule.name, given[0], [0])


def _product(step: Any, traced: Traced, large: Callable[[tuple[int, ...]], bool]) -> Member | None:
    """A product of a matrix and a vector, one of the two with the elements of the group."""
    a, b = traced.given[:2]
    if a is None or b is None or not a[1] == b[1] == traced.dtype == np.float64:
        return None
    m: Any = a[0]
    n: Any = b[0]
    shape = traced.shape
    if len(m) == len(n) == 1 and large(m):
        return Member(step, "dot", m, [0, 1])
    if len(m) == 2 and len(n) == 1 and large(shape) and n[0] <= WIDEST and n != shape:
        return Member(step, "predictor", shape, [])
    if len(m) == 2 and len(n) == 1 and large(n) and m[0] <= WIDEST:
        return Member(step, "left", n, [1])
    if len(m) == 1 and len(n) == 2 and large(m) and n[1] <= WIDEST:
        return Member(step, "right", m, [0])
    return None


def _size(given: Any) -> int:
    return int(np.prod(given[0], dtype=int)) if given is not None else 1
