"""What makes two constants of a recorded function equal: indices, axes, arrays. Imports NumPy only.

`repr` does not: of an index by a large array it shows six numbers.
"""

from typing import Any

import numpy as np

__all__ = ["identity", "same"]

SMALL = 1024
"""Numbers, up to which an array is known by them; a larger one by which object it is."""


def identity(a: Any) -> tuple[Any, ...]:
    """Something to hash that is equal for equal constants, and for no others while these are alive.

    Examples
    --------
    >>> from bibun.compiler.constants import identity
    >>> identity((0, slice(None))) == identity((0, slice(None))), identity(0.0) == identity(-0.0)
    (True, False)
    """
    if isinstance(a, (tuple, list)):
        return type(a), *map(identity, a)
    if isinstance(a, slice):
        return slice, *map(identity, (a.start, a.stop, a.step))
    if isinstance(a, np.ndarray) and a.size <= SMALL and a.dtype != object:
        return a.shape, a.dtype.str, a.tobytes()
    if a is None or a is Ellipsis or isinstance(a, (int, float, str, type, np.generic, np.dtype)):
        return type(a), repr(a)
    return (id(a),)


def same(a: Any, b: Any) -> bool:
    """Whether two constants have equal parts, and their arrays equal numbers, however many."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        kind = np.asarray(a).dtype.kind
        return np.shape(a) == np.shape(b) and bool(np.array_equal(a, b, equal_nan=kind in "fc"))
    if type(a) is not type(b):
        return False
    if isinstance(a, slice):
        a, b = (a.start, a.stop, a.step), (b.start, b.stop, b.step)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)
