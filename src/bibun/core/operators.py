"""What a Variable can do by NumPy's names: its operators and methods, fastened on from two tables.

Called once by rules/, when the functions of the tables have their entries. Imports Variable and the registry.
"""

from types import FunctionType
from typing import Any

import numpy as np

from . import dispatch
from .callers import SPARSE
from .variable import Variable

__all__ = ["fasten"]

OPERATORS: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "divmod": np.divmod,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
COMMUTE = {"add", "mul"}
COMPARISONS: dict[str, Any] = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
UNARY: dict[str, Any] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
METHODS: tuple[str, ...] = (
    "all", "any", "argmax", "argmin", "argsort", "clip", "compress", "conj", "cumprod", "cumsum", "diagonal", "dot",
    "max", "mean", "min", "nonzero", "prod", "ptp", "ravel", "repeat", "round", "searchsorted", "squeeze", "std", "sum",
    "swapaxes", "take", "trace", "var", "copy", "choose", "imag", "real",
)  # fmt: skip


def fasten(getitem: Any, astype: Any) -> None:
    """Give Variable its operators and methods. `getitem` and `astype` have no function in NumPy of their own."""
    rules = dispatch.RULES
    for name, func in OPERATORS.items():
        entry = rules[func]
        setattr(Variable, f"__{name}__", entry)
        setattr(Variable, f"__r{name}__", entry if name in COMMUTE else _reflected(entry))
    for name, func in COMPARISONS.items():
        setattr(Variable, f"__{name}__", _comparison(rules[func]))
    for name, func in UNARY.items():
        setattr(Variable, f"__{name}__", rules[func])
    Variable.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]
    for name in METHODS:
        func = getattr(np, name)
        entry = rules[func]
        if isinstance(entry, FunctionType) and entry.__doc__ is None:
            entry.__name__, entry.__doc__ = name, f"As `np.{name}` of this Variable."
        setattr(Variable, name, property(entry) if name in ("real", "imag") else entry)
    v: Any = Variable
    v.__getitem__ = getitem
    v.astype = astype
    v.conjugate = v.conj
    v.T = property(rules[np.transpose], doc="The axes reversed.")
    v.mT = property(lambda self: np.swapaxes(self, -1, -2), doc="The last two axes swapped.")
    v.flatten = v.ravel
    v.reshape = _reshape(rules[np.reshape])
    v.transpose = _transpose(rules[np.transpose])
    v.sort = _refused("sort", "np.sort(v)")
    v.fill = _refused("fill", "np.full_like(v.data, value)")
    v.put = _refused("put", "np.where(mask, new, v)")
    v.partition = _refused("partition", "np.partition(v, kth)")
    v.view = _absent("view", "v.astype(dtype)")  # SciPy 1.13 asks for it in `S * v`, and for the next
    v.flat = _absent("flat", "v.ravel()")
    v.resize = _refused("resize", "np.resize(v, shape)")


def _comparison(entry: Any) -> Any:
    """A comparison that leaves what is no number or array to the other side (`v == None`, `v == pytest.approx(2)`)."""
    known = (Variable, np.ndarray, np.generic, float, int, complex, list, tuple)

    def compare(a: Any, b: Any) -> Any:
        return entry(a, b) if isinstance(b, known) or hasattr(b, "__array__") else NotImplemented

    return compare


def _reflected(entry: Any) -> Any:
    return lambda b, a: entry(a, b)


def _reshape(entry: Any) -> Any:
    def reshape(self: Any, *shape: Any, **kw: Any) -> Any:
        """The same elements in another shape."""
        return entry(self, shape[0] if len(shape) == 1 else shape, **kw)

    return reshape


def _transpose(entry: Any) -> Any:
    def transpose(self: Any, *axes: Any) -> Any:
        """The axes permuted; reversed when none are given."""
        return entry(self, (axes[0] if len(axes) == 1 else axes) if axes else None)

    return transpose


def _absent(name: str, instead: str) -> Any:
    def attribute(self: Any) -> Any:
        raise AttributeError(f"a Variable has no {name}: write {instead}; if this is `S * v`: {SPARSE}")

    return property(attribute)


def _refused(name: str, instead: str) -> Any:
    def method(self: Any, *args: Any, **kw: Any) -> Any:
        raise TypeError(f"v.{name}() would change a recorded value in place: write {instead}")

    return method
