"""scipy.special, every function as it is: with SCIPY_ARRAY_API set, SciPy hands on wrappers that let no Variable in.

Imports SciPy. Rules, densities and `bibun.special` take SciPy's functions from here.
"""

from typing import Any

import numpy as np
import scipy.special


def __getattr__(name: str) -> Any:
    found = getattr(scipy.special, name)
    behind = getattr(found, "__wrapped__", None)
    return behind if isinstance(behind, np.ufunc) else found
