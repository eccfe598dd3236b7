"""Arrays changed in place: a recorded value is either nobody else's, or its change is found out.

Small operands are copied when they are recorded. Larger ones are fingerprinted (4096 elements, evenly spread; every bit
under `debug_nans()`), and the operation's form is wrapped in one that compares before it walks; operations that need no
watch pay nothing. Imports errors and modes.
"""

from typing import Any

import numpy as np

from ..errors import ChangedInPlace
from .modes import here, modes

__all__ = ["SMALL", "Marks", "compare", "fingerprint", "own"]

SMALL = 8192  # bytes: up to here a copy is cheaper than a fingerprint
SAMPLED = 4096  # elements of a larger array that are looked at

Marks = list[tuple[np.ndarray, bytes]]


def fingerprint(a: np.ndarray, whole: bool = False) -> bytes:
    """The bytes of `a`, or of a regular sample of a large one."""
    if whole or a.nbytes <= SMALL:
        return a.tobytes()
    per_axis = max(2, int(SAMPLED ** (1 / a.ndim)))
    return a[tuple([slice(None, None, max(1, n // per_axis)) for n in a.shape])].tobytes()


def own(a: Any, marks: Marks) -> Any:
    """`a` itself, watched, or a copy that nobody else holds."""
    if not isinstance(a, np.ndarray):
        return a
    if a.nbytes <= SMALL:
        return a.copy()
    marks.append((a, fingerprint(a, bool(modes.on and here.checking))))
    return a


def compare(marks: Marks, name: str) -> None:
    """Raise ChangedInPlace if a watched array is not what it was."""
    for a, seen in marks:
        if fingerprint(a, len(seen) == a.nbytes) != seen:
            raise ChangedInPlace(
                f"an array of shape {a.shape} and dtype {a.dtype}, recorded by {name}, was changed in place before the "
                "derivative was taken; change a copy of it, or record again after the change"
            )
