"""Domains of parameters: there and back, what tables show, and fits whose answers have closed forms."""

import numpy as np
import pytest
from scipy import stats

import bibun as bb
from bibun.models.parameters import ParameterSet

RNG = np.random.default_rng(3)
S = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]])
R = S / np.sqrt(np.outer(np.diag(S), np.diag(S)))
EXAMPLES = {
    "real": (bb.Real(shape=(2, 2)), [[1.0, -2.0], [0.0, 3.0]]),
    "positive": (bb.Positive(3), [0.1, 1.0, 20.0]),
    "negative": (bb.Negative(), -3.0),
    "interval": (bb.Interval(-2, 5, shape=2), [-1.9, 4.0]),
    "unit": (bb.UnitInterval(), 0.3),
    "ordered": (bb.Ordered(4), [-2.0, 0.0, 0.1, 7.0]),
    "simplex": (bb.Simplex(names=["a", "b", "c"]), [0.2, 0.5, 0.3]),
    "covariance": (bb.CovarianceMatrix(3), S),
    "correlation": (bb.CorrelationMatrix(3, names=["a", "b", "c"]), R),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_there_and_back(name):
    p, value = EXAMPLES[name]
    u = p.real(np.array(value))
    assert np.shape(u) == p.real_shape and np.size(u) == p.size
    np.testing.assert_allclose(p.natural(u), value, rtol=1e-12, atol=1e-14)
    shown = p.reported(np.array(value))
    assert len(shown) == len(p.labels("x")) == len(set(p.labels("x"))) and len(p.real_labels("x")) == p.size
    np.testing.assert_allclose(p.unstretched(p.stretched(shown)), shown, rtol=1e-12)
    e = 1e-6
    slope = (p.stretched(shown + e) - p.stretched(shown - e)) / (2 * e)
    np.testing.assert_allclose(p.stretch(shown), slope, rtol=1e-6)
    np.testing.assert_allclose(
        p.whole(shown), np.array(value) - (np.eye(3) if name == "correlation" else 0), rtol=1e-12
    )
    bb.check_grads(lambda u: np.sum(np.sin(p.natural(u))), np.array(u, float))


@pytest.mark.parametrize("name", EXAMPLES)
def test_any_real_numbers_are_inside_the_domain(name):
    p, _ = EXAMPLES[name]
    for _ in range(20):
        value = p.natural(3 * RNG.normal(size=p.real_shape))
        p.checked(value)
        assert np.shape(value) == p.shape
    if name in ("covariance", "correlation"):
        assert np.linalg.eigvalsh(value)[0] > 0
    if name == "correlation":
        np.testing.assert_allclose(np.diag(value), 1.0, rtol=1e-14)


@pytest.mark.parametrize(
    ("p", "bad"),
    [
        (bb.Positive(), 0.0), (bb.Negative(), 1.0), (bb.UnitInterval(), 1.0), (bb.Interval(0, 2), 3.0),
        (bb.Ordered(3), [0.0, 2.0, 2.0]), (bb.Simplex(2), [0.5, 0.6]), (bb.Simplex(2), [1.0, 0.0]),
        (bb.CovarianceMatrix(2), [[1.0, 2.0], [2.0, 1.0]]), (bb.CovarianceMatrix(2), [[1.0, 0.5], [0.1, 1.0]]),
        (bb.CorrelationMatrix(2), [[1.0, 0.5], [0.5, 2.0]]),
    ],
)  # fmt: skip
def test_a_start_outside_is_refused(p, bad):
    with pytest.raises(ValueError, match="not inside the domain"):
        p.checked(bad)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: bb.Ordered(), "a vector"), (lambda: bb.Simplex(1), "two probabilities"),
        (lambda: bb.CorrelationMatrix(1), "2 or more"), (lambda: bb.CovarianceMatrix(2, names=["a"]), "1 names"),
        (lambda: bb.MLE(lambda p: -p.a, {"a": bb.Tied("b")}), "tied to 'b'"),
    ],
)  # fmt: skip
def test_bad_declarations(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_set_is_one_vector_and_back():
    declared = {name: p for name, (p, _) in EXAMPLES.items()}
    s = ParameterSet(declared)
    u = s.start({name: value for name, (_, value) in EXAMPLES.items()})
    for name, (_, value) in EXAMPLES.items():
        np.testing.assert_allclose(s.natural(u)[name], value, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(s.values(u)[name], value, rtol=1e-12, atol=1e-14)
    shown = s.vector(u)
    assert len(shown) == len(s.labels) and len(u) == s.size == len(s.real_labels)
    np.testing.assert_allclose(s.unstretched(s.stretched(shown)), shown, rtol=1e-12)
    J, e = s.jacobian(u), 1e-6
    for k in range(s.size):
        d = e * np.eye(s.size)[k]
        np.testing.assert_allclose(J[:, k], (s.vector(u + d) - s.vector(u - d)) / (2 * e), atol=1e-8)


def test_a_simplex_is_a_multinomial_with_its_known_errors():
    y = RNG.choice(3, size=400, p=[0.2, 0.5, 0.3])
    r = bb.MLE(lambda p, d: np.log(p.w[d.y]), {"w": bb.Simplex(names=["a", "b", "c"])}).fit({"y": y})
    share = np.bincount(y) / 400
    assert r.labels == ["w[a]", "w[b]", "w[c]"] and r.df_model == 2 and r.converged
    np.testing.assert_allclose(r.params["w"], share, rtol=1e-10)
    np.testing.assert_allclose(r.cov_params(), (np.diag(share) - np.outer(share, share)) / 400, rtol=1e-8, atol=1e-12)
    ends = r.conf_int(method="profile")
    assert ((ends > 0) & (ends < 1)).all()
    one = (y == 0).astype(float)
    single = bb.MLE(lambda p, d: bb.stats.bernoulli.logpmf(d.y, p.q), {"q": bb.UnitInterval()}).fit({"y": one})
    np.testing.assert_allclose(ends[0], single.conf_int(method="profile")[0], rtol=1e-8)
    np.testing.assert_allclose(r.conf_int()[0], single.conf_int()[0], rtol=1e-8)
    with pytest.raises(bb.NotDefined, match="cannot move alone"):
        r.scores()


def test_a_covariance_matrix_is_the_sample_s_with_its_known_errors():
    Y = RNG.multivariate_normal(np.zeros(3), S, size=300)

    def rows(p, d):
        return bb.stats.multivariate_normal.logpdf(d.Y, p.mu, p.S)

    r = bb.MLE(rows, {"mu": bb.Real(3), "S": bb.CovarianceMatrix(3)}).fit({"Y": Y})
    sample = np.cov(Y.T, bias=True)
    np.testing.assert_allclose(r.params["S"], sample, rtol=1e-9)
    # var of a covariance of normals at its maximum: (s_ii s_jj + s_ij²) / n
    expected = np.sqrt((np.outer(np.diag(sample), np.diag(sample)) + sample**2) / 300)
    np.testing.assert_allclose(r.bse["S"], expected, rtol=1e-8)
    assert r.labels[3:5] == ["S[0, 0]", "S[1, 0]"] and r.converged
    ends = r.conf_int(parm="S[0, 0]")[0]
    half = 1.959963984540054 * expected[0, 0] / sample[0, 0]
    np.testing.assert_allclose(ends, sample[0, 0] * np.exp([-half, half]), rtol=1e-8)


def test_a_correlation_matrix_of_known_variances():
    Y = RNG.multivariate_normal(np.zeros(2), [[1.0, 0.7], [0.7, 1.0]], size=500)
    f = lambda p, d: bb.stats.multivariate_normal.logpdf(d.Y, np.zeros(2), p.R)
    r = bb.MLE(f, {"R": bb.CorrelationMatrix(2)}).fit({"Y": Y})
    assert r.labels == ["R[1, 0]"] and r.params["R"][0, 0] == 1.0
    g = lambda p, d: -0.5 * np.log(1 - p.c**2) - 0.5 * (d.Y[:, 0] ** 2 - 2 * p.c * d.Y[:, 0] * d.Y[:, 1]
                                                     + d.Y[:, 1] ** 2) / (1 - p.c**2)  # fmt: skip
    one = bb.MLE(g, {"c": bb.Interval(-1, 1)}).fit({"Y": Y})
    np.testing.assert_allclose(r.coef, one.coef, rtol=1e-9)
    np.testing.assert_allclose(r.se(), one.se(), rtol=1e-8)
    np.testing.assert_allclose(r.conf_int(method="profile"), one.conf_int(method="profile"), rtol=1e-8)


def test_thresholds():
    y = RNG.choice(4, size=300, p=[0.1, 0.4, 0.3, 0.2])

    def rows(p, d):
        ends = np.concatenate([[-np.inf], p.cuts, [np.inf]])
        return np.log(bb.special.ndtr(ends[d.y + 1]) - bb.special.ndtr(ends[d.y]))

    r = bb.MLE(rows, {"cuts": bb.Ordered(3)}).fit({"y": y})
    np.testing.assert_allclose(r.coef, stats.norm.ppf(np.cumsum(np.bincount(y) / 300)[:3]), rtol=1e-9)


def test_tied_parameters_are_estimated_once():
    d = {"x": RNG.normal(1, 1, size=50), "y": RNG.normal(2, 1, size=50)}
    rows = lambda p, d: -((d.x - p.a) ** 2) - (d.y - p.b) ** 2
    r = bb.MLE(rows, {"a": bb.Real(), "b": bb.Tied("a")}).fit(d)
    assert r.labels == ["a"] and r.params["a"] == pytest.approx((d["x"].mean() + d["y"].mean()) / 2)
