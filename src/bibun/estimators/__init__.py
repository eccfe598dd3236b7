"""scikit-learn estimators over the results of models. Imports models and scikit-learn; a new one is a file here.

What they share is in base.py.
"""

from .base import NotIdentified
from .generalized_linear import GeneralizedLinearRegressor
from .likelihood import LikelihoodRegressor
from .linear import LinearRegression
from .logistic import LogisticRegression

__all__ = [
    "GeneralizedLinearRegressor",
    "LikelihoodRegressor",
    "LinearRegression",
    "LogisticRegression",
    "NotIdentified",
]
