"""SciPy's special functions where SCIPY_ARRAY_API is set, which wraps them for other array libraries."""

import os
import subprocess
import sys

PROGRAM = """
import numpy as np, scipy.special, bibun as bb
f = lambda x: np.sum(bb.special.betaln(x, 2.0) + bb.special.log_ndtr(x) + bb.stats.gamma.logpdf(1.0, x))
x = np.array([0.5, 3.0])
h = 1e-6
quotient = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(2)]
assert np.allclose(bb.grad(f)(x), quotient), (bb.grad(f)(x), quotient)
assert np.allclose(bb.compile(bb.hessian(f))(x), bb.hessian(f)(x))
try:
    bb.grad(lambda v: np.sum(scipy.special.gammaln(v)))(x)
except TypeError as e:  # the wrapper lets no Variable in, and says why in its own words over ours
    assert "bibun.special.gammaln" in f"{e} {e.__context__}", e
print("fine")
"""


def test_functions_are_what_they_are_without_it():
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)
    assert done.stdout.strip().endswith("fine"), done.stderr
