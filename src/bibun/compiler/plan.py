"""A plan: the recorded graph as a list of steps, with no graph and no Variable left in it.

A step is one pass over the rows (row_steps.py) or one call of NumPy; equal calls are made once. Imports transforms and
core, contraction, row_steps.
"""

import contextlib
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.absorbing import has_nan
from ..core.graph import Node, Parts
from ..core.modes import mode
from ..core.tree import flatten
from ..transforms.recording import Recorded
from .blocked_step import BlockedStep, blocked
from .cells import LEAVES, Unsupported
from .constants import identity, same
from .contraction import Contraction
from .early_sums import early_sums
from .exp_sums import run_of
from .fusion import FEWEST, Traced, fused
from .ordering import freed
from .rewriting import Stable
from .row_rule import RowRule, Uncontracted
from .row_steps import RowStep
from .scalar_steps import scalar_program
from .straight import straight

__all__ = ["Plan", "plan", "planned"]

ENOUGH = 64
"""Rows, below which an array has none: its axes are axes like others."""


OFTEN = 20
"""Runs, after which it pays to write a function of the steps."""


class Plan:
    """Steps in order; each reads values made before it and makes one, or several.

    Attributes
    ----------
    steps : list of Call or RowStep
    passes : int
        How many times the rows are read.
    """

    def __init__(
        self,
        recorded: Recorded,
        again: Callable[[Sequence[Any]], "Plan"] | None = None,
        absorbing: bool = False,
        kinds: Any = None,
        rows: Sequence[int] = (),
        sampled: int = 0,
        record: Callable[[], Recorded] | None = None,
    ) -> None:
        self._again = again  # the same with derivatives in which zero absorbs, for values that meet zero times infinity
        self._absorbing: dict[Any, Plan] = {}
        self.shapes = [x._data.shape for x in recorded.inputs]
        self.dtypes = kinds or [x._data.dtype for x in recorded.inputs]
        self.sampled = sampled
        self.rebuild = recorded.rebuild
        passes = any(isinstance(getattr(v.rule, "rule", None), RowRule) for v in recorded.nodes)
        self.kernel = None if sampled or passes else scalar_program(recorded, kinds)
        self.passes = 0
        if self.kernel is None:
            self._build(recorded, absorbing, kinds, rows, sampled)
        else:  # the steps are for people to read: made if somebody does
            self._late = lambda: self._build(record() if record else recorded, absorbing, kinds, rows, sampled)

    def __getattr__(self, name: str) -> Any:
        if name in ("results", "size", "steps") and "_late" in self.__dict__:
            self.__dict__.pop("_late")()
            return getattr(self, name)
        raise AttributeError(name)

    def _build(self, recorded: Recorded, absorbing: bool, kinds: Any, rows: Sequence[int], sampled: int) -> None:
        """The steps."""
        where: dict[Node, int] = {x: k for k, x in enumerate(recorded.inputs)}
        stages: list[tuple[list[Any], list[Any]]] = []
        known: dict[Any, int] = {}
        stage_of: dict[int, int] = {}
        self.size = len(where)
        for v in recorded.nodes:
            form = v.rule
            if form in LEAVES:
                if v.inputs[0] in where:
                    where[v] = where[v.inputs[0]]
                continue
            if kinds and form.name in ("astype", "truncated") and where.get(v.inputs[0], self.size) < len(kinds):
                k = where[v.inputs[0]]
                if kinds[k].kind not in "fc" and v.values[1] == kinds[k]:
                    where[v] = k  # an integer argument, floating while it is recorded
                    continue
            if form.name == "multiply" and _is_one(form, v) and v.inputs[0] in where:
                where[v] = where[v.inputs[0]]
                continue
            slots = [(i, where[x]) for i, x in zip(form.where, v.inputs, strict=True) if x in where]
            args = list(v.values)
            for i, _ in slots:
                args[i] = None
            key = _key(form, args, slots)
            if key is not None and key in known:
                where[v] = known[key]
                continue
            k = where[v] = self.size
            self.size += 1
            if key is not None:
                known[key] = k
            stage = max([stage_of.get(s, 0) for _, s in slots], default=0)
            while len(stages) <= stage:
                stages.append(([], []))
            if isinstance(form.rule, RowRule):
                stages[stage][1].append((form.rule, args, slots, k))
                stage_of[k] = stage + 1
            else:
                run, floats = run_of(form.rule), [i for i, s in slots if s < len(self.shapes) and self.shapes[s] == ()]
                if floats and form.rule.kind in ("linear", "general") and form.name != "where":
                    run = _of_arrays(run, floats)
                stages[stage][0].append(Call(form.name, run, args, slots, k, Traced(form.rule, v._data, v.values)))
                stage_of[k] = stage
        self.steps: list[Any] = []
        for calls, sums in stages:
            self.steps += calls
            if sums:
                self.steps.append(RowStep(sums, absorbing))
        self.passes = sum(isinstance(s, RowStep) for s in self.steps)
        places = [where.get(y, -1) if isinstance(y, Node) else -1 for y in recorded.outputs]
        self.results = [(k, None if k >= 0 else y) for k, y in zip(places, recorded.outputs, strict=True)]
        self._prune()
        self._arrange(rows, sampled)

    _runs, _straight = 0, None  # how often it has been run, and what does so once that is often
    any_rows = False  # whether it serves any number of rows
    about: Any = None  # the function it is the plan of

    def same_as(self, other: "Plan") -> bool:
        """Whether it is the same plan, though recorded on other rows."""
        if len(self.steps) != len(other.steps) or [k for k, _ in self.results] != [k for k, _ in other.results]:
            return False
        if any(k < 0 and not _equal(y, z) for (k, y), (_, z) in zip(self.results, other.results, strict=True)):
            return False
        passes = [s for s in self.steps if isinstance(s, RowStep)]
        if any(not isinstance(k, int) for s in passes for k, _ in s.arrays.values()):
            return False  # rows that are constants
        return all(type(a) is type(b) and a.same_as(b) for a, b in zip(self.steps, other.steps, strict=True))

    def _prune(self) -> None:
        """Leave out what nobody reads."""
        needed = {k for k, _ in self.results}
        kept = []
        for step in reversed(self.steps):
            if isinstance(step, RowStep):
                step.keep(needed)
                if step.sums:
                    needed |= step.reads()
                    kept.append(step)
            elif step.out in needed:
                needed |= {s for _, s in step.slots}
                kept.append(step)
        self.steps = kept[::-1]
        for step in self.steps:
            if isinstance(step, RowStep):
                step.write()

    def _arrange(self, rows: Sequence[int], sampled: int) -> None:
        """Calls as one step where they can be, nothing held after its last use; of all rows, `sampled` are here."""
        kept = {k for k, _ in self.results} | set(range(len(self.shapes)))
        if self.kernel is None:
            self.steps, self.size = early_sums(self.steps, kept, self.size)
            for n in rows:
                self.steps = blocked(self.steps, kept, n)
            self.steps = fused(self.steps, kept, lambda s: sampled in s if sampled else math.prod(s) >= FEWEST)
        freed(self.steps, kept)
        own = Own(self)
        if own.pairs:
            self.steps.append(own)

    def __call__(self, *args: Any) -> Any:
        """The value of the recorded function for other arrays of the same shapes."""
        values = [np.asarray(a) for a in args]
        for a, shape in zip(values, self.shapes, strict=True):
            if a.shape != shape and not self.any_rows:
                raise ValueError(f"this plan was recorded for shape {shape} and was given {a.shape}: record it anew")
        return self.calling()([a.astype(np.float64) if a.dtype.kind in "biu" else a for a in values])

    def calling(self) -> Callable[[Sequence[Any]], Any]:
        """The same as a function of the sequence of the arguments, known to have those shapes."""
        if self.kernel is None:
            return self.run
        return self.kernel.calling(self.rebuild, None if self._again is None else self._absorbed)

    def run(self, values: Sequence[Any]) -> Any:
        """The steps in turn."""
        values = [*values, *[None] * (self.size - len(values))]
        with np.errstate(all="ignore"):  # as derivatives do: which step is one cannot be seen here
            if self._straight is not None:
                self._straight(values)
            else:
                for step in self.steps:
                    step(values)
                self._runs += 1
                if self._runs == OFTEN:
                    self._straight = straight(self.steps)
        if self._again is not None and any(has_nan(values[k]) for k, _ in self.results if k >= 0):
            return self._absorbed(values[: len(self.shapes)])
        n = len(self.shapes)
        return self.rebuild([values[k] if k >= n else _own(values[k] if k >= 0 else y) for k, y in self.results])

    def _absorbed(self, values: Sequence[Any]) -> Any:
        """What the plan in which zero absorbs gives. It is recorded on these values: no plan keeps a caller's data."""
        shapes = tuple([np.shape(a) for a in values])
        found = self._absorbing.get(None) or self._absorbing.get(shapes)
        if found is None:
            assert self._again is not None
            found = self._again(values)
            self._absorbing = {None if found.any_rows else shapes: found}
        return found.calling()(values)

    def __str__(self) -> str:
        from .describing import described

        return str(described(self))


class Call:
    """One call of NumPy."""

    __slots__ = ("arguments", "done", "name", "out", "run", "slots", "traced")

    def __init__(
        self, name: str, run: Any, arguments: list[Any], slots: list[tuple[int, int]], out: int, traced: Traced
    ) -> None:
        self.name, self.run, self.arguments, self.slots, self.out = name, run, arguments, slots, out
        self.traced = traced
        self.done: Sequence[int] = ()  # slots that nobody reads after it

    def __call__(self, values: list[Any]) -> None:
        given = list(self.arguments)
        for i, k in self.slots:
            given[i] = values[k]
        out = self.run(*given)
        values[self.out] = Parts(out) if isinstance(out, tuple) else out
        for k in self.done:
            values[k] = None

    def reads(self) -> set[int]:
        """The slots it reads."""
        return {k for _, k in self.slots}

    def makes(self) -> list[int]:
        """The slot it writes."""
        return [self.out]

    def same_as(self, other: "Call") -> bool:
        """Whether it is the same call."""
        return (
            (self.name, self.slots, self.out) == (other.name, other.slots, other.out)
            and len(self.arguments) == len(other.arguments)
            and all(_equal(a, b) for a, b in zip(self.arguments, other.arguments, strict=True))
        )

    def __str__(self) -> str:
        shown = [_short(a) for a in self.arguments]
        for i, s in self.slots:
            shown[i] = f"%{s}"
        return f"%{self.out} = {self.name}({', '.join(shown)})"


class Own:
    """The last step: results that may be views of arguments, or of one another, as arrays of the caller's own."""

    def __init__(self, plan: Plan) -> None:
        calls = {s.out: s for s in plan.steps if isinstance(s, Call) and s.traced.rule.kind not in FRESH}
        self.pairs: list[tuple[int, int, bool]] = []  # from, to, whether it is a result already
        seen: set[int] = set(range(len(plan.shapes)))
        given: set[int] = set()
        for i, (k, y) in enumerate(plan.results):
            behind, stack = set[int](), [k]
            while stack:
                j = stack.pop()
                if j not in behind:
                    behind.add(j)
                    stack += calls[j].reads() if j in calls else ()
            if k >= len(plan.shapes) and behind & seen:
                plan.results[i] = plan.size, y
                self.pairs.append((k, plan.size, k in given))
                plan.size += 1
            seen |= behind
            given.add(k)

    def __call__(self, values: list[Any]) -> None:
        for k, to, again in self.pairs:
            y = values[k]
            shared = isinstance(y, np.ndarray) and (again or y.base is not None or sum([v is y for v in values]) > 1)
            values[to] = y.copy() if shared else y

    def same_as(self, other: "Own") -> bool:
        """Whether it copies the same."""
        return self.pairs == other.pairs

    def __str__(self) -> str:
        return "\n".join(f"%{to} = copy(%{k})" for k, to, _ in self.pairs)


FRESH = frozenset({"elementwise", "multilinear", "rows"})
"""The kinds of rules whose results are no views of anything."""


def _own(y: Any) -> Any:
    """A result that nothing was computed for, an argument or a constant, as the caller's own, to write into."""
    y = y._data if isinstance(y, Node) else y
    return y.copy() if isinstance(y, np.ndarray) else y


def _of_arrays(run: Any, places: Sequence[int]) -> Any:
    """A function of arrays, for arguments that may be Python's numbers: elementwise ones take these as they are."""
    return lambda *args: run(*[np.asarray(a) if i in places else a for i, a in enumerate(args)])


def _equal(a: Any, b: Any) -> bool:
    return same(*(x._data if isinstance(x, Node) else x for x in (a, b)))


def _is_one(form: Any, v: Node) -> bool:
    """Whether a product is by exactly 1 and has the shape of the other factor."""
    if len(v.inputs) != 1:
        return False
    other = v.values[1 - form.where[0]]
    if isinstance(other, Node) or np.size(other) != 1 or np.ndim(other) > np.ndim(v.inputs[0]._data):
        return False
    same = v._data.dtype == v.inputs[0]._data.dtype
    return same and bool(np.all(other == 1.0)) and np.asarray(other).dtype.kind == "f"


def _key(form: Any, args: list[Any], slots: list[tuple[int, int]]) -> Any:
    """What makes two calls equal; None where that cannot be told."""
    statics = tuple([identity(a) for a in args])
    if isinstance(form.rule, RowRule):
        return ("rows", id(form.rule.summand), form.rule.order, form.rule.by, statics, tuple(slots))
    return (id(form.rule.run), form.name, statics, tuple(slots))


def plan(f: Callable[..., Any], *args: Any) -> Plan:
    """Record `f` on `args` and return the plan of it.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.compiler.plan import plan
    >>> p = plan(lambda x: np.exp(-x**2), np.array(1.0))
    >>> print(p)
    f(x)
      %1 = x²
      %2 = −%1
      %3 = exp(%2)
      return %3
    >>> print(p(2.0) == np.exp(-4.0))
    True
    """
    return planned(f, args)


def planned(
    f: Callable[..., Any], args: tuple[Any, ...], absorbing: bool = False, kinds: Any = None, about: Any = None
) -> Plan:
    """The plan of `f` on `args`, in which arguments of the dtypes `kinds` are floating while they are recorded.

    With `absorbing`, of derivatives in which zero absorbs. `about` is the function whose captured arrays count.
    """
    found = _planned(f, args, absorbing, kinds, about)
    found.about = about or f
    return found


def _planned(f: Callable[..., Any], args: tuple[Any, ...], absorbing: bool, kinds: Any, about: Any) -> Plan:
    again = None if absorbing else lambda values: planned(f, tuple(values), True, kinds, about)
    sampled = _sampled(f, args, absorbing, kinds, about or f)
    if sampled is not None:
        return sampled
    counts = row_counts(args, about or f)
    if counts:
        with contextlib.suppress(Uncontracted, Unsupported):
            return _contracted(f, args, counts, again, absorbing, kinds)

    def record() -> Recorded:
        return Recorded(f, args, "compile", absorbing=absorbing, rewriting=Stable())

    return Plan(record(), again, absorbing, kinds, record=record)


def _contracted(
    f: Any, args: tuple[Any, ...], counts: Sequence[int], again: Any, absorbing: bool, kinds: Any, sampled: int = 0
) -> Plan:
    def record() -> Recorded:
        return Recorded(f, args, "compile", absorbing=absorbing, rewriting=Contraction(counts[0]))

    found = Plan(record(), again, absorbing, kinds, counts, sampled, record)
    longest = max([len(s.home.table) for s in found.steps if isinstance(s, RowStep)], default=0)
    if longest > LONG:
        loops = Recorded(f, args, "compile", absorbing=absorbing, rewriting=Stable())
        other = Plan(loops, again, absorbing, kinds, counts, sampled)
        if longest > ENDLESS or _time(other.steps, counts[0]) < _time(found.steps, counts[0]):
            return other
    return found


LONG, ENDLESS = 200, 5000
"""Operations of a pass over the rows, from which loops over what a row has may be quicker than one after another, and
from which they take seconds to compile."""


def _time(steps: Sequence[Any], n: int) -> float:
    """Nanoseconds a row takes in passes over the rows and tiles of them, roughly; infinite, if in other steps too."""
    time = 0.0
    for s in steps:
        if isinstance(s, RowStep):
            time += s.time
        elif isinstance(s, BlockedStep) and s.layout is not None:
            time += s.layout.time
        elif not isinstance(s, Call) or n in (*s.traced.shape, *(k for g in s.traced.given if g for k in g[0])):
            return math.inf
    return time


class Looked:
    """Told when a shape is read while a function is recorded; remembers whether the user's own code did it."""

    def __init__(self, n: int) -> None:
        self.n, self.read = n, False

    def __call__(self, x: Any) -> None:
        if self.n in np.shape(x._data):
            frame: Any = sys._getframe(2)
            while frame is not None and frame.f_globals.get("__name__", "").startswith("bibun.core"):
                frame = frame.f_back
            if frame is None or not frame.f_globals.get("__name__", "").startswith("bibun."):
                self.read = True


MANY = 512
"""Rows, from which on a function is recorded on a few of them."""


def _sampled(f: Callable[..., Any], args: tuple[Any, ...], absorbing: bool, kinds: Any, about: Any) -> Plan | None:
    """The plan for any number of rows, recorded on two small numbers of them; None where the two differ.

    What depends on how many rows there are shows as a difference, or as the user's own reading of a shape. Then the
    function has to be recorded on all of its data.
    """
    n = row_count(args)
    arrays = [np.asarray(a) for a in args]
    if n < MANY or any(len(a) == n for a in _captured(about, 3) if a.ndim):
        return None
    used = {k for a in arrays for k in a.shape[1:]} | {len(a) for a in arrays if a.ndim and len(a) != n}
    few = [k for k in (67, 71, 73, 79, 83, 89, 97) if k not in used][:2]
    if len(few) < 2:
        return None
    again = None if absorbing else lambda values: planned(f, tuple(values), True, kinds, about)
    plans = []
    for k in few:
        looked = Looked(k)
        some = tuple([np.array(a[:k]) if a.ndim and len(a) == n else np.array(a) for a in arrays])
        try:
            with mode("looking", looked):
                plans.append(_contracted(f, some, [k], again, absorbing, kinds, k))
        except Exception:  # all of the data may do better; and if not, that is where the error is raised
            return None
        if looked.read:
            return None
    one, two = plans
    one.any_rows = one.same_as(two)
    return one if one.any_rows else None


def row_count(args: Any, f: Any = None) -> int:
    """How many rows the arguments have, and the arrays that `f` knows from around it; 0 if there are few or none."""
    return next(iter(row_counts(args, f)), 0)


def row_counts(args: Any, f: Any = None) -> list[int]:
    """The lengths of long arrays, that of most numbers first."""
    arrays = [a for tree in args for a in flatten(tree)[0]]
    arrays += _captured(f, 3) if f is not None else []
    sizes: dict[int, int] = {}
    for a in arrays:
        if isinstance(a, np.ndarray) and a.ndim and len(a) >= ENOUGH:
            sizes[len(a)] = sizes.get(len(a), 0) + a.size
    return sorted(sizes, key=lambda n: -sizes[n])


def _captured(f: Any, depth: int) -> list[Any]:
    """The arrays that a function, and the functions it calls, know from around them."""
    f = getattr(f, "__wrapped__", f)
    code = getattr(f, "__code__", None)
    if code is None or depth == 0:
        return []
    found = [c.cell_contents for c in (f.__closure__ or ()) if c is not None and _filled(c)]
    found += [f.__globals__[name] for name in code.co_names if name in f.__globals__]
    out = [a for a in found if isinstance(a, np.ndarray)]
    for a in found:
        if isinstance(a, dict):
            out += [v for v in a.values() if isinstance(v, np.ndarray)]
        elif hasattr(a, "__code__") and a is not f and not str(getattr(a, "__module__", "")).startswith("numpy"):
            out += _captured(a, depth - 1)
    return out


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _short(a: Any) -> str:
    return f"array{a.shape}" if isinstance(a, np.ndarray) and a.ndim else str(a)
