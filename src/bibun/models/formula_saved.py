"""How a formula encodes new data, as plain values for a file, and made anew from them. Imports formula and data.

The formula is read and checked again as any other; only levels of categories and what functions of whole columns found
are remembered.
"""

import ast
import math
from functools import partial
from typing import Any

import numpy as np

from ..errors import NotDefined
from .data import Column, Table
from .formula import Design, _materialize, _named, _used
from .formula_allowed import Factor
from .formula_columns import LAG, Columns
from .formula_syntax import parse

__all__ = ["rebuilt", "stored"]

WIDEST = 100_000
"""How many columns a file may ask for."""


def stored(design: Design) -> dict[str, Any]:
    """What `rebuilt` needs: text, names, levels, knots and the like; none of the rows."""
    read, columns = design._read, design._columns
    factors = [*read.factors, *read.offsets, *([read.response] if read.response else [])]
    names = dict.fromkeys(c for f in factors for c in f.columns)
    for key, levels in columns.levels.items():
        if not all(isinstance(v, (str, int, float, bool)) for v in levels):
            kind = type(next(v for v in levels if not isinstance(v, (str, int, float, bool)))).__name__
            raise NotDefined(f"levels of type {kind} ({key}) have no place in a file: make them text before the fit")
    states = []
    for key, f in _keys(read):
        for k, call in enumerate(_calls(f)):
            state = columns.states.get(f"{key} {call}")
            if state:
                states.append([key, k, _plain(state)])
    return {
        "formula": design.formula, "columns": list(names), "names": list(design.names), "states": states,
        "levels": {k: list(v) for k, v in columns.levels.items()}, "n_rows": design.n_rows, "notes": list(design.notes),
        "missing": design.missing, "beside": design.beside,
    }  # fmt: skip


def rebuilt(saved: dict[str, Any]) -> Design:
    """A design without rows, which encodes new data as the one that was stored; ValueError if it would not."""
    import formulaic

    levels = {str(k): tuple(v) for k, v in saved["levels"].items()}
    names = tuple(map(str, saved["names"]))
    read = parse(str(saved["formula"]), _one_row({str(c): 1.0 for c in saved["columns"]}))
    columns = Columns(read, {})
    columns.levels = levels
    calls = {key: _calls(f) for key, f in _keys(read)}
    columns.states = {f"{key} {calls[key][k]}": _back(state) for key, k, state in saved["states"]}
    terms = formulaic.Formula(read.skeleton, _context={})
    used = {name: read.factors[int(name[1:])] for name in _used(terms)}
    width = sum(math.prod(len(levels.get(f.expr, (0,))) for f in term.factors) for term in terms)
    if width > WIDEST:
        raise ValueError(f"its formula stands for {width} columns")
    values: dict[str, Any] = dict.fromkeys(map(str, saved["columns"]), 1.0)
    for key, f in used.items():
        if key in levels:
            values.update(dict.fromkeys(f.columns, levels[key][0]))
    part = _one_row(values)
    sample = _AtStart(read, {})
    sample.levels, sample.states = columns.levels, columns.states
    X, spec = _materialize(terms, {k: sample.factor(k, f, part, fitting=False) for k, f in used.items()}, 1)
    made, spans, _ = _named(spec, read, columns)
    if made != names:
        raise ValueError("its formula makes other columns than it names")
    known = {read.factors[int(k[1:])].display: v for k, v in levels.items() if k.startswith("f")}
    response = read.response.display if read.response else None
    none = np.zeros(0, int)
    return Design(
        read.text, None, response, levels.get("response"), X[:0], names, spans, known, none, int(saved["n_rows"]),
        {str(k): int(v) for k, v in saved["missing"].items()}, None, tuple(map(str, saved["notes"])),
        read, columns, spec, {k: str(v) for k, v in saved["beside"].items() if k in ("offset", "exposure")},
    )  # fmt: skip


class _AtStart(Columns):
    """Columns whose functions of whole columns are given a number that they accept, whatever the data."""

    def whole(self, f: Factor, name: str, x: Any, state: dict[str, Any], options: dict[str, Any], fitting: bool) -> Any:
        at = state.get("lower_bound")
        return super().whole(f, name, np.full_like(x, 0.0 if at is None else at), state, options, fitting)


def _one_row(values: dict[str, Any]) -> Table:
    """A table of one row, its lags beside it."""
    columns: dict[str, Column] = {}
    for name, v in values.items():
        text = isinstance(v, str)
        columns[name] = Column(name, np.zeros(1, np.intp) if text else np.array([float(v)]), (v,) if text else None)
    return _Lagged({n: partial(columns.__getitem__, n) for n in columns}, 1)


class _Lagged(Table):
    """A table in which every lag of a column is the column."""

    def __getitem__(self, name: str) -> Column:
        if name.startswith(LAG):
            return super().__getitem__(name.removeprefix(LAG)[len("lag(") :].rpartition(",")[0])
        return super().__getitem__(name)


def _keys(read: Any) -> list[tuple[str, Factor]]:
    """Factors by the keys under which `Columns` remembers them."""
    keys = [(f"f{k}", f) for k, f in enumerate(read.factors)] + [(f"offset{k}", f) for k, f in enumerate(read.offsets)]
    return [*keys, *([("response", read.response)] if read.response else [])]


def _calls(f: Factor) -> list[str]:
    """The calls in an expression, as `Columns` remembers them."""
    return [ast.dump(n) for n in ast.walk(f.tree) if isinstance(n, ast.Call)] if f.tree is not None else []


def _plain(x: Any) -> Any:
    """What a function remembers, as lists and numbers."""
    if isinstance(x, dict):
        return {"pairs": [[_plain(k), _plain(v)] for k, v in x.items()]}
    if isinstance(x, np.ndarray):
        return {"array": _plain(x.tolist())}
    if isinstance(x, (list, tuple)):
        return [_plain(v) for v in x]
    if isinstance(x, np.generic):
        x = x.item()
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    raise NotDefined(f"a formula that remembers a {type(x).__name__} has no place in a file")


def _back(x: Any) -> Any:
    """From lists and numbers."""
    if isinstance(x, dict):
        return {_back(k): _back(v) for k, v in x["pairs"]} if "pairs" in x else np.array(x["array"], float)
    return [_back(v) for v in x] if isinstance(x, list) else x
