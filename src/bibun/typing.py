"""The words for shapes of things that annotations use. Imports nothing of bibun."""

from collections.abc import Callable
from typing import Any

__all__ = ["Array", "Pull", "Push", "Run"]

Array = Any
"""What a rule computes with: an ndarray, a NumPy scalar, another array library's array, or a Variable."""

Run = Callable[..., Any]
"""Computes the value again: `run(*values)`."""

Pull = Callable[[Array, Array, Any], Any]
"""`pull(g, y, args)`: the cotangent of the tracked argument, or a tuple where several are tracked."""

Push = Callable[[Array, Any, Any], Array]
"""`push(y, args, ts)`: the tangent of `y` from the tangents of the tracked arguments (None: zero)."""
