"""Every rule of single elements over large arrays: one pass over the elements, and NumPy's values and derivatives."""

import numpy as np
import pytest

import bibun as bb
from bibun.compiler import fused_step
from bibun.compiler.fused_step import FusedStep
from tests.laws import laws
from tests.laws.cases import Case
from tests.laws.test_compiled import ELEMENTWISE


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
def test_elements_are_eager(case: Case, monkeypatch):
    monkeypatch.setattr(fused_step, "WORK", 0)
    moving = [i for i in range(len(case.draw())) if i not in case.rule.without]

    def f(*rows):
        return case.f(*rows) * 2 - np.cos(rows[0]) if case.rule.kind == "elementwise" else case.f(*rows)

    def gradient(*rows):
        return bb.grad(lambda *z: np.sum(f(*z) * np.sin(rows[0])), tuple(moving))(*rows)

    for g in (f, gradient) if moving else (f,):
        fast = bb.compile(g)
        for seed in (0, 1):
            xs = case.draw(seed)
            for got, expected in zip(laws.outputs(fast(*xs)), laws.outputs(g(*xs)), strict=True):
                assert got.shape == np.shape(expected) and got.dtype == expected.dtype
                laws.close(got, expected, 1e-9, "fused")
        assert any(isinstance(s, FusedStep) for p in fast.plans.values() for s in p.steps)
