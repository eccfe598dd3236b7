"""JAX knows a density's gradient, compiled and batched, and NumPyro samples it.

In processes of their own: where JAX was imported, no other test may fork.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from bibun.bridges import numpyro as bridge
from tests.units.bridges.posteriors import posterior

ROOT = Path(__file__).parents[3]
FRONT = """
import jax, numpy as np
from bibun.bridges.numpyro import potential
from tests.units.bridges.posteriors import agree, posterior
density = posterior()
energy = potential(density)
"""


def run(text):
    done = subprocess.run([sys.executable, "-c", FRONT + text], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="needs jax")
def test_the_energy_knows_its_gradient():
    run("""
points = np.array([[1.7, 0.3], [2.2, 0.6]])
want = [density.logp_and_grad(u) for u in points]
values, slopes = jax.jit(jax.vmap(jax.value_and_grad(energy)))(points)
np.testing.assert_allclose(values, [-v for v, _ in want], rtol=2e-6)
np.testing.assert_allclose(slopes, [-g for _, g in want], rtol=1e-4, atol=1e-4)
try:
    potential(posterior(jacobian=False))
except ValueError as e:
    assert "jacobian=False" in str(e)
else:
    raise AssertionError("it was taken")
""")


@pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")
@pytest.mark.parametrize("chains", [1, 2])
def test_it_samples_the_posterior(chains):
    run(f"""
from numpyro.infer import MCMC, NUTS
start = jax.numpy.asarray(density.start)
chain = MCMC(
    NUTS(potential_fn=energy), num_warmup=300, num_samples=800 // {chains}, num_chains={chains},
    chain_method="vectorized", progress_bar=False,
)
chain.run(jax.random.PRNGKey(0), init_params=start if {chains} == 1 else jax.numpy.stack([start] * {chains}))
drawn = [density.expand(u) for u in np.asarray(chain.get_samples())]
assert len(drawn) == 800
agree([p["mu"] for p in drawn], [p["sigma"] for p in drawn])
""")


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r'pip install "bibun\[numpyro\]"'):
        bridge.potential(posterior())
