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
STRAIGHT = 1e-4  # of the scaled information: below it a direction is looked at by itself
CURVED = 0.3  # how far from a parabola's a gradient may be
HALVES = 30  # of a step to where a log-likelihood is no number
ENDLESS = 1e12  # no log-likelihood of data is so high


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
    h = objective.hessian(u)
    value, g = objective.value_and_grad(u)
    labels = objective.labels
    if not (np.isfinite(value) and np.isfinite(g).all() and np.isfinite(h).all()):
        return Certificate(
            False, np.nan, np.nan, [], np.ones(len(u), bool), ["the derivatives are not finite at the estimates"]
        )
    if value < -ENDLESS:
        why = f"the log-likelihood rises without end, here to {-value:.2g}: if it has a minus, say MLE(…, sign=-1)"
        return Certificate(False, np.nan, np.nan, [], np.ones(len(u), bool), [why])
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
    bent = _bent(objective, u, eigenvalues, vectors / d[:, None], g, h)
    if length > 0 and not problems and bent.any():
        far = [_fall(objective, u, t * FAR / length * ahead, value) for t in (1, 4)]
        if max(far) < FELL:
            problems.append(
                f"no finite maximum: the log-likelihood still rises as {running(ahead, d, labels, _ends(objective, u))}"
            )
            undetermined |= _members(ahead * d, 0.05)
            directions.append(ahead)
    suspects = [k for k in range(len(u)) if eigenvalues[k] > -1e-8 and bent[k]][:12]
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
            problems.append(
                f"no finite maximum: the log-likelihood still rises as {running(v, d, labels, _ends(objective, u))}"
            )
        elif eigenvalues[k] <= SINGULAR:
            v = -v if g @ v > 0 else v  # the way that rises
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


def _bent(
    objective: Any, u: np.ndarray, eigenvalues: np.ndarray, V: np.ndarray, g: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """Along which columns of V the log-likelihood may not be the parabola that it is at the estimates.

    It is one where the gradient far away is what the information says, both ways, all directions taken at once: of many
    rows two passes tell it of most parameters.
    """
    many = eigenvalues > STRAIGHT
    away = np.where(many, FAR / np.sqrt(np.where(many, eigenvalues, 1.0)), 0.0)
    step = V @ (away * np.where(np.arange(len(u)) % 2, -1.0, 1.0))
    bent = ~many
    for s in (step, -step):
        with np.errstate(all="ignore"):
            there = objective.value_and_grad(u + s)[1]
            seen, told = V.T @ there, V.T @ (g + h @ s)
            bent |= ~(np.abs(seen - told) < CURVED * np.abs(told))
    return bent


def _fall(objective: Any, u: np.ndarray, step: np.ndarray, value: float) -> float:
    """By how much the log-likelihood falls over a step, or as much of it, by halves, as it is a number on."""
    with np.errstate(all="ignore"):
        for k in range(HALVES):
            there = objective.value(u + 0.5**k * step)
            if not np.isnan(there):
                return float(there - value)
    return np.inf


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


def running(v: np.ndarray, d: np.ndarray, labels: list[str], ends: tuple[np.ndarray, np.ndarray] | None = None) -> str:
    """Which parameters run to an end of their domain along `v`; by default to infinity."""
    w = v * d / np.abs(v * d).max()
    order = [k for k in np.argsort(-np.abs(w), kind="stable") if np.abs(w[k]) > 0.05][:6]
    said = []
    for k in sorted(order):
        end = np.copysign(np.inf, w[k]) if ends is None else ends[int(w[k] > 0)][k]
        said.append(f"{labels[k]} runs to {end + 0.0:{'g' if np.isfinite(end) else '+'}}")
    return " and ".join(said)


def _ends(objective: Any, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each parameter is where its real number is far down and far up: 0 and infinity of a positive one."""
    parameters = getattr(getattr(objective, "model", objective), "parameters", None)
    plain = np.full(len(u), -np.inf), np.full(len(u), np.inf)
    if parameters is None or parameters.labels != objective.labels:  # they are not of one number each
        return plain
    with np.errstate(all="ignore"):
        far = [[parameters.vector(u + s * t) for t in (1e3, 2e3)] for s in (-1, 1)]
    down, up = (np.where(a == b, a, end) for (a, b), end in zip(far, plain, strict=True))
    return down, up
