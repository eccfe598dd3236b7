"""LLVM IR as text: a `Builder` writes the body of one function, in vectors of a machine's width or in single numbers.

The same lines serve every width: with one lane `<8 x double>` is `double`, and a result does not depend on the width by
a bit. Vector functions (vector_math.py, vector_special.py) are registered here with `vector`; `machine.load` makes code
of the text. Imports expression.py, scalar_math.py.
"""

import importlib
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .expression import Expression, ordered
from .scalar_math import PRIMITIVE

__all__ = ["VECTOR", "Builder", "literal", "nonnegative", "vector"]

VECTOR: dict[str, Callable[..., str]] = {}
"""The functions that have vector code: `VECTOR["exp"](builder, x)` writes it and returns its value."""

_COMPARISONS = {
    "equal": "oeq", "not_equal": "une", "less": "olt", "less_equal": "ole", "greater": "ogt", "greater_equal": "oge",
}  # fmt: skip
_LOGICAL = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}
_ARITHMETIC = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv"}
_INTRINSICS = {
    "absolute": "fabs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "roundeven",
    "copysign": "copysign",
}  # fmt: skip
_ZERO = "0x0000000000000000"


def vector(name: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Register `f(builder, *values) -> value` as the vector code of an operation, which is primitive from now on."""

    def register(f: Callable[..., str]) -> Callable[..., str]:
        VECTOR[name] = f
        PRIMITIVE.add(name)
        return f

    return register


def literal(value: float) -> str:
    """A double as IR writes it: by its bits."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Builder:
    """The body of a function under construction.

    Parameters
    ----------
    lanes : int
        How many numbers a value holds. With 1 the types are `double`, `i64` and `i1`, else vectors of them.
    inline : bool
        Whether vector functions are written where they are used; otherwise each becomes an internal function, once.

    Attributes
    ----------
    V, I, M : str
        The types of numbers, integers and truth values.
    lines : list of str
        What was written so far.
    declarations : set of str
        Lines the module needs before its functions.
    functions : dict of str to str
        Internal functions the module needs, by name.
    block : str
        The basic block being written, for the `phi` of whoever opens the next one: a vector function may end in
        another block than it began in.
    shared : dict or None
        What vector functions of one argument have in common (the reduction of sin(x) and cos(x)), for as long as what
        was written before can be used; None where nothing is to be kept. `body` keeps it.
    """

    def __init__(self, lanes: int, inline: bool = True) -> None:
        self.lanes, self.inline = lanes, inline
        self.V, self.I, self.M = (t if lanes == 1 else f"<{lanes} x {t}>" for t in ("double", "i64", "i1"))
        self.suffix = "f64" if lanes == 1 else f"v{lanes}f64"
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        self.functions: dict[str, str] = {}
        self.block = "entry"
        self.shared: dict[Any, Any] | None = None
        self.count = 0

    # --- lines -------------------------------------------------------------------------------------------------------

    def emit(self, line: str) -> None:
        """Write a line."""
        self.lines.append(f"  {line}")

    def value(self, text: str) -> str:
        """Write a line whose result has a new name, and return that."""
        self.count += 1
        self.lines.append(f"  %t{self.count} = {text}")
        return f"%t{self.count}"

    def label(self, stem: str) -> str:
        """A new name for a basic block."""
        self.count += 1
        return f"{stem}{self.count}"

    def start(self, block: str) -> None:
        """Begin a basic block; the one before must have ended with a `br`."""
        self.lines.append(f"{block}:")
        self.block = block

    def module(self, *functions: str) -> str:
        """The text of a module: what was declared, the internal functions, and `functions`."""
        return "\n".join([*sorted(self.declarations), *self.functions.values(), *functions, ""])

    # --- constants ---------------------------------------------------------------------------------------------------

    def number(self, v: float) -> str:
        """A constant, the same in every lane."""
        return literal(v) if self.lanes == 1 else f"splat (double {literal(v)})"

    def integer(self, v: int) -> str:
        """An integer constant, the same in every lane."""
        return str(v) if self.lanes == 1 else f"splat (i64 {v})"

    # --- numbers -----------------------------------------------------------------------------------------------------

    def add(self, a: str, b: str) -> str:
        """a + b."""
        return self.value(f"fadd {self.V} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        """a - b."""
        return self.value(f"fsub {self.V} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        """a b."""
        return self.value(f"fmul {self.V} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        """a / b."""
        return self.value(f"fdiv {self.V} {a}, {b}")

    def neg(self, a: str) -> str:
        """-a: the sign bit turned, a NaN's and a zero's too."""
        return self.value(f"fneg {self.V} {a}")

    def intrinsic(self, name: str, *args: str) -> str:
        """A function of LLVM on numbers: `fma`, `fabs`, `roundeven`, …"""
        types = ", ".join([self.V] * len(args))
        self.declarations.add(f"declare {self.V} @llvm.{name}.{self.suffix}({types})")
        given = ", ".join(f"{self.V} {a}" for a in args)
        return self.value(f"call {self.V} @llvm.{name}.{self.suffix}({given})")

    def fma(self, a: str, b: str, c: str) -> str:
        """a b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def abs(self, a: str) -> str:
        """|a|."""
        return self.intrinsic("fabs", a)

    def sqrt(self, a: str) -> str:
        """The square root."""
        return self.intrinsic("sqrt", a)

    def rint(self, a: str) -> str:
        """The nearest integer, the even one of two."""
        return self.intrinsic("roundeven", a)

    def copysign(self, a: str, b: str) -> str:
        """|a| with the sign of b."""
        return self.intrinsic("copysign", a, b)

    def maximum(self, a: str, b: str) -> str:
        """The larger of two numbers; NaN where one is NaN."""
        return self.select(self.compare("uno", a, a), a, self.larger(a, b))

    def minimum(self, a: str, b: str) -> str:
        """The smaller of two numbers; NaN where one is NaN."""
        return self.select(self.compare("uno", a, a), a, self.smaller(a, b))

    def larger(self, a: str, b: str) -> str:
        """a where a > b, else b (where one is NaN too): one instruction of most machines."""
        return self.value(f"select {self.M} {self.compare('ogt', a, b)}, {self.V} {a}, {self.V} {b}")

    def smaller(self, a: str, b: str) -> str:
        """a where a < b, else b (where one is NaN too)."""
        return self.value(f"select {self.M} {self.compare('olt', a, b)}, {self.V} {a}, {self.V} {b}")

    def polynomial(self, x: str, coefficients: Sequence[float]) -> str:
        """c[0] + c[1] x + c[2] x² + … by Horner's rule."""
        p = self.number(coefficients[-1])
        for c in coefficients[-2::-1]:
            p = self.fma(p, x, self.number(c))
        return p

    def two_chains(self, x: str, square: str, coefficients: Sequence[float]) -> str:
        """The same in two interleaved chains, the even and the odd powers: half the latency for one operation more."""
        even = self.polynomial(square, coefficients[::2])
        return self.fma(self.polynomial(square, coefficients[1::2]), x, even)

    # --- truth values ------------------------------------------------------------------------------------------------

    def compare(self, predicate: str, a: str, b: str) -> str:
        """`fcmp`: olt, ole, ogt, oge, oeq, one are false where one is NaN; ult, …, une, uno true there."""
        return self.value(f"fcmp {predicate} {self.V} {a}, {b}")

    def select(self, mask: str, a: str, b: str) -> str:
        """a where the mask is true, else b.

        Of a single number and a constant it is done by their bits: LLVM would go by half of a register for the mask,
        and every evaluation would wait for the one before.
        """
        constants = [v for v in (a, b) if v.startswith("0x")]
        if self.lanes == 1 and constants and constants != [_ZERO]:
            i, j = (self._bits_of(v) for v in (a, b))
            return self.floating(self.select_integers(mask, i, j))
        return self.value(f"select {self.M} {mask}, {self.V} {a}, {self.V} {b}")

    def _bits_of(self, v: str) -> str:
        return str(struct.unpack("<q", int(v, 16).to_bytes(8, "little"))[0]) if v.startswith("0x") else self.bits(v)

    def both(self, a: str, b: str) -> str:
        """a and b, of masks."""
        return self.value(f"and {self.M} {a}, {b}")

    def either(self, a: str, b: str) -> str:
        """a or b, of masks."""
        return self.value(f"or {self.M} {a}, {b}")

    def inverted(self, a: str) -> str:
        """not a, of a mask."""
        return self.value(f"xor {self.M} {a}, {'true' if self.lanes == 1 else 'splat (i1 true)'}")

    def any(self, mask: str) -> str:
        """Whether the mask is true in a lane: an `i1`."""
        if self.lanes == 1:
            return mask
        bits = self.value(f"bitcast {self.M} {mask} to i{self.lanes}")
        return self.value(f"icmp ne i{self.lanes} {bits}, 0")

    def as_number(self, mask: str) -> str:
        """1 where the mask is true, else 0."""
        return self.select(mask, self.number(1.0), self.number(0.0))

    def as_mask(self, a: str) -> str:
        """Whether a number is not 0 (NaN is not)."""
        return self.compare("une", a, self.number(0.0))

    # --- bits --------------------------------------------------------------------------------------------------------

    def bits(self, a: str) -> str:
        """The bits of a number as an integer."""
        return self.value(f"bitcast {self.V} {a} to {self.I}")

    def floating(self, i: str) -> str:
        """The number with these bits."""
        return self.value(f"bitcast {self.I} {i} to {self.V}")

    def integers(self, op: str, a: str, b: str) -> str:
        """An operation on integers: add, sub, and, or, xor, shl, lshr, ashr."""
        return self.value(f"{op} {self.I} {a}, {b}")

    def compare_integers(self, predicate: str, a: str, b: str) -> str:
        """`icmp`: eq, ne, slt, sle, sgt, sge, ult, …"""
        return self.value(f"icmp {predicate} {self.I} {a}, {b}")

    def select_integers(self, mask: str, a: str, b: str) -> str:
        """a where the mask is true, else b, of integers."""
        return self.value(f"select {self.M} {mask}, {self.I} {a}, {self.I} {b}")

    # --- functions ---------------------------------------------------------------------------------------------------

    def function(self, name: str, *args: Any) -> str:
        """A registered vector function of values and static integers: written here, or called."""
        write = _vector_function(name)
        if self.inline:
            return write(self, *args)
        fixed = {i: a for i, a in enumerate(args) if not isinstance(a, str)}
        if not fixed:
            return self.internal(f"bibun_{name}", write, *args)

        def with_fixed(b: "Builder", *values: str) -> str:
            rest = iter(values)
            return write(b, *(fixed[i] if i in fixed else next(rest) for i in range(len(args))))

        name = "_".join([f"bibun_{name}", *(str(a).replace("-", "m") for a in fixed.values())])
        return self.internal(name, with_fixed, *(a for a in args if isinstance(a, str)))

    def internal(self, name: str, write: Callable[..., str], *args: str, attributes: str = "nounwind") -> str:
        """Call an internal function of numbers, which `write(builder, *values)` writes on its first use."""
        name = f"{name}_{self.lanes}"
        if name not in self.functions:
            inner = Builder(self.lanes)
            inner.declarations, inner.functions = self.declarations, self.functions
            self.functions[name] = ""  # keeps its place before those it calls
            result = write(inner, *(f"%x{i}" for i in range(len(args))))
            parameters = ", ".join(f"{self.V} %x{i}" for i in range(len(args)))
            self.functions[name] = "\n".join(
                [f"define internal {self.V} @{name}({parameters}) {attributes} {{", "entry:", *inner.lines]
                + [f"  ret {self.V} {result}", "}"]
            )
        return self.value(f"call {self.V} @{name}({', '.join(f'{self.V} {a}' for a in args)})")

    def call(self, name: str, *args: str | int) -> str:
        """A C function of doubles, called lane by lane; an `int` argument is the same in every lane."""
        self.declarations.add(f"declare double @{name}({', '.join(['double'] * len(args))})")
        if self.lanes == 1:
            given = [literal(a) if isinstance(a, int) else a for a in args]
            return self.value(f"call double @{name}({', '.join(f'double {a}' for a in given)})")
        result = "poison"
        for i in range(self.lanes):
            given = [
                literal(a) if isinstance(a, int) else self.value(f"extractelement {self.V} {a}, i64 {i}") for a in args
            ]
            y = self.value(f"call double @{name}({', '.join(f'double {a}' for a in given)})")
            result = self.value(f"insertelement {self.V} {result}, double {y}, i64 {i}")
        return result

    def rarely(self, mask: str, usual: str, name: str, write: Callable[..., str], *args: str) -> str:
        """`usual`, but where the mask is true what `write(builder, *args)` writes: code that is jumped over mostly.

        It is an internal function, called where any lane needs it, and marked cold so that registers are saved there
        and not on the usual way.
        """
        slow, after, before = self.label("rare"), self.label("after"), self.block
        self.emit(f"br i1 {self.any(mask)}, label %{slow}, label %{after}")
        self.start(slow)
        found = self.internal(f"bibun_{name}", write, *args, attributes="noinline cold nounwind")
        chosen = self.select(mask, found, usual)
        self.emit(f"br label %{after}")
        self.start(after)
        return self.value(f"phi {self.V} [ {usual}, %{before} ], [ {chosen}, %{slow} ]")

    # --- expressions -------------------------------------------------------------------------------------------------

    def node(self, e: Expression, args: Sequence[Any]) -> str:
        """One primitive operation on values already written; static arguments stand in `args` as they are.

        The result is a mask where `e.boolean`, else numbers. Arguments are what their expressions say, and are
        converted here: a truth value among numbers is 0 or 1, a number asked as a truth value is whether it is not 0.
        """
        op = e.op
        if op == "number":
            return self.number(e.number)
        if op in _LOGICAL:
            a, b = self._masks(e.args, args)
            return self.value(f"{_LOGICAL[op]} {self.M} {a}, {b}")
        if op == "logical_not":
            return self.inverted(*self._masks(e.args, args))
        if op == "where":
            mask = self._masks(e.args[:1], args[:1])[0]
            if e.boolean:
                return self.value(f"select {self.M} {mask}, {self.M} {args[1]}, {self.M} {args[2]}")
            return self.select(mask, *self._numbers(e.args[1:], args[1:]))
        x = self._numbers(e.args, args)
        if op in _ARITHMETIC:
            return self.value(f"{_ARITHMETIC[op]} {self.V} {x[0]}, {x[1]}")
        if op == "negative":
            return self.neg(*x)
        if op in _COMPARISONS:
            return self.compare(_COMPARISONS[op], *x)
        if op in _INTRINSICS:
            return self.intrinsic(_INTRINSICS[op], *x)
        if op in ("maximum", "minimum"):
            return self._extreme(e, *x)
        if op == "isnan":
            return self.compare("uno", x[0], x[0])
        if op == "exp" and e.args[0].op == "negative" and nonnegative(e.args[0].args[0]):
            op = "exp_nonpositive"
        return self.function(op, *x)

    def body(self, roots: Iterable[Expression], leaves: Callable[[Expression], str]) -> list[str]:
        """The values of expressions: every operation behind them once, in order.

        Parameters
        ----------
        roots : iterable of Expression
        leaves : callable
            Gives the value of a leaf other than a number.

        Returns
        -------
        list of str
            A value for each root, a mask where it is boolean.
        """
        roots = list(roots)
        self.shared = {}
        values: dict[Expression, str] = {}
        for e in ordered(roots):
            if e.op != "number" and not e.args:
                values[e] = leaves(e)
            else:
                values[e] = self.node(e, [values[a] if isinstance(a, Expression) else a for a in e.args])
        self.shared = None
        return [values[e] for e in roots]

    def _extreme(self, e: Expression, a: str, b: str) -> str:
        """Maximum or minimum; where one operand is a constant, the other is the only one that can be NaN."""
        if e.args[0].op == "number" and e.args[0].number == e.args[0].number:
            return self.larger(a, b) if e.op == "maximum" else self.smaller(a, b)
        if e.args[1].op == "number" and e.args[1].number == e.args[1].number:
            return self.select(self.compare("oge" if e.op == "maximum" else "ole", b, a), b, a)
        return self.maximum(a, b) if e.op == "maximum" else self.minimum(a, b)

    def _numbers(self, expressions: Sequence[Any], args: Sequence[Any]) -> list[Any]:
        pairs = zip(expressions, args, strict=True)
        return [self.as_number(v) if isinstance(a, Expression) and a.boolean else v for a, v in pairs]

    def _masks(self, expressions: Sequence[Any], args: Sequence[str]) -> list[str]:
        return [v if a.boolean else self.as_mask(v) for a, v in zip(expressions, args, strict=True)]


def nonnegative(e: Expression, depth: int = 4) -> bool:
    """Whether a value is seen to be nonnegative or NaN."""
    if e.op in ("absolute", "sqrt", "exp"):
        return True
    if e.op == "number":
        return bool(e.number >= 0)
    if e.op == "multiply" and e.args[0] is e.args[1]:
        return True
    return e.op in ("add", "multiply", "divide") and depth > 0 and all(nonnegative(a, depth - 1) for a in e.args)


def _vector_function(name: str) -> Callable[..., str]:
    if name not in VECTOR:
        for module in ("vector_math", "vector_trigonometry", "vector_special"):  # they register their functions
            importlib.import_module(f"{__package__}.{module}")
    if name not in VECTOR:
        raise KeyError(f"no kernel can write {name!r}: give it a line in LOWERED, or vector code")
    return VECTOR[name]
