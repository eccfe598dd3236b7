"""Tables for a terminal: as wide as there is room, full-width letters counted as two, names shortened in the middle.

A page is a list of styled lines; `write` colours it with rich on a terminal, and gives plain text without. Whatever
came from a file goes through `harmless`. Imports nothing of bibun; the next kind of table is a function below.
"""

import math
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

__all__ = [
    "Line",
    "Page",
    "coefficients",
    "harmless",
    "middle",
    "pairs",
    "paragraph",
    "room",
    "shortened",
    "width",
    "write",
]

Line = tuple[str, str]
"""A line of text and its style: "", "title", "head", "dim" or "warning"."""
Page = list[Line]

STYLES = {"": "", "title": "bold", "head": "bold", "dim": "dim", "warning": "bold red"}
NARROWEST, WIDEST = 20, 400
PLAINER = str.maketrans({"─": "-", "–": "-", "…": "~", "·": "*", "²": "2", "∞": "inf"})
"""For a terminal whose encoding lacks them."""


# --- text ---------------------------------------------------------------------------------------------------------


def harmless(text: Any) -> str:
    """Text on one line that a terminal only prints: no control characters, escapes or changes of direction.

    Examples
    --------
    >>> harmless("a\\x1b[31mb\\tc")
    'a[31mb c'
    """
    out = []
    for c in str(text):
        if c.isprintable() or c == "\u3000":
            out.append(c)
        elif c.isspace():
            out.append(" ")
    return "".join(out)


def width(text: str) -> int:
    """How many columns of a terminal a text takes: full-width letters two, combining marks none.

    Examples
    --------
    >>> width("体重 kg")
    7
    """
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def _cell(c: str) -> int:
    if unicodedata.east_asian_width(c) in "WF":
        return 2
    return 0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1


def middle(text: str, most: int) -> str:
    """Text in at most so many columns, what is too long being taken out of its middle: the ends tell names apart.

    Examples
    --------
    >>> middle("a_rather_long_name[T.second]", 15)
    'a_rathe…second]'
    """
    if width(text) <= most:
        return text
    if most < 2:
        return "…" * max(most, 0)
    return _cut(text, most // 2, most)


def shortened(names: Sequence[str], most: int) -> list[str]:
    """Names in at most so many columns, different ones still different: the cut moves to where they agree.

    Examples
    --------
    >>> shortened(["C(kind)[T.red]:sex[T.m]", "C(kind)[T.blue]:sex[T.m]", "x"], 16)
    ['C(kind)[T.r…T.m]', 'C(kind)[T.b…T.m]', 'x']
    """
    out = [middle(n, most) for n in names]
    alike: dict[str, list[int]] = {}
    for k, text in enumerate(out):
        alike.setdefault(text, []).append(k)
    for group in alike.values():
        if len(group) < 2 or len({names[k] for k in group}) < 2:
            continue
        others = {t for k, t in enumerate(out) if k not in group}
        for head in sorted(range(most), key=lambda h: abs(h - most // 2)):
            tried = [_cut(names[k], head, most) for k in group]
            if len(set(tried)) == len(group) and not others & set(tried):
                break
        else:
            marks = [f"…{j + 1}" for j in range(len(group))]
            tried = [_first(names[k], most - len(m)) + m for k, m in zip(group, marks, strict=True)]
        for k, text in zip(group, tried, strict=True):
            out[k] = text
    return out


def _cut(text: str, head: int, most: int) -> str:
    """`head` columns of the beginning, an ellipsis, and what fits of the end."""
    begin = _first(text, head)
    return f"{begin}…{_first(text[::-1], most - 1 - width(begin))[::-1]}"


def _first(text: str, most: int) -> str:
    """As much of the beginning as fits."""
    taken = 0
    for k, c in enumerate(text):
        taken += _cell(c)
        if taken > most:
            return text[:k]
    return text


def paragraph(text: str, most: int, style: str = "", hang: str = "") -> Page:
    """Lines of at most so many columns; those after the first begin with `hang`. A line break in `text` is kept."""
    lines: Page = []
    for part in text.split("\n"):
        line = ""
        for word in re.findall(r"\s*\S+", part):
            if line.strip() and width(line + word) > most:
                lines.append((line, style))
                line = hang + word.lstrip()
            else:
                line += word
            while width(line) > most:  # one word, or Japanese without spaces
                head = _first(line, most)
                if not head.strip() or head == line:
                    break
                lines.append((head, style))
                line = hang + line[len(head) :]
        lines.append((line.rstrip(), style))
    return lines


def pairs(facts: Mapping[str, str], most: int, gap: int = 3) -> Page:
    """Short facts side by side, as many in a row as fit: `n 333   AIC 151.2`."""
    lines: list[str] = []
    for name, value in facts.items():
        fact = f"{name} {value}"
        if lines and width(lines[-1]) + gap + width(fact) <= most:
            lines[-1] += " " * gap + fact
        else:
            lines.append(fact)
    return [piece for line in lines for piece in paragraph(line, most)]


# --- coefficients -------------------------------------------------------------------------------------------------


def coefficients(
    rows: Sequence[Mapping[str, Any]], letter: str, level: float, most: int, estimate: str = "estimate"
) -> Page:
    """A table of coefficients in at most `most` columns.

    Parameters
    ----------
    rows : sequence of dict
        As `Result.tidy` gives them: term, estimate, std_error, statistic, p_value, conf_low, conf_high.
    letter : str
        What the statistic is called: t or z.
    level : float
        Of the interval.
    most : int
        Columns of the terminal.
    estimate : str
        The heading of the estimates.

    Returns
    -------
    list of (str, str)
        Lines and styles. Estimates, errors and interval of a row have the same decimals: those that show the standard
        error to four digits. Where there is no room, first digits go, then the statistic, the interval, and the
        p-value; a line says which.
    """
    names = [harmless(r["term"]) for r in rows]
    longest = max([width(n) for n in names], default=0)
    percent = f"{100 * level:g}%"
    heads = {
        "estimate": estimate, "std_error": "std err", "statistic": letter, "p_value": f"P>|{letter}|",
        "conf_low": f"[{percent}", "conf_high": "interval]",
    }  # fmt: skip
    every = tuple(heads)
    plans = [
        (every, 4, 24), (every, 3, 18), (every, 2, 14),
        (tuple(k for k in every if k != "statistic"), 3, 14), (tuple(k for k in every if k != "statistic"), 2, 12),
        (every[:4], 3, 12), (("estimate", "std_error", "p_value"), 3, 10), (("estimate", "std_error", "p_value"), 2, 8),
        (("estimate", "std_error"), 2, 6), (("estimate",), 2, 4),
    ]  # fmt: skip
    for shown, digits, least in plans:
        cells = [_cells(r, shown, digits) for r in rows]
        widths = [max([width(heads[k]), *[len(c[j]) for c in cells]]) for j, k in enumerate(shown)]
        left = most - sum(widths) - 2 * len(widths)
        if left >= min(longest, least) or (shown, digits, least) == plans[-1]:
            break
    left = max(min(longest, left), 4)
    page: Page = [(_row("", [heads[k] for k in shown], left, widths), "head")]
    page.append(("─" * width(page[0][0]), "dim"))
    page += [(_row(n, c, left, widths), "") for n, c in zip(shortened(names, left), cells, strict=True)]
    gone = [k for k in every if k not in shown]
    if gone:
        called = {"std_error": "std err", "statistic": letter, "p_value": "p-value", "conf_low": "interval"}
        what = ", ".join(called[k] for k in gone if k in called)
        page += paragraph(f"({what}: in a wider terminal, or with --json)", most, "dim")
    return page


def _row(name: str, cells: Iterable[str], left: int, widths: Sequence[int]) -> str:
    right = [" " * (w - width(c)) + c for c, w in zip(cells, widths, strict=True)]
    return "  ".join([name + " " * (left - width(name)), *right])


def _cells(row: Mapping[str, Any], shown: Sequence[str], digits: int) -> list[str]:
    text = {
        "statistic": number(row["statistic"], f".{min(digits - 1, 3)}f"), "p_value": p_value(row["p_value"], digits),
    }  # fmt: skip
    for k in ("estimate", "std_error", "conf_low", "conf_high"):
        text[k] = beside(row.get(k, math.nan), row["std_error"], digits)
    return [text[k] for k in shown]


def number(x: float, form: str = ".6g") -> str:
    """A number as `form` says, large ones by their exponent; NaN is a dash."""
    if math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    return _short(f"{x:.2e}" if form.endswith("f") and abs(x) >= 1e5 else f"{x:{form}}")


def p_value(p: float, digits: int = 4) -> str:
    """A p-value: to three digits, and below 1e-16 no more than that."""
    if math.isnan(p):
        return "–"
    if p < 1e-16:
        return "<1e-16"
    places = max(min(digits, 3), 2)
    return f"{p:.{places}f}" if p >= 0.1 else _short(f"{p:.{places}g}")


def beside(x: float, error: float, digits: int) -> str:
    """A number to the decimals that show its standard error to so many digits.

    Examples
    --------
    >>> beside(-36.73051, 1.26134, 4), beside(1.26134, 1.26134, 4), beside(3.2e-7, 1.25e-8, 3)
    ('-36.731', '1.261', '3.200e-7')
    """
    if not math.isfinite(x):
        return number(x)
    if not math.isfinite(error) or error <= 0:
        return number(x, f".{digits + 2}g")
    places = digits - 1 - math.floor(math.log10(error))
    size = max(abs(x), error)
    if places <= 7 and size < 1e7:
        return f"{x:.{max(places, 0)}f}"
    figures = places + (math.floor(math.log10(abs(x))) if x else 0)
    return _short(f"{x:.{max(figures, 1)}e}") if figures <= 9 else number(x, ".8g")


def _short(text: str) -> str:
    """`1.2e-07` as `1.2e-7`."""
    return re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].replace('+', '')}{m[2]}", text)


# --- output -------------------------------------------------------------------------------------------------------


def room() -> int:
    """How many columns the terminal has; COLUMNS decides where it is set, and 80 where nothing is known."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROWEST), WIDEST)


def write(page: Page, stream: TextIO | None = None) -> None:
    """Print a page: in colour where rich is installed and the stream is a terminal, else as plain text."""
    stream = sys.stdout if stream is None else stream
    if stream is None:  # the output was closed before we began
        return
    if stream.isatty():
        try:
            from rich.console import Console
            from rich.text import Text
        except ImportError:
            pass
        else:
            # Text and not markup: [bold] in a name is a name
            console = Console(file=stream, highlight=False, width=WIDEST * 2, soft_wrap=True)
            for text, style in page:
                console.print(Text(text, STYLES[style]), no_wrap=True, overflow="ignore", crop=False)
            return
    plain = "".join(f"{text}\n" for text, _ in page)
    try:
        plain.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        plain = plain.translate(PLAINER)
    stream.write(plain)
