"""The steps of a plan in another order, so that those which can be one stand together; and what each leaves behind.

Everything that cannot be part of a group comes as soon as it can; then as many of one group as wait for nothing else.
Imports nothing of bibun.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["Order", "freed", "makes"]

MOST = 400
"""Steps of one group: more make no better code, and take long to compile."""


def makes(step: Any) -> Sequence[int]:
    """The slots that a step writes."""
    return step.makes() if hasattr(step, "makes") else [s[3] for s in step.sums]


class Order:
    """Steps being put in order.

    Parameters
    ----------
    steps : list
        In an order in which they can be run.
    keys : list
        What each can be one with; None for nothing.
    late : list of set of int
        The slots of each that are there only when its group has run to the end, as a sum is.
    kept : set of int
        The slots that are read after all steps.
    close : callable
        From the steps of a group, and those of their slots that are read elsewhere, to what takes their place.
    """

    def __init__(
        self, steps: list[Any], keys: list[Any], late: list[set[int]], kept: set[int],
        close: Callable[[list[int], set[int]], list[Any]],
    ) -> None:  # fmt: skip
        self.steps, self.keys, self.late, self.kept, self.close = steps, keys, late, kept, close
        maker = {k: i for i, s in enumerate(steps) for k in makes(s)}
        self.reads = [s.reads() for s in steps]
        self.after: list[list[int]] = [[] for _ in steps]
        self.missing = []
        for i, reads in enumerate(self.reads):
            makers = {maker[k] for k in reads if k in maker}
            self.missing.append(len(makers))
            for j in makers:
                self.after[j].append(i)
        self.plain: list[int] = []
        self.waiting: dict[Any, list[int]] = {}
        self.out: list[Any] = []

    def made(self) -> list[Any]:
        """All steps, in order."""
        self._ready([i for i, k in enumerate(self.missing) if not k])
        while self.plain or self.waiting:
            while self.plain:
                i = heapq.heappop(self.plain)
                self.out.append(self.steps[i])
                self._done(self.after[i])
            if self.waiting:
                self._group(min(self.waiting, key=lambda key: self.waiting[key][0]))
        return self.out

    def _done(self, later: Iterable[int]) -> None:
        """One thing less that these wait for."""
        ready = []
        for i in later:
            self.missing[i] -= 1
            if not self.missing[i]:
                ready.append(i)
        self._ready(ready)

    def _ready(self, steps: Iterable[int]) -> None:
        for i in steps:
            if self.keys[i] is None or self.late[i].issuperset(makes(self.steps[i])):  # a sum alone makes no group
                heapq.heappush(self.plain, i)
            else:
                heapq.heappush(self.waiting.setdefault(self.keys[i], []), i)

    def _group(self, key: Any) -> None:
        """All of one key that waits for nothing but one another."""
        heap = self.waiting.pop(key)
        inside: list[int] = []
        outside: list[int] = []
        while heap and len(inside) < MOST:
            i = heapq.heappop(heap)
            inside.append(i)
            for j in self.after[i]:
                if self.keys[j] != key or not self.late[i].isdisjoint(self.reads[j]):
                    outside.append(j)
                    continue
                self.missing[j] -= 1
                if not self.missing[j]:
                    heapq.heappush(heap, j)
        inside.sort()
        mine = set(inside)
        made = {k for i in inside for k in makes(self.steps[i])}
        read = made & self.kept
        for i in inside:
            for j in self.after[i]:
                if j not in mine:
                    read |= made & self.reads[j]
        self.out += self.close(inside, read)
        self._ready(heap)
        self._done(outside)


def freed(steps: list[Any], kept: set[int]) -> None:
    """Say with every step which values nobody reads after it, so that a plan holds no more than it needs."""
    last: dict[int, int] = {}
    for i, step in enumerate(steps):
        for k in (*step.reads(), *makes(step)):
            last[k] = i
    done: list[list[int]] = [[] for _ in steps]
    for k, i in last.items():
        if k not in kept:
            done[i].append(k)
    waiting: list[int] = []
    for step, slots in zip(steps, done, strict=True):
        waiting += slots
        if hasattr(step, "done"):
            step.done, waiting = waiting, []
