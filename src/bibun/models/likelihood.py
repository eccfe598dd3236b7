"""MLE: a likelihood somebody wrote in plain NumPy, and its fit.

The likelihood returns one value per row (or one number, and then whatever needs rows says so). Everything a fit needs
comes from it by exact derivatives. Imports parameters, certificate, result, optimize. Ready-made models are likelihoods
too and live beside this file.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compiler.quick import quick
from ..core.graph import Node
from ..errors import TrackedVariable
from ..optimize import minimize
from ..transforms.gradient import value_and_grad
from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian
from .certificate import certify
from .parameters import ParameterSet, Values, as_values
from .result import Result

__all__ = ["MLE", "Objective"]


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
            Natural values to start from; what is not given starts as declared.
        weights : array_like of shape (n,), optional
            How many times each row counts. Needs a likelihood by rows.
        method : str
            Any method of `minimize`.
        maxiter : int

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If the log-likelihood is not finite at the start, has no free parameter, or the shapes do not fit.
        """
        if not self.parameters.size:
            raise ValueError("every parameter is Fixed: there is nothing to estimate")
        objective = Objective(self, as_values(data), weights)
        u = self.parameters.start(start)
        objective.check_start(u)
        scale = objective.scale(u)
        found = minimize(
            lambda z, *data: objective.loss(u + z / scale, *data),
            np.zeros(self.parameters.size),
            args=objective.arguments,
            method=method,
            maxiter=maxiter,
            **options,
        )
        u, steps = objective.polish(u + np.asarray(found.x) / scale)
        return Result(self, objective, u, certify(objective, u), found, steps)

    def __repr__(self) -> str:
        return f"MLE({getattr(self.loglik, '__name__', self.loglik)}, {self.parameters!r})"


class Objective:
    """A likelihood with its data: the log-likelihood and its derivatives as functions of the real numbers u.

    Attributes
    ----------
    by_rows : bool
        Whether the likelihood gives a value for each row.
    n_obs : int or None
        The number of rows (the sum of the weights).
    """

    def __init__(self, model: MLE, data: Any, weights: Any = None) -> None:
        self.model, self.data = model, data
        self.weights = None if weights is None else np.asarray(weights, float)
        if self.weights is not None and (self.weights.ndim != 1 or (self.weights < 0).any() or not self.weights.any()):
            raise ValueError("weights are numbers ≥ 0, one for each row, not all zero")
        self.by_rows = False
        self.n_obs: float | None = None
        self._differentiate()

    def _differentiate(self) -> None:
        self._loss = quick(self.loss)
        self._value_and_grad = quick(value_and_grad(self.loss))
        self._hessian = quick(hessian(self.loss))
        self._scores = jacobian(self.rows, mode="forward")

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the derivatives, which are made anew."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_loss", "_value_and_grad", "_hessian", "_scores")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._differentiate()

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The data and the weights, as `loss` may be given them."""
        columns = dict(self.data) if isinstance(self.data, Values) else None
        if columns is None or any(np.asarray(v).dtype.kind not in "biuf" for v in columns.values()):
            return ()
        return columns, self.weights

    def rows(self, u: Any, columns: Any = None) -> Any:
        """The log-likelihood of each row (or the whole), in the sign of a log-likelihood."""
        p = self.model.parameters.natural(u)
        data = self.data if columns is None else Values(columns, "data column")
        try:
            rows = self.model.loglik(p, data) if self.model.takes_data else self.model.loglik(p)
        except TrackedVariable as e:
            raise TrackedVariable(f"in the likelihood: {e}") from e
        if rows is None:
            raise TypeError("the likelihood returned None: it must return its value")
        return rows if self.model.sign == 1 else -rows

    def loss(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """Minus the log-likelihood; of its own data, or of arrays that a compiled program is given."""
        rows = self.rows(u, columns)
        weights = self.weights if weights is None else weights
        if weights is not None:
            if np.shape(_plain(rows)) != np.shape(_plain(weights)):
                raise ValueError(
                    f"weights of shape {np.shape(_plain(weights))} for a likelihood of shape {np.shape(_plain(rows))}: "
                    "one weight a row"
                )
            rows = rows * weights
        return -np.sum(rows)

    def check_start(self, u: np.ndarray) -> None:
        """Learn whether there are rows; refuse a start where the log-likelihood is not finite, naming the rows."""
        with np.errstate(all="ignore"):
            rows = np.asarray(_plain(self.rows(u)), float)
        self.by_rows = rows.ndim == 1
        if rows.ndim > 1:
            raise ValueError(f"the likelihood returned shape {rows.shape}: one value a row, shape (n,), or one number")
        if rows.size == 0:
            raise ValueError("the likelihood returned no rows: the data are empty")
        if self.by_rows:
            self.n_obs = float(rows.size if self.weights is None else self.weights.sum())
        bad = np.flatnonzero(~np.isfinite(np.atleast_1d(rows)))
        if bad.size:
            shown = ", ".join(
                f"{label} = {v:.6g}" for label, v in zip(self.labels, self.model.parameters.vector(u), strict=True)
            )
            where = (
                f"rows {', '.join(map(str, bad[:5]))}{' …' if bad.size > 5 else ''}" if self.by_rows else "as a whole"
            )
            raise ValueError(
                f"the log-likelihood is {np.atleast_1d(rows)[bad[0]]} at the start ({shown}) in {where}: give a start "
                "inside the domain (start={…}), or look at those rows for missing or impossible values"
            )

    @property
    def labels(self) -> list[str]:
        """The names of the free parameters."""
        return self.model.parameters.labels

    def value_and_grad(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log-likelihood and its gradient."""
        v, g = self._value_and_grad(u, *self.arguments)
        return float(v), np.asarray(g)

    def hessian(self, u: np.ndarray) -> np.ndarray:
        """The observed information on the scale of u."""
        h = np.asarray(self._hessian(u, *self.arguments))
        return 0.5 * (h + h.T)

    def scores(self, u: np.ndarray) -> np.ndarray:
        """The derivative of each row's log-likelihood, shape (n, k)."""
        return np.asarray(self._scores(u))

    def scale(self, u: np.ndarray) -> np.ndarray:
        """The square root of the curvature in each direction: a column in other units then searches the same path."""
        with np.errstate(all="ignore"):
            d = np.abs(np.diag(self.hessian(u)))
            g = np.abs(self.value_and_grad(u)[1])
        d = np.where(np.isfinite(d) & (d > 0), np.sqrt(d), np.where(g > 0, g, 1.0))
        return np.where(np.isfinite(d) & (d > 0), d, 1.0)

    def polish(self, u: np.ndarray) -> tuple[np.ndarray, int]:
        """Newton steps to the last digit, as long as each is shorter than the one before and raises nothing."""
        last, steps = np.inf, 0
        for _ in range(10):
            value, g = self.value_and_grad(u)
            h = self.hessian(u)
            try:
                step = np.linalg.solve(h, g)
            except np.linalg.LinAlgError:
                break
            decrement = float(g @ step)
            if not 0 <= decrement < min(0.25 * last, 1e-4 * (1 + abs(value))):
                break
            moved = u - step
            with np.errstate(all="ignore"):
                if not float(self._loss(moved, *self.arguments)) <= value + 1e-12 * (1 + abs(value)):
                    break
            u, last, steps = moved, decrement, steps + 1
            if decrement <= 1e-24 * (1 + abs(value)):
                break
        return u, steps


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


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
