"""The derivatives of scipy.special, loaded when one of its functions is first met: this file only gathers them.

Each family has its file, special_<family>.py; a new function is a line in one of them. What SciPy has not, and a slope
needs, is declared beside it with `own`.
"""

from . import special_bessel, special_elementary, special_error, special_gamma, special_incomplete, special_sums

__all__ = [
    "special_bessel", "special_elementary", "special_error", "special_gamma", "special_incomplete", "special_sums",
]  # fmt: skip
