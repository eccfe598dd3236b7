"""The vocabulary of derivatives: six words, each a kind of rule, each declaring one function completely.

`y` is the output, then the inputs; `g` a cotangent, `t` a tangent. The body of a rule is plain NumPy: over arrays it
computes, over Variables it extends the graph. The walks of transforms/ ask a rule only for its kind and what is declared
here. Rules themselves live in rules/. Imports record, the walk (to transpose what is given in one direction only).
"""

import copy
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import MissingRule
from ..typing import Array, Pull, Push, Run
from . import dispatch
from .absorbing import Absorbing, dress, undress
from .backward import cotangents
from .broadcast import spread, unbroadcast, zeros_for
from .domains import Domain, real
from .graph import BOUNDARY, CLOSED, SPENT, Form, Node, Parts
from .modes import here, modes
from .record import lane_linear, lane_one, lane_two, record
from .variable import Creator, close, inner

__all__ = [
    "TABLE",
    "Composite",
    "Constant",
    "Elementwise",
    "General",
    "Linear",
    "Multilinear",
    "Rule",
    "composite",
    "constant",
    "elementwise",
    "general",
    "linear",
    "multilinear",
]  # fmt: skip

_EMPTY = inspect.Parameter.empty

TABLE: list["Rule"] = []
"""Every rule, in the order of declaration: what the laws in tests/laws walk."""


class Rule:
    """One function and its derivative.

    Attributes
    ----------
    func : callable
        What users call.
    run : callable
        Computes it from positional arguments: operands, then statics.
    parameters : tuple of str
        The names of those arguments.
    operands : int
        How many of them, from the first, are arrays.
    without : frozenset of int
        Those operands that have no derivative.
    reads : bool
        Whether the walks read the operands' values.
    outputs : callable or None
        Makes the result of a function that returns several.
    domain, cases, source, second
        For the laws: where to draw arguments; arguments that need shapes or statics; where the formula is from;
        a sentence why there is no second derivative, if there is none.
    """

    kind = "rule"
    reads = True
    broadcasts = False

    def __init__(
        self,
        func: Callable[..., Any],
        run: Run | None = None,
        signature: Callable[..., Any] | None = None,
        skip: int = 1,
        *,
        outputs: Callable[..., Any] | None = None,
        domain: Any = real,
        cases: Sequence[Any] = (),
        source: str = "",
        second: str = "",
        batch: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.func, self.run, self.name = func, run or func, name or func.__name__
        self.outputs, self.domain, self.cases, self.source, self.second = outputs, domain, list(cases), source, second
        self.batch = batch
        self.forms: dict[tuple[tuple[int, ...], bool], Form] = {}
        self.parameters: tuple[str, ...] = ()
        self.defaults: tuple[Any, ...] = ()
        self.variadic = False
        if signature is not None:
            ps = list(inspect.signature(signature).parameters.values())[skip:]
            self.variadic = any(p.kind is p.VAR_POSITIONAL for p in ps)
            self.parameters = tuple(p.name for p in ps)
            self.defaults = tuple(p.default for p in ps)
        self.operands = 1
        self.without: frozenset[int] = frozenset()
        TABLE.append(self)

    def __repr__(self) -> str:
        return f"<{self.kind} rule of {self.name}>"

    def __call__(self, *args: Any) -> Any:
        """The function itself by position: recorded where a Variable is among `args`, computed otherwise."""
        for x in args:
            if isinstance(x, (Node, Absorbing)):
                if any([isinstance(v, Absorbing) for v in args]):
                    if self.kind == "multilinear":
                        return self.func(*args)  # a product: zero absorbs in it
                    return dress(self(*[undress(v) for v in args]))
                return record(self, self.run, args)
        return self.run(*args)

    def form(self, where: tuple[int, ...], same: bool) -> Form:
        """The form for these tracked arguments; `same` if their shapes are the result's."""
        form = self.forms.get((where, same))
        if form is None:
            form = self.forms[where, same] = Form(self, where, *self.walks(where, same))
        return form

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        """The two walks of one operation, for these tracked arguments."""
        raise NotImplementedError

    def creator_of(self, v: Node) -> Any:
        """What made `v`, as the article would see it."""
        return Creator(v)

    def parts(self, v: Node) -> list[Any]:
        """The results of a node that has several."""
        return [pick(v, i) for i in range(len(v._data))]

    # --- the arguments as NumPy's signature has them ------------------------------------------------------------

    def arrange(self, args: tuple[Any, ...], kw: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments by position, in the rule's order; keywords the rule does not know are refused by name."""
        theirs = list(self.theirs)
        if len(args) > len(theirs):
            raise TypeError(f"{dispatch.spelled(self.func)} takes {len(theirs)} arguments and got {len(args)}")
        bound = dict(zip(theirs, args, strict=False))
        for k, v in kw.items():
            if k in bound:
                raise TypeError(f"{dispatch.spelled(self.func)} got two values for its argument {k!r}")
            bound[k] = v
        out = []
        for i, (p, default) in enumerate(zip(self.parameters, self.defaults, strict=True)):
            key = p if p in bound or i >= len(theirs) or p in self.theirs else theirs[i]
            value = bound.pop(key, default)
            if value is np._NoValue:  # type: ignore[attr-defined]
                value = default
            if value is _EMPTY:
                raise TypeError(f"{dispatch.spelled(self.func)} needs its argument {key!r}")
            out.append(value)
        extra = [k for k, v in bound.items() if not self.usual(k, v)]
        if extra:
            raise MissingRule(
                f"{dispatch.spelled(self.func)}({', '.join(f'{k}=…' for k in extra)}) on a Variable is not differentiated: "
                f"leave it out (the rule knows {', '.join(self.parameters)}), or cast or mask before the call"
            )
        return tuple(out)

    @functools.cached_property
    def theirs(self) -> dict[str, Any]:
        """The parameters of the function itself and their defaults, where Python can tell; the rule's own otherwise."""
        try:
            ps = inspect.signature(self.func).parameters.values()
        except (TypeError, ValueError):
            return dict(zip(self.parameters, self.defaults, strict=True))
        return {p.name: p.default for p in ps if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}

    @property
    def lead(self) -> int:
        """How many positional arguments mean the same to the rule and to the function."""
        same = [i < self.operands or p == t for i, (p, t) in enumerate(zip(self.parameters, self.theirs, strict=False))]
        return next((i for i, s in enumerate(same) if not s), len(same))

    def usual(self, name: str, value: Any) -> bool:
        """Whether an argument has the value it has anyway."""
        default = self.theirs.get(name, _EMPTY)
        if value is None or value is np._NoValue or value is default:  # type: ignore[attr-defined]
            return True
        return isinstance(value, (str, bool, int, float)) and bool(value == default)

    def entry(self, lane: Callable[..., Any]) -> Callable[..., Any]:
        """The lane behind the function's own signature."""
        defaults, n = self.defaults, len(self.parameters)
        needed = n - sum(d is not _EMPTY for d in defaults)
        lead = -1

        def enter(*args: Any, **kw: Any) -> Any:
            nonlocal lead
            if lead < 0:
                lead = self.lead
            k = len(args)
            if kw or not needed <= k <= lead:
                args = self.arrange(args, kw)
            elif k < n:
                args += defaults[k:]
            return lane(*args)

        return enter


def _without(functions: Sequence[Any]) -> frozenset[int]:
    """The positions of operands that have no derivative."""
    return frozenset(i for i, f in enumerate(functions) if f is None)


# --- elementwise ------------------------------------------------------------------------------------------------------


class Elementwise(Rule):
    """Each element of the result depends on one element of each operand: the partial derivatives say everything."""

    kind = "elementwise"
    broadcasts = True

    def __init__(self, func: Callable[..., Any], partials: tuple[Any, ...], **kw: Any) -> None:
        super().__init__(func, **kw)
        self.partials = partials
        self.without = _without(partials)
        self.operands = len(partials)
        self.parameters = tuple("xab"[-len(partials) :]) if len(partials) < 3 else tuple("abcdef"[: len(partials)])
        self.reads = any(callable(d) for d in partials)
        if isinstance(self.domain, Domain):
            self.domain = (self.domain,) * len(partials)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        slopes = tuple(_slope(d, len(self.partials)) for d in self.partials)
        pull, push = _written(slopes, where, same)
        names = {f"d{i}": d for i, d in enumerate(self.partials)}
        return _function(pull, names), _function(push, names)


def _slope(d: Any, n: int) -> Any:
    """How a partial derivative is written: 1 or -1, a name if it is one of the rule's own arguments, or a call."""
    if not callable(d):
        return d
    code = getattr(d, "__code__", None)
    if code is None or code.co_names:  # it calls something, or reads an attribute
        return "f"
    stands = [object() for _ in range(n + 1)]
    try:
        z = d(*stands)
    except (TypeError, AttributeError, ValueError, NameError):  # NameError: a function declared further down
        return "f"
    return next((name for name, stand in zip(["y", *[f"x{i}" for i in range(n)]], stands, strict=True) if z is stand), "f")


_CODE: dict[Any, tuple[types.CodeType, types.CodeType]] = {}


def _written(slopes: tuple[Any, ...], where: tuple[int, ...], same: bool) -> tuple[types.CodeType, types.CodeType]:
    """The two walks of an elementwise rule, written out: a slope of 1 multiplies nothing, an equal shape sums nothing.

    Written as source because a loop over operands would cost as much as the arithmetic; rules with the same slopes
    and tracked arguments share the code.
    """
    key = slopes, where, same
    if key not in _CODE:
        names = [f"x{i}" for i in range(len(slopes))]
        unpack = f"    {', '.join(names)}, = args\n"
        reads = any(slopes[i] == "f" or slopes[i] in names for i in where)

        def scaled(g: str, i: int) -> str:
            d = slopes[i]
            call = f"d{i}(y, {', '.join(names)})"
            return g if d == 1 else f"-{g}" if d == -1 else f"{g} * {call if d == 'f' else d}"

        cut = [
            "None" if slopes[i] is None else scaled("g", i) if same else f"cut({scaled('g', i)}, x{i})" for i in where
        ]
        pull = "def pull(g, y, args):\n" + (unpack if reads or not same else "") + f"    return {', '.join(cut)}\n"
        push = "def push(y, args, ts):\n" + (unpack if reads else "")
        if len(where) == 1 and slopes[where[0]] is not None:
            push += f"    t, = ts\n    total = {scaled('t', where[0])}\n"
        else:
            push += "    total = None\n"
            for k, i in enumerate(where):
                if slopes[i] is None:
                    continue
                push += f"    t = ts[{k}]\n    if t is not None:\n"
                push += f"        t = {scaled('t', i)}\n        total = t if total is None else total + t\n"
            push += "    if total is None:\n        return zeros(y)\n"
        push += "    return total if total.shape == y.shape else spread(total, y.shape)\n"
        _CODE[key] = tuple(compile(s, "<elementwise rule>", "exec").co_consts[0] for s in (pull, push))  # type: ignore[assignment]
    return _CODE[key]


def _function(code: types.CodeType, names: dict[str, Any]) -> Any:
    return types.FunctionType(code, {"cut": unbroadcast, "spread": spread, "zeros": zeros_for, **names})


# --- linear, multilinear, general ---------------------------------------------------------------------------------------


def _nothing(*args: Any) -> None:
    """The cotangent of an operand without a derivative."""


def _chosen(functions: Sequence[Any], where: tuple[int, ...]) -> list[Any]:
    """The functions of the tracked arguments."""
    chosen = [functions[i] if i < len(functions) else None for i in where]
    return [_nothing if f is None else f for f in chosen]


class Linear(Rule):
    """Linear in its tracked operands together: the transpose says everything, and forward it is itself."""

    kind = "linear"
    reads = False

    def __init__(self, func: Callable[..., Any], transposes: tuple[Any, ...], joint: bool = False, **kw: Any) -> None:
        super().__init__(func, signature=next(t for t in transposes if t is not None), **kw)
        self.transposes, self.joint = transposes, joint
        self.without = _without(transposes)
        self.operands = 0 if joint else len(transposes)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        if self.joint:
            (joint,) = self.transposes

            def pull(g: Array, y: Array, args: Any) -> Any:
                gs = joint(g, *args)
                return gs[where[0]] if len(where) == 1 else tuple([gs[i] for i in where])

        else:
            pull = _pull_each(_chosen(self.transposes, where), where, takes_y=False)

        def push(y: Array, args: Any, ts: Any) -> Array:
            args = list(args)
            for i, t in zip(where, ts, strict=True):
                if self.joint or (i < len(self.transposes) and self.transposes[i] is not None):
                    args[i] = zeros_for(args[i]) if t is None else t
            if not self.joint:
                for i, d in enumerate(self.transposes):  # an untracked operand has tangent zero, not its value
                    if i not in where and d is not None:
                        args[i] = 0.0 if isinstance(args[i], (int, float)) else zeros_for(args[i])  # a number stays weak
            else:
                for i in range(self.first, len(args)):
                    if i not in where:
                        args[i] = zeros_for(args[i])
            return self(*args)

        return pull, push

    @property
    def first(self) -> int:
        """Where the operands of a joint rule begin: after its statics."""
        return len(self.parameters) - 1


def _pull_each(functions: list[Any], where: tuple[int, ...], takes_y: bool) -> Pull:
    if len(functions) == 1:
        (f,) = functions
        if takes_y:
            return lambda g, y, args: f(g, y, *args)
        return lambda g, y, args: f(g, *args)
    if len(functions) == 2:
        f, h = functions
        if takes_y:
            return lambda g, y, args: (f(g, y, *args), h(g, y, *args))
        return lambda g, y, args: (f(g, *args), h(g, *args))
    if takes_y:
        return lambda g, y, args: tuple([f(g, y, *args) for f in functions])
    return lambda g, y, args: tuple([f(g, *args) for f in functions])


class Multilinear(Rule):
    """Linear in each operand while the others stay: one transpose an operand; forward, one term an operand."""

    kind = "multilinear"

    def __init__(self, func: Callable[..., Any], transposes: tuple[Any, ...], joint: bool = False, **kw: Any) -> None:
        super().__init__(func, signature=transposes[0], skip=2 if joint else 1, **kw)
        self.transposes, self.joint = transposes, joint
        self.without = _without(transposes)
        self.operands = 0 if joint else len(transposes)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        if self.joint:
            (transpose,) = self.transposes

            def pull(g: Array, y: Array, args: Any) -> Any:
                gs = [transpose(i, g, *args) for i in where]
                return gs[0] if len(where) == 1 else tuple(gs)

        else:
            pull = _pull_each(_chosen(self.transposes, where), where, takes_y=False)

        def push(y: Array, args: Any, ts: Any) -> Array:
            terms = [self(*args[:i], t, *args[i + 1 :]) for i, t in zip(where, ts, strict=True) if t is not None]
            return sum(terms[1:], terms[0])

        return pull, push


class General(Rule):
    """Anything else: its derivative given forward (`jvp`), backward (`vjp`) or both, one function an operand.

    What is given in one direction only is transposed by recording it.
    """

    kind = "general"

    def __init__(self, func: Callable[..., Any], jvp: Any, vjp: Any, **kw: Any) -> None:
        self.jvp = jvp if isinstance(jvp, tuple) or jvp is None else (jvp,)
        self.vjp = vjp if isinstance(vjp, tuple) or vjp is None else (vjp,)
        given = self.vjp or self.jvp
        super().__init__(func, signature=next(f for f in given if f is not None), skip=2, **kw)
        self.without = _without(given)
        self.operands = len(given)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        if self.vjp is not None:
            pull_given = _pull_each(_chosen(self.vjp, where), where, takes_y=True)
            pull = pull_given
            if self.outputs:

                def pull(g: Array, y: Array, args: Any) -> Any:
                    full = Parts(zeros_for(p) if gp is None else gp for gp, p in zip(g, y, strict=True))
                    return pull_given(full, y, args)

        if self.jvp is not None:
            jvps = _chosen(self.jvp, where)

            def push(y: Array, args: Any, ts: Any) -> Array:
                terms = [f(t, y, *args) for f, t in zip(jvps, ts, strict=True) if t is not None and f is not _nothing]
                if not terms:
                    return zeros_for(y)
                if self.outputs:
                    return Parts(sum(ps[1:], ps[0]) for ps in zip(*terms, strict=True))
                return sum(terms[1:], terms[0])

        else:
            push = transposed_pull(pull_given)
        if self.vjp is None:
            pull = transposed_push(push, where)
        return pull, push


def transposed_pull(pull: Pull) -> Push:
    """A forward step from a backward one: g -> <pull(g), t> is linear, and its gradient is the tangent."""

    def push(y: Any, args: Any, ts: Any) -> Any:
        several = isinstance(y, Parts)
        gs = [close(inner(zeros_for(p))) for p in (y if several else [y])]
        gxs = pull(Parts(gs) if several else gs[0], y, args)
        gxs = gxs if isinstance(gxs, tuple) else (gxs,)
        total = None
        for gx, t in zip(gxs, ts, strict=True):
            if t is not None and isinstance(gx, Node):
                term = np.sum(gx * t)
                total = term if total is None else total + term
        out, _ = cotangents([total], gs, [np.ones(())])
        return Parts(out) if several else out[0]

    return push


def transposed_push(push: Push, where: tuple[int, ...]) -> Pull:
    """A backward step from a forward one: recorded on tangents that are zero, then walked back."""

    def pull(g: Any, y: Any, args: Any) -> Any:
        ts = [close(inner(zeros_for(args[i]))) for i in where]
        t = push(y, args, tuple(ts))
        if isinstance(y, Parts):
            terms = [np.sum(gp * tp) for gp, tp in zip(g, t, strict=True) if gp is not None]
            out, _ = cotangents([sum(terms[1:], terms[0])], ts, [np.ones(())])
        else:
            out, _ = cotangents([t], ts, [g])
        return out[0] if len(where) == 1 else tuple(out)

    return pull


class Constant(Rule):
    """A function whose derivative is zero wherever it has one."""

    kind = "constant"

    def with_keywords(self, kw: dict[str, Any]) -> "Constant":
        """This rule for a call with keywords: a recorded program must repeat them."""
        rule = copy.copy(self)
        rule.run, rule.forms = functools.partial(self.func, **kw), {}
        return rule if kw else self

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        nothing = None if len(where) == 1 else (None,) * len(where)
        return (lambda g, y, args: nothing), (lambda y, args, ts: zeros_for(y))


# --- the six words --------------------------------------------------------------------------------------------------------


def elementwise(func: Callable[..., Any], *partials: Any, run: Run | None = None, weak: bool = True, **kw: Any) -> Rule:
    """Declare a function of single elements by its partial derivatives.

    Parameters
    ----------
    func : ufunc or function
    *partials : callable or number or None
        For each operand ∂y/∂x as `f(y, x, …)`; a number if it is one; None if that operand has no derivative.
    run : callable, optional
        Computes the function where `func` is not the quickest to do it (an operator).
    weak : bool
        Whether a Python number beside it may be turned into an array beforehand.
    domain : Domain or tuple of Domain
        Where the laws draw operands from.
    source : str
        Where the formula is from.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.rules import elementwise, positive
    >>> elementwise(np.log, lambda y, x: 1 / x, domain=positive)
    <elementwise rule of log>
    """
    rule = Elementwise(func, partials, run=run, **kw)
    if len(partials) == 1:
        entry: Callable[..., Any] = lane_one(rule, rule.run)
    elif len(partials) == 2 and None not in partials:
        entry = lane_two(rule, rule.run, weak)
    else:
        entry = rule
    dispatch.RULES[func] = entry
    return rule


def linear(func: Callable[..., Any], *transposes: Any, register: bool = True, **kw: Any) -> Rule:
    """Declare a function that is linear in its operands together, by its transpose.

    Parameters
    ----------
    func : function
    *transposes : callable or None
        For each operand `f(g, x, …)`: the cotangent of that operand. Further parameters, with their defaults, are the
        function's statics under NumPy's names. With `joint=True` one callable gives the cotangents of all arguments.
    run : callable, optional
        Computes the function from the rule's own positional arguments.
    cases : list
        Arguments for the laws: `((3, 4), dict(axis=1))`; a tuple of ints is an array of that shape.
    """
    rule = Linear(func, transposes, **kw)
    if register:
        single = len(transposes) == 1 and not rule.variadic
        dispatch.RULES[func] = rule.entry(lane_linear(rule, rule.run) if single else rule)
    return rule


def multilinear(func: Callable[..., Any], *transposes: Any, register: bool = True, **kw: Any) -> Rule:
    """Declare a function that is linear in each operand by itself: one transpose `f(g, a, b, …)` an operand.

    With `joint=True` one callable `f(i, g, …)` gives the cotangent of argument `i`.
    """
    rule = Multilinear(func, transposes, **kw)
    if register:
        pair = len(transposes) == 2 and len(rule.parameters) == 2
        dispatch.RULES[func] = lane_two(rule, rule.run, weak=False) if pair else rule.entry(rule)
    return rule


def general(func: Callable[..., Any], jvp: Any = None, vjp: Any = None, register: bool = True, **kw: Any) -> Rule:
    """Declare any other function by `jvp(t, y, x, …)`, by `vjp(g, y, x, …)`, or by both: one an operand, in a tuple.

    A function with several results says `outputs=` (its named tuple) and reads `g` and `y` as tuples.
    """
    rule = General(func, jvp, vjp, **kw)
    if register:
        dispatch.RULES[func] = rule.entry(rule)
    return rule


class Composite(Rule):
    """A function written with others: it needs no derivative of its own."""

    kind = "composite"


def composite(func: Callable[..., Any], definition: Callable[..., Any], **kw: Any) -> Rule:
    """Declare a function by its definition in terms of others; `definition` has NumPy's own signature."""
    rule = Composite(func, run=definition, **kw)
    dispatch.RULES[func] = definition
    return rule


def constant(*functions: Any, of_values: bool = True, **kw: Any) -> None:
    """Declare functions whose derivative is zero: they return plain arrays.

    With `of_values=False` they ask for shapes and types only, which a recorded program may take for granted.
    """
    for func in functions:
        rule = Constant(func, **kw)
        rule.operands = getattr(func, "nin", 1)
        dispatch.RULES[func] = _plain(func, rule, of_values)


def _plain(func: Any, rule: Constant, of_values: bool) -> Callable[..., Any]:
    from_raw = dispatch.raw

    def enter(*args: Any, **kw: Any) -> Any:
        if any([isinstance(x, Absorbing) for x in args]):
            return NotImplemented
        if of_values and modes.on and here.tracing and any([isinstance(x, Node) for x in args]):
            return record(rule.with_keywords(kw), functools.partial(func, **kw), args)
        return func(*from_raw(args), **{k: from_raw(v) for k, v in kw.items()})

    return enter


class Pick(Linear):
    """One of several results. Its cotangent is `Parts` with one part; what made it made them all."""

    def creator_of(self, v: Node) -> Any:
        return v.inputs[0].creator  # type: ignore[attr-defined]


pick = Pick(
    lambda parts, i: parts[i],
    (lambda g, parts, i: Parts.only(i, g, len(parts._data if isinstance(parts, Node) else parts)),),
    name="pick",
)

identity = Linear(lambda x: x, (lambda g, x: g,), name="identity")
"""What a differentiated function begins with: a fresh Variable equal to its argument."""
BOUNDARY.rule = CLOSED.rule = SPENT.rule = identity
del TABLE[:]
