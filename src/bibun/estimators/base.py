"""What the estimators share: scikit-learn's base, tables in, names for columns, warnings by name.

Imports scikit-learn, which is optional: this package says so in a sentence where it is absent, and nothing else of
bibun imports this package.
"""

import warnings
from typing import Any

import numpy as np

try:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.validation import validate_data
except ImportError:
    raise ImportError(
        "bibun.estimators are scikit-learn estimators, and scikit-learn (1.6 or later) is not installed: "
        'pip install "bibun[all]"; bibun.glm and bibun.models fit without it'
    ) from None

__all__ = ["NotIdentified", "iterations", "labels", "one_each", "read", "repetitions", "warn"]


class NotIdentified(ConvergenceWarning):  # type: ignore[misc]
    """The data do not determine every coefficient, or the search did not arrive; the message names the columns."""


def warn(result: Any, who: str) -> None:
    """Say what the certificate found, from the line that called `fit`."""
    if result.certificate.problems:
        warnings.warn(f"{who}: {'; '.join(result.certificate.problems)}", NotIdentified, stacklevel=3)


def read(estimator: Any, X: Any, y: Any = None, numeric: bool = True, finite: bool = True) -> Any:
    """X (and y, when fitting) as float64 arrays; sets `n_features_in_` and `feature_names_in_` or checks them.

    `finite`: look whether X is. The regressions find out in a pass over X that they make anyway.
    """
    if y is None:
        return validate_data(estimator, X, dtype=np.float64, reset=False)
    if isinstance(y, str):  # fitting without y: scikit-learn's own sentence
        y = None
    return validate_data(estimator, X, y, dtype=np.float64, y_numeric=numeric, ensure_all_finite=finite)


def labels(estimator: Any, p: int, intercept: bool) -> list[str]:
    """A name for each of p columns, and before them one for the intercept, if there is to be one."""
    given = getattr(estimator, "feature_names_in_", None)
    names = [f"x{k}" for k in range(p)] if given is None else [str(n) for n in given]
    seen: dict[str, int] = {}
    out = []
    for n in names:  # scikit-learn allows a name twice; a table does not
        seen[n] = seen.get(n, 0) + 1
        out.append(n if seen[n] == 1 else f"{n}#{seen[n]}")
    if not intercept:
        return out
    first = "const"
    while first in out:
        first = f"({first})"
    return [first, *out]


def repetitions(sample_weight: Any, n: int) -> np.ndarray | None:
    """The weights as an array, one number standing for all."""
    if sample_weight is None:
        return None
    w = np.asarray(sample_weight, float)
    return np.full(n, float(w)) if w.ndim == 0 else one_each("sample_weight", w, n)


def one_each(name: str, given: Any, n: int) -> np.ndarray:
    """A number for each of n rows."""
    a = np.asarray(given, float)
    if a.shape != (n,):
        raise ValueError(f"{name} of shape {a.shape} for {n} rows: a number for each")
    return a


def iterations(result: Any) -> int:
    """How many, at least 1."""
    return max(int(result.search.nit), 1)
