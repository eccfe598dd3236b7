"""`multinomial`: logistic regression of several classes, of a formula and a table. Imports logistic and parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..special import logsumexp
from .domains import Parameter, UnitInterval
from .formula_rows import Given
from .logistic import class_margins
from .parts import Front, Parts
from .parts_result import PartsResult

__all__ = ["multinomial"]


class Multinomial(Parts):
    """The log odds of each class but the first against it; the data hold `y`, a column of 0 and 1 for each class."""

    title, family, shared = "Multinomial logistic regression", "multinomial", True
    answers: Mapping[str, Parameter] = {"probability": UnitInterval()}

    def __init__(self, classes: Sequence[str]) -> None:
        self.names = tuple(classes[1:])

    def odds(self, eta: Sequence[Any]) -> Any:
        """The log odds against the first class, with its own."""
        return np.stack([0.0 * eta[0], *eta], axis=1)

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        odds = self.odds(eta)
        own = np.sum(odds * d.y, axis=1, keepdims=True)
        return -np.logaddexp(0.0, logsumexp(np.where(d.y == 1, -np.inf, odds - own), axis=1))

    def probability(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any, at: Any) -> Any:
        """Of each class, shape (m, K)."""
        odds = self.odds(eta)
        return np.exp(odds - logsumexp(odds, axis=1)[:, None])

    def draw(self, rng: np.random.Generator, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> np.ndarray:
        """Numbers of classes."""
        P = np.cumsum(self.probability(eta, p, d, None), axis=1)
        return np.asarray((rng.random(len(P))[:, None] > P[:, :-1]).sum(axis=1))


def multinomial(
    formula: str,
    data: Any,
    *,
    weights: Any = None,
    weights_are: str = "frequency",
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> PartsResult:
    """Logistic regression of several classes; coefficients are log odds against the first class.

    Parameters
    ----------
    formula : str
        Such as ``"kind ~ x1 + C(g)"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    weights : str or array_like, optional
        The name of a column, or a number for each row of the data.
    weights_are : {"frequency", "variance", "sampling"}
    cluster : str, array_like, or a list of these, optional
    levels : dict of str to sequence, optional
        The order of a column's categories; the first of the response is what the others are compared with.
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional

    Returns
    -------
    PartsResult
        `labels` are ``"class:column"``, class by class from the second. `predict(new)` gives the probability of each
        class, shape (m, K), with standard errors.

    Raises
    ------
    ValueError
        If no row has one of the classes.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": list("abcabcabca"), "x": [0, 1, 2, 1, 4, 3, 2, 7, 8, 9]}
    >>> r = bb.multinomial("y ~ x", d)
    >>> print({k: round(v, 3) for k, v in r.params.items()})
    {'b:Intercept': -0.691, 'b:x': 0.116, 'c:Intercept': -0.833, 'c:x': 0.15}
    """
    front = Front(Given(data, weights, None, None, cluster), [formula], levels)
    if front.offsets[0] is not None:
        raise ValueError("offset() of several classes is not one number a row: it has no meaning here")
    codes, classes = _classes(front)
    chosen = np.zeros((len(codes), len(classes)))
    chosen[np.arange(len(codes)), codes] = 1.0
    counts = chosen.sum(axis=0) if front.weights is None else front.weights @ chosen
    if not (counts > 0).all():
        absent = ", ".join(repr(c) for c, n in zip(classes, counts, strict=True) if not n)
        raise ValueError(f"no row has {absent} of `{front.name}`, so its coefficients are not determined: leave it out")
    if len(classes) < 2:
        raise ValueError(f"`{front.name}` is {classes[0]!r} in every row: there is nothing to tell apart")

    def margins() -> np.ndarray:
        return class_margins(front.columns[0].rows.of(slice(None)), codes, len(classes), front.counted)

    model = Multinomial([str(c) for c in classes])
    null = (
        float(counts @ np.log(counts / counts.sum()))
        if front.constants[0]
        else -float(counts.sum() * np.log(len(counts)))
    )
    r = front.fit(model, {"y": chosen}, {}, weights_are, method, maxiter, margins=margins, null=null)
    r.__dict__.update(deviance=-2 * r.loglik, null_deviance=-2 * null)
    return r


def _classes(front: Front) -> tuple[np.ndarray, list[Any]]:
    """The number of each row's class, and the classes."""
    if front.levels is not None:
        return np.asarray(front.response, np.intp), list(front.levels)
    distinct, codes = np.unique(front.response, return_inverse=True)
    return np.asarray(codes, np.intp), [int(v) if v == int(v) else float(v) for v in distinct]
