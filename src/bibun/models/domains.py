"""What a parameter may be: its shape, names, domain and start, and the real numbers behind it.

A search is over real numbers u without bounds; `natural` maps them to the values that a likelihood is written in. A new
domain is a class of a few lines here: `natural` and `real`, and what a table shows if that is not every element.
Imports core and the transforms.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..transforms.gradient import grad
from ..transforms.jacobian import jacobian

__all__ = [
    "CorrelationMatrix",
    "CovarianceMatrix",
    "Fixed",
    "Interval",
    "Negative",
    "Ordered",
    "Parameter",
    "Positive",
    "Real",
    "Simplex",
    "Tied",
    "UnitInterval",
    "coefficients",
]


class Parameter:
    """What a parameter is: its shape, the names of its elements, where it may lie, and where to start.

    Parameters
    ----------
    shape : int or tuple of int
        () is one number.
    names : sequence of str, optional
        A name for each element of a vector.
    start : array_like, optional
        Where the search begins, in natural values; by default the middle of the domain.

    Attributes
    ----------
    real_shape : tuple of int
        The shape of the real numbers behind it; `size` is how many these are.
    """

    domain = "real numbers"
    bare = False  # whether tables show the names of its elements alone

    def __init__(self, shape: int | Sequence[int] = (), names: Sequence[str] | None = None, start: Any = None) -> None:
        self.shape = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
        if names is not None:
            names = [str(n) for n in names]
            if self.shape == ():
                self.shape = (len(names),)
            if self.shape != (len(names),):
                raise ValueError(f"{len(names)} names for a parameter of shape {self.shape}: give one for each element")
            if len(set(names)) != len(names):
                raise ValueError(f"the names of a parameter must differ: {', '.join(names)}")
        self.names = names
        self.real_shape = self._real_shape()
        self.size = int(np.prod(self.real_shape))
        self.start = None if start is None else self.checked(start)

    def _real_shape(self) -> tuple[int, ...]:
        return self.shape

    def checked(self, value: Any) -> np.ndarray:
        """A start as an array of the shape; a ValueError if it is not inside the domain."""
        a = np.asarray(value, float)
        try:
            a = np.array(np.broadcast_to(a, self.shape))
        except ValueError:
            raise ValueError(f"a start of shape {a.shape} for a parameter of shape {self.shape}") from None
        with np.errstate(all="ignore"):
            try:
                u = self.real(a)
                inside = np.isfinite(u).all() and np.allclose(self.natural(u), a, rtol=1e-8, atol=1e-12)
            except np.linalg.LinAlgError:
                inside = False
        if not inside:
            raise ValueError(f"a start of {value} is not inside the domain of the parameter ({self.domain})")
        return a

    def natural(self, u: Any) -> Any:
        """The natural value of real numbers `u`; over Variables it records."""
        return u

    def real(self, value: Any) -> Any:
        """The real numbers behind a natural value."""
        return value

    def reported(self, value: Any) -> Any:
        """The elements that a table shows, as a vector."""
        return np.reshape(value, -1)

    def log_jacobian(self, u: Any) -> Any:
        """log |det d natural / d u|, of as many elements as are free; over Variables it records."""
        J = jacobian(lambda v: self.reported(self.natural(np.reshape(v, self.real_shape)))[: self.size])
        return np.linalg.slogdet(J(np.reshape(u, -1)))[1]

    def whole(self, shown: np.ndarray) -> np.ndarray:
        """A number for each that a table shows, in the shape of the parameter."""
        return np.reshape(shown, self.shape)

    def stretched(self, shown: Any) -> Any:
        """What a table shows, on a scale without ends: Wald intervals are made there and carried back."""
        return np.reshape(self.real(np.reshape(shown, self.shape)), -1)

    def unstretched(self, t: Any) -> Any:
        """Back from that scale."""
        return np.reshape(self.natural(np.reshape(t, self.shape)), -1)

    def stretch(self, shown: np.ndarray) -> np.ndarray:
        """The slope of `stretched`, an element at a time."""
        return np.asarray(grad(lambda v: np.sum(self.stretched(v)))(np.asarray(shown, float)))

    def labels(self, name: str) -> list[str]:
        """The name of each element that a table shows."""
        if self.names is not None:
            return [f"{name}[{n}]" for n in self.names]
        if self.shape == ():
            return [name]
        return [f"{name}[{', '.join(map(str, i))}]" for i in np.ndindex(*self.shape)]

    def real_labels(self, name: str) -> list[str]:
        """The name of each real number behind it: the element's own, where there is one."""
        return self.labels(name)

    def __repr__(self) -> str:
        about = f"shape={self.shape}" if self.shape else ""
        return f"{type(self).__name__}({about})"


# --- element by element -----------------------------------------------------------------------------------------------


class Real(Parameter):
    """Any real number, or an array of them.

    Examples
    --------
    >>> from bibun import Real
    >>> Real(names=["const", "x1"]).labels("beta")
    ['beta[const]', 'beta[x1]']
    """

    def log_jacobian(self, u: Any) -> Any:
        return 0.0


def coefficients(names: Sequence[str]) -> Real:
    """Coefficients that tables call by the names of their columns alone."""
    made = Real(names=names) if names else Real(0)
    made.bare = True
    return made


class Positive(Parameter):
    """Numbers greater than zero; searched over on the log scale, so intervals are positive too.

    Examples
    --------
    >>> from bibun import Positive
    >>> float(Positive().natural(0.0))
    1.0
    """

    domain = "numbers greater than 0"

    def natural(self, u: Any) -> Any:
        return np.exp(u)

    def real(self, value: Any) -> Any:
        return np.log(value)

    def log_jacobian(self, u: Any) -> Any:
        return np.sum(u)


class Negative(Parameter):
    """Numbers less than zero; searched over on the log scale of their size.

    Examples
    --------
    >>> from bibun import Negative
    >>> float(Negative().natural(0.0))
    -1.0
    """

    domain = "numbers less than 0"

    def natural(self, u: Any) -> Any:
        return -np.exp(-u)

    def real(self, value: Any) -> Any:
        return -np.log(-value)

    def log_jacobian(self, u: Any) -> Any:
        return -np.sum(u)


class Interval(Parameter):
    """Numbers strictly between `low` and `high`; searched over on the logit scale.

    Examples
    --------
    >>> from bibun import Interval
    >>> float(Interval(-1, 1).natural(0.0))
    0.0
    """

    def __init__(
        self,
        low: float,
        high: float,
        shape: int | Sequence[int] = (),
        names: Sequence[str] | None = None,
        start: Any = None,
    ) -> None:
        self.low, self.high = float(low), float(high)
        if not self.low < self.high or not np.isfinite([self.low, self.high]).all():
            raise ValueError(f"Interval({low}, {high}): two finite ends, the lower first; Positive() has no upper end")
        self.domain = f"numbers between {low} and {high}"
        super().__init__(shape, names, start)

    def natural(self, u: Any) -> Any:
        return self.low + (self.high - self.low) * (0.5 + 0.5 * np.tanh(0.5 * u))

    def real(self, value: Any) -> Any:
        return np.log((value - self.low) / (self.high - value))

    def log_jacobian(self, u: Any) -> Any:
        slope = np.log(self.high - self.low) - np.logaddexp(0.0, u) - np.logaddexp(0.0, -u)
        return np.sum(slope)


class UnitInterval(Interval):
    """Probabilities: numbers strictly between 0 and 1.

    Examples
    --------
    >>> from bibun import UnitInterval
    >>> UnitInterval(names=["a", "b"]).labels("p")
    ['p[a]', 'p[b]']
    """

    def __init__(self, shape: int | Sequence[int] = (), names: Sequence[str] | None = None, start: Any = None) -> None:
        super().__init__(0.0, 1.0, shape, names, start)


# --- several elements together ----------------------------------------------------------------------------------------


class Together(Parameter):
    """A parameter whose elements depend on each other."""

    def stretched(self, shown: Any) -> Any:
        return shown

    def unstretched(self, t: Any) -> Any:
        return t

    def real_labels(self, name: str) -> list[str]:
        return [f"{name}<{k}>" for k in range(self.size)]


class Ordered(Together):
    """An increasing sequence, such as thresholds; the search is over the first and the logarithms of the steps.

    Examples
    --------
    >>> from bibun import Ordered
    >>> Ordered(3).natural([0.0, 0.0, 0.0]).tolist()
    [0.0, 1.0, 2.0]
    """

    domain = "increasing numbers"

    def __init__(self, shape: int | Sequence[int] = (), names: Sequence[str] | None = None, start: Any = None) -> None:
        super().__init__(shape, names, start)
        if len(self.shape) != 1 or not self.shape[0]:
            raise ValueError(f"Ordered of shape {self.shape}: it is a vector, of one element or more")

    def natural(self, u: Any) -> Any:
        u = np.asarray(u, float) if isinstance(u, (list, tuple)) else u
        return np.cumsum(np.concatenate([u[:1], np.exp(u[1:])]))

    def real(self, value: Any) -> Any:
        return np.concatenate([value[:1], np.log(np.diff(value))])

    def log_jacobian(self, u: Any) -> Any:
        return np.sum(u[1:])


class Simplex(Together):
    """Probabilities that sum to 1; the search is over their log ratios to the last one.

    Examples
    --------
    >>> from bibun import Simplex
    >>> Simplex(4).natural([0.0, 0.0, 0.0]).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    domain = "positive numbers that sum to 1"

    def __init__(self, shape: int | Sequence[int] = (), names: Sequence[str] | None = None, start: Any = None) -> None:
        super().__init__(shape, names, start)
        if len(self.shape) != 1 or self.shape[0] < 2:
            raise ValueError(f"Simplex of shape {self.shape}: it is a vector of two probabilities or more")

    def _real_shape(self) -> tuple[int, ...]:
        return (max(self.shape[0] - 1, 0),) if self.shape else ()

    def natural(self, u: Any) -> Any:
        logits = np.concatenate([np.asarray(u, float) if isinstance(u, (list, tuple)) else u, np.zeros(1)])
        e = np.exp(logits - np.max(logits))
        return e / np.sum(e)

    def real(self, value: Any) -> Any:
        return np.log(value[:-1] / value[-1])

    def log_jacobian(self, u: Any) -> Any:
        """Of all elements but the last: the sum of all logarithms."""
        top = np.maximum(np.max(u), 0.0)
        total = top + np.log(np.exp(-top) + np.sum(np.exp(u - top)))
        return np.sum(u) - self.shape[0] * total

    def stretched(self, shown: Any) -> Any:
        return np.log(shown / (1 - shown))

    def unstretched(self, t: Any) -> Any:
        return 0.5 + 0.5 * np.tanh(0.5 * t)


class _Matrix(Together):
    """A symmetric positive definite matrix, of which tables show the lower triangle."""

    diagonal = 0  # of the lowest triangle that is free and shown: -1 without the diagonal

    def __init__(self, size: int, names: Sequence[str] | None = None, start: Any = None) -> None:
        d = int(size)
        if d < 1 - self.diagonal:
            raise ValueError(f"{type(self).__name__}({size}): the number of rows, {1 - self.diagonal} or more")
        self.lower = np.tril_indices(d, self.diagonal)
        self.of = None if names is None else [str(n) for n in names]
        if self.of is not None and len(set(self.of)) != d:
            raise ValueError(f"{len(self.of)} names for a matrix of {d} rows: a different one for each row")
        super().__init__((d, d), None, start)

    def _real_shape(self) -> tuple[int, ...]:
        return (len(self.lower[0]),)

    def reported(self, value: Any) -> Any:
        return value[self.lower]

    def whole(self, shown: np.ndarray) -> np.ndarray:
        """A number for each that a table shows, as a symmetric matrix; 0 where the table shows none."""
        out = np.zeros(self.shape)
        out[self.lower] = shown
        return out + np.tril(out, -1).T

    def labels(self, name: str) -> list[str]:
        of = self.of or range(self.shape[0])
        return [f"{name}[{of[i]}, {of[j]}]" for i, j in zip(*self.lower, strict=True)]


class CovarianceMatrix(_Matrix):
    """A covariance matrix; the search is over its Cholesky factor, the diagonal on the log scale.

    Parameters
    ----------
    size : int
        The number of rows.
    names : sequence of str, optional
        A name for each row.
    start : array_like of shape (size, size), optional
        By default the identity.

    Notes
    -----
    The log-Cholesky parametrization of Pinheiro and Bates (1996).

    Examples
    --------
    >>> from bibun import CovarianceMatrix
    >>> CovarianceMatrix(2, names=["a", "b"]).labels("S")
    ['S[a, a]', 'S[b, a]', 'S[b, b]']
    """

    domain = "symmetric positive definite matrices"

    def natural(self, u: Any) -> Any:
        d = self.shape[0]
        at = {ij: k for k, ij in enumerate(zip(*self.lower, strict=True))}
        rows = [
            np.stack([np.exp(u[at[i, i]]) if i == j else u[at[i, j]] if j < i else 0.0 * u[0] for j in range(d)])
            for i in range(d)
        ]
        L = np.stack(rows)
        return L @ L.T

    def real(self, value: Any) -> Any:
        L = np.linalg.cholesky(value)
        i, j = self.lower
        return np.where(i == j, np.log(L[i, i]), L[self.lower])

    def log_jacobian(self, u: Any) -> Any:
        i, j = self.lower
        return self.shape[0] * np.log(2.0) + np.where(i == j, self.shape[0] + 1.0 - i, 0.0) @ u

    def stretched(self, shown: Any) -> Any:
        i, j = self.lower
        return np.where(i == j, np.log(np.where(i == j, shown, 1.0)), shown)

    def unstretched(self, t: Any) -> Any:
        i, j = self.lower
        return np.where(i == j, np.exp(np.where(i == j, t, 0.0)), t)


class CorrelationMatrix(_Matrix):
    """A correlation matrix; the search is over partial correlations, each on the scale of arctanh.

    Parameters
    ----------
    size : int
        The number of rows.
    names : sequence of str, optional
        A name for each row.
    start : array_like of shape (size, size), optional
        By default no correlation.

    Notes
    -----
    The canonical partial correlations of Lewandowski, Kurowicka and Joe (2009) make the rows of a Cholesky factor.

    Examples
    --------
    >>> from bibun import CorrelationMatrix
    >>> CorrelationMatrix(2).natural([0.0]).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    domain = "correlation matrices"
    diagonal = -1

    def natural(self, u: Any) -> Any:
        d = self.shape[0]
        u = np.asarray(u, float) if isinstance(u, (list, tuple)) else u
        z = np.tanh(u)
        none = 0.0 * z[0]
        rows, k = [], 0
        for i in range(d):
            left: Any = 1.0 + none
            row = []
            for _ in range(i):
                row.append(z[k] * np.sqrt(left))
                left = left * (1.0 - z[k] ** 2)
                k += 1
            rows.append(np.stack([*row, np.sqrt(left), *[none] * (d - i - 1)]))
        L = np.stack(rows)
        return L @ L.T

    def real(self, value: Any) -> Any:
        L = np.linalg.cholesky(value)
        out = []
        for i in range(1, self.shape[0]):
            left = 1.0
            for j in range(i):
                z = L[i, j] / np.sqrt(left)
                out.append(np.arctanh(z))
                left = left * (1.0 - z**2)
        return np.array(out)

    def log_jacobian(self, u: Any) -> Any:
        """Lewandowski, Kurowicka and Joe (2009), equation 11, and the slope of tanh."""
        left = 2.0 * (np.log(2.0) - np.logaddexp(u, -u))  # log(1 - z²)
        return (0.5 * (self.shape[0] - 2.0 - self.lower[1]) + 1.0) @ left

    def stretched(self, shown: Any) -> Any:
        return np.arctanh(shown)

    def unstretched(self, t: Any) -> Any:
        return np.tanh(t)


# --- not free ---------------------------------------------------------------------------------------------------------


class Fixed(Parameter):
    """A parameter that is known: it is given to the likelihood and not estimated.

    Examples
    --------
    >>> from bibun import Fixed
    >>> float(Fixed(2.0).natural(None))
    2.0
    """

    domain = "one value"

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value, float)
        super().__init__(self.value.shape)
        self.size = 0

    def natural(self, u: Any) -> Any:
        return self.value


class Tied(Parameter):
    """A parameter that is another one: both have the same value, which is estimated once.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> d = {"x": np.array([1.0, 2.0, 3.0]), "y": np.array([2.0, 4.0, 9.0])}
    >>> rows = lambda p, d: -((d.x - p.a) ** 2) - (d.y - p.b) ** 2
    >>> bb.MLE(rows, {"a": bb.Real(), "b": bb.Tied("a")}).fit(d).params
    {'a': 3.5}
    """

    domain = "another parameter's"

    def __init__(self, to: str) -> None:
        super().__init__()
        self.to, self.size = str(to), 0

    def __repr__(self) -> str:
        return f"Tied({self.to!r})"
