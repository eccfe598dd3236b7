"""`python benchmarks/optimizers.py`: our optimizers beside SciPy's, on the test functions of the optimizers' tests.

Every method gets the same functions, the same exact derivatives and the same tolerances; what is counted is values
(with their gradients) and Hessians, what is timed is the whole call. `--each` prints every function.
"""

import os
import sys
import warnings
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # read once, when NumPy is first imported

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tests.units.optimize.beside import PAIRS, Run, compared, runs

METHODS = tuple(dict.fromkeys(m for pair in PAIRS for m in pair))


def table(results: dict[str, dict[str, Run]]) -> str:
    """A line for each method."""
    lines = [f"{'method':14} {'solved':>8} {'values':>8} {'Hessians':>9} {'seconds':>8}   median ms"]
    for m, rows in results.items():
        solved = sum(r.solved for r in rows.values())
        times = [r.seconds for r in rows.values()]
        lines.append(
            f"{m:14} {solved:4d}/{len(rows)} {sum(r.nfev for r in rows.values()):8d} "
            f"{sum(r.nhev for r in rows.values()):9d} {sum(times):8.2f}   {1000 * float(np.median(times)):9.2f}"
        )
    return "\n".join(lines)


def each(results: dict[str, dict[str, Run]]) -> str:
    """A line for each function: values/Hessians, starred where no minimum was found."""
    width = max(map(len, results[METHODS[0]]))
    lines = [f"{'':{width}} " + "".join(f"{m:>15}" for m in METHODS)]
    for name in results[METHODS[0]]:
        cells = [results[m][name] for m in METHODS]
        lines.append(
            f"{name:{width}} " + "".join(f"{f'{r.nfev}/{r.nhev}' + ('' if r.solved else ' *'):>15}" for r in cells)
        )
    return "\n".join(lines)


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's line searches warn where rounding ends them
        runs("trust-newton")  # imports, once
        results = {m: runs(m) for m in METHODS}
    if "--each" in sys.argv[1:]:
        print(each(results), end="\n\n")
    print(table(results), end="\n\n")
    for ours, theirs in PAIRS:
        mine, others, missed = compared(results[ours], results[theirs])
        print(
            f"on what both solve, values and Hessians: {ours} {mine}, {theirs} {others}: {mine / others:.2f}x"
            + (f"; solved by {theirs} alone: {', '.join(missed)}" if missed else "")
        )


if __name__ == "__main__":
    main()
