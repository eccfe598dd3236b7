"""Function: an operation somebody writes with `forward` and `backward`, as the article does.

An instance is the node's own rule: `y.creator is f`. It answers the walks like a rule of the table does, so everything
above works through it. Imports Variable and the record's rooms; the table is not needed.
"""

import copy
import weakref
from typing import Any

import numpy as np

from ..typing import Array
from .absorbing import undress
from .graph import Node, Parts, now
from .kinds import pick, transposed_pull
from .modes import here, modes
from .nonfinite import look, users_line
from .variable import Variable, constant
from .watch import Marks, compare, own

__all__ = ["Function"]

new = object.__new__


class Function:
    """An operation defined by its `forward` and its `backward`.

    Subclass it: `forward(self, x, …)` computes with arrays and returns an array or a tuple of them;
    `backward(self, gy, …)` returns the gradient of each input, given that of each output. `self.inputs` (or
    `self.input`) and `self.outputs` (`self.output`) are there in `backward`, which may read their `.data`.

    The instance keeps the state of its latest call; an earlier call still in use keeps a copy of its own, so `f(f(x))`
    is right. Second derivatives need `backward` (and `forward`, where it stores something on `self`) to be written with
    operations that NumPy lets Variables answer.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun import Function, Variable
    >>> class Square(Function):
    ...     def forward(self, x):
    ...         return x**2
    ...     def backward(self, gy):
    ...         x = self.input.data
    ...         return 2 * x * gy
    >>> x = Variable(np.array(3.0))
    >>> y = Square()(x)
    >>> y.backward()
    >>> x.grad.data
    array(6.)
    """

    absorbs = False
    line: str | None = None
    inputs: tuple[Any, ...] = ()
    _results: tuple[Any, ...] = ()
    _node: Any = None
    _stored: frozenset[str] = frozenset()
    _marks: Any = ()
    _orders: tuple[int, ...] = ()

    def forward(self, *xs: Any) -> Any:
        """The value, over plain arrays."""
        raise NotImplementedError(f"{self.name} defines no forward(self, x)")

    def backward(self, *gys: Any) -> Any:
        """The gradient of each input, from the gradient of each output."""
        raise NotImplementedError(f"{self.name} defines no backward(self, gy)")

    def __call__(self, *inputs: Any) -> Any:
        inputs = tuple([x if isinstance(x, Variable) else constant(np.asarray(x)) for x in inputs])
        last = self._node() if self._node is not None else None
        if last is not None and last.rule is self:
            last.rule = copy.copy(self)  # an earlier call still in use keeps its own state
        before = dict(self.__dict__)
        marks: Marks = []
        values = tuple([own(x._data, marks) if x.rule is None else x._data for x in inputs])
        values = tuple([np.asarray(v) if isinstance(v, np.generic) else v for v in values])
        data = self.forward(*values)
        self._stored = frozenset(k for k, v in self.__dict__.items() if before.get(k, self) is not v) - _OURS
        several = isinstance(data, tuple)
        parts = [self._array(d) for d in (data if several else (data,))]
        self.inputs, self._marks, self._orders = inputs, marks, tuple([x.order for x in inputs])
        tracked = tuple([x for x in inputs if x.order])
        if not tracked or (modes.on and here.paused):
            results = [constant(p) for p in parts]
            self._node = weakref.ref(results[0])
        else:
            if modes.on and here.checking:
                look(self.name, "forward", Parts(parts), values)
                self.line = users_line()
            y = new(Variable)
            y._data = Parts(parts) if several else parts[0]
            y.rule, y.inputs, y.values, y.order = self, tracked, values, now()
            self._node = weakref.ref(y)
            results = self.parts(y) if several else [y]
        self._results = tuple([weakref.ref(r) for r in results])
        return tuple(results) if several else results[0]

    def _array(self, d: Any) -> Any:
        if isinstance(d, Node):
            raise TypeError(f"{self.name}.forward returned a Variable: it computes with arrays")
        if d is None:
            raise TypeError(f"{self.name}.forward returned None: it must return its value")
        return d if isinstance(d, np.generic) or hasattr(d, "__array_function__") else np.asarray(d)

    input = property(lambda self: self.inputs[0], doc="The first input of the latest call.")
    output = property(lambda self: self.outputs[0], doc="The first output of the latest call, while it is alive.")
    outputs = property(lambda self: tuple([r() for r in self._results]), doc="The outputs of the latest call.")
    name = property(lambda self: type(self).__name__, doc="The name of the class.")

    # --- what a node's rule answers -------------------------------------------------------------------------------

    @property
    def where(self) -> tuple[int, ...]:
        """The positions of the tracked inputs."""
        return tuple([i for i, x in enumerate(self.inputs) if x.order])

    @property
    def rule(self) -> "Function":
        """Itself, where a walk asks a table form for its rule."""
        return self

    kind = "function"

    def run(self, *values: Any) -> Any:
        """The value again, without a trace on this instance."""
        return copy.copy(self).forward(*values)

    def creator_of(self, v: Any) -> "Function":
        """Itself: what `Variable.creator` shows."""
        return self

    def parts(self, v: Any) -> list[Any]:
        """The results of a node that has several."""
        return [pick(v, i) for i in range(len(v._data))]

    def pull(self, g: Array, y: Array, args: Any) -> Any:
        """`backward`, over arrays; or, in a recorded walk, by a twin whose inputs give Variables for `.data`."""
        compare(self._marks, self.name)
        if self._orders != tuple([x.order for x in self.inputs]):
            raise RuntimeError(
                f"an input of {self.name} was given new data after it was recorded, and its backward would read that: "
                "record the operation again"
            )
        gs = (
            tuple([zero_like(p) if gp is None else gp for gp, p in zip(g, y, strict=True)])
            if type(y) is Parts
            else (g,)
        )
        if any([isinstance(x, Node) for x in args]):
            return self._pull_recorded(gs, y, args)
        if any([isinstance(g, Node) for g in gs]):
            return self._cotangents(self.backward(*gs), plain=False)
        return self._cotangents(self.backward(*[_as_array(g) for g in gs]), plain=True)

    def _pull_recorded(self, gs: Any, y: Any, args: Any) -> Any:
        twin = copy.copy(self)
        stands = tuple([Stand(x) for x in args])
        twin.__dict__["inputs"] = stands
        if self._stored:  # forward kept things: let it keep Variables
            again = twin.forward(*args)
            for new_value, old in zip(
                again if isinstance(again, tuple) else (again,), y if type(y) is Parts else (y,), strict=True
            ):
                if not isinstance(new_value, Node) or not np.array_equal(new_value._data, old._data, equal_nan=True):
                    raise RuntimeError(
                        f"{self.name} stores {', '.join(sorted(self._stored))} in forward, which cannot be recorded "
                        "again (it is not reproducible, or computes outside NumPy), so it has no second derivative: "
                        "compute from self.inputs in backward instead"
                    )
        twin.inputs = stands
        twin._results = tuple([_Ref(Stand(p)) for p in (y if type(y) is Parts else (y,))])
        return self._cotangents(twin.backward(*gs), plain=False)

    def _cotangents(self, gxs: Any, plain: bool) -> Any:
        gxs = gxs if isinstance(gxs, (tuple, list)) else (gxs,)
        if len(gxs) != len(self.inputs):
            raise ValueError(
                f"{self.name}.backward returned {len(gxs)} gradients for {len(self.inputs)} inputs: "
                "one for each, None for zero"
            )
        out = []
        for gx, x in zip(gxs, self.inputs, strict=True):
            if not x.order:
                continue
            if gx is not None:
                gx = gx._data if plain and isinstance(gx, Node) else gx
                gx = gx if isinstance(gx, (Node, np.generic)) or hasattr(gx, "__array_function__") else np.asarray(gx)
                if gx.shape != x.shape:
                    raise ValueError(
                        f"{self.name}.backward returned a gradient of shape {gx.shape} for an input of shape {x.shape}"
                    )
            out.append(gx)
        return out[0] if len(out) == 1 else tuple(out)

    def push(self, y: Any, args: Any, ts: Any) -> Any:
        """Forward mode: `backward` is linear in `gy`, and its transpose carries tangents."""
        return transposed_pull(self.pull)(y, args, ts)


_OURS = frozenset(("inputs", "_results", "_node", "_stored", "_marks", "_orders", "line"))


class Stand:
    """What `self.input` is in a recorded walk: its `.data` is the Variable itself."""

    def __init__(self, v: Any) -> None:
        self.data = v

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)


class _Ref:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __call__(self) -> Any:
        return self.x


def zero_like(p: Any) -> Any:
    """A zero gradient of an output nothing reached."""
    return np.zeros_like(
        p._data if isinstance(p, Node) else p, dtype=np.result_type(getattr(p, "_data", p), np.float32)
    )


def _as_array(g: Any) -> Any:
    g = undress(g)
    return np.asarray(g) if isinstance(g, np.generic) else g
