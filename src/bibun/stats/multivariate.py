"""Distributions of vectors: multivariate_normal, multivariate_t, dirichlet, multinomial.

Written out one by one, since their arguments are matrices. Vectors lie in the last axis, except where SciPy has them in
the first (dirichlet). A further one is a class below. Imports distribution, exact and bibun.linalg.
"""

import math
from typing import Any

import numpy as np

from ..core.graph import Node
from ..core.scipy_special import gammaln, xlogy
from ..linalg import solve_triangular
from ..rules.products import possible
from ..rules.special_own import as_operand
from ..special import log_softmax
from ..typing import Array
from .distribution import operands

__all__ = ["dirichlet", "multinomial", "multivariate_normal", "multivariate_t"]


class multivariate_normal:
    """The normal distribution of vectors, by its covariance, or by the factor or the inverse of it.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.stats import multivariate_normal
    >>> x = np.array([[0.0, 0.0], [1.0, 2.0]])
    >>> multivariate_normal.logpdf(x, mean=[0.0, 1.0], cov=[[2.0, 0.5], [0.5, 1.0]])
    array([-2.68911..., -2.68911...])
    >>> bb.grad(lambda m: multivariate_normal.logpdf([1.0, 2.0], m, 4.0))(np.zeros(2))
    array([0.25, 0.5 ])
    """

    @staticmethod
    def logpdf(x: Any, mean: Any = None, cov: Any = 1, *, chol: Any = None, precision: Any = None) -> Array:
        """The logarithm of the density.

        Parameters
        ----------
        x : array_like or Variable, shape (..., d)
            As in SciPy a vector is one point, unless d is 1: then it is as many points as it is long.
        mean : array_like or Variable, shape (d,) or (..., d)
            Zeros by default.
        cov : array_like or Variable, shape (d, d), (..., d, d), (d,) or ()
            The covariance; its diagonal; or one variance for all. Of a matrix the lower triangle is read, as SciPy
            does: the derivative is with respect to that.
        chol : array_like or Variable, shape (d, d)
            In place of `cov`, its lower Cholesky factor: cov = chol cholᵀ.
        precision : array_like or Variable, shape (d, d)
            In place of `cov`, its inverse.

        Returns
        -------
        ndarray or Variable, shape (...)

        Raises
        ------
        numpy.linalg.LinAlgError
            If the covariance is not positive definite.

        Notes
        -----
        −½ (d log 2π + log |Σ| + (x − μ)ᵀ Σ⁻¹ (x − μ)), from the Cholesky factor.
        """
        d, square, log_det = _whitened("multivariate_normal", x, mean, cov, chol, precision)
        return -0.5 * square - log_det - 0.5 * d * math.log(2 * math.pi)

    @staticmethod
    def pdf(x: Any, mean: Any = None, cov: Any = 1, *, chol: Any = None, precision: Any = None) -> Array:
        """The density: the exponential of `logpdf`."""
        return np.exp(multivariate_normal.logpdf(x, mean, cov, chol=chol, precision=precision))


class multivariate_t:
    """Student's t distribution of vectors, of location `loc`, shape matrix `shape` and `df` degrees of freedom.

    Examples
    --------
    >>> from bibun.stats import multivariate_t
    >>> multivariate_t.logpdf([0.0, 1.0], shape=[[2.0, 0.5], [0.5, 1.0]], df=3.0)
    np.float64(-2.92461...)
    """

    @staticmethod
    def logpdf(x: Any, loc: Any = None, shape: Any = 1, df: Any = 1, *, chol: Any = None) -> Array:
        """The logarithm of the density.

        Parameters
        ----------
        x, loc, shape, chol : array_like or Variable
            As `x`, `mean`, `cov`, `chol` of `multivariate_normal`.
        df : float or Variable
            Degrees of freedom, more than 0.

        Notes
        -----
        log Γ((ν + d)/2) − log Γ(ν/2) − ½ d log νπ − ½ log |Σ| − ½ (ν + d) log(1 + (x − μ)ᵀ Σ⁻¹ (x − μ)/ν).
        """
        d, square, log_det = _whitened("multivariate_t", x, loc, shape, chol, None)
        (df,) = operands("multivariate_t.logpdf", df)
        with np.errstate(all="ignore"):
            constant = gammaln(0.5 * (df + d)) - gammaln(0.5 * df) - 0.5 * d * (np.log(df) + math.log(math.pi))
            y = constant - log_det - 0.5 * (df + d) * np.log1p(square / df)
        wrong = np.less_equal(df, 0)
        return np.where(wrong, np.nan, y) if possible(wrong) else y

    @staticmethod
    def pdf(x: Any, loc: Any = None, shape: Any = 1, df: Any = 1, *, chol: Any = None) -> Array:
        """The density: the exponential of `logpdf`."""
        return np.exp(multivariate_t.logpdf(x, loc, shape, df, chol=chol))


def _whitened(name: str, x: Any, mean: Any, cov: Any, chol: Any, precision: Any) -> tuple[int, Array, Array]:
    """The dimension, (x − μ)ᵀ Σ⁻¹ (x − μ), and ½ log |Σ|."""
    given = [k for k, v in (("chol", chol), ("precision", precision)) if v is not None]
    if len(given) > 1 or (given and not (type(cov) is int and cov == 1)):
        raise TypeError(f"{name}.logpdf: one of cov, chol and precision is needed; several were given")
    matrix = chol if chol is not None else precision if precision is not None else cov
    x, mean, matrix = operands(f"{name}.logpdf", x, 0 if mean is None else mean, matrix)
    if given and matrix.ndim < 2:
        raise ValueError(f"{name}.logpdf: {given[0]} of shape {matrix.shape} where a matrix is needed")
    d = matrix.shape[-1] if matrix.ndim else mean.shape[-1] if mean.ndim else 1
    if x.ndim == 0 or (x.ndim == 1 and d == 1 and x.shape != (1,)):
        x = x[..., None]
    for what, a, shape in (("mean", mean, mean.shape[-1:]), ("x", x, x.shape[-1:])):
        if shape not in ((), (d,)) or (what == "x" and not shape):
            raise ValueError(f"{name}.logpdf: {what} of shape {a.shape} for vectors of {d} components")
    r = x - mean
    if r.shape[-1] != d:
        raise ValueError(f"{name}.logpdf: x of shape {x.shape} for vectors of {d} components")
    if matrix.ndim < 2:
        root = np.sqrt(matrix)
        log_det = np.sum(np.log(root)) if matrix.ndim else d * np.log(root)
        return d, np.sum(np.square(r / root), axis=-1), log_det
    if matrix.shape[-2] != d:
        raise ValueError(f"{name}.logpdf: a covariance of shape {matrix.shape} is not square")
    factor = matrix if chol is not None else np.linalg.cholesky(matrix)
    diagonal = np.diagonal(factor, axis1=-2, axis2=-1)
    log_det = np.sum(np.log(np.abs(diagonal)), axis=-1)
    if precision is not None:
        return d, np.sum(np.square(r @ factor if factor.ndim == 2 else _times(r, factor)), axis=-1), -log_det
    return d, np.sum(np.square(_solved(factor, r)), axis=-1), log_det


def _times(r: Array, factor: Array) -> Array:
    return (r[..., None, :] @ factor)[..., 0, :]


def _solved(factor: Array, r: Array) -> Array:
    """L⁻¹ r for each vector; all at once where there is one L."""
    if factor.ndim == 2:
        columns = np.reshape(r, (-1, r.shape[-1])).T
        return np.reshape(solve_triangular(factor, columns, lower=True).T, r.shape)
    return np.linalg.solve(np.tril(factor), r[..., None])[..., 0]


class multinomial:
    """Counts in several classes of `n` trials; by their probabilities, or by `logits` of which they are the softmax.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.stats import multinomial
    >>> multinomial.logpmf([1, 2, 1], 4, [0.2, 0.5, 0.3])
    np.float64(-1.71479842809...)
    >>> bb.grad(lambda u: multinomial.logpmf([1, 2, 1], 4, logits=u))(np.zeros(3)).round(3)
    array([-0.333,  0.667, -0.333])
    """

    @staticmethod
    def logpmf(x: Any, n: Any, p: Any = None, *, logits: Any = None) -> Array:
        """The logarithm of the probability of the counts `x`.

        Parameters
        ----------
        x : array_like, shape (..., K)
        n : array_like, shape (...)
            Numbers of trials: counts that do not add up to it have probability 0.
        p : array_like or Variable, shape (..., K)
            Probabilities, which should add up to 1; each is differentiated by itself. NaN where one is outside [0, 1].
        logits : array_like or Variable, shape (..., K)
            In place of `p`.

        Notes
        -----
        log n! + Σ (x_k log p_k − log x_k!).
        """
        if (p is None) == (logits is None):
            raise TypeError("multinomial.logpmf: one of p and logits is needed")
        x, n, q = operands("multinomial.logpmf", x, n, p if logits is None else logits)
        with np.errstate(all="ignore"):
            log = xlogy(x, q) if logits is None else x * log_softmax(q, axis=-1)
            odd = np.any(np.less(x, 0) | np.greater(x - np.floor(x), 0), axis=-1)
            odd = odd | np.not_equal(np.sum(x, axis=-1), n)
            y = gammaln(n + 1) + np.sum(log - gammaln(x + 1), axis=-1)
        y = np.where(odd, -np.inf, y) if possible(odd) else y
        if logits is None:
            wrong = np.any(np.less(q, 0) | np.greater(q, 1), axis=-1)
            y = np.where(wrong, np.nan, y) if possible(wrong) else y
        return y if isinstance(y, Node) else y[()]

    @staticmethod
    def pmf(x: Any, n: Any, p: Any = None, *, logits: Any = None) -> Array:
        """The probability: the exponential of `logpmf`."""
        return np.exp(multinomial.logpmf(x, n, p, logits=logits))


class dirichlet:
    """The Dirichlet distribution of shares, with concentrations `alpha` > 0.

    Examples
    --------
    >>> from bibun.stats import dirichlet
    >>> dirichlet.logpdf([0.2, 0.3, 0.5], [1.0, 2.0, 3.0])
    np.float64(1.5040773967762...)
    """

    @staticmethod
    def logpdf(x: Any, alpha: Any) -> Array:
        """The logarithm of the density.

        Parameters
        ----------
        x : array_like or Variable, shape (K, ...)
            Shares, in the first axis as in SciPy; with K − 1 of them the last is what remains. -inf where they are no
            shares of 1 (to 1e-9).
        alpha : array_like or Variable, shape (K,)
            NaN where one is not positive.

        Notes
        -----
        log Γ(Σ α) − Σ log Γ(α) + Σ (α − 1) log x.
        """
        x, alpha = operands("dirichlet.logpdf", as_operand(x, "dirichlet.logpdf"), alpha)
        if x.shape[0] == alpha.shape[0] - 1:
            x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
        if alpha.ndim != 1 or x.shape[0] != alpha.shape[0]:
            raise ValueError(f"dirichlet.logpdf: x of shape {x.shape} for {alpha.shape} concentrations")
        a = np.reshape(alpha, (-1, *[1] * (x.ndim - 1)))
        with np.errstate(all="ignore"):
            odd = np.any(np.less(x, 0), axis=0) | np.greater(np.abs(np.sum(x, axis=0) - 1), 1e-9)
            some = possible(odd)
            inside = np.where(odd, 0.5, x) if some else x
            y = gammaln(np.sum(alpha)) - np.sum(gammaln(alpha)) + np.sum(xlogy(a - 1, inside), axis=0)
        y = np.where(odd, -np.inf, y) if some else y
        wrong = np.any(np.less_equal(alpha, 0))
        y = np.where(wrong, np.nan, y) if possible(wrong) else y
        return y if isinstance(y, Node) else y[()]

    @staticmethod
    def pdf(x: Any, alpha: Any) -> Array:
        """The density: the exponential of `logpdf`."""
        return np.exp(dirichlet.logpdf(x, alpha))
