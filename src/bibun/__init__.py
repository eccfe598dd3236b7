"""bibun (微分): automatic differentiation for people who write statistics in Python.

Write the model in plain NumPy; get exact derivatives. `import bibun as bb`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import rules
from .core.function import Function
from .core.modes import no_grad
from .core.nonfinite import debug_nans
from .core.variable import Variable
from .errors import ChangedInPlace, MissingRule, NonFinite, NotDefined, TrackedVariable
from .report.graph import Drawing, draw
from .transforms.batch import vmap
from .transforms.check import check_grads
from .transforms.directional import jvp, linearize
from .transforms.gradient import grad, stop_gradient, value_and_grad, vjp
from .transforms.hessian import hessian, hvp
from .transforms.jacobian import jacobian
from .transforms.taylor import taylor

__version__ = "0.1.0"


_DOMAINS = (
    "CorrelationMatrix",
    "CovarianceMatrix",
    "Fixed",
    "Interval",
    "Negative",
    "Ordered",
    "Positive",
    "Real",
    "Simplex",
    "Tied",
    "UnitInterval",
)
_LATE = {
    "LinearRegression": "estimators",
    "LogisticRegression": "estimators",
    "compile": "compiler.compiled",
    "minimize": "optimize",
    "threads": "compiler.threads",
    "MLE": "models.likelihood",
    "glm": "models.formula_glm",
    "nls": "models.nls",
    **dict.fromkeys(_DOMAINS, "models.domains"),
}
_SPACES = ("linalg", "special", "stats")


def __getattr__(name: str) -> Any:
    """What is loaded when it is first asked for, so that `import bibun` loads NumPy and little else."""
    if name in _SPACES:
        return importlib.import_module(f".{name}", __name__)
    if name in _LATE:
        return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SPACES, *_LATE])


if TYPE_CHECKING:
    from .compiler.compiled import compile
    from .compiler.threads import threads
    from .estimators import LinearRegression, LogisticRegression
    from .models.domains import (
        CorrelationMatrix,
        CovarianceMatrix,
        Fixed,
        Interval,
        Negative,
        Ordered,
        Positive,
        Real,
        Simplex,
        Tied,
        UnitInterval,
    )
    from .models.formula_glm import glm
    from .models.likelihood import MLE
    from .models.nls import nls
    from .optimize import minimize

__all__ = [
    "MLE",
    "ChangedInPlace",
    "CorrelationMatrix",
    "CovarianceMatrix",
    "Drawing",
    "Fixed",
    "Function",
    "Interval",
    "LinearRegression",
    "LogisticRegression",
    "MissingRule",
    "Negative",
    "NonFinite",
    "NotDefined",
    "Ordered",
    "Positive",
    "Real",
    "Simplex",
    "Tied",
    "TrackedVariable",
    "UnitInterval",
    "Variable",
    "check_grads",
    "compile",
    "debug_nans",
    "draw",
    "glm",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "minimize",
    "nls",
    "no_grad",
    "rules",
    "stop_gradient",
    "taylor",
    "threads",
    "value_and_grad",
    "vjp",
    "vmap",
]
