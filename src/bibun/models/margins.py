"""Averages of what a regression predicts: slopes, differences, means and contrasts, with delta-method errors.

`Averaging` holds the methods that `RegressionResult` has from here. Imports answers, formula_slopes.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.directional import jvp
from ..transforms.gradient import value_and_grad
from . import summary
from .answers import Estimate
from .data import Column, Table, quoted
from .formula_slopes import matrix_slope, offset_slope

__all__ = ["Averages", "Averaging", "categories", "changed"]

LARGEST = 100_000  # rows of a grid
KINDS = ("reference", "pairwise", "sequential", "mean")


class Averages(Estimate):
    """Named averages or differences: `labels`, `value`, `se`, `conf_int(level)`, `tidy(level)`; prints as a table."""

    def __init__(self, labels: list[str], value: np.ndarray, cov: np.ndarray, result: Any, title: str) -> None:
        super().__init__(value, cov, result._quantile)
        self.labels, self.title, self._result = labels, title, result

    def tidy(self, level: float = 0.95) -> list[dict[str, Any]]:
        """One dict a row: term, estimate, std_error, statistic, p_value, conf_low, conf_high."""
        with np.errstate(invalid="ignore", divide="ignore"):
            z = self.value / self.se
        return [
            {"term": label, "estimate": float(b), "std_error": float(s), "statistic": float(t),
             "p_value": self._result._p_value(float(t)), "conf_low": float(e[0]), "conf_high": float(e[1])}
            for label, b, s, t, e in zip(self.labels, self.value, self.se, z, self.conf_int(level), strict=True)
        ]  # fmt: skip

    def summary(self, level: float = 0.95) -> summary.Summary:
        """The table to print."""
        return summary.Summary([self.title], summary.table(self.tidy(level), level, self._result.statistic), [])

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


class Averaging:
    """What a regression predicts on average."""

    def avg_slopes(self, variables: str | Sequence[str] | None = None, kind: Any = None) -> Averages:
        """By how much the mean response changes with each variable, on average over the fitted rows.

        Parameters
        ----------
        variables : str or sequence of str, optional
            Columns of the data (of X, after a fit of arrays); all that the model reads by default.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Averages
            For a column of numbers the average of each row's derivative; for categories, and for columns of 0 and 1,
            the average difference between each level, were all rows to have it, and the first.

        Notes
        -----
        Also called average marginal effects. Rows count by their frequency or sampling weights, not by variance
        weights. Errors are of the delta method: the data are taken as they are. After a penalty or with a column that
        the formula lags, what is averaged is still the model's prediction.

        Examples
        --------
        >>> import bibun as bb
        >>> d = {"y": [1, 0, 3, 2, 6, 8, 5, 11], "x": [0, 1, 2, 3, 4, 5, 6, 7], "g": list("abababab")}
        >>> effects = bb.glm("y ~ x + g", d, family="poisson").avg_slopes()
        >>> dict(zip(effects.labels, effects.value.round(3).tolist()))
        {'x': 1.516, 'g: b - a': -0.002}
        """
        rows = _rows_of(self, "average slopes")
        wanted = rows.names if variables is None else [variables] if isinstance(variables, str) else list(variables)
        parts: list[Any] = []
        labels: list[str] = []
        lines: list[dict[int, float]] = []
        for name in wanted:
            levels = rows.levels(name)
            if levels is None:
                labels.append(name)
                lines.append({len(parts): 1.0})
                parts.append((*rows.at(), *rows.slope(name)))
            else:
                labels += [f"{name}: {b} - {levels[0]}" for b in levels[1:]]
                lines += [{len(parts) + k: 1.0, len(parts): -1.0} for k in range(1, len(levels))]
                parts += [(*rows.at({name: level}), None, None) for level in levels]
        return _averages(self, rows, parts, _matrix(lines, len(parts)), labels, kind, "Average slopes")

    def avg_predictions(self, variables: str | None = None, by: Any = None, kind: Any = None) -> Averages:
        """The mean response, on average over the fitted rows.

        Parameters
        ----------
        variables : str, optional
            A column of categories (or of 0 and 1): for each level, the average were all rows to have it.
        by : str or array_like of shape (n,), optional
            A column, or a label of each row of the data: the average of the rows of each group.
        kind : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Averages
        """
        rows = _rows_of(self, "average predictions")
        if variables is not None:
            levels = rows.needed_levels(variables)
            parts: list[Any] = [(*rows.at({variables: level}), None, None) for level in levels]
            labels = [f"{variables} = {level}" for level in levels]
        else:
            parts, labels = [(*rows.at(), None, None)], ["all rows"]
        if by is not None:
            groups, codes = rows.groups(by)
            split = [(part, np.where(codes == g, rows.weights, 0.0)) for part in parts for g in range(len(groups))]
            labels = [g if variables is None else f"{a}, {g}" for a in labels for g in groups]
            parts, weights = [p for p, _ in split], [w for _, w in split]
        else:
            weights = [rows.weights] * len(parts)
        return _averages(self, rows, parts, np.eye(len(parts)), labels, kind, "Average predictions", weights)

    def marginal_means(self, variable: str, kind: Any = None) -> Averages:
        """The linear predictor at each level of a variable, on a balanced grid (see `contrasts`)."""
        levels, X, offset = _grid(self, variable)
        k = self._model.width  # type: ignore[attr-defined]
        value = X @ self.coef[:k] + offset  # type: ignore[attr-defined]
        return _of(self, [f"{variable} = {b}" for b in levels], value, X, kind, "Means of the linear predictor")

    def contrasts(self, variable: str, kind: str = "reference", cov: Any = None) -> Averages:
        """Differences of the linear predictor between the levels of a variable.

        Parameters
        ----------
        variable : str
            A column of categories, or of 0 and 1.
        kind : {"reference", "pairwise", "sequential", "mean"}
            Each level less the first; each pair, the first less the second; each less the one before; each less the
            mean of all.
        cov : str, optional
            The covariance to use, if not the result's own.

        Returns
        -------
        Averages
            On the scale of the linear predictor: log odds, logarithms of rates, or means. p-values and intervals are
            not adjusted for how many there are.

        Notes
        -----
        On a grid where columns of numbers stand at their mean and all combinations of the other categories count alike,
        as in R's emmeans. For differences of the mean response between all rows as they are, see `avg_slopes`.

        Examples
        --------
        >>> import bibun as bb
        >>> d = {"y": [1, 0, 3, 2, 6, 8, 5, 11, 4], "x": [0, 1, 2, 3, 4, 5, 6, 7, 8], "g": list("abcabcabc")}
        >>> r = bb.glm("y ~ x + g", d).contrasts("g", "pairwise")
        >>> dict(zip(r.labels, r.value.round(3).tolist()))
        {'a - b': -2.111, 'a - c': -0.556, 'b - c': 1.556}
        """
        if kind not in KINDS:
            raise ValueError(f"kind={kind!r}: one of {', '.join(KINDS)}")
        levels, X, _ = _grid(self, variable)
        n, lines = len(levels), []
        if kind == "pairwise":
            lines = [({i: 1.0, j: -1.0}, f"{levels[i]} - {levels[j]}") for i in range(n) for j in range(i + 1, n)]
        elif kind == "mean":
            lines = [({j: float(i == j) - 1 / n for j in range(n)}, f"{levels[i]} - mean") for i in range(n)]
        else:
            before = [0 if kind == "reference" else i - 1 for i in range(n)]
            lines = [({i: 1.0, before[i]: -1.0}, f"{levels[i]} - {levels[before[i]]}") for i in range(1, n)]
        L = _matrix([line for line, _ in lines], n) @ X
        value = L @ self.coef[: L.shape[1]]  # type: ignore[attr-defined]
        return _of(self, [label for _, label in lines], value, L, cov, f"Contrasts of {variable}, linear predictor")


# --- the rows -------------------------------------------------------------------------------------------------------


class _ArrayRows:
    """The fitted rows of an array: columns by the names of their coefficients."""

    def __init__(self, result: Any) -> None:
        d, k = result.objective.data, result._model.width
        self.X = np.asarray(d.X, float)
        self.added = k > self.X.shape[1]
        columns = result.labels[k - self.X.shape[1] : k]
        self.names = [n for n, x in zip(columns, self.X.T, strict=True) if (x != x[0]).any()]
        self.where = {n: j for j, n in enumerate(columns)}
        self.offset = np.asarray(d["offset"], float) if "offset" in d else np.zeros(len(self.X))
        self.n_rows = len(self.X)
        self.fitted: Any = slice(None)
        self.weights = _weights(result, self.n_rows)

    def place(self, name: str) -> int:
        if name not in self.where:
            raise ValueError(f"there is no column {name!r}; there are {quoted(self.where)}")
        return self.where[name]

    def whole(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(X)), X]) if self.added else X

    def levels(self, name: str) -> tuple[Any, ...] | None:
        x = self.X[:, self.place(name)]
        return (0, 1) if ((x == 0) | (x == 1)).all() else None

    def needed_levels(self, name: str) -> tuple[Any, ...]:
        levels = self.levels(name)
        if levels is None:
            raise NotDefined(f"{name!r} is a column of numbers, without levels: see avg_slopes, or predict")
        return levels

    def at(self, changes: dict[str, Any] | None = None) -> tuple[np.ndarray, np.ndarray]:
        X = self.X
        for name, value in (changes or {}).items():
            X = X.copy()
            X[:, self.place(name)] = value
        return self.whole(X), self.offset

    def slope(self, name: str) -> tuple[np.ndarray, Any]:
        S = np.zeros((self.n_rows, self.X.shape[1] + self.added))
        S[:, self.place(name) + self.added] = 1.0
        return S, 0.0

    def grid(self, variable: str, levels: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray]:
        X = np.repeat((self.weights @ self.X)[None] / self.weights.sum(), len(levels), axis=0)
        X[:, self.place(variable)] = levels
        return self.whole(X), np.full(len(levels), float(self.weights @ self.offset / self.weights.sum()))

    def groups(self, by: Any) -> tuple[list[str], np.ndarray]:
        return _groups(self.X[:, self.place(by)] if isinstance(by, str) else np.asarray(by), self.n_rows, self.fitted)


class _FormulaRows(_ArrayRows):
    """The fitted rows of a table, by a formula: matrices are made anew from columns that are changed."""

    def __init__(self, result: Any) -> None:
        self.design, table, d = result.design, result.table, result.objective.data
        factors = [f for f in self.design._read.factors if f is not None]
        used = [c for f in factors for c in f.columns]
        self.read = list(dict.fromkeys([*used, *(c for f in self.design._read.offsets for c in f.columns)]))
        response = self.design._read.response
        self.names = [n for n in dict.fromkeys(used) if response is None or n not in response.columns]
        # a lag looks at rows that were left out
        lags = any(kind == "function" and v == "lag" for f in factors for kind, v in f.names.values())
        self.full, self.fitted = table, self.design.rows
        self.kept: Any
        self.data, self.kept = (table, self.design.rows) if lags else (table.take(self.design.rows), slice(None))
        self.n_rows = len(self.design.rows)
        self.offset = np.asarray(d["offset"], float) if "offset" in d else np.zeros(self.n_rows)
        mine = self.design.offset_of(self.data) if self.design._read.offsets else None
        self.rest = self.offset - (0.0 if mine is None else mine[self.kept])
        self.weights = _weights(result, self.n_rows)
        self.categories = categories(self.design)

    def place(self, name: str) -> int:
        if name not in self.read:
            raise ValueError(f"the formula reads no column {name!r}; it reads {quoted(self.read)}")
        return self.read.index(name)

    def levels(self, name: str) -> tuple[Any, ...] | None:
        self.place(name)
        if name in self.categories:
            return self.categories[name]
        x = self.full[name].values[self.fitted]
        return (0, 1) if ((x == 0) | (x == 1)).all() else None

    def at(self, changes: dict[str, Any] | None = None) -> tuple[np.ndarray, np.ndarray]:
        if not changes:
            return self.design.X, self.offset
        data = changed(self.data, changes)
        mine = self.design.offset_of(data)
        return self.design.matrix(data)[self.kept], self.rest + (0.0 if mine is None else mine[self.kept])

    def slope(self, name: str) -> tuple[np.ndarray, Any]:
        off: Any = offset_slope(self.design, self.data, name)
        return matrix_slope(self.design, self.data, name)[self.kept], off[self.kept] if np.ndim(off) else off

    def grid(self, variable: str, levels: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray]:
        others = [c for c in self.read if c != variable and c in self.categories]
        rows = list(product(*[self.categories[c] for c in others]))
        if len(rows) * len(levels) > LARGEST:
            raise NotDefined(
                f"a balanced grid of the levels of {quoted(others)} has {len(rows)} rows a level: see avg_slopes, "
                "which averages over the rows as they are"
            )
        columns: dict[str, Column] = {variable: _column(variable, [b for b in levels for _ in rows])}
        for j, c in enumerate(others):
            columns[c] = _column(c, [row[j] for row in rows] * len(levels))
        share = self.weights / self.weights.sum()
        for c in self.read:
            if c not in columns:
                columns[c] = _column(c, [float(share @ self.full[c].values[self.fitted])] * (len(rows) * len(levels)))
        data = Table({n: partial(columns.__getitem__, n) for n in columns}, len(rows) * len(levels))
        mine = self.design.offset_of(data)
        X = self.design.matrix(data).reshape(len(levels), len(rows), -1).mean(axis=1)
        offset = np.full(len(levels), float(share @ self.rest))
        return X, offset if mine is None else offset + mine.reshape(len(levels), len(rows)).mean(axis=1)

    def groups(self, by: Any) -> tuple[list[str], np.ndarray]:
        if isinstance(by, str):
            column = self.full[by]
            known = column.values if column.levels is None else np.array([*map(str, column.levels), ""])[column.values]
            by = np.where(column.missing, "missing", known) if column.missing.any() else known
        return _groups(np.asarray(by), self.full.n_rows, self.fitted)


def _rows_of(result: Any, what: str) -> Any:
    result._need_model(what)
    return _ArrayRows(result) if result.design is None else _FormulaRows(result)


def categories(design: Any) -> dict[str, tuple[Any, ...]]:
    """The levels of each column that a formula reads as categories."""
    levels = design._columns.levels
    factors = enumerate(design._read.factors)
    return {c: levels[f"f{k}"] for k, f in factors if f"f{k}" in levels for c in f.columns}


def changed(data: Table, changes: dict[str, Any]) -> Table:
    """A table with some columns set to a value, or to one for each row."""
    makers: dict[str, Any] = {n: (lambda n=n: data[n]) for n in data}
    for name, value in changes.items():
        column = _column(name, value if np.ndim(value) else [value] * data.n_rows)
        makers[name] = lambda column=column: column
    return Table(makers, data.n_rows)


def _column(name: str, values: Any) -> Column:
    """A column of some numbers, or of some levels."""
    if any(isinstance(v, str) for v in values):
        levels = tuple(dict.fromkeys(values))
        where = {v: k for k, v in enumerate(levels)}
        return Column(name, np.array([where[v] for v in values], np.intp), levels)
    return Column(name, np.array(values, float))


def _groups(labels: np.ndarray, n_rows: int, fitted: Any) -> tuple[list[str], np.ndarray]:
    if labels.shape != (n_rows,):
        raise ValueError(f"by= of shape {labels.shape} for {n_rows} rows of data: a label for each")
    known, codes = np.unique(labels[fitted], return_inverse=True)
    return [f"{g:g}" if isinstance(g, (float, np.floating)) else str(g) for g in known], codes.reshape(-1)


def _weights(result: Any, n_rows: int) -> np.ndarray:
    w = result.objective.weights
    return np.ones(n_rows) if w is None or result.objective.weights_are == "variance" else np.asarray(w, float)


# --- estimates and errors ---------------------------------------------------------------------------------------------


def _matrix(lines: list[dict[int, float]], n: int) -> np.ndarray:
    L = np.zeros((len(lines), n))
    for row, line in zip(L, lines, strict=True):
        for k, c in line.items():
            row[k] += c
    return L


def _averages(
    result: Any,
    rows: Any,
    parts: list[Any],
    L: np.ndarray,
    labels: list[str],
    kind: Any,
    title: str,
    weights: list[np.ndarray] | None = None,
) -> Averages:
    """L times the averages of means, or of slopes where a part has a derivative of its columns."""
    inverse, beta = result._model.link.inverse, result.coef[: result._model.width]
    value, J = np.zeros(len(parts)), np.zeros((len(parts), len(beta)))
    for k, (X, offset, S, off) in enumerate(parts):
        w = rows.weights if weights is None else weights[k]
        w = w / w.sum()

        def average(b: Any, X: Any = X, offset: Any = offset, S: Any = S, off: Any = off, w: Any = w) -> Any:
            eta = X @ b + offset
            return np.sum(w * (inverse(eta) if S is None else jvp(inverse, (eta,), (S @ b + off,))[1]))

        value[k], J[k] = value_and_grad(average)(beta)
    return _of(result, labels, L @ value, L @ J, kind, title)


def _of(result: Any, labels: list[str], value: np.ndarray, J: np.ndarray, kind: Any, title: str) -> Averages:
    """Estimates with their covariance by the delta method; NaN for what the data do not determine."""
    k = J.shape[1]
    cov = J @ result._any_covariance(result._wanted(kind))[:k, :k] @ J.T
    null = result.null[:k]
    lost = (np.abs(J @ null) > 1e-7 * (np.abs(J) @ np.abs(null))).any(axis=1)
    cov[lost], cov[:, lost] = np.nan, np.nan
    return Averages(labels, value, cov, result, title)


def _grid(result: Any, variable: str) -> tuple[tuple[Any, ...], np.ndarray, np.ndarray]:
    rows = _rows_of(result, "contrasts")
    levels = rows.needed_levels(variable)
    return levels, *rows.grid(variable, levels)
