"""A scalar kernel: a program of single numbers as straight machine code, with its arrays in and out.

For programs of small arrays, every element of which has been taken apart: unrolled loops, recurrences, the likelihood
of a few parameters. scalar_code.py writes what is computed; here are the frame it is computed in, and the call, which
takes less than a microsecond. Imports scalar_math.py, scalar_code.py, machine.py.
"""

import contextlib
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

LIMIT = 100_000
"""The most operations, and results, that become one kernel: it takes some 20 microseconds an operation to make, less
than a nanosecond to run, and NumPy a microsecond."""

_DOUBLE, _TRUTH = np.dtype(np.float64), np.dtype(bool)


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
        self._results: list[tuple[_Place, np.dtype[Any]]] = [(_NOWHERE, dtype) for _, dtype in arrays]
        end = 0
        for shape, _ in inputs:
            self._inputs.append((end, tuple(shape), _DOUBLE))
            end += 8 * math.prod(shape)
        start = end
        for k, (y, dtype) in enumerate(arrays):
            if dtype != _TRUTH:
                self._results[k] = (end, y.shape, _DOUBLE), dtype
                end += 8 * y.size
        end += (start - end) % (8 * machine.lanes())
        numbers = start, end
        for k, (y, dtype) in enumerate(arrays):
            if dtype == _TRUTH:
                self._results[k] = (end, y.shape, _TRUTH), dtype
                end += y.size
        end += -end % 8

        stores: list[scalar_code.Store] = []
        constants: list[tuple[int, int, float]] = []
        for k, ((place, _, stored), _) in enumerate(self._results):
            for i, e in enumerate(values[k]):
                if isinstance(e, Expression) and e.op != "number":
                    stores.append((e, place + stored.itemsize * i, "i8" if stored == _TRUTH else "double"))
                else:
                    constants.append((k, i, e.number if isinstance(e, Expression) else e))
        program = scalar_code.program(stores, 0, numbers, end)
        self.ir = program.functions + program.run
        self._memory = np.zeros(program.end // 8)
        for place, value in program.fills:
            self._memory[place // 8] = value
        for k, i, value in constants:
            _part(self._memory, self._results[k][0]).flat[i] = value

        symbols = _symbols(program.functions or program.run)
        if program.functions:
            self._functions = machine.load(program.functions, symbols)
            symbols = {**symbols, **{name: self._functions.address(name) for name in self._functions.names}}
        self._code = machine.load(program.run, symbols, program.level)
        # no call takes long: the interpreter's lock is kept
        self._run = ctypes.PYFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)(self._code.address("run"))
        self._frames: list[Any] = []  # those not in use; to take one is a single step, and to put it back

    def __call__(self, arrays: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
        """The results for other arrays of the same shapes, which the caller has checked, or numbers.

        They are new arrays, and two threads may call at once.
        """
        return self.calling(list, None)(arrays)  # type: ignore[no-any-return]

    def calling(
        self, rebuild: Callable[[list[Any]], Any], otherwise: Callable[[Sequence[Any]], Any] | None
    ) -> Callable[[Sequence[Any]], Any]:
        """The function from arrays to the results, in the structure that `rebuild` gives them.

        It is written out for these numbers of arrays: loops over two or three would take as long as the copies.
        With `otherwise`, that is called instead where one of the results is NaN.
        """
        results = [f"r{k}()" for k in range(len(self._results))]
        source = "\n".join([
            "def made(frames, new, run, rebuild, otherwise):",
            "    def call(arrays):",
            "        try: frame = frames.pop()",
            "        except IndexError: frame = new()",
            f"        address, memory, {''.join(f'p{k}, ' for k in range(len(self._inputs)))}"
            f"{''.join(f'r{k}, ' for k in range(len(results)))}= frame",
            f"        [{', '.join(f'p{k}[...]' for k in range(len(self._inputs)))}] = arrays",
            "        nan = run(address)",
            f"        found = {_structure(rebuild, results)}",
            "        frames.append(frame)",  # not after an error: then it is dropped
            "        if nan: return otherwise(arrays)" if otherwise is not None else "",
            "        return found",
            "    return call",
        ])  # fmt: skip
        return _made(source)(self._frames, self._frame, self._run, rebuild, otherwise)  # type: ignore[no-any-return]

    def _frame(self) -> tuple[Any, ...]:
        """Memory of one call: its address and itself, where the inputs go, and functions that make the results."""
        memory = self._memory.copy()
        results: list[Callable[[], Any]] = []
        for place, dtype in self._results:
            y = _part(memory, place)
            results.append(y.copy if y.dtype == dtype else functools.partial(_converted, y, dtype))
        return memory.ctypes.data, memory, *[_part(memory, place) for place in self._inputs], *results


@functools.cache
def _made(source: str) -> Callable[..., Any]:
    """The function `made` that is written there."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names["made"]  # type: ignore[no-any-return]


def _structure(rebuild: Callable[[list[Any]], Any], leaves: list[str]) -> str:
    """The source of what `rebuild` makes of leaves that are written so: its own work on their names shows it."""
    if rebuild is not list:
        with contextlib.suppress(_Other):
            return _spelled(rebuild(leaves), set(leaves))
    return f"rebuild([{', '.join(leaves)}])"


class _Other(Exception):
    """A structure that is more than tuples, lists and dictionaries."""


def _spelled(tree: Any, leaves: set[str]) -> str:
    if type(tree) is str and tree in leaves:
        return tree
    if type(tree) is tuple:
        return f"({''.join(f'{_spelled(x, leaves)}, ' for x in tree)})"
    if type(tree) is list:
        return f"[{', '.join(_spelled(x, leaves) for x in tree)}]"
    if type(tree) is dict and all(type(k) is str for k in tree):
        return f"{{{', '.join(f'{k!r}: {_spelled(x, leaves)}' for k, x in tree.items())}}}"
    raise _Other


_Place = tuple[int, tuple[int, ...], np.dtype[Any]]
"""Of an array in the frame: its first byte, shape and dtype."""

_NOWHERE: _Place = (0, (), _DOUBLE)


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
