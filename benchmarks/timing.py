"""Measuring calls in turns, judging their medians by targets, and the limits of the machine: for compiled.py.

Imports NumPy, and SciPy for its BLAS.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["Call", "Calls", "Reader", "Report", "faster", "flat", "same", "syrk", "turns", "within"]

Call = Callable[[], Any]
Calls = dict[str, Call]
SLOW = 2.0  # seconds from which a column runs once
REST = 0.03  # seconds before a column's turn: threads of the one before it may still be spinning, waiting for work
TOLERANCE = 1e-8


def faster(times: float) -> tuple[str, float]:
    """A target: at least so many times faster than the column."""
    return "faster", times


def within(times: float) -> tuple[str, float]:
    """A target: at most so many times the column's time."""
    return "within", times


def flat(result: Any) -> list[np.ndarray]:
    """All arrays of a result, in order."""
    if isinstance(result, (tuple, list)):
        return [a for r in result for a in flat(r)]
    return [np.asarray(result)]


def same(a: Any, b: Any) -> bool:
    """Whether two results agree to `TOLERANCE` of the largest number in each array."""
    xs, ys = flat(a), flat(b)
    if len(xs) != len(ys):
        return False
    return all(
        x.shape == y.shape and np.abs(x - y).max(initial=0) <= TOLERANCE * np.abs(y).max(initial=0)
        for x, y in zip(xs, ys, strict=True)
    )


def turns(calls: Calls, rounds: int, budget: float, pause: float = 0.0) -> dict[str, list[float]]:
    """Wall seconds of each call, a number a round; a column over its budget sits out after three rounds."""
    times: dict[str, list[float]] = {}
    repeats: dict[str, int] = {}
    for name, call in calls.items():
        start = time.perf_counter()
        call()
        once = time.perf_counter() - start
        times[name] = [once] if once > SLOW else []
        repeats[name] = 1 if pause else max(1, min(1000, int(0.002 / max(once, 1e-7))))
    active = [name for name in calls if not times[name]]
    for k in range(rounds):
        turn = k % max(len(active), 1)
        for name in active[turn:] + active[:turn]:
            if len(times[name]) >= 3 and sum(times[name]) * repeats[name] > budget:
                continue
            time.sleep(pause or REST)
            if not pause and repeats[name] == 1 and min(times[name], default=0) < 0.2:
                calls[name]()  # in its own caches, not in those of the one before it
            start = time.perf_counter()
            for _ in range(repeats[name]):
                calls[name]()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return times


class Report:
    """Prints each case as it finishes, and keeps what was reached of every target."""

    def __init__(self, rounds: int, budget: float) -> None:
        self.rounds, self.budget = rounds, budget
        self.cases: list[dict[str, Any]] = []
        self.lines: list[tuple[str, str, bool]] = []

    def case(
        self,
        name: str,
        calls: Calls,
        targets: dict[str, tuple[str, float]],
        notes: Sequence[str] = (),
        budget: float | None = None,
    ) -> dict[str, float]:
        """Time `calls` in turns; `targets` are of the first column over the named others. Returns the medians."""
        gc.collect()
        times = turns(calls, self.rounds, budget or self.budget)
        medians = {k: float(np.median(v)) for k, v in times.items()}
        self.table(name, medians, targets, {k: f"min {min(v) * 1e3:9.3f}, {len(v)} rounds" for k, v in times.items()})
        for note in notes:
            print(f"    {note}")
        sys.stdout.flush()
        return medians

    def table(
        self, name: str, seconds: dict[str, float], targets: dict[str, tuple[str, float]], remarks: dict[str, str]
    ) -> None:
        """One case's rows: time, ratio, and the target beside it."""
        print(f"\n{name}   [ms]")
        ours = next(iter(seconds))
        for column, t in seconds.items():
            line = f"  {column:38}{t * 1e3:11.3f}"
            if column != ours:
                line += f"   {t / seconds[ours]:8.2f} x {ours}"
            if column in targets:
                line += f"   {self.judge(name, ours, column, targets[column], seconds)}"
            print(f"{line:100} {remarks.get(column, '')}".rstrip())
        self.cases.append({"case": name, "seconds": seconds})

    def judge(self, name: str, ours: str, column: str, target: tuple[str, float], seconds: dict[str, float]) -> str:
        kind, number = target
        if kind == "faster":
            reached = seconds[column] / seconds[ours]
            text, met = f"at least {number:g}: {reached:.2f}", reached >= number
        else:
            reached = seconds[ours] / seconds[column]
            text, met = f"{ours} at most {number:g} x it: {reached:.2f}", reached <= number
        self.lines.append((f"{name}: {column}", text, met))
        return f"{text} {'met' if met else 'MISSED'}"

    def limit(self, name: str, what: str, value: float, most: float, unit: str) -> None:
        """A number that has a limit of its own, not another's time."""
        met = value <= most
        print(f"  {what}: {value:.4g} {unit}, at most {most:g}: {'met' if met else 'MISSED'}", flush=True)
        self.lines.append((f"{name}: {what}", f"at most {most:g} {unit}: {value:.4g}", met))

    def summary(self) -> None:
        print(f"\n{'target':104} reached")
        for name, text, met in self.lines:
            print(f"{name:104} {text}   {'met' if met else 'MISSED'}")
        print(f"{sum(m for _, _, m in self.lines)} of {len(self.lines)} targets met")


# --- limits of the machine --------------------------------------------------------------------------------------------


class Reader:
    """Reads an array once: two threads of `np.sum`, each over its half, the second one waiting between calls."""

    def __init__(self, X: np.ndarray) -> None:
        flat_ = X.reshape(-1, order="A")
        self.halves = flat_[: flat_.size // 2], flat_[flat_.size // 2 :]
        self.start, self.done = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self.work, daemon=True).start()

    def work(self) -> None:
        while True:
            self.start.acquire()
            if not self.halves:
                return
            self.halves[1].sum()
            self.done.release()

    def __call__(self) -> None:
        self.start.release()
        self.halves[0].sum()
        self.done.acquire()

    def close(self) -> None:
        self.halves = ()  # type: ignore[assignment]
        self.start.release()


def syrk(X: np.ndarray) -> Call:
    """X'X by BLAS, one triangle, without a copy of X."""
    from scipy.linalg.blas import dsyrk

    return lambda: dsyrk(1.0, X.T)
