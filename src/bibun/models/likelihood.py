"""MLE: a likelihood somebody wrote in plain NumPy, and its fit.

The likelihood returns one value per row (or one number, and then whatever needs rows says so). Everything a fit needs
comes from it by exact derivatives. Imports certificate, held, objective, penalized, result. Ready-made models are
likelihoods too and live beside this file.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import TrackedVariable
from ..optimize import minimize
from .certificate import certify
from .data import quoted
from .density import Density, density
from .held import restricted, within
from .objective import Objective
from .parameters import ParameterSet, Values, as_values
from .penalized import PenalizedObjective, PenalizedResult
from .result import Result

__all__ = ["MLE"]


class MLE:
    """A log-likelihood and its parameters; `fit` gives the estimates and everything that follows from them.

    Parameters
    ----------
    loglik : callable
        `loglik(p, d)`: parameters and data by name (attributes or items), the log-likelihood of each row as an array of
        shape (n,), in plain NumPy. `loglik(p)` for a function that knows its data already. One number instead of rows
        is enough for estimates and intervals.
    params : dict of str to Parameter, or Parameter
        `Real()`, `Positive()`, … by name; or one `Real(shape=k)` for a `loglik(theta, …)` of a flat vector.
    sign : {1, -1}
        -1 if `loglik` is a negative log-likelihood.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> d = {"y": np.array([1.0, 2.0, 4.0, 3.0])}
    >>> def loglik(p, d):
    ...     return -0.5 * ((d.y - p.mu) / p.sigma) ** 2 - np.log(p.sigma) - 0.5 * np.log(2 * np.pi)
    >>> r = bb.MLE(loglik, {"mu": bb.Real(), "sigma": bb.Positive()}).fit(d)
    >>> print(f"{r.params['mu']:.4f} {r.params['sigma']:.4f} {r.loglik:.3f}")
    2.5000 1.1180 -6.122
    """

    def __init__(self, loglik: Callable[..., Any], params: Any, sign: int = 1) -> None:
        if not callable(loglik):
            raise TypeError(f"loglik is a function of the parameters and the data; got {type(loglik).__name__}")
        if sign not in (1, -1):
            raise ValueError(f"sign={sign}: 1 for a log-likelihood, -1 for a negative log-likelihood")
        self.loglik, self.parameters, self.sign = loglik, ParameterSet(params), sign
        self.takes_data = _takes_data(loglik)

    def fit(
        self,
        data: Any = None,
        start: Any = None,
        *,
        weights: Any = None,
        weights_are: str = "frequency",
        prior: Callable[[Any], Any] | None = None,
        penalty: str | None = None,
        constraints: Any = None,
        starts: int = 1,
        rng: Any = None,
        method: str = "trust-newton",
        maxiter: int = 200,
        **options: Any,
    ) -> Result:
        """The parameters that make the data most likely.

        Parameters
        ----------
        data : dict of arrays, data frame, or None
            What `loglik` reads as its second argument.
        start : dict or array_like, optional
            Natural values to start from; what is not given starts as declared. Where nothing is given and the
            log-likelihood is not finite at what is declared, a start is looked for.
        weights : array_like of shape (n,) or str, optional
            A number for each row, or the name of a column of the data. Needs a likelihood by rows.
        weights_are : {"frequency", "variance", "sampling"}
            How many times each row counts; how precisely it was measured (the log-likelihood is weighted, rows are
            counted once); or how many of the population it stands for (the same, and standard errors are "sandwich").
        prior : callable, optional
            `prior(p)`: the log-density of the parameters, added once (the estimates are then its posterior's mode).
        penalty : {"jeffreys"}, optional
            Add half the log determinant of the observed information: of regressions with canonical links Firth's
            (1993), which has less bias and is finite under separation.
        constraints : str, optional
            Linear equations and inequalities between parameters, which the estimates may lie on: ``"a + b <= 1, c >=
            0"`` (see `Result.restricted`). A domain such as `Positive` is open; a closed bound is `Real` and this.
        starts : int
            From how many starts to search, for likelihoods with several maxima: the first, and others drawn around it
            with `rng`. The best end counts; `search.starts` has minus the log-likelihood of each.
        rng : numpy.random.Generator or int, optional
        method : str
            Any method of `minimize`.
        maxiter : int

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If the log-likelihood is not finite at the start, has no free parameter, or the shapes do not fit; if
            constraints contradict each other.
        """
        if not self.parameters.size:
            raise ValueError("every parameter is Fixed: there is nothing to estimate")
        if penalty not in (None, "jeffreys"):
            raise ValueError(f"penalty={penalty!r}: 'jeffreys'; any other is a prior=")
        penalized = prior is not None or penalty is not None
        values = as_values(data)
        weights = _weights(weights, values)
        if penalized:
            objective: Objective = PenalizedObjective(self, values, weights, weights_are, prior, penalty is not None)
        else:
            objective = Objective(self, values, weights, weights_are)
        if starts > 1 and rng is None:
            raise ValueError(f"starts={starts} are drawn at random: give rng=, a generator or a seed")
        begin = self.parameters.start(start)
        try:
            if constraints is not None:
                begin = within(objective, self.parameters, begin, constraints)
            begin = objective.usable(begin, given=start is not None)
        except (AttributeError, IndexError, TypeError) as e:
            if isinstance(values, Values) or not self.takes_data or isinstance(e, TrackedVariable):
                raise
            raise TypeError(_unnamed(data, options, e)) from e
        found, u, steps = self._searched(objective, begin, method, maxiter, options)
        if starts > 1:
            found.starts = [found.fun]
            spread = 2 / objective.scale(begin)
            for draw in np.random.default_rng(rng).normal(size=(starts - 1, len(begin))):
                try:
                    with np.errstate(all="ignore"):
                        other = self._searched(objective, begin + spread * draw, method, maxiter, options)
                except ValueError:  # not finite there
                    found.starts.append(np.inf)
                    continue
                values = [*found.starts, other[0].fun]
                if other[0].fun < found.fun:
                    found, u, steps = other
                found.starts = values
        made = PenalizedResult if penalized else Result
        result = made(self, objective, u, certify(objective, u), found, steps)
        return result if constraints is None else restricted(result, constraints, [begin])

    def density(
        self,
        data: Any = None,
        start: Any = None,
        *,
        weights: Any = None,
        weights_are: str = "frequency",
        prior: Callable[[Any], Any] | None = None,
        jacobian: bool = True,
    ) -> Density:
        """The likelihood and a prior as a log-density over real numbers without bounds, with its gradient, compiled.

        For samplers: `bibun.bridges` has those of nutpie, PyMC and NumPyro.

        Parameters
        ----------
        data, start, weights, weights_are
            As for `fit`.
        prior : callable, optional
            `prior(p)`: the log-density of the parameters; flat on their own scale by default.
        jacobian : bool
            Add log |det dp/du|, so that it is the posterior density of the real numbers; without it, it is that of the
            parameters, whose mode is the fit's.

        Returns
        -------
        Density
            `dim, names, start, logp(u), logp_and_grad(u), expand(u)`. It has a copy of the data; what else `loglik`
            reads is recorded at the first call (see `bibun.compile`).

        Examples
        --------
        >>> import numpy as np, bibun as bb
        >>> rows = lambda p, d: bb.stats.poisson.logpmf(d.y, p.mean)
        >>> gamma = lambda p: bb.stats.gamma.logpdf(p.mean, 2.0)
        >>> post = bb.MLE(rows, {"mean": bb.Positive()}).density({"y": np.array([3.0, 1.0, 4.0])}, prior=gamma)
        >>> value, slope = post.logp_and_grad(np.log([2.0]))
        >>> round(value, 4), slope.round(4).tolist(), post.expand(np.log([2.0]))
        (-6.0383, [2.0], {'mean': 2.0})
        """
        return density(self, data, start, _weights(weights, as_values(data)), weights_are, prior, jacobian)

    def _searched(
        self, objective: "Objective", u: np.ndarray, method: str, maxiter: int, options: dict[str, Any]
    ) -> tuple[Any, np.ndarray, int]:
        """What the optimizer says, where it ended after polishing, and how many steps that took."""
        u = objective.from_some_rows(u)
        scale = objective.scale(u)
        found = minimize(objective.around(u, scale), np.zeros(len(u)), method=method, maxiter=maxiter, **options)
        return found, *objective.polish(u + np.asarray(found.x) / scale)

    def __repr__(self) -> str:
        return f"MLE({getattr(self.loglik, '__name__', self.loglik)}, {self.parameters!r})"


def _weights(weights: Any, data: Any) -> Any:
    """Weights as they are, or of the column that they name."""
    if not isinstance(weights, str):
        return weights
    columns = dict(data) if isinstance(data, Values) else {}
    if weights not in columns:
        raise ValueError(f"weights={weights!r}: no column of the data has this name; there are {quoted(columns)}")
    return columns[weights]


def _unnamed(data: Any, options: dict[str, Any], error: Exception) -> str:
    """The sentence about data that have no names, where the likelihood asks for some."""
    if data is None:
        got = f"fit({', '.join(f'{k}=…' for k in options)})" if options else "fit() without data"
    else:
        got = f"fit of {type(data).__name__}"
    names = ", ".join(f"{name!r}: {name}" for name in options) if data is None and options else "'y': y, 'x': x"
    return f"{got}: the likelihood reads data by name ({error}): give one dict of arrays, fit({{{names}}}), or a frame"


def _takes_data(f: Callable[..., Any]) -> bool:
    try:
        ps = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return True
    positional = [p for p in ps if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    if not positional:
        raise TypeError("loglik takes no argument: it is a function of the parameters, loglik(p) or loglik(p, d)")
    if len(positional) > 2:
        raise TypeError(f"loglik takes {len(positional)} arguments: it is loglik(p) or loglik(p, d)")
    return len(positional) == 2
