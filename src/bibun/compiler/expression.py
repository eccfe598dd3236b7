"""Expressions: what one row, or one number, of a program computes, as a graph of named operations on single numbers.

The recorded graph speaks of arrays; here every array has been taken apart. Equal expressions are the same object, so
what is computed twice is written once, and what is exact in algebra is done on the way in. An operation is a name: that
of the rule it was recorded by, or, after `scalar_math.lowered`, one that a kernel knows how to write. Imports NumPy.
"""

import math
import operator
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["BOOLEAN", "LEAVES", "Expression", "Expressions", "ordered"]

LEAVES = frozenset({"number", "column", "predictor", "input"})
"""The operations that read instead of compute: a constant, a value of the row, what parameters give it, an input."""

BOOLEAN = frozenset(
    ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
    + ["logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite", "signbit"]
)
"""The operations whose value is true or false."""

COMMUTATIVE = frozenset(
    ["add", "multiply", "equal", "not_equal", "logical_and", "logical_or", "logical_xor", "maximum", "minimum"]
)


class Expression:
    """One operation on single numbers.

    Attributes
    ----------
    op : str
    args : tuple
        Expressions, and static arguments (an `int` order) as they are.
    number : float or int
        Of a leaf: the constant, or which column, predictor or input.
    run : callable or None
        The NumPy function of a recorded operation: `run(*args)` over arrays of any shape.
    index : int
        When it was made: an expression is younger than its arguments.
    """

    __slots__ = ("args", "home", "index", "number", "op", "run")
    __array_ufunc__ = None  # NumPy leaves operators to us
    args: tuple[Any, ...]
    home: "Expressions"
    index: int
    number: Any
    op: str
    run: Callable[..., Any] | None

    @property
    def boolean(self) -> bool:
        """Whether the value is true or false."""
        if self.op == "where":
            return bool(self.args[1].boolean and self.args[2].boolean)
        return self.op in BOOLEAN

    def is_number(self, value: float | None = None) -> bool:
        """Whether this is a constant (the constant `value`; -0.0 is not 0.0)."""
        if self.op != "number":
            return False
        return value is None or (self.number == value and math.copysign(1, self.number) == math.copysign(1, value))

    def __repr__(self) -> str:
        if self.op == "number":
            return repr(self.number)
        if self.op in LEAVES:
            return f"{self.op}[{self.number}]"
        return f"{self.op}({', '.join(map(repr, self.args))})"

    def __add__(self, other: Any) -> "Expression":
        return self.home.make("add", self, other)

    def __radd__(self, other: Any) -> "Expression":
        return self.home.make("add", other, self)

    def __sub__(self, other: Any) -> "Expression":
        return self.home.make("subtract", self, other)

    def __rsub__(self, other: Any) -> "Expression":
        return self.home.make("subtract", other, self)

    def __mul__(self, other: Any) -> "Expression":
        return self.home.make("multiply", self, other)

    def __rmul__(self, other: Any) -> "Expression":
        return self.home.make("multiply", other, self)

    def __truediv__(self, other: Any) -> "Expression":
        return self.home.make("divide", self, other)

    def __rtruediv__(self, other: Any) -> "Expression":
        return self.home.make("divide", other, self)

    def __neg__(self) -> "Expression":
        return self.home.make("negative", self)

    def __lt__(self, other: Any) -> "Expression":
        return self.home.make("less", self, other)

    def __le__(self, other: Any) -> "Expression":
        return self.home.make("less_equal", self, other)

    def __gt__(self, other: Any) -> "Expression":
        return self.home.make("greater", self, other)

    def __ge__(self, other: Any) -> "Expression":
        return self.home.make("greater_equal", self, other)


class Expressions:
    """Where expressions live: one table a program, in which equal ones are one object."""

    def __init__(self) -> None:
        self.table: dict[Any, Expression] = {}

    def number(self, value: Any) -> Expression:
        """A constant, in double precision."""
        value = float(value)
        return self._put("number", (), value, None, (repr(value),))

    def leaf(self, op: str, k: int) -> Expression:
        """A column, predictor or input, by its position in the program's list of them."""
        return self._put(op, (), k, None, (k,))

    def make(self, op: str, *args: Any, run: Callable[..., Any] | None = None) -> Expression:
        """An operation on expressions and Python numbers; `int` arguments of functions with an order stay ints.

        Exact algebra is done here: nothing that could change a bit of a result, a zero's sign or a NaN included.
        """
        plain = _PLAIN.get(op)
        operands = args
        for a in args:
            if a.__class__ is not Expression:  # few programs have constants everywhere
                kinds = (float, np.floating) if plain is None else (float, int, np.floating, np.integer)
                operands = tuple(self.number(a) if isinstance(a, kinds) else a for a in args)
                break
        if plain is not None:
            simple = plain(self, *operands)
            if simple is not None:
                return simple
        if run is not None and all(not isinstance(a, Expression) or a.op == "number" for a in operands):
            with np.errstate(all="ignore"):
                value = run(*(a.number if isinstance(a, Expression) else a for a in operands))
            if op not in BOOLEAN:
                return self.number(value)
        if op in COMMUTATIVE and operands[0].index > operands[1].index:
            operands = (operands[1], operands[0])
        return self._put(op, operands, None, run, operands)

    def _put(self, op: str, args: tuple[Any, ...], number: Any, run: Any, key: tuple[Any, ...]) -> Expression:
        found = self.table.get((op, key))
        if found is None:
            found = self.table[(op, key)] = object.__new__(Expression)
            found.op, found.args, found.number, found.run = op, args, number, run
            found.index, found.home = len(self.table), self
        return found


def ordered(roots: Iterable[Expression], known: Container[Expression] = ()) -> list[Expression]:
    """The expressions behind `roots`, each after its arguments; those that are known, and what is behind them, not."""
    stack = [e for e in roots if e not in known]
    seen = set(stack)
    while stack:
        for a in stack.pop().args:
            if a.__class__ is Expression and a not in seen and a not in known:
                seen.add(a)
                stack.append(a)
    return sorted(seen, key=operator.attrgetter("index"))


def numbers(args: Sequence[Expression]) -> bool:
    """Whether all are constants."""
    return all(a.op == "number" for a in args)


_REDUCIBLE = frozenset({"number", "negative"})
"""What a sum, difference, product or quotient must have an operand of, for algebra to apply."""


def _add(home: Expressions, a: Expression, b: Expression) -> Expression | None:
    if a.op not in _REDUCIBLE and b.op not in _REDUCIBLE:
        return None
    if numbers((a, b)):
        return home.number(np.float64(a.number) + b.number)
    for x, y in ((a, b), (b, a)):
        if x.is_number(-0.0):
            return y
        if x.op == "negative":
            return home.make("subtract", y, x.args[0])
    return None


def _subtract(home: Expressions, a: Expression, b: Expression) -> Expression | None:
    if a.op not in _REDUCIBLE and b.op not in _REDUCIBLE:
        return None
    if numbers((a, b)):
        return home.number(np.float64(a.number) - b.number)
    if b.is_number(0.0):
        return a
    if a.is_number(-0.0):
        return home.make("negative", b)
    return home.make("add", a, b.args[0]) if b.op == "negative" else None


def _multiply(home: Expressions, a: Expression, b: Expression) -> Expression | None:
    if a.op not in _REDUCIBLE and b.op not in _REDUCIBLE:
        return None
    if numbers((a, b)):
        with np.errstate(all="ignore"):
            return home.number(np.float64(a.number) * b.number)
    for x, y in ((a, b), (b, a)):
        if y.boolean:
            continue
        if x.is_number(1.0):
            return y
        if x.is_number(-1.0):
            return home.make("negative", y)
        if x.op == "negative":
            return home.make("negative", home.make("multiply", x.args[0], y))
    return None


def _divide(home: Expressions, a: Expression, b: Expression) -> Expression | None:
    if a.op not in _REDUCIBLE and b.op not in _REDUCIBLE:
        return None
    if numbers((a, b)):
        with np.errstate(all="ignore"):
            return home.number(np.float64(a.number) / b.number)
    if b.is_number(1.0) and not a.boolean:
        return a
    if b.op == "number" and abs(math.frexp(b.number)[0]) == 0.5 and abs(math.frexp(b.number)[1]) < 1000:
        return home.make("multiply", a, home.number(1 / b.number))  # a power of two: its reciprocal is exact
    if a.op == "negative":
        return home.make("negative", home.make("divide", a.args[0], b))
    return None


def _negative(home: Expressions, a: Expression) -> Expression | None:
    if a.op == "number":
        return home.number(-a.number)
    return a.args[0] if a.op == "negative" else None


def _absolute(home: Expressions, a: Expression) -> Expression | None:
    if a.op == "number":
        return home.number(abs(a.number))
    if a.op == "negative":
        return home.make("absolute", a.args[0])
    if a.op == "subtract" and a.args[0].index > a.args[1].index:  # |a - b| is |b - a|
        return home.make("absolute", home.make("subtract", a.args[1], a.args[0]))
    return a if a.op == "absolute" else None


def _where(home: Expressions, c: Expression, a: Expression, b: Expression) -> Expression | None:
    if a is b:
        return a
    return (a if c.number else b) if c.op == "number" else None


_PLAIN: dict[str, Callable[..., Expression | None]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "absolute": _absolute,
    "where": _where,
    **dict.fromkeys(
        [
            "equal",
            "not_equal",
            "less",
            "less_equal",
            "greater",
            "greater_equal",
            "maximum",
            "minimum",
            "sqrt",
            "exp",
            "log",
            "power",
        ],
        lambda home, *args: None,
    ),
}
"""Operations on plain numbers: a Python int among their arguments is a number too; and what algebra knows of them."""
