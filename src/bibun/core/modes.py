"""What is switched on around a computation: `no_grad`, `debug_nans`, recording for another machine.

An operation reads one count, `modes.on`; only when it is not zero does anybody ask this thread which mode it is in.
Imports nothing of bibun.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Here", "here", "mode", "modes", "no_grad", "seen"]


class Modes:
    """How many modes are on, in all threads together."""

    __slots__ = ("on",)
    on: int


class Here(threading.local):
    """The modes of this thread."""

    paused = False  # no_grad: results are constants
    checking = False  # debug_nans: every result is looked at
    tracing: str | None = None  # "compile", "vmap": nothing may escape from the record
    looking: Callable[[Any], None] | None = None  # compile: told when somebody reads a shape
    rewriting: Callable[..., Any] | None = None  # compile: what is done to a result before its derivative
    absorbing = False  # walks that are recorded have products in which zero absorbs, whatever the values are now


modes = Modes()
modes.on = 0
here = Here()
_lock = threading.Lock()


@contextmanager
def mode(name: str, value: Any) -> Iterator[None]:
    """One mode of this thread set to `value` inside the block, and as it was after it, whatever happens."""
    was = getattr(here, name)
    with _lock:
        modes.on += 1
    setattr(here, name, value)
    try:
        yield
    finally:
        setattr(here, name, was)
        with _lock:
            modes.on -= 1


def seen(x: Any) -> Any:
    """`x`, whose shape somebody reads: a recording on a few rows has to know."""
    if modes.on and here.looking is not None:
        here.looking(x)
    return x


def no_grad() -> Any:
    """A block in which nothing is recorded: results are constants.

    Returns
    -------
    context manager
        Affects this thread only; blocks nest, and an exception ends them properly.

    Examples
    --------
    >>> import bibun as bb
    >>> x = bb.Variable(2.0)
    >>> with bb.no_grad():
    ...     y = x * x
    >>> y.creator is None
    True
    """
    return mode("paused", True)
