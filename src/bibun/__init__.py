"""bibun (微分): automatic differentiation for people who write statistics in Python.

Write the model in plain NumPy; get exact derivatives. `import bibun as bb`.
"""

import importlib
from typing import Any

from . import rules
from .core.function import Function
from .core.modes import no_grad
from .core.nonfinite import debug_nans
from .core.variable import Variable
from .errors import ChangedInPlace, MissingRule, NonFinite, TrackedVariable
from .report.graph import Drawing, draw
from .transforms.batch import vmap
from .transforms.check import check_grads
from .transforms.directional import jvp, linearize
from .transforms.gradient import grad, stop_gradient, value_and_grad, vjp
from .transforms.hessian import hessian, hvp
from .transforms.jacobian import jacobian
from .transforms.taylor import taylor

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`bibun.special`, `bibun.linalg`, `bibun.stats`, loaded when they are first asked for."""
    if name in ("special", "linalg", "stats"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ChangedInPlace",
    "Drawing",
    "Function",
    "MissingRule",
    "NonFinite",
    "TrackedVariable",
    "Variable",
    "check_grads",
    "debug_nans",
    "draw",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "no_grad",
    "rules",
    "stop_gradient",
    "taylor",
    "value_and_grad",
    "vjp",
    "vmap",
]
