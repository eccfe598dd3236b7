"""Where derivatives of reductions go wrong: zeros in a product, ties, equal values, NaNs, nothing to reduce."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bibun as bb
from bibun.errors import MissingRule, TrackedVariable


def product_hessian(x):
    """The Hessian of np.prod by its definition: the products of all but two."""
    n = len(x)
    return np.array(
        [[0.0 if i == j else np.prod([x[k] for k in range(n) if k not in (i, j)]) for j in range(n)] for i in range(n)]
    )


# --- products with zeros ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0, 5.0], [0.0, 0.0, 0.0, 7.0]], ids=str)
def test_prod_with_zeros_first_and_second_derivative(x):
    x = np.array(x)
    slope = [np.prod(np.delete(x, i)) for i in range(len(x))]
    assert_array_equal(bb.grad(np.prod)(x), slope)
    assert_array_equal(bb.hessian(np.prod)(x), product_hessian(x))
    assert_allclose(bb.jvp(np.prod, (x,), (np.ones_like(x),))[1], sum(slope))


def test_prod_third_derivative_with_three_zeros():
    x = np.array([0.0, 0.0, 0.0, 2.0])
    third = bb.grad(lambda x: bb.grad(lambda x: bb.grad(np.prod)(x)[0])(x)[1])(x)
    assert_array_equal(third, [0.0, 0.0, 2.0, 0.0])


@pytest.mark.parametrize("axis", [(0, 2), (2, 0), (-1, 1), None])
def test_prod_over_several_axes_with_a_zero(axis):
    x = np.arange(12.0).reshape(2, 3, 2)
    g = bb.grad(lambda x: np.sum(np.prod(x, axis=axis)))(x)
    numeric = [
        (np.sum(np.prod(x + d, axis=axis)) - np.sum(np.prod(x - d, axis=axis))) / 2e-3
        for d in 1e-3 * np.eye(12).reshape(12, 2, 3, 2)
    ]
    assert_allclose(g.ravel(), numeric, rtol=1e-4, atol=1e-4)


def test_prod_of_tiny_and_huge_factors_does_not_divide_by_an_underflow():
    x = np.array([1e-200, 1e-200, 3.0])
    assert_allclose(bb.grad(np.prod)(x), [3e-200, 3e-200, 0.0], rtol=1e-15)


@pytest.mark.parametrize("n", [5, 40])
def test_cumprod_with_zeros_first_and_second_derivative(n):
    x = np.linspace(-1, 1, n)
    x[[1, 3]] = 0.0
    weights = np.cos(np.arange(n))

    def f(x):
        return np.sum(weights * np.cumprod(x))

    def slope(x):
        return [sum(weights[k] * np.prod(np.delete(x[: k + 1], i)) for k in range(i, n)) for i in range(n)]

    assert_allclose(bb.grad(f)(x), slope(x), rtol=1e-13, atol=1e-300)
    hessian = sum(w * np.pad(product_hessian(x[: k + 1]), (0, n - k - 1)) for k, w in enumerate(weights))
    assert_allclose(bb.hessian(f)(x), hessian, rtol=1e-12, atol=1e-15)


def test_cumprod_of_many_columns_steps_through_them_together():
    x = np.random.default_rng(0).normal(size=(6, 50))
    x[2] = 0
    one = np.stack([bb.grad(lambda c: np.sum(np.cumprod(c)))(c) for c in x.T], 1)
    assert_allclose(bb.grad(lambda x: np.sum(np.cumprod(x, axis=0)))(x), one, rtol=1e-13)


def test_gradient_of_cumsum_adds_from_the_end_and_cancels_nothing():
    g = np.array([1e17, 1.0, 1.0])
    assert_array_equal(bb.grad(lambda x: np.sum(g * np.cumsum(x)))(np.zeros(3)), [1e17 + 2, 2.0, 1.0])


# --- ties -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.max, np.amax, np.nanmax])
def test_ties_of_max_share_evenly(f):
    assert_array_equal(bb.grad(f)(np.array([3.0, 1.0, 3.0])), [0.5, 0.0, 0.5])
    assert bb.jvp(f, (np.array([3.0, 1.0, 3.0]),), (np.array([1.0, 5.0, 2.0]),))[1] == 1.5


@pytest.mark.parametrize("f", [np.min, np.amin, np.nanmin])
def test_ties_of_min_share_evenly_over_a_tuple_of_axes(f):
    x = np.array([[[0.0, 1.0], [0.0, 2.0]], [[5.0, 0.0], [3.0, 0.0]]])
    g = bb.grad(lambda x: np.sum(f(x, axis=(0, 2)) * np.array([1.0, 10.0])))(x)
    assert_array_equal(g, [[[0.5, 0], [5, 0]], [[0, 0.5], [0, 5]]])


def test_max_has_no_curvature_but_its_square_has():
    x = np.array([3.0, 1.0, 2.0])
    assert_array_equal(bb.hessian(np.max)(x), np.zeros((3, 3)))
    assert_array_equal(bb.hessian(lambda x: np.max(x) ** 2)(x), np.diag([2.0, 0.0, 0.0]))


def test_an_initial_value_shares_in_a_tie_and_takes_all_where_it_wins():
    assert_array_equal(bb.grad(lambda x: np.max(x, initial=3.0))(np.array([3.0, 1.0])), [0.5, 0.0])
    assert_array_equal(bb.grad(lambda x: np.max(x, initial=4.0))(np.array([3.0, 1.0])), [0.0, 0.0])
    assert bb.value_and_grad(lambda x: np.max(x, initial=4.0))(np.zeros(0))[0] == 4.0


def test_elements_masked_out_of_max_take_no_part_in_a_tie():
    x = np.array([3.0, 3.0, 1.0])
    g = bb.grad(lambda x: np.max(x, where=np.array([True, False, True]), initial=-np.inf))(x)
    assert_array_equal(g, [1.0, 0.0, 0.0])


def test_ptp_of_equal_values_has_slope_zero():
    assert_array_equal(bb.grad(np.ptp)(np.ones(3)), np.zeros(3))


@pytest.mark.parametrize("f", [np.median, np.nanmedian, lambda x: np.quantile(x, 0.4), lambda x: np.percentile(x, 60)])
def test_quantiles_keep_mass_one_on_tied_values(f):
    x = np.array([2.0, 1.0, 2.0, 2.0, 2.0, 5.0])
    g = bb.grad(f)(x)
    assert_allclose(np.sum(g), 1.0)
    assert_array_equal(g[[1, 5]], [0.0, 0.0])


def test_median_of_an_even_number_is_the_mean_of_two():
    assert_array_equal(bb.grad(np.median)(np.array([4.0, 1.0, 3.0, 2.0])), [0.0, 0.0, 0.5, 0.5])


@pytest.mark.parametrize(
    "method", ["inverted_cdf", "closest_observation", "lower", "higher", "nearest", "midpoint", "weibull"]
)
@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_derivative_is_of_the_elements_numpy_picks(method, q, dtype):
    x = np.random.default_rng(1).permutation(10).astype(dtype)
    g = bb.grad(lambda x: np.quantile(x, q, method=method))(x)
    assert g.dtype == dtype
    assert_allclose(g @ x, np.quantile(x, q, method=method), rtol=1e-6)  # a quantile is linear where it is smooth


def test_quantile_with_weights_or_a_tracked_rank_is_refused_by_name():
    x = bb.Variable(np.arange(4.0))
    with pytest.raises(MissingRule, match="weights"):
        np.quantile(x, 0.5, weights=np.ones(4), method="inverted_cdf")
    with pytest.raises(TrackedVariable, match="quantile"):
        np.quantile(x, bb.Variable(0.5))


# --- equal values, one value ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e10, 1 / 3])
def test_std_of_equal_values_has_slope_zero_and_var_its_curvature(value):
    x = np.full(3, value)
    assert_array_equal(bb.grad(np.std)(x), np.zeros(3))
    assert_array_equal(bb.jvp(np.std, (x,), (np.arange(3.0),))[1], 0.0)
    assert_allclose(bb.hessian(np.var)(x), 2 / 3 * (np.eye(3) - 1 / 3), atol=1e-15)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1 / 3])
@pytest.mark.parametrize("f", [np.std, np.nanstd, lambda x: np.std(x, where=np.array([True] * 3))])
def test_the_square_of_a_std_of_equal_values_keeps_its_curvature(f, value):
    x = np.full(3, value)
    assert_allclose(bb.hessian(lambda x: f(x) ** 2)(x), 2 / 3 * (np.eye(3) - 1 / 3), atol=1e-7)

    def product(x):
        s = f(x)
        return 3 * s * s

    rr = bb.grad(lambda x: bb.grad(product)(x)[0])(x)
    assert_allclose(rr, 2 * (np.eye(3) - 1 / 3)[0], atol=1e-7)


def test_std_of_equal_values_bends_infinitely():
    assert not np.isfinite(bb.hessian(np.std)(np.ones(3))).all()


def test_one_flat_column_keeps_the_curvature_of_the_others():
    x = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 4.0]])
    h = bb.hessian(lambda x: np.sum(np.std(x, axis=0, ddof=1) ** 2))(x)
    assert_allclose(h, bb.hessian(lambda x: np.sum(np.var(x, axis=0, ddof=1)))(x), atol=1e-13)


def test_std_of_one_value():
    assert_array_equal(bb.grad(np.std)(np.array([2.0])), [0.0])
    assert_array_equal(bb.grad(np.var)(np.array([2.0])), [0.0])
    assert_array_equal(bb.grad(np.nanstd)(np.array([2.0, np.nan])), [0.0, 0.0])


def test_one_slice_of_equal_values_leaves_the_others_right():
    x = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]])
    g = bb.grad(lambda x: np.sum(np.std(x, axis=1)))(x)
    assert_array_equal(g[0], np.zeros(3))
    assert_allclose(g[1], (x[1] - np.mean(x[1])) / (3 * np.std(x[1])), rtol=1e-14)


def test_standardising_a_constant_column_is_safe_where_it_is_not_used():
    x = np.array([[1.0, 1.0], [1.0, 3.0]])

    def f(x):
        s = np.std(x, axis=0)
        return np.sum(np.where(s > 0, x / np.where(s > 0, s, 1), 0))

    assert np.isfinite(bb.grad(f)(x)).all()


@pytest.mark.parametrize("f", [np.var, np.std, np.nanvar, np.nanstd])
def test_no_degrees_of_freedom_is_nan_and_warns_as_numpy_does(f):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        y = f(bb.Variable(np.array([2.0])), ddof=1)
    assert np.isnan(y.data)
    assert str(found[0].message).startswith("Degrees of freedom <= 0 for slice")


def test_var_is_accurate_far_from_zero():
    x = 1e8 + np.array([0.0, 1.0, 2.0])
    assert_allclose(bb.grad(np.var)(x), 2 / 3 * np.array([-1.0, 0.0, 1.0]), rtol=1e-15)


def test_correction_and_mean_of_var():
    x = np.array([1.0, 2.0, 4.0])
    assert_array_equal(bb.grad(lambda x: np.var(x, correction=1))(x), bb.grad(lambda x: np.var(x, ddof=1))(x))
    own = bb.grad(lambda x: np.var(x, mean=np.mean(x, keepdims=True)))(x)
    assert_allclose(own, bb.grad(np.var)(x), rtol=1e-14)
    assert_allclose(bb.grad(lambda x: np.var(x, mean=np.array([1.0])))(x), 2 * (x - 1) / 3, rtol=1e-15)
    with pytest.raises(ValueError, match="simultaneously"):
        np.var(bb.Variable(x), ddof=1, correction=1)


@pytest.mark.parametrize("f", [np.var, np.std])
def test_var_and_std_of_complex_numbers_that_depend_on_real_ones(f):
    x = np.array([1.0, 2.0, 4.0, -1.0])

    def h(x):
        return f(np.exp(1j * x) * x)

    assert_allclose(h(bb.Variable(x)).data, h(x), rtol=1e-14)
    numeric = [(h(x + d) - h(x - d)) / 2e-6 for d in 1e-6 * np.eye(4)]
    assert_allclose(bb.grad(h)(x), numeric, rtol=1e-6)


# --- NaNs -------------------------------------------------------------------------------------------------------------

NAN_FUNCTIONS = [
    np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod, np.nancumsum, np.nancumprod,
    np.nanmedian, lambda x: np.nanquantile(x, 0.3), lambda x: np.nanpercentile(x, [20, 70]),
]  # fmt: skip


@pytest.mark.parametrize("f", NAN_FUNCTIONS)
def test_nans_get_zero_and_poison_nothing(f):
    x = np.array([1.0, np.nan, 4.0, 2.5, np.nan])
    held = x[~np.isnan(x)]
    g = bb.grad(lambda x: np.sum(f(x)))(x)
    assert_array_equal(g[np.isnan(x)], 0.0)
    if f in (np.nancumsum, np.nancumprod):
        assert np.isfinite(g).all()
    else:
        assert_allclose(g[~np.isnan(x)], bb.grad(lambda x: np.sum(f(x)))(held), rtol=1e-13)
    h = bb.hessian(lambda x: np.sum(f(x)) ** 2)(x)
    assert np.isfinite(h).all()
    assert_array_equal(h[1], 0.0)


@pytest.mark.parametrize(
    "f",
    [
        np.nanmean,
        np.nanvar,
        np.nanstd,
        np.nanmax,
        np.nanmin,
        np.nanmedian,
        lambda x, axis: np.nanquantile(x, 0.3, axis),
    ],
)
def test_an_all_nan_slice_is_nan_warns_and_has_slope_zero(f):
    x = np.array([[np.nan, np.nan], [1.0, 3.0]])
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        y = f(x, axis=1)
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        v = f(bb.Variable(x), axis=1)
    assert_array_equal(v.data, y)
    assert [str(w.message).rstrip(".") for w in ours] == [str(w.message).rstrip(".") for w in theirs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = bb.grad(lambda x: f(x, axis=1)[1])(x)
        zero = bb.grad(lambda x: np.nansum(f(x, axis=1)))(x)
    assert_array_equal(g[0], 0.0)
    assert_array_equal(zero, g)


def test_nansum_and_nanprod_of_nothing_but_nans():
    x = np.full(2, np.nan)
    assert np.nansum(bb.Variable(x)).data == 0
    assert np.nanprod(bb.Variable(x)).data == 1
    assert_array_equal(bb.grad(np.nanprod)(x), [0.0, 0.0])


@pytest.mark.parametrize("f", [np.max, np.min, np.median, lambda x: np.quantile(x, 0.2)])
def test_a_nan_that_is_the_result_carries_the_cotangent(f):
    x = np.array([1.0, np.nan, 3.0])
    y, g = bb.value_and_grad(f)(x)
    assert np.isnan(y)
    assert_array_equal(g, [0.0, 1.0, 0.0])


# --- dtypes, nothing, masks -------------------------------------------------------------------------------------------

WHOLE = [
    np.sum,
    np.mean,
    np.prod,
    np.max,
    np.min,
    np.ptp,
    np.var,
    np.std,
    np.median,
    np.average,
    np.cumsum,
    np.cumprod,
    np.nanmean,
]


@pytest.mark.parametrize("f", WHOLE)
def test_integers_differentiate_as_floats(f):
    x = np.array([3, 1, 2])
    v = bb.Variable(x)
    y = f(v)
    assert_array_equal(y.data, f(x))
    assert y.dtype == f(x).dtype
    np.sum(y * 0.5).backward()
    assert v.grad.dtype == np.float64
    assert_allclose(v.grad.data, 0.5 * bb.grad(lambda x: np.sum(f(x)))(x.astype(float)), rtol=1e-14)


@pytest.mark.parametrize("f", [f for f in WHOLE if f not in (np.cumsum, np.cumprod)])
def test_booleans_and_float16(f):
    for x in (np.array([True, False, True]), np.array([1.5, 2.25, 3.0], np.float16)):
        if x.dtype == bool and f in (np.ptp, np.median):
            continue
        y = f(bb.Variable(x))
        assert y.dtype == f(x).dtype
        assert_allclose(y.data, f(x), rtol=1e-3)


def test_sum_and_mean_of_float32_accumulate_in_the_dtype_asked_for():
    x = np.full(3, 0.1, np.float32)
    y, back = bb.vjp(lambda x: np.mean(x, dtype=np.float64), x)
    assert y.dtype == np.float64 and y == np.mean(x, dtype=np.float64)
    assert back(1.0)[0].dtype == np.float32
    assert np.sum(bb.Variable(x), dtype=int).data == 0


def test_nothing_to_reduce():
    empty = np.zeros((0, 3))
    assert np.sum(bb.Variable(empty)).data == 0
    assert bb.grad(lambda x: np.sum(x))(empty).shape == (0, 3)
    assert bb.grad(lambda x: np.prod(x))(empty).shape == (0, 3)
    assert_array_equal(np.prod(bb.Variable(empty), axis=0).data, np.ones(3))
    with pytest.warns(RuntimeWarning):
        y = np.mean(bb.Variable(empty), axis=0)
    assert np.isnan(y.data).all()
    for f in (np.max, np.min):
        with pytest.raises(ValueError, match="zero-size"):
            f(bb.Variable(empty))
    assert np.mean(bb.Variable(empty), axis=1).shape == (0,)
    assert np.max(bb.Variable(empty), axis=1).shape == (0,)
    assert bb.grad(lambda x: np.sum(np.median(x, axis=1)))(empty).shape == (0, 3)
    assert bb.grad(lambda x: np.sum(np.cumprod(x, axis=0)))(empty).shape == (0, 3)


def test_a_mask_of_nothing_is_nan_and_warns_as_numpy_does():
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"):
        y = np.mean(bb.Variable(np.ones(2)), where=np.array([False, False]))
    assert np.isnan(y.data)


def test_what_is_masked_out_may_be_nan_or_infinite():
    x = np.array([1.0, np.nan, np.inf, 4.0])
    where = np.isfinite(x)
    for f in (np.sum, np.mean, np.prod, np.var, np.std):
        y, g = bb.value_and_grad(lambda x, f=f: f(x, where=where))(x)
        assert_allclose(y, f(x[where]))
        assert_allclose(g[where], bb.grad(f)(x[where]), rtol=1e-14)
        assert_array_equal(g[~where], 0.0)


def test_a_mask_that_does_not_fit_is_refused_as_numpy_refuses_it():
    with pytest.raises(ValueError, match="broadcast"):
        np.sum(bb.Variable(np.ones(3)), where=np.ones((2, 3), bool))


@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "max", "min", "std", "var", "ptp", "cumsum", "cumprod", "trace", "argmax", "any"]
)
def test_methods_take_what_arrays_take(name):
    x = np.arange(6.0).reshape(2, 3)
    args = () if name == "trace" else (1,)
    if name != "ptp":
        y = getattr(bb.Variable(x), name)(*args)
        assert_array_equal(getattr(y, "data", y), getattr(x, name)(*args))
    else:
        assert_array_equal(bb.Variable(x).ptp(1).data, np.ptp(x, 1))


def test_out_is_refused_by_name():
    x = bb.Variable(np.ones(3))
    for f in (np.sum, np.mean, np.max, np.var, np.cumsum, np.median, np.nansum):
        with pytest.raises(TrackedVariable, match="out="):
            f(x, out=np.zeros(()))


@pytest.mark.parametrize(
    "f", [np.argmax, np.argmin, np.argsort, np.count_nonzero, np.any, np.all, np.nanargmax, np.nanargmin]
)
def test_what_counts_or_locates_gives_plain_arrays(f):
    x = np.array([[1.0, 0.0, 3.0], [2.0, 5.0, 4.0]])
    for kw in ({}, dict(axis=1), dict(axis=-1)):
        y = f(bb.Variable(x), **kw)
        assert not isinstance(y, bb.Variable)
        assert_array_equal(y, f(x, **kw))


# --- statistics -------------------------------------------------------------------------------------------------------


def test_correlation_of_proportional_rows_keeps_its_curvature():
    x = np.array([1.0, 2.0, 4.0, 5.5])

    def r(y):
        return np.corrcoef(x, y)[0, 1]

    y = 3 * x
    assert_allclose(bb.grad(r)(y), np.zeros(4), atol=1e-15)
    d, n = y - np.mean(y), 4
    h = -(np.eye(n) - 1 / n - np.outer(d, d) / (d @ d)) / (d @ d)
    assert_allclose(bb.hessian(r)(y), h, rtol=1e-10, atol=1e-14)
    assert np.all(np.abs(np.corrcoef(bb.Variable(x), 3 * x).data) <= 1)


def test_cov_of_one_observation_warns_as_numpy_does():
    with pytest.warns(RuntimeWarning):
        theirs = np.cov(np.ones((2, 1)))
    with pytest.warns(RuntimeWarning):
        y = np.cov(bb.Variable(np.ones((2, 1))))
    assert_array_equal(y.data, theirs)


def test_average_with_weights_that_sum_to_zero_raises_as_numpy_does():
    with pytest.raises(ZeroDivisionError):
        np.average(bb.Variable(np.ones(2)), weights=np.array([1.0, -1.0]))
    with pytest.raises(TypeError, match="Axis must be specified"):
        np.average(bb.Variable(np.ones((2, 2))), weights=np.ones(2))


def test_bincount_of_tracked_labels_counts_them():
    labels = bb.Variable(np.array([0, 1, 1]))
    assert_array_equal(np.bincount(labels), [1, 2])
    assert_array_equal(bb.grad(lambda w: np.bincount(labels, w)[1])(np.ones(3)), [0.0, 1.0, 1.0])


def test_histogram_puts_edges_where_numpy_does():
    x = np.array([0.0, 0.1, 0.2, 0.3, 1.0, 2.0, -1.0])
    w = np.arange(1.0, 8.0)
    for bins, limits in ((10, (0.0, 1.0)), ([0.0, 0.1, 0.3, 1.0], None), ("auto", None)):
        if bins == "auto":
            continue
        y, edges = np.histogram(x, bins, limits, weights=bb.Variable(w))
        theirs = np.histogram(x, bins, limits, weights=w)
        assert_array_equal(y.data, theirs[0])
        assert_array_equal(edges, theirs[1])
    assert_array_equal(np.histogram(bb.Variable(x), 3)[0], np.histogram(x, 3)[0])
