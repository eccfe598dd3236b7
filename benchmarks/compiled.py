"""`python benchmarks/compiled.py [--quick] [--only NAME]`: what bibun compiles, beside its peers and the limits.

Everything is measured in this process, in turns: in every round each column runs once, and medians of wall time are
compared. A peer whose value or gradient is not bibun's eager one to 1e-8 is not timed. likelihoods.py and adbench.py
have the programs, libraries.py the peers, timing.py measures, fresh.py is for what needs a process of its own. A new
case is a function in `CASES`.
"""

import argparse
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

for variable in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
    os.environ.setdefault(f"{variable}_NUM_THREADS", "2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
if find_spec("bibun") is None:
    sys.path.insert(0, str(HERE.parent / "src"))  # not installed: the tree this file is in

import adbench
import libraries
import numpy as np
from libraries import Bibun, Library
from likelihoods import LIKELIHOODS, LOGISTIC, logistic_logaddexp, made
from timing import Call, Calls, Reader, Report, faster, flat, same, syrk, turns, within

# --- the peers' calls, checked ----------------------------------------------------------------------------------------


class Setting:
    """The libraries and sizes of a run."""

    def __init__(self, loaded: list[Library], quick: bool, report: Report, memory: float) -> None:
        self.loaded, self.quick, self.report, self.memory = loaded, quick, report, memory
        self.rows = 20_000 if quick else 1_000_000
        self.ours = next(p for p in loaded if type(p) is Bibun)
        self.eager = next(p for p in loaded if p.name == "bibun, eager")

    def calls(
        self, method: str, args: Sequence[Any], leave: Sequence[str] = (), names: Sequence[str] = ()
    ) -> tuple[Calls, list[str]]:
        """`method` of every library on the same arguments, those that give what eager bibun gives."""
        calls: Calls = {}
        notes: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = getattr(self.eager, method)(*args)()
            for library in self.loaded:
                if library.name in leave or (names and library.name not in names):
                    continue
                try:
                    call = getattr(library, method)(*args)
                    got = call()
                except NotImplementedError:
                    continue
                except Exception as e:
                    notes.append(f"{library.name}: {type(e).__name__}: {(str(e).splitlines() or [''])[0][:200]}")
                    continue
                if same(got, wanted):
                    calls[library.name] = call
                else:
                    notes.append(f"{library.name}: WRONG RESULT, not timed")
                del got
        return calls, notes


def pick(calls: Mapping[str, Any], targets: dict[str, tuple[str, float]]) -> dict[str, tuple[str, float]]:
    """The targets whose columns are there, and only if bibun's is."""
    return {k: t for k, t in targets.items() if k in calls} if "bibun" in calls else {}


# --- the cases --------------------------------------------------------------------------------------------------------


def logistic(s: Setting) -> None:
    """Value and gradient of the logistic likelihood; after idleness; and as users spell it."""
    for k, torch, jax in ((20, 3.5, 8), (100, 2, 5)):
        X, beta, y = made(s.rows, k)
        name = f"logistic value + gradient, {s.rows:,} x {k}"
        calls, notes = s.calls("value_and_grad", (logistic_logaddexp, beta, (X, y)))
        calls["reading X"] = Reader(X)
        targets = pick(calls, {"reading X": within(1.3), "PyTorch": faster(torch), "JAX jit": faster(jax)})
        busy = s.report.case(name, calls, targets, notes)
        if "bibun" in calls:
            idle = np.median(turns({"bibun": calls["bibun"]}, 20, 60, pause=0.010)["bibun"])
            seconds = {"bibun after 10 ms of idleness": float(idle), "bibun, one call after another": busy["bibun"]}
            s.report.table(f"{name}, after idleness", seconds, {"bibun, one call after another": within(1.3)}, {})
        spelled(s, X, beta, y)
        calls["reading X"].close()  # type: ignore[attr-defined]


def spelled(s: Setting, X: np.ndarray, beta: np.ndarray, y: np.ndarray) -> None:
    """The same likelihood in the forms users write."""
    calls: Calls = {}
    notes: list[str] = []
    for form, program in LOGISTIC.items():
        found, said = s.calls("value_and_grad", (program, beta, (X, y)), names=("bibun",))
        notes += [f"{form}: {line}" for line in said]
        if found:
            calls[form] = found["bibun"]
    name = f"logistic value + gradient as users spell it, {len(X):,} x {X.shape[1]}"
    medians = s.report.case(name, calls, {}, notes)
    first = next(iter(LOGISTIC))
    for form in medians:
        if form != first and first in medians:
            s.report.limit(name, f"{form} over {first}", medians[form] / medians[first], 1.2, "x")


def hessians(s: Setting) -> None:
    """Value, gradient and Hessian, over reading X, X'X and JAX's jitted Hessian alone."""
    for k in (20, 100):
        X, beta, y = made(s.rows, k)
        args = (logistic_logaddexp, beta, (X, y))
        three = s.ours.all_three(*args)  # type: ignore[attr-defined]
        calls: Calls = {}
        others, notes = s.calls("hessian", args, leave=("bibun", "PyTorch") if k > 20 else ("bibun",))
        wanted = s.eager.all_three(*args)()  # type: ignore[attr-defined]
        if same(three(), wanted):
            calls["bibun"] = three
        else:
            notes.append("bibun: WRONG RESULT, not timed")
        calls |= {f"{name}, Hessian alone": call for name, call in others.items()}
        calls |= {"reading X": Reader(X), "X'X by BLAS (dsyrk)": syrk(X)}
        limit = {"reading X": within(3)} if k == 20 else {"X'X by BLAS (dsyrk)": within(2.1)}
        targets = pick(calls, {**limit, "JAX jit, Hessian alone": faster(9)})
        s.report.case(f"logistic value + gradient + Hessian, {s.rows:,} x {k}", calls, targets, notes)
        calls["reading X"].close()  # type: ignore[attr-defined]


def fits(s: Setting) -> None:
    """Whole logistic fits to a gradient of 1e-8, bibun's with covariance."""
    for k, newton, glum in ((20, 12, 10), (100, 10, 6)):
        X, _, y = made(s.rows, k)
        found: dict[str, np.ndarray] = {}
        notes: list[str] = []
        calls: Calls = {}
        for name, make in fitters(X, y).items():
            try:
                call = make()
                start = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found[name] = np.asarray(call(), float).ravel()
                calls[name] = call
                g = X.T @ (1 / (1 + np.exp(-X @ found[name])) - y) / len(y)
                notes.append(f"{name}: largest mean gradient {np.abs(g).max():.1e}; "
                             f"first {1e3 * (time.perf_counter() - start):.0f} ms")  # fmt: skip
            except Exception as e:
                notes.append(f"{name}: {type(e).__name__}: {(str(e).splitlines() or [''])[0][:200]}")
        for name, coefficients in found.items():
            if np.abs(coefficients - found["bibun"]).max() > 1e-5:
                notes.append(f"{name}: ANOTHER ESTIMATE than bibun's")
        targets = {
            "scikit-learn newton-cholesky": faster(newton),
            "scikit-learn lbfgs (no covariance)": faster(6),
            "statsmodels Logit": faster(40),
            "glum": faster(glum),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            name = f"logistic fit with covariance, {s.rows:,} x {k}"
            s.report.case(name, calls, pick(calls, targets), notes)


def fitters(X: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], Call]]:
    """How each library fits, coefficients returned: a maker of the call, so that a library that is absent is a note."""

    def bibun() -> Call:
        import bibun as bb

        def call() -> Any:
            m = bb.LogisticRegression(fit_intercept=False).fit(X, y)
            return m.coef_ if m.bse_ is not None else None

        return call

    def user() -> Call:
        import bibun as bb

        rows = lambda p, d: d.y * (d.X @ p.beta) - np.logaddexp(0, d.X @ p.beta)
        model = bb.MLE(rows, {"beta": bb.Real(shape=X.shape[1])})

        def call() -> Any:
            r = model.fit({"X": X, "y": y})
            return r.params["beta"] if r.bse is not None else None

        return call

    def sklearn(solver: str, tol: float) -> Callable[[], Call]:
        def make() -> Call:
            from sklearn.linear_model import LogisticRegression

            m = LogisticRegression(C=np.inf, solver=solver, tol=tol, max_iter=1000, fit_intercept=False)
            return lambda: m.fit(X, y).coef_

        return make

    def statsmodels() -> Call:
        import statsmodels.api as sm

        def call() -> Any:
            r = sm.Logit(y, X).fit(method="newton", disp=0)
            return r.params if r.bse is not None else None

        return call

    def glum() -> Call:
        from glum import GeneralizedLinearRegressor

        m = GeneralizedLinearRegressor(family="binomial", alpha=0, fit_intercept=False, gradient_tol=1e-8)
        return lambda: m.fit(X, y).coef_

    def glum_covariance() -> Call:
        from glum import GeneralizedLinearRegressor

        m = GeneralizedLinearRegressor(family="binomial", alpha=0, fit_intercept=False, gradient_tol=1e-8)

        def call() -> Any:
            m.fit(X, y).covariance_matrix(X, y, robust=False)
            return m.coef_

        return call

    return {
        "bibun": bibun,
        "bibun, a user's likelihood": user,
        "scikit-learn newton-cholesky": sklearn("newton-cholesky", 1e-8),
        "scikit-learn lbfgs (no covariance)": sklearn("lbfgs", 1e-8),
        "statsmodels Logit": statsmodels,
        "glum": glum,
        "glum, with covariance": glum_covariance,
    }


def users(s: Setting) -> None:
    """Likelihoods that users write, value and gradient."""
    for likelihood in LIKELIHOODS:
        x, *data = likelihood.data(s.rows, 20)
        calls, notes = s.calls("value_and_grad", (likelihood.program, x, data))
        if data[0].ndim == 2:
            calls["reading X"] = Reader(data[0])
        targets = pick(calls, {"JAX jit": faster(5), "autograd": faster(10)})
        s.report.case(f"{likelihood.name}, value + gradient, {s.rows:,} rows", calls, targets, notes)
        if "reading X" in calls:
            calls["reading X"].close()  # type: ignore[attr-defined]


@functools.cache
def bytecode() -> str:
    """A folder for compiled Python, which an installed package has beside it."""
    return tempfile.mkdtemp(prefix="bibun-bytecode-")


def fresh(*words: object, cache: str) -> dict[str, float]:
    """What fresh.py says of these words, its kernels cached in a folder of their own."""
    path = os.pathsep.join([str(HERE.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "BIBUN_CACHE": cache, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode()}
    command = [sys.executable, str(HERE / "fresh.py"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["nothing said"])[-1])
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def fresh_median(key: str, *words: object, rounds: int, kept: bool = False) -> float:
    """The median of one number over fresh processes; with `kept`, over those that find their kernels on disk."""
    numbers = []
    with tempfile.TemporaryDirectory() as folder:
        fresh(*words, cache=folder)  # for its bytecode, and with `kept` its kernels
        for k in range(rounds):
            numbers.append(fresh(*words, cache=folder if kept else str(Path(folder, str(k))))[key])
    return float(np.median(numbers))


def first_call(s: Setting) -> None:
    """The first call of a compiled value and gradient, in a fresh process."""
    rounds = 3 if s.quick else 7
    for k in (20, 100):
        name = f"first call of value + gradient, 10,000 x {k}"
        seconds = {
            "bibun": fresh_median("first", "first", "bibun", 10_000, k, rounds=rounds),
            "bibun, kernel on disk": fresh_median("first", "first", "bibun", 10_000, k, rounds=rounds, kept=True),
        }
        try:
            seconds["JAX jit"] = fresh_median("first", "first", "jax", 10_000, k, rounds=3)
            seconds["JAX jit, its backend started"] = fresh_median("first", "first", "jax-started", 10_000, k, rounds=3)
        except RuntimeError as e:
            print(f"JAX: {e}")
        s.report.table(name, seconds, pick(seconds, {"JAX jit": faster(4)}), {})
        s.report.limit(name, "bibun", seconds["bibun"] * 1e3, 60, "ms")


def scalar_chain(s: Setting) -> None:
    """A chain of 1250 operations on one number, value and gradient."""
    import fresh as here

    calls: Calls = {}
    notes: list[str] = []
    wanted = here.chain_of("eager")[0]()()
    for name, spelled_ in (("bibun", "bibun"), ("ddx", "ddx-ad"), ("jax", "JAX jit")):
        if name == "jax" and s.quick:
            continue  # compiles for many seconds
        try:
            make, buffered = here.chain_of(name)
            call = make()
            if not same([np.squeeze(a) for a in flat(call())], [np.squeeze(a) for a in flat(wanted)]):
                notes.append(f"{spelled_}: WRONG RESULT, not timed")
                continue
            calls[spelled_] = call
            if buffered is not None:
                calls[f"{spelled_}, into its own buffer"] = buffered()
        except Exception as e:
            notes.append(f"{spelled_}: {type(e).__name__}: {(str(e).splitlines() or [''])[0][:200]}")
    name = "chain of 1250 operations on a number, value + gradient"
    s.report.case(name, calls, pick(calls, {"ddx-ad": within(1.3), "JAX jit": faster(3)}), notes)
    ready = {}
    for who in ("bibun", "ddx") if s.quick else ("bibun", "ddx", "jax"):
        try:
            ready[who] = fresh_median("ready", "chain", who, rounds=1 if who == "jax" else 3)
        except RuntimeError as e:
            print(f"    {who}: {e}")
    s.report.table("the chain ready, in a fresh process", ready, {}, {})
    s.report.limit(name, "ready", ready["bibun"] * 1e3, 100, "ms")


def gmm(s: Setting) -> None:
    """ADBench's Gaussian mixture at the published sizes whose arrays fit."""
    for n, d, k in adbench.sizes(s.quick, s.memory * 1e9 / 16):
        x, *data = adbench.gmm_data(n, d, k)
        calls, notes = s.calls("value_and_grad", (adbench.gmm, x, data), leave=("autograd", "bibun, eager"))
        targets = pick(calls, {"PyTorch": faster(1), "JAX jit": faster(1)})
        s.report.case(f"ADBench GMM, {n:,} points, d = {d}, K = {k}", calls, targets, notes, budget=1.5)


def bundle_adjustment(s: Setting) -> None:
    """The blocks of ADBench's sparse Jacobian, of what each observation depends on (gathered before)."""
    for n, m, p in adbench.BA_SIZES[: 2 if s.quick else None]:
        cameras, points, w, camera, point, features = adbench.ba_data(n, m, p)
        rows = adbench.rows_of(cameras, points, w, camera, point)
        args = (adbench.ba_blocks, rows, [np.ascontiguousarray(f) for f in features.T])
        calls, notes = s.calls("blocks", args, leave=("bibun, eager",))
        targets = pick(calls, {"PyTorch": faster(1), "JAX jit": faster(1)})
        s.report.case(
            f"ADBench bundle adjustment, {n:,} cameras, {p:,} observations", calls, targets, notes, budget=1.5
        )


def growth(s: Setting) -> None:
    """How time grows with rows, columns and threads, and what memory is taken beyond the data."""
    sizes = [(n, 20) for n in (10_000, 100_000, 1_000_000, 10_000_000)] + [
        (20_000_000 // k, k) for k in (2, 5, 10, 50, 100, 200, 400)
    ]
    if s.quick:
        sizes = [(10_000, 20), (100_000, 20), (20_000, 5), (2_000, 50)]
    print("\ngrowth of logistic value + gradient")
    heads = {
        "rows": 12,
        "columns": 9,
        "bibun ms": 11,
        "read ms": 10,
        "over read": 11,
        "ns a number": 13,
        "1 thread ms": 13,
    }
    print("  " + "".join(f"{head:>{width}}" for head, width in heads.items()))
    with_threads = threads_of()
    for n, k in sizes:
        X, beta, y = made(n, k)
        call, read = s.ours.value_and_grad(logistic_logaddexp, beta, (X, y)), Reader(X)
        times = turns({"bibun": call, "read": read}, min(s.report.rounds, 15), s.report.budget)
        ours, theirs = (float(np.median(times[c])) for c in ("bibun", "read"))
        alone = float("nan")
        if with_threads is not None:
            with with_threads(1):
                alone = float(np.median(turns({"bibun": call}, 7, s.report.budget)["bibun"]))
        print(f"  {n:12,}{k:9}{ours * 1e3:11.3f}{theirs * 1e3:10.3f}{ours / theirs:11.2f}"
              f"{ours * 1e9 / (n * k):13.3f}{alone * 1e3:13.3f}", flush=True)  # fmt: skip
        s.report.cases.append({"case": f"growth {n} x {k}", "seconds": {"bibun": ours, "read": theirs, "alone": alone}})
        read.close()
        del X, call, read
    n, k = (20_000, 20) if s.quick else (1_000_000, 100)
    with tempfile.TemporaryDirectory() as folder:
        got = fresh("memory", n, k, cache=folder)
    print(f"\nmemory of value + gradient + Hessian, {n:,} x {k}: data {got['data'] / 1e6:.0f} MB")
    s.report.limit("memory", "beyond the data", got["beyond"] / 1e6, 50, "MB")


def threads_of() -> Any:
    """The context manager that sets how many threads a compiled function uses, where there is one."""
    try:
        from bibun.compiler.threads import threads
    except ImportError:
        return None
    return threads


CASES: dict[str, Callable[[Setting], None]] = {
    "logistic": logistic,
    "hessian": hessians,
    "fits": fits,
    "users": users,
    "first": first_call,
    "chain": scalar_chain,
    "gmm": gmm,
    "ba": bundle_adjustment,
    "growth": growth,
}


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parse = argparse.ArgumentParser(description="Compiled functions beside their peers and the machine's limits.")
    parse.add_argument("--quick", action="store_true", help="small sizes and few rounds: whether everything runs")
    parse.add_argument("--only", action="append", default=[], choices=list(CASES), help="only these cases")
    parse.add_argument("--peers", default="", help="only these peers, as in torch,jax")
    parse.add_argument("--rounds", type=int, help="rounds a case (25, or 5 with --quick)")
    parse.add_argument("--memory", type=float, default=20, help="GB that the mixtures of ADBench may take (20)")
    parse.add_argument("--json", metavar="FILE", help="write every number here")
    args = parse.parse_args()
    loaded, absent = libraries.load([p.strip() for p in args.peers.split(",") if p.strip()])
    report = Report(args.rounds or (5 if args.quick else 25), 1.0 if args.quick else 6.0)
    versions = ", ".join(dict.fromkeys(f"{p.module} {p.version}" for p in loaded))
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {versions}")
    print(f"{processor()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}; wall time, medians")
    for line in absent:
        print(line)
    if not hasattr(loaded[0].library, "compile"):
        print("bibun has no compile: its column is eager")
    setting = Setting(loaded, args.quick, report, args.memory)
    for name, case in CASES.items():
        if args.only and name not in args.only:
            continue
        try:
            case(setting)
        except Exception:
            print(f"\n{name}: failed")
            traceback.print_exc(limit=-4, file=sys.stdout)
        sys.stdout.flush()
    report.summary()
    if args.json:
        whole = {"versions": versions, "cases": report.cases, "targets": report.lines}
        Path(args.json).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
