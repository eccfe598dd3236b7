"""What people have — dicts of arrays, pandas, polars, Arrow, structured arrays — as NumPy columns by name.

May import errors and typing; frames are read through narwhals, loaded when one is given. `formula.py` builds design
matrices from a `Table`, `table_files.py` reads files into one; the next thing that becomes a table goes below.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Column", "Table", "quoted", "table"]

SHOWN = 12
"""How many names a message lists before it stops."""


def quoted(names: Iterable[Any], limit: int = SHOWN) -> str:
    """`'a', 'b', 'c' and 3 more`: names as a message lists them."""
    names = list(names)
    shown = ", ".join(repr(n) for n in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


class Column:
    """One column: numbers as they are, or codes into levels.

    Parameters
    ----------
    name : str
    values : ndarray of shape (n,)
        Numbers; booleans are 0 and 1; where there are levels, integer codes, −1 for a missing value.
    levels : tuple, optional
        The categories, in their order; None for numbers.
    ordered : bool
        Whether the order of the levels means something.
    boolean : bool
        The numbers were booleans.
    """

    __slots__ = ("_missing", "boolean", "levels", "name", "ordered", "values")

    def __init__(
        self,
        name: str,
        values: np.ndarray,
        levels: tuple[Any, ...] | None = None,
        ordered: bool = False,
        boolean: bool = False,
    ) -> None:
        self.name, self.values, self.levels, self.ordered, self.boolean = name, values, levels, ordered, boolean
        self._missing: np.ndarray | None = None

    @property
    def missing(self) -> np.ndarray:
        """Where the values are missing, shape (n,), bool."""
        if self._missing is None:
            if self.levels is not None:
                self._missing = self.values < 0
            elif self.values.dtype.kind == "f":
                self._missing = np.isnan(self.values)
            else:
                self._missing = np.zeros(len(self.values), bool)
        return self._missing

    @property
    def numeric(self) -> bool:
        """Numbers, rather than categories."""
        return self.levels is None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> "Column":
        """The column at some rows (a mask or positions), levels kept."""
        return Column(self.name, self.values[rows], self.levels, self.ordered, self.boolean)

    def as_levels(self, levels: Sequence[Any] | None = None) -> "Column":
        """The column as categories: its own levels, its sorted distinct numbers, or the levels given.

        A value that is not among the given levels gets the code −2, so that the caller can name it.
        """
        if levels is None and self.levels is not None:
            return self
        if self.levels is not None:
            own: Sequence[Any] = self.levels
            codes = self.values
        else:
            present = self.values[~self.missing]
            distinct, inverse = np.unique(present, return_inverse=True)
            codes = np.full(len(self.values), -1, np.intp)
            codes[~self.missing] = inverse
            own = [_plain(v, self.boolean) for v in distinct]
        if levels is None:
            return Column(self.name, codes, tuple(own))
        where = {level: k for k, level in enumerate(levels)}
        lookup = np.array([where.get(level, -2) for level in own] + [-1], np.intp)
        return Column(self.name, lookup[codes], tuple(levels), self.ordered)

    def __repr__(self) -> str:
        kind = f"levels {quoted(self.levels, 4)}" if self.levels is not None else str(self.values.dtype)
        return f"<column {self.name!r}: {len(self.values)} rows, {kind}>"


class Table:
    """Columns by name, converted when they are first asked for. Made by `table`.

    `t["x"]` is a `Column`; `names`, `n_rows`; `missing()` counts; `take(rows)` selects; `arrays()` gives plain arrays.
    `notes` are sentences about how the table was read.
    """

    def __init__(
        self,
        makers: Mapping[str, Callable[[], Column]],
        n_rows: int,
        notes: tuple[str, ...] = (),
        source: str = "the data",
    ) -> None:
        self._makers, self.n_rows, self.notes, self.source = dict(makers), n_rows, notes, source
        self._made: dict[str, Column] = {}

    def __getstate__(self) -> tuple[Any, ...]:
        return [self[n] for n in self.names], self.n_rows, self.notes, self.source

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        columns, *rest = state
        self.__init__({c.name: (lambda c=c: c) for c in columns}, *rest)  # type: ignore[misc]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __getitem__(self, name: str) -> Column:
        if name not in self._made:
            if name not in self._makers:
                raise ValueError(self.unknown(name))
            self._made[name] = self._makers[name]()
        return self._made[name]

    def unknown(self, name: str) -> str:
        """The sentence about a column that is not there, with the nearest name and the list."""
        folded = {n.casefold().strip(): n for n in reversed(self.names)}
        near = difflib.get_close_matches(name.casefold().strip(), list(folded), 1, 0.6)
        guess = f" (did you mean {folded[near[0]]!r}?)" if near else ""
        return f"{self.source} has no column {name!r}{guess}; its columns are {quoted(self.names)}"

    def missing(self, names: Iterable[str] | None = None) -> dict[str, int]:
        """How many values are missing, for the columns that miss any."""
        counts = {n: int(np.count_nonzero(self[n].missing)) for n in (self.names if names is None else names)}
        return {n: k for n, k in counts.items() if k}

    def take(self, rows: np.ndarray) -> "Table":
        """The table at some rows (a mask or positions), in that order."""
        rows = np.asarray(rows)
        n_rows = int(np.count_nonzero(rows)) if rows.dtype == bool else len(rows)
        makers = {n: (lambda n=n: self[n].take(rows)) for n in self.names}
        return Table(makers, n_rows, self.notes, self.source)

    def arrays(self, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """Plain arrays by name, as a likelihood reads them: numbers, or the codes of the levels."""
        return {n: self[n].values for n in (self.names if names is None else names)}

    def renamed(self, source: str, notes: tuple[str, ...] | None = None) -> "Table":
        """The same columns, called something else in messages."""
        same = Table(self._makers, self.n_rows, self.notes if notes is None else notes, source)
        same._made = self._made
        return same

    def __repr__(self) -> str:
        return f"<table: {self.n_rows} rows; {', '.join(self.names[:SHOWN])}{', …' if len(self.names) > SHOWN else ''}>"


def table(data: Any, *, allow_empty: bool = False) -> Table:
    """Columns of whatever holds them, as NumPy arrays by name, without copies where possible.

    Parameters
    ----------
    data : dict of arrays, DataFrame, Arrow table, structured array, or Table
        pandas, polars, Arrow and the like are read through narwhals. Row order is kept; a pandas index is not used.
    allow_empty : bool
        Accept a table without rows.

    Returns
    -------
    Table
        Numeric columns as they are (the same memory for NumPy arrays); integers with missing values become float64 with
        NaN; booleans become 0 and 1; text and categories become codes and levels, in the categories' own order.

    Raises
    ------
    TypeError
        If `data` is not a table.
    ValueError
        For duplicate names, unequal lengths, no columns, or no rows.

    Examples
    --------
    >>> from bibun.models.data import table
    >>> t = table({"x": [1.0, float("nan"), 3.0], "g": ["b", "a", "b"]})
    >>> t["g"].values, t["g"].levels
    (array([1, 0, 1]), ('a', 'b'))
    >>> t.missing()
    {'x': 1}
    """
    made = _as_table(data)
    if not made.names:
        raise ValueError("the table has no columns")
    if not made.n_rows and not allow_empty:
        raise ValueError(f"the table has no rows; its columns are {quoted(made.names)}")
    return made


def _as_table(data: Any) -> Table:
    if isinstance(data, Table):
        return data
    if isinstance(data, Mapping):
        return _from_columns(data)
    if isinstance(data, np.ndarray):
        if data.dtype.names is not None:
            return _from_columns({n: np.atleast_1d(data)[n] for n in data.dtype.names})
        raise TypeError(
            f"an array of shape {data.shape} has no column names; "
            "give a dict such as {'x': a[:, 0], 'y': a[:, 1]}, or a structured array"
        )
    if not (hasattr(type(data), "columns") or hasattr(type(data), "column_names")):
        raise TypeError(
            f"{type(data).__name__} is not a table; give a dict of arrays, a pandas or polars DataFrame, "
            "an Arrow table, or a structured array" + ("; read_table reads a file" if isinstance(data, str) else "")
        )
    return _from_frame(data)


def _unique(names: Iterable[Any]) -> list[str]:
    """Names as text, each once."""
    text = [n if isinstance(n, str) else str(n) for n in names]
    twice = sorted({n for n in text if text.count(n) > 1}) if len(set(text)) < len(text) else []
    if twice:
        raise ValueError(f"the table has more than one column named {quoted(twice)}; rename all but one")
    return text


def _from_columns(data: Mapping[Any, Any]) -> Table:
    names = _unique(data)
    lengths: dict[str, int] = {}
    for name, values in zip(names, data.values(), strict=True):
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) == 0:
            raise ValueError(f"column {name!r} is a single value, {values!r}; give one value for each row")
        lengths[name] = len(values)
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{n!r} has {k}" for n, k in list(lengths.items())[:SHOWN])
        raise ValueError(f"the columns have unequal lengths: {listed}; give each one value for each row")
    makers = {n: (lambda n=n, v=v: _column(n, v)) for n, v in zip(names, data.values(), strict=True)}
    return Table(makers, next(iter(lengths.values()), 0))


def _from_frame(data: Any) -> Table:
    try:
        import narwhals.stable.v2 as nw
    except ImportError as error:
        raise ImportError(
            f'reading a {type(data).__name__} needs narwhals: pip install "bibun[all]", or give a dict of arrays'
        ) from error
    if hasattr(type(data), "collect"):  # a lazy frame: run it
        data = data.collect()
    names = _unique(data.column_names if hasattr(type(data), "column_names") else data.columns)
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError as error:
        raise TypeError(
            f"{type(data).__module__}.{type(data).__name__} is not a table that narwhals knows; "
            "give a dict of arrays, a pandas or polars DataFrame, or an Arrow table"
        ) from error
    # by position: names need not be strings in pandas
    makers = {n: (lambda n=n, k=k: _column(n, frame[:, k])) for k, n in enumerate(names)}
    return Table(makers, len(frame))


def _column(name: str, values: Any) -> Column:
    """One column from an array, a list, or a Series of any library."""
    if isinstance(values, Column):
        return Column(name, values.values, values.levels, values.ordered, values.boolean)
    if isinstance(values, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(values)
        if not hidden.any():
            return _from_array(name, np.asarray(values))
        plain = np.array(values.data, object)
        plain[hidden] = None
        return _from_objects(name, plain)
    if isinstance(values, np.ndarray):
        return _from_array(name, values)
    if hasattr(values, "categories") and hasattr(values, "codes"):  # pandas.Categorical
        return _from_codes(name, np.asarray(values.codes), list(values.categories), bool(values.ordered))
    if hasattr(values, "to_numpy"):
        return _from_series(name, values)
    if isinstance(values, (list, tuple)):
        return _from_list(name, values)
    return _from_array(name, np.asarray(values))


def _from_list(name: str, values: Sequence[Any]) -> Column:
    kinds = {type(v) for v in values}
    if kinds <= {int, float} or kinds <= {bool}:
        return _from_array(name, np.array(values, dtype=None if values else np.float64))
    return _from_objects(name, np.fromiter(values, object, len(values)))


def _from_array(name: str, values: np.ndarray) -> Column:
    if values.ndim != 1:
        raise ValueError(
            f"column {name!r} has shape {values.shape}; a column is one-dimensional: name its parts singly"
        )
    kind = values.dtype.kind
    if kind == "b":
        return Column(name, values.astype(np.float64), boolean=True)
    if kind in "iuf":
        return Column(name, values)
    if kind == "S":
        return _from_objects(name, np.char.decode(values, "utf-8").astype(object))
    if kind in "UT":
        return _from_objects(name, values.astype(object))
    if kind == "O":
        return _from_objects(name, values)
    if kind == "M":
        raise ValueError(
            f"column {name!r} holds dates ({values.dtype}); give numbers instead, for instance "
            "(day - day.min()) / np.timedelta64(1, 'D')"
        )
    if kind == "m":
        raise ValueError(f"column {name!r} holds durations; divide by a unit, for instance np.timedelta64(1, 'D')")
    raise ValueError(f"column {name!r} has values of type {values.dtype}; a model takes numbers, booleans or text")


def _absent(value: Any) -> bool:
    """None, NaN, pandas' NA and NaT."""
    if value is None:
        return True
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType")


def _plain(value: Any, boolean: bool = False) -> Any:
    """A level as Python prints it: 4 for np.float64(4.0)."""
    if boolean:
        return bool(value)
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _from_objects(name: str, values: np.ndarray) -> Column:
    if values.ndim != 1:
        raise ValueError(
            f"column {name!r} has shape {values.shape}; a column is one-dimensional: name its parts singly"
        )
    items = values.tolist()
    present = [v for v in items if not _absent(v)]
    kinds = {type(v) for v in present}
    if all(issubclass(k, str) for k in kinds) and kinds:
        codes: dict[Any, int] = {level: k for k, level in enumerate(sorted(set(present)))}
        return Column(name, np.array([codes.get(v, -1) for v in items], np.intp), tuple(codes))
    boolean = bool(kinds) and kinds <= {bool, np.bool_}
    try:
        numbers = [math.nan if _absent(v) else float(v) for v in _numbers_only(items)]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(_not_numbers(name, items, type(present[0]))) from None
    return Column(name, np.array(numbers, np.float64), boolean=boolean)


def _numbers_only(items: list[Any]) -> list[Any]:
    """The items, if none of them is text: float('1') would make a number of it."""
    for v in items:
        if isinstance(v, (str, bytes)) or (not _absent(v) and not hasattr(v, "__float__")):
            raise TypeError
    return items


def _not_numbers(name: str, items: list[Any], first: type) -> str:
    """The sentence about a column that is neither numbers nor text."""
    for k, v in enumerate(items):
        if not _absent(v) and type(v) is not first:
            return (
                f"column {name!r} mixes {first.__name__} and {type(v).__name__} ({v!r} in row {k}, the first being 0); "
                "make all of them text, or all numbers"
            )
    return f"column {name!r} holds {first.__name__} objects; a model takes numbers, booleans or text"


def _from_codes(name: str, codes: np.ndarray, categories: list[Any], ordered: bool) -> Column:
    return Column(name, codes.astype(np.intp), tuple(_plain(c) for c in categories), ordered)


def _from_series(name: str, values: Any) -> Column:
    """A Series of pandas, polars, Arrow or another library that narwhals knows."""
    try:
        import narwhals.stable.v2 as nw

        series = nw.from_native(values, series_only=True, pass_through=True)
    except ImportError:
        return _from_array(name, np.asarray(values.to_numpy()))
    if not isinstance(series, nw.Series):
        if hasattr(values, "to_pylist"):  # Arrow's arrays in one piece
            return _from_list(name, values.to_pylist())
        return _from_array(name, np.asarray(values.to_numpy()))
    if isinstance(series.dtype, (nw.Categorical, nw.Enum)):
        native = series.to_native()
        if hasattr(native, "cat") and hasattr(native.cat, "codes"):  # pandas
            return _from_codes(name, native.cat.codes.to_numpy(), list(native.cat.categories), bool(native.cat.ordered))
        ordered = bool(nw.is_ordered_categorical(series))
        categories = series.cat.get_categories().to_list()
        where = {c: k for k, c in enumerate(categories)}
        codes = np.array([where.get(v, -1) for v in series.to_list()], np.intp)
        if not ordered:  # order of appearance means nothing: sorted, as text is
            order = sorted(range(len(categories)), key=lambda k: categories[k])
            rank = np.empty(len(categories) + 1, np.intp)
            rank[order], rank[-1] = np.arange(len(categories)), -1
            codes, categories = rank[codes], [categories[k] for k in order]
        return _from_codes(name, codes, categories, ordered)
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        if series.dtype != nw.Boolean and series.null_count():
            series = series.cast(nw.Float64)
        return _from_array(name, np.asarray(series.to_numpy()))
    if series.dtype == nw.String:
        return _from_objects(name, np.fromiter(series.to_list(), object, len(series)))
    return _from_array(name, np.asarray(series.to_numpy()))
