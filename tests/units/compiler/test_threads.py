"""Threads: every context is run once, whoever else runs, forks or presses Ctrl-C, and no more of them than allowed."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bibun.compiler import machine, threads, workers

NATIVE = machine.available() and sys.platform == "linux"
native = pytest.mark.skipif(not NATIVE, reason="threads of machine code are for Linux, with llvmlite")

# A context is (wait, runs, total): count down from `wait`, then add 1 to `runs` and, atomically, to what `total` points at.
TEXT = """
define void @f(ptr %c) nounwind {
entry:
  %wait = load volatile i64, ptr %c
  %at = getelementptr i64, ptr %c, i64 1
  br label %loop
loop:
  %i = phi i64 [ %wait, %entry ], [ %less, %again ]
  %more = icmp sgt i64 %i, 0
  br i1 %more, label %again, label %done
again:
  %less = sub i64 %i, 1
  %kept = load volatile i64, ptr %at
  br label %loop
done:
  %old = load i64, ptr %at
  %new = add i64 %old, 1
  store i64 %new, ptr %at
  %at.total = getelementptr i64, ptr %c, i64 2
  %total = load ptr, ptr %at.total
  %ignored = atomicrmw add ptr %total, i64 1 monotonic
  ret void
}
"""


class Work:
    """Contexts of f, and what has become of them."""

    def __init__(self, n, wait=0):
        self.data = np.zeros((n, 16), np.int64)
        self.total = np.zeros(1, np.int64)
        self.data[:, 0] = wait
        self.data[:, 2] = self.total.ctypes.data
        self.contexts = [row.ctypes.data for row in self.data]

    @property
    def runs(self):
        return self.data[:, 1].tolist()


@pytest.fixture(scope="module")
def f():
    if not machine.available():
        pytest.skip("no machine code here")
    code = machine.load(TEXT)
    yield code.address("f")
    assert code.names


@pytest.fixture(scope="module", params=["machine code", "Python"])
def team(request):
    if request.param == "Python":
        return workers.PythonTeam()
    if not NATIVE:
        pytest.skip("threads of machine code are for Linux, with llvmlite")
    return workers.Team()


@pytest.mark.parametrize("n", [2, 3, 9])
@pytest.mark.parametrize("wait", [0, 10_000])
def test_every_context_is_run_once(team, f, n, wait):
    work = Work(n, wait)
    for k in range(1, 200):
        team.run(f, work.contexts)
        assert work.runs == [k] * n
    assert work.total[0] == 199 * n


def test_after_idleness(team, f):
    work = Work(3, 1000)
    for k in range(1, 20):
        time.sleep(0.003)
        team.run(f, work.contexts)
        assert work.runs == [k] * 3


def test_unequal_contexts(team, f):
    work = Work(4)
    for k in range(1, 100):
        work.data[:, 0] = [0, 100_000 * (k % 2), 0, 100_000 * (k % 3)]
        team.run(f, work.contexts)
        assert work.runs == [k] * 4


def test_callers_at_once(team, f):
    works = [Work(3, 100 * k) for k in range(4)]

    def call(work):
        for k in range(1, 300):
            team.run(f, work.contexts)
            assert work.runs == [k] * 3

    errors = []

    def guarded(work):
        try:
            call(work)
        except BaseException as error:
            errors.append(error)

    callers = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert errors == []


def test_the_public_run(f):
    threads.run(f, [])
    for n in (1, 2, 3):
        work = Work(n)
        threads.run(f, work.contexts)
        assert work.runs == [1] * n


@native
def test_the_lock_of_the_interpreter_is_free_while_it_runs(f):
    work = Work(2, 300_000_000)
    ended = []
    caller = threading.Thread(target=lambda: ended.append(threads.run(f, work.contexts)))
    caller.start()
    turns = 0
    while not ended and turns < 5:
        time.sleep(0.001)
        turns += 1
    assert turns == 5 and not ended
    caller.join()
    assert work.runs == [1, 1]


@native
def test_more_contexts_than_workers_can_be(f, monkeypatch):
    monkeypatch.setattr(workers, "_MOST", 2)
    team = workers.Team()
    work = Work(7)
    for k in range(1, 50):
        team.run(f, work.contexts)
        assert work.runs == [k] * 7
    assert team.size == 2
    team._stop()
    team._start()


def tasks():
    return {int(task) for task in os.listdir("/proc/self/task")}


@pytest.fixture
def fresh(f):
    """A team of its own, and the native ids of its two workers."""
    team = workers.Team()
    before = tasks()
    work = Work(3, 1000)
    team.run(f, work.contexts)
    yield team, sorted(tasks() - before)
    team._stop()
    team._start()


@native
def test_workers_get_no_signals(fresh):
    _, ids = fresh
    assert len(ids) == 2

    def blocked(task):
        status = Path(f"/proc/self/task/{task}/status").read_text()
        mask = int(status.split("SigBlk:")[1].split()[0], 16)
        return [bool(mask >> (number - 1) & 1) for number in (signal.SIGINT, signal.SIGSEGV)]

    for task in ids:
        deadline = time.monotonic() + 10
        while blocked(task) == [True, True] and time.monotonic() < deadline:  # a thread that has not begun blocks all
            time.sleep(0.001)
        assert blocked(task) == [True, False]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@native
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one processor")
def test_workers_keep_off_the_processor_of_the_caller(fresh, f):
    team, ids = fresh
    allowed = os.sched_getaffinity(0)
    work = Work(3, 1000)
    try:
        for cpu in sorted(allowed)[:2]:
            os.sched_setaffinity(0, {cpu})  # of this thread only
            os.sched_setaffinity(0, allowed)
            team.run(f, work.contexts)
            masks = [os.sched_getaffinity(task) for task in ids]
            assert masks[0] == masks[1] and len(masks[0]) == len(allowed) - 1 and masks[0] < allowed
        os.sched_setaffinity(0, {min(allowed)})  # nowhere to go: workers stay where they are
        team.run(f, work.contexts)
        assert work.runs == [3, 3, 3]
    finally:
        os.sched_setaffinity(0, allowed)
    assert os.sched_getaffinity(0) == allowed


@native
def test_workers_end_before_a_fork_and_come_back(fresh, f):
    team, ids = fresh
    work = Work(3, 1000)
    team._stop()
    assert not tasks() & set(ids) and team.size == 0
    team.run(f, work.contexts)  # while they may not be used the caller does it all
    assert work.runs == [1, 1, 1] and team.size == 0
    team._start()
    team.run(f, work.contexts)
    assert work.runs == [2, 2, 2] and team.size == 2


PROGRAM = f"""
import ctypes, os, signal, sys, threading, time, warnings
import numpy as np
from bibun.compiler import machine, threads, workers
text = {TEXT!r}
code = machine.load(text)
f = code.address("f")
data = np.zeros((2, 16), np.int64)
total = np.zeros(1, np.int64)
data[:, 2] = total.ctypes.data
contexts = [row.ctypes.data for row in data]
team = workers.team() if sys.argv[1] == "machine" else workers.PythonTeam()
team.run(f, contexts)
"""


def program(text, kind, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + text, kind],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stdout, done.stderr


kinds = pytest.mark.parametrize("kind", ["machine", "python"] if machine.available() else [])


@kinds
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_in_the_middle_of_a_run(kind):
    text = """
going = True
def work():
    mine = np.zeros((2, 16), np.int64)
    mine[:, 0], mine[:, 2] = 100_000, total.ctypes.data
    while going:
        team.run(f, [row.ctypes.data for row in mine])
thread = threading.Thread(target=work)
thread.start()
warnings.simplefilter("ignore")
for k in range(30):
    child = os.fork()
    if not child:
        data[:, 1] = 0
        for _ in range(10):
            team.run(f, contexts)
        os._exit(7 if data[:, 1].tolist() == [10, 10] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    team.run(f, contexts)
going = False
thread.join()
assert data[:, 1].tolist() == [31, 31]
print("done")
"""
    assert program(text, kind) == (0, "done\n", "")


@native
def test_a_fork_with_sleeping_workers_is_not_one_with_threads():
    text = """
assert team.size == 1
child = os.fork()  # Python 3.12 warns where there is a second thread, and a warning is an error here
if not child:
    os._exit(len(os.listdir("/proc/self/task")))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
print(team.size)
"""
    assert program(text, "machine", OPENBLAS_NUM_THREADS="1") == (0, "0\n", "")


@kinds
@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_comes_out_after_the_run(kind):
    text = """
data[1, 0] = 10**7
start = time.perf_counter()
team.run(f, contexts)
data[1, 0] = 10**7 * max(1, int(0.3 / (time.perf_counter() - start)))
for _ in range(5):
    before = data[:, 1].tolist()
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        team.run(f, contexts)
        time.sleep(10)
        print("no interrupt")
    except KeyboardInterrupt:
        assert data[:, 1].tolist() == [before[0] + 1, before[1] + 1]
data[:, 0] = 0
for _ in range(50):
    team.run(f, contexts)
print("done")
"""
    assert program(text, kind) == (0, "done\n", "")


@kinds
def test_the_process_ends_in_the_middle_of_a_run(kind):
    text = """
data[:, 0] = 2 * 10**9
threading.Thread(target=team.run, args=(f, contexts), daemon=True).start()
time.sleep(0.1)
print("done")
"""
    assert program(text, kind) == (0, "done\n", "")


def test_the_count_is_asked_for_each_time(monkeypatch):
    monkeypatch.setattr(threads, "_quota", lambda: 1000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads.count() == 8
    for text, n in {"3": 3, "4,2": 4, " 2 ": 2, "100": 8, "0": 8, "-1": 8, "many": 8, "": 8}.items():
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert threads.count() == n
    monkeypatch.setattr(threads, "_quota", lambda: 2)
    assert threads.count() == 2


def test_a_system_without_affinity(monkeypatch):
    monkeypatch.setattr(threads, "_quota", lambda: 1000)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert threads.count() == 6


def test_a_chosen_number_of_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with threads.threads(5):
        assert threads.count() == 5
        with threads.threads(np.int64(2)):
            assert threads.count() == 2
        assert threads.count() == 5
        seen = []
        other = threading.Thread(target=lambda: seen.append(threads.count()))
        other.start()
        other.join()
        assert seen == [1]
    assert threads.count() == 1
    with pytest.raises(ValueError, match="1 or more, and was given 0"), threads.threads(0):
        pass
    with pytest.raises(TypeError), threads.threads(1.5):
        pass


def test_what_a_container_grants(tmp_path, monkeypatch):
    groups = {
        "cpu.max": {"max 100000": float("inf"), "150000 100000": 1.5, "nonsense": float("inf")},
        "cpu.cfs_quota_us": {"-1": float("inf"), "200000": 2.0},
    }
    (tmp_path / "cpu.cfs_period_us").write_text("100000\n")
    assert threads._granted(tmp_path / "nowhere") == float("inf")
    for name, cases in groups.items():
        for text, granted in cases.items():
            (tmp_path / name).write_text(text + "\n")
            assert threads._granted(tmp_path) == granted
        (tmp_path / name).unlink()
    monkeypatch.setattr(threads, "_granted", lambda group: 1.5 if group.name == "outer" else float("inf"))
    monkeypatch.setattr(Path, "read_text", lambda path: "4:cpu,cpuacct:/outer/inner\n1:memory:/x\n")
    assert threads._quota.__wrapped__() == 2
    monkeypatch.setattr(Path, "read_text", lambda path: "0::/\n")
    assert threads._quota.__wrapped__() == sys.maxsize


def test_a_context_may_be_any_c_function():
    calls = []
    f = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda context: calls.append(context))
    threads.run(ctypes.cast(f, ctypes.c_void_p).value, [5])
    assert calls == [5]
    workers.PythonTeam().run(ctypes.cast(f, ctypes.c_void_p).value, [1, 2, 3])
    assert sorted(calls) == [1, 2, 3, 5]
