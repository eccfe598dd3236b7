"""Functions of many single numbers at once: where a program asks for exp of eight independent numbers, a vector is.

The numbers are laid side by side in the frame of a scalar kernel (scalar_code.py), the vector function reads them there
and leaves its values beside each other too. A result has the same bits as alone. Imports expression.py, ir.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import machine
from .expression import Expression
from .ir import VECTOR, Builder, _nonnegative

__all__ = ["Group", "grouped"]

FEWEST = 4
"""How many numbers are worth a vector."""


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
        """Write the calls. `b` has as many lanes as the machine's vectors."""
        for k in range(0, len(self.members), b.lanes):
            values = [
                a[0] if isinstance(a, tuple) else b.value(f"load {b.V}, ptr {_at(b, a + 8 * k)}, align 8")
                for a in self.arguments
            ]
            value = b.function(self.name, *values)
            b.emit(f"store {b.V} {value}, ptr {_at(b, self.result + 8 * k)}, align 8")


def _at(b: Builder, place: int) -> str:
    return b.value(f"getelementptr i8, ptr %frame, i64 {place}")


def grouped(order: Sequence[Expression]) -> list[Expression | Group]:
    """The same program with operations that can be done together in groups, each after what it needs.

    An operation's level is how many functions, one of the other, are behind it: those of one level need not each other.
    """
    level: dict[Expression, int] = {}
    found: dict[Any, Group] = {}
    for e in order:
        level[e] = max([level[a] + _is_function(a) for a in e.args if a in level], default=0)
        if _is_function(e):
            name = e.op
            if e.op == "exp" and e.args[0].op == "negative" and _nonnegative(e.args[0].args[0]):
                name = "exp_nonpositive"  # as Builder.node has it
            key = level[e], name, tuple(None if isinstance(a, Expression) else a for a in e.args)
            found.setdefault(key, Group(name, [])).members.append(e)
    groups = {key: group for key, group in found.items() if len(group.members) >= FEWEST}
    if not groups:
        return list(order)
    inside = {e for group in groups.values() for e in group.members}
    steps: list[tuple[int, bool, int, Any]] = [(level[e], False, e.index, e) for e in order if e not in inside]
    steps += [(key[0], True, group.members[0].index, group) for key, group in groups.items()]
    return [step for *_, step in sorted(steps, key=lambda s: s[:3])]


def _is_function(e: Expression) -> bool:
    """Whether there is vector code for the operation. Functions of SciPy are called number by number in any case."""
    write = VECTOR.get(e.op)
    return write is not None and write.__module__.rpartition(".")[2] != "vector_special"


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
