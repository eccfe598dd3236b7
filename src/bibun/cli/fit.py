"""`bibun fit`: a table from a file, a formula, a fit, and what is said of it.

Everything that may be wrong with a user's file or formula ends as one sentence and exit code 2. Reads with
models.table_files and models.formula, fits with models.regression; response.py makes 0 and 1 of a response, output.py
says the result.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..report.tables import harmless, paragraph, room, write
from . import arguments
from .working import working

__all__ = ["command", "fit"]


class Refused(Exception):
    """What is wrong with the input, in a sentence with the way out."""


def command(given: list[str]) -> int:
    """Run `bibun fit` with these arguments; the exit code."""
    if any(a in ("-h", "--help") for a in given):
        print(arguments.HELP, end="")
        return 0
    try:
        options = arguments.read(given)
        fitted = fit(options)
    except (arguments.Usage, Refused) as error:
        return refuse(str(error))
    except MemoryError:
        return refuse("there is not enough memory for this table and formula; use fewer rows or columns")
    except ImportError as error:
        if "pip install" not in str(error):
            raise
        return refuse(str(error))
    if options.json:
        from .output import as_json

        sys.stdout.write(as_json(fitted))
    else:
        from .output import as_page

        write(as_page(fitted, room()))
    if options.plot is not None:
        try:
            _save(options.plot, fitted)
        except OSError as error:
            return refuse(f"cannot write the plot {options.plot}: {error.strerror}; name another file")
    return 0 if fitted.result.converged else 1


def refuse(sentence: str) -> int:
    """Say what is wrong, on standard error; 2."""
    sentence = "\n".join(map(harmless, sentence.splitlines()))
    first, *rest = sentence.split("\n")  # the formula and its caret stay as they are
    lines = [line for line, _ in paragraph(f"bibun fit: {first}", max(room(), 60), hang="  ")]
    print("\n".join([*lines, *rest]), file=sys.stderr)
    return 2


def fit(options: arguments.Options) -> Any:
    """Read, check and fit; an `output.Fitted`.

    Raises
    ------
    Refused
        For anything about the file, the formula or the columns that cannot be fitted.
    """
    from ..models.formula import design
    from ..models.table_files import read_table
    from .output import Fitted
    from .response import response_of

    if options.plot is not None:
        _writable(options.plot)
    shown = "standard input" if options.file == "-" else options.file
    try:
        with working(f"reading {harmless(shown)}"):
            data = read_table(
                options.file,
                encoding=options.encoding,
                delimiter=_character(options.delimiter),
                decimal=options.decimal,
            )
        if options.formula is None:
            raise Refused(
                f'a formula is missing, such as "{_example(data)}"; {shown} has the columns {_listed(data.names)}'
            )
        also = [c for c in (options.weights, options.offset) if c is not None]
        for name in also:
            _number_column(data, name, "--weights" if name == options.weights else "--offset")
        with working(f"making the model matrix of {data.n_rows} rows"):
            made = design(options.formula, data, also=list(dict.fromkeys(also)))
        y, levels, notes = response_of(made, options.family)
        weights = _weights(data, options.weights, made.rows)
        if options.family == "binomial" and weights is not None and len(np.unique(y[weights > 0])) < 2:
            raise Refused(f"all rows of one class have weight 0 in {options.weights!r}; both classes need some weight")
        offset = _offset(data, options.offset, made)
        with (
            warnings.catch_warnings(record=True) as said,
            working(f"fitting {made.X.shape[0]} rows × {made.X.shape[1]} columns"),
        ):
            warnings.simplefilter("always")
            result = _model(options.family)(made.X, y, list(made.names), weights=weights, offset=offset)
    except (OSError, ValueError, TypeError) as error:
        raise Refused(str(error)) from error
    if _interrupted(result):
        raise KeyboardInterrupt
    if getattr(result, "rsquared", 0.0) > 1 - 1e-15:
        notes.append("the fit is exact: its standard errors are nothing but rounding")
    notes += [str(w.message) for w in said if w.category is UserWarning]
    return Fitted(options, shown, made, levels, result, [*made.notes, *notes], y, weights, offset)


def _model(family: str) -> Any:
    from ..models import regression

    return regression.linear if family == "gaussian" else regression.logistic


def _interrupted(result: Any) -> bool:
    """Whether Ctrl-C came while the optimizer ran: it then returns its best point."""
    from ..optimize.stopping import RULES

    search = getattr(result, "search", None)
    status = getattr(search, "status", None)
    return bool(status == RULES["interrupted"].status and str(getattr(search, "message", "")).startswith("Interrupted"))


# --- columns beside the formula ------------------------------------------------------------------------------------


def _number_column(data: Any, name: str, option: str) -> None:
    if name not in data:
        raise Refused(f"{option}: {data.unknown(name)}")
    if not data[name].numeric:
        raise Refused(f"{option}: the column {name!r} holds text ({_listed(data[name].levels, 4)}); it must be numbers")


def _weights(data: Any, name: str | None, rows: np.ndarray) -> np.ndarray | None:
    if name is None:
        return None
    w = np.asarray(data[name].values[rows], np.float64)
    wrong = np.flatnonzero(~(np.isfinite(w) & (w >= 0)))
    if len(wrong):
        raise Refused(
            f"--weights: {len(wrong)} of the {len(w)} values of {name!r} are negative or infinite, the first "
            f"{w[wrong[0]]:g} in data row {rows[wrong[0]] + 1}; a weight is zero or more"
        )
    if not w.any():
        raise Refused(f"--weights: every value of {name!r} is zero; no row would count")
    return w


def _offset(data: Any, name: str | None, made: Any) -> np.ndarray | None:
    """The offset of the formula and that of the option, added."""
    if name is None:
        return made.offset
    o = np.asarray(data[name].values[made.rows], np.float64)
    if not np.isfinite(o).all():
        raise Refused(f"--offset: {name!r} has infinite values; an offset is finite")
    return o if made.offset is None else o + made.offset


def _listed(names: Any, limit: int = 12) -> str:
    from ..models.data import quoted

    return quoted(names, limit)


def _example(data: Any) -> str:
    """A formula with the first names of the table."""
    names = [n if n.isidentifier() else f"`{n}`" for n in data.names]
    return f"{names[0]} ~ {' + '.join(names[1:3]) or '1'}"


def _character(delimiter: str | None) -> str | None:
    r"""A tab is hard to type: `\t` and `tab` stand for it."""
    return "\t" if delimiter in ("\\t", "tab") else delimiter


# --- the plot -----------------------------------------------------------------------------------------------------


def _writable(name: str) -> None:
    """Find out before a long fit that its plot could not be written."""
    path = Path(name)
    if path.is_dir():
        raise Refused(f"--plot: {name} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise Refused(f"--plot: there is no folder {str(path.parent)!r}; make it, or name another file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Refused(f"--plot: {name} may not be written; name another file")


def _save(name: str, fitted: Any) -> None:
    from .plot import plot

    Path(name).write_text(plot(fitted), encoding="utf-8", newline="\n")
