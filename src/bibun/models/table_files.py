"""Tables from files: CSV, TSV and Parquet, compressed too, `-` for standard input; every fault is one sentence.

Imports file_contents, which gives the bytes, and data. The csv module and NumPy read modest files; pyarrow, where it is
installed, large ones and Parquet (polars will do for Parquet). The next spelling of a number goes to `_number`.
"""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .data import Column, Table, quoted, table
from .file_contents import columnar, contents, kind_of, unfolded

__all__ = ["read_table"]

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", ".", "-", "−"})
"""What stands for a missing value, in any case of letters."""

TRUTH = {"true": 1.0, "false": 0.0}
DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
LARGE = 2**20
"""From this many characters on pyarrow reads, if it is there."""

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?")
DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")


def read_table(
    source: str | os.PathLike[str] | Any,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    names: Sequence[str] | None = None,
) -> Table:
    """The table in a file.

    Parameters
    ----------
    source : path, "-" for standard input, or a file open for bytes
        CSV, TSV or other delimited text; Parquet; any of them in .gz, .bz2, .xz, .zip or .zst. The kind is told by the
        content, not by the name.
    delimiter, encoding, decimal : str, optional
        Found from the content if not given: comma, tab, semicolon or bar; UTF-8, else cp932 (Shift_JIS), else latin-1;
        a point, or a comma beside semicolons or tabs.
    names : sequence of str, optional
        The names of the columns of a file whose first line is data.

    Returns
    -------
    Table
        Text becomes levels, true and false 1 and 0, and an empty cell, NA, N/A, NaN, null, `.` and `-` a missing value.
        `notes` says what was decided beyond plain UTF-8 and commas.

    Raises
    ------
    OSError
        If the file cannot be opened; the nearest name in its folder is offered.
    ValueError
        If it is not a table; the line is named.
    ImportError
        If the package that reads it is not installed.

    Examples
    --------
    >>> import io
    >>> from bibun.models.table_files import read_table
    >>> t = read_table(io.BytesIO('y;群\\n1,5;"a"\\n;b\\n'.encode("utf-8")))
    >>> t["y"].values, t["群"].levels
    (array([1.5, nan]), ('a', 'b'))
    """
    name, content = contents(source)
    notes: list[str] = []
    content = unfolded(name, content)
    kind = kind_of(content)
    if kind in ("Parquet", "Feather"):
        return columnar(name, content, kind).renamed(name)
    if kind != "text":
        raise ValueError(f"{name} is {kind}, not a table of text; save the table as CSV or Parquet")
    text = _decoded(name, content, encoding, notes)
    if not text.strip():
        raise ValueError(f"{name} is empty")
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise ValueError(f"{name} is a web page or XML, not a table; save the table itself as CSV")
    if re.match(r'\s*(\{\s*"|\[\s*[{\[])', text):
        raise ValueError(f"{name} looks like JSON; save it as CSV, one line for each row")
    text, delimiter = _delimiter(text, delimiter, notes)
    return _delimited(name, text, delimiter, decimal, names, notes).renamed(name, tuple(notes))


# ------------------------------------------------------------------------------------------------------------- text


def _decoded(name: str, content: bytes, encoding: str | None, notes: list[str]) -> str:
    """The text, by the encoding that is given or that fits."""
    if encoding is not None:
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except LookupError:
            raise ValueError(f"there is no encoding {encoding!r}; utf-8, cp932 and latin-1 are usual ones") from None
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            odd = f"byte 0x{content[error.start]:02X} in line {line}"
            raise ValueError(f"{name} is not in {encoding}: {odd} has no meaning in it; leave encoding out") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        notes.append(f"{name} is read as UTF-16")
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        odd = f"byte 0x{content[error.start]:02X} in line {line} is not UTF-8"
    try:
        text = content.decode("cp932")
        if _reads_as_japanese(text):
            notes.append(f"{name} is read as cp932 (Shift_JIS), since {odd}")
            return text
    except UnicodeDecodeError:
        pass
    notes.append(
        f"{name} is read as latin-1 for want of a better guess, since {odd}; give encoding if letters look wrong"
    )
    return content.decode("latin-1")


def _reads_as_japanese(text: str) -> bool:
    """Whether text from cp932 is Japanese; European bytes decode too, to rare kanji and single half-width kana."""
    runs = re.findall(r"[^\x00-\x7f]+", text[: 2**18])
    usual = sum(
        (c <= "\u30ff" and c >= "\u3000")
        or "\uff01" <= c <= "\uff5e"
        or ("\uff61" <= c <= "\uff9f" and len(run) > 1)
        or ("\u4e00" <= c <= "\u9fff" and c.encode("cp932")[0] <= 0x98)  # the kanji of the first level
        for run in runs
        for c in run
    )
    return bool(usual >= 0.7 * sum(map(len, runs)))


def _delimiter(text: str, delimiter: str | None, notes: list[str]) -> tuple[str, str]:
    """The text without a `sep=` line, and what separates its fields."""
    told = re.match(r'"?sep=(.)"?\r?\n', text)  # Excel writes it
    if told:
        text = text[told.end() :]
        delimiter = delimiter or told[1]
    if delimiter is not None:
        if len(delimiter) != 1:
            raise ValueError(f"a delimiter is one character; got {delimiter!r}")
        return text, delimiter
    sample = text[: 2**16]
    if len(sample) < len(text):
        sample = sample.rpartition("\n")[0] or sample
    best: tuple[Any, ...] = ()
    for rank, d in enumerate(DELIMITERS):
        try:
            lines = csv.reader(io.StringIO(sample, newline=""), delimiter=d, skipinitialspace=True)
            counts = [len(r) for r in lines if r][:200]
        except csv.Error:
            continue
        common, times = Counter(counts[1:] or counts).most_common(1)[0]
        if counts and counts[0] > 1:
            score = (counts[0] in (common, common - 1), times / len(counts), counts[0], -rank)
            best = max(best, (*score, d))
    if not best:
        return text, ","
    if best[-1] != ",":
        notes.append(f"fields are separated by {DELIMITERS[best[-1]]}")
    return text, best[-1]


# ----------------------------------------------------------------------------------------------------------- fields


def _delimited(
    name: str, text: str, delimiter: str, decimal: str | None, names: Sequence[str] | None, notes: list[str]
) -> Table:
    if len(text) >= LARGE:
        columns = _by_arrow(text, delimiter, names, decimal)
        if columns is not None:
            header, cells = columns
            header = _header(name, header, names, notes)
            return _columns(name, header, cells, None, delimiter, decimal, notes)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begun = 1
    try:
        for row in reader:
            if row and not (len(row) == 1 and not row[0].strip() and rows and len(rows[0]) > 1):
                rows.append(row)
                lines.append(begun)
            begun = reader.line_num + 1
    except csv.Error as error:
        why = str(error)
        if "end of data" in why or "field limit" in why:
            raise ValueError(
                f'{name}: a quotation mark opens in line {begun} and is not closed; close it or write "" for "'
            ) from None
        raise ValueError(
            f'{name}: line {begun} has text after a closing quotation mark; write "" for " inside quotes'
        ) from None
    if not rows:
        raise ValueError(f"{name} is empty")
    first = rows[0] if names is None else list(names)
    body, lines = (rows, lines) if names is not None else (rows[1:], lines[1:])
    if not body:
        raise ValueError(f"{name} has a line of names ({quoted(first, 6)}) and no rows under it")
    _rectangular(name, first, body, lines, names, delimiter, notes)
    header = _header(name, first, names, notes)
    cells = [np.array(c, object) for c in zip(*body, strict=True)]
    return _columns(name, header, cells, lines, delimiter, decimal, notes)


def _rectangular(
    name: str,
    first: list[str],
    body: list[list[str]],
    lines: list[int],
    names: Sequence[str] | None,
    delimiter: str,
    notes: list[str],
) -> None:
    """Every row has as many fields as there are names; R's row names get one, a last empty column goes."""
    widths = {len(r) for r in body}
    if names is None and widths == {len(first) + 1}:
        if all(not r[-1].strip() for r in body):
            for r in body:
                r.pop()
        else:
            first.insert(0, "row")
            notes.append("the first line has one name too few; the first column is taken for row names, 'row'")
        return
    for row, line in zip(body, lines, strict=True):
        if len(row) != len(first):
            fields = f"line {line} has {len(row)} field{'s' * (len(row) != 1)} and {len(first)} columns are named"
            shown = delimiter.join(row)
            shown = shown if len(shown) <= 60 else shown[:60] + "…"
            way = (
                "put quotes around a field that contains the delimiter" if len(row) > len(first) else "fill the line up"
            )
            raise ValueError(f"{name}: {fields}: {shown!r}; {way}, or take the line out")


def _header(name: str, first: Sequence[str], names: Sequence[str] | None, notes: list[str]) -> list[str]:
    """The names of the columns: stripped, none empty, each once."""
    header = [h.strip() for h in first]
    if names is None and all(NUMBER.fullmatch(h) for h in header if h) and any(header):
        raise ValueError(
            f"{name} begins with numbers ({quoted(header, 4)}), not names; add a first line, or give names"
        )
    for k, h in enumerate(header):
        if not h:
            header[k] = next(
                n for n in (f"column {j}" for j in range(k + 1, k + 1 + 2 * len(header))) if n not in header
            )
            notes.append(f"column {k + 1} has no name; it is called {header[k]!r}")
    for h, times in Counter(header).items():
        if times > 1:
            where = " and ".join(str(k + 1) for k, other in enumerate(header) if other == h)
            raise ValueError(f"{name}: columns {where} are both named {h!r}; rename one in the first line")
    return header


def _columns(
    name: str,
    header: list[str],
    cells: list[Any],
    lines: Sequence[int] | None,
    delimiter: str,
    decimal: str | None,
    notes: list[str],
) -> Table:
    if decimal not in (None, ".", ","):
        raise ValueError(f"decimal is '.' or ','; got {decimal!r}")
    decimal = decimal or _decimal(cells, delimiter, notes)
    made: dict[str, Any] = {}
    for h, values in zip(header, cells, strict=True):
        cells_only = isinstance(values, np.ndarray) and values.dtype == object
        made[h] = _typed(h, values, decimal, lines, notes) if cells_only else values
    if (
        header[-1].startswith("column ")
        and isinstance(made[header[-1]], np.ndarray)
        and np.isnan(made[header[-1]]).all()
    ):
        del made[header[-1]]  # a delimiter at the end of every line
        notes.pop(next(k for k, n in enumerate(notes) if repr(header[-1]) in n))
    return table(made)


def _decimal(cells: list[Any], delimiter: str, notes: list[str]) -> str:
    """Whether numbers have a comma or a point; a comma between fields leaves only the point.

    1.234 and 1,234 may be either; they count only where nothing else tells, and then a semicolon means a comma.
    """
    if delimiter == ",":
        return "."
    commas = points = unsure = 0
    for values in cells:
        for v in values[:1000] if isinstance(values, np.ndarray) and values.dtype == object else ():
            v = v.strip()
            if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", v):
                unsure += "," in v
            else:
                commas += bool(DECIMAL_COMMA.fullmatch(v))
                points += bool(DECIMAL_POINT.fullmatch(v))
    if commas > points or (unsure and delimiter == ";" and not points):
        notes.append("numbers are read with a decimal comma")
        return ","
    return "."


def _typed(name: str, values: Any, decimal: str, lines: Sequence[int] | None, notes: list[str]) -> Any:
    """A column of cells as numbers, as 0 and 1, or as text with None for what is missing."""
    cells = [v.strip() for v in values]
    gone = [v.lower() in MISSING for v in cells]
    present = [v for v, g in zip(cells, gone, strict=True) if not g]
    numbers = [_number(v, decimal) for v in present]
    odd = numbers.count(None)
    if present and all(v.lower() in TRUTH for v in present):
        numbers_iter = iter([TRUTH[v.lower()] for v in present])
        filled = [None if g else bool(next(numbers_iter)) for g in gone]
        return table({name: filled})[name]
    if not odd:
        if all(isinstance(v, int) and abs(v) < 2**63 for v in numbers) and len(present) == len(cells) and present:
            return np.array(numbers, np.int64)
        out = np.full(len(cells), np.nan)
        out[~np.array(gone, bool)] = numbers
        return out
    if odd <= max(3, len(present) // 50) and odd < len(present) / 2:
        k = next(k for k, (v, g) in enumerate(zip(cells, gone, strict=True)) if not g and _number(v, decimal) is None)
        place = f"line {lines[k]}" if lines is not None else f"row {k}"
        notes.append(f"column {name!r} is read as text because of {cells[k]!r} in {place}")
    text = np.empty(len(cells), object)
    text[:] = [None if g else v for v, g in zip(cells, gone, strict=True)]
    return text


def _number(cell: str, decimal: str) -> float | int | None:
    if decimal == ",":
        if DECIMAL_COMMA.fullmatch(cell) or re.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3})+", cell):
            cell = cell.replace(".", "").replace(",", ".")
        elif "." in cell:
            return None
    elif "," in cell:
        if not THOUSANDS.fullmatch(cell):
            return None
        cell = cell.replace(",", "")
    if cell.startswith("−"):
        cell = "-" + cell[1:]
    if not NUMBER.fullmatch(cell):
        return None
    return int(cell) if len(cell) < 19 and cell.lstrip("+-").isdecimal() else float(cell)


def _by_arrow(
    text: str, delimiter: str, names: Sequence[str] | None, decimal: str | None
) -> tuple[list[str], list[Any]] | None:
    """Header and columns read by pyarrow: numbers at once, the others as cells; None where it is not sure."""
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import csv as arrow
    except ImportError:
        return None
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) if names is None else list(names)
        if not header or any("\n" in h or "\r" in h for h in header) or text.count('"') % 2 or f'{delimiter} "' in text:
            return None
        keys = [f"c{k}" for k in range(len(header))]
        content = pa.py_buffer(text.encode("utf-8"))
        missing = sorted({f(m) for m in MISSING for f in (str, str.upper, str.title)} | {"NaN", "#N/A", "N/A"})

        def read(types: dict[str, Any]) -> Any:
            return arrow.read_csv(
                pa.BufferReader(content),
                read_options=arrow.ReadOptions(column_names=keys, skip_rows=int(names is None)),
                parse_options=arrow.ParseOptions(delimiter=delimiter, newlines_in_values='"' in text),
                convert_options=arrow.ConvertOptions(
                    column_types=types,
                    null_values=missing,
                    include_columns=list(types) or keys,
                    timestamp_parsers=["%Y"],  # no dates: text stays text
                ),
            )

        plain = decimal != "," and (delimiter == "," or not re.search(r"\d,\d", text[: 2**20]))
        first = read({}) if plain else None
        rest = [k for k in keys if first is None or not (pa.types.is_integer(t := first[k].type) or t == pa.float64())]
        cells: Any = read(dict.fromkeys(rest, pa.string())) if rest else first
        if cells.num_rows == 0:
            return None
        columns: list[Any] = []
        for k in keys:
            if k not in rest and first is not None:
                columns.append(np.array(first[k].to_numpy()))
            else:
                columns.append(_texts(pc.utf8_trim_whitespace(cells[k].combine_chunks())))
        return [h.strip() for h in header], columns
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, StopIteration, csv.Error):
        return None  # the csv module reads it again, and names the line


def _texts(cells: Any) -> Any:
    """A column that is not plain numbers: codes of its levels, or its cells where they are many or may be numbers."""
    import pyarrow.compute as pc

    encoded = pc.dictionary_encode(cells)
    texts = encoded.dictionary.to_pylist()
    levels = sorted(t for t in texts if t.lower() not in MISSING)
    if len(levels) * 10 > len(cells) or any(_number(v, d) is not None for v in levels for d in ".,"):
        return np.array(cells.to_pylist(), object)
    where = {v: k for k, v in enumerate(levels)}
    code = np.array([where.get(t, -1) for t in texts], np.intp)[np.asarray(encoded.indices.to_numpy())]
    if levels and {v.lower() for v in levels} <= TRUTH.keys():
        return Column("", np.array([TRUTH[v.lower()] for v in levels] + [np.nan])[code], boolean=True)
    return Column("", code, tuple(levels)) if levels else np.full(len(cells), np.nan)
