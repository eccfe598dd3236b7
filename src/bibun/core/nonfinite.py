"""`debug_nans()`: the first operation that makes a NaN or an infinity raises, naming itself and the user's line.

Imports errors, modes, the graph.
"""

import os
import sys
from typing import Any

import numpy as np

from ..errors import NonFinite
from .graph import Node, Parts
from .modes import mode

__all__ = ["debug_nans", "look", "users_line"]

_HOUSES = (os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(np.__file__))


def debug_nans() -> Any:
    """A block in which the first operation that makes a NaN or an infinity raises.

    Forward and backward alike: the message names the operation, the shapes of its inputs, and the line of your code
    that called it. An operation that was handed a NaN or an infinity is not blamed for passing it on. Slow: for
    finding a fault, not for production.

    Returns
    -------
    context manager

    Raises
    ------
    NonFinite
        A subclass of FloatingPointError; from inside the block.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> with bb.debug_nans():
    ...     bb.grad(lambda x: np.sqrt(x) * 2)(0.0)
    Traceback (most recent call last):
        ...
    bibun.errors.NonFinite: sqrt made an infinity in its backward step (inputs: shape () float64 = 0.0). ...
    """
    return mode("checking", True)


def users_line() -> str:
    """`file:line` of the innermost frame that is neither bibun's nor NumPy's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HOUSES):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def bad(x: Any) -> str | None:
    """'NaN' or 'infinity' if one is among the values of `x`."""
    if isinstance(x, (tuple, Parts)):
        return next((b for b in map(bad, x) if b), None)
    a = np.asarray(x._data if isinstance(x, Node) and not isinstance(x._data, Parts) else getattr(x, "_data", x))
    if a.dtype.kind not in "fc":
        return None
    return "a NaN" if np.isnan(a).any() else "an infinity" if np.isinf(a).any() else None


def described(x: Any) -> str:
    a = np.asarray(x)
    return f"shape {a.shape} {a.dtype}" + (f" = {a}" if a.size == 1 else "")


def look(name: str, phase: str, made: Any, given: tuple[Any, ...], g: Any = None, line: str | None = None) -> None:
    """Raise NonFinite if `made` holds a NaN or an infinity and neither `given` nor the cotangent `g` does."""
    fault = None if made is None else bad(made)
    if fault is None or (g is not None and bad(g)):
        return
    arrays = [a for a in given if isinstance(a, (np.ndarray, np.generic, float))]
    if any(bad(a) for a in arrays):
        return
    raise NonFinite(
        f"{name} made {fault} in its {phase} step (inputs: {', '.join(map(described, arrays))}). "
        f"Recorded at {line or users_line()}. Keep its argument inside the domain there (np.where on the argument, "
        "np.maximum, a logarithmic form)"
    )
