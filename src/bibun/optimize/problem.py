"""`Problem`: a function of nested parameters, seen as a function of one float64 vector, with its exact derivatives.

Every method works on it, and on nothing else of the user's: here evaluations are counted, the best point is kept, and
a value that is not finite becomes +inf. Imports the tree, the transforms, nonfinite.py; another kind of problem (one
compiled, say) is another class here with the same methods.
"""

import dataclasses
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.graph import Node
from ..core.tree import flatten
from ..transforms.directional import linearize
from ..transforms.gradient import grad
from .derivatives import Derivatives
from .nonfinite import culprits

__all__ = ["Parameters", "Point", "Problem"]

INFINITE = math.inf
MANY = 200  # parameters, above which a matrix of second derivatives costs more than it is worth


class Point:
    """Where a method stands: the parameters as a vector, the value, the gradient (None where nobody asked for it)."""

    __slots__ = ("gradient", "value", "x")

    def __init__(self, x: np.ndarray, value: float, gradient: Any) -> None:
        self.x, self.value, self.gradient = x, value, gradient

    @property
    def finite(self) -> bool:
        """Whether the value is a number that a method may move to."""
        return self.value < INFINITE

    def steepest(self) -> float:
        """The largest component of the gradient."""
        return float(np.abs(self.gradient).max()) if self.gradient is not None else math.nan


class Parameters:
    """The parameters of a problem: their structure, shapes and names, and the way to one vector and back."""

    def __init__(self, x0: Any) -> None:
        tree = np.asarray(x0) if _is_list_of_numbers(x0) else x0
        leaves, self._rebuild = flatten(tree)
        self._tree = tree
        self._names: list[str] | None = None
        arrays = [self._number(k, leaf) for k, leaf in enumerate(leaves)]
        self.shapes = [a.shape for a in arrays]
        sizes = [a.size for a in arrays]
        self.n = sum(sizes)
        if self.n == 0:
            raise ValueError("x0 holds no number: there is nothing to minimize over; give a start for each parameter")
        self.ends = np.cumsum(sizes).tolist()
        self.plain = isinstance(tree, np.ndarray) and tree.ndim == 1
        self.start = np.concatenate([a.ravel() for a in arrays])
        bad = np.flatnonzero(~np.isfinite(self.start))
        if bad.size:
            raise ValueError(
                f"x0 is not finite: {self.listed(self.start, bad)}; give every parameter a finite start (missing data?)"
            )

    def _number(self, k: int, leaf: Any) -> np.ndarray:
        if isinstance(leaf, Node):
            if leaf.inputs:
                raise TypeError(
                    f"{self.leaf_names()[k]} of x0 is a Variable with a history, which minimize cannot carry on: "
                    "give its data (v.data)"
                )
            leaf = leaf._data
        a = np.asarray(leaf)
        if a.dtype.kind not in "iuf":
            reason = {
                "c": "complex: give its real and imaginary parts as two parameters",
                "b": "boolean: a parameter is a real number",
            }.get(a.dtype.kind, f"no number ({type(leaf).__name__}): leave it out of x0 and hand it over in args=")
            raise TypeError(f"{self.leaf_names()[k]} of x0 is {reason}")
        return a.astype(np.float64)

    def tree(self, x: np.ndarray) -> Any:
        """The vector `x` in the structure of x0; shares no memory with it."""
        if self.plain:
            return x.copy()
        parts, k = [], 0
        for shape, end in zip(self.shapes, self.ends, strict=True):
            parts.append(x[k:end].reshape(shape).copy() if shape else x[k])
            k = end
        return self._rebuild(parts)

    def traced(self, x: Any) -> Any:
        """The same for a Variable: slices of it."""
        if self.plain:
            return x
        parts, k = [], 0
        for shape, end in zip(self.shapes, self.ends, strict=True):
            parts.append(x[k:end].reshape(shape) if shape else x[k])
            k = end
        return self._rebuild(parts)

    def vector(self, tree: Any) -> np.ndarray:
        """What has the structure of x0, as one vector."""
        if self.plain:
            return np.asarray(tree)
        return np.concatenate([np.ravel(leaf) for leaf in flatten(tree)[0]])

    def leaf_names(self) -> list[str]:
        """`x['scale']`, `x[0]`, … one for each array in x0; `x` for x0 itself."""
        names: list[str] = []
        _walk(self._tree, "x", names)
        return names

    def name(self, i: int) -> str:
        """What messages call component `i` of the vector."""
        if self._names is None:
            self._names = self.leaf_names()
        leaf = next(k for k, end in enumerate(self.ends) if i < end)
        shape = self.shapes[leaf]
        if not shape:
            return self._names[leaf]
        within = i - (self.ends[leaf - 1] if leaf else 0)
        return f"{self._names[leaf]}[{', '.join(str(int(j)) for j in np.unravel_index(within, shape))}]"

    def listed(self, x: np.ndarray, which: Any, most: int = 4) -> str:
        """`x[0] = 1.5, x[2] = nan`, and how many more."""
        which = list(which)
        shown = ", ".join(f"{self.name(int(i))} = {x[i]:.6g}" for i in which[:most])
        return shown + (f" and {len(which) - most} more" if len(which) > most else "")


class Problem:
    """`f(x, *args)` as a function of one vector, its derivatives, and what has been asked of it.

    Parameters
    ----------
    f : callable
        Or its `Derivatives`.
    x0 : array_like or nested
    args : tuple
        Passed on.

    Attributes
    ----------
    second_order : bool
        Whether the method asks for a Hessian at most points it looks at: it may then come with value and gradient.
    parameters : Parameters
    nfev, njev, nhev : int
        Values, gradients, and Hessians or their products, asked for so far.
    best : Point or None
        The lowest finite point seen.
    refused : int
        How many points had a value or gradient that was not finite.
    """

    def __init__(self, f: Callable[..., Any], x0: Any, args: tuple[Any, ...] = ()) -> None:
        if not callable(f):
            raise TypeError(f"f is {type(f).__name__}: it must be a function of the parameters that returns one number")
        self.parameters = Parameters(x0)
        self.n = self.parameters.n
        self.args = args
        given = f if isinstance(f, Derivatives) else Derivatives(_checked(f))
        self.f = given.f
        self.nfev = self.njev = self.nhev = self.refused = 0
        self.best: Point | None = None
        self.last_refused: tuple[np.ndarray, str] | None = None
        self.second_order = False
        self._known: tuple[np.ndarray, np.ndarray] | None = None  # a point and the Hessian there
        tree, call = self.parameters.traced, self.f
        self._derivatives = given
        self._flat = given if self.parameters.plain else Derivatives(lambda x, *a: call(tree(x), *a))
        self._gradient = grad(self.f)

    def start(self) -> Point:
        """x0, evaluated; a ValueError with the parameters that did it if that is not finite."""
        point = self.at(self.parameters.start)
        if not point.finite:
            raise self.no_start()
        return point

    def no_start(self) -> ValueError:
        """The error for an x0 that was refused."""
        return ValueError(
            f"f is not finite at x0: {self.refusal()}. A search starts where the value and its gradient are finite: "
            "give another x0"
        )

    def at(self, x: np.ndarray, args: tuple[Any, ...] | None = None) -> Point:
        """Value and gradient at `x`, in one recording; +inf where either is not finite.

        With `args`, of other data than the problem's own (a batch): nothing is remembered as the best.
        """
        self.nfev += 1
        self.njev += 1
        try:
            with np.errstate(all="ignore"):
                if args is None and self.second_order and self._flat.together(*self.args):
                    value, g, H = self._flat.all(x.copy(), *self.args)
                    self._remember(x, H)
                else:
                    args_here = self.args if args is None else args
                    value, g = self._derivatives.both(self.parameters.tree(x), *args_here)
                    g = self.parameters.vector(g)
        except np.linalg.LinAlgError as e:
            return self._refuse(x, f"LinAlgError: {e}")
        value = _number(value)
        if not (math.isfinite(value) and np.isfinite(g).all()):
            return self._refuse(x, f"the value is {value:g}" if not math.isfinite(value) else "the gradient", g)
        point = Point(x, value, g)
        if args is None and (self.best is None or value < self.best.value):
            self.best = point
        return point

    def value(self, x: np.ndarray) -> float:
        """The value alone."""
        self.nfev += 1
        try:
            with np.errstate(all="ignore"):
                value = _number(self._derivatives.value(self.parameters.tree(x), *self.args))
        except np.linalg.LinAlgError as e:
            return self._refuse(x, f"LinAlgError: {e}").value
        if not math.isfinite(value):
            return self._refuse(x, f"the value is {value:g}").value
        if self.best is None or value < self.best.value:
            self.best = Point(x.copy(), value, None)
        return value

    def hessian(self, x: np.ndarray) -> np.ndarray | None:
        """The matrix of second derivatives, (n, n) in the order of the vector; None where it is not finite."""
        self.nhev += 1
        H = self.known_hessian(x)
        if H is None:
            with np.errstate(all="ignore"):
                H = self._flat.hessian(x.copy(), *self.args)
            H = self._remember(x, H)
        if not np.isfinite(H).all():
            self._refuse(x, "the second derivatives")
            return None
        return H

    def known_hessian(self, x: np.ndarray) -> np.ndarray | None:
        """The Hessian at `x`, if that is where it was last computed."""
        return self._known[1] if self._known is not None and np.array_equal(self._known[0], x) else None

    def _remember(self, x: np.ndarray, H: Any) -> np.ndarray:
        H = np.asarray(H, dtype=np.float64).reshape(self.n, self.n)
        H = (H + H.T) / 2
        self._known = x.copy(), H
        return H

    def products(self, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """The function that multiplies a vector by the Hessian at `x`; f runs once for all of them."""
        p = self.parameters
        with np.errstate(all="ignore"):
            _, push = linearize(lambda tree: self._gradient(tree, *self.args), p.tree(x))

        def product(v: np.ndarray) -> np.ndarray:
            self.nhev += 1
            with np.errstate(all="ignore"):
                return np.asarray(p.vector(push(p.tree(v))), dtype=np.float64)

        return product

    def curvature(self, x: np.ndarray) -> float:
        """The largest magnitude of an eigenvalue of the Hessian at `x`; above 50 parameters, by ten products."""
        if self.n <= 50:
            H = self.hessian(x)
            return math.inf if H is None else float(np.abs(np.linalg.eigvalsh(H)).max())
        product = self.products(x)
        v = np.random.default_rng(0).normal(size=self.n)
        size = 0.0
        for _ in range(10):
            v = product(v / np.linalg.norm(v))
            size = float(np.linalg.norm(v))
            if not (math.isfinite(size) and size > 0):
                break
        return size

    def refusal(self) -> str:
        """What was not finite at the last point that was refused, and the parameters that it depends on."""
        if self.last_refused is None:
            return ""
        x, what = self.last_refused
        p = self.parameters
        found = culprits(self.f, p.tree(x), self.args)
        which = range(self.n) if found is None or not found.which else found.which
        made = f"{found.operation} made {found.fault}" if found is not None and found.operation else what
        return f"{made}, with {p.listed(x, which)}"

    def _refuse(self, x: np.ndarray, what: str, g: np.ndarray | None = None) -> Point:
        self.refused += 1
        if g is not None and what == "the gradient":
            bad = int(np.flatnonzero(~np.isfinite(g))[0])
            what = f"the derivative with respect to {self.parameters.name(bad)} is {g[bad]:g}"
        elif what == "the second derivatives":
            what = "the second derivatives are not all finite"
        self.last_refused = (np.array(x), what)
        return Point(x, INFINITE, g)


def _is_list_of_numbers(x: Any) -> bool:
    """As in SciPy, `[0, 0]` and `(0.0, 0.0)` stand for an array."""
    return type(x) in (list, tuple) and len(x) > 0 and all(isinstance(v, (int, float, np.number)) for v in x)


def _number(value: Any) -> float:
    return float(value if np.ndim(value) == 0 else np.asarray(value).reshape(()))


def _checked(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, refusing results that are not one real number, in the words of minimization."""
    name = getattr(f, "__name__", type(f).__name__)

    def checked(*args: Any) -> Any:
        y = f(*args)
        if type(y) is float:
            return y
        data = getattr(y, "_data", y)
        if not isinstance(data, (np.ndarray, np.generic, float, int)) or isinstance(data, bool):
            hint = "; is its `return` missing?" if y is None else ""
            raise TypeError(f"{name} returned {type(y).__name__}: minimize needs one real number from it{hint}")
        if np.size(data) != 1:
            raise ValueError(
                f"{name} returned an array of shape {np.shape(data)}: minimize needs one number. Sum it (np.sum); "
                "if these are residuals, use method='least_squares'"
            )
        if hasattr(data, "dtype") and data.dtype.kind not in "fiu":
            raise TypeError(f"{name} returned dtype {data.dtype}: minimize needs one real number (np.real, np.abs)")
        return y

    checked.__name__ = name
    return checked


def _walk(tree: Any, name: str, names: list[str]) -> None:
    """The names of the leaves, in the order `flatten` gives them."""
    if isinstance(tree, dict):
        keys = list(tree)
        if not isinstance(tree, OrderedDict):
            try:
                keys = sorted(keys)
            except TypeError:
                keys = sorted(keys, key=lambda k: (type(k).__qualname__, str(k)))
        for k in keys:
            _walk(tree[k], f"{name}[{k!r}]", names)
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        for k in tree._fields:
            _walk(getattr(tree, k), f"{name}.{k}", names)
    elif isinstance(tree, (list, tuple)):
        for i, v in enumerate(tree):
            _walk(v, f"{name}[{i}]", names)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for f in dataclasses.fields(tree):
            _walk(getattr(tree, f.name), f"{name}.{f.name}", names)
    elif tree is not None:
        names.append(name)
