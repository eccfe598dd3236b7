"""What `bibun fit` says of a fit: a page for people and JSON for programs, from the same figures. Imports report.

A further figure is a key of `figures`; it then stands in both.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..report import tables
from ..report.tables import harmless
from .arguments import Options

__all__ = ["Fitted", "as_json", "as_page"]

TITLES = {"gaussian": "Linear regression", "binomial": "Logistic regression"}
ADVICE = {
    "collinear": "leave one of these columns out of the formula; the others then have standard errors",
    "not identified": "leave one of these columns out of the formula; the others then have standard errors",
    "no finite maximum": (
        "these columns tell the classes apart without error: more rows, fewer levels, or a penalty "
        "(bibun.LogisticRegression(C=1.0)) make the estimates finite"
    ),
    "not converged": "the estimates are not the maximum; columns of a similar size help",
}


@dataclass
class Fitted:
    """A fit with all that was asked for and found on the way."""

    options: Options
    source: str
    design: Any
    classes: list[Any] | None
    result: Any
    notes: list[str]
    y: np.ndarray
    weights: np.ndarray | None
    offset: np.ndarray | None

    @property
    def kind(self) -> str:
        """The kind of covariance."""
        return "sandwich" if self.options.sandwich else "observed"

    @property
    def letter(self) -> str:
        """What the statistic is called."""
        return str(self.result.statistic)

    def rows(self) -> list[dict[str, Any]]:
        """The table of coefficients."""
        return self.result.tidy(level=self.options.level, kind=self.kind)


def figures(fitted: Fitted) -> dict[str, Any]:
    """The figures of the fit as a whole."""
    result = fitted.result
    known = dict(result.glance())
    named = ("loglik", "aic", "bic", "df_model", "df_resid")
    out = {k: known.get(k, getattr(result, k, math.nan)) for k in named}
    more = {k: v for k, v in known.items() if isinstance(v, (int, float, np.number)) and k not in ("nobs", "converged")}
    return out | more


# --- a page -------------------------------------------------------------------------------------------------------


def as_page(fitted: Fitted, most: int) -> tables.Page:
    """The fit as lines of at most so many columns."""
    made, result = fitted.design, fitted.result
    page = tables.paragraph(f"{TITLES[fitted.options.family]}: {harmless(made.formula)}", most, "title", hang="  ")
    page += tables.paragraph(f"{len(made.rows)} rows of {harmless(fitted.source)}", most, hang="  ")
    page.append(("", ""))
    page += tables.coefficients(fitted.rows(), fitted.letter, fitted.options.level, most)
    page.append(("", ""))
    page += tables.pairs(facts(fitted), most)
    notes = [
        *fitted.notes,
        *(["standard errors: sandwich, right for unequal variances too"] if fitted.options.sandwich else []),
    ]
    for note in notes:
        page += tables.paragraph(f"· {harmless(note)}", most, "dim", hang="  ")
    advised = set()
    for problem in result.certificate.problems:
        page += tables.paragraph(f"! {harmless(problem)}", most, "warning", hang="  ")
        advised |= {k for k in ADVICE if problem.startswith(k)}
    for k in ADVICE:
        if k in advised:
            page += tables.paragraph(f"  {ADVICE[k]}", most, hang="  ")
    return page


def facts(fitted: Fitted) -> dict[str, str]:
    """The figures under the table, as they are printed."""
    f = figures(fitted)
    out = {"log-likelihood": tables.number(f["loglik"], ".8g")}
    out |= {"AIC": tables.number(f["aic"], ".7g"), "BIC": tables.number(f["bic"], ".7g")}
    out["n"] = tables.number(float(fitted.result.nobs), ".8g")
    if not math.isnan(f["df_resid"]):
        out["residual df"] = tables.number(float(f["df_resid"]), ".8g")
    gaussian = {"rsquared": "R²", "residual_se": "residual std err"}
    binomial = {"deviance": "deviance", "null_deviance": "null deviance"}
    for key, called in (gaussian if fitted.letter == "t" else binomial).items():
        if key in f:
            out[called] = tables.number(float(f[key]), ".5g" if fitted.letter == "t" else ".7g")
    return out


# --- JSON ---------------------------------------------------------------------------------------------------------


def as_json(fitted: Fitted) -> str:
    """The fit as a JSON text; what is not a number is null."""
    from .. import __version__

    made, certificate, options = fitted.design, fitted.result.certificate, fitted.options
    labels = list(fitted.result.labels)
    gone = np.asarray(certificate.undetermined, bool)
    document = {
        "bibun": __version__,
        "source": fitted.source,
        "formula": made.formula,
        "family": options.family,
        "response": {"name": made.response_name, "classes": fitted.classes},
        "weights": options.weights,
        "offset": options.offset,
        "n": _count(fitted.result.nobs),
        "rows": {"read": made.n_rows, "used": len(made.rows), "missing": made.n_rows - len(made.rows)},
        "missing": dict(made.missing),
        "level": options.level,
        "standard_errors": fitted.kind,
        "statistic": fitted.letter,
        "coefficients": fitted.rows(),
        **figures(fitted),
        "converged": bool(fitted.result.converged),
        "certificate": {
            "ok": bool(certificate.ok),
            "decrement": certificate.decrement,
            "smallest_eigenvalue": certificate.smallest,
            "problems": list(certificate.problems),
            "undetermined": [label for label, g in zip(labels, gone, strict=True) if g] if len(gone) else [],
        },
        "levels": {name: list(levels) for name, levels in made.levels.items()},
        "notes": fitted.notes,
    }
    text = json.dumps(_finite(document), ensure_ascii=False, indent=2, allow_nan=False)
    return _escaped(text) + "\n"


def _count(n: Any) -> Any:
    """A number of rows; with weights it need not be whole."""
    return int(n) if n is not None and float(n).is_integer() else n


def _finite(x: Any) -> Any:
    """Nested lists and dicts with plain numbers; NaN and infinities are None, which JSON lacks otherwise."""
    if isinstance(x, dict):
        return {str(k): _finite(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_finite(v) for v in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    if isinstance(x, (float, np.floating)):
        return float(x) if math.isfinite(x) else None
    return x if x is None or isinstance(x, str) else str(x)


def _escaped(text: str) -> str:
    r"""JSON with every letter that does not print as \uXXXX, so that a terminal may show it."""

    def escape(match: re.Match[str]) -> str:
        c = match[0]
        return c if c.isprintable() or c in "\n\u3000" else json.dumps(c)[1:-1]

    return re.sub(r"[^\x20-\x7e\n]", escape, text)
