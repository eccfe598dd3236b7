"""Every rule of the table × the laws. A new rule is tested by being declared."""

import numpy as np
import pytest

from tests.laws import laws
from tests.laws.cases import CASES, RULES, Case, cases_of


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_every_rule_has_cases(rule):
    assert cases_of(rule), f"{rule.name} declares no cases="


LAWS = [laws.value, laws.forward, laws.adjoint, laws.second, laws.data_types, laws.order_types]


@pytest.mark.parametrize("law", LAWS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_law(case: Case, law):
    law(case, case.draw())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_is_kept(case: Case):
    xs = case.draw(dtype=np.float32)
    laws.value(case, xs)
    import bibun as bb

    y, pullback = bb.vjp(case.f, *xs)
    gs = tuple(np.ones(np.shape(o), np.asarray(o).dtype) for o in laws.outputs(y))
    for b, x in zip(pullback(gs if isinstance(y, tuple) else gs[0]), xs, strict=True):
        assert np.asarray(b).dtype == x.dtype
        assert np.shape(b) == x.shape
