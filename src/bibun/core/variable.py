"""Variable: a value that remembers how it came to be.

This is the class of the article and of its book: `data`, `grad`, `creator`, `set_creator`, `backward`, `cleargrad`.
Operators and NumPy's methods are fastened to it from a table in operators.py; NumPy's own functions find it through
the two protocols at the end. Imports the graph, the reverse walk, and the protocols.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from ..errors import TrackedVariable
from . import dispatch
from .absorbing import has_nan
from .backward import absorbing, checked, reverse, stepper
from .broadcast import zeros_for
from .callers import scipys_function, shown_to_sparse
from .dispatch import RULES
from .graph import BOUNDARY, CLOSED, SPENT, Node, history, now
from .modes import here, modes, seen

__all__ = ["Creator", "Variable", "as_data", "close", "constant", "inner"]

new = object.__new__
_rule_of = attrgetter("rule")


class Variable(Node):
    """An array whose derivatives can be asked for.

    Parameters
    ----------
    data : array_like
        Numbers of any shape; dtype and library are kept, and the array is not copied. A Variable gives its data.
    name : str, optional
        What pictures and messages call it.

    Raises
    ------
    TypeError
        If `data` is not numeric, or a masked array.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun import Variable
    >>> x = Variable(np.array(1.0))
    >>> y = np.exp(-x**2)
    >>> y.backward()
    >>> print("{:.3f}".format(x.grad))
    -0.736
    """

    __slots__ = ("__weakref__", "_grad", "_name")
    __array_priority__ = 1000
    __pandas_priority__ = 10000

    def __init__(self, data: Any, name: str | None = None) -> None:
        self.data = data
        self._name = name

    @property
    def data(self) -> Any:
        """The value: an ndarray. That of a result is read-only; a leaf may be given a new one, and starts anew."""
        self._stays("v.data")
        d = self._data
        if isinstance(d, np.generic):
            d = np.asarray(d)
            d.flags.writeable = self.rule is None
        elif self.rule is not None and isinstance(d, np.ndarray):
            d = d.view()
            d.flags.writeable = False
        return d

    @data.setter
    def data(self, data: Any) -> None:
        if isinstance(data, Variable) and data.order and data is not self and data.rule is not None:
            raise TrackedVariable(
                "`.data` was given a tracked Variable, and its derivative would be lost: write `v.data`"
            )
        self._data = as_data(data)
        self.rule, self.inputs, self.values, self.order = None, (), (), now()

    @property
    def grad(self) -> "Variable | None":
        """The derivative that `backward` accumulated here: a Variable, constant unless `create_graph=True`; or None."""
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, g: Any) -> None:
        if g is not None and not isinstance(g, Variable):
            g = constant(as_data(g))
        if g is not None and np.shape(g._data) != self.shape:
            raise ValueError(f"a gradient of shape {np.shape(g._data)} for a Variable of shape {self.shape}")
        self._grad = g

    def cleargrad(self) -> None:
        """Forget the accumulated gradient."""
        self._grad = None

    @property
    def name(self) -> str | None:
        """What pictures and messages call it."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    @property
    def creator(self) -> Any:
        """The Function that made this Variable, with its `inputs` and `output`; None for a leaf."""
        return self.rule.creator_of(self) if self.inputs else None

    def set_creator(self, func: Any) -> None:
        """Make `func`, a Function that has been called, the one that made this Variable."""
        self.rule, self.values = func, tuple([x._data for x in func.inputs])
        self.inputs, self.order = tuple([x for x in func.inputs if x.order]), now()

    def backward(self, retain_grad: bool = False, create_graph: bool = False) -> None:
        """Add the derivative of this Variable to the `grad` of every leaf behind it.

        The seed is `self.grad` if it was set, and ones otherwise, so an array stands for its sum.

        Parameters
        ----------
        retain_grad : bool
            Keep the gradients of intermediate results too.
        create_graph : bool
            Record the walk, so that the gradients can be differentiated again.

        Raises
        ------
        RuntimeError
            If this Variable was computed inside a function that is being differentiated: call `bibun.grad` there.
        ChangedInPlace
            If an array was changed after an operation had recorded it.
        """
        if not self.order:
            raise RuntimeError("backward() of a constant: nothing it was computed from is a Variable with a history")
        seed = self.grad if self.grad is not None else constant(np.ones_like(zeros_for(self)))
        nodes, _ = history([self])
        if BOUNDARY in map(_rule_of, nodes):
            raise RuntimeError(
                "backward() inside a function that is being differentiated would add to the gradients of Variables "
                "outside it; use bibun.grad or bibun.vjp there"
            )
        kept: list[tuple[Any, Any]] = []
        step = stepper(True) if create_graph else None
        if modes.on and here.checking:
            step = checked(step or stepper(False))
        if retain_grad:
            step = _keeping(step or stepper(False), kept)
        start: dict[Node, Any] = {self: seed if create_graph else seed._data}
        with np.errstate(all="ignore"):
            grads: dict[Any, Any] = reverse(nodes, dict(start), step)
            if any([has_nan(g) for g in grads.values()]):
                kept.clear()
                grads = reverse(nodes, dict(start), absorbing(step or stepper(False)))
        for x, g in kept:
            x._grad = g if isinstance(g, Variable) else constant(g)
        for x, g in grads.items():
            if not isinstance(g, Variable):
                g = constant(fitted(g, x))
            x._grad = g if getattr(x, "_grad", None) is None or x is self else x._grad + g

    def unchain(self) -> None:
        """Forget how this Variable was made: it becomes a leaf."""
        self.rule, self.inputs, self.values, self.order = None, (), (), now()

    def unchain_backward(self) -> None:
        """Forget the history behind this Variable: everything it was computed from becomes a leaf."""
        for v in history([self])[0]:
            if v is not self:
                v.rule, v.inputs, v.values = None, (), ()

    shape = property(lambda self: np.shape(seen(self)._data), doc="The shape of the data.")
    ndim = property(lambda self: np.ndim(self._data), doc="The number of axes of the data.")
    size = property(lambda self: np.size(seen(self)._data), doc="The number of elements of the data.")
    dtype = property(lambda self: self._data.dtype, doc="The dtype of the data.")
    itemsize = property(lambda self: self._data.itemsize, doc="Bytes of one element.")
    nbytes = property(lambda self: self._data.nbytes, doc="Bytes of the data.")

    # --- becoming a plain number or array: never in silence ------------------------------------------------------

    def item(self, *index: Any) -> Any:
        """One element as a Python number. Said aloud, so it is allowed: its derivative ends here."""
        self._stays("v.item()")
        return self._data.item(*index)

    def tolist(self) -> Any:
        """The data as nested Python lists."""
        self._stays("v.tolist()")
        return self._data.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if (shown := shown_to_sparse(self)) is not None:
            return shown
        self._escapes(
            "an array", "v.data", " (or np.stack([v, …]), np.full_like(a, v), np.array([v, …], like=v), to keep it)"
        )
        return np.array(self._data, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        more = " (or np.exp(v) instead of math.exp(v), and np.stack([v, …]) instead of a[i] = v, to keep it)"
        self._escapes("a float", "v.item()", more)
        return float(self._data)

    def __int__(self) -> int:
        self._escapes("an int", "v.item()")
        return int(self._data)

    def __complex__(self) -> complex:
        self._escapes("a complex number", "v.item()")
        return complex(self._data)

    def __index__(self) -> int:
        self._escapes("an index", "v.item()")
        return self._data.__index__()  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        if modes.on and here.tracing and self.order:
            raise TypeError(
                f"a branch on a value while recording for {here.tracing}: the branch taken now would be taken for "
                "every later input too; write np.where(condition, a, b)"
            )
        return bool(self._data)

    def _stays(self, what: str) -> None:
        """While a function is recorded to run on other values, this value may not leave the record."""
        if modes.on and here.tracing and self.order:
            raise TrackedVariable(
                f"{what} while recording for {here.tracing}: the value of now would be a constant for every later "
                "input; compute with the Variable itself"
            )

    def _escapes(self, what: str, instead: str, more: str = "") -> None:
        if not self.order:
            return
        lost = f"a tracked Variable of shape {self.shape} would become {what} and lose its derivative in silence"
        if (asked := scipys_function()) is not None:
            function, advice = asked
            raise TrackedVariable(
                f"in {function}, {lost}: {advice}, or give it `{instead}` if no derivative goes through it"
            )
        raise TrackedVariable(f"{lost}: write `{instead}`{more}")

    # --- behaving as an array ------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(seen(self)._data)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d Variable")
        return (self[i] for i in range(len(self._data)))  # type: ignore[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TrackedVariable(
            "item assignment on a Variable would change a value that operations have recorded: write "
            "np.where(mask, new, old), np.concatenate or np.stack of the pieces, or build the array before Variable(…)"
        )

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self._data), separator=", ", prefix="Variable(")
        return f"Variable({text}" + (f", name={self.name!r})" if self.name else ")")

    def __format__(self, spec: str) -> str:
        return format(self._data[()] if spec and self.ndim == 0 else self.data, spec) if spec else str(self.data)

    def __str__(self) -> str:
        return repr(self)

    def __copy__(self) -> "Variable":
        if self.rule is None:
            return type(self)(self._data, self.name) if self.order else constant(self._data)
        return self.copy()  # type: ignore[attr-defined, no-any-return]

    def __deepcopy__(self, memo: Any) -> "Variable":
        if self.rule is None:
            data = np.array(self._data)
            return type(self)(data, self.name) if self.order else constant(data)
        return self.copy()  # type: ignore[attr-defined, no-any-return]

    def __reduce__(self) -> Any:
        return _unpickled, (type(self), np.asarray(self._data), self.name, self.order != 0)

    # --- NumPy's protocols ---------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kw: Any) -> Any:
        if method == "__call__" and not kw:
            entry = RULES.get(ufunc)
            if entry is not None:
                return entry(*args)
        return dispatch.ufunc(ufunc, method, args, kw)

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        entry = RULES.get(func)
        return entry(*args, **kw) if entry is not None else dispatch.function_of_variables(func, args, kw)

    __hash__ = object.__hash__


class Creator:
    """The operation that made a Variable, as the article shows it: its `inputs`, its `output`, its name."""

    def __init__(self, output: Variable) -> None:
        self.output, self.inputs, self.name = output, output.inputs, output.rule.name

    input = property(lambda self: self.inputs[0], doc="The first input.")
    outputs = property(lambda self: (self.output,), doc="The results, in a tuple.")

    def __repr__(self) -> str:
        return f"<{self.name} of {len(self.inputs)} tracked input{'s' * (len(self.inputs) != 1)}>"


def constant(data: Any) -> Variable:
    """A Variable nothing is differentiated through: it computes like its array."""
    y = new(Variable)
    y._data, y.rule, y.inputs, y.values, y.order = data, None, (), (), 0
    return y


def inner(x: Any) -> Variable:
    """A fresh Variable equal to `x`, with floating data of its own: what a derivative is taken with respect to."""
    v = as_data(x)
    dtype = v.dtype if v.dtype.kind in "fc" else np.float64
    y = new(Variable)
    y._data = np.array(v, dtype) if isinstance(v, (np.ndarray, np.generic)) else v.astype(dtype)
    y.rule, y.values = BOUNDARY, (y._data,)
    y.inputs = (x,) if isinstance(x, Node) and x.order else ()
    y.order = now()
    return y


def close(x: Node) -> Node:
    """The function that was called on this fresh Variable has returned: `backward()` may pass it from now on."""
    x.rule = CLOSED if x.inputs else SPENT  # no leaf: a walk around this one must not take it for a captured Variable
    return x


def as_data(data: Any) -> Any:
    """`data` as an array of numbers, another library's kept as it is."""
    if isinstance(data, Node):
        return data._data
    if type(data) is np.ndarray:
        a: Any = data
    elif isinstance(data, np.ma.MaskedArray):
        raise TypeError("a masked array as a Variable would lose its mask: fill it, or drop the masked elements first")
    elif not isinstance(data, np.generic) and hasattr(data, "__array_function__") and not isinstance(data, np.ndarray):
        a = data
    else:
        if dispatch.holds_node(data, tracked=True):
            raise TrackedVariable("Variable([v, w]) of Variables would lose their derivatives: write np.stack([v, w])")
        a = np.asarray(data)
    if a.dtype.kind not in "biufc":
        raise TypeError(f"a Variable holds numbers, not dtype {a.dtype}: convert the column, or leave it a plain array")
    return a


def fitted(g: Any, x: Node) -> Any:
    """A plain cotangent in the floating type of what it belongs to; real where that is real."""
    dtype = x._data.dtype
    if g.dtype != dtype and isinstance(g, (np.ndarray, np.generic)):
        if dtype.kind != "c" and g.dtype.kind == "c":
            g = g.real
        g = g.astype(dtype if dtype.kind in "fc" else np.float64)
    return g


def _keeping(step: Any, kept: list[tuple[Any, Any]]) -> Any:
    def keep(v: Any, g: Any) -> Any:
        kept.append((v, g))
        return step(v, g)

    return keep


def _unpickled(cls: type, data: Any, name: str | None, tracked: bool) -> Variable:
    return cls(data, name) if tracked else constant(data)
