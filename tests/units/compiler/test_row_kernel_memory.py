"""Row kernels touch only the rows: arrays lie against pages that nobody may read, so one byte too far is a crash."""

import ctypes
import itertools
import mmap
import subprocess
import sys

import numpy as np
import pytest

from bibun.compiler import machine, row_kernel, threads
from bibun.compiler.expression import Expressions
from bibun.compiler.row_kernel import RowKernel
from bibun.compiler.row_program import Block, RowProgram, Source, Term

from .test_row_kernel import abs_, check

pytestmark = pytest.mark.skipif(
    not machine.available() or not sys.platform.startswith("linux"), reason="pages are guarded on Linux, with llvmlite"
)

PAGE = mmap.PAGESIZE


class Guarded:
    """Memory between two pages that may not be touched."""

    def __init__(self, size):
        self.size = -(-max(size, 1) // PAGE) * PAGE
        self.memory = mmap.mmap(-1, self.size + 2 * PAGE)
        self.start = np.frombuffer(self.memory, np.uint8).ctypes.data
        library = ctypes.CDLL(None, use_errno=True)
        for page in (self.start, self.start + PAGE + self.size):
            assert library.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) == 0

    def place(self, shape, dtype, order, at_end):
        """An array whose first byte is the memory's first, or whose last byte is its last."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        start = PAGE + (self.size - size if at_end else 0)
        flat = np.frombuffer(self.memory, np.uint8, size, start).view(dtype)
        return flat.reshape(shape, order=order)


def test_a_guard_is_one():
    """That reading past the end does end a process: else nothing below says anything."""
    code = (
        f"import sys; sys.path[:0] = {[*sys.path, '.']!r}\n"
        "from tests.units.compiler.test_row_kernel_memory import *\n"
        "g = Guarded(100); a = g.place((100,), 'u1', 'C', True)\n"
        "print(a.sum(), flush=True); ctypes.string_at(a.ctypes.data, 101)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "0\n" and found.returncode < 0, found.stderr


def program_of(dtype, order, width, products):
    h = Expressions()
    e = abs_(h.leaf("predictor", 0)) * h.leaf("column", 0) + h.leaf("column", 1) + h.leaf("predictor", 1)
    terms = [Term(e), Term(e, 0), Term(e, 1), Term(e, 2), Term(e, 1, 2)]
    if products:
        terms += [Term(e, 0, 0), Term(e, 0, 1)]
    return RowProgram(
        [Source(np.dtype(dtype), width, order), Source(np.dtype(dtype)), *[Source(np.dtype("i4"))] * 2],
        [(0, width - 1), (1, 0)],
        [Block("dense", 0, width), Block("codes", 2, 0), Block("codes", 3, 0)],
        terms,
        [(e, np.dtype(float)), (e > 0.0, np.dtype(bool)), (e, np.dtype("f4"))],
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("products", [False, True])
@pytest.mark.parametrize(("dtype", "lanes"), [("f8", 8), ("f8", 4), ("f4", 8), ("i2", 2), ("u1", 8)])
def test_no_byte_outside_is_touched(order, dtype, products, lanes, monkeypatch):
    """Of the arrays, the results, and the kernel's own memory."""
    guards = []

    def inside(n, kind=np.float64, at_end=True):
        size = -(-max(n, 1) * np.dtype(kind).itemsize // 64) * 64
        guards.append(Guarded(size))
        return guards[-1].place((size,), np.uint8, "C", at_end)[: max(n, 1) * np.dtype(kind).itemsize].view(kind)

    def result(n, kind):
        guards.append(Guarded(n * kind.itemsize))
        return guards[-1].place((n,), kind, "C", True)

    monkeypatch.setattr(row_kernel, "_aligned", inside)
    monkeypatch.setattr(row_kernel, "_result", result)
    rng = np.random.default_rng(0)
    for width in (3, 8, 29):
        kernel = RowKernel(program_of(dtype, order, width, products), lanes)
        memory = [Guarded(80 * width * 8) for _ in range(4)]
        for n in [*range(41), 64, 71, 80]:
            for at_end in (True, False):
                shapes = [(n, width), (n,), (n,), (n,)]
                kinds = [dtype, dtype, "i4", "i4"]
                arrays = [g.place(s, k, order, at_end) for g, s, k in zip(memory, shapes, kinds, strict=True)]
                for a, limit in zip(arrays, (5, 5, 4, 3), strict=True):
                    a[...] = rng.integers(0, limit, a.shape)
                check(kernel.program, arrays, [rng.normal(size=width), np.ones(4), np.ones(3)], kernel)
            guards.clear()


def test_codes_out_of_range_touch_nothing_outside():
    n = 1000
    program = program_of("f8", "C", 3, True)
    kernel = RowKernel(program)
    rng = np.random.default_rng(0)
    for bad in (-1, 4, 2**31 - 1, -(2**31)):
        arrays = [rng.normal(size=(n, 3)), np.ones(n), rng.integers(0, 4, n).astype("i4"), np.zeros(n, "i4")]
        arrays[2][::7] = bad
        with pytest.raises(IndexError, match=f"the code in row 0 is {bad}"):
            kernel(arrays, [np.ones(3), np.ones(4), np.ones(3)])


def test_chunks_of_many_threads_stay_inside():
    n = 50_003
    memory = [Guarded(n * 3 * 8), *[Guarded(n * 8)] * 3]
    rng = np.random.default_rng(0)
    for order in "CF":
        kernel = RowKernel(program_of("f8", order, 3, True))
        shapes = [(n, 3), (n,), (n,), (n,)]
        kinds = ["f8", "f8", "i4", "i4"]
        memory = [Guarded(int(np.prod(s)) * 8) for s in shapes]
        arrays = [g.place(s, k, order, True) for g, s, k in zip(memory, shapes, kinds, strict=True)]
        for a, limit in zip(arrays, (5, 5, 4, 3), strict=True):
            a[...] = rng.integers(0, limit, a.shape)
        with threads.threads(4):
            check(kernel.program, arrays, [rng.normal(size=3), np.ones(4), np.ones(3)], kernel)
        assert kernel.bound[0].chunks > 4


@pytest.mark.parametrize("lanes", [2, 4, 8])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u8", "i4", "u4", "i2", "u2", "i1", "u1", "?"])
def test_vectors_with_gaps(dtype, lanes):
    """Elements that do not lie side by side are read, and nothing beyond the first and the last of them."""
    h = Expressions()
    program = RowProgram([Source(np.dtype(dtype))], [(0, 0)], [], [Term(h.leaf("column", 0))])
    kernel = RowKernel(program, lanes)
    n = 3 * 8 * kernel.layout.rows + 5
    for at_end, backwards in itertools.product((False, True), repeat=2):
        whole = Guarded((3 * n - 2) * np.dtype(dtype).itemsize).place((3 * n - 2,), dtype, "C", at_end)
        whole[:] = np.random.default_rng(0).integers(0, 2 if dtype == "?" else 100, whole.size)
        a = whole[::-3] if backwards else whole[::3]
        assert kernel([a], [])[0][0] == a.sum(dtype=float)
