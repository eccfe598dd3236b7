"""A formula and a table as a response and a model matrix, remembered so that new data are encoded the same way.

Imports formula_syntax, which reads and checks the text, formula_columns, which computes the factors, and data.
formulaic expands the terms and encodes the categories; it is given factor names (`f0 + f1:f2`) and finished columns,
never text to evaluate. The next thing a model wants of its formula is a method of `Design`.
"""

import copy
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .data import Table, table
from .formula_allowed import Factor
from .formula_columns import LAG, Columns, columns_of, complete_rows, finite
from .formula_syntax import Formula, parse

__all__ = ["Design", "design"]

LARGEST = 2**30
"""How many numbers a model matrix may hold: 8 GiB of them."""


@dataclass
class Design:
    """A response and a model matrix, as `design` makes them.

    Attributes
    ----------
    formula : str
    response : ndarray of shape (n,), or None
        Numbers as float64; for text and categories the codes of `response_levels`.
    response_name : str or None
    response_levels : tuple or None
    X : ndarray of shape (n, p)
        The model matrix of the complete rows, in the order of the data.
    names : tuple of str
        The names of its columns.
    terms : dict of str to tuple of int
        The columns each term has made; "Intercept" for the intercept.
    levels : dict of str to tuple
        The levels of every category, by the name of its factor.
    rows : ndarray of shape (n,)
        Which rows of the data these are.
    n_rows : int
        How many rows the data have.
    missing : dict of str to int
        How many values were missing, for every column that missed any.
    offset : ndarray of shape (n,), or None
    notes : tuple of str
        What was left out or added nothing, in sentences.
    beside : dict of str to str
        The columns that a fit was given as "offset" and "exposure".
    """

    formula: str
    response: np.ndarray | None
    response_name: str | None
    response_levels: tuple[Any, ...] | None
    X: np.ndarray
    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    levels: dict[str, tuple[Any, ...]]
    rows: np.ndarray
    n_rows: int
    missing: dict[str, int]
    offset: np.ndarray | None
    notes: tuple[str, ...]
    _read: Formula = field(repr=False)
    _columns: "Columns" = field(repr=False)
    _spec: Any = field(repr=False)
    beside: dict[str, str] = field(default_factory=dict)

    @property
    def without_intercept(self) -> tuple[np.ndarray, bool]:
        """The columns but for the intercept, and whether there is one."""
        has = bool(self.names) and self.names[0] == "Intercept" and bool((self.X[:, 0] == 1).all())
        return (self.X[:, 1:] if has else self.X), has

    def matrix(self, data: Any) -> np.ndarray:
        """The model matrix of new data, encoded as the first data were.

        Parameters
        ----------
        data : anything `bibun.models.data.table` takes
            With the columns of the formula's right side; rows may be none.

        Returns
        -------
        ndarray of shape (n_new, p)
            Rows in their order; a row with a missing value is NaN.

        Raises
        ------
        ValueError
            For a category the model has not seen (named), a missing column, text where there were numbers.

        Examples
        --------
        >>> from bibun.models.formula import design
        >>> d = design("y ~ g", {"y": [1, 2, 3], "g": ["a", "b", "a"]})
        >>> d.matrix({"g": ["b", None, "a"]})
        array([[ 1.,  1.],
               [nan, nan],
               [ 1.,  0.]])
        """
        factors = {name: self._read.factors[int(name[1:])] for name in _used(self._spec.formula)}
        full, complete = complete_rows(_new(data), list(factors.values()))
        matrix = np.full((full.n_rows, len(self.names)), np.nan)
        if complete.any() and self.names:
            part = full.take(complete)
            values = {name: self._columns.factor(name, f, part, fitting=False) for name, f in factors.items()}
            matrix[complete] = _materialize(copy.deepcopy(self._spec), values, part.n_rows)[0]
        return matrix

    def offset_of(self, data: Any) -> np.ndarray | None:
        """The offset of new data, shape (n_new,); None if the formula has none."""
        if not self._read.offsets:
            return None
        full, complete = complete_rows(_new(data), self._read.offsets)
        offset = np.full(full.n_rows, np.nan)
        if complete.any():
            offset[complete] = self._columns.offset(self._read.offsets, full.take(complete), fitting=False)
        return offset

    def offset_at(self, data: Any, given: Any = None) -> np.ndarray | None:
        """The offset of new rows: the formula's, and what is given or else the columns of `beside`."""
        total = self.offset_of(data)
        parts = [np.asarray(given, float)] if given is not None else self._beside(_new(data)) if self.beside else []
        for part in parts:
            total = part if total is None else total + part
        return total

    def _beside(self, new: Table) -> Iterator[np.ndarray]:
        """What the columns of `beside` add to the linear predictor."""
        for what, name in self.beside.items():
            if name not in new:
                raise ValueError(f"{new.unknown(name)}: it was {what}= of the fit; give it, or predict(…, offset=…)")
            values = np.asarray(new[name].values, float)
            with np.errstate(divide="ignore", invalid="ignore"):
                yield np.log(values) if what == "exposure" else values

    def response_of(self, data: Any) -> np.ndarray:
        """The response of new data, shape (n_new,), in the first data's codes; NaN where it is missing."""
        response = self._read.response
        if response is None:
            raise ValueError(f"the formula {self.formula!r} has no response")
        full, complete = complete_rows(_new(data), [response])
        values = np.full(full.n_rows, np.nan)
        if complete.any():
            values[complete] = self._columns.response(response, full.take(complete), fitting=False)[0]
        return values


def design(
    formula: str, data: Any, levels: Mapping[str, Sequence[Any]] | None = None, *, also: Sequence[str] = ()
) -> Design:
    """The response and the model matrix that a formula makes of data.

    Parameters
    ----------
    formula : str
        In the notation of Wilkinson and Rogers: `y ~ x1 + C(g) + x1:x2 + log(x)`. Names with spaces stand in backticks;
        `- 1` or `0 +` leaves the intercept out; `offset(x)` adds x with coefficient 1; `.` is every other column.
    data : dict of arrays, DataFrame, Arrow table, structured array, or Table
    levels : dict of str to sequence, optional
        The order of a column's categories, the first being the reference.
    also : sequence of str
        Further columns that must not be missing in the rows that are kept, such as weights.

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        For what a formula may not contain, a column that is not there, no complete row, a value that is not finite;
        the message shows the place in the formula.
    ImportError
        If formulaic is not installed.

    Notes
    -----
    Nothing of a formula is evaluated by Python: it is read here, its names are looked up in fixed tables, and formulaic
    gets terms of finished columns. Rows with a missing value in a column that is used are left out and counted.
    Functions of a whole column (`center`, `poly`, `bs`, …) see the rows that are kept; `lag` sees all rows.

    Wilkinson, G. N. and Rogers, C. E. (1973). Symbolic description of factorial models for analysis of variance.
    Applied Statistics 22, 392–399.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.models.formula import design
    >>> data = {"y": [1.0, 2.0, 3.0, 4.0], "x": [1.0, np.nan, 3.0, 4.0], "g": ["a", "b", "b", "a"]}
    >>> d = design("y ~ log(x) + g", data)
    >>> d.names
    ('Intercept', 'log(x)', 'g[T.b]')
    >>> d.X.shape, d.missing, d.rows
    ((3, 3), {'x': 1}, array([0, 2, 3]))
    """
    try:
        import formulaic
    except ImportError as error:
        raise ImportError('formulas need formulaic: pip install "bibun[all]"') from error
    full = table(data)
    read = parse(formula, full)
    for name in (*(levels or {}), *also):
        if name not in full:
            raise ValueError(full.unknown(name))
    terms = formulaic.Formula(read.skeleton, _context={})
    factors = {name: read.factors[int(name[1:])] for name in _used(terms)}
    needed = [*([read.response] if read.response else []), *factors.values(), *read.offsets]
    needed += [Factor(name, 0, column=name) for name in also]
    full, complete = complete_rows(full, needed)
    missing = {n.removeprefix(LAG): k for n, k in full.missing(columns_of(needed)).items()}
    if not complete.any():
        counts = ", ".join(f"{n!r} in {k}" for n, k in missing.items())
        raise ValueError(f"none of the {full.n_rows} rows is complete; values are missing of {counts}")
    part, rows = full.take(complete), np.flatnonzero(complete)
    columns = Columns(read, {k: list(v) for k, v in (levels or {}).items()})
    values = {name: columns.factor(name, f, part, fitting=True) for name, f in factors.items()}
    _affordable(terms, read, columns, part.n_rows)
    X, spec = _materialize(terms, values, part.n_rows)
    names, spans, sources = _named(spec, read, columns)
    finite(X, names, sources, part, rows, read)
    response, response_levels = None, None
    if read.response is not None:
        response, response_levels = columns.response(read.response, part, fitting=True)
        finite(response[:, None], (read.response.display,), [(read.response,)], part, rows, read)
    offset = None
    if read.offsets:
        offset = columns.offset(read.offsets, part, fitting=True)
        finite(offset[:, None], ("the offset",), [read.offsets], part, rows, read)
    notes = [*full.notes, *_left_out(missing, full.n_rows, part.n_rows), *columns.notes, *_not_centred(read, sources)]
    known = {read.factors[int(k[1:])].display: v for k, v in columns.levels.items() if k.startswith("f")}
    return Design(
        read.text,
        response,
        read.response.display if read.response else None,
        response_levels,
        X,
        names,
        spans,
        known,
        rows,
        full.n_rows,
        missing,
        offset,
        tuple(notes),
        read,
        columns,
        spec,
    )


def _used(terms: Any) -> list[str]:
    """The factors that terms are made of, each once."""
    return list(dict.fromkeys(f.expr for term in terms for f in term.factors if f.expr != "1"))


def _affordable(terms: Any, read: Formula, columns: Columns, n_rows: int) -> None:
    """Refuse a matrix that would not fit, by the category that makes it so: numbers read as text, or an identifier."""
    widths = {name: len(levels) for name, levels in columns.levels.items()}
    width = sum(math.prod(widths.get(f.expr, 1) for f in term.factors) for term in terms)
    if n_rows * width > LARGEST and widths:
        name = max(widths, key=widths.__getitem__)
        f = read.factors[int(name[1:])]
        why = f"`{f.display}` alone has {widths[name]} levels in {n_rows} rows"
        read.refuse(
            f.start, f"the model matrix would have {width} columns and take {n_rows * width / 2**27:.0f} GiB; {why}"
        )


def _new(data: Any) -> Table:
    return table(data, allow_empty=True).renamed("the new data")


def _not_centred(read: Formula, sources: list[list[Factor]]) -> list[str]:
    """What to write where a cubic spline, whose columns sum to 1, stands beside an intercept."""
    splines = [s[0] for s in sources if len(s) == 1 and s[0].function in ("cr", "cs", "cc") and read.intercept]
    given = {f.display: [k.arg for k in f.tree.keywords] for f in splines}  # type: ignore[union-attr]
    return [
        f'the columns of `{f}` sum to 1, as the intercept does: write `{f[:-1]}, constraints="center")`, or 0 + first'
        for f, options in given.items()
        if "constraints" not in options
    ]


def _left_out(missing: dict[str, int], n_rows: int, kept: int) -> list[str]:
    if kept == n_rows:
        return []
    counts = ", ".join(f"{k} of {n!r}" for n, k in missing.items())
    left = n_rows - kept
    return [f"{left} of {n_rows} rows {'is' if left == 1 else 'are'} left out for missing values: {counts}"]


# ------------------------------------------------------------------------------------------------------- formulaic


def _materialize(spec: Any, values: dict[str, Any], n_rows: int) -> tuple[np.ndarray, Any]:
    """The matrix formulaic makes of named, finished columns."""
    import pandas

    frame = pandas.DataFrame(index=range(n_rows))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # everything it would warn about has been checked
        made = spec.get_model_matrix(frame, context=values, output="numpy", na_action="ignore")
    return np.ascontiguousarray(np.asarray(made, np.float64)), made.model_spec


def _named(
    spec: Any, read: Formula, columns: Columns
) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]], list[list[Factor]]]:
    """Names of the columns, the columns of each term, and the factors of each column, in the words of the formula."""
    names: list[str] = []
    sources: list[list[Factor]] = []
    terms: dict[str, tuple[int, ...]] = {}
    for term, _, made in spec.structure:
        factors = [read.factors[int(f.expr[1:])] for f in term.factors if f.expr != "1"]
        sources += [factors] * len(made)
        terms[":".join(f.display for f in factors) or "Intercept"] = tuple(range(len(names), len(names) + len(made)))
        names += [":".join(_part(p, read, columns) for p in name.split(":")) for name in made]
    return tuple(names), terms, sources


def _part(part: str, read: Formula, columns: Columns) -> str:
    """`f2[T.1]` as `C(g)[T.b]`."""
    match = re.fullmatch(r"f(\d+)(?:\[([A-Z]\.)?(\d+)\])?(.*)", part)
    if not match:
        return part
    number, coding, code, rest = match.groups()
    display = read.factors[int(number)].display
    if code is None:
        return display + rest
    levels = columns.levels.get(f"f{number}")
    return f"{display}[{coding or ''}{levels[int(code)] if levels is not None else code}]{rest}"
