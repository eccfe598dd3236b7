"""Special points of functions that move elements: each trap a named test."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import bibun as bb
from bibun import Variable
from bibun.core.absorbing import Absorbing
from bibun.errors import TrackedVariable
from bibun.rules.indexing import scatter


def gradient(f, *xs):
    """The gradient of the sum of f, each element weighed differently."""

    def weighed(*zs):
        y = f(*zs)
        return np.sum(y * (1.0 + np.arange(y.size).reshape(y.shape)))

    nums = tuple(range(len(xs)))
    gs = bb.grad(weighed, nums)(*xs)
    return gs[0] if len(xs) == 1 else gs


def jacobian_of_moves(f, x):
    """The same for a function that only moves elements, by moving positions."""
    positions = f(np.arange(x.size).reshape(x.shape))
    g = np.zeros(x.size)
    np.add.at(g, np.ravel(positions), 1.0 + np.arange(positions.size))
    return g.reshape(x.shape)


A = np.arange(24.0).reshape(2, 3, 4)
SINCE_2_1 = np.lib.NumpyVersion(np.__version__) >= "2.1.0"
LAYOUTS = {
    "C": A,
    "Fortran": np.asfortranarray(A),
    "negative strides": A[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "transposed": np.ascontiguousarray(A.transpose(2, 0, 1)).transpose(1, 2, 0),
}
MOVES = {
    "reshape": lambda x: np.reshape(x, (4, 6)),
    "reshape F": lambda x: np.reshape(x, (4, -1), order="F"),
    "reshape list": lambda x: np.reshape(x, [12, 2]),
    "reshape copy": lambda x: np.reshape(x, -1, **({"copy": True} if SINCE_2_1 else {})),
    "method reshape": lambda x: x.reshape(6, 4),
    "ravel": np.ravel,
    "ravel F": lambda x: np.ravel(x, "F"),
    "flatten": lambda x: x.flatten(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "transpose list": lambda x: np.transpose(x, [2, 0, 1]),
    "method transpose": lambda x: x.transpose(2, 0, 1),
    "moveaxis lists": lambda x: np.moveaxis(x, [0, 1], [-1, 0]),
    "rollaxis": lambda x: np.rollaxis(x, -1, 1),
    "flip": lambda x: np.flip(x, (0, -1)),
    "roll": lambda x: np.roll(x, [5, -1], [0, 2]),
    "rot90": lambda x: np.rot90(x, 3, (2, 1)),
    "diagonal": lambda x: np.diagonal(x, -1, -1, 0),
    "repeat": lambda x: np.repeat(x, np.array([0, 2, 1]), axis=1),
    "resize": lambda x: np.resize(x, (5, 7)),
    "tile": lambda x: np.tile(x, [2, 1, 2]),
    "windows": lambda x: sliding_window_view(x, (2, 2), (0, 2)),
    "take": lambda x: np.take(x, [[-1, 0], [1, 1]], axis=1),
    "take flat": lambda x: np.take(x, [-1, 5, 5]),
    "take wrap": lambda x: np.take(x, [-5, 7], axis=2, mode="wrap"),
    "take clip": lambda x: np.take(x, [-5, 7], axis=2, mode="clip"),
    "take one": lambda x: np.take(x, 2, axis=-1),
    "method take": lambda x: x.take(3, 2),
    "take along flat": lambda x: np.take_along_axis(x, np.array([3, 3, 0]), None),
    "compress": lambda x: np.compress([True, False, True], x, axis=1),
    "delete": lambda x: np.delete(x, [0, -1], axis=2),
    "pad edge": lambda x: np.pad(x, ((1, 0), (0, 2), (3, 3)), "edge"),
    "pad wrap": lambda x: np.pad(x, 5, "wrap"),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, (0, -1)), axis=0),
    "hsplit": lambda x: np.hsplit(x, [1])[1],
    "array_split": lambda x: np.array_split(x, 3, axis=-1)[0],
    "swapaxes": lambda x: x.swapaxes(0, -1),
    "atleast_3d": lambda x: np.atleast_3d(x[0, 0]),
    "matrix_transpose": lambda x: np.matrix_transpose(x),
    "unstack": lambda x: np.unstack(x, axis=-1)[2] if hasattr(np, "unstack") else x[..., 2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", MOVES)
def test_elements_go_where_numpy_moves_them_in_every_memory_order(name, layout):
    f, x = MOVES[name], LAYOUTS[layout]
    np.testing.assert_array_equal(f(Variable(x)).data, f(x))
    np.testing.assert_array_equal(gradient(f, x), jacobian_of_moves(f, x))


@pytest.mark.parametrize("order", ["A", "K"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_ravel_in_memory_order(order, layout):
    x = LAYOUTS[layout]
    np.testing.assert_array_equal(np.ravel(Variable(x), order).data, np.ravel(x, order))


INDICES = {
    "int": 1, "numpy int": np.int64(-1), "0-d array": np.array(1), "slice": slice(None, None, -1), "ellipsis": Ellipsis, "None": None,
    "numpy ints in a slice": slice(np.int64(0), np.int64(2)), "tuple": (0, slice(1, None), -1), "empty tuple": (),
    "list": [1, 0, 1], "empty list": [], "nested list": [[0, 1], [1, 1]], "negative": np.array([-1, 0, -1]), "unsigned": np.array([1, 0], np.uint8),
    "int32": np.array([1, 1], np.int32), "range": range(2), "bool list": [True, False], "mask": A > 7, "mask of rows": np.array([False, True]),
    "no rows": np.array([False, False]), "True": True, "False": False, "numpy bool": np.True_, "mask in a tuple": (slice(None), np.array([True, False, True])),
    "arrays apart": ([0, 1, 0], slice(None), [3, 3, 3]), "arrays together": (slice(None), [0, 2, 0], [1, 1, 1]),
    "outer": np.ix_([1, 0], [2, 2], [0, 3]), "int and array": (0, slice(None), [1, 1]), "None and array": (None, [0, 0], Ellipsis, None),
    "mask and array": (slice(None), np.array([True, False, True]), np.array([[0], [0]])), "mask of two axes": (A[:, :, 0] > 7, 1),
    "constant": bb.core.variable.constant(np.array([1, 1])),
}  # fmt: skip


@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("interior", [False, True])
def test_every_kind_of_index(name, interior):
    i = INDICES[name]
    plain = i.data if isinstance(i, Variable) else i
    x = Variable(A)
    y = (x * 1.0 if interior else x)[i]
    np.testing.assert_array_equal(y.data, A[plain])
    np.testing.assert_array_equal(
        gradient(lambda x: (x * 1.0 if interior else x)[i], A), jacobian_of_moves(lambda a: a[plain], A)
    )


def test_an_index_changed_later_does_no_harm():
    for wrap in (lambda i: i, lambda i: (i,), lambda i: (slice(None), i)):
        i, x = np.array([0, 1, 1]), Variable(np.arange(9.0).reshape(3, 3))
        y = np.sum(x[wrap(i)] ** 2)
        again = np.sum(x.data[wrap(i.copy())] ** 2)
        rows = x.data[wrap(np.array([0, 1, 1]))]
        i[:] = 2
        y.backward()
        assert float(y.data) == again
        assert np.sum(x.grad.data) == 2 * rows.sum()


def test_a_list_as_index_changed_later_does_no_harm():
    i, x = [0, 0], Variable(np.arange(3.0))
    y = np.sum(x[i])
    i[:] = [2, 2]
    y.backward()
    assert x.grad.data.tolist() == [2.0, 0.0, 0.0]


def test_a_leaf_changed_later_does_not_change_its_elements():
    a = np.arange(4.0)
    x = Variable(a)
    y, z = x[1:3], x[2]
    a[:] = 9.0
    assert y.data.tolist() == [1.0, 2.0] and z.data == 2.0


def test_a_tracked_index_is_refused():
    x, i = Variable(np.arange(3.0)), Variable(np.array([0, 1]))
    for wrong in (
        lambda: x[i],
        lambda: x[i, None],
        lambda: x[[i[0], 1]],
        lambda: np.take(x, i),
    ):
        with pytest.raises(TrackedVariable, match="index"):
            wrong()


def test_an_index_out_of_bounds_is_numpy_s_error():
    x = Variable(np.arange(3.0))
    for i in (3, -4, [0, 3], (0, 0), np.array([0.5])):
        with pytest.raises(IndexError):
            x[i]
        with pytest.raises(IndexError):
            (x * 1.0)[i]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128])
@pytest.mark.parametrize("n", [4, 1000])
def test_repeated_positions_add_up_in_every_dtype(dtype, n):
    g = np.arange(1, 7).astype(dtype) * (1 + 1j if np.dtype(dtype).kind == "c" else 1)
    i = np.array([3, 3, -4 + n, 0, -1, 3])
    z = scatter(g, i, (n,))
    expected = np.zeros(n, dtype)
    np.add.at(expected, i, g)
    assert z.dtype == dtype
    np.testing.assert_array_equal(z, expected)


def test_repeated_rows_add_up():
    rng = np.random.default_rng(0)
    for shape, i in (((5, 3), [4, 0, 4, -1]), ((5, 3), [[0, 0], [0, 1]]), ((3, 50), [1, 1]), ((4, 2, 2), [0, -4, 3])):
        g = rng.normal(size=(*np.shape(i), *shape[1:]))
        expected = np.zeros(shape)
        np.add.at(expected, np.array(i), g)
        np.testing.assert_allclose(scatter(g, np.array(i), shape), expected)


def test_a_long_float32_gather_adds_up_in_double():
    i = np.zeros(2**20, int)
    (g,) = bb.vjp(lambda u: u[i], np.zeros(2, np.float32))[1](np.full(i.size, 0.1, np.float32))
    assert g.dtype == np.float32 and abs(g[0] / (i.size * float(np.float32(0.1))) - 1) < 1e-6


def test_scatter_keeps_zeros_absorbing():
    z = scatter(Absorbing(np.array([0.0, 2.0])), np.array([1, 1]), (3,))
    assert isinstance(z, Absorbing) and z.inside.tolist() == [0.0, 2.0, 0.0]


def test_a_loop_of_elements():
    x = np.arange(1.0, 6.0)

    def f(x):
        total = 0.0
        for k in range(len(x)):
            total = total + x[k] ** 2 * x[-1 - k]
        return total

    numeric = [(f(x + h) - f(x - h)) / 2e-5 for h in 1e-5 * np.eye(5)]
    np.testing.assert_allclose(bb.grad(f)(x), numeric, rtol=1e-8)


def test_iteration_and_unpacking():
    assert bb.grad(lambda x: sum(a * b for a, b in zip(x, reversed(list(x)), strict=True)))(
        np.array([1.0, 2.0])
    ).tolist() == [4.0, 2.0]
    assert bb.grad(lambda x: np.prod(np.stack([*x])))(np.array([2.0, 3.0])).tolist() == [3.0, 2.0]


# --- where, choose, select ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [lambda x: np.log(x), lambda x: 1 / x, lambda x: np.sqrt(x), lambda x: np.log(x) * np.inf]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_branch_not_taken_has_gradient_zero_whatever_it_holds(bad):
    x = np.array([-1.0, 0.0])
    f = lambda x: np.sum(np.where(np.array([True, True]), 2.0 * x, bad(x)))
    assert bb.grad(f)(x).tolist() == [2.0, 2.0]
    assert bb.hessian(f)(x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert float(bb.jvp(f, (x,), (np.ones(2),))[1]) == 4.0


def test_an_infinite_cotangent_stays_in_the_branch_taken():
    def f(x):
        return np.sum(np.sqrt(np.where(x > 1, x * x, 0.0 * x)))

    assert bb.grad(f)(np.array([2.0, 3.0])).tolist() == [1.0, 1.0]
    _, pullback = bb.vjp(lambda a, b: np.where(np.array([True, False]), a, b), np.ones(2), np.ones(2))
    a, b = pullback(np.array([np.inf, np.nan]))
    assert a.tolist() == [np.inf, 0.0] and b[0] == 0.0 and np.isnan(b[1])


def test_where_of_scalars_keeps_float32_and_shapes():
    x = Variable(np.ones((2, 1), np.float32))
    y = np.where(np.array([True, False, True]), x, 0.0)
    assert y.dtype == np.float32 and y.shape == (2, 3)
    y.backward()
    assert x.grad.data.tolist() == [[2.0], [2.0]] and x.grad.dtype == np.float32
    assert bb.jvp(lambda x: np.where(True, x, 1.0), (np.float32(1),), (np.float32(1),))[1].dtype == np.float32


def test_where_with_one_argument_gives_positions():
    x = Variable(np.array([0.0, 2.0, 3.0]))
    (i,) = np.where(x > 1)
    assert isinstance(i, np.ndarray) and i.tolist() == [1, 2]
    assert np.where(x)[0].tolist() == [1, 2]


def test_where_takes_a_variable_as_condition():
    x = Variable(np.array([0.0, 2.0]))
    np.sum(np.where(x, x * 3.0, 1.0)).backward()
    assert x.grad.data.tolist() == [0.0, 3.0]


def test_choose_and_select_take_numpy_s_choice():
    a, b, c = np.arange(3.0), np.array(10.0), np.arange(6.0).reshape(2, 3)
    which = np.array([[0, 1, 2], [2, -1, 4]])
    for mode in ("wrap", "clip"):
        np.testing.assert_array_equal(
            np.choose(which, [Variable(a), b, c], mode=mode).data, np.choose(which, [a, b, c], mode=mode)
        )
    with pytest.raises(ValueError):
        np.choose(which, [Variable(a), b, c])
    first = np.select([a > 0, a > 1], [Variable(a) * 2, Variable(a) * 3], default=-1.0)
    assert first.data.tolist() == [-1.0, 2.0, 4.0]
    assert np.choose(np.zeros((2, 3), int), [Variable(a)]).shape == (2, 3)


# --- order and sets -------------------------------------------------------------------------------------------------


def test_sort_of_ties_is_a_permutation():
    x = np.array([2.0, 1.0, 2.0, 1.0, np.nan])
    g = gradient(lambda x: np.sort(x, kind="stable"), x)
    assert g.tolist() == [3.0, 1.0, 4.0, 2.0, 5.0]
    assert sorted(gradient(np.sort, x)) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert np.sort(Variable(x[:4]), axis=None).data.tolist() == [1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize("n", [7, 50, 1000])
def test_partition_arranges_as_numpy_does(n):
    x = np.random.default_rng(n).integers(0, n, (3, n)).astype(float)
    for kth, axis in ((n // 2, -1), ((1, n // 3), 1), (1, 0), (n, None)):
        np.testing.assert_array_equal(np.partition(Variable(x), kth, axis).data, np.partition(x, kth, axis))


def test_unique_gives_the_first_appearances_and_plain_counts():
    x = Variable(np.array([3.0, 1.0, 3.0]))
    values, index, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert values.data.tolist() == [1.0, 3.0] and index.tolist() == [1, 0] and counts.tolist() == [1, 2]
    assert inverse.tolist() == [1, 0, 1]
    np.sum(values * np.array([1.0, 10.0])).backward()
    assert x.grad.data.tolist() == [10.0, 1.0, 0.0]


def test_sets():
    x, y = np.array([3.0, 1.0, 2.0, 3.0]), np.array([2.0, 5.0, 3.0])
    for f in (np.union1d, np.setdiff1d, np.intersect1d, np.setxor1d):
        for a, b in ((Variable(x), y), (x, Variable(y)), (Variable(x), Variable(y))):
            np.testing.assert_array_equal(np.asarray(getattr(f(a, b), "data", None)), f(x, y), err_msg=f.__name__)
    z = Variable(y)
    np.sum(np.intersect1d(x, z)).backward()
    assert z.grad.data.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("trim", ["fb", "f", "b"])
def test_trim_zeros(trim):
    for x in (np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0]), np.zeros(3), np.array([])):
        np.testing.assert_array_equal(np.trim_zeros(Variable(x), trim).data, np.trim_zeros(x, trim))


# --- joining and making ---------------------------------------------------------------------------------------------


def test_lists_of_variables_become_arrays_like_one_of_them():
    x, y = Variable(2.0), Variable(3.0)
    a = np.array([x, y], like=x)
    assert a.data.tolist() == [2.0, 3.0]
    b = np.array([[x, 1], [0.5, np.float64(2)], [a[0], y]], like=x)
    assert b.shape == (3, 2) and b.dtype == np.float64
    (b * np.arange(6.0).reshape(3, 2)).backward()
    assert x.grad.data == 0 + 4 and y.grad.data == 5
    c = np.array([a, [x, y], (1, 2)], like=a)
    assert c.data.tolist() == [[2.0, 3.0], [2.0, 3.0], [1.0, 2.0]]
    assert np.array([x, 1], dtype=np.float32, like=x).dtype == np.float32
    assert np.array(x, like=x, ndmin=2).shape == (1, 1)
    assert np.asarray(x, like=x) is x and np.array(x, like=x) is not x
    assert np.asarray([x, y], like=x).data.tolist() == [2.0, 3.0]


def test_other_makers_like_a_variable_are_plain():
    x = Variable(2.0)
    assert np.zeros(3, like=x).tolist() == [0.0, 0.0, 0.0] and np.eye(2, like=x).shape == (2, 2)
    assert np.arange(3, like=x).tolist() == [0, 1, 2]
    y = np.full((2, 2), x, like=x)
    y.backward()
    assert x.grad.data == 4.0
    with pytest.raises(TrackedVariable):
        np.arange(x, like=x)


def test_like_functions_give_plain_arrays():
    x = Variable(np.ones((2, 3), np.float32))
    for f in (np.zeros_like, np.ones_like, np.empty_like):
        assert type(f(x)) is np.ndarray and f(x).dtype == np.float32 and f(x, dtype=int, shape=(4,)).shape == (4,)
    assert type(np.full_like(x, 2)) is np.ndarray
    v = Variable(3.0)
    y = np.full_like(x, v)
    assert y.dtype == np.float32 and y.shape == (2, 3)
    y.backward()
    assert v.grad.data == 6.0
    with pytest.raises(TypeError, match="dtype=float"):
        np.full_like(Variable(np.arange(3)), v)


def test_stack_and_concatenate_mix_variables_arrays_lists_and_numbers():
    x = Variable(np.array([1.0, 2.0]))
    y = np.concatenate([x, [3, 4], np.array([5.0]), [x[0]]])
    assert y.data.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 1.0]
    assert np.stack([x[0], 1.0, np.float32(2)]).data.tolist() == [1.0, 1.0, 2.0]
    assert np.concatenate(x.reshape(1, 2)).data.tolist() == [1.0, 2.0]
    assert np.stack(x).shape == (2,) and np.vstack(x).shape == (2, 1)
    assert np.hstack([x[0], x]).shape == (3,) and np.append(x, 1).shape == (3,)
    assert np.append(np.ones(2), x[0]).shape == (3,)
    with pytest.raises(ValueError):
        np.concatenate([x, x.reshape(1, 2)])


def test_joining_keeps_types():
    x = Variable(np.ones(2, np.float32))
    assert np.concatenate([x, np.ones(1, np.float32)]).dtype == np.float32
    assert np.concatenate([x, np.ones(1)]).dtype == np.float64
    assert np.concatenate([x, x], dtype=np.float64).dtype == np.float64
    np.sum(np.concatenate([x, np.ones(1)])).backward()
    assert x.grad.dtype == np.float32
    k = Variable(np.arange(3))
    assert bb.grad(lambda k: np.sum(np.stack([k, k])))(k.data).dtype == np.float64


def test_the_same_variable_joined_twice():
    assert bb.grad(lambda x: np.sum(np.concatenate([x, x]) * np.arange(4.0)))(np.ones(2)).tolist() == [2.0, 4.0]
    assert bb.grad(lambda x: np.sum(np.block([[x, x], [x, 0 * x]])))(np.ones((2, 2))).tolist() == [
        [3.0, 3.0],
        [3.0, 3.0],
    ]


def test_out_is_refused():
    x = Variable(np.ones(2))
    for f in (
        lambda: np.concatenate([x, x], out=np.empty(4)),
        lambda: np.stack([x], out=np.empty((1, 2))),
        lambda: np.take(x, [0], out=np.empty(1)),
    ):
        with pytest.raises(TypeError, match="out"):
            f()


def test_functions_in_place_name_what_to_write():
    v, a = Variable(2.0), np.zeros((2, 2))
    cases = [
        (lambda: np.fill_diagonal(Variable(a), 1.0), r"np\.eye"), (lambda: np.put(a, [0], v), r"np\.where"), (lambda: np.place(a, a > 0, v), r"np\.where"),
        (lambda: np.putmask(a, a > 0, v), r"np\.where"), (lambda: np.copyto(a, v), r"np\.where"),
        (lambda: np.put_along_axis(a, np.array([[0], [0]]), v, 1), r"np\.where"), (lambda: np.full(3, v, dtype=float), r"np\.ones"),
    ]  # fmt: skip
    for f, words in cases:
        with pytest.raises(TrackedVariable, match=words):
            f()
    with pytest.raises(TrackedVariable):
        np.full(3, v)
    np.fill_diagonal(a, bb.core.variable.constant(np.array(5.0)))
    assert a.tolist() == [[5.0, 0.0], [0.0, 5.0]]


def test_astype():
    x = Variable(np.array([1.5, 2.5]))
    y = x.astype(np.float32)
    assert y.dtype == np.float32
    y.backward()
    assert x.grad.dtype == np.float64 and x.grad.data.tolist() == [1.0, 1.0]
    assert type(x.astype(int)) is np.ndarray
    assert bb.grad(lambda k: np.sum(k.astype(float) ** 2))(np.array([1, 2])).tolist() == [2.0, 4.0]
    assert bb.grad(lambda x: np.sum(np.real(x.astype(complex) * (2 + 1j))))(np.array([1.0])).tolist() == [2.0]


def test_questions_about_a_variable_are_answered_plainly():
    x = Variable(np.ones((2, 3), np.float32))
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1)) == ((2, 3), 2, 6, 3)
    assert np.result_type(x, 1.0) == np.float32 and np.result_type(x, np.float64(1)) == np.float64
    assert not np.iscomplexobj(x) and np.isrealobj(x)


def test_empty_and_zero_dimensional_values():
    for f in (np.ravel, np.flip, np.copy, lambda x: np.tile(x, 2), lambda x: np.repeat(x, 2), np.sort, lambda x: np.roll(x, 1),
              lambda x: np.concatenate([x, x]), lambda x: np.stack([x, x]), lambda x: np.pad(x, 1), np.diff, lambda x: np.take(x, []),
              np.unique, lambda x: x[[]], lambda x: np.insert(x, 0, 1.0), lambda x: np.where(True, x, x)):  # fmt: skip
        x = np.zeros(0)
        np.testing.assert_array_equal(f(Variable(x)).data, f(x))
        assert bb.grad(lambda x: np.sum(f(x)))(x).shape == (0,)
    for f in (np.ravel, np.flip, np.copy, lambda x: np.tile(x, 2), lambda x: np.repeat(x, 2), np.atleast_3d, lambda x: np.stack([x, x]), np.transpose,
              lambda x: x[()], lambda x: x[...], lambda x: x[None], lambda x: x[True], lambda x: np.broadcast_to(x, (2, 2)), np.diagflat,
              lambda x: np.reshape(x, (1, 1)), lambda x: np.resize(x, 3), lambda x: np.hstack([x, x]), lambda x: np.squeeze(x),
              lambda x: np.append(x, x), lambda x: np.take(x, [0, 0])):  # fmt: skip
        for x in (Variable(2.0), Variable(2.0) * 1.0):
            y = f(x)
            np.testing.assert_array_equal(y.data, f(np.array(2.0)))
            assert bb.grad(lambda x: np.sum(f(x)))(2.0) == np.size(f(np.array(2.0)))


# --- differences, areas, interpolation ------------------------------------------------------------------------------


def test_pad_with_tracked_values():
    x, v = np.ones(3), Variable(2.0)
    y = np.pad(Variable(x), (1, 2), constant_values=v)
    assert y.data.tolist() == [2.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    y.backward()
    assert v.grad.data == 3.0


@pytest.mark.parametrize(
    "mode", ["edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "minimum", "mean", "median"]
)
def test_every_mode_of_pad_is_numpy_s(mode):
    x = np.array([[3.0, 1.0, 2.0], [0.0, 7.0, 5.0]])
    for width in (0, 1, (2, 0), ((1, 4), (5, 3))):
        np.testing.assert_allclose(np.pad(Variable(x), width, mode).data, np.pad(x, width, mode), rtol=1e-14)


def test_diff_keeps_float32_between_its_ends():
    x = Variable(np.arange(3, dtype=np.float32))
    y = np.diff(x, prepend=x[:1], append=np.float32(5))
    assert y.dtype == np.float32
    y.backward()
    assert x.grad.dtype == np.float32 and x.grad.data.tolist() == [-1.0, 0.0, 0.0]


def test_interp_at_and_outside_the_nodes():
    xp, fp = np.array([0.0, 1.0, 3.0]), np.array([1.0, 3.0, -1.0])
    x = np.array([-1.0, 0.0, 0.5, 1.0, 3.0, 4.0, np.nan])
    np.testing.assert_array_equal(np.interp(Variable(x), xp, fp).data, np.interp(x, xp, fp))
    g = bb.grad(lambda x: np.sum(np.interp(x, xp, fp)))(x)
    assert g[[0, 5]].tolist() == [0.0, 0.0] and g[[2, 3]].tolist() == [2.0, -2.0]
    weights = bb.grad(lambda f: np.sum(np.interp(x[:6], xp, f)))(fp)
    assert weights.sum() == 6.0 and weights.tolist() == [2.5, 1.5, 2.0]
    by_nodes = bb.grad(lambda p: np.interp(0.5, p, fp))(xp)
    assert by_nodes.tolist() == [-1.0, -1.0, 0.0]


def test_piecewise_never_sees_what_is_not_its_own():
    seen = []

    def log(x):
        seen.append(x.data.tolist())
        return np.log(x)

    x = np.array([-1.0, 1.0, 2.0])
    assert bb.grad(lambda x: np.sum(np.piecewise(x, [x > 0], [log, lambda x: -x])))(x).tolist() == [-1.0, 1.0, 0.5]
    assert seen == [[1.0, 2.0]]
    y = Variable(2.0)
    assert np.piecewise(y, [y < 1, y >= 1], [0.0, lambda x: x * x]).data == 4.0


def test_unwrap_moves_with_its_argument():
    p = np.array([0.0, 3.0, -3.0, -0.1, 6.2])
    assert gradient(np.unwrap, p).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    np.testing.assert_array_equal(np.unwrap(Variable(p)).data, np.unwrap(p))


def test_vander_at_zero():
    y = np.vander(Variable(np.array([0.0, 2.0])), 3)
    assert y.data.tolist() == [[0.0, 0.0, 1.0], [4.0, 2.0, 1.0]]
    assert bb.grad(lambda x: np.sum(np.vander(x, 3)))(np.array([0.0, 2.0])).tolist() == [1.0, 5.0]


def test_linspace_of_both_ends():
    start, stop = bb.grad(lambda a, b: np.sum(np.linspace(a, b, 5)), (0, 1))(1.0, 3.0)
    assert start == 2.5 and stop == 2.5
    y, step = np.linspace(Variable(0.0), 2.0, 5, retstep=True)
    assert y.data[-1] == 2.0 and step.data == 0.5
    assert np.geomspace(Variable(-1.0), -8.0, 4).data == pytest.approx([-1.0, -2.0, -4.0, -8.0])


def test_apply_along_axis_calls_the_function_on_every_line():
    x = np.arange(6.0).reshape(2, 3)
    f = lambda r: np.outer(r, r[:2])
    np.testing.assert_array_equal(np.apply_along_axis(f, 1, Variable(x)).data, np.apply_along_axis(f, 1, x))
    assert bb.grad(lambda x: np.sum(np.apply_along_axis(np.sum, 0, x)))(x).tolist() == np.ones((2, 3)).tolist()


# --- one example at a time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f", [np.sort, lambda x: np.take_along_axis(x, np.argsort(x), -1), lambda x: x[np.argmax(x)], lambda x: np.where(x > 0, x, 2 * x),
          lambda x: np.interp(x, np.array([-1.0, 0.0, 2.0]), np.array([0.0, 3.0, 1.0])), lambda x: np.partition(x, 1), np.unwrap, np.diff,
          lambda x: np.pad(x, 2, "reflect"), lambda x: np.reshape(x, (2, 2), order="F"), lambda x: x[[0, 0, 3]], lambda x: np.roll(x, 1),
          lambda x: np.piecewise(x, [x > 0], [lambda x: x * x, lambda x: -x]), lambda x: np.take(np.stack([x, x]), np.argmin(x), axis=1)],
)  # fmt: skip
def test_batched_is_looped(f):
    X = np.array([[0.3, -0.2, 1.5, 0.1], [2.0, 0.5, -1.0, 0.7], [-0.3, 0.6, 0.4, 3.0]])
    np.testing.assert_allclose(bb.vmap(f)(X), np.stack([f(x) for x in X]), rtol=1e-12)
    g = bb.grad(lambda x: np.sum(f(x) ** 2))
    np.testing.assert_allclose(bb.vmap(g)(X), np.stack([g(x) for x in X]), rtol=1e-12)


@pytest.mark.parametrize(
    "f", [np.unique, lambda x: np.compress(x > 0, x), lambda x: np.extract(x > 0, x), lambda x: x[x > 0], np.trim_zeros]
)
def test_a_shape_that_depends_on_values_is_refused_in_a_batch(f):
    with pytest.raises(TypeError):
        bb.vmap(f)(np.array([[1.0, 2.0], [-3.0, 3.0]]))
