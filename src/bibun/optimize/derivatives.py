"""`Derivatives`: a function with its value, gradient and Hessian, compiled where that pays.

Imports the transforms and the compiler. What asks for derivatives of one function again and again holds one of these;
handed to `minimize` in place of a function, it keeps what was compiled from one fit to the next.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compiler.quick import quick
from ..transforms.gradient import value_and_grad
from ..transforms.hessian import hessian

__all__ = ["Derivatives"]


class Derivatives:
    """Derivatives of `f(x, *args)` by its first argument.

    Parameters
    ----------
    f : callable
        Returns one real number.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.value = quick(f)
        self.both = quick(value_and_grad(f))
        # of a sparse matrix a Hessian would hold the columns, each dense
        self.hessian = quick(hessian(f), sparse=math.inf)
        self._all = quick(lambda x, *args: (*value_and_grad(f)(x, *args), hessian(f)(x, *args)), sparse=math.inf)

    def __call__(self, x: Any, *args: Any) -> Any:
        return self.f(x, *args)

    def all(self, x: Any, *args: Any) -> tuple[Any, Any, Any]:
        """Value, gradient and Hessian: one pass over the data where they are compiled."""
        if self._all.pays(*args):
            return self._all(x, *args)  # type: ignore[no-any-return]
        return (*self.both(x, *args), self.hessian(x, *args))

    def together(self, *args: Any) -> bool:
        """Whether a Hessian costs little beside a value and gradient that are asked for with it."""
        return self._all.pays(*args)

    def symmetric(self, x: Any, *args: Any) -> tuple[float, np.ndarray, np.ndarray]:
        """The same as `all`, as a number, a vector and a symmetric matrix."""
        value, g, H = self.all(x, *args)
        H = np.asarray(H)
        return float(value), np.asarray(g), 0.5 * (H + H.T)
