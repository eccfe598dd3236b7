"""Results of parameters of which something is known: equations that hold, and inequalities that they may reach.

Imports certificate, constrained, inference, inequalities; reads a Result, whose `Space` (restricted.py) has the search.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .certificate import Certificate, certify, named
from .constrained import Constrained, Constraints, along, covariance_along
from .inequalities import Contradiction, shortest, spheres
from .inference import Hypothesis, constraints, read
from .restricted import Space

__all__ = ["Held", "Restricting", "equations", "restricted", "within"]

SHOWN = 12  # statements in a summary
WRONG = 1e-6  # a multiplier's sign, in units of the log-likelihood over those of its statement


class Held:
    """What a result's parameters are restricted to.

    Attributes
    ----------
    asked : Hypothesis
        All of it.
    binds : ndarray of bool
        Of `asked`, what the estimates lie on: its equations, and the inequalities that bind.
    multipliers : ndarray
        Of `asked`: the slope of minus the log-likelihood by the right side; 0 for what does not bind.
    R, r : ndarray
        R b = r of what binds.
    texts : list of str
        That in words.
    fixed : ndarray of bool
        The parameters that it leaves no choice.
    inverse : ndarray
        The inverse of the observed information along it, of the coordinates of the search.
    """

    def __init__(self, asked: Hypothesis, binds: np.ndarray, multipliers: np.ndarray, inverse: np.ndarray) -> None:
        self.asked, self.binds, self.multipliers, self.inverse = asked, binds, multipliers, inverse
        on = asked[binds]
        self.R, self.r, self.texts = on.R, on.r, on.texts
        self.fixed = ~along(on.R).any(axis=1)

    def __len__(self) -> int:
        return len(self.r)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a statement."""
        up = np.where(self.asked.equal, -1.0, 1.0) * self.multipliers + 0.0
        return [
            {
                "constraint": text,
                "kind": "equation" if equal else "inequality",
                "binds": bool(on),
                "multiplier": float(m),
            }
            for text, equal, on, m in zip(self.asked.texts, self.asked.equal, self.binds, up, strict=True)
        ]

    def said(self) -> list[str]:
        """All of it in sentences."""
        texts = [
            row["constraint"] if equal else f"{row['constraint']} (binds, multiplier {row['multiplier']:.4g})"
            for row, equal in zip(self.rows(), self.asked.equal, strict=True)
            if row["binds"]
        ]
        loose = [f"{text} (does not bind)" for text in self.asked[~self.binds].texts]
        shown = [*texts, *loose][:SHOWN]
        more = len(self.asked.texts) - len(shown)
        said = [f"held: {', '.join(shown)}" + (f", and {more} more (see constraints)" if more else "")]
        if not self.asked.equal.all():
            said.append(
                "standard errors take what binds as known; near a bound they are not to be trusted (Self & Liang 1987)"
            )
        return said


class Restricting:
    """That a result can be fitted again where something is known."""

    labels: list[str]
    certificate: Certificate
    undetermined: Any
    _positions: Callable[[Any], list[int]]
    _held: Held | None = None

    @property
    def constraints(self) -> list[dict[str, Any]]:
        """What the parameters are restricted to, one dict a statement.

        "constraint", its text; "kind", "equation" or "inequality"; "binds", whether the estimates lie on it (equations
        always do); "multiplier", by how much the log-likelihood would rise for each unit that a bound gives way, or
        that the right side of an equation rises, at first (where a dispersion is estimated, at that of the fit before).

        Examples
        --------
        >>> import bibun as bb
        >>> rows = lambda p: -((p.a - 2) ** 2) - (p.b - 1) ** 2
        >>> r = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real()}).fit(constraints="a + b <= 2, b >= 0")
        >>> for row in r.constraints:
        ...     print(row["constraint"], row["binds"], round(row["multiplier"], 6))
        a + b <= 2 True 1.0
        b >= 0 False 0.0
        """
        return [] if self._held is None else self._held.rows()

    @property
    def inequalities(self) -> int:
        """How many inequalities the parameters are restricted to."""
        return sum(row["kind"] == "inequality" for row in self.constraints)

    def restricted(self, hypothesis: Any) -> Any:
        """The same model fitted to the same rows where a hypothesis holds.

        Parameters
        ----------
        hypothesis : str, or R, or (R, r)
            Equations and inequalities in the labels, ``"x1 = x2, sigma <= 1, 0 <= x3 + x4 <= 1"``; or the matrix and
            the right side of R b = r.

        Returns
        -------
        Result
            `constraints` says which statements bind, with their multipliers. Its covariance is along the equations and
            what binds (what they fix has standard error 0), and `df_model` counts what they leave free. With equations
            alone `compare` with the full fit is the likelihood ratio test.

        Raises
        ------
        ValueError
            If a statement cannot be read, if equations are redundant, if they contradict each other, or if there is no
            maximum where they hold.

        Notes
        -----
        Under inequalities standard errors and Wald's tests take what binds as known; they are not to be trusted near a
        bound, where estimates are not normal and likelihood ratios are mixtures of chi-squares (Self & Liang 1987). So
        there are no profile, score and bootstrap intervals of such a fit, nor `compare`.

        Examples
        --------
        >>> import numpy as np, bibun as bb
        >>> d = {"x": np.array([1.0, 2.0, 3.0]), "y": np.array([2.0, 4.0, 9.0])}
        >>> rows = lambda p, d: -((d.x - p.a) ** 2) - (d.y - p.b) ** 2
        >>> r = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real()}).fit(d)
        >>> s = r.restricted("a = b")
        >>> print({k: round(float(v), 4) for k, v in s.params.items()}, s.df_model)
        {'a': 3.5, 'b': 3.5} 1
        >>> r.compare(s).lr.df
        1
        >>> print({k: round(float(v), 4) for k, v in r.restricted("a <= b <= 4").params.items()})
        {'a': 2.0, 'b': 4.0}
        """
        return restricted(self, hypothesis)

    def fix(self, values: dict[str, Any]) -> Any:
        """The same model fitted with parameters fixed: ``fix({"x1": 0.0})`` is ``restricted("x1 = 0")``."""
        return self.restricted(equations(values, lambda name: [self.labels[k] for k in self._positions(name)]))

    def tie(self, first: str, *others: str) -> Any:
        """The same model fitted with parameters equal: ``tie("x1", "x2")`` is ``restricted("x1 = x2")``."""
        if not others:
            raise ValueError(f"tie({first!r}): give the names of two parameters or more")
        mine = self._positions(first)
        said = []
        for other in others:
            theirs = self._positions(other)
            if len(theirs) != len(mine):
                raise ValueError(f"{first} has {len(mine)} elements and {other} {len(theirs)}: they cannot be equal")
            said += [f"`{self.labels[i]}` = `{self.labels[j]}`" for i, j in zip(mine, theirs, strict=True)]
        return self.restricted(", ".join(said))

    def _hypothesis(self, hypothesis: Any) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """R, r and the equations of a test in words, of parameters that are determined."""
        R, r, texts = constraints(hypothesis, self.labels)
        held = None if self._held is None else self._held.asked[self._held.binds]
        lost = [self.labels[k] for k in np.flatnonzero(self.undetermined & np.any(R != 0, axis=0))]
        if lost:
            raise ValueError(f"{', '.join(lost)} is not determined by the data: {'; '.join(self.certificate.problems)}")
        _not_twice(Hypothesis(R, r, np.ones(len(r), bool), texts), held)
        return R, r, texts

    @property
    def _n_held(self) -> int:
        """How many equations the parameters lie on."""
        return 0 if self._held is None else len(self._held)


def restricted(result: Any, hypothesis: Any, starts: Sequence[np.ndarray] = ()) -> Any:
    """The same model fitted where a hypothesis holds (see `Restricting.restricted`).

    Parameters
    ----------
    result : Result
    hypothesis : str, or R, or (R, r)
    starts : sequence of ndarray
        Besides the estimates, where to start from.
    """
    asked = read(hypothesis, result.labels)
    before = None if result._held is None else result._held.asked
    space = result._space()
    space.held, space.unequal = Constraints.none(len(space.gamma)), ""
    _not_twice(asked[asked.equal], None if before is None else before[before.equal])
    _estimable(result, space, asked)
    asked = asked if before is None else before & asked
    equal = space.constraints(asked[asked.equal].R, asked[asked.equal].r)
    least, on, binds = Constraints.none(len(space.gamma)), np.zeros(0, bool), asked.equal.copy()
    if asked.equal.all() and not starts:
        found = space.restricted(equal, str(asked))
    else:
        _consistent(asked)
        bounds = asked[~asked.equal]
        least, kept = space.inequalities(bounds.R, bounds.r, bounds.texts)
        found, on = space.bounded(equal, least, str(asked), [space.gamma, *starts])
        binds[np.flatnonzero(~asked.equal)[kept][on]] = True
    other = copy.copy(result)
    for name in ("jacobian", "_expected"):  # known of the other estimates
        other.__dict__.pop(name, None)
    slopes = asked.R @ np.asarray(space.parameters.jacobian(space.T @ found.u)) @ space.T
    multipliers = np.zeros(len(binds))
    multipliers[binds] = np.linalg.lstsq(slopes[binds].T, found.gradient, rcond=None)[0]
    other._held = Held(asked, binds, multipliers, covariance_along(found.hessian, found.normals))
    other._cov, other.search, other.polished = {}, found, 0
    other._settle(found, space)
    other.certificate = _certificate(other, space, found, equal & least[on], least[~on], slopes)
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


def within(objective: Any, parameters: Any, u: np.ndarray, hypothesis: Any) -> np.ndarray:
    """The point near `u`, of finite likelihood if there is one, at which a hypothesis holds: where to start."""
    asked = read(hypothesis, parameters.labels)
    _consistent(asked)
    space = Space(objective, u, np.nan, parameters, np.eye(len(u)), lambda u, H: H)
    equations, bounds = asked[asked.equal], asked[~asked.equal]
    least, _ = space.inequalities(bounds.R, bounds.r, bounds.texts)
    return space.inside(space.constraints(equations.R, equations.r), least, [u])


def _consistent(asked: Hypothesis) -> None:
    """Refuse statements that contradict each other, naming them."""
    both = np.concatenate([np.arange(len(asked.r)), np.flatnonzero(asked.equal)])
    sign = np.where(np.arange(len(both)) < len(asked.r), 1.0, -1.0)
    unit = np.abs(asked.R).max(axis=0)
    unit = np.where(unit > 0, unit, 1.0)
    try:
        shortest(sign[:, None] * asked.R[both] / unit, sign * asked.r[both], 1e-12 * np.abs(asked.r[both]))
    except Contradiction as e:
        guilty = np.unique(both[e.weights > 1e-9 * e.weights.max()])
        raise ValueError(f"these cannot hold together: {asked[guilty]}") from None


def _not_twice(new: Hypothesis, held: Hypothesis | None) -> None:
    """Refuse equations that say what others, or what is held, say already."""
    both = new if held is None else held & new
    if len(both.r) and np.linalg.matrix_rank(both.R) < len(both.r):
        already = "" if held is None or not held.texts else f", and {held} holds already"
        raise ValueError(f"the equations {new} say the same thing twice{already}: leave one out")


def _estimable(result: Any, space: Space, asked: Hypothesis) -> None:
    """Refuse statements about coefficients that collinear columns leave open."""
    null = getattr(result, "null", np.zeros((len(space.T), 0)))
    outside = np.linalg.norm(null - space.T @ (np.linalg.pinv(space.T) @ null), axis=0)
    gone = result.jacobian @ null[:, outside > 1e-8 * np.linalg.norm(null, axis=0)]
    gone = np.abs(gone).max(axis=1, initial=0.0) > 1e-8 * np.abs(gone).max(initial=0.0)
    lost = [result.labels[k] for k in np.flatnonzero(gone & (asked.R != 0).any(axis=0))]
    if lost:
        raise ValueError(f"{', '.join(lost)} is not determined by the data: {'; '.join(result.certificate.problems)}")


class _Along:
    """A Lagrangian over the coordinates that constraints leave free: what a certificate asks for.

    `c` are the equations and what binds, `least` the inequalities that do not.
    """

    def __init__(self, space: Space, found: Constrained, c: Constraints, least: Constraints) -> None:
        self.objective, self.u, self.c, self.multipliers = space.objective, found.u, c, found.multipliers
        self.least = least
        self.Z, free = _free(found.normals)
        names = space.parameters.real_labels if space.T.shape[0] == space.T.shape[1] else []
        self.labels = [names[j] if names else f"direction {j + 1}" for j in free]

    def value(self, v: np.ndarray) -> float:
        """The value; infinite where an inequality does not hold."""
        u = self.u + self.Z @ v
        if (self.least.off(u) < np.minimum(self.least.off(self.u), 0.0)).any():
            return np.inf
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
    if not m:
        return np.eye(k), np.arange(k)
    *_, pivots = linalg.qr(A / np.abs(A).max(axis=1, keepdims=True), pivoting=True)
    held, free = pivots[:m], np.sort(pivots[m:])
    Z = np.zeros((k, k - m))
    Z[free, np.arange(k - m)] = 1.0
    Z[held] = -np.linalg.solve(A[:, held], A[:, free])
    return Z, free


def _certificate(
    result: Any, space: Space, found: Constrained, c: Constraints, least: Constraints, slopes: np.ndarray
) -> Certificate:
    """What is checked at a restricted maximum; directions and names are of the model's own parameters.

    `slopes` are those of the statements by the coordinates of the search.
    """
    free = _Along(space, found, c, least)
    k, lost = len(space.T), getattr(result, "null", np.zeros((len(space.T), 0)))
    said = [] if not lost.shape[1] else [p for p in result.certificate.problems if p.startswith("collinear")]
    out = certify(free, np.zeros(free.Z.shape[1])) if free.Z.shape[1] else Certificate(True, 0.0, 1.0)
    moved = [space.T @ free.Z @ v for v in out.directions]
    problems = out.problems
    if problems and free.labels and free.labels[0].startswith("direction "):
        problems = [
            f"no finite, unique maximum under the constraints, along {named(v, np.ones(k), result.labels)}"
            for v in moved
        ] or problems
    directions = [*lost.T, *moved]
    undetermined = np.zeros(k, bool)
    for v in directions:
        undetermined |= np.abs(v) > 1e-7 * np.abs(v).max()
    problems = [*said, *problems, *_signs(result._held, slopes, found)]
    return Certificate(not problems, out.decrement, out.smallest, directions, undetermined, problems)


def _signs(held: Held, slopes: np.ndarray, found: Constrained) -> list[str]:
    """Which inequalities the log-likelihood would rise away from, as none does at a maximum (Karush, Kuhn & Tucker)."""
    gained = held.multipliers * np.linalg.norm(slopes @ spheres(found.hessian), axis=1)
    wrong = np.flatnonzero(held.binds & ~held.asked.equal & (gained < -WRONG))
    return [f"not a maximum: the log-likelihood rises away from {held.asked.texts[k]}" for k in wrong]
