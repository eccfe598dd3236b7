"""The test points of the table: every rule with every set of arguments it is to be tried on.

A case of a rule is a tuple of arguments and, last, a dict of keywords. A tuple of ints is an array of that shape, drawn
from the rule's domain; a callable draws its own array from a generator; a list holds arguments; `static(v)` is `v`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import bibun
import bibun.linalg
import bibun.rules.fft
import bibun.rules.sparse
import bibun.special  # noqa: F401
from bibun.core.domains import Domain, static
from bibun.core.elementwise import Elementwise
from bibun.core.kinds import Composite, Constant
from bibun.core.rule import TABLE, Rule

SHAPES = {
    1: [((),), ((3,),), ((2, 3),), ((1,),), ((0,),)],
    2: [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 1)), ((2, 3), ()), ((), (3,)), ((1,), (3,)), ((0,), (1,))],
    3: [((), (), ()), ((3,), (3,), (3,)), ((2, 3), (3,), (2, 1)), ((3,), (), ())],
    4: [((), (), (), ()), ((3,), (3,), (3,), (3,)), ((2, 3), (3,), (2, 1), ())],
}


@dataclass
class Case:
    rule: Rule
    label: str
    template: tuple[Any, ...]
    keywords: dict[str, Any]

    def draw(self, seed: int = 0, dtype: Any = np.float64) -> list[np.ndarray]:
        """The arrays of the case that are differentiated."""
        rng = np.random.default_rng([seed, len(self.rule.name)])
        found: list[np.ndarray] = []
        for i, a in enumerate(self.template):
            self._draw(a, i, rng, found)
        return [np.asarray(a, dtype) if a.dtype.kind == "f" else a for a in found]

    def _draw(self, a: Any, i: int, rng: Any, found: list[np.ndarray]) -> None:
        domain = self.rule.domain
        if isinstance(domain, tuple):
            domain = domain[min(i, len(domain) - 1)]
        if is_shape(a):
            assert isinstance(domain, Domain)
            found.append(domain.draw(rng, a))
        elif isinstance(a, list):
            for v in a:
                self._draw(v, i, rng, found)
        elif callable(a):
            found.append(a(rng))

    def f(self, *arrays: Any) -> Any:
        """The function, of the differentiated arrays only."""
        left = list(arrays)
        out = self.rule.func(
            *[self._fill(a, left) for a in self.template],
            **{k: v.value if isinstance(v, static) else v for k, v in self.keywords.items()},
        )
        return tuple(out) if isinstance(out, (tuple, list)) else out

    def _fill(self, a: Any, left: list[Any]) -> Any:
        if is_shape(a) or callable(a):
            return left.pop(0)
        if isinstance(a, list):
            return [self._fill(v, left) for v in a]
        return a.value if isinstance(a, static) else a

    def __str__(self) -> str:
        return self.label


def is_shape(a: Any) -> bool:
    return isinstance(a, tuple) and all(isinstance(n, int) for n in a)


def cases_of(rule: Rule) -> list[Case]:
    given = list(rule.cases)
    if isinstance(rule, Elementwise) and not given:
        active = [d is not None for d in rule.partials]
        assert all(active), f"{rule.name}: a rule with an operand that has no derivative needs cases="
        given = SHAPES[len(rule.partials)]
    out = []
    for k, c in enumerate(given):
        c = c if isinstance(c, tuple) else (c,)
        kw = c[-1] if c and isinstance(c[-1], dict) else {}
        out.append(Case(rule, f"{rule.name}-{k}", c[:-1] if kw else c, kw))
    return out


RULES = [r for r in TABLE if not isinstance(r, Constant)]
CASES = [c for r in RULES for c in cases_of(r)]
PRIMITIVES = [c for c in CASES if not isinstance(c.rule, Composite)]
