"""Rule: what is declared of one function, and how a call of it is arranged.

`y` is the output, then the inputs; `g` a cotangent, `t` a tangent. The body of a rule is plain NumPy: over arrays it
computes, over Variables it extends the graph. How each kind of rule walks is in elementwise.py and kinds.py, the words
rules are declared with in words.py, the rules themselves in rules/. Imports record.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..errors import MissingRule
from ..typing import Pull, Push, Run
from . import dispatch
from .absorbing import Absorbing, absorb, dress, undress
from .domains import real
from .graph import Form, Node
from .record import record
from .variable import Creator

__all__ = ["EMPTY", "TABLE", "Rule", "without"]

EMPTY = inspect.Parameter.empty

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
    domain, cases, source
        For the laws: where to draw arguments; arguments that need shapes or statics; where the formula is from.
    second, traced : str
        Exceptions, said here and not in a test: why there is no second derivative; why the function cannot be recorded
        to run on other values (it is then refused while recording).
    """

    kind = "rule"
    pick: ClassVar[Any]  # one of several results: itself a rule, so kinds.py puts it here
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
        traced: str = "",
        batch: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.func, self.run, self.name = func, run or func, name or func.__name__
        self.outputs, self.domain, self.cases, self.source, self.second = outputs, domain, list(cases), source, second
        self.batch, self.traced = batch, traced
        self.forms: dict[tuple[tuple[int, ...], bool], Form] = {}
        self.parameters: tuple[str, ...] = ()
        self.defaults: tuple[Any, ...] = ()
        self.variadic = False
        if signature is not None:
            self.parameters, self.defaults, self.variadic = _signature(signature, skip)
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
                    if self.kind == "multilinear" and self.func is not absorb:
                        return self.run(*args)  # a product: zero absorbs in it
                    return dress(self(*[undress(v) for v in args]))
                return record(self, self.run, args)
        return self.run(*args)

    def form(self, where: tuple[int, ...], same: bool) -> Form:
        """The form for these tracked arguments; `same` if their shapes are the result's."""
        form = self.forms.get((where, same))
        if form is None:
            form = self.forms[where, same] = Form(self, where, *self.walks(where, same))
        return form

    def twin(self) -> Form:
        """The form of the operation on one Variable twice, as in `x * x`."""
        return self.form((0, 1), True)

    def walks(self, where: tuple[int, ...], same: bool) -> tuple[Pull, Push]:
        """The two walks of one operation, for these tracked arguments."""
        raise NotImplementedError

    def creator_of(self, v: Node) -> Any:
        """What made `v`, as the article would see it."""
        return Creator(v)  # type: ignore[arg-type]

    def parts(self, v: Node) -> list[Any]:
        """The results of a node that has several."""
        return [self.pick(v, i) for i in range(len(v._data))]

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
            if value is np._NoValue:
                value = default
            if value is EMPTY:
                raise TypeError(f"{dispatch.spelled(self.func)} needs its argument {key!r}")
            out.append(value)
        extra = [k for k, v in bound.items() if not self.usual(k, v)]
        if extra:
            raise MissingRule(
                f"{dispatch.spelled(self.func)}({', '.join(f'{k}=…' for k in extra)}) on a Variable has no derivative: "
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
        default = self.theirs.get(name, EMPTY)
        if value is None or value is np._NoValue or value is default:
            return True
        return isinstance(value, (str, bool, int, float)) and bool(value == default)

    def entry(self, lane: Callable[..., Any]) -> Callable[..., Any]:
        """The lane behind the function's own signature."""
        defaults, n = self.defaults, len(self.parameters)
        needed = n - sum(d is not EMPTY for d in defaults)
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


def without(functions: Sequence[Any]) -> frozenset[int]:
    """The positions of operands that have no derivative."""
    return frozenset(i for i, f in enumerate(functions) if f is None)


def _signature(f: Callable[..., Any], skip: int) -> tuple[tuple[str, ...], tuple[Any, ...], bool]:
    """The names and defaults of the parameters of `f` after the first `skip`, and whether there are any number of them.

    What inspect.signature says of a Python function, at a twentieth of its cost: importing the table calls this
    hundreds of times.
    """
    code = getattr(f, "__code__", None)
    if code is None:
        ps = list(inspect.signature(f).parameters.values())[skip:]
        variadic = any(p.kind is p.VAR_POSITIONAL for p in ps)
        return tuple(p.name for p in ps), tuple(p.default for p in ps), variadic
    n = code.co_argcount
    variadic = bool(code.co_flags & inspect.CO_VARARGS)
    given = f.__defaults__ or ()
    names = code.co_varnames[: n + code.co_kwonlyargcount + variadic]
    if variadic:  # after the positional ones, as inspect has it
        names = (*names[:n], names[-1], *names[n:-1])
    defaults = (*(EMPTY,) * (n - len(given)), *given, *(EMPTY,) * (len(names) - n))
    return names[skip:], defaults[skip:], variadic
