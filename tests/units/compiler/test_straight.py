"""A plan that is run often gives what it gave before, and lets go of values as early."""

import threading

import numpy as np
import pytest

import bibun as bb
from bibun.compiler import plan as plans
from bibun.compiler.plan import plan

RNG = np.random.default_rng(5)
A, X = RNG.normal(size=(20, 20)), RNG.normal(size=(300, 20))


def several(a, x):
    q, r = np.linalg.qr(a)
    sign, size = np.linalg.slogdet(a)
    w, v = np.linalg.eigh(a + a.T)
    return np.sum(np.diag(r) ** 2) + sign * size, x[:5] @ q, np.sum(w**2) + np.sum(v[0]), a


PROGRAMS = {
    "several": several,
    "gradient": bb.value_and_grad(lambda a, x: several(a, x)[0] + np.sum(np.exp(-x @ a))),
    "rows": bb.grad(lambda a, x: np.sum(np.logaddexp(0, x @ a[0]))),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_afterwards(name, monkeypatch):
    monkeypatch.setattr(plans, "OFTEN", 2)
    p = plan(PROGRAMS[name], A, X)
    flat = lambda out: [np.asarray(y) for y in (out if isinstance(out, tuple) else (out,))]
    first = flat(p(A, X))
    kept = [y.copy() for y in first]
    for _ in range(4):
        for a, b in zip(flat(p(A, X)), kept, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    p(A + 1, X)
    assert p._straight is not None


def test_nothing_is_held_longer(monkeypatch):
    monkeypatch.setattr(plans, "OFTEN", 1)
    p = plan(lambda x: np.sum(np.sort(np.sort(x, 0), 1)), X)
    p(X)
    held = []
    for run in (p._straight, lambda values: [step(values) for step in p.steps]):
        values = [X, *[None] * (p.size - 1)]
        run(values)
        held.append([k for k, v in enumerate(values) if v is not None])
    assert held[0] == held[1] and len(held[0]) < p.size


def test_an_error_is_the_steps_own(monkeypatch):
    monkeypatch.setattr(plans, "OFTEN", 1)
    fast = bb.compile(lambda a: np.sum(np.linalg.cholesky(a)[:, 0]))
    for _ in range(3):
        fast(A @ A.T)
        with pytest.raises(np.linalg.LinAlgError):
            fast(-A @ A.T)


def test_from_two_threads():
    fast = bb.compile(PROGRAMS["several"])
    expected = fast(A, X)
    found = []
    threads = [threading.Thread(target=lambda: found.extend(fast(A, X)[0] for _ in range(50))) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 100 and all(y == expected[0] for y in found)
