"""How an operation on single numbers is written with those a kernel has: a line an operation.

`LOWERED` maps the name of a rule to an expression of simpler ones. What is named in neither it nor a kernel cannot be
fused: a plan then calls NumPy for it. The kernels' own functions (exp, log, gammaln, …) are in vector_math.py and
vector_special.py. A fast kernel is a line here. Imports expression.py.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from .expression import LEAVES, Expression, ordered

__all__ = ["LOWERED", "PRIMITIVE", "lowered", "m"]

PRIMITIVE: set[str] = {
    *("add", "subtract", "multiply", "divide", "negative", "absolute", "sqrt", "where", "maximum", "minimum"),
    *("floor", "ceil", "trunc", "rint", "copysign", "equal", "not_equal", "less", "less_equal", "greater"),
    *("greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "isnan"),
}
"""The operations a kernel writes itself. vector_math.py and vector_special.py add the names of their functions.

`maximum` and `minimum` give NaN where one is NaN, as NumPy's do. A truth value among numbers is 0 or 1.
"""

LOWERED: dict[str, Callable[..., Any]] = {}


class Make:
    """`m.exp(x)`: the operation of that name on expressions."""

    def __getattr__(self, op: str) -> Callable[..., Expression]:
        def make(*args: Any) -> Expression:
            home = next(a for a in args if isinstance(a, Expression)).home
            return home.make(op, *args)

        return make


m = Make()


TABLES = ("lowering_ufuncs", "vector_trigonometry", "lowering_special")
"""Where lines and vector code are, what most programs need first: a table is loaded when an operation is not in those
before it. No operation is in two."""


def _found(op: str) -> bool:
    """Whether an unknown operation is known when the tables are loaded."""
    for name in TABLES:
        importlib.import_module(f"{__package__}.{name}")
        if op in PRIMITIVE or op in LOWERED:
            return True
    return False


def lowered(roots: list[Expression]) -> list[Expression] | None:
    """The same values with primitive operations only; None where one has no kernel."""
    done: dict[Expression, Expression] = {}
    for e in ordered(roots):
        if e.op in PRIMITIVE and all([a.__class__ is not Expression or done[a] is a for a in e.args]):
            done[e] = e  # most of a program: the quick way
        elif not _lower(e, done):
            return None
    return [done[e] for e in roots]


def _lower(e: Expression, done: dict[Expression, Expression]) -> bool:
    """Say in `done`, which knows the arguments, what stands for an expression; False where nothing does."""
    if e in done:
        return True
    args: Sequence[Any] = e.args
    if any([isinstance(a, Expression) and done[a] is not a for a in args]):
        args = [done[a] if isinstance(a, Expression) else a for a in args]
    if e.op in LEAVES or e.op in PRIMITIVE:
        made = e if args is e.args else e.home.make(e.op, *args)
    elif e.op in LOWERED:
        made = LOWERED[e.op](*args)
        if made is None:
            return False
        if not isinstance(made, Expression):
            made = e.home.number(made)
        if made not in done:  # its arguments are lowered already: only what the line itself wrote is walked
            if not all(_lower(x, done) for x in ordered([made], done)):
                return False
            made = done[made]
    else:
        return _found(e.op) and _lower(e, done)
    done[e] = done[made] = made
    return True
