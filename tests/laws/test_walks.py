"""Every rule × the other walks of the table: batch, Taylor, sparsity pattern, and a plan executed by NumPy."""

import sys
from typing import Any

import numpy as np
import pytest

import bibun as bb
from bibun.compiler.plan import plan
from bibun.core.dispatch import holds_node, raw
from bibun.core.modes import here, modes
from bibun.transforms.sparsity import jacobian_pattern
from tests.laws import laws
from tests.laws.cases import CASES, Case


def refused(case: Case) -> bool:
    """Whether the rule says that it cannot be recorded for other values; then it must be refused, not baked in."""
    if not case.rule.traced or not case.draw():
        return bool(case.rule.traced)
    with pytest.raises(TypeError):
        plan(case.f, *case.draw())
    return True


def arrays(out):
    return [np.asarray(o) for o in laws.outputs(out)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_batch_is_a_loop(case: Case):
    if refused(case):
        return
    examples = [case.draw(seed) for seed in range(3)]
    if not examples[0]:
        return
    stacked = [np.stack(xs) for xs in zip(*examples, strict=True)]
    together = arrays(bb.vmap(case.f)(*stacked))
    one_by_one = [arrays(case.f(*xs)) for xs in examples]
    for k, got in enumerate(together):
        np.testing.assert_allclose(got, np.stack([o[k] for o in one_by_one]), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_taylor_is_nested_jvp(case: Case):
    if refused(case):
        return
    xs = case.draw()
    if not xs:
        return
    ts = laws.like(xs, 6)
    series = bb.taylor(case.f, xs, ts, 3 if not case.rule.second else 1)
    first = laws.outputs(bb.jvp(case.f, xs, ts)[1])
    for c, t, v in zip(laws.outputs(series[1]), first, laws.outputs(case.f(*xs)), strict=True):
        if np.asarray(v).dtype.kind in "fc":
            laws.close(c, t, 1e-10, "Taylor coefficient 1")
    if case.rule.second:
        return

    def derivative(f):
        return lambda *z: laws.outputs(bb.jvp(f, z, ts)[1])

    second = derivative(derivative(case.f))(*xs)
    third = derivative(derivative(derivative(case.f)))(*xs)
    for c2, c3, d2, d3, v in zip(
        *map(laws.outputs, series[2:4]), second, third, laws.outputs(case.f(*xs)), strict=True
    ):
        if np.asarray(v).dtype.kind in "fc":
            laws.close(np.asarray(c2) * 2, d2, 1e-8, "Taylor coefficient 2")
            laws.close(np.asarray(c3) * 6, d3, 1e-7, "Taylor coefficient 3")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pattern_holds_the_truth(case: Case):
    if refused(case):
        return
    xs = case.draw()
    for k, x in enumerate(xs):

        def f(z, k=k):
            outs = laws.outputs(case.f(*xs[:k], z, *xs[k + 1 :]))
            return [o for o in outs if getattr(o, "dtype", np.dtype(float)).kind in "fc"]

        pattern = jacobian_pattern(f)(x).toarray()
        jacobians = zip(laws.outputs(bb.jacobian(f, mode="forward")(x)), f(x), strict=True)
        blocks = [np.asarray(j).reshape(np.size(y), x.size) for j, y in jacobians]
        true = np.concatenate(blocks) if blocks else np.zeros((0, x.size))
        assert pattern.shape == true.shape
        assert not ((true != 0) & ~pattern).any()
        if case.rule.kind == "elementwise":
            assert pattern.sum() <= max(true.shape)


SEEDS = (1, 2, 3, 4)


def derivatives(case: Case) -> list[Any]:
    """The function, its gradient and its second derivative in a direction, as functions of the case's arrays."""
    xs = case.draw()
    found: list[Any] = [case.f]
    if not xs:
        return found
    s = laws.scalar(case, list(laws.outputs(case.f(*xs))))
    g = bb.grad(s, tuple(range(len(xs))))
    found.append(g)
    if not case.rule.second:
        ts = laws.like(xs, 7)
        found.append(lambda *zs: bb.jvp(g, zs, ts)[1])
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan_is_eager(case: Case):
    if refused(case):
        return
    xs = case.draw(0)
    for f in derivatives(case):
        p = plan(f, *xs)
        for seed in SEEDS:
            others = case.draw(seed)
            for got, expected in zip(arrays(p(*others)), arrays(f(*others)), strict=True):
                laws.close(got, expected, 1e-10, f"the plan, seed {seed}")


def test_no_rule_reads_a_value_while_recording(monkeypatch):
    """`raw` is how a rule reads values: what it read would be a constant in the record, in silence."""

    def guarded(x):
        tracing = modes.on and here.tracing
        assert not (tracing and holds_node(x, tracked=True)), "a value is read while recording for other values"
        return raw(x)

    for name, module in list(sys.modules.items()):
        if name.startswith("bibun.rules") and getattr(module, "raw", None) is raw:
            monkeypatch.setattr(module, "raw", guarded)
    for case in CASES:
        if not case.rule.traced:
            for f in derivatives(case):
                plan(f, *case.draw())
