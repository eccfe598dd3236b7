"""Plans of functions that give what they give eagerly, and what is in them; for tests of what becomes one pass."""

import numpy as np

import bibun as bb
from bibun.compiler.row_steps import RowStep
from bibun.core.tree import flatten


def compiled(f, *args, tolerance=1e-12):
    """The plan of a function that gives what it gives eagerly."""
    fast = bb.compile(f)
    agree(fast(*args), f(*args), tolerance)
    return next(iter(fast.plans.values()))


def agree(got, expected, tolerance=1e-12):
    for a, b in zip(flatten(got)[0], flatten(expected)[0], strict=True):
        assert np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, tolerance, tolerance * np.max(np.abs(b), initial=0.0))


def orders(plan):
    """Of every sum over rows: its order, and how many derivatives along vectors it is of."""
    return sorted((s[0].order, s[0].depth) for step in plan.steps if isinstance(step, RowStep) for s in step.sums)


def steps_of_numpy(plan, size):
    """The calls of NumPy over arrays as long as the rows of the recording."""
    return [s for s in plan.steps if size in getattr(getattr(s, "traced", None), "shape", ())]
