"""What the factors of a formula are, as arrays: missing rows, categories, and the functions a formula may call.

Imports formula_syntax, which has checked every name before anything here runs, and data. The next function is a line in
the tables of `formula_allowed.py` and a case of `Columns.value` or `Columns.whole`.
"""

import ast
import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .data import Column, Table, quoted
from .formula_allowed import CONTRASTS, ELEMENTWISE, OPTIONS, Factor, literal
from .formula_syntax import Formula

__all__ = ["LAG", "Columns", "columns_of", "complete_rows", "finite"]

LAG = "\0lag "
"""Begins the name of a lagged column in the working table; no formula can spell it."""


# ------------------------------------------------------------------------------------------------ missing values


def columns_of(factors: Sequence[Factor]) -> list[str]:
    """The columns of the working table that factors read; lagged ones by their own names."""
    found: dict[str, None] = {}

    def visit(node: ast.AST, names: dict[str, tuple[str, Any]]) -> None:
        if isinstance(node, ast.Call) and names[node.func.id][1] == "lag":  # type: ignore[attr-defined]
            found[LAG + _lag(node, names)[0]] = None
            return
        if isinstance(node, ast.Name) and names[node.id][0] == "column":
            found[names[node.id][1]] = None
        for child in ast.iter_child_nodes(node):
            visit(child, names)

    for f in factors:
        if f.column is not None:
            found[f.column] = None
        elif f.tree is not None:
            visit(f.tree, f.names)
    return list(found)


def _lag(node: ast.Call, names: dict[str, tuple[str, Any]]) -> tuple[str, str, int]:
    """What a lag is called, its column, and by how many rows."""
    column = names[node.args[0].id][1]  # type: ignore[attr-defined]
    given = [*node.args[1:], *(k.value for k in node.keywords)]
    k = literal(given[0], names) if given else 1
    return f"lag({column}, {k})", column, k


def complete_rows(full: Table, factors: Sequence[Factor]) -> tuple[Table, np.ndarray]:
    """The table with its lagged columns beside it, and which rows have every value the factors read."""
    lags: dict[str, Column] = {}
    for f in factors:
        for node in ast.walk(f.tree) if f.tree is not None else ():
            if isinstance(node, ast.Call) and f.names[node.func.id][1] == "lag":  # type: ignore[attr-defined]
                name, column, k = _lag(node, f.names)
                lags[LAG + name] = _lagged(full[column], name, k)
    makers: dict[str, Any] = {n: (lambda n=n: full[n]) for n in full}
    makers |= {n: (lambda c=c: c) for n, c in lags.items()}
    wide = Table(makers, full.n_rows, full.notes, full.source)
    complete = np.ones(full.n_rows, bool)
    for name in columns_of(factors):
        complete &= ~wide[name].missing
    return wide, complete


def _lagged(column: Column, name: str, k: int) -> Column:
    """The column k rows earlier; missing where there is no such row."""
    values = column.values if column.levels is not None else column.values.astype(np.float64)
    out = np.full_like(values, -1 if column.levels is not None else np.nan)
    if k > 0:
        out[k:] = values[:-k]
    elif k < 0:
        out[:k] = values[-k:]
    else:
        out[:] = values
    return Column(name, out, column.levels, column.ordered, column.boolean)


# ----------------------------------------------------------------------------------------------- values of factors


class Columns:
    """What factors are, as arrays; remembers levels and what whole-column functions found in the first data."""

    def __init__(self, read: Formula, wanted: dict[str, list[Any]]) -> None:
        self.read, self.wanted = read, wanted
        self.levels: dict[str, tuple[Any, ...]] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []

    def factor(self, key: str, f: Factor, part: Table, fitting: bool) -> Any:
        """The values of a factor as formulaic takes them: an array, or categories by their codes."""
        if f.column is not None:
            column = part[f.column]
            categorical = column.levels is not None if fitting else key in self.levels
            if not categorical:
                if fitting and f.column in self.wanted:
                    self.read.refuse(
                        f.start, f"levels are given for {f.column!r}, which holds numbers; write C({f.display})"
                    )
                return self.numbers(f, column)
            return self.categories(key, f, column, fitting)
        assert f.tree is not None
        if f.function == "C":
            return self.categories(key, f, self.looked_up(f, f.tree.args[0], part), fitting)  # type: ignore[attr-defined]
        with np.errstate(all="ignore"):
            value = self.value(f, f.tree, part, key, fitting)
        return np.full(part.n_rows, value) if np.ndim(value) == 0 and not isinstance(value, dict) else value

    def response(self, f: Factor, part: Table, fitting: bool) -> tuple[np.ndarray, tuple[Any, ...] | None]:
        """The response: numbers, or codes with their levels."""
        categorical = f.function == "C" or (f.column is not None and part[f.column].levels is not None)
        if fitting and not categorical and f.column in self.wanted:
            categorical = True
        if categorical if fitting else "response" in self.levels:
            column = part[f.column] if f.column else self.looked_up(f, f.tree.args[0], part)  # type: ignore[union-attr]
            codes = self.codes("response", f, column, fitting)
            return (codes if fitting else codes.astype(np.float64)), self.levels["response"]
        return np.asarray(self.factor("response", f, part, fitting), np.float64), None

    def offset(self, offsets: Sequence[Factor], part: Table, fitting: bool) -> np.ndarray:
        """The sum of the offsets."""
        total = np.zeros(part.n_rows)
        with np.errstate(all="ignore"):
            for k, f in enumerate(offsets):
                total += self.value(f, f.tree.args[0], part, f"offset{k}", fitting)  # type: ignore[union-attr]
        return total

    def looked_up(self, f: Factor, node: ast.expr, part: Table) -> Column:
        """The column a name or a lag stands for."""
        if isinstance(node, ast.Call):
            return part[LAG + _lag(node, f.names)[0]]
        return part[f.names[node.id][1]]  # type: ignore[attr-defined]

    def numbers(self, f: Factor, column: Column) -> np.ndarray:
        if column.levels is not None:
            shown = quoted(column.levels, 4)
            self.read.refuse(
                f.start, f"`{column.name}` holds text ({shown}) where numbers are needed; write C({column.name})"
            )
        return column.values.astype(np.float64, copy=False)

    # ---------------------------------------------------------------------------------------------- categories

    def codes(self, key: str, f: Factor, column: Column, fitting: bool) -> np.ndarray:
        """Codes into the levels of a factor; the levels are settled when fitting."""
        given: Any = self.arguments(f).get("levels") if f.function == "C" else None
        given = given or self.wanted.get(column.name)
        if not fitting:
            coded = column.as_levels(self.levels[key])
            self.unseen(f, coded, column, f"a level the model has not seen; it has seen {quoted(self.levels[key])}")
            return coded.values
        coded = column.as_levels(given)
        assert coded.levels is not None
        if given:
            if len(set(given)) < len(given):
                self.read.refuse(f.start, f"the levels given for {column.name!r} name one twice")
            self.unseen(f, coded, column, f"which is not among the levels given: {quoted(given)}")
        else:
            present = np.bincount(coded.values, minlength=len(coded.levels)) > 0
            if not present.all():
                absent = [v for v, there in zip(coded.levels, present, strict=True) if not there]
                self.notes.append(f"no row has {quoted(absent)} of `{column.name}`; it has no coefficient")
                coded = coded.as_levels([v for v, there in zip(coded.levels, present, strict=True) if there])
        assert coded.levels is not None
        self.levels[key] = coded.levels
        return coded.values

    def unseen(self, f: Factor, coded: Column, column: Column, why: str) -> None:
        """Refuse values that have no level, by name."""
        bad = np.flatnonzero(coded.values == -2)
        if len(bad):
            v = column.values[bad[0]]
            values = {column.levels[c] if column.levels is not None else _tidy(c) for c in column.values[bad]}
            first = column.levels[v] if column.levels is not None else _tidy(v)
            others = sorted(map(str, values - {first}))
            more = f" (and {quoted(others, 4)})" if others else ""
            n = f"{len(bad)} row{'s' * (len(bad) > 1)}"
            self.read.refuse(f.start, f"`{column.name}` is {first!r}{more} in {n}, {why}")

    def categories(self, key: str, f: Factor, column: Column, fitting: bool) -> Any:
        """Categories as formulaic encodes them; it sees the codes, not the texts."""
        import pandas
        from formulaic.transforms.contrasts import C

        codes = self.codes(key, f, column, fitting)
        levels = self.levels[key]
        options = self.arguments(f) if f.function == "C" else {}
        if fitting and len(levels) == 1:
            self.notes.append(f"`{column.name}` is {levels[0]!r} in every row that is used; it may add no column")
        dtype = pandas.CategoricalDtype(range(len(levels)))
        series = pandas.Series(pandas.Categorical.from_codes(codes, dtype=dtype))
        contrasts = self.contrasts(f, options["contrasts"], levels) if options.get("contrasts") else None
        return C(series, contrasts, spans_intercept=options.get("spans_intercept", True))

    def arguments(self, f: Factor) -> dict[str, Any]:
        """The literal arguments of a call, by name; contrasts as (name, arguments)."""
        assert isinstance(f.tree, ast.Call)
        return _arguments(f.tree, f.names)

    def contrasts(self, f: Factor, wanted: tuple[str, dict[str, Any]], levels: tuple[Any, ...]) -> Any:
        from formulaic.transforms.contrasts import ContrastsRegistry

        name, options = wanted
        if "base" in options:
            if options["base"] not in levels:
                self.read.refuse(
                    f.start, f"{options['base']!r} is not a level of `{f.display}`; it has {quoted(levels)}"
                )
            options = {"base": levels.index(options["base"])}
        if options.get("scores") and len(options["scores"]) != len(levels):
            self.read.refuse(
                f.start, f"scores has {len(options['scores'])} numbers for {len(levels)} levels: {quoted(levels)}"
            )
        return getattr(ContrastsRegistry, name.removeprefix("contr."))(**options)

    # --------------------------------------------------------------------------------------------- expressions

    def value(self, f: Factor, node: ast.expr, part: Table, key: str, fitting: bool) -> Any:
        """The value of a checked tree: float64 arrays, or numbers."""
        match node:
            case ast.Name(id=name):
                kind, value = f.names[name]
                return self.numbers(f, part[value]) if kind == "column" else np.float64(value)
            case ast.UnaryOp(op=op, operand=inner):
                value = self.value(f, inner, part, key, fitting)
                return -value if isinstance(op, ast.USub) else value
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.value(f, left, part, key, fitting), self.value(f, right, part, key, fitting)
                return ARITHMETIC[type(op)](a, b)
            case ast.Call(func=ast.Name(id=name), args=[first, *_]):
                function = f.names[name][1]
                if function == "lag":
                    return self.numbers(f, self.looked_up(f, node, part))
                inside = self.value(f, first, part, key, fitting)
                if function in ELEMENTWISE:
                    return getattr(np, function)(inside)
                if function in ("I", "offset"):
                    return inside
                state = self.states.setdefault(f"{key} {ast.dump(node)}", {})
                return self.whole(f, function, inside, state, _arguments(node, f.names), fitting)
        raise TypeError(type(node).__name__)  # no checked tree has it

    def whole(
        self, f: Factor, name: str, x: np.ndarray, state: dict[str, Any], options: dict[str, Any], fitting: bool
    ) -> Any:
        """A function of a whole column; what it finds in the first data is kept in `state`."""
        if name in ("center", "scale", "standardize"):
            return self.scaled(f, name, x, state, options)
        from formulaic import transforms

        if name == "poly" and fitting and not options.get("raw") and len(np.unique(x)) <= options.get("degree", 1):
            n = len(np.unique(x))
            self.read.refuse(
                f.start, f"`{f.display}` needs more than {n} distinct value{'s' * (n != 1)}; lower its degree"
            )
        functions = {
            "poly": transforms.poly,
            "bs": transforms.basis_spline,
            "cr": transforms.natural_cubic_spline,
            "cs": transforms.natural_cubic_spline,
            "cc": transforms.cyclic_cubic_spline,
        }
        try:
            return functions[name](x, **options, _state=state if fitting else copy.deepcopy(state))
        except Exception as error:
            low, high = state.get("lower_bound"), state.get("upper_bound")
            if "beyond" in str(error) and low is not None and high is not None:
                x = x[(x < low) | (x > high)]
                way = '; write extrapolation="extend" or "clip" in it'
                self.read.refuse(
                    f.start, f"`{f.display}` is made on {low:g} to {high:g}, and meets {x[0]:g} outside{way}"
                )
            self.read.refuse(f.start, f"`{f.display}` cannot be made: {' '.join(str(error).split())}")

    def scaled(self, f: Factor, name: str, x: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> np.ndarray:
        """Less its mean, over its standard deviation: over n − 1 in `scale`, as in R; over n in `standardize`."""
        if not state:
            rescale = name != "center" and options.get("scale", options.get("rescale", True))
            state["center"] = float(np.mean(x)) if options.get("center", True) else 0.0
            ddof = options.get("ddof", 1 if name == "scale" else 0)
            squares = float(np.sum((x - state["center"]) ** 2))
            state["scale"] = math.sqrt(squares / (len(x) - ddof)) if rescale and len(x) > ddof else 1.0
            if state["scale"] == 0:
                self.read.refuse(
                    f.start, f"`{f.display}` divides by the spread of a column that is the same in every row"
                )
        scaled: np.ndarray = (x - state["center"]) / state["scale"]
        return scaled


def finite(
    X: np.ndarray,
    names: Sequence[str],
    sources: Sequence[Sequence[Factor]],
    part: Table,
    rows: np.ndarray,
    read: Formula,
) -> None:
    """Refuse the first value that is not finite, with its row and what it was computed from."""
    with np.errstate(all="ignore"):
        if np.isfinite(X.sum()):
            return
    bad = np.argwhere(~np.isfinite(X))
    if not len(bad):
        return
    row, k = bad[0]
    used = [n for n in columns_of(sources[k]) if part[n].levels is None]
    where = ", ".join(f"{n.removeprefix(LAG)} = {part[n].values[row]:g}" for n in used)
    infinite = any(np.isinf(part[n].values[row]) for n in used)
    where = "" if infinite else f", where {where}"
    fix = "mark it as missing, or leave the row out" if infinite else "leave such rows out, or change the function"
    place = f"row {rows[row]} (the first is 0)"
    read.refuse(sources[k][0].start, f"{names[k]} is {X[row, k]:g} in {place}{where}; {fix}")


def _tidy(value: Any) -> Any:
    value = float(value)
    return int(value) if value.is_integer() else value


def _arguments(node: ast.Call, names: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """The literal arguments after the first, by name."""
    function = names[node.func.id][1]  # type: ignore[attr-defined]
    given = dict(zip(OPTIONS[function], node.args[1:], strict=False))
    given |= {("contrasts" if k.arg == "contr" else str(k.arg)): k.value for k in node.keywords}
    out: dict[str, Any] = {}
    for word, value in given.items():
        if word == "contrasts":
            call = value if isinstance(value, ast.Call) else ast.Call(value, [], [])
            name = names[call.func.id][1]  # type: ignore[attr-defined]
            words = dict(zip(CONTRASTS[name], call.args, strict=False))
            words |= {("base" if k.arg == "reference" else str(k.arg)): k.value for k in call.keywords}
            out[word] = (name, {w: literal(v, names) for w, v in words.items()})
        else:
            out[word] = literal(value, names)
    return out


ARITHMETIC: dict[type, Any] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
