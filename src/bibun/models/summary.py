"""The table of a fit as text. Imports nothing of models; reads a Result. HTML and LaTeX come from the same rows."""

from typing import Any

from ..errors import NotDefined

__all__ = ["Summary", "of"]


class Summary:
    """A printed table.

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
        head = [f"{title}: log-likelihood {result.loglik:.8g}{n}   AIC {result.aic:.8g}   BIC {number(result.bic, 8)}"]
    except NotDefined:
        head = [f"{title}:{n}"]
    percent = f"{100 * level:g}%"
    rows = [["", "estimate", "std err", letter, f"P>|{letter}|", f"[{percent}", "interval]"]]
    for t in result.tidy(level, kind):
        rows.append([
            t["term"], number(t["estimate"], 7), number(t["std_error"]), number(t["statistic"], 4),
            p_text(t["p_value"]), number(t["conf_low"]), number(t["conf_high"]),
        ])  # fmt: skip
    said = result.cov_said(kind)
    notes = [f"standard errors: {said}"] if said != "observed" else []
    notes += [f"! {problem}" for problem in result.certificate.problems]
    return Summary(head, rows, notes)
