"""Firth's penalty: regressions whose likelihood has half the log determinant of Fisher's information added to it.

Imports glm's formula front, penalized, whole_search. For likelihoods that are no regression
`MLE.fit(penalty="jeffreys")` has the same of the observed information.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.directional import jvp
from ..transforms.hessian import hessian
from . import summary
from .constrained import covariance_along
from .covariance import bread
from .design import constant_columns, factored, linear_predictor
from .domains import coefficients
from .families import Binomial, Poisson, family_named
from .formula_glm import glm
from .least_squares import Rows, predictor
from .likelihood import MLE
from .parameters import Values
from .penalized import Penalized, PenalizedObjective
from .regression_model import Regression
from .regression_result import RegressionResult
from .whole_search import WholeSearch

__all__ = ["FirthResult", "firth"]


def firth(
    formula: str,
    data: Any,
    family: Any = "binomial",
    *,
    link: Any = None,
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    exposure: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    maxiter: int | None = None,
) -> "FirthResult":
    """A binomial or Poisson regression with Firth's penalty: less bias, and finite under separation.

    Parameters
    ----------
    formula, data, link, weights, weights_are, offset, exposure, cluster, levels, maxiter
        As for `glm`.
    family : {"binomial", "poisson"}

    Returns
    -------
    FirthResult
        Profile intervals and likelihood ratio tests are of the penalized likelihood, with the penalty of the whole
        information; standard errors are of the information without the penalty.

    Raises
    ------
    ValueError
        As for `glm`.
    NotDefined
        For families with a dispersion or parameters besides the coefficients.

    Notes
    -----
    log L(β) + ½ log det I(β), I being Fisher's information (Firth 1993; Heinze & Schemper 2002): for canonical links
    the maximum removes the bias of order 1/n, for others it is the mode under Jeffreys' prior (Kosmidis & Firth 2021).

    The null deviance is of the maximum without the penalty, as brglm2's. The likelihood ratio test that all slopes are
    0, as logistf prints it, is ``test("x1 = 0, x2 = 0", kind="lr")``: the penalized likelihoods' ratio.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"y": [0, 0, 0, 0, 1, 1, 1, 1], "x": [1, 2, 3, 4, 5, 6, 7, 8]}
    >>> r = bb.firth("y ~ x", d)
    >>> print({k: round(v, 4) for k, v in r.params.items()})
    {'Intercept': -4.6473, 'x': 1.0327}
    """
    family = family_named(family)
    if not isinstance(family, (Binomial, Poisson)):
        raise NotDefined(
            f"Firth's penalty of the {family.name} family: its information has more than coefficients in it; "
            "MLE(…).fit(penalty='jeffreys') has that of any likelihood you write"
        )
    made = glm(
        formula, data, family, link=link, weights=weights, weights_are=weights_are, offset=offset, exposure=exposure,
        cluster=cluster, levels=levels, maxiter=maxiter,
    )  # fmt: skip
    return penalize(made, maxiter)


def penalize(made: RegressionResult, maxiter: int | None = None) -> "FirthResult":
    """The same regression with the penalty."""
    model, names = made._model, made.labels
    before = made.objective
    d, w = before.data, before.weights
    rows = Rows(d.X, model.width > d.X.shape[1], w)
    columns = factored(rows, names)
    T = columns.transform()
    Z = np.stack([predictor(d.X, t) for t in T.T], axis=1)
    volume = float(np.linalg.slogdet(T.T @ T)[1])
    data = Values(
        {**dict(d), "weights": np.ones(len(Z)) if w is None else w, "Z": Z, "volume": np.array(volume)}, "data column"
    )
    objective = FirthObjective(MLE(model, {"coef": coefficients(names)}), data, w, before.weights_are)
    fit = WholeSearch(objective, [columns], FirthRows(model), "newton", maxiter)
    facts = fit.finish(model.family.name, names, [names], constant_columns(d.X, model.width > d.X.shape[1]))
    each, m = data["weights"], data.get("trials", 1.0)
    mean = np.asarray(model.link.inverse(linear_predictor(data, fit.coef)))
    with np.errstate(all="ignore"):
        deviance = float(each @ (m * model.family.deviance(d.y, mean)))
    facts.update(
        inverse=bread(_information(objective, fit.coef)), scale=1.0,
        _model=model, deviance=deviance, null_deviance=made.null_deviance, null_loglik=made.null_loglik,
    )  # fmt: skip
    r = FirthResult(objective, fit.coef, fit.certificate, fit.found, facts)
    r._both()
    r.design, r.notes, r.table, r.cov = made.design, made.notes, made.table, made.cov
    return r


def _information(objective: Any, coef: np.ndarray) -> np.ndarray:
    return np.asarray(hessian(objective.unpenalized)(coef))


def half_log_determinant(model: Regression, eta: Any, d: Any) -> Any:
    """Half the log determinant of the coefficients' Fisher information, from the linear predictors."""
    mean, slope = jvp(model.link.inverse, (eta,), (np.ones(eta.shape),))
    # of a canonical link the slope is the variance
    share = slope if model.canonical else slope**2 / model.family.variance(mean)
    weight = share * d.weights
    if "trials" in d:
        weight = weight * d.trials
    information = d.Z.T @ (d.Z * np.reshape(weight, (-1, 1)))
    return 0.5 * (np.linalg.slogdet(information)[1] - d.volume)


class FirthRows:
    """The rows' log-likelihood, each times its weight, and the penalty as one more: what the search adds up."""

    def __init__(self, model: Regression) -> None:
        self.model = model

    def __call__(self, theta: Any, d: Any) -> Any:
        penalty = half_log_determinant(self.model, linear_predictor(d, theta), d)
        return np.concatenate([self.model({"coef": theta}, d) * d.weights, np.reshape(penalty, (1,))])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FirthRows) and self.model == other.model

    def __hash__(self) -> int:
        return hash(("firth", self.model))


class FirthObjective(PenalizedObjective):
    """A regression with its data and Firth's penalty."""

    def known(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """The penalty."""
        d = self.data if columns is None else Values(columns, "data column")
        model: Any = self.model.loglik
        return half_log_determinant(model, linear_predictor(d, u), d)


class FirthResult(Penalized, RegressionResult):
    """A regression with Firth's penalty: standard errors are of the information without it, as brglm2 has them.

    Attributes
    ----------
    loglik, penalized_loglik : float
        Without the penalty and with it.
    """

    def _settle(self, found: Any, space: Any) -> None:
        super()._settle(found, space)
        assert self._held is not None
        self._inverse_information = covariance_along(_information(self.objective, self.u), self._held.R)

    def bootstrap(self, reps: int = 999, rng: Any = None, cluster: Any = None) -> Any:
        """Not defined: the penalty is of the rows that there are."""
        raise NotDefined(
            "the penalty is of the information of these rows, and rows drawn anew have another: "
            "conf_int(method='profile') is exact for the penalized likelihood, and cov_params has robust kinds"
        )

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print."""
        table = super().summary(level, kind)
        table.head[0] += "   Firth's penalty"
        table.head.append(f"penalized log-likelihood {self.penalized_loglik:.8g}")
        return table
