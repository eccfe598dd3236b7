"""A function that compiles itself where that pays: what `minimize`, `MLE` and the regressions call.

Imports compiled.py.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .compiled import Compiled

__all__ = ["quick"]

PAYS = 2000
"""Rows, from which on a fit is quicker with the time for compiling counted."""


class Quick:
    """`f`, compiled for arguments with many rows, and eager for few, or where it cannot be recorded."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.compiled = Compiled(f)
        self.refused = False

    def pays(self, *args: Any) -> bool:
        """Whether it is compiled for such arguments."""
        return not self.refused and _longest(args) >= PAYS

    def __call__(self, *args: Any) -> Any:
        if self.pays(*args):
            try:
                return self.compiled(*args)
            except np.linalg.LinAlgError:
                raise
            except Exception:  # a branch on a value, a function that cannot be recorded: eagerly it may well run
                self.refused = True
        return self.f(*args)


def _longest(args: Iterable[Any]) -> int:
    """The length of the longest array among arguments and in their containers."""
    n = 0
    for a in args:
        if type(a) is np.ndarray:
            n = max(n, len(a)) if a.ndim else n
        elif isinstance(a, dict):
            n = max(n, _longest(a.values()))
        elif isinstance(a, (list, tuple)) and len(a) < 100:
            n = max(n, _longest(a))
    return n


def quick(f: Callable[..., Any]) -> Quick:
    """`f`, compiled by itself where its arguments have many rows."""
    return Quick(f)
