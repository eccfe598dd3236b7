"""A density for NumPyro: the potential energy of its samplers, for JAX. Imports models' density; needs jax."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..models.density import Density

__all__ = ["potential"]


def potential(density: Density) -> Callable[[Any], Any]:
    """Minus the log-density as a function of JAX with its gradient: `NUTS(potential_fn=potential(density))`.

    Parameters
    ----------
    density : Density
        Of `MLE.density`, with its Jacobian. `MCMC.run(key, init_params=density.start)` begins where it is finite, and
        `density.expand(u)` has the parameters of a draw.

    Returns
    -------
    callable
        It may be compiled by `jax.jit` and batched by `jax.vmap`; NumPy computes it, in double precision, whatever the
        precision of JAX.

    Raises
    ------
    ImportError
        Without jax: ``pip install "bibun[numpyro]"``.
    ValueError
        If the density was made without its Jacobian: it is no density of what is sampled.
    """
    try:
        import jax
    except ImportError:
        raise ImportError('this bridge needs NumPyro and jax: pip install "bibun[numpyro]"') from None
    density.check_sampled()

    def both(u: Any) -> Any:
        kind = jax.numpy.result_type(u)

        def called(u: Any) -> tuple[np.ndarray, np.ndarray]:
            value, gradient = density.logp_and_grad(np.asarray(u, float))
            with np.errstate(over="ignore"):  # of single precision, where it is as good as infinite
                return np.asarray(-value, kind), np.asarray(-gradient, kind)

        shaped: Any = jax.ShapeDtypeStruct
        shapes = shaped((), kind), shaped((density.dim,), kind)
        return jax.pure_callback(called, shapes, u, vmap_method="sequential")

    @jax.custom_vjp
    def energy(u: Any) -> Any:
        return both(u)[0]

    energy.defvjp(both, lambda gradient, g: (g * gradient,))
    return energy
