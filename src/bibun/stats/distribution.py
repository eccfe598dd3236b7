"""What all distributions share: parameters by SciPy's names, location and scale, the support, invalid parameters.

A distribution is a class whose functions are its *standard forms*: `logpdf(z, a)` for location 0 and scale 1, inside
the support, for valid parameters. From them come the public `logpdf(x, a, loc=0, scale=1)` and its relatives. The
distributions are in continuous.py, positive.py, bounded.py, discrete.py. Imports the rules.
"""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..core.graph import Node
from ..rules.products import possible
from ..rules.special_own import as_operand
from ..typing import Array

__all__ = ["Continuous", "Discrete", "Distribution", "Natural", "log_of"]

INF = math.inf
ENDS = {
    "logpdf": (-INF, -INF), "pdf": (0.0, 0.0), "logpmf": (-INF, -INF), "pmf": (0.0, 0.0),
    "logcdf": (-INF, 0.0), "cdf": (0.0, 1.0), "logsf": (0.0, -INF), "sf": (1.0, 0.0),
}  # fmt: skip
"""Every public function, and what it is below and above the support."""

DENSITIES = {"logpdf", "pdf", "logpmf", "pmf"}


def not_positive(*shapes: Array) -> Any:
    """Where a shape is not positive."""
    return _any(*[_not(np.greater(a, 0)) for a in shapes])


def nowhere(z: Array, *shapes: Array) -> None:
    """At no end of the support."""


class Natural:
    """Another set of parameters a distribution is given by: `standard(*them)` are SciPy's, `forms` what is exacter."""

    def __init__(self, names: str, standard: Callable[..., tuple[Array, ...]], invalid: Any, **forms: Any) -> None:
        self.names, self.standard, self.invalid, self.forms = tuple(names.split()), standard, invalid, forms


class Distribution:
    """The base of all distributions; its subclasses are never made into objects except to freeze parameters."""

    low, high, interior = -INF, INF, 0.5
    places: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    density = "logpdf"
    functions: dict[str, Callable[..., Any]]
    variants: dict[frozenset[str], tuple[tuple[str, ...], dict[str, Any], Any]]

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if abstract:
            return
        forms = {name: vars(cls)[name] for name in ENDS if name in vars(cls)}
        cls.names = tuple(inspect.signature(forms[cls.density]).parameters)[1:]
        cls.variants = {frozenset(cls.names): (cls.names, _completed(forms), cls.invalid)}
        for natural in [v for v in vars(cls).values() if isinstance(v, Natural)]:
            known = _completed({**_through(natural.standard, forms), **natural.forms})
            cls.variants[frozenset(natural.names)] = natural.names, known, natural.invalid
        cls.functions = {}
        for name in cls.variants[frozenset(cls.names)][1]:
            cls.functions[name] = _public(cls, name)
            setattr(cls, name, staticmethod(cls.functions[name]))

    def __init__(self, *args: Any, **kw: Any) -> None:
        """Freeze the parameters, as SciPy does: `norm(0, 2).logpdf(x)`."""
        for name, f in self.functions.items():
            setattr(self, name, lambda x, f=f: f(x, *args, **kw))

    invalid: ClassVar[Any] = not_positive
    """Where the shapes are invalid, of the shapes: by default where one is not positive."""

    edge: ClassVar[Any] = nowhere
    """Where the density is zero at an end that belongs to the support, of z and the shapes; None for nowhere."""

    @classmethod
    def outside(cls, name: str, z: Array, shapes: tuple[Array, ...]) -> tuple[Any, Any]:
        """Where `z` lies below and above the support."""
        below = above = None
        if math.isfinite(cls.low):
            below = np.less_equal(z, cls.low) if name == "logcdf" else np.less(z, cls.low)
        if math.isfinite(cls.high):
            above = np.greater_equal(z, cls.high) if name == "logsf" else np.greater(z, cls.high)
        elif below is not None:
            above = np.equal(z, INF)
        return below, above


class Continuous(Distribution, abstract=True):
    """Distributions with a density, a location and a scale."""

    places = ("loc", "scale")


class Discrete(Distribution, abstract=True):
    """Distributions of integers, with a location. `low` is their least value."""

    places = ("loc",)
    density = "logpmf"
    low, interior = 0.0, 1.0

    @classmethod
    def outside(cls, name: str, z: Array, shapes: tuple[Array, ...]) -> tuple[Any, Any]:
        """Below the least value, above the greatest; for a probability, what is no integer too."""
        below = np.less(z, cls.low)
        if name in DENSITIES:
            below = below | np.greater(z - np.floor(z), 0)
        if cls.high == INF:
            return below, np.equal(z, INF)
        return below, np.greater_equal(z, cls.high) if name == "logsf" else np.greater(z, cls.high)


# --- the public functions -------------------------------------------------------------------------------------------


def _public(cls: type[Distribution], name: str) -> Callable[..., Any]:
    """`logpdf(x, shapes…, loc=0, scale=1)` of a class."""
    order = (*cls.names, *cls.places)
    title = f"{cls.__name__}.{name}"
    first = "k" if cls.density == "logpmf" else "x"

    def call(x: Any, *args: Any, **kw: Any) -> Any:
        if len(args) > len(order):
            raise TypeError(f"{title}({first}, {', '.join(order)}): {len(args)} parameters were given by position")
        given = dict(zip(order, args, strict=False))
        if repeated := given.keys() & kw.keys():
            raise TypeError(f"{title}: {', '.join(repeated)} was given by position and by name")
        given.update(kw)
        places = [given.pop(p, d) for p, d in zip(cls.places, (0, 1), strict=False)]
        given = {k: v for k, v in given.items() if v is not None}
        variant = cls.variants.get(frozenset(given))
        if variant is None:
            ways = " or ".join(f"({', '.join(names) or 'none'})" for names, *_ in cls.variants.values())
            raise TypeError(f"{title} needs the parameters {ways}; it was given ({', '.join(given) or 'none'})")
        names, forms, invalid = variant
        with np.errstate(all="ignore"):
            return _evaluated(cls, name, forms[name], invalid, x, [given[n] for n in names], *places)

    call.__name__, call.__qualname__, call.__module__ = name, title, cls.__module__
    call.__signature__ = _signature(cls, first)  # type: ignore[attr-defined]
    call.__doc__ = f"{SAYS[name]} See `{cls.__name__}`."
    return call


SAYS = {
    "logpdf": "The logarithm of the density at `x`.", "pdf": "The density at `x`.",
    "logpmf": "The logarithm of the probability of `k`.", "pmf": "The probability of `k`.",
    "logcdf": "The logarithm of the distribution function.", "cdf": "The distribution function P(X ≤ x).",
    "logsf": "The logarithm of the survival function.", "sf": "The survival function P(X > x).",
}  # fmt: skip


def _signature(cls: type[Distribution], first: str) -> inspect.Signature:
    parameter, empty = inspect.Parameter, inspect.Parameter.empty
    either = parameter.POSITIONAL_OR_KEYWORD
    many = len(cls.variants) > 1
    listed = [parameter(first, either)]
    listed += [parameter(n, either, default=None if many else empty) for n in cls.names]
    listed += [parameter(n, either, default=d) for n, d in zip(cls.places, (0, 1), strict=False)]
    others = dict.fromkeys(n for names, *_ in cls.variants.values() for n in names if n not in cls.names)
    return inspect.Signature([*listed, *[parameter(n, parameter.KEYWORD_ONLY, default=None) for n in others]])


def _evaluated(
    cls: type[Distribution], name: str, form: Any, invalid: Any, x: Any, shapes: list[Any], loc: Any, scale: Any = 1
) -> Array:
    """The standard form at (x − loc)/scale; its ends and NaN written over what it gives outside its domain."""
    moved, scaled = not (type(loc) is int and loc == 0), not (type(scale) is int and scale == 1)
    x, loc, scale, *shapes = operands(f"{cls.__name__}.{name}", x, loc, scale, *shapes)
    z = x - loc if moved else x
    z = z / scale if scaled else z
    wrong = invalid(*shapes) if shapes else None
    wrong = _any(wrong, _not(np.greater(scale, 0))) if scaled else wrong
    below, above = cls.outside(name, z, tuple(shapes))
    if name in DENSITIES:
        below = _any(below, cls.edge(z, *shapes))
    masks = [(m, end) for m, end in zip((below, above), ENDS[name], strict=True) if m is not None and possible(m)]
    for mask, _ in masks:
        z = np.where(mask, cls.interior, z)
    y = form(z, *shapes)
    if scaled and name == "logpdf":
        y = y - np.log(scale)
    elif scaled and name == "pdf":
        y = y / scale
    for mask, end in masks:
        y = np.where(mask, end, y)
    if wrong is not None and possible(wrong):
        y = np.where(wrong, np.nan, y)
    return y if isinstance(y, Node) else y[()]


def operands(what: str, *values: Any) -> list[Any]:
    """Floating arrays or Variables: integers as float64; numbers of Python in the precision of what is beside them."""
    arrays = [v if isinstance(v, (int, float)) else as_operand(v, what) for v in values]
    dtype = np.result_type(*[a._data if isinstance(a, Node) else a for a in arrays])
    if dtype.kind not in "fiub":
        raise TypeError(f"{what}: real numbers are needed, not dtype {dtype}")
    dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)
    out = []
    for a in arrays:
        if isinstance(a, (int, float)):
            a = np.asarray(a, dtype)
        elif a.dtype.kind != "f":
            a = a.astype(np.float64)
        out.append(a)
    return out


# --- forms from other forms -----------------------------------------------------------------------------------------


def log_of(part: Array, rest: Array) -> Array:
    """log(part) where part + rest is 1: by the smaller of the two, so that both tails are exact."""
    small = np.less(part, rest)
    return np.where(small, np.log(np.where(small, part, 0.5)), np.log1p(-np.where(small, 0.5, rest)))


def _completed(forms: dict[str, Any]) -> dict[str, Any]:
    """The forms a class gives, and those that follow from them."""
    known = dict(forms)
    for log, plain in (("logpdf", "pdf"), ("logpmf", "pmf"), ("logcdf", "cdf"), ("logsf", "sf")):
        if log in known and plain not in known:
            known[plain] = _then(np.exp, known[log])
    if "cdf" in known and "sf" in known:
        cdf, sf = known["cdf"], known["sf"]
        known.setdefault("logcdf", lambda z, *shapes: log_of(cdf(z, *shapes), sf(z, *shapes)))
        known.setdefault("logsf", lambda z, *shapes: log_of(sf(z, *shapes), cdf(z, *shapes)))
    return {name: known[name] for name in ENDS if name in known}


def _then(f: Any, form: Any) -> Any:
    return lambda z, *shapes: f(form(z, *shapes))


def _through(standard: Any, forms: dict[str, Any]) -> dict[str, Any]:
    """The forms for other parameters, by way of SciPy's."""

    def given(form: Any) -> Any:
        return functools.wraps(form)(lambda z, *natural: form(z, *standard(*natural)))

    return {name: given(form) for name, form in forms.items()}


def _any(*masks: Any) -> Any:
    """Where one of the masks holds; None if there is none."""
    known = [m for m in masks if m is not None]
    return functools.reduce(np.logical_or, known) if known else None


_not = np.logical_not
