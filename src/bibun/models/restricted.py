"""The coordinates in which a result's parameters are searched: hypotheses, profiles and restricted maxima there.

`Space` is what tests, intervals and replicates of every model go through; held.py makes results of its restricted
maxima. Imports constrained, domains, inequalities, profile.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from .constrained import Constrained, Constraints, constrained, units
from .domains import Parameter, Real, Together
from .inequalities import Contradiction, bounded, inside
from .profile import Profile, score

__all__ = ["Space", "span"]

MARGINS = (0.0, 1e-3, 1e-2, 0.1, 1.0)  # standard errors of one number, inside the bounds


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
        What the estimates were restricted to (see held.py).
    """

    def __init__(
        self,
        objective: Any,
        gamma: np.ndarray,
        best: float,
        parameters: Any,
        T: np.ndarray,
        information: Callable[..., np.ndarray],
        held: Any = None,
    ) -> None:
        self.objective, self.gamma, self.best, self.parameters, self.T = objective, gamma, best, parameters, T
        self.information = information
        self.held = Constraints.none(len(gamma)) if held is None else self.constraints(held.R, held.r)
        self.unequal = "" if held is None else str(held.asked[~held.asked.equal])

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
            alone = self._alone(row)
            if alone is None:
                out = out & self._several(row, right)
                continue
            k, p, j = alone
            with np.errstate(all="ignore"):
                level = float(np.ravel(p.real(right / row[k]))[0])
            if not np.isfinite(level):
                raise ValueError(f"{right / row[k]:g} is not inside the domain of the parameter ({p.domain})")
            out = out & Constraints(self.T[j], level)
        return out

    def inequalities(self, R: np.ndarray, r: np.ndarray, texts: Sequence[str]) -> tuple[Constraints, np.ndarray]:
        """R b >= r of what tables show, as linear inequalities of γ where they can be.

        And which of them these are: what the domain of a parameter says already is left out.
        """
        out, kept = Constraints.none(len(self.gamma)), np.ones(len(r), bool)
        for i, (row, right) in enumerate(zip(R, r, strict=True)):
            alone = self._alone(row)
            if alone is None:
                out = out & self._several(row, right)
                continue
            k, p, j = alone
            bound, side = right / row[k] + 0.0, np.sign(row[k])  # not -0
            with np.errstate(all="ignore"):
                level = float(np.ravel(p.real(bound))[0])
                low, high, here, more = (
                    float(np.ravel(p.natural(np.array(v)))[0]) for v in (-np.inf, np.inf, level, level + 1)
                )
            worst, best = (min(low, high), max(low, high))[:: int(side)]
            if side * bound >= side * best:
                raise ValueError(f"{texts[i]} cannot hold: {self.parameters.labels[k]} is of {p.domain}")
            if side * bound <= side * worst:
                kept[i] = False
            elif not np.isfinite(level):
                raise ValueError(f"{texts[i]}: {bound:g} is not inside the domain of the parameter ({p.domain})")
            else:
                up = side if more >= here else -side
                out = out & Constraints(up * self.T[j], up * level)
        return out, kept

    def _alone(self, row: np.ndarray) -> tuple[int, Parameter, int] | None:
        """What tables show, its parameter and its real number, if it is the only one of a row and has bounds."""
        shown = np.flatnonzero(row).tolist()
        p, j = self._behind(shown[0])
        return (shown[0], p, j) if len(shown) == 1 and type(p) is not Real and not isinstance(p, Together) else None

    def _several(self, row: np.ndarray, right: float) -> Constraints:
        """A row of several numbers, or of one without bounds."""
        behind = [(k, *self._behind(k)) for k in np.flatnonzero(row).tolist()]
        if all(type(p) is Real for _, p, _ in behind):
            return Constraints(sum(row[k] * self.T[j] for k, _, j in behind), right)
        return self._curved(row, right)

    def _curved(self, row: np.ndarray, right: float) -> Constraints:
        return Constraints(lambda gamma: row @ self.shown(gamma), right)

    def settled(self, u: np.ndarray, held: Any) -> np.ndarray:
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
        """The best γ under more equations."""
        self._no_inequalities("refitted for a test")
        with np.errstate(all="ignore"):
            found = constrained(self.objective, self.gamma, c & self.held)
        return self._found(found, said)

    def bounded(
        self, equal: Constraints, least: Constraints, said: str, starts: Sequence[np.ndarray]
    ) -> tuple[Constrained, np.ndarray]:
        """The best γ under equations and inequalities, and which of these bind."""
        begin = self.inside(equal, least, starts)
        with np.errstate(all="ignore"):
            found, binds = bounded(self.objective, begin, equal, least)
        if not found.success and np.isfinite(found.value):
            raise ValueError(
                f"no maximum with {said} was found: is there none, or are the log-likelihood or its derivatives not "
                "finite on a bound?"
            )
        return self._found(found, said), binds

    def inside(self, equal: Constraints, least: Constraints, starts: Sequence[np.ndarray]) -> np.ndarray:
        """The best of the points of finite likelihood that are nearest to starts and satisfy all.

        On a bound, or off it where the likelihood is not finite there; else the start itself.
        """
        best, least_value = starts[0], np.inf
        with np.errstate(all="ignore"):
            for u in starts:
                for there in self._near(u, equal, least):
                    value = self.objective.value(there)
                    if np.isfinite(value):
                        if value < least_value:
                            best, least_value = there, value
                        break
        return best

    def _near(self, u: np.ndarray, equal: Constraints, least: Constraints) -> Iterator[np.ndarray]:
        H = self.objective.all(u)[2]
        d = units(H) if np.isfinite(H).all() else np.ones(len(u))
        for margin in MARGINS:
            with contextlib.suppress(Contradiction):  # of so wide a margin, or of what is not linear
                yield inside(u, d, equal, least, margin)
        yield u

    def _found(self, found: Constrained, said: str) -> Constrained:
        if not found.success:
            finite = "" if np.isfinite(found.value) else "; the log-likelihood is not finite there"
            raise ValueError(
                f"no maximum with {said} was found{finite}: is it outside their domain, or is there none at all?"
            )
        return found

    def _no_inequalities(self, what: str) -> None:
        """Refuse what follows a chi-square only where nothing but equations is held."""
        if self.unequal:
            raise NotDefined(
                f"the fit is held by {self.unequal}, so what the log-likelihood loses is a mixture of chi-squares "
                f"(Self & Liang 1987), and nothing is {what}: ask the fit without inequalities, or hold what binds as "
                "an equation"
            )

    def score(self, found: Constrained) -> float:
        """Rao's statistic of a restricted maximum."""
        return score(found, self.information, self.held.normals(found.u))

    def profile(self) -> Profile:
        """The likelihood around the estimates."""
        self._no_inequalities("profiled or drawn anew")

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


def span(V: np.ndarray) -> np.ndarray:
    """S of V = S S', for a covariance that may be 0 in some directions."""
    d = np.sqrt(np.where(np.diag(V) > 0, np.diag(V), 1.0))
    eigenvalues, vectors = np.linalg.eigh(V / np.outer(d, d))
    keep = eigenvalues > 1e-12
    return np.asarray(d[:, None] * vectors[:, keep] * np.sqrt(eigenvalues[keep]))
