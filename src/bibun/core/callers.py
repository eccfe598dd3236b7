"""Who made a Variable an array? When SciPy's own Python code did, the message names the function to call in its place.

Looked up only when the error is raised: the frames of the call say which function of SciPy the user called. Imports
nothing of bibun until then, and afterwards only by name, to see whether the replacement exists.
"""

import importlib
import sys
from types import FrameType
from typing import Any

import numpy as np

__all__ = ["HOMES", "SPARSE", "scipys_function", "shown_to_sparse"]

HOMES = {"scipy.stats": "bibun.stats", "scipy.special": "bibun.special", "scipy.linalg": "bibun.linalg"}
"""Where SciPy's functions have their counterparts, under the same names."""

SPARSE = (
    "a sparse matrix S is a constant of products (`S @ v`, `v @ S`, `S.T @ v`); write `S @ (w * v)` or `w * (S @ v)` "
    "to scale its columns or rows, or `S.toarray()` for anything else"
)
"""What to write with a sparse matrix."""

_PASSED = ("bibun.", "numpy.")


def scipys_function() -> tuple[str, str] | None:
    """The function of SciPy that is asking for an array, as a user writes it, and what to write in its place.

    None if it is not SciPy that asks.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _module(frame).startswith(_PASSED):
        frame = frame.f_back
    called = None
    while frame is not None and _module(frame).startswith("scipy."):
        called, frame = frame, frame.f_back
    if called is None:
        return None
    module, name = _spelled(called)
    if module == "scipy.sparse":
        return f"{module}.{name}", SPARSE
    if module not in HOMES:
        return None
    ours = _existing(HOMES[module], name)
    advice = f"call {ours} in its place" if ours else "bibun has no such function with a derivative yet"
    return f"{module}.{name}", advice


def shown_to_sparse(v: Any) -> np.ndarray | None:
    """What SciPy is shown where `S @ v` and `S.dot(v)` only look whether `v` is an array; None where it is more.

    A product asks `v` to multiply itself if it is shown one object. The dot product of coordinates does not, and goes
    on to the product with `v` if it is shown numbers; none of them, lest a later SciPy read them.
    """
    frame = sys._getframe(2)  # who asks `v.__array__`, which asks here
    name, module = frame.f_code.co_name, _module(frame)
    if not module.startswith("scipy.sparse"):
        return None
    if name == "_matmul_dispatch" and frame.f_back is not None and frame.f_back.f_code.co_name == "__matmul__":
        thing = np.empty((), object)
        thing[()] = v
        return thing
    return np.empty(0) if name == "dot" and module == "scipy.sparse._coo" else None


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _spelled(frame: FrameType) -> tuple[str, str]:
    """('scipy.stats', 'norm.logpdf') of a frame: its package, its object's name, its function's."""
    module, name, owner = _module(frame), frame.f_code.co_name, frame.f_locals.get("self")
    wrapped = frame.f_locals.get("f") or frame.f_locals.get("func")
    if name == "wrapper" and callable(wrapped):  # a decorator of SciPy's stands outside
        module, name = getattr(wrapped, "__module__", module), getattr(wrapped, "__name__", name)
    elif name == "wrapped" and isinstance(frame.f_locals.get("f_name"), str):  # SciPy before 1.15, SCIPY_ARRAY_API set
        name = frame.f_locals["f_name"]
    elif owner is not None:
        name = _owner(owner) if name.startswith("__") else f"{_owner(owner)}.{name}"
    return ".".join(module.split(".")[:2]), name.removesuffix(".wrapped")


def _owner(thing: Any) -> str:
    """`norm` of scipy.stats.norm, frozen or not: the object's own name, or that of its class."""
    thing = getattr(thing, "dist", None) or getattr(thing, "_dist", None) or thing
    name = getattr(thing, "name", None)
    return name if isinstance(name, str) else type(thing).__name__.removesuffix("_gen").removesuffix("_frozen")


def _existing(home: str, name: str) -> str | None:
    """`bibun.stats.norm.logpdf`, if there is such a thing."""
    try:
        thing: Any = importlib.import_module(home)
        for part in name.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError):
        return None
    return f"{home}.{name}"
