"""The plan of a compiled function as boxes and arrows: arguments, steps, results. Imports the compiler and picture."""

import re
from typing import Any

from ..compiler.describing import Description, Part, described
from .picture import Arrow, Box, Picture, walk

__all__ = ["pictured"]

LINES = 9
"""Formulas of one box that are shown."""


def pictured(compiled: Any) -> tuple[Picture, str]:
    """The picture of a plan, or of the last plan of a compiled function, and its title.

    Raises
    ------
    ValueError
        If the function has not been called yet.
    """
    plans = list(compiled.plans.values()) if hasattr(compiled, "plans") else [compiled]
    if not plans:
        raise ValueError(
            f"draw() of {compiled!r}, which has no plan yet: call it once with arguments like those it is for"
        )
    description = described(plans[-1])
    return _Reader(description).picture, f"Plan of {description.name}"


class _Reader:
    def __init__(self, description: Description) -> None:
        self.picture = Picture()
        self.at: dict[int, tuple[int, int]] = {}
        for k, argument in enumerate(description.arguments):
            name, _, shape = argument.partition("[")
            self.at[k] = self.box("leaf", [name, f"[{shape}" if shape else ""]), 0
        for group in _grouped(description.parts):
            self.step(group)
        labels = [re.sub(r"^y(\d+)", r"[\1]", path) for path, _ in walk(description.tree, "")]
        for k, label in zip(description.results, labels, strict=True):
            end = self.box("result", [label or "result"])
            if k in self.at:
                self.arrow(k, end)

    def box(self, kind: str, lines: list[str]) -> int:
        self.picture.boxes.append(Box(kind, lines, " ".join(lines)))
        return len(self.picture.boxes) - 1

    def arrow(self, slot: int, target: int) -> None:
        source, outlet = self.at[slot]
        self.picture.arrows.append(Arrow(source, outlet, target, None))

    def step(self, group: list[Part]) -> None:
        """One box: a pass, or the calls between passes."""
        lines = [line for part in group for line in part.lines]
        texts = [f"{made} = {formula}" if made else formula for made, formula, _ in lines]
        if len(texts) > LINES:
            texts = [*texts[: LINES - 1], f"… {len(texts) - LINES + 1} more"]
        made = [k for part in group for k in part.makes]
        reads = dict.fromkeys([k for part in group for k in part.reads if k not in made])
        box = self.box("operation", [group[0].title, *texts])
        for k in reads:
            if k in self.at:
                self.arrow(k, box)
        names = {name: remark for name, _, remark in lines}
        for i, k in enumerate(made):
            self.at[k] = box, i
            if len(made) > 1 and names.get(f"%{k}"):
                self.picture.boxes[box].outlets[i] = names[f"%{k}"]


def _grouped(parts: list[Part]) -> list[list[Part]]:
    """Calls of NumPy that follow one another together."""
    groups: list[list[Part]] = []
    for part in parts:
        if part.call and groups and groups[-1][0].call:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups
