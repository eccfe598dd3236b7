"""Elementwise rules: partial derivatives in, two walks out, written as code.

Imports rule.py. The other kinds are in kinds.py.
"""

import types
from collections.abc import Callable
from typing import Any

from ..typing import Array, Pull, Push
from .broadcast import spread, unbroadcast, zeros_for
from .domains import Domain
from .graph import Form
from .rule import Rule, without

__all__ = ["Elementwise"]


class Elementwise(Rule):
    """Each element of the result depends on one element of each operand: the partial derivatives say everything."""

    kind = "elementwise"
    broadcasts = True

    def __init__(self, func: Callable[..., Any], partials: tuple[Any, ...], **kw: Any) -> None:
        super().__init__(func, **kw)
        self.partials = partials
        self.without = without(partials)
        self.operands = len(partials)
        self.parameters = tuple("xab"[-len(partials) :]) if len(partials) < 3 else tuple("abcdef"[: len(partials)])
        self.reads = any(callable(d) for d in partials)
        if isinstance(self.domain, Domain):
            self.domain = (self.domain,) * len(partials)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        slopes = tuple(_slope(d, len(self.partials)) for d in self.partials)
        pull, push = _written(slopes, where, same)
        names = {f"d{i}": d for i, d in enumerate(self.partials)}
        return _function(pull, names), _function(push, names)

    def twin(self) -> Form:
        product = [_slope(d, 2) for d in self.partials] == ["x1", "x0"]
        return Form(self, (0, 1), _pull_square, _push_square) if product else super().twin()


def _pull_square(g: Array, y: Array, args: Any) -> Any:
    """The cotangents of `x * x`: both halves in one, at one product less."""
    half = g * args[0]
    return half + half, None


def _push_square(y: Array, args: Any, ts: Any) -> Any:
    half = ts[0] * args[0]
    return half + half


def _slope(d: Any, n: int) -> Any:
    """How a partial derivative is written: 1 or -1, a name if it is one of the rule's own arguments, or a call."""
    if not callable(d):
        return d
    code = getattr(d, "__code__", None)
    if code is None or code.co_names:  # it calls something, or reads an attribute
        return "f"
    stands = [object() for _ in range(n + 1)]
    try:
        z = d(*stands)
    except (TypeError, AttributeError, ValueError, NameError):  # NameError: a function declared further down
        return "f"
    names = ["y", *[f"x{i}" for i in range(n)]]
    return next((name for name, stand in zip(names, stands, strict=True) if z is stand), "f")


_CODE: dict[Any, tuple[types.CodeType, types.CodeType]] = {}


def _written(slopes: tuple[Any, ...], where: tuple[int, ...], same: bool) -> tuple[types.CodeType, types.CodeType]:
    """The two walks of an elementwise rule, written out: a slope of 1 multiplies nothing, an equal shape sums nothing.

    Written as source because a loop over operands would cost as much as the arithmetic; rules with the same slopes
    and tracked arguments share the code.
    """
    key = slopes, where, same
    if key not in _CODE:
        names = [f"x{i}" for i in range(len(slopes))]
        unpack = f"    {', '.join(names)}, = args\n"
        reads = any(slopes[i] == "f" or slopes[i] in names for i in where)

        def scaled(g: str, i: int) -> str:
            d = slopes[i]
            call = f"d{i}(y, {', '.join(names)})"
            return g if d == 1 else f"-{g}" if d == -1 else f"{g} * {call if d == 'f' else d}"

        cut = [
            "None" if slopes[i] is None else scaled("g", i) if same else f"cut({scaled('g', i)}, x{i})" for i in where
        ]
        pull = "def pull(g, y, args):\n" + (unpack if reads or not same else "") + f"    return {', '.join(cut)}\n"
        push = "def push(y, args, ts):\n" + (unpack if reads else "")
        tangents = [i for i in where if slopes[i] is not None]
        if len(where) == 1 and tangents:
            push += f"    t, = ts\n    total = {scaled('t', where[0])}\n"
        elif len(where) == 2 and len(tangents) == 2:
            one, two = scaled("s", where[0]), scaled("t", where[1])
            push += f"    s, t = ts\n    total = {one} if t is None else {two} if s is None else {one} + {two}\n"
        else:
            push += "    total = None\n"
            for k, i in enumerate(where):
                if slopes[i] is None:
                    continue
                push += f"    t = ts[{k}]\n    if t is not None:\n"
                push += f"        t = {scaled('t', i)}\n        total = t if total is None else total + t\n"
            push += "    if total is None:\n        return zeros(y)\n"
        push += "    return total" + ("\n" if same else " if total.shape == y.shape else spread(total, y.shape)\n")
        _CODE[key] = _compiled(pull), _compiled(push)
    return _CODE[key]


def _function(code: types.CodeType, names: dict[str, Any]) -> Any:
    own = {"__name__": __name__, "cut": unbroadcast, "spread": spread, "zeros": zeros_for}
    return types.FunctionType(code, {**own, **names})


def _compiled(source: str) -> types.CodeType:
    """The code of the one function that `source` defines."""
    code = compile(source, "<elementwise rule>", "exec").co_consts[0]
    assert isinstance(code, types.CodeType)
    return code
