"""NumPy's protocols: which recorded function answers when a NumPy function meets a Variable.

`RULES` maps a function to what is called in its place. The core knows no function by name: the rules register
themselves here, and a library whose rules load late (SciPy) leaves a loader. Imports errors and the graph.
"""

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import MissingRule, TrackedVariable
from .callers import SPARSE
from .graph import Node

__all__ = [
    "ADVICE",
    "LOADERS",
    "METHODS",
    "OF_SPARSE",
    "RULES",
    "answers",
    "entry_of",
    "function",
    "holds_node",
    "is_sparse",
    "missing",
    "of_sparse",
    "raw",
    "ufunc",
]

RULES: dict[Any, Callable[..., Any]] = {}
"""The entry of each function: called with the arguments as the user gave them, some of them Variables."""

LOADERS: dict[str, Callable[[], Any]] = {}
"""Module name -> loads its rules, once, when a function of that module is first met."""

METHODS: dict[str, Callable[..., Any]] = {}
"""ufunc methods (`reduce`, `accumulate`, …) -> `entry(ufunc, *args, **kw)`."""

OF_SPARSE: dict[Any, Callable[..., Any]] = {}
"""What a function is where one operand is a sparse matrix of SciPy's; `of_sparse` loads it."""

ADVICE: dict[Any, str] = {}
"""Functions that are refused, and what to write instead."""


def answers(*funcs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate the definition that answers for these functions when one of them meets a Variable."""

    def register(entry: Callable[..., Any]) -> Callable[..., Any]:
        for func in funcs:
            RULES[func] = entry
        return entry

    return register


def raw(x: Any) -> Any:
    """`x` with every Variable in it, at any depth of lists and tuples, replaced by its array."""
    if isinstance(x, Node):
        return x._data
    if type(x) in (tuple, list):
        return type(x)(raw(v) for v in x)
    return x


def holds_node(x: Any, tracked: bool = False) -> bool:
    """Whether `x`, or a list or tuple in it, holds a Variable (a tracked one)."""
    if isinstance(x, Node):
        return not tracked or x.order != 0
    return type(x) in (tuple, list) and any(holds_node(v, tracked) for v in x)


def entry_of(func: Any) -> Callable[..., Any]:
    """The entry of `func`, its library's rules loaded if need be.

    Raises
    ------
    MissingRule
    """
    entry = RULES.get(func)
    if entry is None:
        module = getattr(func, "__module__", None) or ("scipy.special" if isinstance(func, np.ufunc) else "")
        for name in [n for n in LOADERS if module.startswith(n)]:
            LOADERS.pop(name)()
        entry = RULES.get(func)
        if entry is None:
            raise missing(func)
    return entry


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse matrix or array of SciPy's, which whoever made it has loaded."""
    module = sys.modules.get("scipy.sparse")
    return module is not None and bool(module.issparse(x))


def of_sparse(func: Any, args: tuple[Any, ...]) -> Any:
    """`func(*args)` of a Variable and a sparse matrix, which is a constant of products and of nothing else."""
    entry = OF_SPARSE.get(func)
    if entry is None and "scipy.sparse" in LOADERS:
        LOADERS["scipy.sparse"]()
        entry = OF_SPARSE.get(func)
    if entry is None:
        raise TrackedVariable(f"{spelled(func)} of a Variable and a sparse matrix: {SPARSE}")
    return entry(*args)


def missing(func: Any) -> Exception:
    """The error for a function without a derivative: its name, and the line that would add one."""
    if func in ADVICE:
        return TrackedVariable(ADVICE[func])
    name = spelled(func)
    kind = "elementwise" if isinstance(func, np.ufunc) else "general"
    line = f"{kind}({name}, lambda y, x: …)" if kind == "elementwise" else f"general({name}, vjp=lambda g, y, x: …)"
    return MissingRule(
        f"{name} has no derivative rule for Variables. Add one with `from bibun.rules import {kind}` and `{line}`, "
        "write the function with operations that have one, or call it on `v.data` if no derivative goes through it"
    )


def spelled(func: Any) -> str:
    """`np.log1p`, `scipy.special.gammaln`, `np.linalg.solve`: a function's name as a user writes it."""
    name = getattr(func, "__name__", repr(func))
    module = getattr(func, "__module__", None) or ("numpy" if name in vars(np) else "scipy.special")
    return f"{module.replace('numpy', 'np', 1)}.{name}"


def function_of_variables(func: Any, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
    """A function without an entry met a Variable: a constant is an array; else its library's rules may be unloaded."""
    if not holds_node(args, tracked=True) and not holds_node(tuple(kw.values()), tracked=True):
        return func(*raw(args), **{k: raw(v) for k, v in kw.items()})
    return entry_of(func)(*args, **kw)


def ufunc(u: np.ufunc, method: str, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
    """A ufunc met a Variable, with keywords or by one of its methods, or for the first time."""
    if method != "__call__":
        if not holds_node(args, tracked=True) and not holds_node(tuple(kw.values()), tracked=True):
            return getattr(u, method)(*raw(args), **{k: raw(v) for k, v in kw.items()})
        if method not in METHODS:
            raise missing(getattr(u, method))
        return METHODS[method](u, *args, **kw)
    if u not in RULES and not holds_node(args, tracked=True):
        return u(*raw(args), **{k: raw(v) for k, v in kw.items()})
    entry = entry_of(u)
    if not kw:
        return entry(*args)
    if holds_node(kw.get("out", ()), tracked=True):
        raise TrackedVariable(f"{spelled(u)}(out=) into a Variable: write `v = {spelled(u)}(…)`")
    if not holds_node(args, tracked=True):
        return u(*raw(args), **{k: raw(v) for k, v in kw.items()})  # `w.data -= lr * w.grad`
    return with_keywords(u, entry, args, kw)


def with_keywords(u: np.ufunc, entry: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
    """`dtype=` casts the arguments; whatever would need the old contents of an output is refused by name."""
    dtype, out = kw.pop("dtype", None), kw.pop("out", None)
    kw.pop("casting", None), kw.pop("subok", None), kw.pop("order", None)
    if out is not None and any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
        raise TrackedVariable(
            f"{spelled(u)} would write a tracked Variable into a plain array (`out=`, or `a += v`) and lose its "
            "derivative: write `a = a + v`"
        )
    if u.signature is not None and kw and kw.keys() <= {"axis", "axes"}:
        entry = functools.partial(along_axes, u, entry, **kw)
    elif kw:
        instead = f"np.where(mask, {u.__name__}(…), other)" if "where" in kw else "the call without it"
        raise MissingRule(f"{spelled(u)}({', '.join(kw)}=…) on a Variable: write {instead} instead")
    if dtype is not None:
        args = tuple(a.astype(dtype) if isinstance(a, Node) else np.asarray(a, dtype) for a in args)  # type: ignore[attr-defined]
    return entry(*args)


def along_axes(u: np.ufunc, entry: Callable[..., Any], *args: Any, axis: Any = None, axes: Any = None) -> Any:
    """A ufunc of vectors or matrices that lie in other axes than the last: moved there, and the result moved back."""
    cores = [len(re.findall(r"[^,]+", core)) for core in re.findall(r"\(([^)]*)\)", str(u.signature))]
    given = [axis if n else () for n in cores] if axes is None else list(axes)
    given = [(k,) if isinstance(k, (int, np.integer)) else tuple(k) for k in given]
    *given, last = given if len(given) == len(cores) else [*given, ()]
    if [len(k) for k in (*given, last)] != cores:
        raise ValueError(f"{spelled(u)}: {cores} axes are needed for its operands and its result")
    moved = [np.moveaxis(x, k, tuple(range(-len(k), 0))) if k else x for x, k in zip(args, given, strict=True)]
    y = entry(*moved)
    return np.moveaxis(y, tuple(range(-len(last), 0)), last) if last else y


def function(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of bibun's own that has a rule: arrays in, array out; Variables in, Variable out."""

    @functools.wraps(f)
    def call(*args: Any, **kw: Any) -> Any:
        for x in (*args, *kw.values()) if kw else args:
            if isinstance(x, (Node, list, tuple)) and holds_node(x):
                return RULES[call](*args, **kw)
        return f(*args, **kw)

    return call
