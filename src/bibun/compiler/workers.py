"""Workers: threads that wait for a C function and a context to run it on.

On Linux they are threads of machine code: a call never waits for the interpreter's lock, wakes them in half the time of
Python's, and nothing interrupts it before all have let go of the caller's memory. Elsewhere they are Python threads.
Imports machine.py; threads.py says how many are used.
"""

import contextlib
import ctypes
import functools
import os
import platform
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from . import machine

__all__ = ["C_FUNCTION", "PythonTeam", "Team", "team"]

C_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@functools.cache
def team() -> "Team | PythonTeam":
    """The workers of this process."""
    return Team() if sys.platform == "linux" and machine.available() else PythonTeam()


class PythonTeam:
    """Workers that are Python threads."""

    def __init__(self) -> None:
        self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._start)

    def _start(self) -> None:
        self.jobs: queue.SimpleQueue[tuple[Any, int, Any]] = queue.SimpleQueue()
        self.size = 0

    def _work(self, jobs: Any) -> None:
        while True:
            f, context, done = jobs.get()
            f(context)
            done.put(None)

    def run(self, address: int, contexts: Sequence[int]) -> None:
        """Run the function on all contexts."""
        f = C_FUNCTION(address)
        while self.size < len(contexts) - 1:
            self.size += 1
            threading.Thread(target=self._work, args=(self.jobs,), name="bibun", daemon=True).start()
        done: queue.SimpleQueue[None] = queue.SimpleQueue()
        with _later_interrupt():
            for context in contexts[1:]:
                self.jobs.put((f, context, done))
            f(contexts[0])
            for _ in contexts[1:]:
                done.get()


@contextlib.contextmanager
def _later_interrupt() -> Iterator[None]:
    """Ctrl-C waits for the end of the block: until then workers hold memory of the caller."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda *args: came.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        handler(*came[0])


# What the code of a team shares, in one piece of memory that is never freed, since a sleeping worker looks at it until
# the process has ended. A header of 512 bytes, then 256 for each worker:
#   header   0 i64 whether it is in use, 8 i64 how many workers there are,
#            128 the processors the workers are allowed (128 bytes), 256 those they should be
#   worker   0 ptr function, 8 ptr its context, 16 i64 the thread, 24 i64 whether the two are on offer,
#            64 semaphore "go", 128 semaphore "done"
# Worker and caller both may take what is on offer: a worker that is slow to wake finds that the caller, done with its
# own context, has run this one too. A function with no address ends a worker.
_HEADER, _WORKER, _MOST = 512, 256, 4096

_IR = """
declare i32 @sem_init(ptr, i32, i32)
declare i32 @sem_wait(ptr)
declare i32 @sem_trywait(ptr)
declare i32 @sem_post(ptr)
declare i32 @usleep(i32)
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @pthread_setaffinity_np(i64, i64, ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @sigdelset(ptr, i32)
declare i32 @memcmp(ptr, ptr, i64)
declare ptr @memcpy(ptr, ptr, i64)
declare ptr @memset(ptr, i32, i64)
declare void @PAUSE

define internal ptr @worker(ptr %team, i64 %k) nounwind {
  %bytes = mul i64 %k, 256
  %offset = add i64 %bytes, 512
  %worker = getelementptr i8, ptr %team, i64 %offset
  ret ptr %worker
}

; Wait for a semaphore: awake for a moment, since the next call often comes at once, then asleep.
define internal void @take(ptr %semaphore) nounwind {
entry:
  br label %spin
spin:
  %i = phi i64 [ 0, %entry ], [ %next, %again ]
  %no = call i32 @sem_trywait(ptr %semaphore)
  %taken = icmp eq i32 %no, 0
  br i1 %taken, label %done, label %again
again:
  call void @PAUSE
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, SPINS
  br i1 %more, label %spin, label %sleep
sleep:
  %failed = call i32 @sem_wait(ptr %semaphore)
  %signal = icmp ne i32 %failed, 0
  br i1 %signal, label %sleep, label %done
done:
  ret void
}

define internal void @offer(ptr %worker, ptr %f, ptr %context) nounwind {
  %at.context = getelementptr i8, ptr %worker, i64 8
  %at.offer = getelementptr i8, ptr %worker, i64 24
  %go = getelementptr i8, ptr %worker, i64 64
  store volatile ptr %f, ptr %worker
  store volatile ptr %context, ptr %at.context
  store atomic i64 1, ptr %at.offer release, align 8
  %posted = call i32 @sem_post(ptr %go)
  ret void
}

define internal i1 @accept(ptr %worker) nounwind {
  %at.offer = getelementptr i8, ptr %worker, i64 24
  %taken = cmpxchg ptr %at.offer, i64 1, i64 0 acq_rel monotonic
  %mine = extractvalue { i64, i1 } %taken, 1
  ret i1 %mine
}

define internal ptr @work(ptr %worker) nounwind {
entry:
  %at.context = getelementptr i8, ptr %worker, i64 8
  %go = getelementptr i8, ptr %worker, i64 64
  %done = getelementptr i8, ptr %worker, i64 128
  br label %wait
wait:
  call void @take(ptr %go)
  %mine = call i1 @accept(ptr %worker)
  br i1 %mine, label %look, label %wait
look:
  %f = load volatile ptr, ptr %worker
  %last = icmp eq ptr %f, null
  br i1 %last, label %end, label %call
call:
  %context = load volatile ptr, ptr %at.context
  call void %f(ptr %context)
  %posted = call i32 @sem_post(ptr %done)
  br label %wait
end:
  ret ptr null
}

; Have as many workers as are needed, if the system gives them. Signals are for the interpreter's threads: workers get
; none but those of faults.
define internal void @grow(ptr %team, i64 %needed) nounwind {
entry:
  %signals = alloca [128 x i8]
  %before = alloca [128 x i8]
  %filled = call i32 @sigfillset(ptr %signals)
  %ill = call i32 @sigdelset(ptr %signals, i32 4)
  %bus = call i32 @sigdelset(ptr %signals, i32 7)
  %fpe = call i32 @sigdelset(ptr %signals, i32 8)
  %segv = call i32 @sigdelset(ptr %signals, i32 11)
  %masked = call i32 @pthread_sigmask(i32 2, ptr %signals, ptr %before)
  %allowed = getelementptr i8, ptr %team, i64 128
  %forgotten = call ptr @memset(ptr %allowed, i32 0, i64 128)
  %at.size = getelementptr i64, ptr %team, i64 1
  br label %next
next:
  %size = load i64, ptr %at.size
  %few = icmp ult i64 %size, %needed
  %room = icmp ult i64 %size, MOST
  %more = and i1 %few, %room
  br i1 %more, label %make, label %end
make:
  %worker = call ptr @worker(ptr %team, i64 %size)
  %at.thread = getelementptr i8, ptr %worker, i64 16
  %go = getelementptr i8, ptr %worker, i64 64
  %done = getelementptr i8, ptr %worker, i64 128
  %go.made = call i32 @sem_init(ptr %go, i32 0, i32 0)
  %done.made = call i32 @sem_init(ptr %done, i32 0, i32 0)
  %failed = call i32 @pthread_create(ptr %at.thread, ptr null, ptr @work, ptr %worker)
  %made = icmp eq i32 %failed, 0
  br i1 %made, label %count, label %end
count:
  %larger = add i64 %size, 1
  store i64 %larger, ptr %at.size
  br label %next
end:
  %restored = call i32 @pthread_sigmask(i32 2, ptr %before, ptr null)
  ret void
}

; Keep the workers off the caller's processor: Linux likes to wake them there, where they wait until the caller has
; done all the work.
define internal void @place(ptr %team) nounwind {
entry:
  %allowed = getelementptr i8, ptr %team, i64 128
  %mask = getelementptr i8, ptr %team, i64 256
  %cleared = call ptr @memset(ptr %mask, i32 0, i64 128)
  %failed = call i32 @sched_getaffinity(i32 0, i64 128, ptr %mask)
  %unknown = icmp slt i32 %failed, 0
  %cpu = call i32 @sched_getcpu()
  %strange = icmp ugt i32 %cpu, 1023
  %lost = or i1 %unknown, %strange
  br i1 %lost, label %end, label %clear
clear:
  %cell = lshr i32 %cpu, 6
  %at = getelementptr i64, ptr %mask, i32 %cell
  %bit = and i32 %cpu, 63
  %bit64 = zext i32 %bit to i64
  %one = shl i64 1, %bit64
  %keep = xor i64 %one, -1
  %old = load i64, ptr %at
  %new = and i64 %old, %keep
  store i64 %new, ptr %at
  %changed = call i32 @memcmp(ptr %mask, ptr %allowed, i64 128)
  %same = icmp eq i32 %changed, 0
  br i1 %same, label %end, label %set
set:
  %copied = call ptr @memcpy(ptr %allowed, ptr %mask, i64 128)
  %at.size = getelementptr i64, ptr %team, i64 1
  %size = load i64, ptr %at.size
  br label %each
each:
  %k = phi i64 [ 0, %set ], [ %next, %every ]
  %more = icmp ult i64 %k, %size
  br i1 %more, label %every, label %end
every:
  %worker = call ptr @worker(ptr %team, i64 %k)
  %at.thread = getelementptr i8, ptr %worker, i64 16
  %thread = load i64, ptr %at.thread
  %refused = call i32 @pthread_setaffinity_np(i64 %thread, i64 128, ptr %mask)
  %next = add i64 %k, 1
  br label %each
end:
  ret void
}

; f on contexts[0], …, contexts[n - 1]: [1], …, [helpers] by workers, the others by the caller.
define void @run(ptr %team, ptr %f, ptr %contexts, i64 %n) nounwind {
entry:
  %claim = cmpxchg ptr %team, i64 0, i64 1 acquire monotonic
  %mine = extractvalue { i64, i1 } %claim, 1
  br i1 %mine, label %begin, label %own
begin:
  %wanted = sub i64 %n, 1
  %at.size = getelementptr i64, ptr %team, i64 1
  %before = load i64, ptr %at.size
  %few = icmp ult i64 %before, %wanted
  br i1 %few, label %more, label %enough
more:
  call void @grow(ptr %team, i64 %wanted)
  br label %enough
enough:
  call void @place(ptr %team)
  %size = load i64, ptr %at.size
  %fewer = icmp ult i64 %size, %wanted
  %team.helpers = select i1 %fewer, i64 %size, i64 %wanted
  br label %wake
wake:
  %k = phi i64 [ 0, %enough ], [ %k.next, %awake ]
  %k.more = icmp ult i64 %k, %team.helpers
  br i1 %k.more, label %awake, label %own
awake:
  %k.next = add i64 %k, 1
  %worker = call ptr @worker(ptr %team, i64 %k)
  %at.helped = getelementptr ptr, ptr %contexts, i64 %k.next
  %helped = load ptr, ptr %at.helped
  call void @offer(ptr %worker, ptr %f, ptr %helped)
  br label %wake
own:
  %helpers = phi i64 [ 0, %entry ], [ %team.helpers, %wake ]
  %context = load ptr, ptr %contexts
  call void %f(ptr %context)
  br label %rest
rest:
  %j = phi i64 [ %helpers, %own ], [ %j.next, %resting ]
  %j.next = add i64 %j, 1
  %j.more = icmp ult i64 %j.next, %n
  br i1 %j.more, label %resting, label %wait
resting:
  %at.resting = getelementptr ptr, ptr %contexts, i64 %j.next
  %resting.context = load ptr, ptr %at.resting
  call void %f(ptr %resting.context)
  br label %rest
wait:
  %i = phi i64 [ 0, %rest ], [ %i.next, %late ], [ %i.next, %busy ]
  %i.more = icmp ult i64 %i, %helpers
  br i1 %i.more, label %waiting, label %done
waiting:
  %waited = call ptr @worker(ptr %team, i64 %i)
  %i.next = add i64 %i, 1
  %asleep = call i1 @accept(ptr %waited)
  br i1 %asleep, label %late, label %busy
late:
  %at.late = getelementptr ptr, ptr %contexts, i64 %i.next
  %late.context = load ptr, ptr %at.late
  call void %f(ptr %late.context)
  br label %wait
busy:
  %at.done = getelementptr i8, ptr %waited, i64 128
  call void @take(ptr %at.done)
  br label %wait
done:
  br i1 %mine, label %free, label %end
free:
  call void @open(ptr %team)
  br label %end
end:
  ret void
}

; End the workers, after the run there may be, and let no other run have any until the team is opened again.
define void @close(ptr %team) nounwind {
entry:
  br label %try
try:
  %claim = cmpxchg ptr %team, i64 0, i64 1 acquire monotonic
  %mine = extractvalue { i64, i1 } %claim, 1
  br i1 %mine, label %begin, label %pause
pause:
  %waited = call i32 @usleep(i32 50)
  br label %try
begin:
  %at.size = getelementptr i64, ptr %team, i64 1
  br label %next
next:
  %size = load i64, ptr %at.size
  %any = icmp ugt i64 %size, 0
  br i1 %any, label %last, label %end
last:
  %less = sub i64 %size, 1
  %worker = call ptr @worker(ptr %team, i64 %less)
  %at.thread = getelementptr i8, ptr %worker, i64 16
  call void @offer(ptr %worker, ptr null, ptr null)
  %thread = load i64, ptr %at.thread
  %joined = call i32 @pthread_join(i64 %thread, ptr null)
  store i64 %less, ptr %at.size
  br label %next
end:
  ret void
}

define void @open(ptr %team) nounwind {
  store atomic i64 0, ptr %team release, align 8
  ret void
}
"""


def _text(processor: str) -> str:
    """The IR of a team. It stays awake for 27 microseconds, measured on an AMD EPYC: 1000 pauses."""
    pause, declared = ("llvm.aarch64.hint(i32 1)", "llvm.aarch64.hint(i32)")
    if processor == "x86_64":
        pause = declared = "llvm.x86.sse2.pause()"
    text = _IR.replace("declare void @PAUSE", f"declare void @{declared}").replace("PAUSE", pause)
    return text.replace("SPINS", "1000").replace("MOST", str(_MOST))


class Team:
    """Workers that are threads of machine code, on Linux; one caller at a time has them.

    They end before a fork, so that a child is never born into the middle of a run, and are made anew when needed.
    """

    def __init__(self) -> None:
        # nothing in it is worth optimising, and that takes a fifth of the time of a process's first call
        code = machine.load(_text(platform.machine()), level=0)
        pointer = ctypes.c_void_p
        self._run = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, ctypes.c_int64)(code.address("run"))
        self._close, self._open = C_FUNCTION(code.address("close")), C_FUNCTION(code.address("open"))
        self._code = code
        allocate = ctypes.CFUNCTYPE(pointer, ctypes.c_size_t, ctypes.c_size_t)(("calloc", ctypes.CDLL(None)))
        memory = allocate(_HEADER + _WORKER * _MOST + 64, 1)
        if not memory:
            raise MemoryError("no memory for the threads of compiled functions")
        self._team = memory + -memory % 64
        os.register_at_fork(before=self._stop, after_in_parent=self._start, after_in_child=self._start)

    @property
    def size(self) -> int:
        """How many workers there are."""
        return ctypes.c_int64.from_address(self._team + 8).value

    def run(self, address: int, contexts: Sequence[int]) -> None:
        """Run the function on all contexts: one call of C, which nothing interrupts."""
        n = len(contexts)
        self._run(self._team, address, (ctypes.c_void_p * n)(*contexts), n)

    def _stop(self) -> None:
        self._close(self._team)

    def _start(self) -> None:
        self._open(self._team)
