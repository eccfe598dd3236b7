"""The coordinates in which a result's parameters are searched, hypotheses and profiles there, and restricted fits.

`Space` is what tests, intervals and replicates of every model go through. Imports certificate, constrained, domains,
profile; reads a Result.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .certificate import Certificate, certify, named
from .constrained import Constrained, Constraints, constrained, covariance_along
from .domains import Parameter, Real, Together
from .profile import Profile, score

__all__ = ["Held", "Space", "equations", "restricted", "span"]


class Space:
    """A likelihood over the coordinates γ of its search, in which what tables show is vector(T γ).

    Parameters
    ----------
    objective : object
        Minus the log-likelihood over γ, its dispersion taken into account.
    gamma : ndarray of shape (d,)
        The estimates.
    best : float
        The value there.
    parameters : ParameterSet
    T : ndarray of shape (k, d)
    information : callable
        `information(gamma, H)`: what score tests compare slopes with; H is the observed information.
    held : Held, optional
        What the estimates were restricted to.
    """

    def __init__(
        self,
        objective: Any,
        gamma: np.ndarray,
        best: float,
        parameters: Any,
        T: np.ndarray,
        information: Callable[..., np.ndarray],
        held: "Held | None" = None,
    ) -> None:
        self.objective, self.gamma, self.best, self.parameters, self.T = objective, gamma, best, parameters, T
        self.information = information
        self.held = Constraints.none(len(gamma)) if held is None else self.constraints(held.R, held.r)

    def shown(self, gamma: Any) -> Any:
        """What tables show."""
        return self.parameters.vector(self.T @ gamma)

    def stretched(self, k: int) -> Constraints:
        """What tables show k-th, on its scale without ends."""
        p, j = self._behind(k)
        if not isinstance(p, Together):
            return Constraints(self.T[j])
        return Constraints(lambda gamma: self.parameters.stretched(self.shown(gamma))[k])

    def constraints(self, R: np.ndarray, r: np.ndarray) -> Constraints:
        """R b = r of what tables show, as linear equations of γ where they can be."""
        out = Constraints.none(len(self.gamma))
        for row, right in zip(R, r, strict=True):
            behind = [(k, *self._behind(k)) for k in np.flatnonzero(row).tolist()]
            if all(type(p) is Real for _, p, _ in behind):
                out = out & Constraints(sum(row[k] * self.T[j] for k, _, j in behind), right)
            elif len(behind) == 1 and not isinstance(behind[0][1], Together):  # the scale without ends
                k, p, j = behind[0]
                with np.errstate(all="ignore"):
                    level = float(np.ravel(p.real(right / row[k]))[0])
                if not np.isfinite(level):
                    raise ValueError(f"{right / row[k]:g} is not inside the domain of the parameter ({p.domain})")
                out = out & Constraints(self.T[j], level)
            else:
                out = out & self._curved(row, right)
        return out

    def _curved(self, row: np.ndarray, right: float) -> Constraints:
        return Constraints(lambda gamma: row @ self.shown(gamma), right)

    def settled(self, u: np.ndarray, held: "Held") -> np.ndarray:
        """Real numbers behind what tables show, those that are fixed to the last digit."""
        u = u.copy()
        for row, right in zip(held.R, held.r, strict=True):
            if np.count_nonzero(row) == 1:
                k = int(np.flatnonzero(row)[0])
                p, j = self._behind(k)
                if not isinstance(p, Together):
                    u[j] = np.ravel(p.real(right / row[k] + 0.0))[0]  # not -0
        return u

    def _behind(self, k: int) -> tuple[Parameter, int]:
        """The parameter that tables show k-th, and the real number behind it where it has one of its own."""
        for name, p in self.parameters.parts.items():
            mine = self.parameters.shown[name]
            if p.size and mine.start <= k < mine.stop:
                return p, self.parameters.slices[name].start + k - mine.start
        raise IndexError(k)

    def restricted(self, c: Constraints, said: str) -> Constrained:
        """The best γ under more constraints."""
        with np.errstate(all="ignore"):
            found = constrained(self.objective, self.gamma, c & self.held)
        if not found.success:
            finite = "" if np.isfinite(found.value) else "; the log-likelihood is not finite there"
            raise ValueError(
                f"no maximum with {said} was found{finite}: is it outside their domain, or is there none at all?"
            )
        return found

    def score(self, found: Constrained) -> float:
        """Rao's statistic of a restricted maximum."""
        return score(found, self.information, self.held.normals(found.u))

    def profile(self) -> Profile:
        """The likelihood around the estimates."""

        def said(gamma: np.ndarray) -> str:
            shown = zip(self.parameters.labels, self.shown(gamma), strict=True)
            return ", ".join(f"{n} = {v:.6g}" for n, v in shown)

        return Profile(self.objective, self.gamma, self.best, self.held, said)

    def ends(self, k: int, target: float, method: str) -> np.ndarray:
        """Both ends of an interval of what tables show k-th, by "profile" or "score", on the scale that they show."""
        of, profile = self.stretched(k), self.profile()
        t = np.array(self.parameters.stretched(self.shown(self.gamma)), float)
        out = np.empty(2)
        for side in (-1, 1):
            if method == "profile":
                t[k] = profile.end(of, side, 0.5 * target**2)
            else:
                t[k] = profile.score_end(of, side, target, self.information)
            with np.errstate(all="ignore"):
                out[(side + 1) // 2] = self.parameters.unstretched(t)[k]
        return np.sort(out)


class Held:
    """What a result's parameters are restricted to.

    Attributes
    ----------
    R, r : ndarray
        R b = r.
    texts : list of str
    inverse : ndarray
        The inverse of the observed information along them, of the coordinates of the search.
    """

    def __init__(self, R: np.ndarray, r: np.ndarray, texts: list[str], inverse: np.ndarray) -> None:
        self.R, self.r, self.texts, self.inverse = R, r, texts, inverse

    def __len__(self) -> int:
        return len(self.r)


def restricted(result: Any, hypothesis: Any) -> Any:
    """The same model fitted where a hypothesis holds (see `Result.restricted`)."""
    R, r, texts = result._hypothesis(hypothesis)
    if result._held is not None:
        R, r = np.concatenate([result._held.R, R]), np.concatenate([result._held.r, r])
        texts = [*result._held.texts, *texts]
    space = result._space()
    space.held = Constraints.none(len(space.gamma))
    c = space.constraints(R, r)
    found = space.restricted(c, ", ".join(texts))
    other = copy.copy(result)
    for name in ("jacobian", "_expected"):  # known of the other estimates
        other.__dict__.pop(name, None)
    other._held = Held(R, r, texts, covariance_along(found.hessian, found.normals))
    other._cov, other.search, other.polished = {}, found, 0
    other._settle(found, space)
    other.certificate = _certificate(other, space, found, c)
    return other


def equations(values: Mapping[str, Any], labels: Callable[[str], list[str]]) -> str:
    """`{"x1": 0.0}` as the hypothesis that says so; a value for each element, or one for all."""
    out = []
    for name, value in values.items():
        mine = labels(name)
        numbers = np.ravel(np.asarray(value, float))
        if numbers.size not in (1, len(mine)) or not np.isfinite(numbers).all():
            raise ValueError(f"{name} is {value!r}: a finite number, or one for each of {', '.join(mine)}")
        out += [f"`{label}` = {float(v)!r}" for label, v in zip(mine, np.broadcast_to(numbers, len(mine)), strict=True)]
    return ", ".join(out)


def span(V: np.ndarray) -> np.ndarray:
    """S of V = S S', for a covariance that may be 0 in some directions."""
    d = np.sqrt(np.where(np.diag(V) > 0, np.diag(V), 1.0))
    eigenvalues, vectors = np.linalg.eigh(V / np.outer(d, d))
    keep = eigenvalues > 1e-12
    return np.asarray(d[:, None] * vectors[:, keep] * np.sqrt(eigenvalues[keep]))


class _Along:
    """A Lagrangian over the coordinates that constraints leave free: what a certificate asks for."""

    def __init__(self, space: Space, found: Constrained, c: Constraints) -> None:
        self.objective, self.u, self.c, self.multipliers = space.objective, found.u, c, found.multipliers
        self.Z, free = _free(found.normals)
        names = space.parameters.real_labels if space.T.shape[0] == space.T.shape[1] else []
        self.labels = [names[j] if names else f"direction {j + 1}" for j in free]

    def value(self, v: np.ndarray) -> float:
        """The value."""
        u = self.u + self.Z @ v
        return float(self.objective.value(u) - self.multipliers @ self.c.off(u))

    def value_and_grad(self, v: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        u = self.u + self.Z @ v
        g = self.objective.value_and_grad(u)[1] - self.multipliers @ self.c.normals(u)
        return self.value(v), np.asarray(g @ self.Z)

    def hessian(self, v: np.ndarray) -> np.ndarray:
        """The Hessian."""
        u = self.u + self.Z @ v
        H = self.objective.hessian(u) - self.c.bend(u, self.multipliers)
        return np.asarray(self.Z.T @ H @ self.Z)


def _free(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The directions along constraints, each of one coordinate that they leave free, and which these are."""
    from scipy import linalg

    m, k = A.shape
    *_, pivots = linalg.qr(A / np.abs(A).max(axis=1, keepdims=True), pivoting=True)
    held, free = pivots[:m], np.sort(pivots[m:])
    Z = np.zeros((k, k - m))
    Z[free, np.arange(k - m)] = 1.0
    Z[held] = -np.linalg.solve(A[:, held], A[:, free])
    return Z, free


def _certificate(result: Any, space: Space, found: Constrained, c: Constraints) -> Certificate:
    """What is checked at a restricted maximum; directions and names are of the model's own parameters."""
    along = _Along(space, found, c)
    k, lost = len(space.T), getattr(result, "null", np.zeros((len(space.T), 0)))
    said = [] if not lost.shape[1] else [p for p in result.certificate.problems if p.startswith("collinear")]
    out = certify(along, np.zeros(along.Z.shape[1])) if along.Z.shape[1] else Certificate(True, 0.0, 1.0)
    moved = [space.T @ along.Z @ v for v in out.directions]
    problems = out.problems
    if problems and along.labels and along.labels[0].startswith("direction "):
        problems = [
            f"no finite, unique maximum under the constraints, along {named(v, np.ones(k), result.labels)}"
            for v in moved
        ] or problems
    directions = [*lost.T, *moved]
    undetermined = np.zeros(k, bool)
    for v in directions:
        undetermined |= np.abs(v) > 1e-7 * np.abs(v).max()
    problems = [*said, *problems]
    return Certificate(not problems, out.decrement, out.smallest, directions, undetermined, problems)
