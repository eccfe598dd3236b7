"""The table of a fit as text, HTML and LaTeX, from the same rows. Imports nothing of models; reads a Result."""

import contextlib
from html import escape
from typing import Any

from ..errors import NotDefined

__all__ = ["Summary", "of"]


LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "−": r"$-$", "²": r"\textsuperscript{2}", "[": "{[}", "]": "{]}",
    "\n": " ", "\r": " ",
}  # fmt: skip
"""What LaTeX reads as something else; brackets too, which after `\\\\` would be a length."""

LEFT = "padding: 0.15em 0.8em; text-align: left"
RIGHT = "padding: 0.15em 0.8em; text-align: right"


class Summary:
    """A printed table; a notebook shows it as HTML, and `latex()` writes it for a paper.

    Attributes
    ----------
    head : list of str
        Lines above the table.
    rows : list of list of str
        The header row and one row a parameter.
    notes : list of str
        Lines below it.
    """

    def __init__(self, head: list[str], rows: list[list[str]], notes: list[str]) -> None:
        self.head, self.rows, self.notes = head, rows, notes

    def __str__(self) -> str:
        widths = [max(width(r[k]) for r in self.rows) for k in range(len(self.rows[0]))]
        lines = [*self.head, ""]
        for r in self.rows:
            cells = [r[0] + " " * (widths[0] - width(r[0]))]
            cells += [" " * (w - width(c)) + c for c, w in zip(r[1:], widths[1:], strict=True)]
            lines.append("  " + "  ".join(cells).rstrip())
        return "\n".join([*lines, "", *self.notes]).rstrip() + "\n"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table as HTML; names of columns are text, whatever they hold."""
        head = "".join(f"<div>{escape(line)}</div>" for line in self.head)
        notes = "".join(f"<div>{escape(line)}</div>" for line in self.notes)
        lines = []
        for k, row in enumerate(self.rows):
            tag, scope = ("th", ' scope="col"') if k == 0 else ("td", "")
            first = f'<th scope="row" style="{LEFT}">{escape(row[0])}</th>' if k else "<td></td>"
            cells = "".join(f'<{tag}{scope} style="{RIGHT}">{escape(c)}</{tag}>' for c in row[1:])
            lines.append(f"<tr>{first}{cells}</tr>")
        table = f"<thead>{lines[0]}</thead><tbody>{''.join(lines[1:])}</tbody>"
        return (
            f'<div>{head}<table style="border-collapse: collapse; font-variant-numeric: tabular-nums">{table}</table>'
            f"{notes}</div>"
        )

    def latex(self) -> str:
        """The table as LaTeX, for the package booktabs; the lines above and below it stand in rows of their own.

        Examples
        --------
        >>> from bibun.models.summary import Summary
        >>> print(Summary(["a fit"], [["", "estimate"], ["x_1", "-0.5"]], []).latex())
        \\begin{tabular}{lr}
        \\multicolumn{2}{l}{a fit} \\\\
        \\toprule
         & estimate \\\\
        \\midrule
        x\\_1 & $-$0.5 \\\\
        \\bottomrule
        \\end{tabular}
        """
        n = len(self.rows[0])
        across = [[rf"\multicolumn{{{n}}}{{l}}{{{latex(t)}}} \\" for t in texts] for texts in (self.head, self.notes)]
        rows = [" & ".join([latex(r[0]), *map(latex_number, r[1:])]) + r" \\" for r in self.rows]
        body = [*across[0], r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule", *across[1]]
        return "\n".join([rf"\begin{{tabular}}{{l{'r' * (n - 1)}}}", *body, r"\end{tabular}"])


def latex(text: str) -> str:
    """A text as LaTeX shows it."""
    return "".join(LATEX.get(c, c) for c in text)


def latex_number(text: str) -> str:
    """A cell as LaTeX shows it, with minus signs that are no hyphens."""
    try:
        float(text.lstrip("<"))
    except ValueError:
        return latex(text)
    return latex(text).replace("-", "$-$")


def width(text: str) -> int:
    """How many columns a terminal gives to a text: full-width letters take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def number(x: float, digits: int = 5) -> str:
    """A number to so many significant digits, NaN as a dash."""
    return "–" if x != x else f"{x:.{digits}g}"


def p_text(p: float) -> str:
    """A p-value."""
    return "–" if p != p else "<1e-16" if p < 1e-16 else f"{p:.3g}"


def of(result: Any, level: float, kind: Any = None, letter: str = "z", title: str = "Maximum likelihood") -> Summary:
    """The summary of a result."""
    n = "" if result.nobs is None else f"   n {result.nobs:g}"
    try:
        head = [f"{title}: log-likelihood {result.loglik:.8g}{n}   AIC {result.aic:.8g}"]
        with contextlib.suppress(NotDefined):
            head[0] += f"   BIC {result.bic:.8g}"
    except NotDefined:
        head = [f"{title}:{n}"]
    rows = table(result.tidy(level, kind), level, letter)
    said = result.cov_said(kind)
    notes = [f"standard errors: {said}"] if said != "observed" else []
    notes += result.rows_said()
    notes += [f"! {problem}" for problem in result.certificate.problems]
    return Summary(head, rows, notes)


def table(tidy: list[dict[str, Any]], level: float, letter: str) -> list[list[str]]:
    """The rows of estimates, a header before them."""
    rows = [["", "estimate", "std err", letter, f"P>|{letter}|", f"[{100 * level:g}%", "interval]"]]
    for t in tidy:
        rows.append([
            t["term"], number(t["estimate"], 7), number(t["std_error"]), number(t["statistic"], 4),
            p_text(t["p_value"]), number(t["conf_low"]), number(t["conf_high"]),
        ])  # fmt: skip
    return rows
