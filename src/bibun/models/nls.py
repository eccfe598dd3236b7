"""nls: a mean somebody wrote in plain NumPy, fitted by least squares.

The mean is the model; the sum of squares plays the part of the likelihood, the variance being what is left. What the
result can do is in nonlinear_result.py. Imports parameters, nonlinear_result, optimize.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.graph import Node
from ..errors import TrackedVariable
from ..optimize import minimize
from ..optimize.least_squares import Squares
from .domains import Parameter, Real
from .nls_formula import MeanFormula
from .nonlinear_result import MeanPrediction, NonlinearResult
from .parameters import ParameterSet, Values, as_values

__all__ = ["MeanPrediction", "NonlinearResult", "SumOfSquares", "nls"]

ROUNDING = 2.0**-52


def nls(
    f: Callable[[Any, Any], Any] | str,
    start: Any,
    data: Any,
    weights: Any = None,
    *,
    response: str | None = None,
    maxiter: int = 10_000,
    **options: Any,
) -> NonlinearResult:
    """Nonlinear regression by least squares.

    Parameters
    ----------
    f : callable
        `f(p, d)`: parameters and data by name (attributes or items), the mean of each row's response as an array of
        shape (n,), in plain NumPy. Or a formula such as ``"y ~ top * (1 - exp(-rate * x))"``, of parameters that have
        a start and columns of the data; it is read as other formulas are, and Python evaluates none of it.
    start : dict of str to number, array or Parameter
        Where the search begins. A number or an array is a parameter that may be any real number; `Positive(start=2.0)`,
        `Interval(0, 5)`, … one that may not.
    data : dict of arrays, or data frame
    weights : array_like of shape (n,), optional
        The variance of a row is σ² over its weight; a row of weight 0 does not count.
    response : str
        The name of the column that `f` is the mean of, "y" by default; a formula says it itself.
    maxiter : int
    **options
        Of `minimize`: `callback`, `progress`, `ftol`, `initial_trust_radius`, …

    Returns
    -------
    NonlinearResult
        Standard errors are from s² (J'J)⁻¹, s² being the residual sum of squares over n less the number of parameters;
        tests and intervals use the t and F distributions.

    Raises
    ------
    ValueError
        If the start is not finite or the mean is not finite there (rows are named), the mean has not one value a row,
        the response is missing, or there are fewer rows than parameters. For what a formula may not contain.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> d = {"x": np.array([1.0, 2, 3, 5, 7, 10]), "y": np.array([109.0, 149, 149, 191, 213, 224])}
    >>> r = bb.nls(lambda p, d: p.top * (1 - np.exp(-p.rate * d.x)), {"top": 100.0, "rate": 0.75}, d)
    >>> print(f"{r.params['top']:.4f} {r.bse['top']:.4f}  {r.params['rate']:.5f} {r.bse['rate']:.5f}")
    213.8094 12.3545  0.54724 0.10456
    >>> r.conf_int(method="profile", parm="rate").round(4).tolist()
    [[0.3026, 1.0731]]
    >>> r.predict({"x": np.array([4.0])}).conf_int(interval="prediction").round(1).tolist()
    [[137.7, 242.0]]
    >>> s = bb.nls("y ~ top * (1 - exp(-rate * x))", {"top": 100.0, "rate": 0.75}, d)
    >>> bool(np.allclose(s.coef, r.coef, rtol=1e-12))
    True
    """
    parameters = _declared(start)
    if isinstance(f, str):
        f = _formula(f, parameters, data)
        if response not in (None, f.response):
            raise ValueError(f"response={response!r}, and the formula {f.text!r} is for {f.response!r}: leave one out")
        response = f.response
    objective = SumOfSquares(f, parameters, data, weights, "y" if response is None else response)
    u = objective.checked_start()
    found = minimize(
        objective.squares, u, args=objective.arguments, method="levenberg-marquardt", maxiter=maxiter, **options
    )
    return NonlinearResult(objective, np.asarray(found.x), found)


class SumOfSquares:
    """A mean with its data: the sum of squares and its derivatives as functions of the real numbers u.

    It is an objective as a likelihood makes one: minus the log-likelihood of a variance that is known, up to a
    constant. Once that is settled as s², differences of the value are squared profile t statistics, halved.
    """

    by_rows = True
    weights = None  # they are in the residuals
    weights_are = "variance"

    def __init__(
        self, f: Callable[[Any, Any], Any], parameters: ParameterSet, data: Any, weights: Any, response: str
    ) -> None:
        if not callable(f):
            raise TypeError(f"f is a function of the parameters and the data, f(p, d); got {type(f).__name__}")
        self.f, self.parameters, self.response = f, parameters, response
        self.data = as_values(data)
        if not isinstance(self.data, Values):
            raise TypeError(f"data is a dict of arrays or a data frame; got {type(data).__name__}")
        self.y = _response(self.data, response)
        self.root = None if weights is None else np.sqrt(self.weighed(weights, len(self.y)))
        self.n_obs = float(len(self.y) if self.root is None else np.count_nonzero(self.root))
        if not parameters.size:
            raise ValueError("every parameter is Fixed: there is nothing to estimate")
        if self.n_obs < parameters.size:
            raise ValueError(
                f"{self.n_obs:g} rows for {parameters.size} parameters ({', '.join(parameters.real_labels)}): give at "
                "least as many rows, or fix some of them with Fixed(value)"
            )
        self.variance, self.constant = 1.0, 0.0
        self._differentiate()

    def _differentiate(self) -> None:
        self.squares = Squares(self.residuals)
        self._known: tuple[Any, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the derivatives, which are made anew."""
        return {k: v for k, v in self.__dict__.items() if k not in ("squares", "_known")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._differentiate()

    @property
    def labels(self) -> list[str]:
        """The names of the real numbers u."""
        return self.parameters.real_labels

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The data and the roots of the weights, as `residuals` may be given them."""
        if any(np.asarray(v).dtype.kind not in "biuf" for v in self.data.values()):
            return ()
        return dict(self.data), self.root

    def mean(self, u: Any, data: Any) -> Any:
        """The mean of each row."""
        try:
            mean = self.f(self.parameters.natural(u), data)
        except TrackedVariable as e:
            raise TrackedVariable(f"in the mean: {e}") from e
        if mean is None:
            raise TypeError("the mean returned None: is its `return` missing?")
        return mean

    def residuals(self, u: Any, columns: Any = None, root: Any = None) -> Any:
        """Response less mean, times the root of the weight; of its own data, or of arrays that it is given."""
        data = self.data if columns is None else Values(columns, "data column")
        r = (self.y if columns is None else columns[self.response]) - self.mean(u, data)
        root = self.root if root is None else root
        return r if root is None else r * root

    def checked_start(self) -> np.ndarray:
        """The start; a ValueError that names the rows where the mean is not finite there, or is not one a row."""
        u = self.parameters.start()
        with np.errstate(all="ignore"):
            mean = np.asarray(_plain(self.mean(u, self.data)))
        if mean.shape != self.y.shape:
            raise ValueError(
                f"the mean has shape {mean.shape} and the response {self.response!r} {self.y.shape}: return one value "
                "for each row"
            )
        if mean.dtype.kind not in "biuf":
            raise TypeError(f"the mean has dtype {mean.dtype}: it must be real numbers")
        bad = np.flatnonzero(~np.isfinite(mean))
        if bad.size:
            missing = [n for n, v in self.data.items() if v.shape[:1] == mean.shape and _missing(v)[bad].any()]
            if missing:
                raise ValueError(f"{', '.join(map(repr, missing))} {_rows(bad, 'has missing values')}")
            at = ", ".join(
                f"{n} = {v:.6g}" for n, v in zip(self.parameters.labels, self.parameters.vector(u), strict=True)
            )
            raise ValueError(
                f"the mean is {mean[bad[0]]} at the start ({at}) {_rows(bad, '')}: give a start at which it is finite"
            )
        return u

    @staticmethod
    def weighed(weights: Any, n: int) -> np.ndarray:
        """Weights as an array, checked."""
        w = np.asarray(weights, float)
        if w.shape != (n,) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
            raise ValueError(f"weights of shape {w.shape}: finite numbers ≥ 0, one for each of {n} rows, not all zero")
        return w

    def settle(self, rss: float, df: float, value: float) -> None:
        """Take s² for the variance (not less than rounding makes it), and `value` at the estimates."""
        self.variance = max(rss / df, self.rounding) or 1.0
        self.constant = value - 0.5 * rss / self.variance if np.isfinite(value) else 0.0

    @property
    def rounding(self) -> float:
        """The square of the rounding error of the largest response."""
        return float(np.max((ROUNDING * (self.y if self.root is None else self.root * self.y)) ** 2))

    @property
    def noise(self) -> float:
        """What rounding of the residuals does to the value."""
        return 0.5 * len(self.y) * self.rounding / self.variance

    # --- what a result and a certificate ask of an objective ----------------------------------------------------------

    def linear(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The residuals, and the derivative of the mean times the root of the weight, shape (n, k)."""
        r, J, _ = self._at(u)
        return r, J

    def _at(self, u: np.ndarray) -> Any:
        """Residuals, minus their Jacobian, and the Hessian of half their squares, kept for the last point."""
        if self._known is None or not np.array_equal(self._known[0], u):
            with np.errstate(all="ignore"):
                r = np.asarray(self.squares.residuals(u, *self.arguments))
                J = -np.asarray(self.squares.jacobian(u, *self.arguments))
                S = np.asarray(self.squares.curvature(u, r, *self.arguments))
                self._known = u.copy(), r, J, J.T @ J + 0.5 * (S + S.T)
        return self._known[1:]

    def value(self, u: np.ndarray) -> float:
        """Half the sum of squares over the variance, and the constant."""
        with np.errstate(all="ignore"):
            r = np.asarray(self.squares.residuals(u, *self.arguments))
            return self.constant + 0.5 * float(r @ r) / self.variance

    def all(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient and Hessian."""
        r, J, H = self._at(u)
        with np.errstate(all="ignore"):
            value = self.constant + 0.5 * float(r @ r) / self.variance
            return value, -(r @ J) / self.variance, H / self.variance

    def value_and_grad(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        return self.all(u)[:2]

    def hessian(self, u: np.ndarray) -> np.ndarray:
        """The observed information of a known variance."""
        return np.asarray(self.all(u)[2])

    def scores(self, u: np.ndarray) -> np.ndarray:
        """The derivative of each row's log-likelihood, weights included, shape (n, k)."""
        r, J = self.linear(u)
        return np.asarray(r[:, None] * J / self.variance)

    def __repr__(self) -> str:
        return f"nls({getattr(self.f, '__name__', self.f)}, {self.parameters!r})"


def _formula(text: str, parameters: ParameterSet, data: Any) -> MeanFormula:
    """A mean of the parameters and the columns; each parameter is one number."""
    values = parameters.natural(parameters.start())
    several = [n for n in values if np.ndim(values[n])] if isinstance(values, Mapping) else ["start"]
    if several:
        raise ValueError(f"{', '.join(map(repr, several))} is not one number: in a formula each parameter is one")
    return MeanFormula(text, values, as_values(data))


def _declared(start: Any) -> ParameterSet:
    """The parameters of a start: numbers and arrays are real ones."""
    if isinstance(start, Parameter):
        return ParameterSet(start)
    if not isinstance(start, Mapping):
        raise TypeError(
            f"start is a dict of names to numbers, arrays or Positive(start=2) and the like, not {type(start).__name__}"
        )
    return ParameterSet({str(n): v if isinstance(v, Parameter) else _real(n, v) for n, v in start.items()})


def _real(name: Any, value: Any) -> Real:
    try:
        a = np.asarray(value, float)
    except (TypeError, ValueError):
        raise TypeError(f"the start of {name!r} is {value!r}: a number, an array, or Positive(start=…)") from None
    if not np.isfinite(a).all():
        raise ValueError(f"the start of {name!r} is {value}: give a finite number")
    return Real(a.shape, start=a)


def _response(data: Values, name: str) -> np.ndarray:
    if name not in data:
        raise ValueError(f"there is no data column {name!r}; there are {', '.join(data)}: which one is response=…?")
    y = np.asarray(data[name])
    if y.dtype.kind not in "biuf" or y.ndim != 1:
        raise TypeError(f"the response {name!r} has shape {y.shape} and dtype {y.dtype}: one number for each row")
    bad = np.flatnonzero(~np.isfinite(y))
    if bad.size:
        raise ValueError(f"the response {name!r} {_rows(bad, 'is missing or infinite')}")
    return y.astype(float)


def _missing(column: np.ndarray) -> np.ndarray:
    """Which rows of a column hold a missing value."""
    if column.dtype.kind == "O":
        return np.array([v is None or v != v for v in column.tolist()])
    lost = np.isnan(column) if column.dtype.kind == "f" else np.zeros(column.shape, bool)
    return np.asarray(lost.reshape(len(column), -1).any(axis=1))


def _rows(bad: np.ndarray, what: str) -> str:
    """`is missing in rows 3, 8`: the first being row 0."""
    shown = ", ".join(map(str, bad[:5])) + (f" and {bad.size - 5} more" if bad.size > 5 else "")
    where = f"{what} in row{'s' * (bad.size > 1)} {shown}".strip()
    return where if not what else f"{where} (the first being 0): leave such rows out"


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x
