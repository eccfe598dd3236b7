"""A function that compiles itself where that pays: what `minimize`, `MLE` and the regressions call.

Imports compiled.py.
"""

from collections.abc import Callable
from typing import Any

from .compiled import Compiled
from .plan import row_count

__all__ = ["quick"]

PAYS = 2000
"""Rows, from which on a fit is quicker with the time for compiling counted."""


class Quick:
    """`f`, compiled when its arguments have many rows, and eager where it cannot be recorded."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.compiled: Compiled | None = None
        self.decided = False

    def __call__(self, *args: Any) -> Any:
        if not self.decided:
            self.decided = True
            if row_count(args) >= PAYS:
                self.compiled = Compiled(self.f)
        if self.compiled is not None:
            try:
                return self.compiled(*args)
            except Exception:  # a branch on a value, a function that cannot be recorded: eagerly it may well run
                self.compiled = None
        return self.f(*args)


def quick(f: Callable[..., Any]) -> Quick:
    """`f`, compiled by itself where its arguments have many rows."""
    return Quick(f)
