"""The table of derivatives, and the six words it is written in.

One file a namespace or topic; a new derivative is one line in one of them, and the laws in tests/laws try it at once.
Imports core only.
"""

import importlib

from ..core.dispatch import LOADERS
from ..core.domains import Domain, above, below, between, nonzero, positive, real, static, unit
from ..core.operators import fasten
from ..core.rule import TABLE
from ..core.words import composite, constant, elementwise, general, linear, multilinear
from . import (  # noqa: F401  # noqa: F401  # noqa: F401  # noqa: F401
    calculus,
    composites,
    constants,
    creation,
    cumulative,
    decompositions,
    einsum,
    elementwise_functions,
    fft,
    indexing,
    joining,
    least_squares,
    linalg,
    matrix_functions,
    norms,
    order_statistics,
    ordering,
    padding,
    polynomials,
    products,
    reductions,
    scipy_linalg,
    shapes,
    slopes,
    statistics,
    triangular,
    ufunc_methods,
    ufuncs,
    variances,
)
from .indexing import getitem
from .shapes import astype

__all__ = [
    "TABLE", "Domain", "above", "below", "between", "composite", "constant", "elementwise", "general", "linear",
    "multilinear", "nonzero", "positive", "real", "static", "unit",
]  # fmt: skip

fasten(getitem, astype)


def _special() -> None:
    importlib.import_module(".special", __name__)


LOADERS["scipy.special"] = _special
