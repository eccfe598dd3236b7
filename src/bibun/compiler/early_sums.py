"""Sums taken before what is linear instead of after it: the sum of a product of matrices is a product with a sum.

Exact in algebra; in numbers, other terms are added first. A line a rule, in `early`. Imports nothing of bibun.
"""

import copy
from typing import Any

__all__ = ["early_sums"]


def early_sums(steps: list[Any], kept: set[int], size: int) -> tuple[list[Any], int]:
    """The same steps, with sums as early as they can be.

    Parameters
    ----------
    steps : list
        In an order in which they can be run.
    kept : set of int
        The slots that are read after all steps.
    size : int
        How many slots there are.

    Returns
    -------
    steps, size
        With as many slots more as are needed.
    """
    readers: dict[int, int] = {}
    for step in steps:
        for k in step.reads():
            readers[k] = readers.get(k, 0) + 1
    maker = {s.out: s for s in steps if hasattr(s, "traced")}
    instead: dict[int, list[Any]] = {}
    gone: set[int] = set()
    for step in steps:
        if getattr(step, "name", "") != "sum" or not step.slots:
            continue
        total, after = step, list[Any]()
        while (
            (x := maker.get(total.slots[0][1])) is not None
            and readers[x.out] == 1 and x.out not in kept
            and (found := _early(total, x, size)) is not None
        ):  # fmt: skip
            total, late = found
            gone.add(x.out)
            after += late
            size += 1
        if after:
            instead[step.out] = [total, *after[::-1]]
    out = []
    for step in steps:
        k = getattr(step, "out", -1)
        if k not in gone:
            out += instead.get(k, [step])
    return out, size


def _early(total: Any, x: Any, slot: int) -> tuple[Any, list[Any]] | None:
    """A sum of what `x` is made of, into `slot`, and what has still to be done with it to have the sum of `x`."""
    if x.traced.dtype != "f8" or any(g is not None and g[1] != "f8" for g in x.traced.given):
        return None
    if x.name == "negative":
        return _call(total, total.arguments, [(0, x.slots[0][1])], slot, x.traced.given, total.traced.shape), [
            _call(x, x.arguments, [(0, slot)], total.out, [(total.traced.shape, x.traced.dtype)], total.traced.shape)
        ]
    slots, ndim = dict(x.slots), len(x.traced.shape)
    if x.name == "matmul" and total.arguments[1] is not None and ndim > 1:
        axes = total.arguments[1] if isinstance(total.arguments[1], tuple) else (total.arguments[1],)
        for axis, i in ((-1, 1), (-2, 0)):
            if {a % ndim for a in axes} != {axis % ndim} or i not in slots or len(x.traced.given[i][0]) != ndim:
                continue
            if len(x.traced.given[1 - i][0]) != ndim:
                continue
            given, one = x.traced.given[i], list(x.traced.given[i][0])
            one[axis] = 1
            shape = list(x.traced.shape)
            shape[axis] = 1
            first = _call(total, [None, (axis,), True], [(0, slots[i])], slot, [given, None, None], tuple(one))
            pair = [g if j != i else (tuple(one), given[1]) for j, g in enumerate(x.traced.given)]
            places = [(j, slot if j == i else k) for j, k in x.slots]
            product = _call(x, x.arguments, places, x.out, pair, tuple(shape))
            last = _call(
                total,
                total.arguments,
                total.slots,
                total.out,
                [(tuple(shape), given[1]), None, None],
                total.traced.shape,
            )
            return first, [last, product]
    return None


def _call(call: Any, arguments: Any, slots: Any, out: int, given: Any, shape: tuple[int, ...]) -> Any:
    """A call of the same function with other arguments."""
    call = copy.copy(call)
    call.arguments, call.slots, call.out = list(arguments), list(slots), out
    call.traced = copy.copy(call.traced)
    call.traced.given, call.traced.shape = list(given), shape
    return call
