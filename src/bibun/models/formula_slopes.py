"""How the model matrix of a formula moves with a column: its exact derivative. Imports formula_columns, transforms.

A matrix is linear in each of its factors, so its derivative is the matrix with a factor's derivative in the factor's
place. Expressions are differentiated by bibun; functions with a basis of their own, such as splines, by differences.
"""

import ast
import copy
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.directional import jvp
from .data import Table
from .formula import Design, _materialize, _used
from .formula_allowed import Factor
from .formula_columns import complete_rows

__all__ = ["matrix_slope", "offset_slope"]

BASES = ("poly", "bs", "cr", "cs", "cc")
STENCIL = {
    1: (np.arange(5.0), np.array([-25.0, 48.0, -36.0, 16.0, -3.0]) / 12),
    -1: (-np.arange(5.0), -np.array([-25.0, 48.0, -36.0, 16.0, -3.0]) / 12),
    0: (np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, -8.0, 8.0, -1.0]) / 12),
}
"""Places and weights of differences that are exact for polynomials of degree 4: upward, downward, in the middle."""


def matrix_slope(design: Design, data: Table, column: str) -> np.ndarray:
    """The derivative of `design.matrix(data)` by a column of numbers, shape (n, p); NaN where a value is missing."""
    spec = design._spec
    factors = {name: design._read.factors[int(name[1:])] for name in _used(spec.formula)}
    full, complete = complete_rows(data, list(factors.values()))
    part = full.take(complete)
    values = {name: design._columns.factor(name, f, part, fitting=False) for name, f in factors.items()}
    slope = np.full((data.n_rows, len(design.names)), np.nan)
    slope[complete] = 0.0
    for name, f in factors.items():
        if column not in f.columns:
            continue
        moved = {**values, name: _factor_slope(design, name, f, part, column)}
        matrix = _materialize(copy.deepcopy(spec), moved, part.n_rows)[0]
        at = 0
        for term, _, made in spec.structure:
            if name in [g.expr for g in term.factors]:
                slope[np.ix_(complete, np.arange(at, at + len(made)))] += matrix[:, at : at + len(made)]
            at += len(made)
    return slope


def offset_slope(design: Design, data: Table, column: str) -> np.ndarray | float:
    """The derivative of the formula's offset, shape (n,)."""
    total: Any = 0.0
    for k, f in enumerate(design._read.offsets):
        if column in f.columns:
            total = total + _expression_slope(design, f, f.tree.args[0], data, f"offset{k}", column)  # type: ignore[union-attr]
    return total  # type: ignore[no-any-return]


def _factor_slope(design: Design, key: str, f: Factor, part: Table, column: str) -> Any:
    if f.column is not None:
        return np.ones(part.n_rows)
    assert f.tree is not None
    called = {f.names[n.func.id][1] for n in ast.walk(f.tree) if isinstance(n, ast.Call)}  # type: ignore[attr-defined]
    if "lag" in called:
        raise NotDefined(f"a slope by `{column}`, which the formula lags, is of several rows at once: use predict")
    if not called & set(BASES):
        return _expression_slope(design, f, f.tree, part, key, column)
    return _basis_slope(design, key, f, part, column)


def _expression_slope(design: Design, f: Factor, tree: ast.expr, part: Table, key: str, column: str) -> np.ndarray:
    x = part[column].values.astype(np.float64)

    def value(x: Any) -> Any:
        return design._columns.value(f, tree, _With(part, column, x), key, fitting=False)  # type: ignore[arg-type]

    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(jvp(value, (x,), (np.ones_like(x),))[1]), x.shape)


def _basis_slope(design: Design, key: str, f: Factor, part: Table, column: str) -> Any:
    """The slope of a basis by that of its argument: differences that stay between the bounds of a spline."""
    assert isinstance(f.tree, ast.Call)
    function = f.names[f.tree.func.id][1]  # type: ignore[attr-defined]
    inside = f.tree.args[0]
    argument = np.broadcast_to(design._columns.value(f, inside, part, key, fitting=False), (part.n_rows,))
    lead = _expression_slope(design, f, inside, part, key, column)
    state = design._columns.states[f"{key} {ast.dump(f.tree)}"]
    size = max(float(np.ptp(argument)), float(np.abs(argument).max()), 1e-300)
    bounds = state.get("lower_bound"), state.get("upper_bound")
    knots = np.unique([*state.get("knots", ()), *(b for b in bounds if b is not None)])
    knots = knots[np.diff(knots, prepend=-np.inf) > 1e-9 * size]
    h = min([1e-3 * size, *(np.diff(knots) / 9)])
    near = 1e-9 * size
    side = np.zeros(part.n_rows, int)
    for way, (places, _) in STENCIL.items():  # the last whose places have no knot between them and no end behind
        low, high = argument + places.min() * h, argument + places.max() * h
        clean = ~((knots > low[:, None] + near) & (knots < high[:, None] - near)).any(axis=1)
        if knots.size:
            outside = (argument < knots[0] - near) | (argument > knots[-1] + near)
            clean &= outside | ((low >= knots[0] - near) & (high <= knots[-1] + near))
        side[clean] = way
    options = design._columns.arguments(f)

    def at(x: np.ndarray) -> Any:
        return design._columns.whole(f, function, x, state, options, fitting=False)

    made = at(argument)
    keys = [(k,) for k in made] if hasattr(made, "keys") else [(slice(None), k) for k in range(made.shape[1])]
    total = np.zeros((len(keys), part.n_rows))
    for way, (places, weights) in STENCIL.items():
        mine = side == way
        if mine.any():
            for place, weight in zip(places, weights, strict=True):
                there = at(argument[mine] + place * h)
                total[:, mine] += weight / h * np.stack([there[k if len(k) > 1 else k[0]] for k in keys])
    for k, slope in zip(keys, total, strict=True):
        made[k if len(k) > 1 else k[0]] = slope * lead
    return made


class _With:
    """A table in which one column's values are traced."""

    def __init__(self, part: Table, column: str, values: Any) -> None:
        self.part, self.column, self.values, self.levels, self.name = part, column, values, None, column

    def __getitem__(self, name: str) -> Any:
        return self if name == self.column else self.part[name]
