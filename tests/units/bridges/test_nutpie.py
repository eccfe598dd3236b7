"""nutpie samples a density; without nutpie, or without a Jacobian, there is a sentence."""

import sys

import pytest

import bibun as bb
from bibun.bridges import nutpie as bridge
from tests.units.bridges.posteriors import agree, posterior


@pytest.mark.filterwarnings("default")
def test_it_samples_the_posterior():
    nutpie = pytest.importorskip("nutpie")
    trace = nutpie.sample(bridge.model(posterior()), draws=500, tune=300, chains=4, seed=1, progress_bar=False)
    assert trace.posterior["mu"].shape == (4, 500)
    agree(trace.posterior["mu"].values, trace.posterior["sigma"].values)


@pytest.mark.filterwarnings("default")
def test_shapes():
    nutpie = pytest.importorskip("nutpie")
    f = lambda p: -0.5 * (p.a**2).sum() - 0.5 * (p.S**2).sum()
    density = bb.MLE(f, {"a": bb.Real((2, 3)), "S": bb.CovarianceMatrix(2)}).density()
    trace = nutpie.sample(bridge.model(density), draws=20, tune=50, chains=1, seed=1, progress_bar=False)
    assert trace.posterior["a"].shape == (1, 20, 2, 3) and trace.posterior["S"].shape == (1, 20, 2, 2)


def test_what_is_missing_is_said(monkeypatch):
    with monkeypatch.context() as m:
        m.setitem(sys.modules, "nutpie.compiled_pyfunc", None)
        with pytest.raises(ImportError, match=r'pip install "bibun\[nutpie\]"'):
            bridge.model(posterior())
    pytest.importorskip("nutpie")
    with pytest.raises(ValueError, match="jacobian=False"):
        bridge.model(posterior(jacobian=False))
