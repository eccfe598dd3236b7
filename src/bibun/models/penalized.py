"""Likelihoods with something about the parameters counted once: a prior, or Jeffreys' penalty.

`MLE.fit(prior=…)` and `MLE.fit(penalty="jeffreys")` come here; firth.py has the penalty of regressions. Imports
likelihood, result.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian
from .objective import Objective
from .result import Comparison, Result

__all__ = ["Penalized", "PenalizedObjective", "PenalizedResult"]


class PenalizedObjective(Objective):
    """A likelihood and its data, and what is known of the parameters besides.

    Parameters
    ----------
    model, data, weights, weights_are
        As for `Objective`.
    prior : callable, optional
        The log-density of the parameters, `prior(p)`; constants do not matter. Counted once, whatever the weights.
    jeffreys : bool
        Add half the log determinant of the observed information of the natural parameters.

    Notes
    -----
    Information is carried from the real numbers of the search to the natural parameters by the Jacobian J of these:
    log det I(natural) = log det I(u) - 2 log |det J|, I(u) being minus the second derivatives there.
    """

    def __init__(
        self,
        model: Any,
        data: Any,
        weights: Any = None,
        weights_are: str = "frequency",
        prior: Callable[[Any], Any] | None = None,
        jeffreys: bool = False,
    ) -> None:
        self.prior, self.jeffreys = prior, jeffreys
        parameters = model.parameters
        if jeffreys and len(parameters.labels) != parameters.size:
            raise NotDefined(
                "the information of a simplex's elements has no determinant, for they cannot move alone: write the "
                "penalty you want as prior="
            )
        super().__init__(model, data, weights, weights_are)

    def loss(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """Minus the log-likelihood, less what is known of the parameters."""
        return self.unpenalized(u, columns, weights) - self.known(u, columns, weights)

    def unpenalized(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """Minus the log-likelihood alone."""
        return super().loss(u, columns, weights)

    def known(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """The log-density of the parameters, or the penalty."""
        parameters, total = self.model.parameters, 0.0
        if self.prior is not None:
            total = total + np.sum(self.prior(parameters.natural(u)))
        if self.jeffreys:
            information = hessian(lambda v: self.unpenalized(v, columns, weights))(u)
            sign, size = np.linalg.slogdet(information)
            stretch = np.linalg.slogdet(jacobian(parameters.vector)(u))[1]
            # information that is not positive is outside of what the penalty is defined for
            total = total + np.where(sign > 0, 0.5 * size, -np.inf) - stretch
        return total

    def check_start(self, u: np.ndarray) -> None:
        """As of every likelihood; and the prior must be finite there too."""
        super().check_start(u)
        with np.errstate(all="ignore"):
            known = float(np.asarray(_plain(self.known(u))))
        if not np.isfinite(known):
            what = "log-density of the prior" if self.prior is not None else "log determinant of the information"
            raise ValueError(f"the {what} is {known} at the start: give a start where it is finite (start={{…}})")


class Penalized(Result):
    """What differs where a penalty or a prior takes part: tests and profiles are of the penalized likelihood.

    Attributes
    ----------
    loglik : float
        Of the data alone.
    penalized_loglik : float
        With the prior or the penalty, which the estimates are the maximum of.
    """

    penalized_loglik: float

    def _both(self) -> None:
        """Both log-likelihoods of the estimates."""
        with np.errstate(all="ignore"):
            self.penalized_loglik = -float(self.objective.value(self.u))
            self.loglik = -float(np.asarray(_plain(self.objective.unpenalized(self.u))))

    def _settle(self, found: Any, space: Any) -> None:
        super()._settle(found, space)
        self._both()

    def compare(self, other: Any) -> Comparison:
        """The likelihood ratio of the penalized likelihood, against a restricted fit of the same model.

        Raises
        ------
        NotDefined
            For another model, whose penalty is another one.
        """
        if getattr(other, "objective", None) is not self.objective:
            raise NotDefined(
                "a likelihood ratio of two penalized fits, whose penalties differ: test('x = 0', kind='lr') and "
                "compare(r.restricted('x = 0')) have the same penalty on both sides"
            )
        pair = [copy.copy(r) for r in (self, other)]
        for r in pair:
            r.loglik = r.penalized_loglik
        return Result.compare(pair[0], pair[1])

    def glance(self) -> dict[str, Any]:
        """The fit in one dict, the penalized log-likelihood besides."""
        return {**super().glance(), "penalized_loglik": self.penalized_loglik}


class PenalizedResult(Penalized):
    """The fit of a likelihood with a prior or Jeffreys' penalty: standard errors are of the penalized information."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._both()

    def rows_said(self) -> list[str]:
        """What takes part besides rows, in sentences."""
        parts = ["a prior"] * (self.objective.prior is not None) + ["Jeffreys' penalty"] * self.objective.jeffreys
        said = f"with {' and '.join(parts)}: penalized log-likelihood {self.penalized_loglik:.8g}"
        return [*super().rows_said(), said]


def _plain(x: Any) -> Any:
    return getattr(x, "_data", x)
