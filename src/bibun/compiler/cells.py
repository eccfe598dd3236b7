"""Arrays taken apart: what a recorded array computes for one row, as elements that are one value a row each.

An array with a row axis becomes an object array in which that axis has length 1. Its elements are Variables over a few
sample rows, so that the table's own derivatives apply to them; and where parameters enter a row, there is an atom: a
fresh Variable that stands for one predictor. NumPy itself moves elements about. Imports core, transforms.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.backward import cotangents, depends, within
from ..core.graph import BOUNDARY, CLOSED, SPENT, Form, Node, Parts, history
from ..core.kinds import Constant
from ..core.rule import TABLE
from ..core.variable import Variable, close, inner
from .expression import Expression, Expressions

__all__ = ["Atom", "Cells", "Unsupported", "known_by_name", "translated"]

SAMPLE = 7  # rows that elements are computed on while they are recorded
WIDE = 48  # elements a row, above which an array is not taken apart
FEW = 64  # numbers, up to which parameters are taken apart

STRUCTURE = frozenset(
    ["reshape", "expand_dims", "squeeze", "broadcast_to", "transpose", "swapaxes", "moveaxis", "getitem"]
    + ["concatenate", "stack", "copy", "sum", "matmul", "cumsum", "flip", "diagonal"]
)
MIXED = frozenset(["matmul", "sum", "cumsum", "max", "min", "log_sum", "softmax", "log_softmax"])
"""Among parameters, what has no more numbers than what it is made of: the rows read it as it is, not what is behind."""

SUMS = frozenset(["sum", "mean", "var", "std", "matmul", "bincount", "counted", "row count"])
LEAVES = (BOUNDARY, CLOSED, SPENT)
PASSED = frozenset(["identity", "copy", "positive", "astype", "reshape", "broadcast_to", "real"])


held_maximum = Constant(np.maximum, name="maximum")
"""The larger of two, as something that does not move."""
TABLE.remove(held_maximum)


class Unsupported(Exception):
    """An array that cannot be taken apart by rows; it is then computed as it was recorded."""


class Ref:
    """An element of a source that nobody has computed with yet: a column of the data, or one parameter."""

    __slots__ = ("position", "source")

    def __init__(self, source: Any, position: int) -> None:
        self.source, self.position = source, position


class Atom:
    """How parameters enter a row: the block, and which elements of which source they are."""

    __slots__ = ("data", "kind", "positions", "source", "variable")

    def __init__(self, kind: str, data: Any, source: Any, positions: tuple[int, ...], variable: Variable) -> None:
        self.kind, self.data, self.source, self.positions, self.variable = kind, data, source, positions, variable


class Cells:
    """The elements of the arrays of one recorded function.

    Parameters
    ----------
    n : int
        The number of rows.
    stop : collection of Node
        Variables that are not looked behind: what the derivative is taken with respect to.
    """

    def __init__(self, n: int, stop: Any) -> None:
        self.n, self.stop, self.m = n, set(stop), min(n, SAMPLE)
        self.found: dict[Any, Any] = {}
        self.atoms: dict[Any, Atom] = {}
        self.blocks: dict[Any, Atom] = {}
        self.columns: dict[Any, tuple[Any, int, Variable]] = {}
        self.instead: dict[Node, Any] = {}
        self.kept: list[Any] = []

    def rows_of(self, x: Any) -> int | None:
        """Which axis is the rows; None where there is none."""
        shape = np.shape(getattr(x, "_data", x))
        axes = [i for i, k in enumerate(shape) if k == self.n]
        if len(axes) > 1:
            raise Unsupported("two axes have as many elements as there are rows")
        return axes[0] if axes else None

    def elements(self, x: Any) -> Any:
        """The elements of an array, an object array with one row."""
        if isinstance(x, Node):
            x = self.instead.get(x, x)
        if not isinstance(x, (Node, np.ndarray)):
            return _objects(np.asarray(x))
        key = id(x)
        if key not in self.found:
            self.kept.append(x)
            self.found[key] = self._elements(x)
        return self.found[key]

    def _elements(self, x: Any) -> Any:
        axis = self.rows_of(x)
        if not isinstance(x, Node):
            return _objects(x) if axis is None else self._source(x, axis)
        if isinstance(x._data, Parts):
            raise Unsupported("several results")
        mixed = axis is None and isinstance(x.rule, Form) and x.rule.rule.name in MIXED
        if x not in self.stop and x.rule not in (None, *LEAVES) and not mixed:
            size = x._data.size // (self.n if axis is not None else 1)
            if size <= (WIDE if axis is not None else FEW):
                try:
                    return self._computed(x, axis)
                except Unsupported:
                    if axis is not None and self.moves(x):
                        raise
        elif x.rule is CLOSED and x.inputs and x not in self.stop and axis is not None:
            return self.elements(x.inputs[0])
        return self._source(x, axis)

    def picked(self, x: Any) -> bool:
        """Whether a value without rows is one of theirs (a maximum, an element), not a sum.

        NumPy picks it from numbers it has rounded itself; a kernel's own, compared with it, may miss it by a bit.
        """
        if not isinstance(x, Node) or not x.order or self.n in np.shape(x._data):
            return False
        return any(
            v.inputs
            and self.n not in np.shape(v._data)
            and getattr(v.rule, "rule", None) is not None
            and v.rule.rule.name not in SUMS
            and v.rule.rule.kind != "rows"
            and any(self.n in np.shape(i._data) for i in v.inputs)
            for v in history([x])[0]
        )

    def moves(self, x: Node) -> bool:
        """Whether a Variable depends on what the derivative is taken with respect to."""
        if not self.stop or not x.order:
            return False
        nodes = within([x], list(self.stop))[0]
        return bool(nodes) and x in depends(nodes, self.stop)

    def _source(self, x: Any, axis: int | None) -> Any:
        """References to the elements of an array that is taken as it is."""
        shape = np.shape(getattr(x, "_data", x))
        if axis is None:
            out = np.empty(int(np.prod(shape)), object)
            for i in range(out.size):
                out[i] = Ref(x, i)
            return out.reshape(shape)
        if axis != 0 or len(shape) > 2:
            raise Unsupported("rows that are not the first axis of a matrix")
        width = shape[1] if len(shape) == 2 else 1
        if width > WIDE:
            raise Unsupported("too many columns to take apart")
        out = np.empty(width, object)
        for i in range(width):
            out[i] = Ref(x, i)
        return out.reshape((1, *shape[1:]))

    def computed(self, x: Any) -> Any:
        """The elements of an array, to compute with."""
        return _mapped(self.cell, self.elements(x))

    def cell(self, e: Any) -> Any:
        """An element to compute with."""
        if not isinstance(e, Ref):
            return e
        key = id(e.source), e.position
        data = getattr(e.source, "_data", e.source)
        if self.rows_of(e.source) is None:
            return self.atom("scalar", None, e.source, (e.position,), np.full(self.m, data.flat[e.position]))
        if key not in self.columns:
            self.kept.append(e.source)
            column = data[: self.m] if data.ndim == 1 else data[: self.m, e.position]
            self.columns[key] = e.source, e.position, Variable(np.array(column))
        return self.columns[key][2]

    def atom(self, kind: str, data: Any, source: Any, positions: tuple[int, ...], sample: Any) -> Variable:
        """The Variable that stands for one predictor."""
        key = kind, id(data), id(source), positions
        if key not in self.atoms:
            self.kept += [data, source]
            v = inner(Variable(np.asarray(sample, float)))
            close(v)
            self.atoms[key] = Atom(kind, data, source, positions, v)
        return self.atoms[key].variable

    def _computed(self, v: Node, axis: int | None) -> Any:
        rule, args = v.rule.rule, list(v.values)
        for i, x in zip(v.rule.where, v.inputs, strict=True):
            args[i] = x
        if axis is None and any(self.rows_of(a) is not None for a in args if isinstance(a, (Node, np.ndarray))):
            raise Unsupported("a value made of all rows, which is the same in every row")
        if axis is not None and any(self.picked(a) for a in args):
            raise Unsupported("a value picked from among the rows")
        if rule.kind == "elementwise" or (rule.kind == "constant" and isinstance(rule.func, np.ufunc)):
            k = rule.operands
            return self._each(lambda *cells: rule(*cells, *args[k:]), *args[:k])
        if rule.name in ("where", "absorb"):
            return self._each(rule, *args)
        if rule.name == "astype" and np.dtype(args[1]).kind == "f":
            return self.elements(args[0])
        if rule.name == "truncated" and args[0].rule in LEAVES:  # an integer argument, floating while recorded
            return self._source(v, axis)
        if rule.name == "matmul":
            found = self._predictors(v, *args)
            if found is not None:
                return found
        if rule.name == "getitem" and self.rows_of(args[0]) is None and self._is_codes(args[1]):
            return self._gathered(args[0], args[1])
        if rule.name in ("max", "min") and len(args) > 1:
            return self._folded(np.maximum if rule.name == "max" else np.minimum, args[0], args[1:], axis)
        if rule.name == "log_sum":
            return self._log_sum(args, axis)
        if rule.name in ("softmax", "log_softmax"):
            return self._softmax(args, rule.name == "log_softmax")
        if rule.name not in STRUCTURE:
            raise Unsupported(rule.name)
        return self._moved(v, rule, args, axis)

    def _each(self, run: Callable[..., Any], *operands: Any) -> Any:
        """An elementwise operation on the elements."""
        arrays = np.broadcast_arrays(*[self.elements(a) for a in operands])
        out = np.empty(arrays[0].shape, object)
        flat = [a.reshape(-1) for a in arrays]
        made = [run(*[self.cell(f[i]) for f in flat]) for i in range(out.size)]
        out_flat = out.reshape(-1)
        for i, y in enumerate(made):
            out_flat[i] = y
        return out_flat.reshape(out.shape)

    def _moved(self, v: Node, rule: Any, args: list[Any], axis: int | None) -> Any:
        """A function that moves, adds or multiplies elements: NumPy's own, on them."""
        if rule.variadic or rule.name in ("concatenate", "stack"):
            operands = [i for i, a in enumerate(args) if isinstance(a, (Node, np.ndarray))]
        else:
            operands = list(range(rule.operands))
        had = [self.rows_of(args[i]) for i in operands]
        static = [_single(a, self.n) if i not in operands else a for i, a in enumerate(args)]
        for i in operands:
            static[i] = self.elements(args[i])
            if rule.name in ("sum", "matmul", "cumsum"):
                static[i] = _mapped(self.cell, static[i])
        if axis is not None:
            self._check_rows(rule.name, v, args, had)
        try:
            with np.errstate(all="ignore"):  # on a few rows only, and NumPy warns of objects too
                if rule.name == "sum":
                    out = np.add.reduce(static[0], axis=static[1], keepdims=bool(static[2]))
                elif rule.name == "getitem":
                    out = static[0][static[1]]
                else:
                    out = rule.run(*static)
        except (TypeError, ValueError, IndexError) as e:
            raise Unsupported(rule.name) from e
        if not isinstance(out, np.ndarray) or out.dtype != object:
            boxed = np.empty((), object)
            boxed[()] = out
            out = boxed
        wanted = tuple(1 if k == self.n else k for k in np.shape(v._data))
        if out.shape != wanted:
            raise Unsupported(rule.name)
        return out

    def _check_rows(self, name: str, v: Node, args: list[Any], had: list[int | None]) -> None:
        """Refuse what moves elements from one row to another."""
        axis = self.rows_of(v)
        if name in ("reshape", "ravel"):
            before = np.prod(v.values[0].shape[: had[0]], dtype=int) if had[0] is not None else -1
            if before != np.prod(np.shape(v._data)[:axis], dtype=int):
                raise Unsupported("a reshape across rows")
        if name == "getitem" and had[0] is not None:
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            k = 0
            if any(not (i is None or i is Ellipsis or isinstance(i, (int, slice))) for i in index):
                raise Unsupported("an index by arrays")
            if Ellipsis in index:
                at = index.index(Ellipsis)
                rest = len(np.shape(v.values[0])) - sum(i is not None for i in index) + 1
                index = (*index[:at], *(slice(None),) * rest, *index[at + 1 :])
            for i in index:
                if i is None:
                    continue
                if k == had[0] and i != slice(None):
                    raise Unsupported("an index of rows")
                k += 1
        if name in ("cumsum", "flip", "concatenate", "diagonal"):
            along = args[-1] if name != "concatenate" else args[0]
            if name in ("flip", "diagonal") or not isinstance(along, int) or along % np.ndim(v._data) == axis:
                raise Unsupported(name)
        if name == "stack" and any(h is None for h in had):
            raise Unsupported(name)

    def _predictors(self, v: Node, a: Any, b: Any) -> Any:
        """`X @ b` with the rows of X in the data: atoms, one for each column of b."""
        if self.rows_of(a) != 0 or np.ndim(getattr(a, "_data", a)) != 2 or self.rows_of(b) is not None:
            return None
        width = np.shape(getattr(a, "_data", a))[1]
        if not self.readable(a):
            return None
        if not isinstance(b, Node) or not np.ndim(b._data):
            return None
        names = self._refs(b)
        data = getattr(a, "_data", a)[: self.m]
        columns = [names] if names.ndim == 1 else list(names.T)
        values = b._data.reshape(width, -1).T
        out = np.empty((1, *names.shape[1:]), object)
        for k, (column, value) in enumerate(zip(columns, values, strict=True)):
            source = column[0].source
            positions = tuple(e.position for e in column)
            with np.errstate(all="ignore"):
                out.reshape(-1)[k] = self.atom("dense", a, source, positions, data @ value)
        return out

    def readable(self, a: Any) -> bool:
        """Whether a matrix is better read as it is than taken apart: it does not move, and is wide, or is data."""
        width = np.shape(getattr(a, "_data", a))[1]
        if width < 3 or (isinstance(a, Node) and self.moves(a)):
            return False
        return not isinstance(a, Node) or width > 8 or a.rule in (None, *LEAVES)

    def outer(self, kind: str, data: Any, width: int) -> Atom:
        """The predictor of parameters that there are not: only the block by which they would enter a row counts."""
        key = kind, id(data), width
        if key not in self.blocks:
            none = np.zeros(width)
            self.atom(kind, data, none, tuple(range(width)), np.ones(self.m))
            self.blocks[key] = self.atoms[kind, id(data), id(none), tuple(range(width))]
        return self.blocks[key]

    def _refs(self, b: Node) -> Any:
        """The parameters of a predictor as elements of one source: of what they are sliced from, or of themselves."""
        x = b
        chain = []
        while (
            isinstance(x, Node)
            and x not in self.stop
            and x.rule not in (None, *LEAVES)
            and x.rule.rule.name in ("getitem", "reshape", "transpose", "copy")
            and len(x.inputs) == 1
            and self.rows_of(x) is None
        ):
            chain.append(x)
            x = x.inputs[0]
        x = self.instead.get(x, x)
        out = np.arange(x._data.size).reshape(x._data.shape)
        for v in reversed(chain):
            args = list(v.values)
            args[0] = out
            out = args[0][args[1]] if v.rule.rule.name == "getitem" else v.rule.rule.run(*args)
        refs = np.empty(out.size, object)
        for i, p in enumerate(out.reshape(-1)):
            refs[i] = Ref(x, int(p))
        return refs.reshape(out.shape)

    def _is_codes(self, i: Any) -> bool:
        x = getattr(i, "_data", i)
        return isinstance(x, np.ndarray) and x.ndim == 1 and x.dtype.kind in "iu" and len(x) == self.n

    def counts(self, codes: Any) -> bool:
        """Whether these are codes a kernel can read: none of them counts from the end, and they are data."""
        if not self._is_codes(codes):
            return False
        if not isinstance(codes, Node):
            return bool(codes.min() >= 0)
        return not self.moves(codes)

    def _gathered(self, u: Any, codes: Any) -> Any:
        """`u[codes]`: the parameter of each row's group."""
        values = getattr(u, "_data", u)
        index = getattr(codes, "_data", codes)
        if values.ndim != 1 or not isinstance(u, Node) or not self.counts(codes):
            raise Unsupported("a gather of this kind")
        names = self._refs(u)
        out = np.empty(1, object)
        out[0] = self.atom("codes", codes, names[0].source, tuple(e.position for e in names), values[index[: self.m]])
        return out

    def _folded(self, pair: Any, x: Any, rest: list[Any], axis: int | None) -> Any:
        """A maximum of two along an axis; among three that tie, pair by pair would not share evenly."""
        along = rest[0]
        e = self.computed(x)
        if not isinstance(along, int) or along % e.ndim == self.rows_of(x) or e.shape[along] != 2:
            raise Unsupported("max")
        total = _objects_of(pair, e.take(0, along), e.take(1, along))
        return np.expand_dims(total, along) if len(rest) > 1 and rest[1] is True else total

    def _log_sum(self, args: list[Any], axis: int | None) -> Any:
        """log Σ exp(a) along an axis, pair by pair."""
        a, b, along, keep = args
        if not (isinstance(b, (int, float)) and b == 1.0) or isinstance(along, tuple):
            raise Unsupported("weights in logsumexp")
        e = self.computed(a)
        if along is None and e.ndim == 1 and axis is None and self.rows_of(a) is None:
            along = 0
        if along is None or along % e.ndim == self.rows_of(a):
            raise Unsupported("logsumexp over rows")
        parts = [e.take(k, along) for k in range(e.shape[along])]
        total = parts[0]
        for p in parts[1:]:
            total = _objects_of(np.logaddexp, total, p)
        return np.expand_dims(total, along) if keep else total

    def _softmax(self, args: list[Any], logarithm: bool) -> Any:
        """Shares along an axis, or their logarithms, by differences from the largest: it changes neither."""
        x, along = args
        e = self.computed(x)
        if along is None and e.ndim == 1 and self.rows_of(x) is None:
            along = 0
        if not isinstance(along, int) or along % e.ndim == self.rows_of(x):
            raise Unsupported("softmax over rows")
        parts = [e.take(k, along) for k in range(e.shape[along])]
        top = functools.reduce(functools.partial(_objects_of, held_maximum), parts)
        parts = [p - top for p in parts]
        if logarithm:
            total = functools.reduce(functools.partial(_objects_of, np.logaddexp), parts)
            return np.stack([p - total for p in parts], along)
        parts = [_mapped(np.exp, p) for p in parts]
        total = functools.reduce(np.add, parts)
        return np.stack([p / total for p in parts], along)

    def derivatives(self, e: Any) -> dict[int, Any]:
        """∂e/∂atom, by the identity of the atom's Variable; those that are not zero."""
        if not isinstance(e, Node) or not e.order:
            return {}
        atoms = [a.variable for a in self.atoms.values()]
        nodes = within([e], atoms)[0]
        have = depends(nodes, set(atoms)) if nodes else {e}
        touched = {id(e)} | {id(x) for v in nodes if v in have for x in v.inputs}
        used = [a for a in atoms if id(a) in touched]
        if not used:
            return {}
        ones = np.ones(np.shape(e._data))
        found, _ = cotangents([e], used, [ones])
        return {id(a): g for a, g in zip(used, found, strict=True)}


def _objects(x: Any) -> Any:
    """Numbers as an object array."""
    out = np.empty(x.size, object)
    for i, value in enumerate(x.reshape(-1).tolist()):
        out[i] = value
    return out.reshape(x.shape)


def _mapped(f: Callable[[Any], Any], x: Any) -> Any:
    out = np.empty(x.size, object)
    for i, e in enumerate(x.reshape(-1)):
        out[i] = f(e)
    return out.reshape(x.shape)


def _objects_of(f: Callable[..., Any], a: Any, b: Any) -> Any:
    out = np.empty(a.size, object)
    for i, (x, y) in enumerate(zip(a.reshape(-1), b.reshape(-1), strict=True)):
        out[i] = f(x, y)
    return out.reshape(a.shape)


def _single(a: Any, n: int) -> Any:
    """A shape among the arguments with one row in place of all."""
    if isinstance(a, tuple):
        return tuple(_single(k, n) for k in a)
    return 1 if type(a) is int and a == n else a


def translated(v: Any, leaves: dict[int, Expression], home: Expressions, done: dict[int, Any]) -> Any:
    """An element as an expression.

    Raises
    ------
    Unsupported
        Where something in it is no operation on single numbers.
    """
    stack = [v]
    while stack:
        x = stack[-1]
        if not isinstance(x, Node):
            done.setdefault(id(x), _constant(x, home))
        if id(x) in done:
            stack.pop()
            continue
        if id(x) in leaves:
            done[id(x)] = leaves[id(x)]
            continue
        if x.rule is None or not x.order:
            done[id(x)] = _constant(x._data, home)
            continue
        waiting = [i for i in x.inputs if id(i) not in done]
        if waiting:
            stack += waiting
            continue
        done[id(x)] = _operation(x, home, done)
    return done[id(v)]


BITS = {
    "invert": ("logical_not", np.logical_not),
    "bitwise_and": ("logical_and", np.logical_and),
    "bitwise_or": ("logical_or", np.logical_or),
    "bitwise_xor": ("logical_xor", np.logical_xor),
}
"""Operations on bits, as what they are on truth values."""

WHOLE = frozenset(["left_shift", "right_shift", "gcd", "lcm", "bitwise_count"])
"""Operations on whole numbers only: rows are computed in float64."""


def known_by_name(func: Any) -> bool:
    """Whether a function's name says which it is: an expression is that and its operands."""
    if isinstance(func, np.ufunc):
        return True
    return str(getattr(func, "__module__", None) or "numpy").partition(".")[0] in ("numpy", "scipy", "bibun")


def _operation(x: Node, home: Expressions, done: dict[int, Any]) -> Any:
    rule = x.rule.rule
    dtype = x._data.dtype
    if not known_by_name(rule.func):
        raise Unsupported("a function of somebody else's, which may have the name of another")
    if rule.name in WHOLE or (rule.name in BITS and dtype.kind != "b"):
        raise Unsupported("an operation on whole numbers")
    if dtype.kind == "u" or (dtype.kind == "i" and dtype.itemsize < 8):
        raise Unsupported("arithmetic of whole numbers that wrap around")
    args: list[Any] = list(x.values)
    places = dict(zip(x.rule.where, x.inputs, strict=True))
    if rule.name in PASSED:
        return done[id(x.inputs[0])]
    if rule.kind == "elementwise":
        static = [i for i, d in enumerate(rule.partials) if d is None and type(args[i]) is int]
    elif rule.name in ("where", "absorb") or (rule.kind == "constant"):
        static = []
    else:
        raise Unsupported(rule.name)
    operands = [
        done[id(places[i])] if i in places else a if i in static else _constant(a, home) for i, a in enumerate(args)
    ]
    name, run = BITS.get(rule.name, (rule.name, rule.run))
    return home.make(name, *operands, run=run)


def _constant(x: Any, home: Expressions) -> Expression:
    a = np.asarray(x)
    if a.dtype.kind not in "biuf" or not a.size:
        raise Unsupported("a constant that is no number")
    first = a.flat[0]
    if a.size > 1 and not (np.equal(a, first).all() or (first != first and np.isnan(a).all())):
        raise Unsupported("an array of different constants")
    return home.number(first)
