"""The table of derivatives, and the six words it is written in.

One file a namespace or topic; a new derivative is one line in one of them, and the laws in tests/laws try it at once.
Imports core only.
"""

import functools
import importlib

from ..core.dispatch import LOADERS
from ..core.domains import Domain, above, below, between, nonzero, positive, real, static, unit
from ..core.operators import fasten
from ..core.rule import TABLE
from ..core.words import composite, constant, elementwise, general, linear, multilinear
from . import (  # noqa: F401  (each fills the table)
    calculus,
    constants,
    creation,
    cumulative,
    decompositions,
    diagonals,
    einsum,
    elementwise_functions,
    indexing,
    joining,
    least_squares,
    linalg,
    norms,
    order_statistics,
    ordering,
    padding,
    polynomials,
    products,
    reductions,
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


# what costs time to import waits until it is first met
LOADERS["numpy.fft"] = functools.partial(importlib.import_module, ".fft", __name__)
LOADERS["scipy.sparse"] = functools.partial(importlib.import_module, ".sparse", __name__)
LOADERS["scipy.special"] = functools.partial(importlib.import_module, ".special", __name__)
