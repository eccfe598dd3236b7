"""`python -m tests.units.optimize.table` writes evaluations.json anew: what every method needs on every test function.

A row that gets worse is a decision: look at it, then regenerate and say why in the commit.
"""

import json
from pathlib import Path
from typing import Any

from bibun.optimize import minimize

from .functions import FUNCTIONS, TestFunction

PATH = Path(__file__).with_name("evaluations.json")
SECOND_ORDER = ("trust-newton", "newton")
FIRST_ORDER = ("gradient-descent", "momentum", "nesterov", "adam")
OURS = (*SECOND_ORDER, "l-bfgs", *FIRST_ORDER)
ALLOTTED = 1000  # iterations of a first-order method; what is not solved in them is not expected of it
SETTINGS: dict[str, dict[str, Any]] = {
    "l-bfgs": {"gtol": 1e-7},
    **{m: {"gtol": 1e-4, "maxiter": ALLOTTED} for m in FIRST_ORDER},
}
CLOSE = {"l-bfgs": 1e-8, **dict.fromkeys(SECOND_ORDER, 1e-9), **dict.fromkeys(FIRST_ORDER, 1e-3)}


def run(t: TestFunction, method: str, **more: Any) -> Any:
    return minimize(t.f, t.x0, method, **{**SETTINGS.get(method, {}), **more})


def at_a_minimum(t: TestFunction, fun: float, close: float) -> bool:
    """Whether `fun` is one of the published minima; their digits are given to 1e-6."""
    return any(abs(fun - m) <= close + 2e-6 * abs(m) for m in t.minima)


def row(t: TestFunction, method: str) -> dict[str, Any]:
    r = run(t, method)
    if not (r.success and at_a_minimum(t, r.fun, CLOSE[method])):
        return {"expected": False, "reached": float(f"{r.fun:.3g}"), "nit": r.nit}
    return {"expected": True, "nit": r.nit, "nfev": r.nfev, "njev": r.njev, "nhev": r.nhev}


def read() -> dict[str, dict[str, dict[str, Any]]]:
    return json.loads(PATH.read_text(encoding="utf-8"))


def main() -> None:
    table = {t.name: {m: row(t, m) for m in OURS} for t in FUNCTIONS}
    lines = [
        f" {json.dumps(name)}: {{\n" + ",\n".join(f"  {json.dumps(m)}: {json.dumps(r)}" for m, r in rows.items()) + "}"
        for name, rows in table.items()
    ]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for m in OURS:
        rows = [table[t.name][m] for t in FUNCTIONS]
        solved = [r for r in rows if r["expected"]]
        print(f"{m:18} solves {len(solved)} of {len(rows)}, in {sum(r['nfev'] for r in solved)} evaluations")


if __name__ == "__main__":
    main()
