"""Recording: a function is computed, and the result remembers the rule and the arguments.

`record` is the whole truth. The lanes are short cuts through it for the operations a program is made of, one or two
operands and nothing unusual switched on; a lane that meets anything else calls `record`. They are written out flat
because half of what an operation costs is spent here. Imports Variable, modes, watch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import MissingRule, TrackedVariable
from ..typing import Array, Run
from . import watch
from .absorbing import Absorbing
from .callers import SPARSE
from .dispatch import holds_node, is_sparse, of_sparse
from .graph import Node, Parts, now
from .modes import here, modes
from .nonfinite import look, users_line
from .variable import Variable, constant
from .watch import SMALL, Marks, own

__all__ = ["lane_linear", "lane_one", "lane_two", "record"]

new = object.__new__
ndarray, array, generic = np.ndarray, np.array, np.generic
float64 = np.dtype(np.float64)
PLAIN = (np.ndarray, np.generic, float, int, complex)


def record(rule: Any, run: Run, args: tuple[Any, ...]) -> Any:
    """Compute `run(*args)` and remember it.

    Parameters
    ----------
    rule : Rule
        Gives the form to keep, by which arguments are tracked.
    run : callable
        Computes over plain arrays.
    args : tuple
        Operands and statics, in the order of the rule.

    Returns
    -------
    Variable, or what the rule says of several results; NotImplemented where an operand wants to answer itself.
    """
    values: list[Any] = []
    where: list[int] = []
    inputs: list[Node] = []
    marks: Marks = []
    for i, x in enumerate(args):
        if isinstance(x, Node):
            v = x._data
            if x.order and (i not in rule.without or follows(rule, i, x)):
                where.append(i)
                inputs.append(x)
                if x.rule is None and rule.reads:
                    v = own(v, marks)
        elif type(x) is ndarray:
            v = own(x, marks)
        elif isinstance(x, Absorbing):
            return NotImplemented
        elif i < rule.operands and not isinstance(x, PLAIN):
            if is_sparse(x):
                return of_sparse(rule.func, args)
            v = operand(x, rule.name)
            if v is NotImplemented:
                return v
            if isinstance(v, Node):
                return record(rule, run, (*args[:i], v, *args[i + 1 :]))
        else:
            v = x
        values.append(v)
    data = run(*values)
    if data is NotImplemented:
        return data
    if not inputs or (modes.on and here.paused):
        return rule.outputs(*map(constant, data)) if rule.outputs else constant(data)
    if not rule.reads and type(data) is ndarray and data.base is not None and any([x.rule is None for x in inputs]):
        data = own(data, marks)  # a view of a leaf: its owner could change it under us
    same = rule.broadcasts and all([values[i].shape == data.shape for i in where])
    form = rule.form(tuple(where), same)
    if marks:
        form = watched(form, marks)
    if modes.on and here.checking:
        look(rule.name, "forward", data, tuple(values))
        form = form.wrapped(form.pull, form.push, users_line())
    y = new(Variable)
    y._data, y.rule, y.inputs, y.values, y.order = data, form, tuple(inputs), tuple(values), now()
    if rule.outputs:
        y._data = Parts(data)
        return rule.outputs(*form.parts(y))
    return y


def follows(rule: Any, i: int, x: Node) -> bool:
    """Whether an operand without a derivative is kept as an input: only while the graph is to run on other values.

    A flag or a count has the derivative zero; a real number is refused, since its derivative is not zero but missing.
    """
    if x._data.dtype.kind in "fc" and getattr(getattr(x.rule, "rule", None), "kind", "") != "constant":
        raise MissingRule(
            f"{rule.name} has no derivative in its argument {i}: pass `v.data` there if no derivative goes through it"
        )
    return bool(modes.on and here.tracing)


def operand(x: Any, name: str) -> Any:
    """A list, a Series, another library's array as something NumPy computes with; NotImplemented for anything else."""
    if is_sparse(x):
        raise TrackedVariable(f"{name} of a Variable and a sparse matrix: {SPARSE}")
    if x is None or isinstance(x, (str, bytes, dict, set)):
        raise TypeError(f"{name} of a Variable and {x!r}: an operand is an array or a number")
    if holds_node(x, tracked=True):
        parts: list[Any] = [v if isinstance(v, Node) else np.asarray(v) for v in x]
        return np.stack(parts)
    if hasattr(x, "__array_function__"):
        return x
    a = np.asarray(x)
    return NotImplemented if a.dtype.kind == "O" else a


def watched(form: Any, marks: Marks) -> Any:
    """The form, comparing the arrays it was recorded with before it walks."""

    def pull(g: Array, y: Array, args: Any) -> Any:
        watch.compare(marks, form.name)
        return form.pull(g, y, args)

    def push(y: Array, args: Any, ts: Any) -> Array:
        watch.compare(marks, form.name)
        return form.push(y, args, ts)

    return form.wrapped(pull, push)


class Constants(dict[float, Any]):
    """Python numbers as float64 arrays: a program uses few of them, many times over."""

    def __missing__(self, number: float) -> Any:
        a = array(number, float64)
        a.flags.writeable = False
        if number and len(self) < 1024:  # 0.0 and -0.0 are one key
            self[number] = a
        return a


constants = Constants()


def lane_one(rule: Any, run: Run) -> Callable[[Any], Any]:
    """One operand."""
    form = rule.form((0,), True)

    def lane(x: Any) -> Any:
        if type(x) is Variable and x.rule is not None and not modes.on:
            v = x._data
            y = new(Variable)
            y._data = run(v)
            y.rule = form
            y.inputs = (x,)
            y.values = (v,)
            y.order = now()
            return y
        return record(rule, run, (x,))

    return lane


def lane_two(rule: Any, run: Run, weak: bool = True) -> Callable[[Any, Any], Any]:
    """Two operands: Variables, arrays, Python numbers.

    With `weak`, a Python number beside a float64 array becomes an array once, here, instead of in every ufunc that
    meets it: the same numbers, at half the cost.
    """
    both, both_same = rule.form((0, 1), False), rule.form((0, 1), True)
    left, left_same = rule.form((0,), False), rule.form((0,), True)
    right, right_same = rule.form((1,), False), rule.form((1,), True)
    twin = rule.twin()

    def lane(a: Any, b: Any) -> Any:
        if modes.on:
            return record(rule, run, (a, b))
        if type(a) is Variable and a.order:
            v = a._data
            if a.rule is None:
                if v.nbytes > SMALL:
                    return record(rule, run, (a, b))
                v = v.copy()
            kind = type(b)
            if kind is Variable:
                w = b._data
                if b.order:
                    if b.rule is None:
                        if w.nbytes > SMALL:
                            return record(rule, run, (a, b))
                        w = w.copy()
                    y = new(Variable)
                    y._data = run(v, w)
                    y.rule = twin if a is b else both_same if v.shape == w.shape else both
                    y.inputs = (a, b)
                    y.values = (v, w)
                    y.order = now()
                    return y
            elif kind is float or kind is int:
                if weak and type(v) is ndarray and v.dtype is float64:
                    b = constants[b]
                y = new(Variable)
                y._data = run(v, b)
                y.rule = left_same
                y.inputs = (a,)
                y.values = (v, b)
                y.order = now()
                return y
            elif kind is ndarray and b.nbytes <= SMALL:
                b = b.copy()
                y = new(Variable)
                y._data = d = run(v, b)
                y.rule = left_same if d.shape == v.shape else left
                y.inputs = (a,)
                y.values = (v, b)
                y.order = now()
                return y
        elif type(b) is Variable and b.order:
            w = b._data
            if b.rule is None:
                if w.nbytes > SMALL:
                    return record(rule, run, (a, b))
                w = w.copy()
            kind = type(a)
            if kind is float or kind is int:
                if weak and type(w) is ndarray and w.dtype is float64:
                    a = constants[a]
                y = new(Variable)
                y._data = run(a, w)
                y.rule = right_same
                y.inputs = (b,)
                y.values = (a, w)
                y.order = now()
                return y
            if kind is ndarray and a.nbytes <= SMALL:
                a = a.copy()
                y = new(Variable)
                y._data = d = run(a, w)
                y.rule = right_same if d.shape == w.shape else right
                y.inputs = (b,)
                y.values = (a, w)
                y.order = now()
                return y
        return record(rule, run, (a, b))

    return lane


def lane_linear(rule: Any, run: Run) -> Callable[..., Any]:
    """One tracked operand and statics, none of which can change."""
    form = rule.form((0,), True)
    simple = frozenset((int, type(None), bool, slice, str))

    def lane(x: Any, *static: Any) -> Any:
        if type(x) is Variable and x.order and not modes.on:
            for s in static:
                kind = type(s)
                if kind not in simple and (kind is not tuple or not all([type(k) in simple for k in s])):
                    return record(rule, run, (x, *static))
            v = x._data
            data = run(v, *static)
            if x.rule is None and type(data) is ndarray and data.base is not None:
                if data.nbytes > SMALL:
                    return record(rule, run, (x, *static))
                data = data.copy()
            y = new(Variable)
            y._data = data
            y.rule = form
            y.inputs = (x,)
            y.values = (v, *static)
            y.order = now()
            return y
        return record(rule, run, (x, *static))

    return lane


def refuse_tracked(args: Any, name: str) -> None:
    """A static argument (an axis, an index, a count) may not be tracked."""
    if holds_node(args, tracked=True):
        raise TrackedVariable(f"{name}: a tracked Variable where a constant is needed; write `v.item()` or `v.data`")
