"""Functions of many single numbers at once: where a program asks for exp of eight independent numbers, a vector is.

The numbers are laid side by side in the frame of a scalar kernel (scalar_code.py), the vector function reads them there
and leaves its values beside each other too. A result has the same bits as alone. Imports expression.py, ir.py,
machine.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import machine
from .expression import Expression
from .ir import VECTOR, Builder, nonnegative

__all__ = ["Group", "Layout", "grouped"]

FEWEST = 5
"""How many numbers are worth a vector: it waits for all of them, where single ones overlap with what else there is."""

FEWEST_ANGLES = 16
"""The same of sine, cosine and tangent, which are quicker alone."""


@dataclass(eq=False)
class Group:
    """Operations that are done together.

    Attributes
    ----------
    name : str
        The vector function.
    members : list of Expression
        One operation for every number.
    arguments : list of int or of static values
        At which byte of the frame the numbers of an argument begin; a static argument as it is, as a 1-tuple.
    result : int
        At which byte the results begin.
    """

    name: str
    members: list[Expression]
    arguments: list[Any] = field(default_factory=list)
    result: int = 0

    def write(self, b: Builder) -> None:
        """Write the call of a loop over the numbers."""
        static = [a[0] for a in self.arguments if isinstance(a, tuple)]
        name = "_".join(["bibun_many", self.name, *(str(a).replace("-", "m") for a in static)])
        if name not in b.functions:
            b.functions[name] = ""  # keeps its place before those it calls
            b.functions[name] = self._loop(name, b)
        places = [self.result, *(a for a in self.arguments if not isinstance(a, tuple))]
        pointers = [b.value(f"getelementptr i8, ptr %frame, i64 {place}") for place in places]
        b.emit(f"call void @{name}({', '.join(f'ptr {p}' for p in pointers)}, i64 {len(self.members)})")

    def _loop(self, name: str, module: Builder) -> str:
        b = Builder(machine.lanes())
        b.declarations, b.functions, b.block = module.declarations, module.functions, "loop"
        values = []
        for i, a in enumerate(self.arguments):
            if isinstance(a, tuple):
                values.append(a[0])
            else:
                pointer = b.value(f"getelementptr double, ptr %x{i}, i64 %k")
                values.append(b.value(f"load {b.V}, ptr {pointer}, align 8"))
        value = b.function(self.name, *values)
        pointer = b.value("getelementptr double, ptr %y, i64 %k")
        b.emit(f"store {b.V} {value}, ptr {pointer}, align 8")
        given = ["ptr %y", *(f"ptr %x{i}" for i, a in enumerate(self.arguments) if not isinstance(a, tuple))]
        return "\n".join([
            f"define internal void @{name}({', '.join(given)}, i64 %n) noinline nounwind {{", "entry:",
            "  br label %loop", "loop:", "  %k = phi i64 [ 0, %entry ], [ %next, %latch ]", *b.lines,
            "  br label %latch", "latch:", f"  %next = add i64 %k, {b.lanes}",
            "  %more = icmp slt i64 %next, %n", "  br i1 %more, label %loop, label %end", "end:", "  ret void", "}",
        ])  # fmt: skip


def grouped(order: Sequence[Expression]) -> list[Expression | Group]:
    """The same program with operations that can be done together in groups, each after what it needs.

    An operation's level is how many functions, one of the other, are behind it: those of one level need not each other.
    """
    # functions of SciPy are called number by number in any case
    functions = {op for op, write in VECTOR.items() if not write.__module__.endswith("vector_special")}
    level: dict[Expression, int] = {}
    after: dict[Any, int] = {}  # the level of what uses an operation
    found: dict[Any, Group] = {}
    for e in order:
        n = 0
        for a in e.args:
            k = after.get(a, 0)
            if k > n:
                n = k
        level[e] = n
        after[e] = n + (e.op in functions)
        if e.op in functions:
            name = e.op
            if e.op == "exp" and e.args[0].op == "negative" and nonnegative(e.args[0].args[0]):
                name = "exp_nonpositive"  # as Builder.node has it
            key = n, name, tuple([None if isinstance(a, Expression) else a for a in e.args])
            group = found.get(key)
            if group is None:
                group = found[key] = Group(name, [])
            group.members.append(e)
    groups = {key: group for key, group in found.items() if len(group.members) >= _fewest(group.name)}
    if not groups or machine.lanes() < 4:
        return list(order)
    inside = {e for group in groups.values() for e in group.members}
    steps: list[tuple[int, bool, int, Any]] = [(level[e], False, e.index, e) for e in order if e not in inside]
    steps += [(key[0], True, group.members[0].index, group) for key, group in groups.items()]
    return [step for *_, step in sorted(steps, key=lambda s: s[:3])]


def _fewest(name: str) -> int:
    return FEWEST_ANGLES if name in ("sin", "cos", "tan") else FEWEST


@dataclass
class Layout:
    """Where in the frame values are kept that more than one piece of the program, or a group, works with.

    Attributes
    ----------
    end : int
        The first byte after them.
    places : dict of Expression to int
        Where a value is to be found.
    copies : dict of Expression to list of int
        Where else it is put, as the argument of a group.
    fills : list of (int, float)
        What stands in the frame from the beginning: constants, and a number for lanes without one.
    """

    end: int
    places: dict[Expression, int]
    copies: dict[Expression, list[int]] = field(default_factory=dict)
    fills: list[tuple[int, float]] = field(default_factory=list)

    def keep(self, e: Expression) -> None:
        """Give a value its place."""
        if e not in self.places:
            self.places[e] = self._room(1)

    def lay(self, group: Group) -> None:
        """Give the arguments and the results of a group their places."""
        lanes = machine.lanes()
        room = -(-len(group.members) // lanes) * lanes
        for i, argument in enumerate(group.members[0].args):
            if not isinstance(argument, Expression):
                group.arguments.append((argument,))
                continue
            start = self._room(room)
            group.arguments.append(start)
            for k, e in enumerate(group.members):
                if e.args[i].op == "number":
                    self.fills.append((start + 8 * k, e.args[i].number))
                else:
                    self.copies.setdefault(e.args[i], []).append(start + 8 * k)
            self.fills += [(start + 8 * k, 1.0) for k in range(len(group.members), room)]
        group.result = self._room(room)
        self.places |= {e: group.result + 8 * k for k, e in enumerate(group.members)}

    def _room(self, count: int) -> int:
        self.end += 8 * count
        return self.end - 8 * count
