"""A posterior with two parameters whose moments are known by quadrature."""

import numpy as np
from scipy import stats

import bibun as bb

Y = np.random.default_rng(0).normal(2.0, 1.5, size=80)


def rows(p, d):
    return bb.stats.norm.logpdf(d.y, p.mu, p.sigma)


def prior(p):
    return bb.stats.norm.logpdf(p.mu, 0.0, 10.0) + bb.stats.expon.logpdf(p.sigma)


def posterior(jacobian=True):
    model = bb.MLE(rows, {"mu": bb.Real(), "sigma": bb.Positive()})
    return model.density({"y": Y}, start={"mu": 2.0, "sigma": 1.5}, prior=prior, jacobian=jacobian)


def moments():
    """Means and standard deviations of mu and sigma."""
    mu, sigma = np.linspace(1.0, 3.4, 241), np.linspace(0.9, 2.4, 301)
    grid = stats.norm.logpdf(Y, mu[:, None, None], sigma[:, None]).sum(-1)
    grid += stats.norm.logpdf(mu, 0, 10)[:, None] + stats.expon.logpdf(sigma)
    w = np.exp(grid - grid.max())
    w /= w.sum()
    of_mu, of_sigma = w.sum(1), w.sum(0)
    mean = np.array([of_mu @ mu, of_sigma @ sigma])
    return mean, np.sqrt([of_mu @ (mu - mean[0]) ** 2, of_sigma @ (sigma - mean[1]) ** 2])


def agree(mu, sigma):
    """Whether draws have the moments, within the error of some hundred independent ones."""
    mean, deviation = moments()
    drawn = np.array([np.mean(mu), np.mean(sigma)]), np.array([np.std(mu), np.std(sigma)])
    np.testing.assert_allclose(drawn[0], mean, atol=0.2 * deviation.max())
    np.testing.assert_allclose(drawn[1], deviation, rtol=0.25)
