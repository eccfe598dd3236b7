"""Random programs: gradients agree with difference quotients, forward with reverse, both second orders with each other,
and the recorded plan with eager NumPy."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bibun as bb
from bibun.compiler.plan import plan

UNARY = [
    ("sin", np.sin),
    ("tanh", np.tanh),
    ("exp/4", lambda x: np.exp(0.25 * np.tanh(x))),
    ("log1p", lambda x: np.log1p(x * x)),
    ("square", lambda x: x**2 / (1 + x**2)),
    ("softplus", lambda x: np.logaddexp(0, x)),
    ("neg", lambda x: -x),
    ("sum", lambda x: np.sum(x, axis=-1, keepdims=True) / 3),
    ("mean", lambda x: np.mean(x) + 0 * x),
    ("reverse", lambda x: x[::-1]),
    ("roll", lambda x: np.roll(x, 1, axis=-1)),
    ("cumsum", lambda x: np.cumsum(x, axis=0) / 2),
    ("reshape", lambda x: np.reshape(np.reshape(x, -1), (2, 3)) if np.size(x) == 6 else x),
    ("where", lambda x: np.where(np.arange(x.shape[-1]) > 0, x, np.cos(x))),
    ("stack", lambda x: np.sum(np.stack([x, 0.5 * x]), axis=0)),
    ("index", lambda x: x + x[..., :1]),
    ("std-like", lambda x: x / np.sqrt(1 + np.mean(x**2))),
]
BINARY = [
    ("add", lambda a, b: a + b),
    ("mul", lambda a, b: a * b),
    ("sub", lambda a, b: a - 0.5 * b),
    ("div", lambda a, b: a / (1 + b * b)),
    ("hypot", lambda a, b: np.hypot(a, 1 + np.abs(b) * 0 + b**2)),
    ("matmul", lambda a, b: a @ (b.T @ b) / 10 if a.ndim == 2 and a.shape == b.shape else a * b),
]

program = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=12,
)


def run(steps, x):
    values = [x, np.sin(x) + 1.5]
    for op, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        if op < len(UNARY):
            y = UNARY[op][1](a)
        else:
            y = BINARY[op - len(UNARY)][1](a, b)
        values.append(y)
    return np.sum(np.cos(values[-1])) + np.sum(values[-2] * 0.1)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(program, st.integers(0, 2**32 - 1), st.sampled_from([(2, 3), (3,), (1, 3)]))
def test_random_programs(steps, seed, shape):
    rng = np.random.default_rng(seed)
    x, t, u = (rng.normal(size=shape) for _ in range(3))
    f = lambda z: run(steps, z)
    value, g = bb.value_and_grad(f)(x)
    assert value == f(x)
    y, jt = bb.jvp(f, (x,), (t,))
    assert y == value
    scale = 1 + np.abs(g).max()
    np.testing.assert_allclose(np.sum(g * t), jt, rtol=1e-9, atol=1e-9 * scale)
    h = 1e-3
    quotient = sum(c * (f(x + k * h * t) - f(x - k * h * t)) / h for c, k in ((3 / 4, 1), (-3 / 20, 2), (1 / 60, 3)))
    np.testing.assert_allclose(jt, quotient, rtol=1e-5, atol=1e-5 * scale)
    v = bb.Variable(x)
    f(v).backward()
    np.testing.assert_array_equal(v.grad.data, g)
    h_fr = bb.hvp(f, (x,), (t,))
    h_rr = bb.grad(lambda z: np.sum(bb.grad(f)(z) * t))(x)
    np.testing.assert_allclose(h_fr, h_rr, rtol=1e-8, atol=1e-9 * (1 + np.abs(h_fr).max()))
    np.testing.assert_allclose(
        np.sum(h_fr * u), np.sum(bb.hvp(f, (x,), (u,)) * t), rtol=1e-7, atol=1e-8 * (1 + np.abs(h_fr).max())
    )
    z = rng.normal(size=shape)
    np.testing.assert_allclose(plan(bb.grad(f), x)(z), bb.grad(f)(z), rtol=1e-12, atol=1e-13)
