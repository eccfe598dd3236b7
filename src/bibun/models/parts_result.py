"""PartsResult: what the fit of a model of several parts predicts, over RegressionResult.

Imports regression_result. The models say in `Parts.answers` what they have; a kind of prediction is a method there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import special
from ..errors import NotDefined
from ..transforms.directional import jvp
from ..transforms.gradient import grad
from ..transforms.jacobian import jacobian
from . import summary
from .data import table
from .domains import Parameter
from .formula_slopes import matrix_slope, offset_slope
from .margins import Averages, categories, changed
from .parameters import Values
from .regression_result import RegressionResult
from .row_figures import influence_of

__all__ = ["Answer", "PartsResult"]


class Answer:
    """What was predicted at rows of data: `value`, `se` and intervals, one row each; no covariance between rows."""

    def __init__(
        self, value: np.ndarray, se: np.ndarray, domain: Parameter, quantile: Callable[[float], float]
    ) -> None:
        self.value, self.se, self._domain, self._quantile = value, se, domain, quantile

    def conf_int(self, level: float = 0.95) -> np.ndarray:
        """Wald intervals on a scale without ends (log, logit), shape value.shape + (2,)."""
        domain, q = self._domain, self._quantile(level)
        with np.errstate(all="ignore"):
            slope = np.asarray(grad(lambda v: np.sum(domain.real(v)))(np.asarray(self.value, float)))
            middle = np.asarray(domain.real(self.value), float)
            ends = [np.asarray(domain.natural(middle + s * q * np.abs(slope) * self.se)) for s in (-1, 1)]
        return np.stack(ends, axis=-1)

    def __repr__(self) -> str:
        return f"Answer(value={self.value}, se={self.se})"


class PartsResult(RegressionResult):
    """A fitted model of several parts: a `RegressionResult` with one design or more and parameters besides.

    Attributes
    ----------
    designs : list of Design
        Of each predictor.
    notes : tuple of str
        What was left out, in sentences.
    """

    designs: list[Any]
    beside: dict[str, Any]  # data of the likelihood that new rows need too: a number, or the name of a column
    given: tuple[Any, Any]  # offset and exposure
    rows: np.ndarray  # of the table, those that were fitted

    def _need_model(self, what: str) -> Any:
        raise NotDefined(
            f"{what}: the {self.family} model has none; it predicts {', '.join(self.model.loglik.answers)} and has "
            "residuals of kind 'response' where its mean is a number"
        )

    def _bread(self, kind: str) -> np.ndarray:
        if kind == "expected":
            raise NotDefined(f"the expected information of the {self.family} model is not known: use kind='observed'")
        return self._inverse_information

    @property
    def null_loglik(self) -> float:
        """The log-likelihood with a constant and the offset alone in each predictor."""
        return self._fact("null_loglik", "has no maximum without its columns: compare with a fit that has some")

    def predict(  # type: ignore[override]
        self, data: Any = None, what: str | None = None, *, at: Any = None, offset: Any = None, kind: Any = None
    ) -> Answer:
        """What the model says of rows of data, with standard errors by the delta method.

        Parameters
        ----------
        data : table, optional
            With the columns of the formulas; the fitted rows by default.
        what : str, optional
            One of the model's answers, such as "mean" or "probability"; or "linear", the linear predictors.
        at : array_like, optional
            For answers at given numbers: times, counts, shares.
        offset : array_like, optional
            Of the first predictor, in place of the fitted columns.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Answer
            `value`, `se`, `conf_int(level)`. A standard error is NaN where the data do not determine the value.
        """
        model = self.model.loglik
        known = [*model.answers, "linear"]
        what = known[0] if what is None else what
        if what not in known:
            raise ValueError(f"what={what!r}: the {self.family} model predicts {', '.join(known)}")
        d = self.objective.data if data is None else self._at(data, offset)
        given = None if at is None else np.atleast_1d(np.asarray(at, float))

        def f(u: Any) -> Any:
            coef, p = model.natural(u)
            eta = model.predictors(coef, d)
            if what == "linear":
                return eta[0] if len(eta) == 1 else np.stack(eta, axis=1)
            return getattr(model, what)(eta, p, d, given)

        domain = Parameter() if what == "linear" else model.answers[what]
        value = np.asarray(f(self.u))
        J = np.asarray(jacobian(f, mode="forward")(self.u)).reshape(*value.shape, len(self.u))
        cov = self._any_covariance(self._wanted(kind))
        se = np.sqrt(np.maximum(np.sum((J @ cov) * J, axis=-1), 0.0))
        if self.null.shape[1]:
            off = np.abs(J @ self.null) > 1e-7 * (np.abs(J) @ np.abs(self.null))
            se = np.where(off.any(axis=-1), np.nan, se)
        return Answer(value, se, domain, self._quantile)

    def _at(self, data: Any, offset: Any) -> Values:
        """What the likelihood reads, at new rows."""
        full, out = table(data, allow_empty=True), {}

        def named(what: str, given: Any, none: float = 0.0) -> np.ndarray:
            if isinstance(given, str):
                return np.asarray(full[given].values, float)
            if given is None or np.ndim(given) == 0:
                return np.full(full.n_rows, none if given is None else float(given))
            raise ValueError(
                f"{what} was an array at the fit: give it as a column's name, so that new rows have it too"
            )

        for k, made in enumerate(self.designs):
            of = "" if not k else str(k + 1)
            X = made.matrix(full)
            fitted = self.objective.data["X" + of].shape[1]
            out["X" + of] = X[:, X.shape[1] - fitted :]
            total = made.offset_of(full)
            if k == 0:
                given = named("offset", self.given[0]) if offset is None else np.asarray(offset, float)
                for more in (given, np.log(named("exposure", self.given[1], 1.0))):
                    total = more if total is None else total + more
            if total is not None:
                out["offset" + of] = total
        out.update({name: named(name, given) for name, given in self.beside.items()})
        return Values(out, "data column")

    @property
    def fittedvalues(self) -> np.ndarray:
        """The model's first answer at each fitted row."""
        return np.asarray(self._answer())

    def _answer(self) -> Any:
        model, d = self.model.loglik, self.objective.data
        coef, p = model.natural(self.u)
        return getattr(model, next(iter(model.answers)))(model.predictors(coef, d), p, d, None)

    def avg_slopes(
        self, variables: Any = None, kind: Any = None, *, what: str | None = None, at: Any = None
    ) -> Averages:
        """By how much an answer changes with each column, averaged over the fitted rows, each counting by its weight.

        Of a column of numbers the average derivative; of categories the average difference between each level, were all
        rows to have it, and the first, in every formula that reads it.

        Parameters
        ----------
        variables : str or list of str, optional
            All columns that the formulas read by default.
        kind : str, optional
            The covariance to use, if not the result's own.
        what, at
            As for `predict`.
        """
        model, d = self.model.loglik, self.objective.data
        what = next(iter(model.answers)) if what is None else what
        given = None if at is None else np.atleast_1d(np.asarray(at, float))
        w = self._row_weights()
        read = {c: None for made in self.designs for f in _factors(made) for c in f.columns}
        levels = {c: b for made in self.designs for c, b in categories(made).items()}
        known = [c for c in read if (c in levels or self.table[c].numeric) and c not in _response(self.design)]
        wanted = known if variables is None else [variables] if isinstance(variables, str) else list(variables)
        for name in wanted:
            if name not in known:
                raise NotDefined(f"{name!r} is no column of the formulas' right sides: there are {', '.join(known)}")
        labels: list[str] = []
        values, rows = [], []

        def add(label: str, f: Any) -> None:
            value = np.atleast_1d(np.asarray(f(self.u)))
            values.append(value)
            rows.append(np.asarray(jacobian(f, mode="forward")(self.u)).reshape(len(value), -1))
            labels.extend([label] if len(value) == 1 else [f"{label}[{k}]" for k in range(len(value))])

        def mean(u: Any, at_level: Any) -> Any:
            coef, p = model.natural(u)
            return w @ getattr(model, what)(model.predictors(coef, at_level), p, at_level, given) / w.sum()

        for name in wanted:
            if name in levels:
                first, *others = [(level, self._were(name, level)) for level in levels[name]]
                for level, there in others:
                    add(
                        f"{name}: {level} - {first[0]}",
                        lambda u, there=there, first=first: mean(u, there) - mean(u, first[1]),
                    )
                continue
            turns = []  # of the whole table: a lag looks at rows that were left out
            for made in self.designs:
                more: Any = offset_slope(made, self.table, name)
                S = matrix_slope(made, self.table, name)[self.rows]
                turns.append((S, more[self.rows] if np.ndim(more) else 0.0))

            def slope(u: Any, turns: Any = turns) -> Any:
                coef, p = model.natural(u)
                eta, ahead, k = model.predictors(coef, d), [], 0
                for j, width in enumerate(model.widths):
                    S, more = turns[0 if model.shared else j]
                    ahead.append(S[:, S.shape[1] - width :] @ coef[k : k + width] + more)
                    k += width
                along = jvp(lambda *e: getattr(model, what)(list(e), p, d, given), tuple(eta), tuple(ahead))[1]
                return w @ along / w.sum()

            add(name, slope)
        J = np.concatenate(rows)
        cov = J @ self._any_covariance(self._wanted(kind)) @ J.T
        off = np.abs(J @ self.null) > 1e-7 * (np.abs(J) @ np.abs(self.null))
        lost = off.any(axis=1)
        cov[lost], cov[:, lost] = np.nan, np.nan
        return Averages(labels, np.concatenate(values), cov, self, f"Average slopes, {what}")

    def _were(self, name: str, level: Any) -> Values:
        """What the likelihood reads, were all rows to have one level of a column."""
        out = dict(self.objective.data)
        new = changed(self.table, {name: level})
        for k, made in enumerate(self.designs):
            of = "" if not k else str(k + 1)
            X = made.matrix(new)[self.rows]  # of the whole table: a lag looks at rows that were left out
            out["X" + of] = X[:, X.shape[1] - out["X" + of].shape[1] :]
            if made._read.offsets:
                out["offset" + of] = out["offset" + of] + (made.offset_of(new) - made.offset_of(self.table))[self.rows]
        return Values(out, "data column")

    def contrasts(self, *_: Any, **__: Any) -> Any:
        """Not defined: there are several linear predictors, or none that is a mean."""
        raise NotDefined(
            f"contrasts on the scale of a linear predictor, for the {self.family} model, whose coefficients are of "
            "several predictors or beside cut points: avg_slopes(column) has the differences between categories of "
            f"what it predicts ({', '.join(self.model.loglik.answers)}), and test() those between coefficients"
        )

    def residuals(self, kind: str = "response") -> np.ndarray:
        """What the mean leaves of each row, shape (n,); kind "quantile" where the model has a distribution function.

        Parameters
        ----------
        kind : {"response", "quantile"}
            y - mean, but for survival the time - exp(x'β); the normal quantile of the distribution function (Dunn &
            Smyth 1996), for counts and grades at the middle of its step.
        """
        model, d = self.model.loglik, self.objective.data
        coef, p = model.natural(self.u)
        eta = model.predictors(coef, d)
        if kind == "quantile" and hasattr(model, "steps"):
            low, high = model.steps(eta, p, d)
            return np.asarray(special.ndtri(0.5 * (low + high)))
        if kind == "response" and "mean" in model.answers:
            return np.asarray(model.left(eta, p, d))
        raise NotDefined(
            f"residuals of kind {kind!r}: the {self.family} model has none; `loglik_rows` says how likely each row was"
        )

    def influence(self) -> dict[str, np.ndarray]:
        """How much each row pulls, as in any likelihood by rows (see `Result.influence`)."""
        return influence_of(self)

    def simulate(self, rng: np.random.Generator | int, times: int = 1) -> np.ndarray:
        """Responses drawn from the fitted model, shape (times, n)."""
        model, d = self.model.loglik, self.objective.data
        if not hasattr(model, "draw"):
            raise NotDefined(
                f"draws of the {self.family} model: it has none; predict(what='probability') has their shares"
            )
        rng = np.random.default_rng(rng)
        coef, p = model.natural(self.u)
        eta = model.predictors(coef, d)
        return np.stack([model.draw(rng, eta, p, d) for _ in range(times)])

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print."""
        table = summary.of(self, level, kind, self.statistic, self.model.loglik.title)
        table.notes += list(self.notes)
        return table

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return f"<PartsResult {self.family}: {', '.join(self.labels)}; loglik {self.loglik:.6g}, {state}>"


def _factors(made: Any) -> list[Any]:
    return [f for f in (*made._read.factors, *made._read.offsets) if f is not None]


def _response(made: Any) -> Any:
    return () if made._read.response is None else made._read.response.columns
