"""`ordinal`: regression of ordered grades, by cumulative probabilities. Imports location_scale and parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .domains import Parameter, UnitInterval, coefficients
from .formula_rows import Given
from .least_squares import Columns, Rows
from .links import LINKS
from .location_scale import log_between
from .parts import Front, Parts
from .parts_result import PartsResult

__all__ = ["ordinal"]

NAMES = ("logit", "probit", "cloglog", "loglog", "cauchit")


class Cumulative(Parts):
    """P(y ≤ k) = F(θ_k - x'β), with thresholds θ that increase. The data hold `y`, the number of the grade.

    The search is over the thresholds themselves, which are linear as coefficients are: the likelihood is concave then,
    and separation a matter of margins.
    """

    title, family = "Ordinal regression", "ordinal"
    answers: Mapping[str, Parameter] = {"probability": UnitInterval(), "cumulative": UnitInterval()}

    def __init__(self, link: str, levels: Sequence[Any]) -> None:
        self.link, self.levels = LINKS[link], tuple(str(v) for v in levels)
        self.title = f"Ordinal regression, {link} link"

    def more(self) -> dict[str, Parameter]:
        between = [f"{a}|{b}" for a, b in zip(self.levels[:-1], self.levels[1:], strict=True)]
        return {"thresholds": coefficients(between)}

    def key(self) -> tuple[Any, ...]:
        return self.link.name, self.levels

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        last = len(self.levels) - 1
        low = p["thresholds"][np.maximum(d.y - 1, 0)] - eta[0]
        high = p["thresholds"][np.minimum(d.y, last - 1)] - eta[0]
        return log_between(self.link, low, high, d.y == 0, d.y == last)

    def probability(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """Of each grade, shape (m, K)."""
        t, n = p["thresholds"], len(self.levels)
        columns = []
        for k in range(n):
            low, high = t[max(k - 1, 0)] - eta[0], t[min(k, n - 2)] - eta[0]
            columns.append(np.exp(log_between(self.link, low, high, np.bool_(k == 0), np.bool_(k == n - 1))))
        return np.stack(columns, axis=1)

    def cumulative(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """P(y ≤ k) of each grade but the last, shape (m, K - 1)."""
        return self.link.inverse(p["thresholds"][None, :] - eta[0][:, None])

    def steps(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> tuple[np.ndarray, np.ndarray]:
        """The distribution function below and at each grade."""
        n = len(eta[0])
        F = np.column_stack([np.zeros(n), self.cumulative(eta, p, d, None), np.ones(n)])
        return F[np.arange(n), d.y], F[np.arange(n), d.y + 1]

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Numbers of grades."""
        return np.asarray((rng.random(len(eta[0]))[:, None] > self.cumulative(eta, p, d, None)).sum(axis=1))


def ordinal(
    formula: str,
    data: Any,
    link: str = "logit",
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Regression of ordered grades: the probability of a grade or a lower one, by thresholds and columns.

    Parameters
    ----------
    formula : str
        Such as ``"grade ~ x1 + C(g)"``. Thresholds stand in place of the intercept.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    link : {"logit", "probit", "cloglog", "loglog", "cauchit"}
        The distribution function F is its inverse.
    weights, offset : str or array_like, optional
        The name of a column, or a number for each row of the data.
    weights_are : {"frequency", "variance", "sampling"}
        What weights say: how many rows each stands for; how precisely it was measured; how many of the population.
    cluster : str, array_like, or a list of these, optional
        Standard errors are then of clusters (see `Result.with_cov`).
    levels : dict of str to sequence, optional
        The order of a column's categories. That of the response must be known: from here, from an ordered column, or
        from the size of its numbers.
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional

    Returns
    -------
    PartsResult
        `predict(new)` gives the probability of each grade with standard errors, ``predict(new, "cumulative")`` of a
        grade or a lower one. `labels` are the columns, and then the thresholds ``"low|high"``.

    Raises
    ------
    ValueError
        If the order of the response is not known, or no row has one of its levels.

    Notes
    -----
    P(y ≤ k) = F(θ_k - x'β), the signs of R's `clm` and `polr`: with a larger x'β higher grades are likelier.

    McCullagh, P. (1980). Regression models for ordinal data. Journal of the Royal Statistical Society B 42, 109-142.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [1, 1, 2, 1, 3, 2, 3, 3], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
    >>> r = bb.ordinal("y ~ x", d)
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'x': 1.194, '1|2': 2.931, '2|3': 5.428}
    """
    if link not in NAMES:
        raise ValueError(f"link={link!r}: one of {', '.join(NAMES)}")
    front = Front(Given(data, weights, offset, None, cluster), [formula], levels)
    codes, known = _grades(front, levels or {})
    front.without_intercept()
    counts = np.bincount(codes, front.weights, len(known))
    thresholds = np.asarray(LINKS[link].forward(counts.cumsum()[:-1] / counts.sum()))
    null = float(counts @ np.log(counts / counts.sum())) if front.offsets[0] is None else None
    last, w = len(known) - 1, front.weights
    upper = np.eye(last)[np.minimum(codes, last - 1)]

    def margins() -> np.ndarray:
        A, grade, T = front.matrices[0][front.counted], codes[front.counted], np.eye(last)
        above, below = grade < last, grade > 0
        under = np.column_stack([-A[above], T[grade[above]]])
        return np.concatenate([under, np.column_stack([A[below], -T[grade[below] - 1]])])

    return front.fit(
        Cumulative(link, known), {"y": codes}, {"thresholds": thresholds}, weights_are, method, maxiter,
        margins=margins, null=null, linear=Columns(Rows(upper, False, w)),
    )  # fmt: skip


def _grades(front: Front, levels: Mapping[str, Sequence[Any]]) -> tuple[np.ndarray, list[Any]]:
    """The number of each row's grade, and the grades in their order."""
    if front.levels is None:
        distinct, codes = np.unique(front.response, return_inverse=True)
        known: list[Any] = [int(v) if v == int(v) else float(v) for v in distinct]
    else:
        codes, known = front.response, list(front.levels)
        column = front.given.table[front.name] if front.name in front.given.table.names else None
        if front.name not in levels and column is not None and column.levels is not None and not column.ordered:
            raise ValueError(
                f"the order of `{front.name}` is not known: levels={{{front.name!r}: [lowest, …, highest]}}, or an "
                "ordered column"
            )
    codes = np.asarray(codes, np.intp)
    present = np.bincount(codes[front.counted], minlength=len(known)) > 0
    if not present.all():
        absent = ", ".join(repr(v) for v, p in zip(known, present, strict=True) if not p)
        raise ValueError(f"no row has {absent} of `{front.name}`, so its thresholds are not determined: leave it out")
    if len(known) < 2:
        raise ValueError(f"`{front.name}` is {known[0]!r} in every row: there is nothing to tell apart")
    return codes, known
