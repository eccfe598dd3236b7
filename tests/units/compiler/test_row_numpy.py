"""Row programs by NumPy against the same sums written over whole arrays."""

import numpy as np
import pytest
from scipy import special

from bibun.compiler import row_numpy, scalar_math, threads
from bibun.compiler.expression import Expression, Expressions
from bibun.compiler.row_numpy import RowNumpy
from bibun.compiler.row_program import Block, RowProgram, Source, Term

BLOCKS = [
    Block("dense", 0, 3),
    Block("dense", 1, 2),
    Block("dense", 0, 3),
    Block("codes", 2, 0),
    Block("codes", 3, 0),
    Block("scalar", -1, 1),
    Block("codes", 2, 0),
]
GROUPS = {3: 4, 4: 3, 6: 4}


def data(n, dtype=np.float64, order="C", codes=np.int64):
    """The arrays: two matrices, two vectors of codes, a vector of numbers."""
    rng = np.random.default_rng(n)
    X = np.asarray(rng.normal(size=(n, 3)) * 2, dtype=dtype, order=order)
    Z = np.asarray(rng.normal(size=(n, 2)), order="F")
    return [X, Z, rng.integers(0, 4, n).astype(codes), rng.integers(0, 3, n), rng.normal(size=n)]


def parameters():
    rng = np.random.default_rng(1)
    return [rng.normal(size=GROUPS.get(k, b.width)) if b.kind != "scalar" else 0.7 for k, b in enumerate(BLOCKS)]


def sources(arrays, order="C"):
    return [
        Source(a.dtype, a.shape[1] if a.ndim == 2 else None, order if k == 0 else "F") for k, a in enumerate(arrays)
    ]


def wide(k, arrays, p):
    """How a block enters the rows, as a whole matrix: one-hot for codes."""
    if k is None or BLOCKS[k].kind == "scalar":
        return np.ones((len(arrays[0]), 1))
    a = arrays[BLOCKS[k].source]
    return a.astype(float) if a.ndim == 2 else np.eye(len(p[k]))[a.astype(int)]


def squeezed(total, left, right):
    gone = [i for i, k in enumerate((left, right)) if k is None or BLOCKS[k].kind == "scalar"]
    return np.squeeze(total, axis=tuple(gone))


SIDES = [None, *range(len(BLOCKS))]


@pytest.mark.parametrize("n", [0, 1, 7, 5000])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rows", [3, 1024, None])
def test_terms_of_every_kind(n, order, rows):
    arrays, p = data(n, order=order), parameters()
    h = Expressions()
    etas = [h.leaf("predictor", k) for k in range(len(BLOCKS))]
    e = h.make("tanh", sum(etas[1:], etas[0])) * h.leaf("column", 0) + h.leaf("column", 1)
    terms = [Term(e, left, right) for left in SIDES for right in SIDES]
    program = RowProgram(sources(arrays, order), [(4, 0), (0, 1)], BLOCKS, terms, [(e, np.dtype(float))])
    sums, (each,) = RowNumpy(program, rows)(arrays, p)
    want = np.tanh(sum(wide(k, arrays, p) @ np.atleast_1d(p[k]) for k in range(len(BLOCKS))))
    want = want * arrays[4] + arrays[0][:, 1]
    np.testing.assert_allclose(each, want, rtol=1e-12, atol=1e-14)
    for t, total in zip(terms, sums, strict=True):
        total_ = squeezed(wide(t.left, arrays, p).T @ (wide(t.right, arrays, p) * want[:, None]), t.left, t.right)
        assert isinstance(total, np.ndarray) and total.dtype == np.float64 and total.shape == total_.shape
        np.testing.assert_allclose(total, total_, rtol=1e-10, atol=1e-10)
        if t.left == t.right and total.ndim == 2:
            assert np.array_equal(total, total.T)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "i2", "u1", "?", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_dtypes_are_numbers_in_double_precision(dtype, order):
    arrays, p = data(700, dtype, order), parameters()
    h = Expressions()
    e = h.leaf("predictor", 0) * h.leaf("column", 0)
    program = RowProgram(sources(arrays, order), [(0, 2)], BLOCKS, [Term(e), Term(e, 0), Term(e, 0, 0)])
    X = arrays[0].astype(float)
    want = (X @ p[0]) * X[:, 2]
    for got, total in zip(RowNumpy(program, 64)(arrays, p)[0], (want.sum(), X.T @ want, X.T * want @ X), strict=True):
        np.testing.assert_allclose(got, total, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("codes", ["i8", "i4", "i1", "u1", "u8"])
def test_codes_of_every_type_and_of_no_group(codes):
    arrays, p = data(500, codes=codes), parameters()
    h = Expressions()
    program = RowProgram(sources(arrays), [], BLOCKS, [Term(h.leaf("predictor", 3)), Term(h.number(2.0), 3)])
    total, counts = RowNumpy(program, 64)(arrays, p)[0]
    assert np.isclose(total, p[3][arrays[2].astype(int)].sum())
    assert np.array_equal(counts, 2 * np.bincount(arrays[2].astype(int), minlength=4))
    arrays[2][321] = 4
    with pytest.raises(IndexError, match="the code in row 321 is 4, and there are parameters for 0 to 3"):
        RowNumpy(program, 64)(arrays, p)
    if codes[0] == "i":
        arrays[2][17] = -1
        with pytest.raises(IndexError, match="the code in row 17 is -1"):
            RowNumpy(program, 64)(arrays, p)
    else:
        arrays[2][17] = np.iinfo(codes).max  # not -1 after conversion
        with pytest.raises(IndexError, match=f"row 17 is {np.iinfo(codes).max}"):
            RowNumpy(program, 64)(arrays, p)


def test_the_same_codes_with_fewer_groups_are_looked_at_too():
    arrays, p = data(500), parameters()
    p[6] = p[6][:3]
    program = RowProgram(sources(arrays), [], BLOCKS, [Term(Expressions().number(1.0), 3, 6)])
    with pytest.raises(IndexError, match="parameters for 0 to 2"):
        RowNumpy(program, 64)(arrays, p)


def test_truth_values():
    """Results of their own type, conditions, and 0 and 1 among numbers; never NumPy's logical sum of them."""
    x = np.array([-1.0, 0.0, 2.0, np.nan])
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
        [(up, np.dtype(bool)), (up + up, np.dtype("f4")), (e, np.dtype(float))],
    )
    terms, maps = RowNumpy(program)([x], [])
    assert [float(t) for t in terms] == [1, 2, 0, -1, 2, 1, 1]
    assert maps[0].dtype == bool and maps[0].tolist() == [False, False, True, False]
    assert maps[1].dtype == np.float32 and maps[1].tolist() == [0, 0, 2, 0]
    assert maps[2].tolist() == [5, 5, 2, 5]


def test_special_values_pass_without_a_warning():
    x = np.array([np.inf, -np.inf, np.nan, -0.0, 0.0, 5e-324, 1e308])
    h = Expressions()
    a = h.leaf("column", 0)
    e = [h.make("log", a), h.make("exp", a), h.make("divide", h.number(1.0), a), a * 0.0, h.make("sqrt", a)]
    program = RowProgram([Source(x.dtype)], [(0, 0)], [], [Term(v) for v in e], [(v, x.dtype) for v in e])
    terms, maps = RowNumpy(program)([x], [])
    with np.errstate(all="ignore"):
        want = [np.log(x), np.exp(x), 1 / x, x * 0.0, np.sqrt(x)]
        for got, w, total in zip(maps, want, terms, strict=True):
            np.testing.assert_array_equal(got, w)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(w))
            np.testing.assert_array_equal(total, w.sum())


def test_each_expression_is_computed_once_a_block_and_parameters_once():
    calls = {"rows": 0, "parameters": 0}

    def counted(name):
        def run(x):
            calls[name] += 1
            return np.exp(x)

        return run

    h = Expressions()
    x, s = h.leaf("column", 0), h.leaf("predictor", 0)
    scale = h.make("exp", s, run=counted("parameters"))
    e = h.make("sinh", x, run=counted("rows"))
    program = RowProgram(
        [Source(np.dtype(float))], [(0, 0)], [Block("scalar", -1, 1)],
        [Term(e * scale), Term(e), Term(e, 0), Term(scale), Term(scale, 0, 0)], [(scale, np.dtype(float))],
    )  # fmt: skip
    v = np.linspace(0, 1, 100)
    terms, maps = RowNumpy(program, 30)([v], [0.5])
    assert calls == {"rows": 4, "parameters": 1}
    np.testing.assert_allclose(terms, [np.exp(v).sum() * np.exp(0.5), *[np.exp(v).sum()] * 2, *[100 * np.exp(0.5)] * 2])
    assert maps[0].shape == (100,) and np.all(maps[0] == np.exp(0.5))


def test_orders_stay_integers():
    h = Expressions()
    e = h.make("polygamma", 1, h.leaf("column", 0), run=special.polygamma)
    v = np.linspace(1, 9, 50)
    terms, _ = RowNumpy(RowProgram([Source(v.dtype)], [(0, 0)], [], [Term(e)]), 16)([v], [])
    assert np.isclose(terms[0], special.polygamma(1, v).sum())


def test_buffers_are_few_and_no_result_is_overwritten():
    """A long chain with values that wait for later ones."""
    h = Expressions()
    x = h.leaf("column", 0)
    kept, y = [], x
    for k in range(60):
        y = h.make("sin", y * 1.1 + 0.3)
        if k % 20 == 0:
            kept.append(y)
    y = y * kept[0] - kept[1] * kept[2]
    program = RowProgram([Source(np.dtype(float))], [(0, 0)], [], [Term(y), *map(Term, kept)], [(y, np.dtype(float))])
    runner = RowNumpy(program, 16)
    assert runner.buffers <= 6
    v = np.linspace(-1, 1, 50)
    w, waiting = v, []
    for k in range(60):
        w = np.sin(w * 1.1 + 0.3)
        if k % 20 == 0:
            waiting.append(w)
    terms, maps = runner([v], [])
    np.testing.assert_array_equal(maps[0], w * waiting[0] - waiting[1] * waiting[2])
    np.testing.assert_allclose(terms[1:], [a.sum() for a in waiting])
    assert v[0] == -1  # nor is the data


def test_pieces_are_added_as_a_tree():
    """A million times 0.1 by blocks of one row: one after another would be off by 1e-6."""
    v = np.full(1 << 14, 0.1)
    h = Expressions()
    program = RowProgram([Source(v.dtype)], [(0, 0)], [], [Term(h.leaf("column", 0))])
    assert abs(RowNumpy(program, 1)([v], [])[0][0] - 0.1 * len(v)) < 1e-12


def test_threads_change_only_the_last_bits(monkeypatch):
    monkeypatch.setattr(row_numpy, "THREADED", 100)
    arrays, p = data(5000), parameters()
    h = Expressions()
    e = h.make("exp", h.leaf("predictor", 0) * -0.1) * h.leaf("column", 0)
    terms = [Term(e), Term(e, 0), Term(e, 3), Term(e, 3, 4)]
    runner = RowNumpy(RowProgram(sources(arrays), [(4, 0)], BLOCKS, terms, [(e, np.dtype(float))]), 64)
    found = []
    for n in (1, 2, 3, 3):
        with threads.threads(n):
            found.append(runner(arrays, p))
    for sums, maps in found[1:]:
        np.testing.assert_array_equal(maps[0], found[0][1][0])
        for a, b in zip(sums, found[0][0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(found[2][0], found[3][0], strict=True))
    arrays[2][4999] = 9
    with threads.threads(3), pytest.raises(IndexError, match="row 4999"):
        runner(arrays, p)


def test_arrays_of_different_lengths_are_refused():
    program = RowProgram([Source(np.dtype(float))] * 2, [(0, 0)], [], [Term(Expressions().leaf("column", 0))])
    with pytest.raises(ValueError, match="array 1 of a row program has 3 rows and array 0 has 2"):
        RowNumpy(program)([np.zeros(2), np.zeros(3)], [])


def test_every_operation_without_a_recorded_function_has_a_numpy_function():
    """What operators and exact algebra make carries no function of its own."""
    h = Expressions()
    missing = []
    for op in sorted(op for op in scalar_math.PRIMITIVE if hasattr(np, op)):
        e = object.__new__(Expression)
        e.op, e.run = op, None
        try:
            row_numpy.function(e)
        except NotImplementedError:
            missing.append(op)
    assert not missing
    with pytest.raises(NotImplementedError, match="no NumPy function computes 'nothing_such'"):
        row_numpy.function(h.make("nothing_such", h.leaf("column", 0)))
