"""From the recorded graph to boxes and arrows: what a picture shows, before anybody decides where.

Variables are boxes where somebody made or named them, or asked for them; an operation is a box; an unnamed result is
the arrow that carries it. Fresh Variables of transforms, and each of several results, are no boxes.
Imports the graph and symbols.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Any

import numpy as np

from ..core.graph import Node, by_order
from ..core.kinds import identity, pick
from .symbols import constant_text, operation, shape_text, shortened, summary

__all__ = ["Arrow", "Box", "Picture", "named", "read", "walk"]


class Box:
    """One box: its kind (leaf, constant, operation, value, result), its lines of text, a longer text, its outlets."""

    __slots__ = ("kind", "lines", "outlets", "title")

    def __init__(self, kind: str, lines: list[str], title: str) -> None:
        self.kind, self.title = kind, shortened(title, 200)
        self.lines = [line for line in lines if line]
        self.outlets: dict[int, str] = {}


class Arrow:
    """From an outlet of a box to another; `place` is the operand's position where order matters, else None."""

    __slots__ = ("outlet", "place", "source", "target")

    def __init__(self, source: int, outlet: int, target: int, place: int | None) -> None:
        self.source, self.outlet, self.target, self.place = source, outlet, target, place


class Picture:
    """Boxes and arrows; every arrow goes from an earlier box to a later one."""

    __slots__ = ("arrows", "boxes")

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []


def named(ys: Any) -> list[tuple[str, Node]]:
    """The Variables in `ys` with what to call each: its key, its place, or nothing for a single one."""
    found = [(path, v) for path, v in walk(ys, "")]
    if not found:
        raise ValueError("draw() of nothing: give it a Variable, or a list or dict of Variables")
    for path, v in found:
        if not isinstance(v, Node):
            what = f"{type(v).__name__} at {path}" if path else type(v).__name__
            raise TypeError(
                f"draw() pictures the history of Variables and got {what}, which has none: compute the result from "
                "Variable(…), and give draw() the result itself, not its .data"
            )
    return found


def walk(ys: Any, path: str) -> Iterator[tuple[str, Any]]:
    """What is in nested dicts, lists and tuples, with the way to it."""
    if isinstance(ys, dict):
        for k, v in ys.items():
            yield from walk(v, f"{path}.{k}" if path else str(k))
    elif isinstance(ys, (list, tuple)):
        fields = getattr(ys, "_fields", None)
        for i, v in enumerate(ys):
            if fields:
                yield from walk(v, f"{path}.{fields[i]}" if path else fields[i])
            else:
                yield from walk(v, f"{path}[{i}]" if path else f"y{i}")
    else:
        yield path, ys


def behind(ys: Iterable[Node], limit: int) -> list[Node] | None:
    """Everything `ys` came from, each after what it was computed from; None beyond `limit` operations.

    By the clock where that is possible: a leaf that was given new data is younger than what was computed from it.
    """
    seen: dict[Node, int] = dict.fromkeys(ys, 0)
    stack = list(seen)
    operations = 0
    while stack:
        v = stack.pop()
        operations += v.rule is not None
        if operations > limit:
            return None
        for x in v.inputs:
            if x not in seen:
                seen[x] = 0
                stack.append(x)
    used: dict[Node, list[Node]] = {v: [] for v in seen}
    for v in seen:
        for x in v.inputs:
            used[x].append(v)
            seen[v] += 1
    number = {v: i for i, v in enumerate(sorted(seen, key=by_order))}
    ready = sorted([(number[v], v) for v in seen if not seen[v]])
    out = []
    while ready:
        v = heappop(ready)[1]
        out.append(v)
        for w in used[v]:
            seen[w] -= 1
            if not seen[w]:
                heappush(ready, (number[w], w))
    return out


def read(results: list[tuple[str, Node]], nodes: list[Node], values: bool, shapes: bool, constants: bool) -> Picture:
    """The picture of `nodes`, oldest first, with `results` marked."""
    return _Reader(results, nodes, values, shapes, constants).picture


class _Reader:
    def __init__(
        self, results: list[tuple[str, Node]], nodes: list[Node], values: bool, shapes: bool, constants: bool
    ) -> None:
        self.values, self.shapes, self.constants = values, shapes, constants
        self.picture = Picture()
        self.at: dict[Node, tuple[int, int]] = {}
        self.asked: dict[Node, list[str]] = {}
        for path, y in results:
            self.asked.setdefault(y, []).append(_name(y) or path)
        self.names = _names(nodes, self.asked)
        for v in nodes:
            self.node(v)

    def node(self, v: Node) -> None:
        rule = getattr(v.rule, "rule", None)
        if v.rule is None or not v.inputs:
            self.at[v] = self.box("leaf", self.variable(v), v), 0
            if v not in self.asked or len(self.asked) == 1:
                return
        elif rule is identity:
            self.at[v] = self.at[v.inputs[0]]
        elif rule is pick:
            whole, _ = self.at[v.inputs[0]]
            part = int(v.values[1])
            self.at[v] = whole, part
            self.picture.boxes[whole].outlets[part] = " ".join(
                [t for t in (_part_name(v.inputs[0], part), *self.about(v)) if t]
            )
        else:
            self.operation(v)
        if v in self.asked or _name(v):
            source, outlet = self.at[v]
            box = self.box("result" if v in self.asked else "value", self.variable(v), v)
            self.arrow(source, outlet, box, None)
            self.at[v] = box, 0

    def operation(self, v: Node) -> None:
        rule = v.rule.rule
        where = tuple(getattr(v.rule, "where", range(len(v.inputs))))
        args = getattr(v.rule, "inputs", None) if getattr(rule, "kind", "") == "function" else None
        values = tuple(args) if args and len(args) == len(v.values) else v.values
        if len(where) != len(v.inputs):  # a creator set by hand
            where, values = tuple(range(len(v.inputs))), v.inputs
        drawn: dict[int, int] = {}
        if self.constants:
            operands = len(values) if getattr(rule, "joint", False) else getattr(rule, "operands", len(values))
            for i, c in enumerate(values):
                data = getattr(c, "_data", c)
                if i not in where and i < operands and isinstance(data, (np.ndarray, np.generic, int, float)):
                    text = constant_text(c)
                    drawn[i] = self.box("constant", [text], None, f"constant {text}")
        every = tuple(sorted((*where, *drawn)))
        label, ordered = operation(rule, values, every)
        several = isinstance(v._data, tuple)
        made = f"{len(v._data)} results" if several else _described(v._data)
        title = f"{rule.name}{_signature(label)} → {made}"
        box = self.box("operation", [shortened(label), *([] if several else self.about(v))], None, title)
        twice = len(set(v.inputs)) < len(v.inputs)
        tracked = dict(zip(where, v.inputs, strict=True))
        for place, i in enumerate(every):
            source, outlet = (drawn[i], 0) if i in drawn else self.at[tracked[i]]
            self.arrow(source, outlet, box, place if ordered or twice else None)
        self.at[v] = box, 0

    def box(self, kind: str, lines: list[str], v: Node | None, title: str = "") -> int:
        if v is not None:
            title = f"{self.names.get(v, '')}: {_described(v._data)}"
        self.picture.boxes.append(Box(kind, lines, title))
        return len(self.picture.boxes) - 1

    def arrow(self, source: int, outlet: int, target: int, place: int | None) -> None:
        self.picture.arrows.append(Arrow(source, outlet, target, place))

    def variable(self, v: Node) -> list[str]:
        """The lines in a Variable's box: its name; its value if it is a scalar, else its shape."""
        name = shortened(self.names.get(v, ""), 24)
        return [name, *self.about(v)] if np.shape(v._data) else [name, summary(v._data)]

    def about(self, v: Node) -> list[str]:
        """What a picture says of a value: its shape and the value itself, as far as asked for."""
        data = v._data
        if isinstance(data, tuple):
            return [f"{len(data)} results"]
        return [shape_text(np.shape(data)) if self.shapes else "", summary(data) if self.values else ""]


def _name(v: Node) -> str:
    name = getattr(v, "name", None)
    return "" if name is None else shortened(str(name), 200)


def _names(nodes: list[Node], asked: dict[Node, list[str]]) -> dict[Node, str]:
    """A name for every Variable that gets a box: its own, the key it was asked for by, or the next of x0, x1, …"""
    given = {v: _name(v) or ", ".join([k for k in asked.get(v, ()) if k]) for v in nodes}
    taken = {name for name in given.values() if name}
    leaves = [v for v in nodes if (v.rule is None or not v.inputs) and not given[v]]
    results = [v for v in asked if not given[v] and v not in set(leaves)]
    for letter, group in (("x", leaves), ("y", results)):
        free = (f"{letter}{i}" for i in range(len(nodes) + len(taken) + 1) if f"{letter}{i}" not in taken)
        single = len(group) == 1 and letter not in taken
        for v in group:
            given[v] = letter if single else next(free)
    return given


def _part_name(whole: Node, part: int) -> str:
    fields = getattr(getattr(getattr(whole.rule, "rule", None), "outputs", None), "_fields", None)
    return shortened(str(fields[part]), 16) if fields and part < len(fields) else f"#{part}"


def _described(data: Any) -> str:
    """A value in a few words, for whoever points at it."""
    if isinstance(data, tuple):
        return f"{len(data)} results"
    shape = np.shape(data)
    kind = f"{shape_text(shape)} {getattr(data, 'dtype', '')}".strip()
    value = "" if shape else summary(data)
    return f"{value} ({kind})" if value else kind


def _signature(label: str) -> str:
    return f" ‹{label}›" if any([c in label for c in "•0123456789"]) else ""
