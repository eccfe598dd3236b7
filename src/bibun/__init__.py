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
    "GeneralizedLinearRegressor": "estimators",
    "LikelihoodRegressor": "estimators",
    "LinearRegression": "estimators",
    "LogisticRegression": "estimators",
    "compile": "compiler.compiled",
    "minimize": "optimize",
    "threads": "compiler.threads",
    "MLE": "models.likelihood",
    "cox": "models.cox",
    "elastic_net": "models.elastic_net",
    "firth": "models.firth",
    "glm": "models.formula_glm",
    "load": "models.loading",
    "nls": "models.nls",
    "quantile_regression": "models.quantile",
    "robust_regression": "models.robust",
    "beta_regression": "models.beta",
    "censored": "models.censored",
    "hurdle": "models.counts",
    "multinomial": "models.multinomial_formula",
    "ordinal": "models.ordinal",
    "survival": "models.survival",
    "truncated": "models.censored",
    "zero_inflated": "models.counts",
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
    from .estimators import GeneralizedLinearRegressor, LikelihoodRegressor, LinearRegression, LogisticRegression
    from .models.beta import beta_regression
    from .models.censored import censored, truncated
    from .models.counts import hurdle, zero_inflated
    from .models.cox import cox
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
    from .models.elastic_net import elastic_net
    from .models.firth import firth
    from .models.formula_glm import glm
    from .models.likelihood import MLE
    from .models.loading import load
    from .models.multinomial_formula import multinomial
    from .models.nls import nls
    from .models.ordinal import ordinal
    from .models.quantile import quantile_regression
    from .models.robust import robust_regression
    from .models.survival import survival
    from .optimize import minimize

__all__ = [
    "MLE",
    "ChangedInPlace",
    "CorrelationMatrix",
    "CovarianceMatrix",
    "Drawing",
    "Fixed",
    "Function",
    "GeneralizedLinearRegressor",
    "Interval",
    "LikelihoodRegressor",
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
    "beta_regression",
    "censored",
    "check_grads",
    "compile",
    "cox",
    "debug_nans",
    "draw",
    "elastic_net",
    "firth",
    "glm",
    "grad",
    "hessian",
    "hurdle",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "load",
    "minimize",
    "multinomial",
    "nls",
    "no_grad",
    "ordinal",
    "quantile_regression",
    "robust_regression",
    "rules",
    "stop_gradient",
    "survival",
    "taylor",
    "threads",
    "truncated",
    "value_and_grad",
    "vjp",
    "vmap",
    "zero_inflated",
]
