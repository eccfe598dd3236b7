"""`compile`: a function, or any derivative of one, recorded once and run as a plan ever after. Imports plan.py."""

import dataclasses
import functools
import gc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.dispatch import is_sparse
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
        self.calls: dict[Any, Callable[[Sequence[Any]], Any]] = {}
        self.any_rows: dict[Any, Plan] = {}

    def __call__(self, *args: Any, **kw: Any) -> Any:
        if kw:
            return self._nested(args, kw)
        key: tuple[Any, ...] = ()  # as plain as can be: a comprehension takes as long as all the rest
        for a in args:
            if type(a) is np.ndarray:
                key += (a.shape, a.dtype)
            elif isinstance(a, float):
                key += (None,)
            else:
                return self._nested(args, kw)
        call = self.calls.get(key)
        if call is None:
            return self._first(key, self.function, list(args), args, kw)
        try:
            return call(args)
        except IndexError:  # a code that counts from the end, or one that is out of range: as NumPy has it
            return self.function(*args)

    def _nested(self, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        """Arguments that are trees, numbers of other types, or given by name."""
        import optree

        leaves, spec = optree.tree_flatten((args, kw), namespace="bibun")
        still, numbers, shapes = [], [], []
        for i, x in enumerate(leaves):
            if isinstance(x, Node):
                if x.order:
                    return self.function(*args, **kw)  # inside another derivative that itself is what is recorded
                x = x._data
            if _is_number(x):
                x = np.asarray(x)
                numbers.append(x)
                shapes += [x.shape, x.dtype]
            elif dataclasses.is_dataclass(x) and not isinstance(x, type):
                flatten((args, kw))  # makes its class known to optree
                return self._nested(args, kw)
            else:
                still.append((i, x))
        if modes.on and here.tracing:
            return self.function(*args, **kw)
        key: Any = ("nested", spec, tuple([(i, _identity(x) if is_sparse(x) else x) for i, x in still]), *shapes)
        try:
            call = self.calls.get(key)
        except TypeError as e:
            raise TypeError(
                f"an argument of {self.__name__} is neither a number nor hashable: {e}; capture it in the function"
            ) from None
        if call is None:
            rebuild = flatten((args, kw))[1]
            fixed = dict(still)  # a plan does not keep the caller's arrays

            def called(*values: Any) -> Any:
                rest = iter(values)
                a, k = rebuild([fixed[i] if i in fixed else next(rest) for i in range(len(leaves))])
                return self.function(*a, **k)

            return self._first(key, called, numbers, args, kw)
        try:
            return call(numbers)
        except IndexError:
            return self.function(*args, **kw)

    def _first(self, key: Any, f: Callable[..., Any], numbers: list[Any], args: Any, kw: dict[str, Any]) -> Any:
        """The first call with such arguments, which makes graphs: no time to look for other garbage."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._call(key, f, numbers)(numbers)
        except IndexError:
            return self.function(*args, **kw)
        finally:
            if collects:
                gc.enable()

    def _call(self, key: Any, f: Callable[..., Any], args: list[Any]) -> Callable[[Sequence[Any]], Any]:
        """The plan for such arguments, as it is called."""
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
            while len(self.any_rows) >= KEPT:
                self.any_rows.pop(next(iter(self.any_rows)), None)
            self.any_rows[general] = plan
        return self._keep(key, plan)

    def _keep(self, key: Any, plan: Plan) -> Callable[[Sequence[Any]], Any]:
        while len(self.plans) >= KEPT:
            oldest = next(iter(self.plans))
            self.calls.pop(oldest, None)
            self.plans.pop(oldest, None)
        self.plans[key] = plan
        self.calls[key] = call = plan.calling()
        return call

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
        are part of what is recorded, and so is a sparse matrix, until its numbers change. It must not branch on the
        values of its arguments (write `np.where`).

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
    will change. Derivatives of a sum over rows with respect to the data run without the one pass.
    Naive forms that overflow or cancel are computed, and differentiated, in stable ones (compiler/stable_forms.py):
    `log1p(exp(x))` is `logaddexp(0, x)`, and `log(1 - 1 / (1 + exp(-x)))` is exact.

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
    loss(beta[3], X[200×3], y[200])
      one pass over the rows of X, y (...)
        η  = X @ beta
        %3 = Σ (logaddexp(0, η) − y·η)  sum
        %4 = Σ (expit(η) − y)·X         gradient by beta
      return (%3, %4)
    """
    if not callable(f):
        raise TypeError(f"compile takes a function; got {type(f).__name__}")
    return f if isinstance(f, Compiled) else Compiled(f)


def _identity(x: Any) -> Any:
    """Which sparse matrix this is, and a sample of its numbers: a plan may hold what was computed from them."""
    from ..rules.sparse import Matrix  # which loads what the caller has loaded already

    matrix = Matrix(x)
    return matrix, tuple([hash(seen) for _, seen in matrix.marks()])


def _is_number(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biufc"
    return isinstance(x, (float, int, complex, np.number)) and not isinstance(x, bool)
