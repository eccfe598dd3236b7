"""A scalar kernel: a program of single numbers as straight machine code, with its arrays in and out.

For programs of small arrays, every element of which has been taken apart: unrolled loops, recurrences, the likelihood
of a few parameters. scalar_code.py writes what is computed; here are the frame it is computed in, and the call, which
takes a microsecond. Imports scalar_math.py, scalar_code.py, machine.py.
"""

import ctypes
import functools
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import machine, scalar_code
from .expression import Expression, ordered
from .scalar_math import lowered

__all__ = ["LIMIT", "NoKernel", "ScalarKernel", "TooLarge"]

LIMIT = 20_000
"""The most operations, and results, that become one kernel: it takes some 20 microseconds an operation to make."""

_DOUBLE = np.dtype(np.float64)
_KINDS = {_DOUBLE: "double", np.dtype(np.float32): "float", np.dtype(bool): "i8"}


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
        arrays = [(np.asarray(y, object), np.dtype(dtype)) for y, dtype in outputs]
        values = _lowered([list(y.flat) for y, _ in arrays])
        self._inputs: list[_Place] = []
        self._results: list[tuple[_Place, np.dtype[Any]]] = []
        end = 0
        for shape, _ in inputs:
            self._inputs.append((end, tuple(shape), _DOUBLE))
            end += 8 * math.prod(shape)
        for y, dtype in arrays:
            stored = dtype if dtype in _KINDS else _DOUBLE
            self._results.append(((end, y.shape, stored), dtype))
            end += -(-y.size * stored.itemsize // 8) * 8

        stores: list[scalar_code.Store] = []
        constants: list[tuple[int, int, float]] = []
        for k, ((start, _, stored), _) in enumerate(self._results):
            for i, e in enumerate(values[k]):
                if isinstance(e, Expression) and e.op != "number":
                    stores.append((e, start + stored.itemsize * i, _KINDS[stored]))
                else:
                    constants.append((k, i, e.number if isinstance(e, Expression) else e))
        self.ir, end, fills = scalar_code.program(stores, 0, end)
        self._memory = np.zeros(end // 8)
        for place, value in fills:
            self._memory[place // 8] = value
        with np.errstate(over="ignore"):
            for k, i, value in constants:
                _part(self._memory, self._results[k][0]).flat[i] = value

        self._code = machine.load(self.ir, _symbols(self.ir))
        # no call takes long: the interpreter's lock is kept
        self._run = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(self._code.address("run"))
        self._frames: list[_Frame] = []  # those not in use; to take one is a single step, and to put it back

    def __call__(self, arrays: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
        """The results for other arrays of the same shapes, which the caller has checked, or numbers.

        They are new arrays, and two threads may call at once.
        """
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = self._frame()
        address, inputs, results, _ = frame
        k = 0  # as plain as can be: zip(strict=True), enumerate, a comprehension take 0.1 microseconds each
        for place in inputs:
            place[...] = arrays[k]
            k += 1  # noqa: SIM113
        self._run(address)
        found = []
        for result in results:
            found.append(result())
        self._frames.append(frame)  # not after an error: then it is dropped
        return found

    def _frame(self) -> "_Frame":
        """Memory of one call: its address, where the inputs go, functions that make the results, and itself."""
        memory = self._memory.copy()
        results: list[Callable[[], Any]] = []
        for place, dtype in self._results:
            y = _part(memory, place)
            results.append(y.copy if y.dtype == dtype else functools.partial(_converted, y, dtype))
        return memory.ctypes.data, [_part(memory, place) for place in self._inputs], results, memory


_Place = tuple[int, tuple[int, ...], np.dtype[Any]]
"""Of an array in the frame: its first byte, shape and dtype."""

_Frame = tuple[int, list[np.ndarray[Any, Any]], list[Callable[[], Any]], np.ndarray[Any, Any]]


def _part(memory: np.ndarray[Any, Any], place: _Place) -> np.ndarray[Any, Any]:
    """An array of the frame."""
    start, shape, dtype = place
    return memory.view(np.uint8)[start : start + math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)


def _converted(y: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        return y.astype(dtype)


def _lowered(arrays: list[list[Any]]) -> list[list[Any]]:
    """The same results of primitive operations."""
    roots = list(dict.fromkeys(e for y in arrays for e in y if isinstance(e, Expression)))
    _check(len(ordered(roots)) + len(roots))
    low = lowered(roots)
    if low is None:
        raise NoKernel("an operation of this program has no machine code: run it with NumPy")
    of = dict(zip(roots, low, strict=True))
    _check(len(ordered(low)) + sum(isinstance(e, Expression) for y in arrays for e in y))
    return [[of[e] if isinstance(e, Expression) else e for e in y] for y in arrays]


def _check(count: int) -> None:
    if count > LIMIT:
        raise TooLarge(f"a program of {count} operations is too large for one kernel ({LIMIT}): run it with NumPy")


def _symbols(ir: str) -> Mapping[str, int]:
    """The functions of SciPy that the code calls by names of ours."""
    if "declare double @bibun_" not in ir:
        return {}
    return importlib.import_module("bibun.compiler.vector_special").symbols()  # type: ignore[no-any-return]
