"""The certificate a fit ends with: what was checked at the estimates, and what is wrong there, by name.

Three checks: the Newton decrement (how much the log-likelihood could still rise, by its own quadratic), the smallest
eigenvalue of the information with each parameter in units of its own curvature, and the log-likelihood itself some
standard errors away along the suspicious directions. Imports nothing of models; reads an Objective.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Certificate", "certify"]

SINGULAR = 1e-10  # of the smallest eigenvalue of the scaled information
DECREMENT = 1e-8  # of the log-likelihood still to be gained
FAR = 8.0  # standard errors: a parabola falls by 32 there
FELL = 0.05  # what counts as having fallen


@dataclass
class Certificate:
    """What was found at the estimates.

    Attributes
    ----------
    ok : bool
        Whether the estimates are a maximum, found to numerical precision, and identified.
    decrement : float
        By how much the log-likelihood could still rise, by its quadratic at the estimates.
    smallest : float
        The smallest eigenvalue of the information scaled to a unit diagonal: 1 is orthogonal, 0 not identified.
    directions : list of ndarray
        Combinations of the real numbers u in which there is no finite, unique maximum.
    undetermined : ndarray of bool
        The free parameters that take part in them: they have no standard error.
    problems : list of str
        One sentence for each problem.
    """

    ok: bool
    decrement: float
    smallest: float
    directions: list[np.ndarray] = field(default_factory=list)
    undetermined: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        head = (
            f"Newton decrement {self.decrement:.1e}, smallest eigenvalue of the scaled information {self.smallest:.1e}"
        )
        return "; ".join([head, *self.problems]) if self.problems else f"{head}: a maximum, identified"


def certify(objective: Any, u: np.ndarray) -> Certificate:
    """Check the estimates `u`."""
    value, g = objective.value_and_grad(u)
    h = objective.hessian(u)
    labels = objective.labels
    if not (np.isfinite(value) and np.isfinite(g).all() and np.isfinite(h).all()):
        return Certificate(
            False, np.nan, np.nan, [], np.ones(len(u), bool), ["the derivatives are not finite at the estimates"]
        )
    d = np.sqrt(np.where(np.diag(h) > 0, np.diag(h), 1.0))
    with np.errstate(all="ignore"):
        scaled = h / np.outer(d, d)
    eigenvalues, vectors = np.linalg.eigh(scaled)
    problems: list[str] = []
    directions: list[np.ndarray] = []
    undetermined = np.zeros(len(u), bool)
    good = eigenvalues > SINGULAR
    projected = vectors.T @ (g / d)
    decrement = 0.5 * float(np.sum(projected[good] ** 2 / eigenvalues[good]))
    for k in np.flatnonzero(eigenvalues < -1e-8):
        problems.append(f"the log-likelihood rises along {named(vectors[:, k] / d, d, labels)}: not a maximum")
        undetermined |= _members(vectors[:, k])
        directions.append(vectors[:, k] / d * (-1 if vectors[:, k] @ (g / d) > 0 else 1))  # the way that rises
    # where Newton's method would go next: at a maximum this is noise, and at an end that is not reached it points there
    ahead = -(vectors[:, good] / eigenvalues[good]) @ projected[good] / d
    length = float(np.sqrt(max(ahead @ h @ ahead, 0.0)))
    if length > 0 and not problems:
        far = [_fall(objective, u, t * FAR / length * ahead, value) for t in (1, 4)]
        if max(far) < FELL:
            problems.append(f"no finite maximum: the log-likelihood still rises as {running(ahead, d, labels)}")
            undetermined |= _members(ahead * d, 0.05)
            directions.append(ahead)
    suspects = [k for k in range(len(u)) if eigenvalues[k] > -1e-8][: min(len(u), 12)]
    for k in suspects:
        v = vectors[:, k] / d
        if np.any(undetermined & _members(vectors[:, k])) and eigenvalues[k] > SINGULAR:
            continue
        away = FAR / np.sqrt(max(eigenvalues[k], SINGULAR))
        fell = [_fall(objective, u, s * away * v, value) for s in (1, -1)]
        if eigenvalues[k] <= SINGULAR and max(abs(f) for f in fell) < 1e-4 * (1 + abs(value)):
            problems.append(f"not identified: {named(v, d, labels)} can change and the log-likelihood does not")
        elif min(fell) < FELL:
            v = v if fell[0] <= fell[1] else -v
            if _fall(objective, u, 4 * away * v, value) >= FELL:
                continue
            problems.append(f"no finite maximum: the log-likelihood still rises as {running(v, d, labels)}")
        elif eigenvalues[k] <= SINGULAR:
            problems.append(f"hardly identified: {named(v, d, labels)}")
        else:
            continue
        undetermined |= _members(vectors[:, k])
        directions.append(v)
    if decrement > DECREMENT * (1 + abs(value)) and not problems:
        problems.append(f"not converged: the log-likelihood can still rise by {decrement:.2g}")
    return Certificate(not problems, decrement, float(eigenvalues[0]), directions, undetermined, problems)


def _members(v: np.ndarray, share: float = 1e-4) -> np.ndarray:
    return np.abs(v) > share * np.abs(v).max()


def _fall(objective: Any, u: np.ndarray, step: np.ndarray, value: float) -> float:
    """By how much the log-likelihood falls over a step; infinite where it is not defined."""
    with np.errstate(all="ignore"):
        there = objective.value(u + step)
    return there - value if np.isfinite(there) else np.inf


def named(v: np.ndarray, d: np.ndarray, labels: list[str]) -> str:
    """A combination of parameters in words: the largest coefficient 1, the first one positive."""
    w = v * d / np.abs(v * d).max()
    order = [k for k in np.argsort(-np.abs(w), kind="stable") if np.abs(w[k]) > 0.02][:6]
    v = v / np.abs(v[order]).max() * np.sign(v[min(order)])
    terms = []
    for k in sorted(order):
        c = f"{abs(v[k]):.3g} "
        terms.append(("− " if v[k] < 0 else "+ " if terms else "") + ("" if c == "1 " else c) + labels[k])
    return " ".join(terms)


def running(v: np.ndarray, d: np.ndarray, labels: list[str]) -> str:
    """Which parameters run to infinity along `v`."""
    w = v * d / np.abs(v * d).max()
    order = [k for k in np.argsort(-np.abs(w), kind="stable") if np.abs(w[k]) > 0.05][:6]
    return " and ".join(f"{labels[k]} runs to {'+' if w[k] > 0 else '-'}inf" for k in sorted(order))
