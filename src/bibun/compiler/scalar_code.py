"""IR of straight-line programs: every operation on single numbers once, in pieces that a code generator takes quickly.

What a code generator does grows faster than a function's length, so a long program is cut into functions, and what one
of them needs of another stands in a frame of memory: inputs, kept values, results. Here too is how single numbers make
what vectors cannot: sine and cosine together, and a short way for small angles. Imports expression.py, ir.py,
machine.py.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import machine, vector_trigonometry
from .expression import Expression, ordered
from .ir import Builder, literal
from .scalar_groups import Group, Layout, grouped

__all__ = ["Program", "Store", "program"]

PIECE = 1000
"""How many operations a function holds."""

WHOLE = 500
"""Up to so many operations a program is optimised in full; longer ones are translated one instruction at a time, and
the functions they call, which are optimised, stand in a module of their own, the same for many programs."""

_ARITHMETIC = {"add": "fadd double", "subtract": "fsub double", "multiply": "fmul double", "divide": "fdiv double"}
_OF_ANGLES: dict[str, Callable[[Builder, str, str], str]] = {
    "sin": lambda b, sine, cosine: sine,
    "cos": lambda b, sine, cosine: cosine,
    "tan": lambda b, sine, cosine: b.div(sine, cosine),
}
_PAIR = "{double, double}"
_SMALL = 0.78
"""Safely below an eighth of a turn, where it is a matter of rounding how many quarter turns are nearest."""

Step = Expression | Group
Store = tuple[Expression, int, str]
"""What is stored of a result: its expression, at which byte of the frame, and as what: double or i8."""


@dataclass
class Program:
    """What was written.

    Attributes
    ----------
    run : str
        The module with the function `run(frame)`.
    functions : str
        That with the functions it calls; empty where they are in the first.
    level : int
        How hard the code generator is to try on the first.
    end : int
        The size of the frame in bytes.
    fills : list of (int, float)
        Numbers to stand in the frame, and at which byte.
    """

    run: str
    functions: str
    level: int
    end: int
    fills: list[tuple[int, float]]


def program(stores: Sequence[Store], inputs: int, results: tuple[int, int], kept: int) -> Program:
    """Write the function `run(frame)` of expressions of primitive operations, which says whether a result is NaN.

    Parameters
    ----------
    stores : sequence of (Expression, int, str)
    inputs, kept : int
        At which bytes of the frame the inputs are, and values that one piece leaves for another.
    results : (int, int)
        From which byte to which the results are that may be NaN: whole vectors of a machine's width.

    Returns
    -------
    Program
    """
    order, partners = _in_pairs(grouped([e for e in ordered({e for e, _, _ in stores}) if e.op != "number"]))
    pieces = _cut(order, partners)
    home: dict[Expression, int] = {}
    layout = Layout(kept, {})
    for k, piece in enumerate(pieces):
        for step in piece:
            if isinstance(step, Group):
                layout.lay(step)
                home |= dict.fromkeys(step.members, k)
            else:
                home[step] = k
                if step.op == "input":
                    layout.places[step] = inputs + 8 * step.number
                for a in step.args:  # what is needed by another piece than the one it is computed in is kept
                    if isinstance(a, Expression) and a.op != "number" and home[a] != k:
                        layout.keep(a)
    wanted: list[list[Store]] = [[] for _ in pieces]
    for store in stores:
        wanted[home[store[0]]].append(store)

    module = Builder(1, inline=False)
    texts = []
    for k, piece in enumerate(pieces):
        written = _Piece(module, layout, partners)
        for step in piece:
            written.write(step)
        for e, place, kind in wanted[k]:
            written.store(e, place, kind)
        texts.append(_function(f"define internal void @piece{k}(ptr %frame) nounwind noinline", written.b, "void"))
    calls = [f"  call void @piece{k}(ptr %frame)" for k in range(len(pieces))]
    texts.append(_any_nan(results, calls, module))
    if len(home) <= WHOLE:
        return Program(module.module(*texts), "", 2, layout.end, layout.fills)
    heads = [text.split(" {\n", 1)[0].replace("define internal ", "declare ", 1) for text in module.functions.values()]
    functions = module.module().replace("define internal ", "define ")
    run = "\n".join([*sorted(module.declarations), *heads, *texts, ""])
    return Program(run, functions if heads else "", 0, layout.end, layout.fills)


def _in_pairs(order: Sequence[Step]) -> tuple[list[Step], dict[Step, Expression]]:
    """The same with the sine and the cosine of one number side by side; and of each such sine or cosine the other."""
    turned: dict[Expression, list[Expression]] = {}
    for e in order:
        if isinstance(e, Expression) and e.op in ("sin", "cos"):
            turned.setdefault(e.args[0], []).append(e)
    together: list[Step] = []
    partners: dict[Step, Expression] = {}
    for e in order:
        if isinstance(e, Group) or e.op not in ("sin", "cos"):
            together.append(e)
        elif e not in partners:
            pair = turned[e.args[0]]
            together += pair
            if len(pair) == 2:
                partners |= {pair[0]: pair[1], pair[1]: pair[0]}
    return together, partners


def _cut(order: Sequence[Step], partners: Mapping[Step, Expression]) -> list[list[Step]]:
    """Pieces of nearly equal length, no sine in another than its cosine."""
    count = max(1, math.ceil(len(order) / PIECE))
    ends = [len(order) * k // count for k in range(count + 1)]
    for k, end in enumerate(ends[1:-1], 1):
        if partners.get(order[end - 1]) is order[end]:
            ends[k] += 1
    return [list(order[start:end]) for start, end in itertools.pairwise(ends)]


class _Piece:
    """A function of the program under construction.

    Parameters
    ----------
    module : Builder
        Holds what the functions of the module share.
    layout : Layout
        Where in the frame values are that others than this piece need, or give.
    partners : mapping of Expression to Expression
        The cosine of a sine, the sine of a cosine, where there are both.
    """

    def __init__(self, module: Builder, layout: Layout, partners: Mapping[Step, Expression]) -> None:
        self.b = _beside(module, inline=False)
        self.places, self.copies, self.partners = layout.places, layout.copies, partners
        self.values: dict[Expression, str] = {}

    def write(self, e: Step) -> None:
        """Write an operation, and keep its value where another piece needs it; or write a group of them."""
        if isinstance(e, Group):
            e.write(self.b)
            for member in e.members:
                self.copy(member)
            return
        op = e.op
        if op == "input":
            self.copy(e)
            return
        if e in self.values:
            return
        partner = self.partners.get(e)
        if partner is not None:
            both = turning(self.b, (op, partner.op), self.number(e.args[0]))
            for k, one in enumerate((e, partner)):
                self.keep(one, self.b.value(f"extractvalue {_PAIR} {both}, {k}"))
        elif op in _ARITHMETIC and not e.args[0].boolean and not e.args[1].boolean:  # most of a program: the quick way
            self.keep(e, self.b.value(f"{_ARITHMETIC[op]} {self.value(e.args[0])}, {self.value(e.args[1])}"))
        elif op in _OF_ANGLES:
            self.keep(e, turning(self.b, (op,), self.number(e.args[0])))
        else:
            self.keep(e, self.b.node(e, [self.value(a) for a in e.args]))

    def keep(self, e: Expression, value: str) -> None:
        """Remember a value, and put it into the frame where another piece needs it."""
        self.values[e] = value
        if e in self.places:
            self.store(e, self.places[e], "double")
        self.copy(e)

    def copy(self, e: Expression) -> None:
        """Put a value among the arguments of groups."""
        for place in self.copies.get(e, ()):
            self.store(e, place, "double")

    def value(self, e: Any) -> Any:
        """The value of an argument: written before, a constant, or loaded from the frame."""
        if not isinstance(e, Expression):
            return e
        found = self.values.get(e)
        if found is None:
            if e.op == "number":
                found = literal(e.number)
            else:
                found = self.b.value(f"load double, ptr {self.at(self.places[e])}, align 8")
                if e.boolean:
                    found = self.b.as_mask(found)
            self.values[e] = found
        return found

    def number(self, e: Expression) -> str:
        """The same, but a truth value as 0 or 1."""
        return self.b.as_number(self.value(e)) if e.boolean else str(self.value(e))

    def at(self, place: int) -> str:
        """A pointer to a byte of the frame."""
        return self.b.value(f"getelementptr i8, ptr %frame, i64 {place}")

    def store(self, e: Expression, place: int, kind: str) -> None:
        """Put a value into the frame."""
        if kind == "i8":
            mask = self.value(e) if e.boolean else self.b.as_mask(self.value(e))
            value = self.b.value(f"zext i1 {mask} to i8")
        else:
            value = self.number(e)
        self.b.emit(f"store {kind} {value}, ptr {self.at(place)}")


def _any_nan(results: tuple[int, int], before: Sequence[str], module: Builder) -> str:
    """The function that does what is written before, and says whether one of the results is NaN."""
    b = _beside(module, inline=True, lanes=machine.lanes())
    b.block = "loop"
    v = b.value(f"load {b.V}, ptr %place, align 8")
    nan = b.any(b.compare("uno", v, v))
    start, end = results
    count = (end - start) // (8 * b.lanes)
    loop = [
        f"  %first = getelementptr i8, ptr %frame, i64 {start}",
        f"  %last = getelementptr i8, ptr %frame, i64 {end}",
        "  br label %loop",
        "loop:",
        "  %place = phi ptr [ %first, %entry ], [ %next, %after ]",
        *b.lines,
        f"  br i1 {nan}, label %end, label %after",
        "after:",
        f"  %next = getelementptr i8, ptr %place, i64 {8 * b.lanes}",
        "  %more = icmp ult ptr %next, %last",
        "  br i1 %more, label %loop, label %end",
        "end:",
        "  %found = phi i8 [ 1, %loop ], [ 0, %after ]",
        "  ret i8 %found",
    ]
    return "\n".join([
        "define zeroext i8 @run(ptr %frame) nounwind {", "entry:", *before, *(loop if count else ["  ret i8 0"]), "}",
    ])  # fmt: skip


def turning(b: Builder, names: tuple[str, ...], x: str) -> str:
    """The sine, cosine or tangent of a number, or the pair of sine and cosine.

    A branch is foreseen mostly, and a chain waits for each of its operations: below an eighth of a turn there is
    nothing to reduce. The values are those of vector_trigonometry.py to the last bit.
    """
    name = "bibun_near_" + "_".join(names)
    result = "double" if len(names) == 1 else _PAIR
    if name not in b.functions:
        b.functions[name] = _function(f"define internal {result} @{name}(double %x) nounwind", *_near(b, names, result))
    return b.value(f"call {result} @{name}(double {x})")


def _near(module: Builder, names: tuple[str, ...], result: str) -> tuple[Builder, str]:
    """The body for small angles, which calls that for all others."""
    far = "bibun_far_" + "_".join(names)
    b = _beside(module, inline=True)
    b.shared = {}
    found = [b.function(name, "%x") for name in names]
    head = f"define internal {result} @{far}(double %x) noinline nounwind"
    b.functions[far] = _function(head, b, _together(b, found, result))

    b = _beside(module, inline=True)
    below = b.integers("sub", b.bits(b.abs("%x")), "1")  # zero becomes the largest: it is none of the small
    small = b.compare_integers("ult", below, b.bits(b.number(_SMALL)))
    b.emit(f"br i1 {small}, label %near, label %far")
    b.start("far")
    rest = b.value(f"tail call {result} @{far}(double %x)")
    b.emit(f"ret {result} {rest}")
    b.start("near")
    sine, cosine = vector_trigonometry.sine_and_cosine(b, "%x", "%x", b.number(0.0))
    return b, _together(b, [_OF_ANGLES[name](b, sine, cosine) for name in names], result)


def _together(b: Builder, values: Sequence[str], result: str) -> str:
    """What is returned: one number, or a pair."""
    if len(values) == 1:
        return f"{result} {values[0]}"
    first = b.value(f"insertvalue {result} poison, double {values[0]}, 0")
    return f"{result} {b.value(f'insertvalue {result} {first}, double {values[1]}, 1')}"


def _beside(b: Builder, inline: bool, lanes: int = 1) -> Builder:
    """A builder of another function of the same module."""
    other = Builder(lanes, inline)
    other.declarations, other.functions = b.declarations, b.functions
    return other


def _function(head: str, b: Builder, result: str) -> str:
    return "\n".join([f"{head} {{", "entry:", *b.lines, f"  ret {result}", "}"])
