"""The parameters of a likelihood as one vector of real numbers and back; values by name.

A fit searches over real numbers u; `natural` maps them to what a likelihood is given, `vector` to what tables show.
Imports domains, which has one parameter of each kind.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..core.dispatch import is_sparse
from ..core.graph import Node
from ..transforms.jacobian import jacobian
from .domains import Parameter, Tied

__all__ = ["ParameterSet", "Values", "as_values"]


class Values(Mapping[str, Any]):
    """Values by name, as attributes and as items: what a likelihood is given for its parameters and its data."""

    def __init__(self, values: Mapping[str, Any], what: str) -> None:
        self.__dict__.update({"_values": dict(values), "_what": what})

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(self._absent(name)) from None

    def __getitem__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise KeyError(self._absent(name)) from None

    def _absent(self, name: str) -> str:
        return (
            f"there is no {self.__dict__['_what']} {name!r}; there are {', '.join(self.__dict__['_values']) or 'none'}"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a {self.__dict__['_what']} is not assigned to: {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Values, (self.__dict__["_values"], self.__dict__["_what"])

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__["_values"])

    def __len__(self) -> int:
        return len(self.__dict__["_values"])

    def __repr__(self) -> str:
        return ", ".join(f"{k}={v}" for k, v in self.__dict__["_values"].items())


class ParameterSet:
    """The declared parameters of a likelihood.

    Attributes
    ----------
    parts : dict of str to Parameter
    flat : bool
        Whether the likelihood takes its parameters as one array instead of by name.
    size : int
        How many real numbers are behind the free ones.
    labels, real_labels : list of str
        A name for each number that tables show, and for each of the real numbers.
    """

    def __init__(self, declared: Any) -> None:
        self.flat = isinstance(declared, Parameter)
        if self.flat:
            declared = {"theta": declared}
        if not isinstance(declared, Mapping) or not declared:
            raise TypeError(
                "params is a dict of names to Real(), Positive(), …, or one Real(shape=k) for a flat vector; "
                f"got {type(declared).__name__}"
            )
        for name, p in declared.items():
            if isinstance(p, type) and issubclass(p, Parameter):
                raise TypeError(f"parameter {name!r} is declared as the class {p.__name__}: write {p.__name__}()")
            if not isinstance(p, Parameter):
                raise TypeError(f"parameter {name!r} is declared as {p!r}: write Real(), Positive(), Fixed({p!r}), …")
        self.parts: dict[str, Parameter] = dict(declared)
        self.slices: dict[str, slice] = {}  # of the real numbers
        self.shown: dict[str, slice] = {}  # of what tables show
        self.labels: list[str] = []
        self.real_labels: list[str] = []
        k = 0
        for name, p in self.parts.items():
            self.slices[name] = slice(k, k + p.size)
            k += p.size
            if isinstance(p, Tied) and (p.to not in self.parts or isinstance(self.parts[p.to], Tied)):
                raise ValueError(
                    f"parameter {name!r} is tied to {p.to!r}, which is no parameter of its own; there are "
                    f"{', '.join(n for n, q in self.parts.items() if not isinstance(q, Tied))}"
                )
            alone = (self.flat or p.bare) and p.names is not None
            mine = ((p.names or []) if alone else p.labels(name)) if p.size else []
            self.shown[name] = slice(len(self.labels), len(self.labels) + len(mine))
            self.labels += mine
            self.real_labels += [] if not p.size else mine if alone else p.real_labels(name)
        self.size = k

    def start(self, given: Any = None) -> np.ndarray:
        """The vector to start from: what is given, else what was declared, else zero (the middle of each domain)."""
        u = np.zeros(self.size)
        if self.flat and given is not None and not isinstance(given, Mapping):
            given = {"theta": given}
        given = dict(given or {})
        unknown = [n for n in given if n not in self.parts]
        if unknown:
            raise ValueError(f"a start for {unknown[0]!r}, which is no parameter; there are {', '.join(self.parts)}")
        for name, p in self.parts.items():
            value = p.checked(given[name]) if name in given else p.start
            if value is not None and p.size:
                u[self.slices[name]] = np.ravel(p.real(value))
        return u

    def natural(self, u: Any) -> Any:
        """What the likelihood is given for real numbers `u` (an array or a Variable of shape (size,))."""
        values = {name: self._one(p, u[self.slices[name]]) for name, p in self.parts.items()}
        for name, p in self.parts.items():
            if isinstance(p, Tied):
                values[name] = values[p.to]
        return values["theta"] if self.flat else Values(values, "parameter")

    def _one(self, p: Parameter, u: Any) -> Any:
        if not p.size:
            return p.natural(None)
        if p.real_shape == ():
            return p.natural(u[0])
        return p.natural(u if p.real_shape == u.shape else np.reshape(u, p.real_shape))

    def vector(self, u: Any) -> Any:
        """What tables show for real numbers `u`, in the order of the labels; over Variables it records."""
        return np.concatenate([np.zeros(0), *[p.reported(self._one(p, u[self.slices[n]])) for n, p in self._free()]])

    def log_jacobian(self, u: Any) -> Any:
        """log |det d natural / d u|: what a density of the parameters lacks to be one of u."""
        total: Any = 0.0
        for name, p in self._free():
            mine = u[self.slices[name]]
            total = total + p.log_jacobian(mine if p.real_shape == mine.shape else np.reshape(mine, p.real_shape))
        return total

    def jacobian(self, u: np.ndarray) -> np.ndarray:
        """d vector / d u, shape (labels, size)."""
        return np.asarray(jacobian(self.vector)(u))

    def stretched(self, shown: Any) -> Any:
        """What tables show, each number on a scale without ends."""
        return self._each(lambda p, v: p.stretched(v), shown)

    def unstretched(self, t: Any) -> Any:
        """Back from that scale."""
        return self._each(lambda p, v: p.unstretched(v), t)

    def stretch(self, shown: np.ndarray) -> np.ndarray:
        """The slope of `stretched`, a number at a time."""
        return np.asarray(self._each(lambda p, v: p.stretch(v), shown))

    def _each(self, f: Any, shown: Any) -> Any:
        return np.concatenate([np.zeros(0), *[f(p, shown[self.shown[name]]) for name, p in self._free()]])

    def _free(self) -> list[tuple[str, Parameter]]:
        return [(name, p) for name, p in self.parts.items() if p.size]

    def values(self, u: np.ndarray) -> dict[str, Any]:
        """Declared name -> estimate, of the declared shape."""
        natural = {name: self._one(p, u[self.slices[name]]) for name, p in self._free()}
        return {name: float(a) if np.ndim(a) == 0 else np.array(a) for name, a in natural.items()}

    def by_name(self, shown: np.ndarray) -> dict[str, Any]:
        """A vector in the order of the labels as declared name -> array of the declared shape."""
        out: dict[str, Any] = {}
        for name, p in self._free():
            a = p.whole(shown[self.shown[name]])
            out[name] = float(a) if a.ndim == 0 else a
        return out

    def __repr__(self) -> str:
        return ", ".join(f"{n}: {p!r}" for n, p in self.parts.items())


def as_values(data: Any) -> Any:
    """Data by name: arrays as attributes and items."""
    if data is None or isinstance(data, Values):
        return data
    if isinstance(data, Mapping):
        return Values(
            {str(k): v if isinstance(v, Node) or is_sparse(v) else np.asarray(v) for k, v in data.items()},
            "data column",
        )
    if hasattr(data, "columns") and hasattr(data, "__getitem__"):
        return Values({str(c): np.asarray(data[c]) for c in data.columns}, "data column")
    return data
