"""Break every rule of the table on purpose: a law must notice each time.

`python -m tests.laws.mutants [name …]` prints how many mutants there were and which survived (exit code 1). A mutant that
changes no number on any case of its rule (the sign of a zero, an order among equals) is no mutant and is not counted.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bibun.core.domains import static
from bibun.core.graph import Node, Parts
from tests.laws import laws
from tests.laws.cases import RULES, Case, cases_of


class Mutation:
    """A wrapper around a derivative that breaks what it returns, and knows whether that made a difference."""

    def __init__(self, name: str, breaks: Callable[[Any], Any]) -> None:
        self.name, self.breaks, self.mattered = name, breaks, False

    def __call__(self, out: Any) -> Any:
        if out is None:
            return None
        if isinstance(out, (tuple, list, Parts)):
            return type(out)(self(o) for o in out)
        broken = self.breaks(out)
        a, b = (np.asarray(x._data if isinstance(x, Node) else x) for x in (out, broken))
        self.mattered = self.mattered or a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)
        return broken


def flipped(g: Any) -> Any:
    shape = np.shape(g._data if isinstance(g, Node) else g)
    return np.flip(g) if shape else g


KINDS: list[tuple[str, Callable[[Any], Any]]] = [
    ("sign", lambda g: g * -1),
    ("factor 1.001", lambda g: g * 1.001),
    ("zero", lambda g: g * 0),
    ("order", flipped),
]


def wrapped(f: Callable[..., Any], mutation: Mutation) -> Callable[..., Any]:
    return lambda *args, **kw: mutation(f(*args, **kw))


def mutants(rule: Any) -> Iterator[tuple[Mutation, Callable[[], Any]]]:
    """Each mutation of a rule, and the context in which the rule is so broken."""
    for field in ("partials", "transposes", "jvp", "vjp"):
        functions = getattr(rule, field, None)
        if not functions:
            continue
        for i, f in enumerate(functions):
            if f is None:
                continue
            for name, breaks in KINDS:
                if field == "partials" and name == "order":
                    continue
                m = Mutation(f"{field}[{i}] {name}", breaks)
                g = wrapped(f, m) if callable(f) else wrapped(lambda *a, f=f: np.asarray(float(f)), m)
                yield (
                    m,
                    lambda field=field, functions=functions, i=i, g=g: broken(
                        rule, field, (*functions[:i], g, *functions[i + 1 :])
                    ),
                )
    if rule.kind == "elementwise" and len(rule.partials) > 1:
        m = Mutation("missing unbroadcast", lambda g: g)
        m.mattered = any(broadcasts(c) for c in cases_of(rule))  # not beside an order that is one whole number
        yield m, lambda: unbroadcast_forgotten(rule)


def broadcasts(case: Case) -> bool:
    """Whether more than one operand of a case is an array."""
    operands = case.template[: case.rule.operands]
    return sum(not isinstance(a, static) or np.ndim(a.value) > 0 for a in operands) > 1


@contextmanager
def broken(rule: Any, field: str, functions: tuple[Any, ...]) -> Iterator[None]:
    was = getattr(rule, field)
    setattr(rule, field, functions)
    try:
        rewritten(rule, lambda same: same)
        yield
    finally:
        setattr(rule, field, was)
        rewritten(rule, lambda same: same)


@contextmanager
def unbroadcast_forgotten(rule: Any) -> Iterator[None]:
    try:
        rewritten(rule, lambda same: True)
        yield
    finally:
        rewritten(rule, lambda same: same)


def rewritten(rule: Any, of: Callable[[bool], bool]) -> None:
    """Write the walks of the rule's forms anew, in place: the lanes hold them."""
    for (where, same), form in rule.forms.items():
        form.pull, form.push = rule.walks(where, of(same))


def killed(rule: Any) -> bool:
    """Whether a law fails on one of the rule's cases."""
    for case in cases_of(rule):
        xs = case.draw()
        for law in (laws.forward, laws.adjoint, laws.second):
            try:
                law(case, xs)
            except AssertionError:
                return True
    return False


def main(names: list[str]) -> int:
    count, survivors = 0, []
    for rule in RULES:
        if names and rule.name not in names:
            continue
        for case in cases_of(rule):  # every form is written before it is broken
            for law in (laws.forward, laws.adjoint, laws.second):
                law(case, case.draw())
        for mutation, context in mutants(rule):
            with context(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dead = killed(rule)
            if mutation.mattered:
                count += 1
                if not dead:
                    survivors.append(f"{rule.name}: {mutation.name}")
    print(f"{count} mutants of {len(RULES)} rules, {len(survivors)} survived")
    for s in survivors:
        print("  " + s)
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
