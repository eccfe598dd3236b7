"""The arguments of `bibun fit`: what they are, their help, and the sentence for each that is wrong.

cyclopts reads them; it is loaded here and nowhere else. The next option is a field of `Options`, a parameter of
`_options`, and a line of `HELP`.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from ..report.tables import harmless

__all__ = ["HELP", "Options", "Usage", "read"]

HELP = """usage: bibun fit FILE FORMULA [OPTIONS]

Fit a linear or a logistic regression by maximum likelihood.

  FILE       CSV, TSV or Parquet, also in .gz, .bz2, .xz, .zst or .zip;
             - reads standard input
  FORMULA    such as "y ~ x1 + C(group)", in quotes. Names with spaces stand in
             backticks, and then single quotes outside keep the shell away:
             '体重 ~ `bill length` * C(種)'

  --family FAMILY     gaussian (linear, the default) or binomial (logistic)
  --weights COLUMN    weights of the rows
  --offset COLUMN     a column added with coefficient 1
  --level LEVEL       of the intervals (0.95)
  --sandwich          standard errors that are right for unequal variances too
  --json              everything as JSON
  --plot FILE.svg     draw the line, or the coefficients with their intervals

  --encoding NAME     of the file, where the guess is wrong: cp932, latin-1
  --delimiter CHAR    between its fields
  --decimal CHAR      in its numbers: . or ,

Exit codes: 0 fitted; 1 fitted, but not converged or not identified (the output
says what and why); 2 bad usage or input; 130 stopped by Ctrl-C.
"""

OPTIONS = re.findall(r"^  (--[a-z]+)", HELP, re.MULTILINE)


class Usage(Exception):
    """What is wrong with the arguments, in a sentence."""


@dataclass
class Options:
    """What was asked for."""

    file: str
    formula: str | None
    family: str = "gaussian"
    weights: str | None = None
    offset: str | None = None
    level: float = 0.95
    sandwich: bool = False
    json: bool = False
    plot: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None


def read(arguments: list[str]) -> Options:
    """The options that arguments stand for.

    Raises
    ------
    Usage
        For what is missing, unknown, or not what it should be.
    ImportError
        If cyclopts is not installed.
    """
    try:
        import cyclopts
    except ImportError as error:
        raise ImportError('reading its arguments needs cyclopts: pip install "bibun[all]"') from error
    for given in arguments:  # cyclopts would take one for a file, since "-" and "-1 + x" may begin with a hyphen
        name = given.split("=")[0]
        if re.match(r"--[^\s]+$|-[a-zA-Z]$", name) and name not in OPTIONS:
            raise Usage(f"there is no option {harmless(name)}{_near(name)}")
    app = _app(cyclopts)
    try:
        command, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        raise Usage(_sentence(error)) from None
    options: Options = command(*bound.args, **bound.kwargs)
    if not 0 < options.level < 1:
        way = f"; did you mean {options.level / 100:g}?" if 1 < options.level < 100 else ""
        raise Usage(f"--level {options.level:g} is not between 0 and 1, as 0.95 is{way}")
    if options.plot is not None and not options.plot.lower().endswith(".svg"):
        raise Usage(f"--plot writes SVG, which any browser shows: name a file ending in .svg, not {options.plot!r}")
    return options


def _app(cyclopts: Any) -> Any:
    anything = cyclopts.Parameter(allow_leading_hyphen=True)
    flag = cyclopts.Parameter(negative="")

    def options(
        file: Annotated[str, anything],
        formula: Annotated[str | None, anything] = None,
        /,
        *,
        family: Literal["gaussian", "binomial"] = "gaussian",
        weights: str | None = None,
        offset: str | None = None,
        level: float = 0.95,
        sandwich: Annotated[bool, flag] = False,
        json: Annotated[bool, flag] = False,
        plot: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
    ) -> Options:
        return Options(
            file, formula, family, weights, offset, level, sandwich, json, plot, encoding, delimiter, decimal
        )

    return cyclopts.App(name="bibun fit", default_command=options, help_flags=[], version_flags=[])


def _sentence(error: Any) -> str:
    """What cyclopts found, in a sentence that says what to do."""
    kind, said = type(error).__name__, harmless(str(error))
    if kind == "UnusedCliTokensError":
        return 'there is more than a file and a formula: put the formula in quotes, as in bibun fit data.csv "y ~ x"'
    if kind == "MissingArgumentError" and "FILE" in said:
        return 'name a file and a formula, as in bibun fit data.csv "y ~ x"'
    option = next(iter(re.findall(r"--[a-z]+", said)), "")
    if kind == "MissingArgumentError":
        return f"{option} needs a value (one that begins with a hyphen is written {option}=-value)"
    if kind == "RepeatArgumentError":
        return f"{option} is given twice"
    if kind == "CoercionError" and option == "--family":
        value = next(iter(re.findall(r'"(.*?)"', said)), "")
        return f"--family {value}: it is gaussian (linear regression) or binomial (logistic regression)"
    if kind == "CoercionError" and option == "--level":
        return f"--level is a number between 0 and 1, such as 0.95{''.join(f', not {v}' for v in _quoted(said))}"
    return said.rstrip(".")


def _quoted(said: str) -> list[str]:
    return re.findall(r'"(.*?)"', said)[:1]


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, OPTIONS, 1, 0.5)
    return f" (did you mean {near[0]}?)" if near else "; bibun fit --help lists them"
