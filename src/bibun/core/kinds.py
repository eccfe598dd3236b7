"""The other kinds of rule, and how each walks: linear, multilinear, general, constant, composite.

A kind knows how to pull and push from what a rule declares; the walks of transforms/ ask for nothing but the kind and
that. Imports rule.py and the reverse walk, by which what is given in one direction only is transposed.
"""

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..typing import Array, Pull, Push
from .backward import cotangents
from .broadcast import zeros_for
from .graph import BOUNDARY, CLOSED, SPENT, Node, Parts
from .rule import TABLE, Rule, without
from .variable import close, inner

__all__ = [
    "Composite",
    "Constant",
    "General",
    "Linear",
    "Multilinear",
    "identity",
    "pick",
    "transposed_pull",
    "transposed_push",
]


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
        self.without = without(transposes)
        self.operands = 0 if joint else len(transposes)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        pull = _pull_joint(self.transposes[0], where) if self.joint else _pull_each(_chosen(self.transposes, where))

        def push(y: Array, args: Any, ts: Any) -> Array:
            args = list(args)
            for i, t in zip(where, ts, strict=True):
                if self.joint or (i < len(self.transposes) and self.transposes[i] is not None):
                    args[i] = zeros_for(args[i]) if t is None else t
            if not self.joint:
                for i, d in enumerate(self.transposes):  # an untracked operand has tangent zero, not its value
                    if i not in where and d is not None:
                        args[i] = (
                            0.0 if isinstance(args[i], (int, float)) else zeros_for(args[i])
                        )  # a number stays weak
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


def _pull_joint(joint: Any, where: tuple[int, ...]) -> Pull:
    """The pull of a transpose that gives the cotangents of all arguments."""

    def pull(g: Array, y: Array, args: Any) -> Any:
        gs = joint(g, *args)
        return gs[where[0]] if len(where) == 1 else tuple([gs[i] for i in where])

    return pull


def _pull_each(functions: list[Any], takes_y: bool = False) -> Pull:
    """The pull of one function an operand; the cases of one and two are written out, for speed."""
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
        self.without = without(transposes)
        self.operands = 0 if joint else len(transposes)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        if self.joint:
            (transpose,) = self.transposes
            chosen = [functools.partial(transpose, i) for i in where]
        else:
            chosen = _chosen(self.transposes, where)
        pull = _pull_each(chosen)

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
        given: tuple[Any, ...] = self.vjp or self.jvp or ()
        super().__init__(func, signature=next(f for f in given if f is not None), skip=2, **kw)
        self.without = without(given)
        self.operands = len(given)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        pull = None if self.vjp is None else self._pull(_chosen(self.vjp, where))
        push = None if self.jvp is None else self._push(_chosen(self.jvp, where))
        if pull is None:
            assert push is not None
            return transposed_push(push, where), push
        return pull, push or transposed_pull(pull)

    def _pull(self, vjps: list[Any]) -> Pull:
        each = _pull_each(vjps, takes_y=True)
        if not self.outputs:
            return each

        def pull(g: Array, y: Array, args: Any) -> Any:
            return each(Parts(zeros_for(p) if gp is None else gp for gp, p in zip(g, y, strict=True)), y, args)

        return pull

    def _push(self, jvps: list[Any]) -> Push:
        def push(y: Array, args: Any, ts: Any) -> Array:
            terms = [f(t, y, *args) for f, t in zip(jvps, ts, strict=True) if t is not None and f is not _nothing]
            if not terms:
                return zeros_for(y)
            if self.outputs:
                return Parts(sum(ps[1:], ps[0]) for ps in zip(*terms, strict=True))
            return sum(terms[1:], terms[0])

        return push


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


class Composite(Rule):
    """A function written with others: it needs no derivative of its own."""

    kind = "composite"


class Pick(Linear):
    """One of several results. Its cotangent is `Parts` with one part; what made it made them all."""

    def creator_of(self, v: Node) -> Any:
        return v.inputs[0].creator  # type: ignore[attr-defined]


pick = Pick(
    lambda parts, i: parts[i],
    (lambda g, parts, i: Parts.only(i, g, len(parts._data if isinstance(parts, Node) else parts)),),
    name="pick",
)
Rule.pick = pick

identity = Linear(lambda x: x, (lambda g, x: g,), name="identity")
"""What a differentiated function begins with: a fresh Variable equal to its argument."""
BOUNDARY.rule = CLOSED.rule = SPENT.rule = identity
del TABLE[:]
