"""The page on which model answers what: `python -m tests.laws.methods_page` writes docs/methods.md, and a test compares.

A model and a method are lines of test_models.py; nothing is written by hand here but the words around the table.
"""

import re
import warnings
from pathlib import Path
from typing import Any

from bibun.errors import NotDefined

from .test_models import METHODS, MODELS, made

NAMED = [(r"\bthe [\w-]+ (family|model)\b", r"this \1"), (r"it predicts [^;]* and has", "it predicts … and has"),
         (r"^[\w ='.,]+ of (?=quantile|robust|Cox|a path|penalized|several classes)", "asked of ")]  # fmt: skip
"""What reasons have of one model only: said without it, those of several are one."""

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"

HEAD = """# Which model answers what

Every model of bibun, every method of its result: ✓ is a value, and a number is that of the reason below, which is what
`NotDefined` says when the method is called, with what there is instead. There are no NaNs in place of answers. This page
is written by `python -m tests.laws.methods_page` and compared with what the models really do by the tests; that the values
are right is checked by R's figures, closed forms, simulation and difference quotients elsewhere in them.

"""


def answers() -> tuple[dict[str, dict[str, int]], list[str]]:
    """For each model and method 0, or the number of the reason; the reasons in order."""
    reasons: list[str] = []
    table: dict[str, dict[str, int]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in MODELS:
            table[model] = {}
            for name, method in METHODS.items():
                said = _reason(method, model)
                if said and said not in reasons:
                    reasons.append(said)
                table[model][name] = reasons.index(said) + 1 if said else 0
    return table, reasons


def _reason(method: Any, model: str) -> str:
    try:
        method(made(model))
    except NotDefined as e:
        said = str(e)
        for pattern, general in NAMED:
            said = re.sub(pattern, general, said)
        return said
    return ""


def page() -> str:
    """The text of docs/methods.md."""
    table, reasons = answers()
    alike: dict[tuple[int, ...], list[str]] = {}
    for model, row in table.items():
        alike.setdefault(tuple(row.values()), []).append(model)
    groups = list(alike.items())
    lines = [f"| | {' | '.join(_letter(k) for k in range(len(groups)))} |", "|---|" + "---|" * len(groups)]
    for j, name in enumerate(METHODS):
        lines.append(f"| `{name}` | {' | '.join('✓' if not row[j] else str(row[j]) for row, _ in groups)} |")
    models = [f"* **{_letter(k)}** {'; '.join(names)}" for k, (_, names) in enumerate(groups)]
    numbered = [f"{k}. {said}" for k, said in enumerate(reasons, 1)]
    return HEAD + "\n".join([*models, "", *lines, "", "## Undefined because", "", *numbered]) + "\n"


def _letter(k: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[k] if k < 26 else f"A{_letter(k - 26)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
