"""NumPy's BLAS on one thread for a while: for work that threads of ours share, each with products of its own.

BLAS threads wait for one another many times in a product; where other programs want the processors too, a small product
then takes as long as these are given to them. Imports NumPy.
"""

import contextlib
import ctypes
import functools
import threading
from collections.abc import Callable, Iterator

import numpy as np

__all__ = ["alone"]

NAMES: list[tuple[str, str]] = [
    *[
        (f"{a}openblas_get_num_threads{b}", f"{a}openblas_set_num_threads{b}")
        for a in ("scipy_", "")
        for b in ("64_", "")
    ],
    ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads"),
]


@functools.cache
def _functions() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """What reads and what sets the number of threads of the BLAS that NumPy is linked to; None where it has none."""
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
        for get, put in NAMES:
            with contextlib.suppress(AttributeError):
                read, write = getattr(library, get), getattr(library, put)
                read.restype, write.restype, write.argtypes = ctypes.c_int, None, [ctypes.c_int]
                return read, write
    return None


_lock = threading.Lock()
_inside: list[int] = []
"""For each caller that is inside, how many threads there were before the first came."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """NumPy's products inside use one thread each, in all of the process, and as many as before afterwards.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.compiler.blas import alone
    >>> with alone():
    ...     print(np.ones((2, 3)) @ np.ones(3))
    [3. 3.]
    """
    functions = _functions()
    if functions is None:
        yield
        return
    read, write = functions
    with _lock:
        _inside.append(_inside[0] if _inside else read())
        write(1)
    try:
        yield
    finally:
        with _lock:
            before = _inside.pop()
            if not _inside:
                write(before)
