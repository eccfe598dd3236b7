"""The vocabulary of derivatives: six words, each declaring one function completely and registering what answers for it.

`elementwise`, `linear`, `multilinear`, `general`, `composite`, `constant`. Imports the kinds and the lanes.
"""

import functools
from collections.abc import Callable
from typing import Any

from ..typing import Run
from . import dispatch
from .absorbing import Absorbing
from .elementwise import Elementwise
from .graph import Node
from .kinds import Composite, Constant, General, Linear, Multilinear
from .modes import here, modes
from .record import lane_linear, lane_one, lane_two, record
from .rule import Rule

__all__ = ["composite", "constant", "elementwise", "general", "linear", "multilinear"]


def elementwise(func: Callable[..., Any], *partials: Any, run: Run | None = None, weak: bool = True, **kw: Any) -> Rule:
    """Declare a function of single elements by its partial derivatives.

    Parameters
    ----------
    func : ufunc or function
    *partials : callable or number or None
        For each operand ∂y/∂x as `f(y, x, …)`; a number if it is one; None if that operand has no derivative.
    run : callable, optional
        Computes the function where `func` is not the quickest to do it (an operator).
    weak : bool
        Whether a Python number beside it may be turned into an array beforehand.
    domain : Domain or tuple of Domain
        Where the laws draw operands from.
    source : str
        Where the formula is from.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.rules import elementwise, positive
    >>> elementwise(np.log, lambda y, x: 1 / x, domain=positive)
    <elementwise rule of log>
    """
    rule = Elementwise(func, partials, run=run, **kw)
    if len(partials) == 1:
        entry: Callable[..., Any] = lane_one(rule, rule.run)
    elif len(partials) == 2 and None not in partials:
        entry = lane_two(rule, rule.run, weak)
    else:
        entry = rule
    dispatch.RULES[func] = entry
    return rule


def linear(func: Callable[..., Any], *transposes: Any, register: bool = True, **kw: Any) -> Rule:
    """Declare a function that is linear in its operands together, by its transpose.

    Parameters
    ----------
    func : function
    *transposes : callable or None
        For each operand `f(g, x, …)`: the cotangent of that operand. Further parameters, with their defaults, are the
        function's statics under NumPy's names. With `joint=True` one callable gives the cotangents of all arguments.
    run : callable, optional
        Computes the function from the rule's own positional arguments.
    cases : list
        Arguments for the laws: `((3, 4), dict(axis=1))`; a tuple of ints is an array of that shape.
    """
    rule = Linear(func, transposes, **kw)
    if register:
        single = len(transposes) == 1 and not rule.variadic
        dispatch.RULES[func] = rule.entry(lane_linear(rule, rule.run) if single else rule)
    return rule


def multilinear(func: Callable[..., Any], *transposes: Any, register: bool = True, **kw: Any) -> Rule:
    """Declare a function that is linear in each operand by itself: one transpose `f(g, a, b, …)` an operand.

    With `joint=True` one callable `f(i, g, …)` gives the cotangent of argument `i`.
    """
    rule = Multilinear(func, transposes, **kw)
    if register:
        pair = len(transposes) == 2 and len(rule.parameters) == 2
        dispatch.RULES[func] = lane_two(rule, rule.run, weak=False) if pair else rule.entry(rule)
    return rule


def general(func: Callable[..., Any], jvp: Any = None, vjp: Any = None, register: bool = True, **kw: Any) -> Rule:
    """Declare any other function by `jvp(t, y, x, …)`, by `vjp(g, y, x, …)`, or by both: one an operand, in a tuple.

    A function with several results says `outputs=` (its named tuple) and reads `g` and `y` as tuples.
    """
    rule = General(func, jvp, vjp, **kw)
    if register:
        dispatch.RULES[func] = rule.entry(rule)
    return rule


def composite(func: Callable[..., Any], definition: Callable[..., Any], **kw: Any) -> Rule:
    """Declare a function by its definition in terms of others; `definition` has NumPy's own signature."""
    rule = Composite(func, run=definition, **kw)
    dispatch.RULES[func] = definition
    return rule


def constant(*functions: Any, of_values: bool = True, **kw: Any) -> None:
    """Declare functions whose derivative is zero: they return plain arrays.

    With `of_values=False` they ask for shapes and types only, which a recorded program may take for granted.
    """
    for func in functions:
        rule = Constant(func, **kw)
        rule.operands = getattr(func, "nin", 1)
        dispatch.RULES[func] = _plain(func, rule, of_values)


def _plain(func: Any, rule: Constant, of_values: bool) -> Callable[..., Any]:
    from_raw = dispatch.raw

    def enter(*args: Any, **kw: Any) -> Any:
        if any([isinstance(x, Absorbing) for x in args]):
            return NotImplemented
        if of_values and modes.on and here.tracing and any([isinstance(x, Node) for x in args]):
            return record(rule.with_keywords(kw), functools.partial(func, **kw), args)
        if not of_values and modes.on and here.looking is not None and args and isinstance(args[0], Node):
            here.looking(args[0])
        return func(*from_raw(args), **{k: from_raw(v) for k, v in kw.items()})

    return enter
