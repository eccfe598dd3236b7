"""A density for nutpie: `nutpie.sample(model(density))`. Imports models' density; needs nutpie."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..models.density import Density

__all__ = ["model"]

SPREAD = 0.1
"""How far from the density's start chains begin, in standard deviations."""


def model(density: Density) -> Any:
    """A density as a model that nutpie samples.

    Parameters
    ----------
    density : Density
        Of `MLE.density`, with its Jacobian.

    Returns
    -------
    nutpie model
        The trace has the parameters by name, in their declared shapes.

    Raises
    ------
    ImportError
        Without nutpie: ``pip install "bibun[nutpie]"``.
    ValueError
        If the density was made without its Jacobian: it is no density of what is sampled.
    """
    try:
        from nutpie.compiled_pyfunc import from_pyfunc
    except ImportError:
        raise ImportError('this bridge needs nutpie: pip install "bibun[nutpie]"') from None
    density.check_sampled()

    def logp(u: np.ndarray, **_: Any) -> tuple[float, np.ndarray]:
        return density.logp_and_grad(u)

    def expand(u: np.ndarray, **_: Any) -> dict[str, Any]:
        return {name: np.array(v, float, order="C") for name, v in density.expand(u).items()}

    def made(*_: Any) -> Callable[..., Any]:
        return expand

    def begin(seed: int) -> np.ndarray:
        return density.start + SPREAD * np.random.default_rng(seed).normal(size=density.dim)

    return from_pyfunc(
        density.dim, lambda: logp, made, [np.dtype(float)] * len(density.shapes), list(density.shapes.values()),
        list(density.shapes), make_initial_point_fn=begin,
    )  # fmt: skip
