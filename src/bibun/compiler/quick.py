"""A function that compiles itself where that pays: what `minimize`, `MLE` and the regressions call.

Imports compiled.py.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.dispatch import is_sparse
from .compiled import Compiled

__all__ = ["quick"]

PAYS = 2000
"""Rows, from which on a fit is quicker with the time for compiling counted."""

PAYS_SPARSE = 20_000
"""The same where a sparse matrix is among the arguments, whose products stay calls."""


class Quick:
    """`f`, compiled for arguments with many rows, and eager for few, or where it cannot be recorded."""

    def __init__(self, f: Callable[..., Any], sparse: float) -> None:
        self.f, self.sparse = f, sparse
        self.compiled = Compiled(f)
        self.refused: set[Any] = set()  # kinds of arguments for which it cannot be compiled

    def pays(self, *args: Any) -> bool:
        """Whether it is compiled for such arguments."""
        if self.refused and _kinds(args) in self.refused:
            return False
        rows, sparse = _longest(args)
        return rows >= (self.sparse if sparse else PAYS)

    def __call__(self, *args: Any) -> Any:
        if self.pays(*args):
            try:
                return self.compiled(*args)
            except np.linalg.LinAlgError:
                raise
            except Exception:  # a branch on a value, a function that cannot be recorded: eagerly it may well run
                self.refused.add(_kinds(args))
        return self.f(*args)


def _longest(args: Iterable[Any]) -> tuple[int, bool]:
    """The length of the longest array among arguments and in their containers; whether a sparse matrix is there."""
    n, sparse = 0, False
    for a in args:
        inside = (0, False)
        if type(a) is np.ndarray:
            inside = (len(a) if a.ndim else 0, False)
        elif isinstance(a, (list, tuple)) and len(a) < 100:
            inside = _longest(a)
        elif is_sparse(a):
            inside = (a.shape[0], True)
        elif isinstance(a, dict):
            inside = _longest(a.values())
        n, sparse = max(n, inside[0]), sparse or inside[1]
    return n, sparse


def _kinds(args: Iterable[Any]) -> tuple[Any, ...]:
    """The widths of arrays among arguments and in their containers, and the types of whatever else there is."""
    out: list[Any] = []
    for a in args:
        if isinstance(a, dict):
            out.append(_kinds(a.values()))
        elif isinstance(a, (list, tuple)) and len(a) < 100:
            out.append(_kinds(a))
        else:
            out.append((type(a), a.shape[1:] if isinstance(a, np.ndarray) else ()))
    return tuple(out)


def quick(f: Callable[..., Any], sparse: float = PAYS_SPARSE) -> Quick:
    """`f`, compiled by itself where its arguments have many rows, and `sparse` of them beside a sparse matrix."""
    return Quick(f, sparse)
