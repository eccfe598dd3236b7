"""`compile`: a function, or any derivative of one, recorded once and run as a plan ever after. Imports plan.py."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.graph import Node
from ..core.modes import here, modes
from ..core.tree import flatten
from .plan import MANY, Plan, planned, row_count

__all__ = ["Compiled", "compile"]

KEPT = 32
"""How many plans, for different shapes and types, a compiled function keeps."""


class Compiled:
    """A function that is recorded on its first call, and run without Python's help after it.

    Attributes
    ----------
    plans : dict
        The plans made so far, by the structure, shapes and dtypes of the arguments. `print` shows one.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        functools.update_wrapper(self, f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
        self.function = f
        self.plans: dict[Any, Plan] = {}
        self.any_rows: dict[Any, Plan] = {}

    def __call__(self, *args: Any, **kw: Any) -> Any:
        for a in args:
            if type(a) is not np.ndarray and type(a) is not float:
                return self._nested(args, kw)
        if kw:
            return self._nested(args, kw)
        key = tuple([(a.shape, a.dtype) if type(a) is np.ndarray else None for a in args])
        plan = self.plans.get(key)
        if plan is None:
            plan = self._plan(key, self.function, list(args))
        try:
            return plan.run(list(args), args)
        except IndexError:  # a code that counts from the end, or one that is out of range: as NumPy has it
            return self.function(*args)

    def _nested(self, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        """Arguments that are trees, numbers of other types, or given by name."""
        leaves, rebuild = flatten((args, kw))
        if any(isinstance(x, Node) and x.order for x in leaves) or (modes.on and here.tracing):
            return self.function(*args, **kw)  # inside another derivative the function itself is what is recorded
        leaves = [x._data if isinstance(x, Node) else x for x in leaves]
        moving = [i for i, x in enumerate(leaves) if _is_number(x)]
        still = tuple([(i, x) for i, x in enumerate(leaves) if not _is_number(x)])
        numbers = [np.asarray(leaves[i]) for i in moving]
        import optree

        spec = optree.tree_structure((args, kw), namespace="bibun")
        key: Any = ("nested", spec, still, tuple([(a.shape, a.dtype) for a in numbers]))
        try:
            plan = self.plans.get(key)
        except TypeError as e:
            raise TypeError(
                f"an argument of {self.__name__} is neither a number nor hashable: {e}; capture it in the function"
            ) from None
        if plan is None:
            rest = [None if _is_number(x) else x for x in leaves]  # a plan does not keep the caller's arrays

            def called(*values: Any) -> Any:
                all_leaves: list[Any] = list(rest)
                for i, x in zip(moving, values, strict=True):
                    all_leaves[i] = x
                a, k = rebuild(all_leaves)
                return self.function(*a, **k)

            plan = self._plan(key, called, numbers)
        try:
            return plan.run(numbers, args)
        except IndexError:
            return self.function(*args, **kw)

    def _plan(self, key: Any, f: Callable[..., Any], args: list[Any]) -> Plan:
        kinds = [np.asarray(a).dtype for a in args]
        n = row_count(args)
        shapes = [np.shape(a) for a in args]
        general = (
            key[:3] if key and key[0] == "nested" else (),
            tuple([((-1, *s[1:]) if s and s[0] == n >= MANY else s, k) for s, k in zip(shapes, kinds, strict=True)]),
        )
        if n >= MANY and general in self.any_rows:
            return self._keep(key, self.any_rows[general])

        @functools.wraps(f, assigned=("__name__",), updated=())
        def typed(*values: Any) -> Any:
            return f(*[x if d.kind in "fc" else x.astype(d) for x, d in zip(values, kinds, strict=True)])

        plan = planned(typed if any(d.kind not in "fc" for d in kinds) else f, tuple(args), kinds=kinds, about=f)
        if plan.any_rows:
            self.any_rows[general] = plan
        return self._keep(key, plan)

    def _keep(self, key: Any, plan: Plan) -> Plan:
        while len(self.plans) >= KEPT:
            self.plans.pop(next(iter(self.plans)))
        self.plans[key] = plan
        return plan

    def __reduce__(self) -> Any:
        return Compiled, (self.function,)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self, '__name__', self.function)}: {len(self.plans)} plans>"

    def __str__(self) -> str:
        return "\n\n".join(str(p) for p in self.plans.values()) or repr(self)


def compile(f: Callable[..., Any]) -> Compiled:
    """A fast version of `f`, or of any derivative of it.

    `f` is recorded when it is first called with arguments of these shapes and dtypes. What it computes row by row and
    adds up over the rows becomes machine code that reads every row once, however many derivatives are asked for, and
    uses all cores; the rest is a list of NumPy calls. Without `llvmlite`, NumPy runs the same plan in blocks of rows.

    Parameters
    ----------
    f : callable
        Of arrays, numbers, or nested dicts, lists, tuples and dataclasses of them. Strings and other hashable arguments
        are part of what is recorded. It must not branch on the values of its arguments (write `np.where`).

    Returns
    -------
    Compiled
        Called like `f`; returns what `f` would, as arrays.

    Raises
    ------
    TypeError
        If `f` branches on a value, or turns one into a Python number.

    Notes
    -----
    Arrays and numbers that `f` knows from around it are recorded as they are at the first call: pass as arguments what
    will change. Derivatives of third order of a sum over rows, or with respect to the data, run without the one pass.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> def loss(beta, X, y):
    ...     return np.sum(np.logaddexp(0, X @ beta) - y * (X @ beta))
    >>> X, y = np.vander(np.linspace(-1, 1, 200), 3), np.arange(200) % 2.0
    >>> fast = bb.compile(bb.value_and_grad(loss))
    >>> value, gradient = fast(np.zeros(3), X, y)
    >>> print(f"{value:.4f}", gradient.shape)
    138.6294 (3,)
    >>> print(fast)
    one pass over the rows: %3 = row sum, %4 = row gradient
    """
    if not callable(f):
        raise TypeError(f"compile takes a function; got {type(f).__name__}")
    return f if isinstance(f, Compiled) else Compiled(f)


def _is_number(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufc"
    return isinstance(x, (float, int, complex, np.number)) and not isinstance(x, bool)
