"""The search of a regression: over orthonormal combinations of the columns, to the last digit, with a certificate.

A model is a likelihood of linear predictors, each with columns of its own, and perhaps parameters besides; logistic.py
and glm.py say which. Imports certificate, design, least_squares, likelihood, separation, optimize.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..optimize import minimize
from ..optimize.derivatives import Derivatives
from .certificate import Certificate, certify, running
from .design import problems
from .evaluations import FIRST, RELIABLE, SECOND, by_gradients
from .least_squares import Columns, predictor, triangle
from .objective import Objective
from .parameters import Values
from .separation import recession

__all__ = ["MAXITER", "METHODS", "TOLERANCE", "ByVector", "InOrthonormal", "Search", "mean_loss"]

METHODS = {"newton": "newton", "lbfgs": "l-bfgs", "gradient-descent": "gradient-descent"}
TOLERANCE = 1e-10  # of the mean log-likelihood of a row: an iteration that gains less is the last
MAXITER = {"newton": 100, "lbfgs": 1000, "gradient-descent": 10_000}
ROWS = 50_000  # from here on the search starts where it ends for some of them
SETTLED = 1e-20  # the same of few
SUSPICIOUS = 12.0  # a linear predictor beyond which some rows are not to be started from
HIGHEST = 700.0  # a mean log-likelihood of a row: the density is not a number that floats have
MOVED = 0.03  # what is too little for a row whose predictor runs to infinity


def mean_loss(gamma: Any, T: Any, P: Any, total: Any, columns: Any, weights: Any, rows: Any) -> Any:
    """Minus the mean log-likelihood of a row at parameters T γ, and half of γ'P γ.

    `rows` gives the log-likelihood of each row; `total` is the sum of the weights. All that a fit has of its own is an
    argument, so that what is compiled serves every fit.
    """
    loglik = rows(T @ gamma, Values(columns, "data column"))
    loss = -np.sum(loglik if weights is None else loglik * weights) / total
    return loss if P is None else loss + 0.5 * (gamma @ (P @ gamma))


_mean_loss = Derivatives(mean_loss)


class ByVector:
    """A model's likelihood of one vector, `model.by_vector(theta, d)`: of equal models equal, so that it compiles once.

    Not a bound method, whose equality asks for the same object, nor a dataclass, which would be taken apart.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, theta: Any, d: Any) -> Any:
        return self.model.by_vector(theta, d)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByVector) and self.model == other.model

    def __hash__(self) -> int:
        return hash(("by vector", self.model))


class InOrthonormal:
    """Minus a penalized log-likelihood over the coordinates γ of its search: what certificates and profiles ask for."""

    def __init__(self, total: float, arguments: tuple[Any, ...], labels: Sequence[str] = ()) -> None:
        self.total, self.arguments, self.labels = total, arguments, list(labels)

    def value(self, gamma: np.ndarray) -> float:
        """The value."""
        return self.total * float(_mean_loss.value(gamma, *self.arguments))

    def all(self, gamma: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient and Hessian."""
        value, g, H = _mean_loss.symmetric(gamma, *self.arguments)
        return self.total * value, self.total * g, self.total * H

    def value_and_grad(self, gamma: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        return self.all(gamma)[:2]

    def hessian(self, gamma: np.ndarray) -> np.ndarray:
        """The Hessian."""
        return self.all(gamma)[2]


class Search:
    """The maximum of a likelihood of linear predictors, over orthonormal combinations of their columns.

    Parameters
    ----------
    objective : Objective
    designs : list of Columns
        Of each linear predictor, in the order of their coefficients; the data's `X` belongs to the first.
    rows : callable
        `rows(theta, d)`: the log-likelihood of each row at the coefficients, and the real numbers of what is besides.
    more : int
        How many numbers there are besides the coefficients.
    method : str
    maxiter : int, optional
    start : iterable of ndarray
        Coefficients (and the rest) to start from: the first where the likelihood is finite; else zeros.
    penalty : ndarray, optional
        Of the coefficients, a quadratic form; by default that of the designs' own.
    """

    def __init__(
        self,
        objective: Objective,
        designs: list[Columns],
        rows: Callable[..., Any],
        method: str,
        maxiter: int | None,
        more: int = 0,
        start: Iterable[np.ndarray] = (),
        penalty: np.ndarray | None = None,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method={method!r}: one of {', '.join(METHODS)}")
        self.objective, self.designs, self.rows, self.method, self.more = objective, designs, rows, method, more
        first = designs[0].rows
        self.n, w = len(first.X), objective.weights
        self.total = float(self.n if w is None else w.sum())
        objective.by_rows, objective.n_obs = True, objective.count(self.n)
        self.T = _blocks([*[d.transform() * np.sqrt(self.total) for d in designs], np.eye(more)])
        self.lam = np.concatenate([np.zeros(d.shape[1]) if d.rows.lam is None else d.rows.lam for d in designs])
        own = np.diag(self.lam) if penalty is None else penalty
        self.penalty = _blocks([own, np.zeros((more, more))])
        self.P = self.T.T @ self.penalty @ self.T / self.total
        self.arguments = self._arguments(self.total, dict(objective.data), w)
        self.gamma, self.found = self._search(method, maxiter, self._first(start))
        self.gamma, self.polished = self._polish(self.gamma)

    def _first(self, starts: Iterable[np.ndarray]) -> np.ndarray:
        """The first start that the likelihood is finite at; zeros if none is."""
        for theta in starts:
            begin = self.coordinates(theta)
            with np.errstate(all="ignore"):
                if np.isfinite(_mean_loss.value(begin, *self.arguments)):
                    return begin
        return np.zeros(self.T.shape[1])

    def coordinates(self, theta: np.ndarray) -> np.ndarray:
        """γ of parameters: T γ gives the same predictors."""
        return np.linalg.lstsq(self.T, theta, rcond=None)[0]

    def _arguments(self, total: float, data: dict[str, Any], weights: Any) -> tuple[Any, ...]:
        """What `mean_loss` is given after γ."""
        return self.T, self.P if self.lam.any() else None, total, data, weights, self.rows

    def _search(self, method: str, maxiter: int | None, start: np.ndarray) -> tuple[np.ndarray, Any]:
        self.ended = True
        if not start.size:
            from scipy.optimize import OptimizeResult

            value = float(mean_loss(start, *self.arguments))
            return start, OptimizeResult(x=start, fun=value, nit=0, success=True, message="There is nothing to search.")
        self.many = self.n >= ROWS
        if method == "newton" and self.many:
            start = self._start(start)
        last = np.inf

        def gained_little(intermediate_result: Any) -> None:
            nonlocal last
            gain, last = last - float(intermediate_result.fun), float(intermediate_result.fun)
            if gain <= TOLERANCE:
                raise StopIteration

        found = minimize(
            _mean_loss,
            start,
            args=self.arguments,
            method=METHODS[method],
            gtol=1e-8 if self.many else 1e-13,
            maxiter=maxiter or MAXITER[method],
            callback=gained_little,
        )
        if found.status == 99:  # the rule above
            found.success = True
            found.message = (
                f"Converged after {found.nit} iterations: the last one raised the mean log-likelihood of a row by less "
                f"than {TOLERANCE:g}."
            )
        self.ended = bool(found.success)
        return np.asarray(found.x, float), found

    def _start(self, zero: np.ndarray) -> np.ndarray:
        """The maximum for some rows, if it is there; all rows then have one too, so the end does not depend on it."""
        some = slice(None, None, self.n // FIRST)
        arguments = self._of(some)
        if not arguments[2] > 0:
            return zero
        try:
            found = minimize(_mean_loss, zero, args=arguments, method="newton", gtol=1e-6, maxiter=12)
        except ValueError:  # the start that serves all rows need not serve some
            return zero
        x = np.asarray(found.x)
        if not found.success or max(np.abs(eta).max() for eta in self._predictors(self.T @ x, some)) > SUSPICIOUS:
            return zero
        if self.n < 4 * SECOND:
            return x
        arguments = self._of(slice(None, None, self.n // SECOND))  # a step among more of them saves one among all
        _, g, H = _mean_loss.symmetric(x, *arguments) if arguments[2] > 0 else (0.0, x, np.full((len(x),) * 2, np.nan))
        if not np.isfinite(H).all():
            return x
        step = _solved(H, g)
        x = x - step if g @ step < 0.1 else x
        return by_gradients(lambda x: _mean_loss.both(x, *self.arguments), x, H)

    def _of(self, some: slice) -> tuple[Any, ...]:
        """What `mean_loss` is given after γ, for some rows."""
        w = None if self.objective.weights is None else self.objective.weights[some]
        data = {name: a[some] for name, a in dict(self.objective.data).items()}
        return self._arguments(float(len(data["y"]) if w is None else w.sum()), data, w)

    def _predictors(self, theta: np.ndarray, some: Any = slice(None)) -> list[np.ndarray]:
        """The linear predictors, of some rows, without their offset."""
        out, k = [], 0
        for d in self.designs:
            out.append(predictor(d.rows.X[some], theta[k : k + d.shape[1]]))
            k += d.shape[1]
        return out

    def _polish(self, gamma: np.ndarray) -> tuple[np.ndarray, int]:
        """Newton steps to the last digit, as long as each gains less than a quarter of the one before."""
        last, steps = np.inf, 0
        known = self.found.get("hess")
        if known is None:
            self.value, self.slope, self.H = self._at(gamma)
        else:
            self.value, self.slope, self.H = float(self.found.fun), np.asarray(self.found.jac), known
        while gamma.size and steps < 10 and self.ended:
            step = _solved(self.H, self.slope)
            decrement = float(self.slope @ step)
            if not 0 < decrement < min(0.25 * last, 1e-3):
                break
            if decrement < (RELIABLE if self.many else SETTLED):
                return gamma - step, steps + 1
            there = self._at(gamma - step)
            if not there[0] <= self.value + 1e-11 * (1 + abs(self.value)):  # what rows add up to may have cancelled
                break
            gamma, last, steps = gamma - step, decrement, steps + 1
            self.value, self.slope, self.H = there
        return gamma, steps

    def _at(self, gamma: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        if not gamma.size:
            return float(mean_loss(gamma, *self.arguments)), gamma, np.zeros((0, 0))
        return _mean_loss.symmetric(gamma, *self.arguments)

    def finish(
        self,
        family: str,
        labels: list[str],
        names: list[list[str]],
        constant: np.ndarray,
        margins: Callable[[], np.ndarray] | None = None,
    ) -> dict[str, Any]:
        """The estimates, the certificate and the facts of the result.

        Parameters
        ----------
        family : str
        labels : list of str
            Of every estimate.
        names : list of list of str
            Of the columns of each design.
        constant : ndarray of bool
            Which coefficients are of constant columns.
        margins : callable, optional
            What a unit of each coefficient adds to the margin of each row, where separation can be decided by it.
        """
        self.coef, null, undetermined, found = self._estimates(names)
        spread = np.concatenate([*[d.norms for d in self.designs], np.ones(self.more)])
        directions, H = list(null.T), self.H
        lost = not (np.isfinite(H).all() and np.isfinite(self.slope).all()) or -self.value > HIGHEST
        if -self.value > HIGHEST:  # only rounding is left of the derivatives
            far = labels[int(np.argmax(np.abs(self.coef) * spread))]
            found.append(f"no finite maximum: the log-likelihood has risen beyond all densities, with {far} far out")
        elif lost:
            found.append(
                "the derivatives are not finite at the estimates: give the columns other units, or leave rows out"
            )
        if lost:
            H, self.slope, undetermined = np.zeros_like(H), np.zeros_like(self.slope), np.ones(len(undetermined), bool)
        decrement = 0.5 * float(self.slope @ _solved(H, self.slope)) * self.total if self.gamma.size else 0.0
        smallest = float(np.linalg.eigvalsh(H)[0]) if self.gamma.size else 1.0
        short = decrement > 1e-8 * (1 + self.total) or not self.ended
        over = InOrthonormal(self.total, self.arguments, [f"direction {k + 1}" for k in range(len(self.gamma))])
        suspicious = self.gamma.size and not lost and (short or smallest < 1e-6 or self._running(spread))
        runs, left, away = self._endless(over, constant, margins) if suspicious else ([], H, H)
        if runs:
            H, free = left, self._members(away, spread)
            moved = np.any([d != 0 for d in runs], axis=0)
            others = [n for n, u, r in zip(labels, free, moved, strict=True) if u and not r]
            found += _rising(runs, labels, spread, constant)
            if others:
                found.append(f"separation leaves {', '.join(others[:8])}{' …' if len(others) > 8 else ''} undetermined")
            undetermined |= free
            directions += runs
            size = np.abs(away) * spread[:, None]
            null = np.concatenate([null, np.where(size > 1e-9 * size.max(axis=0), away, 0.0)], axis=1)
        elif short:
            way = "" if self.method == "newton" else ", or use newton"
            found.append(
                f"not converged: {self.method} stopped after {self.found.nit} iterations, and the log-likelihood can "
                f"still rise by about {decrement:.2g}; allow more iterations{way}"
            )
        inverse = self.T @ np.linalg.pinv(H, rcond=1e-13, hermitian=True) @ self.T.T / self.total
        self.certificate = Certificate(not found, decrement, smallest, directions, undetermined, found)
        rank = float(len(self.gamma))
        loglik = -self.value * self.total
        if self.lam.any():
            loglik += 0.5 * self.total * float(self.gamma @ (self.P @ self.gamma))
            rank -= float(np.sum(inverse * self.penalty))
        return {
            "family": family, "df_resid": (self.objective.n_obs or 0.0) - rank + self.more, "df_model": rank,
            "inverse": inverse, "null": null, "loglik": loglik, "polished": self.polished, "_T": self.T,
            "_gamma": self.gamma, "_over_gamma": over,
        }  # fmt: skip

    def _estimates(self, names: list[list[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """The estimates; what columns leave open, in which of them, and why, in words."""
        raw, k = self.T @ self.gamma, 0
        parts, lost, found, nulls = [], [], [], []
        for d, own in zip(self.designs, names, strict=True):
            parts.append(d.shortest(raw[k : k + d.shape[1]][d.basis]))
            k += d.shape[1]
            gone, said = problems(d, own)
            lost.append(gone)
            found += [s for s in said if s not in found]
            nulls.append(d.null / d.norms[:, None])
        null = _blocks([*nulls, np.zeros((self.more, 0))])
        return np.concatenate([*parts, raw[k:]]), null, np.concatenate([*lost, np.zeros(self.more, bool)]), found

    def _endless(
        self, over: InOrthonormal, constant: np.ndarray, margins: Callable[[], np.ndarray] | None
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Directions without a maximum; the information left when they have gone to their limit, and what it leaves."""
        if margins is not None:
            runs, left = self._separated(margins(), constant)
            return (runs, *self._limit(margins()[left])) if runs else (runs, self.H, self.H)
        runs = [self.T @ d for d in certify(over, self.gamma).directions]
        if not runs:
            return runs, self.H, self.H
        away = np.stack(runs, axis=1)
        G = np.linalg.lstsq(self.T, away, rcond=None)[0]
        Q = np.linalg.svd(G, full_matrices=True)[0][:, np.linalg.matrix_rank(G) :]
        return runs, Q @ (Q.T @ self.H @ Q) @ Q.T, away

    def _running(self, spread: np.ndarray) -> bool:
        """Whether a Newton step still moves a row's predictor: where rows are separated it always does, by about 1.

        The step of each coefficient times the length of its column is the most that it can move a row.
        """
        w = self.objective.weights
        least = 1.0 if w is None else float(np.sqrt(w[w > 0].min()))
        step = self.T @ _solved(self.H, self.slope)
        return float(np.abs(step) @ spread) > MOVED * least

    def _separated(self, margins: np.ndarray, constant: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Directions of separation; only among the coefficients that no penalty holds."""
        basis = np.zeros(len(self.lam), bool)
        k = 0
        for design in self.designs:
            basis[k + design.basis] = True
            k += design.shape[1]
        use = basis & (self.lam == 0)
        size = np.abs(margins).max(axis=0, initial=0.0)
        size = np.where(size > 0, size, 1.0)
        ahead = -(self.T @ _solved(self.H, self.slope)) * size
        found, left = recession(margins[:, use] / size[use], constant[use], ahead[use])
        out = []
        for d in found:
            whole = np.zeros(len(size))
            whole[use] = d / size[use]
            out.append(whole)
        return out, left

    def _limit(self, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The information that is left when what is separated has gone to its limit, and what it does not determine."""
        Z = margins @ self.T
        _, s, V = (
            np.linalg.svd(triangle(Z), full_matrices=True) if len(Z) else (0, np.zeros(0), np.eye(self.T.shape[1]))
        )
        keep = np.zeros(len(V), bool)
        keep[: len(s)] = s > 1e-9 * max(float(s.max(initial=0.0)), 1e-300)
        held = np.zeros(len(V), bool) if not self.lam.any() else np.abs(V @ self.P).max(axis=1) > 1e-12
        keep |= held
        project = V[keep].T @ V[keep]
        return project @ self.H @ project, self.T @ V[~keep].T

    def _members(self, directions: np.ndarray, spread: np.ndarray) -> np.ndarray:
        size = np.abs(directions) * spread[:, None]
        return (size > 1e-7 * size.max(initial=1e-300)).any(axis=1) if size.size else np.zeros(len(size), bool)


def _rising(runs: list[np.ndarray], labels: list[str], spread: np.ndarray, constant: np.ndarray) -> list[str]:
    """Directions without a maximum in words, those that say something new."""
    seen, found = np.zeros(len(labels), bool), []
    for k, d in enumerate(runs):
        named = np.where(constant, 0.0, d)  # an intercept only makes room for the others
        if np.abs(named * spread).max() < 1e-3 * np.abs(d * spread).max():
            named = d  # it is what runs
        if (named[~seen] != 0).any() or k == 0:
            found.append(f"no finite maximum: the log-likelihood still rises as {running(named, spread, labels)}")
        seen |= named != 0
    return found


def _blocks(parts: list[np.ndarray]) -> np.ndarray:
    """Matrices along a diagonal."""
    out = np.zeros((sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)))
    i = j = 0
    for p in parts:
        out[i : i + p.shape[0], j : j + p.shape[1]] = p
        i, j = i + p.shape[0], j + p.shape[1]
    return out


def _solved(H: np.ndarray, g: np.ndarray) -> np.ndarray:
    """H⁻¹g in the directions that have curvature."""
    eigenvalues, V = np.linalg.eigh(H)
    keep = eigenvalues > 1e-15
    return np.asarray((V[:, keep] / eigenvalues[keep]) @ (V[:, keep].T @ g))
