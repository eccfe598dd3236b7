"""Figures by row: how much each pulls, and the data with what was found beside them. Reads a Result; imports data.

What a model of its own adds goes into its result's `augment`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import NotDefined
from .parameters import Values

__all__ = ["RegressionRows", "RowFigures", "beside_data"]


MEAN = "compute it by result.predict(f) with f(p, d)"


class RowFigures:
    """What a likelihood says of each of its rows."""

    objective: Any
    u: np.ndarray

    def loglik_rows(self) -> np.ndarray:
        """The log-likelihood of each row at the estimates, shape (n,); `loglik` is their sum, times the weights."""
        if not self.objective.by_rows:
            raise NotDefined("the likelihood returns one number: return one value a row")
        return np.asarray(self.objective.rows(self.u), float)

    def influence(self) -> dict[str, np.ndarray]:
        """How much each row pulls, for any likelihood by rows.

        Returns
        -------
        dict of ndarray
            "dfbeta", shape (n, k): by how much each estimate is larger because the row is there, to first order.
            "dfbetas": that over the standard errors. "cooks_distance", shape (n,): how far the row moves all estimates,
            in units of their covariance, over their number.

        Notes
        -----
        H⁻¹ sᵢ with the information H and the row's score sᵢ (the infinitesimal jackknife; Cook 1986); sᵢ'H⁻¹sᵢ / k.
        Rows of frequency weights count one at a time.

        Examples
        --------
        >>> import numpy as np, bibun as bb
        >>> d = {"y": np.array([1.0, 2.0, 4.0, 9.0])}
        >>> r = bb.MLE(lambda p, d: -0.5 * (d.y - p.mu) ** 2, {"mu": bb.Real()}).fit(d)
        >>> r.influence()["dfbeta"].ravel().tolist()
        [-0.75, -0.5, 0.0, 1.25]
        """
        return influence_of(self)

    def augment(self) -> dict[str, np.ndarray]:
        """The data with what the fit says of each row: its log-likelihood and Cook's distance, in the rows' order.

        A figure whose name a column has already is under that name with a point before it.
        """
        rows = {"loglik": self.loglik_rows(), "cooks_distance": self.influence()["cooks_distance"]}
        data = self.objective.data if isinstance(self.objective.data, Values) else {}
        n = len(rows["loglik"])
        return beside_data({k: np.asarray(v) for k, v in data.items() if np.shape(v)[:1] == (n,)}, rows)

    # what a likelihood in general does not tell

    @property
    def fittedvalues(self) -> np.ndarray:
        """The mean of each fitted row, of models that have one."""
        raise NotDefined(f"a likelihood does not say what the mean of a row is: {MEAN}")

    @property
    def deviance(self) -> float:
        """Twice what the log-likelihood falls short of a perfect fit's, of models that know it."""
        raise NotDefined("a likelihood does not say what a perfect fit is: compare log-likelihoods, or aic")

    @property
    def null_deviance(self) -> float:
        """The same of a model without columns."""
        raise NotDefined("a likelihood has no columns to leave out: fit the smaller model, and use compare")

    def residuals(self, kind: str = "response") -> np.ndarray:
        """What the mean leaves of each row, of models that have one."""
        raise NotDefined(f"a likelihood does not say what its response and its mean are: {MEAN}, and subtract")

    def simulate(self, rng: Any, times: int = 1) -> np.ndarray:
        """Responses drawn from the fitted model, of models that are distributions."""
        raise NotDefined("a likelihood does not say how responses are drawn: draw them with result.params")


class RegressionRows(RowFigures):
    """What a regression of one mean says of each of its rows."""

    _model: Any
    design: Any
    table: Any
    labels: list[str]
    family: str
    _row_weights: Any

    def loglik_rows(self) -> np.ndarray:
        """The log-likelihood of each row at the estimates, shape (n,); `loglik` is their sum, times the weights."""
        if self._model is None or not self._model.family.dispersion:
            return super().loglik_rows()
        if self.objective.weights_are == "variance" and self.objective.weights is not None:
            raise NotDefined("variance weights are part of each row's dispersion: see deviance residuals")
        y, mean, w = np.asarray(self.objective.data["y"], float), self.fittedvalues, self._row_weights()
        phi = float(w @ self._model.family.deviance(y, mean)) / float(w.sum())
        return density_rows(self.family, y, mean, phi)

    def augment(self) -> dict[str, np.ndarray]:
        """The data with what the fit says of each row.

        Returns
        -------
        dict of ndarray
            The columns of the data; "fitted", "residuals" (of the response), "standardized_residuals" (Pearson's),
            "hat" and "cooks_distance". After a formula in the order of the data, NaN in rows that were left out
            (`notes` counts them). A figure whose name a column has already is under that name with a point before it.
        """
        if self._model is None:
            return super().augment()
        influence = self.influence()
        figures = {
            "fitted": self.fittedvalues, "residuals": self.residuals(),
            "standardized_residuals": self.residuals("standardized"), "hat": influence["hat"],
            "cooks_distance": influence["cooks_distance"],
        }  # fmt: skip
        if self.table is not None:
            return beside_data({n: shown_column(self.table[n]) for n in self.table}, figures, self.design.rows)
        d, k = self.objective.data, self._model.width
        columns = dict(zip(self.labels[k - d.X.shape[1] : k], d.X.T, strict=True))
        return beside_data({**columns, **{n: d[n] for n in d if n != "X" and n not in columns}}, figures)


def influence_of(result: Any) -> dict[str, np.ndarray]:
    """One-step influence by the rows' scores (see `Result.influence`)."""
    if not result.objective.by_rows:
        raise NotDefined("influence needs a score for each row, and the likelihood returns one number: return rows")
    inverse, weighted = result._bread("observed"), result.objective.weights_are != "frequency"
    s = result._weighted_scores()[0] if weighted else result.objective.scores(result.u)
    step = s @ inverse
    with np.errstate(all="ignore"):
        cooks = np.sum(step * s, axis=1) / max(result._determined, 1.0)
        dfbeta = step @ result.jacobian.T
        dfbeta[:, result.undetermined] = np.nan
        return {"cooks_distance": cooks, "dfbeta": dfbeta, "dfbetas": dfbeta / result.se("observed")}


def density_rows(family: str, y: np.ndarray, mean: np.ndarray, phi: float) -> np.ndarray:
    """The logarithm of each response's density at the most likely dispersion, `phi` being the mean deviance.

    For gaussian and inverse gaussian responses that is `phi` itself.
    """
    from scipy import optimize, special

    if family == "gaussian":
        return np.asarray(-0.5 * (np.log(2 * np.pi * phi) + (y - mean) ** 2 / phi))
    if family == "inverse-gaussian":
        return np.asarray(-0.5 * (np.log(2 * np.pi * phi * y**3) + (y - mean) ** 2 / (y * mean**2 * phi)))
    if family == "gamma":
        half = 0.5 * phi
        log_k = optimize.brentq(
            lambda t: t - float(special.digamma(np.exp(t))) - half, -40.0, 40.0, xtol=1e-14, rtol=8.9e-16
        )
        k = np.exp(log_k)
        return np.asarray(k * np.log(k * y / mean) - k * y / mean - np.log(y) - special.gammaln(k))
    raise NotDefined(f"the {family} family has no density by rows here: it has deviance residuals")


def shown_column(column: Any) -> np.ndarray:
    """The values of a column as they were given: numbers, or levels, None where one is missing."""
    if column.levels is None:
        return np.asarray(column.values)
    return np.asarray(np.array([*column.levels, None], object)[column.values])


def beside_data(
    columns: Mapping[str, np.ndarray], figures: dict[str, np.ndarray], rows: Any = None
) -> dict[str, np.ndarray]:
    """Columns of data and figures of some of their rows; NaN in the others."""
    out = dict(columns)
    for name, values in figures.items():
        if rows is not None:
            n = len(next(iter(columns.values())))
            whole = np.full(n, np.nan)
            whole[rows] = values
            values = whole
        out[f".{name}" if name in columns else name] = values
    return out
