"""Models of several parts: linear predictors with designs of their own, and parameters besides, from formulas.

A model is a subclass of `Parts`: the log-likelihood of a row in a few lines, and what can be predicted. `Front` reads
formulas, fits, and makes a `PartsResult` (parts_result.py). Imports formula_rows, search; ordinal.py, counts.py,
censored.py, survival.py and others are the models, and the next one is a file beside them.
"""

import copy
import functools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .design import checked, constant_columns, factored, has_constant
from .domains import Parameter, Positive, coefficients
from .formula import Design
from .formula_columns import LAG, columns_of
from .formula_rows import Given
from .least_squares import Columns, Rows, predictor
from .likelihood import MLE
from .objective import Objective
from .parameters import Values
from .parts_result import PartsResult
from .search import ByVector, Search

__all__ = ["Front", "Parts"]

FAR = 300.0
"""Beyond this logarithm a positive parameter is 0 or infinite to every likelihood: so it is held there."""


class Parts:
    """A model: the log-likelihood of each row by its linear predictors and by parameters besides.

    Equal models compile once, so what is of one data set alone is not kept here but in columns of the data.

    Attributes
    ----------
    title, family : str
    names : tuple of str
        Of the linear predictors; estimates are called ``"name:column"``, and by their column alone where there is one.
    shared : bool
        Whether all predictors have the first one's design.
    answers : dict of str to Parameter
        What can be predicted, and where it may lie: for each a method `answer(eta, p, d, at)`, of the predictors, the
        parameters besides, the data and what was asked for. The first is the default.
    widths : tuple of int
        How many coefficients each predictor has.
    """

    title = family = ""
    names: tuple[str, ...] = ("",)
    shared = False
    answers: Mapping[str, Parameter] = {}
    widths: tuple[int, ...] = ()

    def more(self) -> dict[str, Parameter]:
        """The parameters besides the coefficients; first those that are linear in the data too."""
        return {}

    def rows(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        """The log-likelihood of each row."""
        raise NotImplementedError

    def left(self, eta: Sequence[Any], p: Mapping[str, Any], d: Any) -> Any:
        """What the mean leaves of each response."""
        return d.y - self.mean(eta, p, d, None)  # type: ignore[attr-defined]

    def key(self) -> tuple[Any, ...]:
        """What tells one model of a class from another."""
        return ()

    def predictors(self, coef: Any, d: Any) -> list[Any]:
        """The linear predictors of each row."""
        out, k = [], 0
        for j, width in enumerate(self.widths):
            of = "" if not j or self.shared else str(j + 1)
            eta = predictor(d["X" + of], coef[k : k + width])
            out.append(eta + d["offset" + of] if "offset" + of in d else eta)
            k += width
        return out

    def natural(self, theta: Any) -> tuple[Any, dict[str, Any]]:
        """The coefficients, and the parameters besides, from the vector of the search."""
        k = sum(self.widths)
        coef, p = theta[:k], {}
        for name, parameter in self.more().items():
            u = theta[k] if parameter.real_shape == () else theta[k : k + parameter.size]
            if isinstance(parameter, Positive):
                u = np.minimum(np.maximum(u, -FAR), FAR)
            p[name] = parameter.natural(u)
            k += parameter.size
        return coef, p

    def __call__(self, p: Any, d: Any) -> Any:
        """By natural parameters, as `MLE` calls it."""
        return self.rows(self.predictors(p["coef"], d), p, d)

    def by_vector(self, theta: Any, d: Any) -> Any:
        """By one vector, as the search calls it."""
        coef, p = self.natural(theta)
        return self.rows(self.predictors(coef, d), p, d)

    def _key(self) -> tuple[Any, ...]:
        return type(self), self.widths, self.names, self.key()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parts) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return self.family


class Front:
    """Formulas and a table as what a model of several parts is fitted to.

    Parameters
    ----------
    given : Given
    formulas : sequence of str
        One for each design, the first with the response.
    levels : dict of str to sequence, optional
    """

    def __init__(
        self, given: Given, formulas: Sequence[str], levels: Mapping[str, Sequence[Any]] | None = None
    ) -> None:
        self.given = given
        designs = [given.design(f, levels) for f in formulas]
        if not _same_rows(designs):  # a row that misses a column of one part is left out of all
            used = [c for d in designs for c in _columns(d)]
            designs = [given.design(f, levels, used) for f in formulas]
        self.rows = designs[0].rows
        if not _same_rows(designs):  # a lag misses a row
            self.rows = functools.reduce(np.intersect1d, [d.rows for d in designs])
        self.made = designs
        self.here = [np.isin(d.rows, self.rows) for d in designs]
        if designs[0].response is None:
            raise ValueError(f"the formula {formulas[0]!r} has no response: write it before ~")
        self.response = np.asarray(designs[0].response)[self.here[0]]
        self.levels = designs[0].response_levels
        self.name = str(designs[0].response_name)
        self.weights = given.row_weights(self.rows)
        self.offsets = [self._offset(k, d) for k, d in enumerate(designs)]
        self.counted = np.ones(len(self.rows), bool) if self.weights is None else self.weights > 0
        self.matrices, self.intercepts, self.names = [], [], []
        for d, here in zip(designs, self.here, strict=True):
            X, has = d.without_intercept
            self.matrices.append(X if here.all() else X[here])
            self.intercepts.append(has)
            self.names.append(list(d.names))
        y = np.zeros(len(self.rows)) if self.levels is not None else self.response
        for X, offset in zip(self.matrices, self.offsets, strict=True):
            checked(X, y, ["", *[""] * X.shape[1]], self.weights, offset, True)

    def _offset(self, k: int, d: Design) -> np.ndarray | None:
        of_formula = None if d.offset is None else d.offset[self.here[k]]
        return self.given.row_offset(self.rows, of_formula) if k == 0 else of_formula

    def column(self, what: str, given: Any) -> np.ndarray:
        """A number, a column by its name, or an array, as a number for each row that is kept."""
        if not isinstance(given, str) and np.ndim(given) == 0:
            return np.full(len(self.rows), float(given))
        return self.given.numbers(what, given, self.rows)

    def numbers(self, model: str) -> np.ndarray:
        """The response as numbers."""
        if self.levels is not None:
            raise ValueError(f"the response `{self.name}` holds text, and that of {model} is a number")
        return np.asarray(self.response, float)

    def refuse(self, bad: np.ndarray, why: str) -> None:
        """A ValueError that names the first bad row and counts the others."""
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            others = int(bad.sum()) - 1
            also = f" (and {others} more rows are like that)" if others else ""
            raise ValueError(f"`{self.name}` is {self.response[k]:g} in row {self.rows[k]}{also}: {why}")

    def without_intercept(self) -> None:
        """For a model that has other constants in place of the intercept of its first predictor."""
        if not self.intercepts[0]:
            raise ValueError(f"{self.made[0].formula!r} leaves the intercept out, in whose place stand the thresholds")
        self.intercepts[0], self.names[0] = False, self.names[0][1:]
        if self.constants[0]:
            raise ValueError(
                f"{', '.join(self.names[0])} make up a constant, in whose place stand the thresholds: leave one out"
            )

    @cached_property
    def constants(self) -> list[bool]:
        """Whether the columns of each design make up a constant."""
        return [
            has_constant(c, constant_columns(X, has)) if c.shape[1] else False
            for c, X, has in zip(self.columns, self.matrices, self.intercepts, strict=True)
        ]

    @cached_property
    def columns(self) -> list[Columns]:
        """The columns of each design, made ready for the search."""
        return [
            factored(Rows(X, has, self.weights), names, sampled=True)
            for X, has, names in zip(self.matrices, self.intercepts, self.names, strict=True)
        ]

    def fit(
        self,
        model: Parts,
        data: Mapping[str, np.ndarray],
        start: Mapping[Any, Any],
        weights_are: str = "frequency",
        method: str = "newton",
        maxiter: int | None = None,
        beside: Mapping[str, Any] | None = None,
        margins: Any = None,
        null: float | None = None,
        linear: Columns | None = None,
    ) -> PartsResult:
        """The fit of a model.

        Parameters
        ----------
        model : Parts
        data : dict of arrays
            What its likelihood reads besides designs and offsets.
        start : dict
            By the number of a predictor, what it is near; by the name of a parameter besides, where it is.
        beside : dict, optional
            Of `data`, what predictions at new rows need too: a number or the name of a column.
        margins : callable, optional
            As `Search.finish` takes it.
        null : float, optional
            The log-likelihood without columns, where it is known.
        linear : Columns, optional
            Of the parameters besides that are linear in the data.
        """
        designs, own = self.columns, self.names
        still = [constant_columns(X, has) for X, has in zip(self.matrices, self.intercepts, strict=True)]
        if model.shared:
            k = len(model.names)
            designs, own, still = designs * k, own * k, still * k
        model.widths = tuple(c.shape[1] for c in designs)
        several = model.names != ("",)
        labels = [f"{part}:{n}" if several else n for part, ns in zip(model.names, own, strict=True) for n in ns]
        more = model.more()
        clash = [n for n in more if n in labels]
        if clash:
            raise ValueError(f"a column is called {clash[0]}, as a parameter of the model is: give it another name")
        objective = self._objective(model, labels, data, self.matrices, weights_are)
        besides = objective.model.parameters.labels[len(labels) :]
        besides = [f"log({n})" if isinstance(more.get(n), Positive) else n for n in besides]
        begin = self._start(model, designs, start)
        if linear is not None:
            designs, own, still = [*designs, linear], [*own, besides], [*still, np.ones(linear.shape[1], bool)]
        size = len(besides) - (0 if linear is None else linear.shape[1])
        fit = Search(objective, designs, ByVector(model), method, maxiter, more=size, start=[begin])
        constant = np.concatenate([*still, np.zeros(size, bool)])
        facts = fit.finish(model.family, [*labels, *besides], own, constant, margins)
        null = self._null(model, data, start, weights_are, linear) if null is None else null
        if null is not None:
            facts["null_loglik"] = null
        r = PartsResult(objective, fit.coef, fit.certificate, fit.found, {"scale": 1.0, **facts})
        r.designs, r.beside, r.given = self.made, dict(beside or {}), (self.given.offset, self.given.exposure)
        r.table, r.design, r.rows, r.notes = self.given.table, self.made[0], self.rows, _notes(self.made)
        r.cov = self.given.covariance(self.rows) or r.cov
        return r

    def _objective(
        self,
        model: Parts,
        labels: list[str],
        data: Mapping[str, np.ndarray],
        matrices: Sequence[np.ndarray],
        weights_are: str,
    ) -> Objective:
        """The likelihood with its data."""
        columns = dict(data)
        for k, (X, offset) in enumerate(zip(matrices, self.offsets, strict=True)):
            of = "" if not k else str(k + 1)
            columns["X" + of] = X
            if offset is not None:
                columns["offset" + of] = offset
        declared = MLE(model, {"coef": coefficients(labels), **model.more()})
        return Objective(declared, Values(columns, "data column"), self.weights, weights_are)

    def _start(self, model: Parts, designs: Sequence[Columns], start: Mapping[Any, Any]) -> np.ndarray:
        """Where the search begins: coefficients of each predictor, and the real numbers behind the rest."""
        coef = [
            self._near(c, start[k], self.offsets[k]) if k in start else np.zeros(c.shape[1])
            for k, c in enumerate(designs)
        ]
        rest = [np.reshape(p.real(np.asarray(start[n], float)), -1) for n, p in model.more().items()]
        return np.concatenate([*coef, *rest])

    def _near(self, columns: Columns, eta: np.ndarray, offset: np.ndarray | None) -> np.ndarray:
        """Coefficients whose predictors are near some numbers."""
        rows, T = columns.rows, columns.transform()
        target = eta if offset is None else eta - offset
        return np.asarray(T @ (T.T @ rows.transposed(target if rows.root is None else rows.root * target)))

    def _null(
        self,
        model: Parts,
        data: Mapping[str, np.ndarray],
        start: Mapping[Any, Any],
        weights_are: str,
        linear: Columns | None,
    ) -> float | None:
        """The log-likelihood with a constant (where there is one) and the offset alone; None if it has no maximum."""
        null = copy.copy(model)
        null.widths = tuple(int(has) for has in self.constants)
        none = [np.zeros((len(self.rows), 0)) for _ in self.matrices]
        designs = [Columns(Rows(X, has, self.weights)) for X, has in zip(none, self.constants, strict=True)]
        objective = self._objective(null, [str(k) for k in range(sum(null.widths))], data, none, weights_are)
        size = sum(p.size for p in null.more().values()) - (0 if linear is None else linear.shape[1])
        begin = self._start(null, designs, start)
        also = [] if linear is None else [linear]
        fit = Search(objective, [*designs, *also], ByVector(null), "newton", None, more=size, start=[begin])
        return -fit.value * fit.total if fit.ended else None


def _same_rows(designs: Sequence[Design]) -> bool:
    return all(np.array_equal(d.rows, designs[0].rows) for d in designs[1:])


def _columns(d: Design) -> list[str]:
    """The columns of the table that a formula reads."""
    read = d._read
    factors = [*([read.response] if read.response else []), *read.factors, *read.offsets]
    return [c for c in columns_of(factors) if not c.startswith(LAG)]


def _notes(made: list[Design]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for d in made for note in d.notes))
