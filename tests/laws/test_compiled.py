"""Every rule of single elements in a sum over rows: one pass, and the eager value, gradient and Hessian."""

import numpy as np
import pytest

import bibun as bb
from bibun.core.domains import static
from tests.laws import laws
from tests.laws.cases import CASES, Case, is_shape

ROWS = 520


def whole_rows(case: Case) -> Case | None:
    """The case with a vector of rows for every array; None where that is no case of single numbers."""
    if case.rule.kind != "elementwise" or case.rule.traced or case.keywords:
        return None
    given = [a.value if isinstance(a, static) else a for a in case.template]
    if any(callable(a) or np.ndim(a) for a in given if not is_shape(a)) or not any(map(is_shape, given)):
        return None
    return Case(case.rule, case.label, tuple((ROWS,) if is_shape(a) else a for a in case.template), {})


FOUND = {str(c): w for c in CASES if (w := whole_rows(c)) is not None}
ELEMENTWISE = list({(w.rule.name, repr(w.template)): w for w in FOUND.values()}.values())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
def test_a_sum_over_rows_is_eager(case: Case):
    xs = case.draw()
    fixed = case.rule.without

    def f(t, *rows):
        moved = [x if i in fixed else x + t[i] for i, x in enumerate(rows)]
        return np.sum(case.f(*moved) * np.cos(rows[0]))

    t = np.zeros(len(xs))
    for derivative in (lambda f: f, bb.grad, *([] if case.rule.second else [bb.hessian])):
        g = derivative(f)
        fast = bb.compile(g)
        for seed in (0, 1):
            others = case.draw(seed)
            got, expected = np.asarray(fast(t, *others)), np.asarray(g(t, *others))
            assert got.shape == expected.shape and got.dtype == expected.dtype
            laws.close(got, expected, 1e-9, "compiled")
