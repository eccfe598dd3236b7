"""Cox's proportional hazards: the partial likelihood, written once; `cox` reads a formula and a table.

Everything is a derivative of `PartialLikelihood`: by the coefficients (estimates, information, Schoenfeld residuals),
by each row's predictor (martingale residuals), by each row's weight (score residuals). Imports formula_rows,
whole_search, cox_result.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.gradient import grad, stop_gradient
from ..transforms.jacobian import jacobian
from .covariance import cluster_codes
from .cox_result import CoxResult
from .design import factored, linear_predictor
from .domains import Real
from .formula_rows import Given
from .least_squares import Rows
from .likelihood import MLE
from .objective import Objective
from .parameters import Values
from .row_figures import shown_column
from .search import mean_loss
from .whole_search import WholeSearch

__all__ = ["PartialLikelihood", "cox"]

TIES = ("efron", "breslow", "exact")
NAME = r"(`[^`]+`|[^\W\d][\w.]*)"
NOTHING = -1e300  # the logarithm of no sum at all, of which differences can be taken
APART = 100.0  # predictors further apart than this are looked at again, with sums as logarithms
SURV = re.compile(rf"\s*Surv\(\s*{NAME}\s*,\s*{NAME}\s*(?:,\s*{NAME}\s*)?\)\s*(~.*)", re.DOTALL)


def cox(
    formula: str,
    data: Any,
    time: Any = "time",
    event: Any = "event",
    *,
    start: Any = None,
    strata: Any = None,
    ties: str = "efron",
    weights: Any = None,
    weights_are: str = "frequency",
    offset: Any = None,
    cluster: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    maxiter: int | None = None,
) -> CoxResult:
    """Cox's proportional hazards regression.

    Parameters
    ----------
    formula : str
        The covariates, ``"~ x1 + C(g)"``; or with the times, ``"Surv(time, event) ~ x1"`` and
        ``"Surv(start, stop, event) ~ x1"``.
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    time, event : str or array_like
        When each row was last seen, and whether the event happened then (0 or 1).
    start : str or array_like, optional
        From when on each row was watched (delayed entry); it is at risk in (start, time].
    strata : str, array_like, or a list of these, optional
        Each stratum has a baseline hazard of its own.
    ties : {"efron", "breslow", "exact"}
        What is done about events at the same time. "exact" is the conditional likelihood of time in steps (Cox 1972),
        which with strata is conditional logistic regression.
    weights : str or array_like, optional
    weights_are : {"frequency", "sampling"}
        How many rows each stands for (events of a row of weight 2 are not tied with each other); or how many of the
        population, and then standard errors are robust.
    offset : str or array_like, optional
    cluster : str, array_like, or a list of these, optional
        Standard errors are then of clusters (see `Result.with_cov`).
    levels : dict of str to sequence, optional
        The order of a column's categories, the first being the reference.
    maxiter : int, optional

    Returns
    -------
    CoxResult

    Raises
    ------
    ValueError
        For a formula without covariates, times or events that cannot be, or no event at all.

    Notes
    -----
    The logarithm of the partial likelihood is the sum over events of η_i - log Σ_{j at risk} w_j exp(η_j). Of d tied
    events Efron (1977) takes from the k-th sum k/d of the tied rows' own part; Breslow (1974) takes nothing. Robust
    covariances are of score residuals (Lin & Wei 1989): of how the score answers to a row's weight.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"time": [5, 6, 6, 2, 4, 4, 9, 3], "event": [1, 0, 1, 1, 1, 0, 1, 1], "x": [1, 0, 2, 2, 0, 1, 0, 3]}
    >>> r = bb.cox("~ x", d)
    >>> print(f"{r.params['x']:.4f} {r.bse['x']:.4f} {r.loglik:.4f}")
    0.8122 0.4881 -6.7734
    """
    if ties not in TIES:
        raise ValueError(f"ties={ties!r}: one of {', '.join(TIES)}")
    if weights_are not in ("frequency", "sampling"):
        raise ValueError(f"weights_are={weights_are!r}: 'frequency' or 'sampling'")
    read = SURV.match(formula) if isinstance(formula, str) else None
    if read is not None:
        first, second, third, formula = (None if g is None else g.strip("`") for g in read.groups())  # type: ignore[assignment]
        time, event = (first, second) if third is None else (second, third)
        start = start if third is None else first
    groups = _ways(strata)
    given = Given(data, weights, offset, None, cluster, also=[time, event, start, *groups])
    made = given.design(formula, levels)
    if made.response is not None:
        raise ValueError(
            f"{formula!r}: the response of Cox's model is a time and an event: write '~ x', with time= and event=, or "
            "'Surv(time, event) ~ x'"
        )

    def numbers(name: str, column: Any) -> np.ndarray:
        a = given.numbers(name, column, made.rows)
        if not np.isfinite(a).all():
            raise ValueError(f"{name} is missing or infinite in {int((~np.isfinite(a)).sum())} rows: leave them out")
        return a

    times, events = numbers("time", time), numbers("event", event)
    since = None if start is None else numbers("start", start)
    w, more = given.row_weights(made.rows), given.row_offset(made.rows, made.offset)
    values = [
        shown_column(given.table[g])[made.rows] if isinstance(g, str) else given.column("strata", g, made.rows)
        for g in groups
    ]
    keep = [k for k, name in enumerate(made.names) if name != "Intercept"]
    if not keep:
        raise ValueError(f"{formula!r} has no covariates: `null_loglik` of any other model is the likelihood of that")
    names = [made.names[k] for k in keep]
    r = partial(made.X[:, keep], names, times, events, since, values, ties, w, weights_are, more, maxiter)
    r.design, r.notes, r.table, r.keep = made, made.notes, given.table, keep
    of_clusters = given.covariance(made.rows)
    if of_clusters is not None:
        if ties == "exact":
            raise NotDefined("cluster= needs score residuals, which ties='exact' does not have: use ties='efron'")
        r.cov = of_clusters
    return r


def partial(
    X: np.ndarray,
    names: list[str],
    time: np.ndarray,
    event: np.ndarray,
    start: np.ndarray | None = None,
    strata: Sequence[Any] = (),
    ties: str = "efron",
    w: np.ndarray | None = None,
    weights_are: str = "frequency",
    offset: np.ndarray | None = None,
    maxiter: int | None = None,
) -> CoxResult:
    """The fit of arrays, each of a row's number."""
    _check(time, event, start, w, ties)
    dead = (event == 1) if w is None else (event == 1) & (w > 0)
    if not dead.any():
        raise ValueError("no row has an event: the partial likelihood is the same for all coefficients")
    group, labels = _groups(strata, len(time))
    size = np.bincount(group).astype(float)
    center = np.stack([np.bincount(group, X[:, j]) / size for j in range(X.shape[1])], axis=1)
    inner = X - center[group]  # what is the same for all at risk cancels
    inner[:, np.abs(inner).max(axis=0) <= 1e-13 * np.abs(X).max(axis=0)] = 0.0
    layout = _layout(time, dead, group, start, ties)
    d = {"X": inner, "weights": np.ones(len(time)) if w is None else w, **layout}
    if offset is not None:
        d["offset"] = offset
    most, columns = int(layout["count"].max()) if ties == "exact" else 0, factored(Rows(inner), names)
    for apart in (False, True):
        rows = PartialLikelihood(most, apart)
        objective = PartialObjective(MLE(rows, Real(names=names)), Values(d, "data column"), w, weights_are)
        fit = WholeSearch(objective, [columns], rows, "newton", maxiter)
        facts = fit.finish("cox", names, [names], np.zeros(len(names), bool))
        eta = np.asarray(linear_predictor(objective.data, fit.coef))
        if most or (np.isfinite(fit.H).all() and np.ptp(eta) < APART):
            break
    facts["null_loglik"] = -fit.total * float(mean_loss(np.zeros_like(fit.gamma), *fit.arguments))
    facts.update(
        scale=1.0, ties=ties, time=time, event=event, start=start, stratum=group, strata=labels, center=center, _X=X
    )
    return CoxResult(objective, fit.coef, fit.certificate, fit.found, facts)


class PartialLikelihood:
    """What each event adds to Cox's partial likelihood.

    Parameters
    ----------
    most : int
        For exact ties the largest number of events at one time, else 0.
    apart : bool
        Whether predictors may be so far apart that sums are kept as logarithms, which takes longer.

    Notes
    -----
    Each line of `place` has the rows of a stratum, the last times first, so that those at risk at an event are the
    first `end` ones, and a running sum along the line has every risk set's. Sums are of positive numbers from the small
    risk sets to the large: no digit is lost. For exact ties Σ over subsets of d at risk of the product of exp(η) is the
    d-th running sum of running sums.
    """

    def __init__(self, most: int = 0, apart: bool = False) -> None:
        self.most, self.apart = most, apart

    def __call__(self, theta: Any, d: Any) -> Any:
        return self.terms(linear_predictor(d, theta), d["weights"], d)

    def terms(self, eta: Any, w: Any, d: Any) -> Any:
        """The terms from predictors and weights, shape (events,)."""
        logs, mean = self.logarithms(eta, w, d)
        return w[d.rows] * eta[d.rows] - mean * logs

    def logarithms(self, eta: Any, w: Any, d: Any) -> tuple[Any, Any]:
        """Of each event's risk set the logarithm of the sum, and by what it counts: the mean weight of those tied."""
        e = eta[d.place]
        if self.most:
            sums, last = [], 0.0
            for _ in range(self.most):
                running = _running_logs(_kept(e + last, d.inside))
                sums.append(running)
                last = running[:, :-1]
            return np.stack(sums)[d.count - 1, d.line, d.end], d.share
        here = w[d.place] * d.inside
        weight = _running(here * d.dead)
        mean = (weight[d.line, d.end] - weight[d.line, d.begin]) / d.count
        if self.apart:
            at_risk = _running_logs(_kept(e, here))[d.line, d.end]
            tied = _running_logs(_kept(e, here * d.dead))
            left = 1 - d.share * (np.exp(tied[d.line, d.end] - at_risk) - np.exp(tied[d.line, d.begin] - at_risk))
            if "entry" in d:
                late = _running_logs(_kept(eta[d.entry], w[d.entry] * d.inside))
                left = left - np.exp(late[d.line, d.waiting] - at_risk)
            return at_risk + np.log(left), mean
        top = stop_gradient(np.max(e, axis=1))
        r = here * np.exp(e - top[:, None])
        at_risk = _running(r)[d.line, d.end]
        if "entry" in d:
            late = w[d.entry] * d.inside * np.exp(eta[d.entry] - top[:, None])
            at_risk = at_risk - _running(late)[d.line, d.waiting]
        tied = _running(r * d.dead)
        own = tied[d.line, d.end] - tied[d.line, d.begin]
        return np.log(at_risk - d.share * own) + top[d.line], mean

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartialLikelihood) and (self.most, self.apart) == (other.most, other.apart)

    def __hash__(self) -> int:
        return hash(("partial", self.most, self.apart))


class PartialObjective(Objective):
    """A partial likelihood with its data. Weights are in the data: they take part in the sums of those at risk."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The data; the weights are among them."""
        return dict(self.data), None

    def loss(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """Minus the log partial likelihood."""
        return -np.sum(self.rows(u, columns))

    def scores(self, u: np.ndarray) -> np.ndarray:
        """Score residuals: the derivative of the score by each row's weight, shape (n, k)."""
        d = self.data
        loglik: Any = self.model.loglik

        def by_weight(theta: Any) -> Any:
            return grad(lambda w: np.sum(loglik.terms(linear_predictor(d, theta), w, d)))(d["weights"])

        return np.asarray(jacobian(by_weight, mode="forward")(u))


def _running(r: Any) -> Any:
    """Running sums along lines, 0 first."""
    return np.concatenate([np.zeros((r.shape[0], 1)), np.cumsum(r, axis=1)], axis=1)


def _running_logs(e: Any) -> Any:
    """Logarithms of running sums of exp(e) along lines, `NOTHING` first: sums of 1, 2, 4, … neighbours."""
    step = 1
    while step < e.shape[1]:
        before = np.concatenate([np.full((e.shape[0], step), NOTHING), e[:, :-step]], axis=1)
        e, step = np.logaddexp(e, before), 2 * step
    return np.concatenate([np.full((e.shape[0], 1), NOTHING), e], axis=1)


def _kept(e: Any, weight: Any) -> Any:
    """e plus the logarithm of its weight, `NOTHING` where that is 0."""
    return np.where(weight > 0, e + np.log(np.where(weight > 0, weight, 1.0)), NOTHING)


def _layout(
    time: np.ndarray, dead: np.ndarray, group: np.ndarray, start: np.ndarray | None, ties: str
) -> dict[str, np.ndarray]:
    """Where the rows stand in the lines of `PartialLikelihood`, and for each event where its risk set ends."""
    size = np.bincount(group)

    def lines(by: np.ndarray) -> np.ndarray:
        order = np.lexsort((-by, group))
        first = np.concatenate([[0], np.cumsum(size)[:-1]])
        across = np.minimum(np.arange(size.max()), size[:, None] - 1)
        return np.asarray(order[first[:, None] + across])

    place = lines(time)
    inside = (np.arange(size.max()) < size[:, None]).astype(float)
    rows = np.flatnonzero(dead)
    rows = rows[np.lexsort((time[rows], group[rows]))]
    t, line = time[rows], group[rows]

    def counted(by: np.ndarray, at: np.ndarray, side: Any) -> np.ndarray:
        """How many of a line's rows are later than each event, or as late."""
        out = np.zeros(len(rows), int)
        for g in np.unique(line):
            mine = line == g
            out[mine] = size[g] - np.searchsorted(by[at[g, : size[g]]][::-1], t[mine], side)
        return out

    first = np.concatenate([[True], (t[1:] != t[:-1]) | (line[1:] != line[:-1])])
    tie = np.cumsum(first) - 1
    count = np.bincount(tie)[tie]
    rank = np.arange(len(rows)) - np.flatnonzero(first)[tie]
    share = {"efron": rank / count, "breslow": np.zeros(len(rows)), "exact": first.astype(float)}[ties]
    out = {
        "place": place, "inside": inside, "dead": dead[place] * inside, "rows": rows, "line": line,
        "end": counted(time, place, "left"), "begin": counted(time, place, "right"), "count": count, "share": share,
    }  # fmt: skip
    if start is not None:
        out["entry"] = lines(start)
        out["waiting"] = counted(start, out["entry"], "left")
    return out


def _check(time: np.ndarray, event: np.ndarray, start: np.ndarray | None, w: np.ndarray | None, ties: str) -> None:
    if not np.isin(event, (0, 1)).all():
        k = int(np.flatnonzero(~np.isin(event, (0, 1)))[0])
        raise ValueError(f"event is {event[k]:g} in row {k}: 1 where the event happened, 0 where it did not until then")
    if start is not None and not (start < time).all():
        k = int(np.flatnonzero(~(start < time))[0])
        raise ValueError(f"row {k} enters at {start[k]:g} and leaves at {time[k]:g}: start must be before time")
    if w is not None and not ((w >= 0).all() and w.any()):
        raise ValueError("weights are numbers ≥ 0, one for each row, not all zero")
    if ties == "exact" and (w is not None or start is not None):
        given = "weights" if w is not None else "start"
        raise NotDefined(f"ties='exact' counts subsets of those at risk, which {given}= does not fit: use ties='efron'")


def _groups(strata: Sequence[Any], n: int) -> tuple[np.ndarray, list[Any]]:
    """The number of each row's stratum, and what each is called."""
    if not strata:
        return np.zeros(n, int), [None]
    codes = np.stack([cluster_codes(s) for s in strata])
    _, first, group = np.unique(codes, axis=1, return_index=True, return_inverse=True)
    plain = [np.asarray(s).tolist() for s in strata]
    labels = [plain[0][k] if len(plain) == 1 else tuple(s[k] for s in plain) for k in first]
    return group.reshape(-1), labels


def _ways(given: Any) -> list[Any]:
    """Columns, or names of columns: one or several."""
    if given is None:
        return []
    several = isinstance(given, (list, tuple)) and all(isinstance(g, str) or np.ndim(g) for g in given)
    return list(given) if several else [given]
