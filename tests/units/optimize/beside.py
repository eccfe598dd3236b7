"""Our methods beside SciPy's, given the same functions, derivatives and tolerances. Tests and `make bench` read it."""

import time
from dataclasses import dataclass
from typing import Any

from bibun.optimize import minimize

from .functions import FUNCTIONS
from .table import CLOSE, at_a_minimum

PAIRS = (("trust-newton", "trust-exact"), ("newton", "trust-exact"), ("l-bfgs", "L-BFGS-B"), ("l-bfgs", "BFGS"))
SETTINGS: dict[str, dict[str, Any]] = {
    "l-bfgs": {"gtol": 1e-7},
    "L-BFGS-B": {"gtol": 1e-7, "ftol": 0, "maxfun": 3000, "maxiter": 3000},
    "BFGS": {"gtol": 1e-7, "maxiter": 2000},
    "trust-exact": {"gtol": 1e-8, "maxiter": 1000},
}


@dataclass
class Run:
    solved: bool
    nfev: int
    nhev: int
    seconds: float


def runs(method: str) -> dict[str, Run]:
    """Every test function by one method."""
    out = {}
    close = CLOSE.get(method, 1e-8)
    for t in FUNCTIONS:
        start = time.perf_counter()
        r = minimize(t.f, t.x0, method, **SETTINGS.get(method, {}))
        seconds = time.perf_counter() - start
        out[t.name] = Run(at_a_minimum(t, r.fun, close), r.nfev, r.nhev, seconds)
    return out


def compared(ours: dict[str, Run], theirs: dict[str, Run]) -> tuple[int, int, list[str]]:
    """Evaluations of both on what both solve, values and Hessians; and what they solve and we do not."""
    both = [n for n in ours if ours[n].solved and theirs[n].solved]
    missed = [n for n in ours if theirs[n].solved and not ours[n].solved]
    return sum(ours[n].nfev + ours[n].nhev for n in both), sum(theirs[n].nfev + theirs[n].nhev for n in both), missed
