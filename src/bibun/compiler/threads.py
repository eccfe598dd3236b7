"""Threads for kernels: how many there may be, and running one C function on all of them at once.

Imports workers.py, which has the threads.
"""

import contextlib
import contextvars
import functools
import math
import operator
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from .workers import C_FUNCTION, team

__all__ = ["count", "run", "threads"]

_chosen: contextvars.ContextVar[int] = contextvars.ContextVar("threads")


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Compiled functions called inside use `n` threads, whatever the number of processors.

    Parameters
    ----------
    n : int
        At least 1.

    Notes
    -----
    Without it they use every processor the process may run on (its affinity and its container's quota count), and no
    more than the environment variable `OMP_NUM_THREADS` says at the time of the call; so a worker process of joblib
    or Dask uses the share it was given. The choice holds in the Python thread that made it.

    Examples
    --------
    >>> from bibun.compiler.threads import count, threads
    >>> with threads(1):
    ...     print(count())
    1
    """
    n = operator.index(n)
    if n < 1:
        raise ValueError(f"threads(n) takes a number of threads, 1 or more, and was given {n}")
    token = _chosen.set(n)
    try:
        yield
    finally:
        _chosen.reset(token)


STARTING = 5e6
"""Nanoseconds that it takes to make the first workers, about."""

_alone = 0.0


def count(time: float = math.inf) -> int:
    """How many threads a kernel may use now, for work of so many nanoseconds.

    Workers are not made before work has been done without them that takes as long as making them.
    """
    global _alone
    chosen = _chosen.get(0)
    if chosen:
        return chosen
    if _alone + time < STARTING and not team.cache_info().currsize:
        _alone += time
        return 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # a list is one number a nesting level
    if asked.isdecimal() and int(asked):
        allowed = min(allowed, int(asked))
    return min(allowed, _quota())


def run(address: int, contexts: Sequence[int]) -> None:
    """Run a C function `void f(ptr)` on every context, and return when all are done.

    The first context is run by the caller, the others by workers, all at once; where another thread is using the
    workers, or one context is all there is, the caller runs them one after another. So no context may wait for another.

    Parameters
    ----------
    address : int
        Where the function is.
    contexts : sequence of int
        Its argument, of each thread.
    """
    if len(contexts) > 1:
        team().run(address, contexts)
    elif contexts:
        C_FUNCTION(address)(contexts[0])


@functools.cache
def _quota() -> int:
    """How many processors the control groups above this process grant it; a very large number where they do not say."""
    granted = math.inf
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            root = Path("/sys/fs/cgroup", controllers)
            for group in (PurePosixPath(path), *PurePosixPath(path).parents):
                granted = min(granted, _granted(root / str(group).lstrip("/")))
    return max(1, math.ceil(granted)) if math.isfinite(granted) else sys.maxsize


def _granted(group: Path) -> float:
    """The processors one control group grants."""
    with contextlib.suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text().split()
        return int(quota) / int(period)
    with contextlib.suppress(OSError, ValueError):
        quota = (group / "cpu.cfs_quota_us").read_text()
        return int(quota) / int((group / "cpu.cfs_period_us").read_text()) if int(quota) > 0 else math.inf
    return math.inf
