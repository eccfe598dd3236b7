"""Second derivatives of scalar functions: `hessian` and its product with a vector, forward over reverse.

Imports gradient, directional, jacobian.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .directional import jvp
from .gradient import grad
from .jacobian import jacobian

__all__ = ["hessian", "hvp"]


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of `f` with respect to its first argument, times a direction; the matrix is never made.

    Parameters
    ----------
    f : callable
        Returns one real number.
    primals, tangents : sequence
        The arguments of `f`, and a direction for each of them.

    Returns
    -------
    array or nested
        d/de grad f(primals + e tangents), with the structure of the first argument.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> bb.hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),)).tolist()
    [6.0, 12.0]
    """
    return jvp(grad(f), primals, tangents)[1]


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The Hessian of `f`: a function of the same arguments.

    Parameters
    ----------
    f : callable
        Returns one real number.
    argnums : int or sequence of int

    Returns
    -------
    callable
        Gives an array of shape `x.shape + x.shape`; for nested arguments, their structure twice over.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> bb.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0])).tolist()
    [[4.0, 2.0], [2.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")
