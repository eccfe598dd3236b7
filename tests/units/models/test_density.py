"""A likelihood as a log-density: against SciPy, against difference quotients, in threads, forks and files."""

import math
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from scipy import integrate, stats

import bibun as bb
from bibun.models import domains
from bibun.models.domains import Parameter

Y = np.random.default_rng(0).normal(2.0, 1.5, size=50)


def rows(p, d):
    return bb.stats.norm.logpdf(d.y, p.mu, p.sigma)


def prior(p):
    return bb.stats.norm.logpdf(p.mu, 0.0, 10.0) + bb.stats.expon.logpdf(p.sigma)


def posterior(n=50, **options):
    y = np.resize(Y, n)
    return bb.MLE(rows, {"mu": bb.Real(), "sigma": bb.Positive()}).density({"y": y}, prior=prior, **options)


def by_scipy(u, jacobian=True, y=Y):
    mu, sigma = u[0], np.exp(u[1])
    known = stats.norm.logpdf(mu, 0, 10) + stats.expon.logpdf(sigma) + (u[1] if jacobian else 0.0)
    return stats.norm.logpdf(y, mu, sigma).sum() + known


@pytest.mark.parametrize("n", [50, 5000])
@pytest.mark.parametrize("jacobian", [True, False])
def test_value_and_gradient(n, jacobian):
    post = posterior(n, jacobian=jacobian)
    assert (post.dim, post.names, post.shapes) == (2, ["mu", "sigma"], {"mu": (), "sigma": ()})
    y = np.resize(Y, n)
    for u in np.random.default_rng(1).normal(size=(5, 2)):
        value, slope = post.logp_and_grad(u)
        np.testing.assert_allclose([value, post.logp(u)], by_scipy(u, jacobian, y), rtol=1e-12)
        quotient = [(by_scipy(u + h, jacobian, y) - by_scipy(u - h, jacobian, y)) / 2e-5 for h in 1e-5 * np.eye(2)]
        np.testing.assert_allclose(slope, quotient, rtol=1e-6)
        assert post.expand(u) == {"mu": u[0], "sigma": np.exp(u[1])}


def test_without_its_jacobian_its_mode_is_the_fit():
    post = posterior(jacobian=False)
    r = bb.MLE(rows, {"mu": bb.Real(), "sigma": bb.Positive()}).fit({"y": Y}, prior=prior)
    value, slope = post.logp_and_grad(r.u)
    np.testing.assert_allclose(value, r.penalized_loglik, rtol=1e-12)
    np.testing.assert_allclose(slope, 0.0, atol=1e-8)
    assert posterior(start=r.params).start == pytest.approx(r.u)


PARAMETERS = [
    bb.Real((2, 2)), bb.Positive(3), bb.Negative((2, 2)), bb.Interval(-1, 3, 2), bb.UnitInterval(), bb.Ordered(4),
    bb.Simplex(4), bb.CovarianceMatrix(3), bb.CorrelationMatrix(4), bb.CorrelationMatrix(2), bb.CovarianceMatrix(1),
]  # fmt: skip


@pytest.mark.parametrize("p", PARAMETERS, ids=repr)
def test_log_jacobians_are_those_of_the_determinant(p):
    """And so is their gradient: that a domain of somebody's own has, who wrote no formula."""
    for u in np.random.default_rng(0).normal(size=(4, *p.real_shape)):
        np.testing.assert_allclose(p.log_jacobian(u), Parameter.log_jacobian(p, u), rtol=1e-10, atol=1e-12)
        slopes = [
            np.asarray(bb.grad(lambda v: f(v) + 0 * np.sum(v))(u))
            for f in (p.log_jacobian, lambda v: Parameter.log_jacobian(p, v))
        ]
        np.testing.assert_allclose(*slopes, rtol=1e-8, atol=1e-10)


def test_every_domain_is_among_them():
    known = {type(p).__name__ for p in PARAMETERS} | {"Fixed", "Tied", "Parameter", "coefficients"}
    assert known >= set(domains.__all__)


@pytest.mark.parametrize(
    ("p", "mass"),
    [(bb.UnitInterval(), 1.0), (bb.Interval(-2, 1), 3.0), (bb.CorrelationMatrix(2), 2.0)],
    ids=["unit", "interval", "correlation"],
)
def test_a_flat_density_has_the_mass_of_its_domain(p, mass):
    total, _ = integrate.quad(lambda u: math.exp(p.log_jacobian(np.full(p.real_shape, u))), -60, 60, points=[0.0])
    assert total == pytest.approx(mass, rel=1e-8)


def test_far_out_it_stays_exact():
    u = np.array(700.0)
    assert float(bb.UnitInterval().log_jacobian(u)) == pytest.approx(-700.0)
    assert float(bb.CorrelationMatrix(2).log_jacobian(np.array([400.0]))) == pytest.approx(2 * math.log(2) - 800)
    assert np.isfinite(bb.Simplex(3).log_jacobian(np.array([900.0, -900.0])))


def test_fixed_and_tied_parameters_weights_and_texts():
    d = {"y": np.array([1.0, 2.0, 4.0]), "g": np.array(["a", "b", "a"])}
    f = lambda p, d: -((d.y - np.where(d.g == "a", p.a, p.b)) ** 2) / p.s
    post = bb.MLE(f, {"a": bb.Real(), "b": bb.Tied("a"), "s": bb.Fixed(2.0)}).density(d, weights=[1, 2, 3])
    assert post.dim == 1 and set(post.expand([1.5])) == {"a"}
    value, slope = post.logp_and_grad([1.5])
    assert value == pytest.approx(-(0.25 + 2 * 0.25 + 3 * 6.25) / 2)
    assert slope == pytest.approx([(2 * -0.5 + 2 * 2 * 0.5 + 3 * 2 * 2.5) / 2])
    with pytest.raises(ValueError, match="nothing to sample"):
        bb.MLE(f, {"a": bb.Fixed(1.0)}).density(d)


def test_outside_it_is_minus_infinity_and_wrong_shapes_are_said():
    post = bb.MLE(lambda p, d: np.log(p.a - d.y), {"a": bb.Real(start=5.0)}).density({"y": np.ones(3)})
    assert post.logp([0.0]) == -np.inf and post.logp_and_grad([0.0])[0] == -np.inf
    with pytest.raises(ValueError, match=r"u has shape \(2,\): 1 numbers, of a"):
        post.logp([1.0, 2.0])
    with pytest.raises(ValueError, match=r"is nan at the start"):
        bb.MLE(lambda p, d: np.log(p.a - d.y), {"a": bb.Real()}).density({"y": np.ones(3)}, start={"a": 0.0})


def test_the_caller_may_change_the_data():
    y = Y.copy()
    post = bb.MLE(rows, {"mu": bb.Real(), "sigma": bb.Positive()}).density({"y": y})
    before = post.logp(post.start)
    y[:] = 0.0
    assert post.logp(post.start) == before


def branching(p, d):
    return -((d.y - p.a) ** 2) * (2.0 if float(np.sum(d.y)) > 0 and p.a > 0 else 1.0)


def test_a_likelihood_that_branches_runs_eagerly():
    post = bb.MLE(branching, {"a": bb.Real(start=1.0)}).density({"y": np.array([1.0, 2.0])})
    assert post.logp([1.5]) == pytest.approx(-1.0) and post.logp([-1.0]) == pytest.approx(-13.0)
    assert post.logp_and_grad([-1.0])[1] == pytest.approx([10.0])


@pytest.mark.parametrize("n", [50, 30_000])
def test_pickles_and_threads(n):
    post = posterior(n)
    points = np.random.default_rng(2).normal(size=(40, 2))
    want = [post.logp_and_grad(u) for u in points]
    again = pickle.loads(pickle.dumps(post))
    for u, (value, slope) in zip(points[:5], want, strict=False):
        assert again.logp_and_grad(u)[0] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(again.logp_and_grad(u)[1], slope, rtol=1e-12)
    wrong: list = []

    def work(fresh):
        for _ in range(5):
            for u, (value, slope) in zip(points, want, strict=True):
                v, g = fresh.logp_and_grad(u)
                if not (math.isclose(v, value, rel_tol=1e-12) and np.allclose(g, slope, rtol=1e-10)):
                    wrong.append((v, value))

    fresh = pickle.loads(pickle.dumps(post))  # nobody has called it: all threads compile it at once
    threads = [threading.Thread(target=work, args=(d,)) for d in (post, post, fresh, fresh)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forks():
    """In a process of its own: this one may have threads of other packages."""
    text = """
import os
import numpy as np, bibun as bb
rows = lambda p, d: bb.stats.norm.logpdf(d.y, p.mu, p.sigma)
y = np.random.default_rng(0).normal(size=300_000)
post = bb.MLE(rows, {"mu": bb.Real(), "sigma": bb.Positive()}).density({"y": y})
want = post.logp_and_grad(post.start)[0]
child = os.fork()
if not child:
    os._exit(7 if abs(post.logp_and_grad(post.start)[0] - want) < 1e-12 * abs(want) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert post.logp_and_grad(post.start)[0] == want
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
