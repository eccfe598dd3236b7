"""PyMC knows a density's gradient, and samples it."""

import sys

import numpy as np
import pytest

from bibun.bridges import pymc as bridge
from tests.units.bridges.posteriors import agree, posterior

pytestmark = pytest.mark.filterwarnings("default")


def test_the_operation_knows_its_gradient():
    pytest.importorskip("pymc")
    import pytensor
    from pytensor import tensor

    density, u = posterior(), tensor.dvector("u")
    value = 2.0 * bridge.operation(density)(u)
    f = pytensor.function([u], [value, tensor.grad(value, u)])
    at = np.array([1.7, 0.3])
    want = density.logp_and_grad(at)
    got = f(at)
    np.testing.assert_allclose(got[0], 2 * want[0])
    np.testing.assert_allclose(got[1], 2 * want[1])


def test_it_travels_to_other_processes():
    """As PyMC sends it; a fork here would meet the threads of other packages under test."""
    pytest.importorskip("pymc")
    import cloudpickle
    from pytensor import tensor

    density = posterior()
    operation = cloudpickle.loads(cloudpickle.dumps(bridge.operation(density)))
    u = tensor.dvector("u")
    assert operation(u).eval({u: density.start}) == pytest.approx(density.logp(density.start))


def test_it_samples_the_posterior():
    pymc = pytest.importorskip("pymc")
    with bridge.model(posterior()):
        trace = pymc.sample(400, tune=300, chains=2, cores=1, random_seed=1, progressbar=False)
    agree(trace.posterior["mu"].values, trace.posterior["sigma"].values)


def test_what_is_missing_is_said(monkeypatch):
    with monkeypatch.context() as m:
        m.setitem(sys.modules, "pytensor", None)
        for made in (bridge.operation, bridge.model):
            with pytest.raises(ImportError, match=r'pip install "bibun\[pymc\]"'):
                made(posterior())
    pytest.importorskip("pymc")
    with pytest.raises(ValueError, match="jacobian=False"):
        bridge.model(posterior(jacobian=False))
