"""A scalar kernel: a program of single numbers as straight machine code, with its arrays in and out.

For programs of small arrays, every element of which has been taken apart: unrolled loops, recurrences, the likelihood
of a few parameters. scalar_code.py writes what is computed; here are the frame it is computed in, and the call, which
takes a microsecond. Imports scalar_math.py, scalar_code.py, machine.py.
"""

import ctypes
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import machine, scalar_code
from .expression import Expression, ordered
from .scalar_math import lowered

__all__ = ["LIMIT", "NoKernel", "ScalarKernel", "TooLarge"]

LIMIT = 20_000
"""The most operations that become one kernel: it takes some 10 microseconds an operation to make."""

_KINDS = {np.dtype(np.float64): "double", np.dtype(np.float32): "float", np.dtype(bool): "i8"}


class NoKernel(Exception):
    """A program that has no scalar kernel; NumPy can run it."""


class TooLarge(NoKernel):
    """A program of more operations than a scalar kernel may have."""


class ScalarKernel:
    """Machine code for a program of single numbers.

    Parameters
    ----------
    inputs : sequence of (shape, dtype)
        The argument arrays. The expression `input[k]` is the k-th number of all of them, laid end to end in C order.
    outputs : sequence of (array, dtype)
        For every result an array of expressions and numbers, in its shape, and its dtype. Everything is computed in
        float64, and rounded at the end.

    Attributes
    ----------
    ir : str
        What was written.

    Raises
    ------
    TooLarge
        There are more than `LIMIT` operations.
    NoKernel
        An operation has no machine code.
    """

    def __init__(
        self, inputs: Sequence[tuple[tuple[int, ...], Any]], outputs: Sequence[tuple[np.ndarray[Any, Any], Any]]
    ) -> None:
        self._inputs = [(shape, 8 * math.prod(shape)) for shape, _ in inputs]
        self._results: list[tuple[tuple[int, ...], np.dtype[Any], np.dtype[Any], int]] = []
        stores, end = self._stores([(np.asarray(y, object), np.dtype(d)) for y, d in outputs])
        self.ir, kept = scalar_code.program(stores, 0, end)
        self._size = end + 8 * kept
        self._code = machine.load(self.ir, _symbols(self.ir))
        # no call takes long: the interpreter's lock is kept
        self._run = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(self._code.address("run"))
        self._frames: list[Any] = []  # those not in use; taking one and putting it back are single steps for a thread

    def _stores(self, outputs: list[tuple[np.ndarray[Any, Any], np.dtype[Any]]]) -> tuple[list[scalar_code.Store], int]:
        """What is stored where, and where the results end; they come after the inputs."""
        flat = [e for y, _ in outputs for e in y.flat]
        roots = list(dict.fromkeys(e for e in flat if isinstance(e, Expression)))
        _check(len(ordered(roots)))
        low = lowered(roots)
        if low is None:
            raise NoKernel("an operation of this program has no machine code: run it with NumPy")
        _check(len(ordered(low)))
        of = dict(zip(roots, low, strict=True))
        stores: list[scalar_code.Store] = []
        end = sum(size for _, size in self._inputs)
        for y, dtype in outputs:
            kind = _KINDS.get(dtype, "double")
            stored = dtype if dtype in _KINDS else np.dtype(np.float64)
            self._results.append((y.shape, stored, dtype, end))
            stores += [(of.get(e, e), end + stored.itemsize * k, kind) for k, e in enumerate(y.flat)]
            end += -(-y.size * stored.itemsize // 8) * 8
        return stores, end

    def __call__(self, arrays: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
        """The results for other arrays of the same shapes, which the caller has checked, or numbers.

        They are new arrays, and two threads may call at once.
        """
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = self._frame()
        address, inputs, results, _ = frame
        for place, array in zip(inputs, arrays, strict=True):
            place[...] = array
        self._run(address)
        found = [result() for result in results]
        self._frames.append(frame)  # not after an error: then it is dropped
        return found

    def _frame(self) -> tuple[int, list[np.ndarray[Any, Any]], list[Callable[[], Any]], np.ndarray[Any, Any]]:
        """Memory of one call: its address, where the inputs go, functions that make the results, and itself."""
        memory = np.zeros(max(1, self._size // 8))
        octets = memory.view(np.uint8)

        def part(start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
            return octets[start : start + math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)

        inputs, start = [], 0
        for shape, size in self._inputs:
            inputs.append(part(start, shape, memory.dtype))
            start += size
        results = []
        for shape, stored, dtype, start in self._results:
            y = part(start, shape, stored)
            results.append(y.copy if stored == dtype else functools.partial(_converted, y, dtype))
        return memory.ctypes.data, inputs, results, memory


def _converted(y: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        return y.astype(dtype)


def _check(count: int) -> None:
    if count > LIMIT:
        raise TooLarge(f"a program of {count} operations is too large for one kernel ({LIMIT}): run it with NumPy")


def _symbols(ir: str) -> dict[str, int]:
    """The functions of SciPy that the code calls by names of ours."""
    if "declare double @bibun_" not in ir:
        return {}
    from . import vector_special

    return dict(vector_special.symbols())
