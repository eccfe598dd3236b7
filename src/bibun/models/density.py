"""`Density`: a likelihood, its data and a prior as a log-density over real numbers, with its gradient, for samplers.

Imports compiler, objective, penalized. bibun.bridges hands it to the samplers of other packages.
"""

from typing import Any

import numpy as np

from ..compiler.compiled import Compiled
from ..transforms.gradient import value_and_grad
from .objective import Objective
from .parameters import Values, as_values
from .penalized import PenalizedObjective

__all__ = ["Density", "density"]


class Density:
    """A log-density of real numbers u without bounds, which stand for parameters in their domains.

    It can be pickled if the likelihood can; threads and forked processes may share it.

    Attributes
    ----------
    dim : int
        How many numbers there are.
    names : list of str
        Of each.
    shapes : dict of str to tuple of int
        Name of a parameter to its shape, as `expand` gives it.
    start : ndarray of shape (dim,)
        Where the log-density is finite.
    jacobian : bool
        Whether it is a density of u (what samplers over u need), or that of the parameters at u.
    """

    def __init__(self, objective: Objective, start: np.ndarray, jacobian: bool) -> None:
        self.objective, self.start, self.jacobian = objective, np.array(start, float), jacobian
        self.parameters = objective.model.parameters
        self.dim: int = self.parameters.size
        self.names: list[str] = list(self.parameters.real_labels)
        self.shapes = {name: np.shape(v) for name, v in self.expand(self.start).items()}
        self._compile()

    def _compile(self) -> None:
        """Data are arguments: what is compiled reads them row by row."""
        columns, weights = self.objective.arguments or (None, None)
        names = list(columns or ())
        self._arrays = tuple([np.asarray(a) for a in (*(columns or {}).values(), weights) if a is not None])

        def f(u: Any, *arrays: Any) -> Any:
            given = dict(zip(names, arrays, strict=False)) if columns is not None else None
            w = arrays[-1] if weights is not None else None
            value = -self.objective.loss(u, given, w)
            return value + self.parameters.log_jacobian(u) if self.jacobian else value

        self._value: Any = Compiled(f)
        self._both: Any = Compiled(value_and_grad(f))

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is compiled, which is made anew."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_value", "_both", "_arrays")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compile()

    def logp(self, u: Any) -> float:
        """The log-density at u, shape (dim,), but for a constant; minus infinity where it is not defined."""
        with np.errstate(all="ignore"):
            value = float(self._called("_value", self._checked(u)))
        return -np.inf if np.isnan(value) else value

    def logp_and_grad(self, u: Any) -> tuple[float, np.ndarray]:
        """The same, and its gradient, shape (dim,)."""
        with np.errstate(all="ignore"):
            value, gradient = self._called("_both", self._checked(u))
        value = float(value)
        return (-np.inf if np.isnan(value) else value), np.array(gradient, float)

    def _called(self, name: str, u: np.ndarray) -> Any:
        f = getattr(self, name)
        if not isinstance(f, Compiled):
            return f(u, *self._arrays)
        try:
            return f(u, *self._arrays)
        except np.linalg.LinAlgError:
            raise
        except Exception:  # what cannot be recorded may well run
            setattr(self, name, f.function)
            return f.function(u, *self._arrays)

    def expand(self, u: Any) -> dict[str, Any]:
        """The parameters that u stands for, by name, in their declared shapes."""
        found: dict[str, Any] = self.parameters.values(self._checked(u))
        return found

    def check_sampled(self) -> None:
        """Refuse to be sampled over real numbers without the Jacobian."""
        if not self.jacobian:
            raise ValueError(
                "this density was made with jacobian=False: it is no density of the real numbers that are sampled; "
                "make it with MLE.density(…)"
            )

    def _checked(self, u: Any) -> np.ndarray:
        numbers: np.ndarray = np.asarray(u, float)
        if numbers.shape != (self.dim,):
            raise ValueError(f"u has shape {numbers.shape}: {self.dim} numbers, of {', '.join(self.names[:8])}")
        return numbers

    def __repr__(self) -> str:
        return f"<Density of {self.dim} numbers: {', '.join(self.names[:6])}{' …' if self.dim > 6 else ''}>"


def density(model: Any, data: Any, start: Any, weights: Any, weights_are: str, prior: Any, jacobian: bool) -> Density:
    """The log-density of `MLE.density`."""
    if not model.parameters.size:
        raise ValueError("every parameter is Fixed: there is nothing to sample")
    data = as_values(data)
    if isinstance(data, Values):  # a copy, which the caller does not change
        data = Values({k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in data.items()}, "data column")
    objective = (
        Objective(model, data, weights, weights_are)
        if prior is None
        else PenalizedObjective(model, data, weights, weights_are, prior)
    )
    return Density(objective, objective.usable(model.parameters.start(start), given=start is not None), jacobian)
