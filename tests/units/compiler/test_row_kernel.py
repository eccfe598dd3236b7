"""Row kernels against the same sums written over whole arrays, for programs, types, orders and row counts of all kinds."""

import gc
import threading
import weakref

import numpy as np
import pytest
from scipy import special

from bibun.compiler import lowering_ufuncs, machine, row_arrays, row_kernel, threads  # noqa: F401
from bibun.compiler.expression import Expression, Expressions, ordered
from bibun.compiler.ir import Builder
from bibun.compiler.row_kernel import RowKernel
from bibun.compiler.row_loops import Writer
from bibun.compiler.row_program import Block, RowProgram, Source, Term

pytestmark = pytest.mark.skipif(not machine.available(), reason="machine code needs llvmlite")

BLOCKS = [
    Block("dense", 0, 3),
    Block("dense", 1, 10),
    Block("dense", 0, 3),
    Block("codes", 2, 0),
    Block("codes", 3, 0),
    Block("scalar", -1, 1),
    Block("codes", 2, 0),
]
GROUPS = {3: 4, 4: 3, 6: 5}
SIDES = [None, *range(len(BLOCKS))]
COLUMNS = [(4, 0), (0, 1), (1, 9)]
NUMPY = {"tanh": np.tanh, "exp": np.exp}


def data(n, dtype=np.float64, order="C", codes=np.int64):
    """Two matrices, two vectors of codes, a vector of numbers."""
    rng = np.random.default_rng(n)
    X = np.asarray(rng.normal(size=(n, 3)) * 2, dtype=dtype, order=order)
    Z = np.asarray(rng.normal(size=(n, 10)), order="F" if order == "C" else "C")
    return [X, Z, rng.integers(0, 4, n).astype(codes), rng.integers(0, 3, n).astype(np.uint8), rng.normal(size=n)]


def sources(arrays, orders=None):
    """Of arrays that are what their flags say; one of one column, or row, is in any order."""
    found = []
    for k, a in enumerate(arrays):
        order = orders[k] if orders else "F" if a.ndim == 2 and not a.flags.c_contiguous else "C"
        found.append(Source(a.dtype, a.shape[1] if a.ndim == 2 else None, order))
    return found


def parameters(blocks=BLOCKS, groups=GROUPS, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=groups.get(k, b.width)) if b.kind != "scalar" else 0.7 for k, b in enumerate(blocks)]


def wide(program, k, arrays, p):
    """How a block enters the rows, as a whole matrix: one-hot for codes."""
    if k is None or program.blocks[k].kind == "scalar":
        return np.ones((len(arrays[0]), 1))
    a = arrays[program.blocks[k].source]
    return a.astype(float) if a.ndim == 2 else np.eye(len(p[k]))[a.astype(int)]


def evaluated(program, arrays, p):
    """The values of all expressions, over whole arrays."""
    values = {}
    for e in ordered(program.roots()):
        if e.op == "number":
            values[e] = np.full(len(arrays[0]), e.number)
        elif e.op == "column":
            s, j = program.columns[e.number]
            values[e] = (arrays[s] if arrays[s].ndim == 1 else arrays[s][:, j]).astype(float)
        elif e.op == "predictor":
            values[e] = wide(program, e.number, arrays, p) @ np.atleast_1d(p[e.number])
        else:
            args = [values[a] * 1.0 if e.op != "where" else values[a] for a in e.args if isinstance(a, Expression)]
            values[e] = getattr(np, e.op)(*args)
    return values


def naive(program, arrays, p):
    """What the program says, by NumPy."""
    values, terms = evaluated(program, arrays, p), []
    for t in program.terms:
        left, right = (wide(program, k, arrays, p) for k in (t.left, t.right))
        total = left.T @ (right * (values[t.e] * 1.0)[:, None])
        sides = enumerate((t.left, t.right))
        terms.append(
            np.squeeze(total, axis=tuple(i for i, k in sides if k is None or program.blocks[k].kind == "scalar"))
        )
    return terms, [values[e].astype(dtype) for e, dtype in program.maps]


def check(program, arrays, p, kernel=None, rtol=1e-11, scale=1.0):
    with np.errstate(all="ignore"):
        wanted = naive(program, arrays, p)
    terms, maps = (kernel or RowKernel(program))(arrays, p)
    atol = scale * 1e-13 * max(len(arrays[0]), 1)
    for t, got, want in zip(program.terms, terms, wanted[0], strict=True):
        assert isinstance(got, np.ndarray) and got.dtype == np.float64 and got.shape == want.shape, t
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=str((t.left, t.right, len(arrays[0]))))
        if t.left == t.right and got.ndim == 2:
            assert np.array_equal(got, got.T, equal_nan=True)
    for got, want in zip(maps, wanted[1], strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-6 if got.dtype == np.float32 else 1e-12, atol=1e-13)
    return terms, maps


def everything(arrays, orders=None):
    """A program with a term of every pair of blocks."""
    h = Expressions()
    etas = [h.leaf("predictor", k) for k in range(len(BLOCKS))]
    e = abs_(sum(etas[1:], etas[0])) * h.leaf("column", 0) + h.leaf("column", 1) - h.leaf("column", 2)
    f = e * h.leaf("predictor", 5) + 1.5
    terms = [Term(e, left, right) for left in SIDES for right in SIDES]
    terms += [Term(f, left, left) for left in SIDES] + [Term(f, 1), Term(f, 4), Term(f, 1, 4), Term(f), Term(f, 0)]
    maps = [(e, np.dtype(float)), (f, np.dtype("f4")), (e > f, np.dtype(bool)), (e > f, np.dtype(float))]
    return RowProgram(sources(arrays, orders), COLUMNS, BLOCKS, terms, maps)


def abs_(e):
    return e.home.make("absolute", e)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_terms_of_every_kind(order, lanes):
    orders = ["C", "F"] if order == "C" else ["F", "C"]
    kernel = RowKernel(everything(data(40, order=order), [*orders, "C", "C", "C"]), lanes)
    for n in [*range(41), 255, 256, 257, 5000]:
        arrays = data(n, order=order)
        check(kernel.program, arrays, parameters(), kernel)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "i2", "u1", "u2", "u4", "u8", "i1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_dtypes_are_numbers_in_double_precision(dtype, order):
    h = Expressions()
    e = h.leaf("predictor", 0) * h.leaf("column", 0) + h.leaf("column", 1)
    for width in (1, 2, 5, 8, 11):
        rng = np.random.default_rng(width)
        blocks = [Block("dense", 0, width), Block("codes", 2, 0)]
        program = RowProgram(
            [Source(np.dtype(dtype), width, order), Source(np.dtype(dtype)), Source(np.dtype("i4"))],
            [(0, width - 1), (1, 0)],
            blocks,
            [Term(e), Term(e, 0), Term(e, 0, 0), Term(e, 0, 1), Term(e, 1, 0)],
            [(e, np.dtype("i8"))],
        )
        kernel = RowKernel(program)
        for n in (3, 16, 77):
            low = -9 if dtype[0] in "if" else 0
            arrays = [
                np.asarray(rng.integers(low, 9, (n, width)), dtype=dtype, order=order),
                rng.integers(low, 9, n).astype(dtype),
                rng.integers(0, 3, n).astype("i4"),
            ]
            check(program, arrays, [np.arange(1.0, width + 1), np.ones(3)], kernel)


@pytest.mark.parametrize("width", [1, 3, 7, 8, 9, 23, 24, 25, 40, 100, 127, 128, 129, 141, 260])
@pytest.mark.parametrize("order", ["C", "F"])
def test_widths(width, order):
    h = Expressions()
    e = h.leaf("predictor", 0) * h.leaf("column", 0)
    blocks = [Block("dense", 0, width), Block("dense", 2, 5)]
    program = RowProgram(
        [Source(np.dtype(float), width, order), Source(np.dtype(float)), Source(np.dtype(float), 5, order)],
        [(1, 0)],
        blocks,
        [Term(e), Term(e, 0), Term(e, 0, 0), Term(e, 0, 1), Term(e, 1, 0)],
    )
    rng = np.random.default_rng(width)
    gradient = RowProgram(program.sources, program.columns, blocks, program.terms[:2])
    for made in (program, gradient):
        kernel = RowKernel(made)
        for n in (5, 64, 333):
            X = np.asarray(rng.normal(size=(n, width)), order=order)
            arrays = [X, rng.normal(size=n), np.asarray(rng.normal(size=(n, 5)), order=order)]
            check(made, arrays, [rng.normal(size=width), rng.normal(size=5)], kernel, scale=10)


def test_a_very_wide_matrix():
    h = Expressions()
    e = h.leaf("predictor", 0) * h.leaf("column", 0)
    program = RowProgram(
        [Source(np.dtype(float), 1501), Source(np.dtype(float))],
        [(1, 0)],
        [Block("dense", 0, 1501)],
        [Term(e, 0), Term(e, 0, 0)],
    )
    rng = np.random.default_rng(0)
    check(program, [rng.normal(size=(300, 1501)), rng.normal(size=300)], [rng.normal(size=1501)], scale=100)


@pytest.mark.parametrize("order", ["C", "F"])
def test_many_predictors_of_one_matrix(order):
    """Softmax: K vectors of coefficients and all their cross products."""
    K, D, h = 4, 11, Expressions()
    etas = [h.leaf("predictor", k) for k in range(K)]
    total = sum(map(abs_, etas[1:]), abs_(etas[0])) + 1.0
    shares = [abs_(eta) / total for eta in etas]
    terms = [Term(total)] + [Term(s, k) for k, s in enumerate(shares)]
    terms += [Term(a * b, i, j) for i, a in enumerate(shares) for j, b in enumerate(shares)]
    program = RowProgram([Source(np.dtype(float), D, order)], [], [Block("dense", 0, D)] * K, terms)
    kernel = RowKernel(program)
    assert {len(es) for key, es in kernel.layout.sums.items() if key[0] == "product"} == {K * (K + 1) // 2}
    rng = np.random.default_rng(0)
    for n in (6, 500):
        check(program, [np.asarray(rng.normal(size=(n, D)), order=order)], list(rng.normal(size=(K, D))), kernel)


def test_layouts_in_memory():
    """Rows and elements any number of bytes apart, backwards, repeated, and not aligned."""
    rng = np.random.default_rng(0)
    h = Expressions()
    e = h.leaf("predictor", 0) * h.leaf("column", 0) + h.leaf("predictor", 1)
    blocks = [Block("dense", 0, 5), Block("codes", 2, 0)]
    terms = [Term(e), Term(e, 0), Term(e, 0, 0), Term(e, 1), Term(e, 0, 1)]
    maps = [(e, np.dtype(float))]

    def kernel_of(order):
        program = RowProgram(
            [Source(np.dtype(float), 5, order), Source(np.dtype(float)), Source(np.dtype("i4"))], [(1, 0)], blocks,
            terms, maps,
        )  # fmt: skip
        return RowKernel(program)

    big, codes, n = rng.normal(size=(140, 17)), rng.integers(0, 6, (140, 3)).astype("i4"), 70
    raw = np.zeros(5 * 8 * 70 + 1, np.uint8)
    unaligned = raw[1:].view(float).reshape(70, 5)
    unaligned[:] = rng.normal(size=(70, 5))
    p = [rng.normal(size=5), rng.normal(size=6)]
    for order, X in {
        ("C", "part"): big[:70, 3:8],
        ("C", "every other"): big[::2, 3:8],
        ("C", "backwards"): big[69::-1, 3:8],
        ("C", "repeated"): np.broadcast_to(big[0, :5], (70, 5)),
        ("C", "unaligned"): unaligned,
        ("F", "part"): np.asfortranarray(big)[2:72, 3:8],
        ("F", "backwards"): np.asfortranarray(big)[:70, 7:2:-1],
    }.items():
        kernel = kernel_of(order[0])
        for y, c in [
            (big[:n, 0], codes[:n, 1]),
            (big[n - 1 :: -1, 0], codes[n - 1 :: -1, 1]),
            (np.broadcast_to(2.0, n), np.broadcast_to(codes[0, 0], n)),
            (big[::2, 1].copy(), codes[::2, 1].copy()),
        ]:
            check(kernel.program, [X, y, c], p, kernel)


def test_any_array_can_be_made_readable():
    big = np.arange(400.0).reshape(20, 20)
    fortran = np.asfortranarray(big)
    for a, want in {
        "C": (big, "C"), "F": (fortran, "F"), "one row of F": (fortran[3:4], "F"), "one column": (big[:, 3:4], "C"),
        "some columns": (big[:, 3:9], "C"), "backwards": (big[::-1], "C"), "apart": (big[:, ::2], ""),
        "apart, F": (fortran[::2], ""), "columns backwards": (big[:, ::-1], ""), "none": (fortran[:0], "C"),
        "swapped": (big.astype(">f8"), "C"), "one number": (big[3:4, 5:6], "C"), "repeated": (np.broadcast_to(1.0, (20, 3)), ""),
    }.values():  # fmt: skip
        assert row_arrays.order(a) == want
        b = row_arrays.readable(a)
        assert (b is a) == (want != "" and a.dtype.isnative)
        program = RowProgram(
            [Source(b.dtype, b.shape[1], row_arrays.order(b))],
            [(0, 0)],
            [Block("dense", 0, b.shape[1])],
            [Term(Expressions().leaf("column", 0), 0)],
        )
        got = RowKernel(program)([b], [np.ones(b.shape[1])])[0][0]
        np.testing.assert_allclose(got, a[:, 0] @ a, rtol=1e-14)
    assert row_arrays.readable(big[3]).base is not None


def test_what_is_refused():
    program = RowProgram(
        [Source(np.dtype(float), 3, "C"), Source(np.dtype(float))],
        [(1, 0)],
        [Block("dense", 0, 3)],
        [Term(Expressions().leaf("column", 0), 0)],
    )
    kernel = RowKernel(program)
    X, y, p = np.ones((4, 3)), np.ones(4), [np.ones(3)]
    with pytest.raises(ValueError, match=r"array 1 of a row program has shape \(5,\), and should have \(4,\)"):
        kernel([X, np.ones(5)], p)
    with pytest.raises(ValueError, match=r"should have \(4, 3\)"):
        kernel([np.ones((4, 2)), y], p)
    with pytest.raises(TypeError, match="has dtype <f4"):
        kernel([X.astype("f4"), y], p)
    with pytest.raises(TypeError, match="byte order"):
        kernel([X, y.astype(y.dtype.newbyteorder())], p)
    with pytest.raises(ValueError, match=r"reads order C: copy it with np\.array"):
        kernel([np.asfortranarray(X), y], p)
    with pytest.raises(ValueError, match="reads order C"):  # one row, its numbers apart
        kernel([np.asfortranarray(X)[:1], y[:1]], p)
    kernel([X, y], p)
    with pytest.raises(ValueError, match="of 2 arrays was given 1"):
        kernel([X], p)
    columns = RowKernel(
        RowProgram([Source(np.dtype(float), 1, "F")], [(0, 0)], [], [Term(Expressions().leaf("column", 0))])
    )
    with pytest.raises(ValueError, match="reads order F"):  # one column, its numbers apart
        columns([X[:, :1]], [])
    assert columns([X[:1, :1]], [])[0][0] == 1
    with pytest.raises(NotImplementedError, match="no kernel"):
        h = Expressions()
        RowKernel(RowProgram([Source(np.dtype(float))], [(0, 0)], [], [Term(h.make("no_such", h.leaf("column", 0)))]))
    with pytest.raises(NotImplementedError, match="complex128"):
        RowKernel(RowProgram([Source(np.dtype(complex))], [(0, 0)], [], [Term(Expressions().leaf("column", 0))]))


@pytest.mark.parametrize("codes", ["i8", "i4", "i2", "i1", "u1", "u2", "u4", "u8"])
def test_codes_of_every_type_and_of_no_group(codes):
    h = Expressions()
    program = RowProgram(
        [Source(np.dtype(codes)), Source(np.dtype("i8"))],
        [],
        [Block("codes", 0, 0), Block("codes", 1, 0)],
        [Term(h.leaf("predictor", 0)), Term(h.number(2.0), 0), Term(h.number(1.0), 0, 1)],
    )
    kernel = RowKernel(program)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, 500).astype(codes), rng.integers(0, 3, 500)
    p = [rng.normal(size=4), np.ones(3)]
    check(program, [a, b], p, kernel)
    for where in (321, 499):  # within whole vectors, and after them
        before, a[where] = a[where], 4
        with pytest.raises(IndexError, match=f"the code in row {where} is 4, and there are parameters for 0 to 3"):
            kernel([a, b], p)
        a[where] = before
    check(program, [a, b], p, kernel)
    last = -1 if codes[0] == "i" else np.iinfo(codes).max
    a[17] = last
    with pytest.raises(IndexError, match=f"the code in row 17 is {last}"):
        kernel([a, b], p)
    a[17] = 0
    with pytest.raises(IndexError, match="there are parameters for 0 to 1"):
        kernel([a, b], [p[0], np.ones(2)])
    with pytest.raises(IndexError, match="parameters for 0 to -1"):
        kernel([a, b], [np.ones(0), np.ones(3)])
    terms, _ = kernel([a[:0], b[:0]], [np.ones(0), np.ones(3)])
    assert [t.shape for t in terms] == [(), (0,), (0, 3)]


def test_the_same_codes_with_fewer_groups_are_looked_at_too():
    program = RowProgram(
        [Source(np.dtype("i8"))],
        [],
        [Block("codes", 0, 0), Block("codes", 0, 0)],
        [Term(Expressions().number(1.0), 0, 1)],
    )
    kernel = RowKernel(program)
    a = np.arange(20) % 4
    assert np.array_equal(kernel([a], [np.ones(4), np.ones(5)])[0][0], 5 * np.eye(4, 5))
    with pytest.raises(IndexError, match="parameters for 0 to 2"):
        kernel([a], [np.ones(4), np.ones(3)])


def test_parameters_and_groups_change_without_new_code():
    program = everything(data(100))
    kernel = RowKernel(program)
    arrays = data(100)
    for seed in range(3):
        p = parameters(groups={3: 4 + seed, 4: 7 - seed, 6: 5 + seed}, seed=seed)
        check(program, arrays, p, kernel)
        arrays[4][3] += 1  # the same memory, other numbers
        check(program, arrays, p, kernel)


def test_truth_values():
    """Results of their own type, conditions, and 0 and 1 among numbers."""
    x = np.array([-1.0, 0.0, 2.0, np.nan] * 5)[:19]
    h = Expressions()
    a = h.leaf("column", 0)
    up, nan = a > 0.0, h.make("isnan", a)
    e = h.make("where", up, a, h.number(5.0))
    sums = [up, up + nan, up - nan, -up, h.make("logical_or", up, nan), h.make("equal", up, h.number(1.0)), up * up]
    program = RowProgram(
        [Source(x.dtype)],
        [(0, 0)],
        [],
        [Term(s) for s in sums],
        [(up, np.dtype(bool)), (up + up, np.dtype("f4")), (e, np.dtype(float)), (up, np.dtype("i4"))],
    )
    terms, maps = RowKernel(program)([x], [])
    assert [float(t) for t in terms] == [5, 9, 1, -5, 9, 5, 5]
    assert [m.dtype.str for m in maps] == ["|b1", "<f4", "<f8", "<i4"]
    for m, want in zip(maps, ([0, 0, 1, 0], [0, 0, 2, 0], [5, 5, 2, 5], [0, 0, 1, 0]), strict=True):
        assert m.tolist() == (want * 5)[:19]


@pytest.mark.parametrize("n", [3, 8, 21, 3000])
def test_special_values(n):
    """Sums are what NumPy's are, infinite or no number; rows that are none add none of either."""
    h = Expressions()
    eta, x = h.leaf("predictor", 0), h.leaf("column", 0)
    terms = [Term(x), Term(1.0 / x), Term(x, 0), Term(eta), Term(1.0 / x, 0, 0), Term(x - x), Term(h.number(1.0), 0, 0)]
    rng = np.random.default_rng(n)
    for order in "CF":
        program = RowProgram(
            [Source(np.dtype(float)), Source(np.dtype(float), 2, order)], [(0, 0)], [Block("dense", 1, 2)], terms
        )
        kernel = RowKernel(program)
        for odd in (np.inf, -np.inf, np.nan, 0.0, -0.0, 5e-324, 1e308):
            for place in (0, n - 1, n // 2):
                v, X = rng.normal(size=n), np.asarray(rng.normal(size=(n, 2)), order=order)
                v[place] = odd
                check(program, [v, X], [np.ones(2)], kernel, rtol=1e-9)
                X[place, 0] = odd
                check(program, [v, X], [np.ones(2)], kernel, rtol=1e-9)


def test_sums_of_many_rows_are_exact_to_the_last_bits():
    v = np.full(3_000_001, 0.1)
    program = RowProgram([Source(v.dtype)], [(0, 0)], [], [Term(Expressions().leaf("column", 0))])
    kernel = RowKernel(program)
    assert abs(float(kernel([v], [])[0][0]) / 300000.1 - 1) < 1e-15
    with threads.threads(1):
        v[:] = np.random.default_rng(0).normal(size=len(v)) ** 2
        exact = float(v.astype(np.longdouble).sum())
        assert abs(float(kernel([v], [])[0][0]) / exact - 1) < 1e-15


def test_results_do_not_hang_on_threads():
    arrays = data(60_000)
    kernel = RowKernel(everything(arrays))
    found = []
    for n in (1, 2, 3, 3):
        with threads.threads(n):
            found.append(kernel(arrays, parameters()))
    assert kernel.bound[0].chunks > 3
    for terms, maps in found[1:]:
        for a, b in zip([*terms, *maps], [*found[0][0], *found[0][1]], strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("n", [0, 1, 8, 300_003])
def test_results_a_row_without_a_sum(n):
    x = np.random.default_rng(0).normal(size=n)
    h = Expressions()
    a = h.leaf("column", 0)
    program = RowProgram([Source(x.dtype)], [(0, 0)], [], [], [(h.make("exp", a), x.dtype), (a > 0.0, np.dtype(bool))])
    kernel = RowKernel(program)
    for count in (1, 2):
        with threads.threads(count):
            terms, (y, positive) = kernel([x], [])
        assert terms == []
        np.testing.assert_allclose(y, np.exp(x), rtol=1e-15)
        assert np.array_equal(positive, x > 0)
    assert (kernel.bound[0].chunks > 3) == (n > 1000)


def test_two_threads_call_one_kernel():
    arrays = data(3000)
    kernel = RowKernel(everything(arrays))
    wanted = {seed: kernel(arrays, parameters(seed=seed)) for seed in range(3)}
    wrong = []

    def call(seed):
        for _ in range(20):
            terms, maps = kernel(arrays, parameters(seed=seed))
            wrong.extend(
                a
                for a, b in zip(terms + maps, wanted[seed][0] + wanted[seed][1], strict=True)
                if not np.array_equal(a, b)
            )

    ts = [threading.Thread(target=call, args=(seed,)) for seed in range(3)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    assert not wrong


def test_arrays_are_not_kept_alive_and_results_are_new():
    arrays = data(30)
    kernel = RowKernel(everything(arrays))
    first, again = kernel(arrays, parameters()), kernel(arrays, parameters())
    copies = [np.array(a) for a in first[0]]
    for a in again[0]:
        a[...] = 7
    for a, b in zip(first[0], copies, strict=True):
        assert np.array_equal(a, b)
    sums = first[0]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(sums) for b in sums[:i] if a.size and b.size)
    for k in range(1, 9):
        kernel(data(30 + k), parameters())
    assert len(kernel.bound) <= 4
    kept = weakref.ref(arrays[0])
    del arrays
    gc.collect()
    assert kept() is None


def test_one_compilation_for_all_row_counts(monkeypatch):
    program = everything(data(10))
    kernel = RowKernel(program)
    monkeypatch.setattr(row_kernel.machine, "load", None)
    for n in (0, 3, 1000):
        kernel(data(n), parameters())


def test_functions_of_scipy_are_called_for_each_row():
    h = Expressions()
    e = h.make("gammainc", h.make("exp", h.leaf("predictor", 0)), h.leaf("column", 0))
    program = RowProgram(
        [Source(np.dtype(float), 2), Source(np.dtype(float))], [(1, 0)], [Block("dense", 0, 2)], [Term(e), Term(e, 0)]
    )
    rng = np.random.default_rng(0)
    X, y, b = rng.normal(size=(30_000, 2)), rng.random(30_000), np.array([0.1, -0.2])
    want = special.gammainc(np.exp(X @ b), y)
    for got, total in zip(RowKernel(program)([X, y], [b])[0], (want.sum(), X.T @ want), strict=True):
        np.testing.assert_allclose(got, total, rtol=1e-11)


OPERATIONS = [
    "add",
    "subtract",
    "multiply",
    "maximum",
    "minimum",
    "exp",
    "tanh",
    "absolute",
    "negative",
    "where",
    "sqrt",
]


def random_program(seed):
    """A program of random sources, blocks, expressions, terms and maps; arrays of n rows for it; parameters."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["f8", "f4", "i4", "?", "u2"], size=rng.integers(1, 5), p=[0.5, 0.2, 0.1, 0.1, 0.1])
    found, blocks, columns, groups = [], [], [], {}
    for k, kind in enumerate(kinds):
        width = None if rng.random() < 0.3 else int(rng.integers(1, 30))
        found.append(Source(np.dtype(kind), width, str(rng.choice(["C", "F"])) if width else "C"))
        columns.append((k, 0 if width is None else int(rng.integers(0, width))))
        blocks += [Block("dense", k, width)] * int(rng.integers(0, 3)) if width else []
    for _ in range(rng.integers(0, 3)):
        groups[len(blocks)] = int(rng.integers(1, 9))
        blocks.append(Block("codes", len(found), 0))
        found.append(Source(np.dtype(rng.choice(["i8", "i4", "u1"]))))
    blocks += [Block("scalar", -1, 1)] * int(rng.integers(0, 3))
    h = Expressions()
    values = [h.leaf("predictor", k) for k in range(len(blocks))] + [h.leaf("column", k) for k in range(len(columns))]
    for _ in range(rng.integers(1, 8)):
        op = rng.choice(OPERATIONS)
        a, b, c = (values[int(rng.integers(len(values)))] for _ in range(3))
        if op == "where":
            e = h.make("where", a > b, b, c)
        elif op in ("exp", "sqrt"):
            e = h.make(op, h.make("minimum", abs_(a), 1.0))
        else:
            e = h.make(op, *((a,) if op in ("tanh", "absolute", "negative") else (a, b)))
        values.append(e)
    sides = [None, *range(len(blocks))]
    terms = [
        Term(values[int(rng.integers(len(values)))], *(sides[int(rng.integers(len(sides)))] for _ in range(2)))
        for _ in range(rng.integers(0, 9))
    ]
    maps = [(values[-1], np.dtype(rng.choice(["f8", "f4"])))] * int(rng.integers(0, 2))
    if not terms and not maps:
        terms = [Term(values[-1])]

    def arrays(n):
        made = []
        for k, s in enumerate(found):
            limit = next((groups[b] for b in groups if blocks[b].source == k), 2)
            shape = n if s.width is None else (n, s.width)
            a = rng.normal(size=shape) if s.dtype.kind == "f" else rng.integers(0, limit, shape)
            made.append(np.asarray(a, dtype=s.dtype, order=s.order))
        return made

    p = [rng.normal(size=groups.get(k, b.width)) if b.kind != "scalar" else rng.normal() for k, b in enumerate(blocks)]
    return RowProgram(found, columns, blocks, terms, maps), arrays, p


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed):
    program, arrays, p = random_program(seed)
    kernel = RowKernel(program, lanes=[2, 4, 8][seed % 3])
    for n in (1, 9, 64, 700):
        check(program, arrays(n), p, kernel, rtol=1e-9, scale=1000)


def test_a_writer_changes_nothing_of_a_builder():
    """Its vector functions call one another by name."""
    assert not [name for name in vars(Writer) if name in vars(Builder) and not name.startswith("__")]
