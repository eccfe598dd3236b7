"""`glm`: a generalized linear model of a formula and a table. Imports formula_rows and glm."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .families import family_named
from .formula_rows import Given
from .glm import regression
from .links import link_named
from .regression_result import RegressionResult

__all__ = ["glm"]

NAME = r"(?:`[^`]+`|[^\W\d][\w.]*)"
COUNTS = re.compile(rf"\s*cbind\(\s*({NAME})\s*,\s*({NAME})\s*\)\s*(~.*)", re.DOTALL)


def glm(
    formula: str,
    data: Any,
    family: Any = "gaussian",
    *,
    link: Any = None,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    exposure: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    penalty: Any = None,
    power: float | None = None,
    method: str = "newton",
    maxiter: int | None = None,
) -> RegressionResult:
    """A generalized linear model of a formula and a table.

    Parameters
    ----------
    formula : str
        Such as ``"y ~ x1 + C(g) + x1:x2 + log(x)"`` (see `bibun.models.formula.design`); for binomial counts
        ``"cbind(successes, failures) ~ x"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    family : str or Family
        "gaussian", "binomial", "poisson", "gamma", "inverse-gaussian", "negative-binomial", "tweedie", "beta",
        "quasi-binomial", "quasi-poisson".
    link : str, optional
        By default the family's own.
    weights, offset, exposure : str or array_like, optional
        The name of a column, or a number for each row of the data. An exposure is an offset by its logarithm.
    weights_are : {"frequency", "variance", "sampling"}
        What weights say: how many rows each stands for; how precisely it was measured; how many of the population.
    cluster : str, array_like, or a list of these, optional
        Standard errors are then of clusters (see `Result.with_cov`).
    levels : dict of str to sequence, optional
        The order of a column's categories, the first being the reference.
    penalty : float, optional
        Ridge: half of it times each squared coefficient but the intercept is taken from the log-likelihood.
    power : float, optional
        For tweedie.
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional

    Returns
    -------
    RegressionResult
        `predict` takes new data with the columns of the formula; `notes` says what was left out.

    Raises
    ------
    ValueError
        For what the formula does not allow, a response that the family does not have, a column that is not there.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [1, 0, 3, 2, 6, 8, 5, 11], "x": [0, 1, 2, 3, 4, 5, 6, 7], "g": list("abababab")}
    >>> r = bb.glm("y ~ x + g", d, family="poisson")
    >>> print({k: round(v, 4) for k, v in r.params.items()})
    {'Intercept': 0.0432, 'x': 0.337, 'g[T.b]': -0.0005}
    >>> r.predict({"x": [8], "g": ["a"]}).value.round(2).tolist()
    [15.48]
    """
    counts = COUNTS.match(formula) if isinstance(formula, str) else None
    failed = None if counts is None else counts.group(2).strip("`")
    if counts is not None:
        formula = f"{counts.group(1)} {counts.group(3)}"
    given = Given(data, weights, offset, exposure, cluster, also=[failed])
    made = given.design(formula, levels)
    y, trials = _response(made, family), None
    if counts is not None:
        failures = given.numbers("failures", failed, made.rows)
        trials = y + failures
        if not ((y >= 0) & (failures >= 0)).all():
            raise ValueError(
                f"{counts.group(0).split('~')[0].strip()}: successes and failures are counts of 0 and more"
            )
        keep = trials > 0
        y = np.where(keep, y, 0.0) / np.where(keep, trials, 1.0)
    total, w = given.row_offset(made.rows, made.offset), given.row_weights(made.rows)
    of = family_named(family, power)
    by = link_named(link, of.links, of.name)
    if exposure is not None and by.name != "log":
        raise ValueError(f"exposure= is for the log link; the link is {by.name}: use offset=")
    X, intercept = made.without_intercept
    r = regression(X, y, made.names, of, by, w, weights_are, trials, total, penalty, None, method, maxiter, intercept)
    r.design, r.notes, r.table = made, made.notes, given.table
    r.cov = given.covariance(made.rows) or r.cov
    return r


def _response(made: Any, family: Any) -> np.ndarray:
    """The response as numbers: of two categories, 1 for the second."""
    if made.response is None:
        raise ValueError(f"the formula {made.formula!r} has no response: write it before ~")
    known = made.response_levels
    if known is None:
        return np.asarray(made.response, float)
    name = getattr(family, "name", str(family))
    if "binomial" not in name or "negative" in name:
        raise ValueError(f"the response `{made.response_name}` holds text, and a {name} response is a number")
    if len(known) != 2:
        shown = ", ".join(map(repr, known[:6]))
        raise ValueError(
            f"the response `{made.response_name}` has {len(known)} categories ({shown}), and a binomial response two"
        )
    return np.asarray(made.response, float)
