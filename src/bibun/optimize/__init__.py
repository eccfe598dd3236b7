"""Minimization on nested parameters with exact derivatives: one file for each method, one door, `minimize`.

Imports core and transforms; a new method is a new file here and a line of the table in minimize.py.
"""

from .minimize import minimize

__all__ = ["minimize"]
