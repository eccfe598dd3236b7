"""The table of derivatives, and the six words it is written in.

One file a namespace or topic; a new derivative is one line in one of them, and the laws in tests/laws try it at once.
Imports core only.
"""

import importlib

from ..core.dispatch import LOADERS
from ..core.domains import Domain, above, below, between, nonzero, positive, real, static, unit
from ..core.operators import fasten
from ..core.rule import TABLE, composite, constant, elementwise, general, linear, multilinear
from . import calculus, composites, constants, creation, einsum, indexing, joining, linalg, ordering, padding, products, reductions, shapes, ufuncs  # noqa: F401
from . import elementwise_functions, slopes, ufunc_methods  # noqa: F401
from . import cumulative, order_statistics, statistics, variances  # noqa: F401
from . import decompositions, least_squares, matrix_functions, norms, polynomials, scipy_linalg, triangular  # noqa: F401
from . import fft  # noqa: F401
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
