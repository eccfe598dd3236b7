"""Generalized linear models: a family, a link, columns. `glm` reads a formula, `regression` arrays.

Imports families, design, formula, search, regression_result; gaussian with the identity link is `regression.linear`,
solved directly.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from .design import checked, constant_columns, factored, has_constant, linear_predictor, named_data, penalties
from .domains import coefficients
from .families import Binomial, Family, family_named
from .least_squares import Columns, Rows, predictor
from .likelihood import MLE
from .links import Link, link_named
from .logistic import logistic
from .objective import Objective
from .parameters import Values
from .regression import linear
from .regression_model import Regression
from .regression_result import RegressionResult
from .search import ByVector, Search

__all__ = ["regression"]


def regression(
    X: Any,
    y: Any,
    names: Sequence[str],
    family: Any = "gaussian",
    link: Any = None,
    weights: Any = None,
    weights_are: str = "frequency",
    trials: Any = None,
    offset: Any = None,
    penalty: Any = None,
    power: float | None = None,
    method: str = "newton",
    maxiter: int | None = None,
    intercept: bool = False,
) -> RegressionResult:
    """A generalized linear model of arrays, by maximum likelihood.

    Parameters
    ----------
    X : array_like of shape (n, p)
        The columns, a column of ones among them if there is to be an intercept (or see `intercept`). Not copied.
    y : array_like of shape (n,)
    names : sequence of str
        One for each coefficient.
    family : str or Family
        "gaussian", "binomial", "poisson", "gamma", "inverse-gaussian", "negative-binomial", "tweedie", "beta",
        "quasi-binomial", "quasi-poisson".
    link : str, optional
        By default the family's own.
    weights : array_like of shape (n,), optional
    weights_are : {"frequency", "variance", "sampling"}
        What weights say: how many rows each stands for; how precisely it was measured; how many of the population.
    trials : array_like of shape (n,), optional
        For binomial: of how many trials y is the share.
    offset : array_like of shape (n,), optional
        Added to the linear predictor.
    penalty : float or array_like of shape (p,), optional
        Ridge: half of it times each squared coefficient is taken from the log-likelihood. One number spares constant
        columns.
    power : float, optional
        For tweedie.
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional
    intercept : bool
        Add an intercept that X has no column for; its coefficient and name come first.

    Returns
    -------
    RegressionResult

    Notes
    -----
    Families with a dispersion have it estimated from Pearson's residuals, divided by n - p, as R and Stata do; tests
    and intervals are then of the t distribution, and `loglik` is at the most likely dispersion, which counts as a
    parameter in AIC and BIC. Parameters besides the coefficients, such as the negative binomial's, are estimated with
    them, and standard errors take account of that.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.models.glm import regression
    >>> x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    >>> r = regression(x[:, None], [1, 1, 3, 4, 9, 13], ["const", "x"], family="poisson", intercept=True)
    >>> print({k: round(v, 4) for k, v in r.params.items()})
    {'const': -0.1495, 'x': 0.5528}
    """
    family = family_named(family, power)
    chosen = link_named(link, family.links, family.name)
    if weights_are == "frequency" and trials is None:
        if (family.name, chosen.name) == ("gaussian", "identity"):
            way = "qr" if method == "newton" else method
            return linear(X, y, names, weights, offset, penalty, way, maxiter, intercept)
        if (family.name, chosen.name) == ("binomial", "logit"):
            return logistic(X, y, names, weights, offset, penalty, method, maxiter, intercept)
    X, y, names, w, offset = checked(X, y, names, weights, offset, intercept)
    possible = family.fits(y)
    if not possible.all():
        k = int(np.flatnonzero(~possible)[0])
        raise ValueError(
            f"y is {y[k]:g} in row {k} (and {int((~possible).sum()) - 1} more are like that): a {family.name} response "
            f"is {family.responses}"
        )
    data = dict(named_data(X, y, offset))
    m: Any = 1.0
    if trials is not None:
        if not isinstance(family, Binomial) and getattr(family, "of", None) is None:
            raise ValueError(f"trials= is for binomial responses; the family is {family.name}")
        m = data["trials"] = np.asarray(trials, float)
        if m.shape != y.shape or not ((m > 0) & np.isfinite(m)).all():
            raise ValueError(f"trials of shape {m.shape}: a number greater than 0 for each of {len(y)} rows")
    constant = constant_columns(X, intercept)
    columns = factored(Rows(X, intercept, w, penalties(X, penalty, constant)), names, sampled=True)
    return _fitted(family, chosen, columns, names, constant, data, w, weights_are, m, method, maxiter)


def _fitted(
    family: Family,
    link: Link,
    columns: Columns,
    names: list[str],
    constant: np.ndarray,
    data: dict[str, Any],
    w: np.ndarray | None,
    weights_are: str,
    m: Any,
    method: str,
    maxiter: int | None,
) -> RegressionResult:
    """The fit of checked arrays."""
    y, offset = data["y"], data.get("offset")
    model = Regression(family, link, len(names))
    more = family.more()
    declared = MLE(model, {"coef": coefficients(names), **more})
    values = Values(data, "data column")
    objective = Objective(declared, values, w, weights_are)
    begin = () if link.name == "logit" and isinstance(family, Binomial) else _start(family, link, columns, y, offset)
    fit = Search(objective, [columns], ByVector(model), method, maxiter, more=len(more), start=begin)
    margins = None
    if isinstance(family, Binomial) and link.name in ("logit", "probit", "cloglog", "loglog", "cauchit"):

        def margins() -> np.ndarray:
            used = np.ones(len(y), bool) if w is None else w > 0
            sure, both = np.where(y == 1, 1.0, -1.0), (y > 0) & (y < 1) & used
            rows = columns.rows
            return np.concatenate([sure[used][:, None] * rows.of(used), rows.of(both), -rows.of(both)])

    still = np.concatenate([constant, np.zeros(len(more), bool)])
    facts = fit.finish(family.name, [*names, *more], [names], still, margins)
    facts.update(_figures(model, fit, values, w, m, columns, constant, weights_are))
    if family.dispersion:
        facts["inverse"] = facts["inverse"] * facts["scale"]
        facts["df_model"] += 1
        objective.model.loglik = Regression(family, link, len(names), facts["scale"])
    return RegressionResult(objective, fit.coef, fit.certificate, fit.found, facts)


def _figures(
    model: Regression,
    fit: Search,
    d: Values,
    w: np.ndarray | None,
    m: Any,
    columns: Columns,
    constant: np.ndarray,
    weights_are: str,
) -> dict[str, Any]:
    """Dispersion, deviances and likelihoods, with those of the null model; what is not defined is left out."""
    family, link, k = model.family, model.link, model.width
    y, each = d["y"], np.ones(len(d["y"])) if w is None else w
    natural = {n: float(p.natural(fit.coef[k + j])) for j, (n, p) in enumerate(family.more().items())}
    mean = np.asarray(link.inverse(linear_predictor(d, fit.coef[:k])))
    facts: dict[str, Any] = {"_model": model, "scale": 1.0}
    with np.errstate(all="ignore"):
        facts["pearson_chi2"] = float(np.sum(each * m * (y - mean) ** 2 / family.variance(mean, **natural)))
    count = fit.objective.n_obs or 0.0
    df_resid = count - len(fit.gamma) + fit.more
    if family.dispersion:
        facts["scale"] = facts["pearson_chi2"] / df_resid if df_resid > 1e-9 else np.nan
    null = _null(model, d, w, m, columns, constant, weights_are)
    for name, center, besides, value in (
        ("", mean, natural, None),
        ("null_", null[0], natural, null[1]),
    ):
        if not np.isfinite(center).all():  # without an intercept: no mean of the family
            continue
        with contextlib.suppress(NotDefined), np.errstate(all="ignore"):
            facts[f"{name}deviance"] = float(np.sum(each * m * family.deviance(y, center, **besides)))
        if value is not None:
            facts[f"{name}loglik"] = value
        elif family.dispersion:
            facts[f"{name}loglik"] = None
            with contextlib.suppress(NotDefined):
                facts[f"{name}loglik"] = family.loglik(y, center, each * m, weights_are == "variance")
    return facts


def _null(
    model: Regression, d: Values, w: np.ndarray | None, m: Any, columns: Columns, constant: np.ndarray, weights_are: str
) -> tuple[np.ndarray, float | None]:
    """The means of the model with an intercept (if there is one) and the offset alone, and its log-likelihood."""
    family, link, y = model.family, model.link, d["y"]
    has = has_constant(columns, constant)
    each = (np.ones(len(y)) if w is None else w) * m
    if "offset" in d or family.more() or not has:
        rows = Rows(np.zeros((len(y), 0)), has, w)
        if not has:
            with np.errstate(all="ignore"):
                return np.asarray(link.inverse(d.get("offset", np.zeros(len(y))))), None
        alone = Regression(family, link, 1)
        fit = Search(
            Objective(MLE(alone, {"coef": coefficients(["const"]), **family.more()}), _without(d), w, weights_are),
            [Columns(rows)], ByVector(alone), "newton", None, more=len(family.more()),
            start=_start(family, link, Columns(rows), y, d.get("offset")),
        )  # fmt: skip
        mean = np.asarray(link.inverse(float((fit.T @ fit.gamma)[0]) + d.get("offset", 0.0)))
        return np.broadcast_to(mean, y.shape), None if family.dispersion else -fit.value * fit.total
    mean = np.full(len(y), float(np.sum(each * y)) / float(each.sum()))
    if family.dispersion:
        return mean, None
    rows_of = family.rows(y, np.asarray(link.forward(mean)), link, m)
    return mean, float(np.sum(rows_of if w is None else w * rows_of))


def _without(d: Values) -> Values:
    """The data without columns."""
    return Values({**dict(d), "X": np.zeros((len(d["y"]), 0))}, "data column")


def _start(
    family: Family, link: Link, columns: Columns, y: np.ndarray, offset: np.ndarray | None
) -> Iterator[np.ndarray]:
    """Coefficients whose predictors are near the links of means near the responses, or near that of one mean."""
    rows, T, more = columns.rows, columns.transform(), family.more()
    w, away = np.ones(len(y)) if rows.w is None else rows.w, 0.0 if offset is None else offset

    def regressed(eta: np.ndarray) -> np.ndarray:
        eta = np.where(np.isfinite(eta), eta, 0.0)
        target = np.concatenate([eta if rows.root is None else rows.root * eta, np.zeros(len(rows.below))])
        return np.asarray(T @ (T.T @ rows.transposed(target)))

    means = family.start(y)
    for mean in (means, np.full(len(y), means.mean())):
        with np.errstate(all="ignore"):
            coef, besides = regressed(np.asarray(link.forward(mean), float) - away), {}
            if more:  # they are of spread around means, so these have to be as large as the responses
                predicted = predictor(rows.X, coef) + away
                level = [link.forward(np.sum(w * m) / w.sum()) for m in (y, link.inverse(predicted))]
                shift = regressed(np.full(len(y), level[0] - level[1]))
                coef, predicted = coef + shift, predicted + predictor(rows.X, shift)
                besides = family.begin(y, np.asarray(link.inverse(predicted)), w)
        yield np.concatenate([coef, [p.real(besides[n]) for n, p in more.items()]])
