"""`python benchmarks/run.py`: bibun beside PyTorch, autograd, MyGrad and JAX, in one process, in turns.

What is measured is CPU time of one thread. In every round each peer runs each once, so that what disturbs the machine
disturbs all of them; of the rounds the median and the minimum are shown, and the ratios of both. The garbage collector
is on, as users have it, and made to start every measurement from the same state.
Reads cases.py (the programs) and peers.py (the spellings); writes tables, and JSON with `--json`.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # read once, when NumPy is first imported: a spinning thread is CPU time
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np
import peers as peer_table
from cases import CASES, SMALL, Case
from peers import Peer

BY_HAND = "NumPy by hand"
CHUNK = 0.010  # seconds of CPU that one measurement takes at least
SOURCE = str(HERE.parent / "src")
IMPORT_TARGET = 60.0  # ms over NumPy

Times = dict[str, list[float]]


def measured(call: Callable[[], Any], repeat: int) -> float:
    """Seconds of CPU of one call."""
    start = time.process_time()
    for _ in range(repeat):
        call()
    return (time.process_time() - start) / repeat


def calls_of(case: Case, peers: Sequence[Peer]) -> tuple[dict[str, Callable[[], Any]], list[str]]:
    """What is timed for one case, by name of the column; and a line for each peer that cannot run it."""
    x, v, data = case.x, case.direction, case.data
    calls: dict[str, Callable[[], Any]] = {}
    notes: list[str] = []
    if v is None:
        calls[BY_HAND] = lambda: case.by_hand(x, *data)
    else:
        calls[BY_HAND] = lambda: case.by_hand(x, v, *data)
    wanted = calls[BY_HAND]()
    for name, f in case.also.items():
        calls[name] = lambda f=f: f(x, *data)
    for peer in peers:
        if (peer.name == "JAX jit" and not case.jit) or (v is not None and not peer.second):
            continue
        try:
            call = peer.value_and_grad(case.program, x, data) if v is None else peer.hvp(case.program, x, v, data)
            got = call()
        except NotImplementedError as e:
            if str(e):
                notes.append(f"{peer.name}: {str(e).split('. ')[0]}")
            continue
        except Exception as e:  # one peer's failure is a line of the report, not the end of it
            notes.append(f"{peer.name}: {type(e).__name__}: {str(e).splitlines()[0][:150]}")
            continue
        pairs = zip(_several(got), _several(wanted), strict=True)
        if not all(np.allclose(peer.array(a), b, rtol=1e-6) for a, b in pairs):
            notes.append(f"{peer.name}: WRONG RESULT, not timed")
            continue
        calls[peer.name] = call
    return calls, notes


def _several(result: Any) -> Sequence[Any]:
    return result if isinstance(result, tuple) else (result,)


def timed(calls: dict[str, Callable[[], Any]], rounds: int, budget: float) -> Times:
    """Seconds of a call, by column, one number a round. A column over its budget sits out after five rounds."""
    repeats = {}
    for name, call in calls.items():
        call()
        once = min(measured(call, 1) for _ in range(3))
        repeats[name] = max(3 if once < CHUNK else 1, int(CHUNK / max(once, 1e-7)))
    times: Times = {name: [] for name in calls}
    spent = dict.fromkeys(calls, 0.0)
    order = list(calls)
    for k in range(rounds):
        turn = k % len(order)
        for name in order[turn:] + order[:turn]:  # another one is first each time: nobody always follows the slowest
            if spent[name] < budget or len(times[name]) < 5:
                gc.collect()
                calls[name]()  # in its own caches, not in those of the one before it
                t = measured(calls[name], repeats[name])
                times[name].append(t)
                spent[name] += t * repeats[name]
    return times


def summary(case: Case, times: Times) -> dict[str, Any]:
    """The two statistics of each column, in the unit of the case, and the targets with what was reached."""
    scale, unit = (1e6 / case.operations, "µs/op") if case.operations else (1e3, "ms")
    columns = {
        name: {"median": statistics.median(ts) * scale, "min": min(ts) * scale, "rounds": len(ts)}
        for name, ts in times.items()
    }
    out: dict[str, Any] = {"case": case.name, "unit": unit, "group": case.group, "columns": columns, "targets": {}}
    ours = best_of(columns, case)
    for name, most in case.targets.items():
        if ours and name in columns:
            ratio = {s: columns[ours][s] / columns[name][s] for s in ("median", "min")}
            out["targets"][name] = {"of": ours, "target": most, **ratio}
    return out


def best_of(columns: dict[str, Any], case: Case) -> str | None:
    """Which of bibun's spellings a target is read from: `backward()`; on data, the transform made for it."""
    wanted = ("bibun",) if case.operations else ("bibun hvp", "bibun grad")
    return next((name for name in wanted if name in columns), None)


def show(result: dict[str, Any], notes: Sequence[str]) -> None:
    """The table of one case: a row a column of the data, bibun's ratio to it beside its times."""
    columns, targets = result["columns"], result["targets"]
    ours = next(iter(targets.values()))["of"] if targets else next((n for n in columns if n.startswith("bibun")), None)
    print(f"\n{result['case']}   [{result['unit']}]")
    print(f"  {'':16}{'median':>10}{'minimum':>10}{'rounds':>8}   {ours or 'bibun'}/it by median, by minimum")
    for name in sorted(columns, key=_position):
        c = columns[name]
        line = f"  {name:16}{c['median']:10.3f}{c['min']:10.3f}{c['rounds']:8d}"
        if ours and name != ours:
            line += "".join(f"{columns[ours][s] / c[s]:10.3f}" for s in ("median", "min"))
        if name in targets:
            line += f"   target {targets[name]['target']:.2f}: {verdict(targets[name])}"
        print(line)
    for note in notes:
        print(f"  {note}")


def verdict(t: dict[str, float]) -> str:
    """Met by both statistics, by one of them, or by neither."""
    met = [t[s] <= t["target"] for s in ("median", "min")]
    return "met" if all(met) else "MISSED" if not any(met) else "at the line"


def _position(name: str) -> int:
    """bibun first, then the peers, then the limits."""
    return 0 if name.startswith("bibun") else 1 if name.startswith("base") else 3 if name.startswith("NumPy") else 2


def geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def show_all(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Every target beside what was reached; and the group of small programs by its mean."""
    print(f"\n{'target':58}{'at most':>9}{'median':>9}{'minimum':>9}")
    for r in results:
        for name, t in r["targets"].items():
            label = f"{r['case']}: {t['of']} / {name}"
            print(f"{label:58}{t['target']:9.2f}{t['median']:9.3f}{t['min']:9.3f}   {verdict(t)}")
    group = [r["targets"]["PyTorch"] for r in results if r["group"] and "PyTorch" in r["targets"]]
    if not group:
        return {}
    mean = {"target": SMALL[0], **{s: geometric_mean([t[s] for t in group]) for s in ("median", "min")}}
    label = f"small programs, geometric mean of {len(group)}: bibun / PyTorch"
    print(f"{label:58}{mean['target']:9.2f}{mean['median']:9.3f}{mean['min']:9.3f}   {verdict(mean)}")
    return mean


# --- importing --------------------------------------------------------------------------------------------------------


def import_times(rounds: int, source: str) -> dict[str, Any]:
    """Milliseconds that `import bibun` takes after `import numpy`, each in a fresh process; CPU time and wall time."""
    code = (
        "import numpy, sys, time\nn = len(sys.modules); c, w = time.process_time(), time.perf_counter()\nimport bibun\n"
        "print(time.process_time() - c, time.perf_counter() - w, len(sys.modules) - n)"
    )
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    rows = []
    with tempfile.TemporaryDirectory() as cache:  # byte code is kept, as an installation keeps it
        env = {**os.environ, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": cache}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(rounds + 1):
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
            if done.returncode:
                return {"error": done.stderr.strip().splitlines()[-1]}
            rows.append([float(x) for x in done.stdout.split()])
    cpu, wall, modules = zip(*rows[1:], strict=True)  # the first compiled the files
    return {
        "target": IMPORT_TARGET, "median": statistics.median(cpu) * 1e3, "min": min(cpu) * 1e3,
        "wall": statistics.median(wall) * 1e3, "modules": int(modules[0]),
    }  # fmt: skip


def show_import(t: dict[str, Any]) -> None:
    print("\nimport bibun after import numpy   [ms, fresh processes]")
    if "error" in t:
        print(f"  failed: {t['error']}")
        return
    print(f"  CPU median {t['median']:.1f}, minimum {t['min']:.1f}; wall median {t['wall']:.1f}; {t['modules']} modules"
          f"   target {t['target']:.0f}: {verdict(t)}")  # fmt: skip


# --- what it ran on ---------------------------------------------------------------------------------------------------


def header(peers: Sequence[Peer], absent: Sequence[str]) -> dict[str, Any]:
    """The machine, the interpreter and the versions, printed and returned."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    about = {
        "python": f"{platform.python_version()} {sys.executable}",
        "optimised": "--enable-optimizations" in arguments,
        "loop_ms": round(min(measured(_loop, 1) for _ in range(15)) * 1e3, 2),
        "numpy": np.__version__,
        "cpu": _cpu(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "peers": {p.module: p.version for p in peers},
    }
    named = "in" if about["optimised"] else "not in"
    print(f"Python {about['python']}; --enable-optimizations {named} its CONFIG_ARGS (a distribution may optimise "
          f"without naming it); a loop of pure Python takes {about['loop_ms']} ms")  # fmt: skip
    print(f"NumPy {np.__version__}, " + ", ".join(f"{k} {v}" for k, v in about["peers"].items()))
    print(f"{about['cpu']}, {os.cpu_count()} CPUs, load {about['load']}; CPU time of one thread")
    for line in absent:
        print(line)
    return about


def _loop() -> int:
    """A yardstick for the interpreter: dictionaries, tuples and small integers, as an engine in Python uses them."""
    d: dict[int, tuple[int, int]] = {}
    total = 0
    for i in range(100_000):
        d[i & 7] = (i, total)
        total += len(d[i & 7])
    return total


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def compare(results: Sequence[dict[str, Any]], imported: dict[str, Any], base: dict[str, Any]) -> None:
    """Head over base, and the same divided by how the arithmetic in plain NumPy changed: the machine's own drift."""
    print(f"\n{'head / base':58}{'median':>9}{'minimum':>9}   with the drift of plain NumPy taken out")
    before = {r["case"]: r["columns"] for r in base["results"]}
    for r in results:
        for name in [n for n in r["columns"] if n.startswith("bibun") and n in before.get(r["case"], {})]:
            then, now = before[r["case"]], r["columns"]
            ratio = {s: now[name][s] / then[name][s] for s in ("median", "min")}
            drift = {s: now[BY_HAND][s] / then[BY_HAND][s] for s in ("median", "min")}
            print(f"{r['case'] + ': ' + name:58}{ratio['median']:9.3f}{ratio['min']:9.3f}   "
                  f"{ratio['median'] / drift['median']:9.3f}{ratio['min'] / drift['min']:9.3f}")  # fmt: skip
    if "median" in imported and "median" in base.get("import", {}):
        print(f"{'import':58}" + "".join(f"{imported[s] / base['import'][s]:9.3f}" for s in ("median", "min")))


def main() -> None:
    parse = argparse.ArgumentParser(description="bibun beside its peers, in one process, in turns.")
    parse.add_argument("--json", metavar="FILE", help="write every number here")
    parse.add_argument("--quick", action="store_true", help="a sixth of the rounds")
    parse.add_argument("--only", metavar="NAME", action="append", default=[],
                       help="cases whose name holds this (or: import)")  # fmt: skip
    parse.add_argument("--peers", metavar="NAMES", default="", help="only these peers, as in torch,autograd")
    parse.add_argument("--compare", metavar="BASE.json", help="show this run over an earlier one")
    parse.add_argument("--base", metavar="SRC", action="append", default=[],
                       help="another source tree of bibun, timed in the same rounds")  # fmt: skip
    parse.add_argument("--rounds", type=int, help="rounds a case (60, or 10 with --quick)")
    args = parse.parse_args()
    rounds = args.rounds or (10 if args.quick else 60)
    if find_spec("bibun") is None:
        sys.path.insert(0, SOURCE)  # not installed: the tree this file is in
    peers, absent = peer_table.load(args.base, [p.strip().lower() for p in args.peers.split(",") if p.strip()])
    about = header(peers, absent)
    gc.collect()
    gc.freeze()  # what the imports made is set aside: collecting costs what it costs beside one library, not five
    results = []
    for case in CASES:
        if args.only and not any(o.lower() in case.name.lower() for o in args.only):
            continue
        calls, notes = calls_of(case, peers)
        results.append(summary(case, timed(calls, rounds, 0.8 if args.quick else 3.0)))
        show(results[-1], notes)
        sys.stdout.flush()
    imported: dict[str, Any] = {}
    if not args.only or "import" in args.only:
        ours = next(p.library.__file__ for p in peers if p.name == "bibun")
        imported = import_times(5 if args.quick else 15, str(Path(ours).parents[1]))
        show_import(imported)
    mean = show_all(results) if results else {}
    if args.compare:
        compare(results, imported, json.loads(Path(args.compare).read_text()))
    if args.json:
        whole = {"about": about, "results": results, "small programs": mean, "import": imported}
        Path(args.json).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
