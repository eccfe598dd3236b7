"""Programs of few numbers as straight machine code: every array of a recorded graph taken apart, no rows left.

For unrolled loops, recurrences, likelihoods of a handful of observations. What cannot be taken apart stays a plan of
NumPy calls. Imports cells.py, scalar_kernel.py.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.graph import Node, Parts
from ..transforms.recording import Recorded
from . import machine
from .cells import LEAVES, STRUCTURE, Cells, Unsupported, known_by_name
from .expression import Expression, Expressions

if TYPE_CHECKING:
    from .scalar_kernel import ScalarKernel

__all__ = ["scalar_program"]

SMALL = 256
"""Numbers among the arguments, up to which a program is taken apart, whatever it does with them."""

LOOPS = 4
"""Numbers a recorded operation has, in the mean, where a program is mostly loops: then its arguments may be larger."""

LARGEST = 4096
"""Numbers that an array may have."""

WORTH = 6
"""Operations, from which on a kernel is quicker than the calls."""

NO_ROWS = -(1 << 40)
"""A number of rows that no axis, shape or index is."""


KINDS = (np.dtype(np.float64), np.dtype(bool))
"""What has the same value when it is computed in float64."""

WHOLE = STRUCTURE - {"matmul", "cumsum"}
"""What is done to whole numbers: they are moved and counted, not computed with, where they could wrap around."""


class Apart(Cells):
    """The elements of the arrays of a recorded function, as expressions of its inputs."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        super().__init__(NO_ROWS, inputs)
        self.home = Expressions()
        self.place: dict[int, int] = {}
        self.unsigned: set[Expression] = set()  # never -0.0: sums with a term that is not
        self.singles: dict[int, Any] = {}  # the elements of arrays of one number, most of an unrolled loop
        k = 0
        for x in inputs:
            self.place[id(x)] = k
            k += x._data.size

    def rows_of(self, x: Any) -> int | None:
        """There are no rows."""
        return None

    def cell(self, e: Any) -> Any:
        """An element to compute with."""
        return e.item() if isinstance(e, np.ndarray) else e

    def take(self, v: Node) -> None:
        """Take the result of an operation apart, for others to find."""
        rule, data = v.rule.rule, v._data
        if rule is not None and rule.kind == "elementwise" and data.dtype == np.float64 and data.size == 1:
            args: list[Any] = list(v.values)
            for i, x in zip(v.rule.where, v.inputs, strict=True):
                args[i] = x
            if len(args) == rule.operands and not self._static(rule, args):
                self.singles[id(v)] = self._made(rule, [self.single(a) for a in args])
                return
        self.elements(v)

    def single(self, x: Any) -> Any:
        """The element of an array of one number: an expression, or a number."""
        found = self.singles.get(id(x))
        if found is None:
            self.kept.append(x)
            found = self.singles[id(x)] = _number(self.elements(x))
        return found

    def elements(self, x: Any) -> Any:
        """The elements of an array, an object array of its shape."""
        if not isinstance(x, (Node, np.ndarray)):
            return self._constants(np.asarray(x))
        found = self.found.get(id(x))
        if found is None:
            self.kept.append(x)
            single = self.singles.get(id(x))
            found = self.found[id(x)] = self._elements(x) if single is None else _boxed(single).reshape(x._data.shape)
        return found

    def _elements(self, x: Any) -> Any:
        if not isinstance(x, Node):
            return self._constants(x)
        if id(x) in self.place:
            out = np.empty(x._data.size, object)
            for i in range(out.size):
                out[i] = self.home.leaf("input", self.place[id(x)] + i)
            return out.reshape(x._data.shape)
        if isinstance(x._data, Parts) or x._data.size > LARGEST:
            raise Unsupported("several results, or many numbers")
        if x.rule in LEAVES and x.inputs:
            return self.elements(x.inputs[0])
        if x.rule is None or not x.inputs or not x.order:
            return self._constants(x._data)
        name = x.rule.name
        if name == "truncated" and id(x.inputs[0]) in self.place:
            return self.elements(x.inputs[0])  # an integer argument, floating while it is recorded
        if x._data.dtype not in KINDS and not (x._data.dtype.kind in "iu" and name in WHOLE):
            raise Unsupported("numbers that are rounded or wrap around on the way")
        return self._computed(x, None)

    def _constants(self, x: Any) -> Any:
        if x.dtype.kind not in "biuf" or x.size > LARGEST:
            raise Unsupported("constants that are no numbers, or many")
        out = np.empty(x.size, object)
        for i, value in enumerate(x.reshape(-1).tolist()):
            out[i] = float(value)
        return out.reshape(x.shape)

    def _static(self, rule: Any, args: Sequence[Any]) -> Sequence[int]:
        """Which operands of an elementwise operation are orders and the like, no numbers."""
        if int not in map(type, args):
            return ()
        return [i for i in range(rule.operands) if type(args[i]) is int and rule.partials[i] is None]

    def _computed(self, v: Node, axis: int | None) -> Any:
        rule, args = v.rule.rule, list(v.values)
        for i, x in zip(v.rule.where, v.inputs, strict=True):
            args[i] = x
        if rule.kind == "elementwise" or (rule.kind == "constant" and isinstance(rule.func, np.ufunc)):
            k = rule.operands
            static = self._static(rule, args) if rule.kind == "elementwise" else ()

            def run(*cells: Any) -> Any:
                return self._made(rule, [args[i] if i in static else _number(c) for i, c in enumerate(cells)])

            return self._each(run, *args[:k])
        if rule.name in ("where", "absorb"):
            return self._each(lambda *cells: self._made(rule, [_number(c) for c in cells]), *args)
        if rule.name == "sum":
            return self._summed(v, *args)
        if rule.name == "mean":
            return _boxed(self._summed(v, *args) / float(v.values[0].size // max(np.size(v._data), 1)))
        if rule.name == "scatter":
            return rule.run(self.elements(args[0]), *args[1:])
        if rule.name == "broadcast_to":
            return np.broadcast_to(self.elements(args[0]), v._data.shape)
        if rule.name in ("astype", "identity", "copy") and v.dtype.kind == "f":
            return self.elements(args[0])
        if rule.name not in STRUCTURE:
            raise Unsupported(rule.name)
        return self._moved(v, rule, args, None)

    def _each(self, run: Callable[..., Any], *operands: Any) -> Any:
        """An elementwise operation on the elements."""
        arrays = [self.elements(a) for a in operands]
        if any([a.shape != arrays[0].shape for a in arrays]):
            arrays = np.broadcast_arrays(*arrays)
        out = np.empty(arrays[0].shape, object)
        if out.size == 1:
            out.fill(run(*[a.item() for a in arrays]))
        else:
            out.reshape(-1)[:] = list(map(run, *[a.reshape(-1).tolist() for a in arrays]))
        return out

    def _summed(self, v: Node, x: Any, axis: Any, keepdims: Any) -> Any:
        """A sum, its terms added as NumPy adds them: along memory in several sums at once, else row by row."""
        e = self.elements(x)
        given = v.values[0]
        if axis is None and (given.flags.c_contiguous or given.flags.f_contiguous):
            e, along = e.reshape(-1, order="C" if given.flags.c_contiguous else "F"), 0
        elif type(axis) is int and given.strides[axis] == given.itemsize:
            along = axis
        else:
            return _boxed(np.add.reduce(e, axis=axis, keepdims=bool(keepdims)))
        return _boxed(_pairwise(np.moveaxis(e, along, 0))).reshape(v._data.shape)

    def _made(self, rule: Any, cells: Sequence[Any]) -> Any:
        """One operation on single numbers.

        A gradient of elements is a sum of arrays that are zero but for one of them: x + 0.0 is x, where x is not -0.0.
        """
        name = rule.name
        if not known_by_name(rule.func):
            raise Unsupported("a function of somebody else's, which may have the name of another")
        if Expression not in map(type, cells):
            if name in _PYTHON:
                return _PYTHON[name](*cells)
            with np.errstate(all="ignore"):
                return float(rule.run(*cells))
        if name == "add":
            a, b = cells
            if b.__class__ is float:
                a, b = b, a
            if a.__class__ is float and (a or math.copysign(1.0, a) > 0):
                if not a and b in self.unsigned:
                    return b
                e = self.home.make(name, a, b)
                self.unsigned.add(e)
                return e
            e = self.home.make(name, a, b)
            if a in self.unsigned or b in self.unsigned:
                self.unsigned.add(e)
            return e
        return self.home.make(name, *cells)


_PYTHON: dict[str, Callable[..., float]] = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul}
"""What Python itself does to two numbers as NumPy does."""


def _number(x: Any) -> Any:
    while isinstance(x, np.ndarray):
        x = x.item()
    return x if isinstance(x, Expression) else float(x)


def _pairwise(x: Any) -> Any:
    """The sum along the first axis: eight sums side by side of up to 128 terms, halves of more, as NumPy has it."""
    n = len(x)
    if n < 8:
        return np.add.reduce(x, axis=0)
    if n > 128:
        half = n // 16 * 8
        return _pairwise(x[:half]) + _pairwise(x[half:])
    end = n // 8 * 8
    t = np.add.reduce(x[:end].reshape(-1, 8, *x.shape[1:]), axis=0)
    total = ((t[0] + t[1]) + (t[2] + t[3])) + ((t[4] + t[5]) + (t[6] + t[7]))
    for term in x[end:]:
        total = total + term
    return total


def _plain(elements: Any) -> Any:
    """Elements that NumPy has left in arrays of their own taken out of them."""
    out = np.empty(elements.size, object)
    for i, e in enumerate(elements.reshape(-1)):
        out[i] = e.item() if isinstance(e, np.ndarray) else e
    return out.reshape(elements.shape)


def _boxed(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x
    out = np.empty((), object)
    out[()] = x
    return out


def _few(recorded: Recorded) -> bool:
    """Whether a function computes few numbers for what there is of it."""
    if sum(x._data.size for x in recorded.inputs) <= SMALL:
        return True
    return sum(getattr(v._data, "size", 1) for v in recorded.nodes) <= LOOPS * len(recorded.nodes)


def scalar_program(recorded: Recorded, kinds: Any) -> "ScalarKernel | None":
    """What computes the results of a recorded function of few numbers; None where it has to be NumPy."""
    inputs = recorded.inputs
    if not machine.available() or len(recorded.nodes) < WORTH or not _few(recorded):
        return None
    if any(x._data.dtype != np.float64 for x in inputs) or any(k.kind not in "fiu" for k in kinds or ()):
        return None
    from .scalar_kernel import LIMIT, NoKernel, ScalarKernel  # few programs come so far

    if len(recorded.nodes) > 2 * LIMIT:  # many are equal to others
        return None
    apart = Apart(inputs)
    try:
        for v in recorded.nodes:  # in order, so that nothing recurses deeply
            apart.take(v)
        outputs = []
        for y in recorded.outputs:
            data = getattr(y, "_data", y)
            if np.asarray(data).dtype.kind not in "fb":
                return None
            elements = apart.elements(y if isinstance(y, Node) else np.asarray(data))
            outputs.append((_plain(elements), np.asarray(data).dtype))
        return ScalarKernel([(x._data.shape, x._data.dtype) for x in inputs], outputs)
    except (Unsupported, NoKernel):
        return None
