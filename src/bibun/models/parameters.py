"""The parameters of a likelihood: names, shapes, domains, starts, and the real numbers behind them.

A fit searches over real numbers u, one for each free element; `natural` maps them to the values a likelihood is written
in. A new domain is a class of a few lines here. Imports core (through NumPy's protocols only).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.graph import Node

__all__ = ["Fixed", "Interval", "Parameter", "ParameterSet", "Positive", "Real", "UnitInterval", "Values", "as_values"]


class Parameter:
    """What a parameter is: its shape, the names of its elements, where it may lie, and where to start.

    Parameters
    ----------
    shape : int or tuple of int
        () is one number.
    names : sequence of str, optional
        A name for each element of a vector.
    start : array_like, optional
        Where the search begins, in natural values; by default the middle of the domain.
    """

    domain = "real numbers"

    def __init__(self, shape: int | Sequence[int] = (), names: Sequence[str] | None = None, start: Any = None) -> None:
        self.shape = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
        if names is not None:
            names = [str(n) for n in names]
            if self.shape == ():
                self.shape = (len(names),)
            if self.shape != (len(names),):
                raise ValueError(f"{len(names)} names for a parameter of shape {self.shape}: give one for each element")
            if len(set(names)) != len(names):
                raise ValueError(f"the names of a parameter must differ: {', '.join(names)}")
        self.names = names
        self.size = int(np.prod(self.shape))
        self.start = None if start is None else self._checked(start)

    def _checked(self, value: Any) -> np.ndarray:
        a = np.asarray(value, float)
        try:
            a = np.array(np.broadcast_to(a, self.shape))
        except ValueError:
            raise ValueError(f"a start of shape {a.shape} for a parameter of shape {self.shape}") from None
        u = self.real(a)
        if not np.isfinite(u).all():
            raise ValueError(f"a start of {value} is not inside the domain of the parameter ({self.domain})")
        return a

    def natural(self, u: Any) -> Any:
        """The natural value of real numbers `u`; over Variables it records."""
        return u

    def real(self, value: Any) -> Any:
        """The real numbers behind a natural value."""
        return value

    def slope(self, u: np.ndarray) -> np.ndarray:
        """d natural / d u, an element at a time."""
        return np.ones_like(u)

    def labels(self, name: str) -> list[str]:
        """The name of each element in a table."""
        if self.names is not None:
            return [f"{name}[{n}]" for n in self.names]
        if self.shape == ():
            return [name]
        return [f"{name}[{', '.join(map(str, i))}]" for i in np.ndindex(*self.shape)]

    def __repr__(self) -> str:
        about = f"shape={self.shape}" if self.shape else ""
        return f"{type(self).__name__}({about})"


class Real(Parameter):
    """Any real number, or an array of them.

    Examples
    --------
    >>> from bibun import Real
    >>> Real(names=["const", "x1"]).labels("beta")
    ['beta[const]', 'beta[x1]']
    """


class Positive(Parameter):
    """Numbers greater than zero; searched over on the log scale, so intervals are positive too.

    Examples
    --------
    >>> from bibun import Positive
    >>> float(Positive().natural(0.0))
    1.0
    """

    domain = "numbers greater than 0"

    def natural(self, u: Any) -> Any:
        return np.exp(u)

    def real(self, value: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.log(value)

    def slope(self, u: np.ndarray) -> np.ndarray:
        return np.exp(u)


class Interval(Parameter):
    """Numbers strictly between `low` and `high`; searched over on the logit scale.

    Examples
    --------
    >>> from bibun import Interval
    >>> float(Interval(-1, 1).natural(0.0))
    0.0
    """

    def __init__(
        self,
        low: float,
        high: float,
        shape: int | Sequence[int] = (),
        names: Sequence[str] | None = None,
        start: Any = None,
    ) -> None:
        self.low, self.high = float(low), float(high)
        if not self.low < self.high or not np.isfinite([self.low, self.high]).all():
            raise ValueError(f"Interval({low}, {high}): two finite ends, the lower first; Positive() has no upper end")
        self.domain = f"numbers between {low} and {high}"
        super().__init__(shape, names, start)

    def natural(self, u: Any) -> Any:
        return self.low + (self.high - self.low) * (0.5 + 0.5 * np.tanh(0.5 * u))

    def real(self, value: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.log((value - self.low) / (self.high - value))

    def slope(self, u: np.ndarray) -> np.ndarray:
        return (self.high - self.low) * 0.25 / np.cosh(0.5 * u) ** 2


class UnitInterval(Interval):
    """Probabilities: numbers strictly between 0 and 1.

    Examples
    --------
    >>> from bibun import UnitInterval
    >>> UnitInterval(names=["a", "b"]).labels("p")
    ['p[a]', 'p[b]']
    """

    def __init__(self, shape: int | Sequence[int] = (), names: Sequence[str] | None = None, start: Any = None) -> None:
        super().__init__(0.0, 1.0, shape, names, start)


class Fixed(Parameter):
    """A parameter that is known: it is given to the likelihood and not estimated.

    Examples
    --------
    >>> from bibun import Fixed
    >>> float(Fixed(2.0).natural(None))
    2.0
    """

    domain = "one value"

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value, float)
        super().__init__(self.value.shape)
        self.size = 0

    def natural(self, u: Any) -> Any:
        return self.value


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
    """The declared parameters of a likelihood as one vector of real numbers and back.

    Attributes
    ----------
    parts : dict of str to Parameter
    flat : bool
        Whether the likelihood takes its parameters as one array instead of by name.
    size : int
        The number of free elements.
    labels : list of str
        A name for each of them.
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
            if not isinstance(p, Parameter):
                raise TypeError(f"parameter {name!r} is declared as {p!r}: write Real(), Positive(), Fixed({p!r}), …")
        self.parts: dict[str, Parameter] = dict(declared)
        self.slices: dict[str, slice] = {}
        k = 0
        for name, p in self.parts.items():
            self.slices[name] = slice(k, k + p.size)
            k += p.size
        self.size = k
        self.labels = [label for name, p in self.parts.items() if p.size for label in self._labels(name, p)]

    def _labels(self, name: str, p: Parameter) -> list[str]:
        return p.names if self.flat and p.names is not None else p.labels(name)

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
            value = p._checked(given[name]) if name in given else p.start
            if value is not None and p.size:
                u[self.slices[name]] = np.ravel(p.real(value))
        return u

    def natural(self, u: Any) -> Any:
        """What the likelihood is given for real numbers `u` (an array or a Variable of shape (size,))."""
        values = {name: self._one(p, u[self.slices[name]]) for name, p in self.parts.items()}
        return values["theta"] if self.flat else Values(values, "parameter")

    def _one(self, p: Parameter, u: Any) -> Any:
        if not p.size:
            return p.natural(u)
        if p.shape == ():
            return p.natural(u[0])
        return p.natural(u if p.shape == u.shape else np.reshape(u, p.shape))

    def vector(self, u: np.ndarray) -> np.ndarray:
        """The natural values of the free elements, in the order of the labels."""
        return np.concatenate([np.zeros(0), *[np.ravel(p.natural(u[s])) for p, s in self._free()]])

    def slope(self, u: np.ndarray) -> np.ndarray:
        """d natural / d u for each free element."""
        return np.concatenate([np.zeros(0), *[np.ravel(p.slope(u[s])) for p, s in self._free()]])

    def real(self, natural: np.ndarray) -> np.ndarray:
        """The real numbers behind natural values of the free elements."""
        return np.concatenate([np.zeros(0), *[np.ravel(p.real(natural[s])) for p, s in self._free()]])

    def _free(self) -> list[tuple[Parameter, slice]]:
        return [(p, self.slices[name]) for name, p in self.parts.items() if p.size]

    def by_name(self, vector: np.ndarray) -> dict[str, Any]:
        """A vector over the free elements as declared name -> array of the declared shape."""
        out: dict[str, Any] = {}
        for name, p in self.parts.items():
            if p.size:
                a = np.reshape(vector[self.slices[name]], p.shape)
                out[name] = a[()] if a.ndim == 0 else a
        return out

    def __repr__(self) -> str:
        return ", ".join(f"{n}: {p!r}" for n, p in self.parts.items())


def as_values(data: Any) -> Any:
    """Data by name: arrays as attributes and items."""
    if data is None or isinstance(data, Values):
        return data
    if isinstance(data, Mapping):
        return Values({str(k): v if isinstance(v, Node) else np.asarray(v) for k, v in data.items()}, "data column")
    if hasattr(data, "columns") and hasattr(data, "__getitem__"):
        return Values({str(c): np.asarray(data[c]) for c in data.columns}, "data column")
    return data
