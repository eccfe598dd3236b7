"""Functions whose derivative is zero wherever they have one, said aloud: they give plain arrays.

Imports core only. A new one is one word here.
"""

import numpy as np

from ..core.words import constant

__all__ = ["CONSTANT_UFUNCS"]

CONSTANT_UFUNCS: frozenset[np.ufunc] = frozenset({
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.isfinite, np.isinf, np.isnan, np.isnat, np.signbit, np.sign, np.spacing,
    np.floor, np.ceil, np.trunc, np.rint, np.floor_divide,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift,
    np.gcd, np.lcm,
    *[getattr(np, name) for name in ("bitwise_count",) if hasattr(np, name)],
})  # fmt: skip
"""Every ufunc that is a step or a question. `np.sign` of complex numbers is neither: elementwise_functions.py."""

constant(*sorted(CONSTANT_UFUNCS, key=lambda u: u.__name__))
constant(np.fix, np.round, np.around)
constant(np.isclose, np.allclose, np.array_equal, np.array_equiv)
constant(np.isreal, np.iscomplex, np.isposinf, np.isneginf)
constant(
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.may_share_memory,
    np.shares_memory, np.isrealobj, np.iscomplexobj, np.array_repr, np.array_str, np.array2string, of_values=False,
)  # fmt: skip
