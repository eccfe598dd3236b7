"""Sums over rows as nodes of a graph: a sum, its derivatives, and the Hessian where many vectors are multiplied by it.

A sum over rows is a `RowRule` of the parameters and the data. Its derivative is another sum over the same rows,
and so is the derivative of that along a vector. Imports cells.py, rewriting.py.
"""

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.absorbing import dress, undress
from ..core.backward import arguments, within
from ..core.graph import BOUNDARY, Form, Node, history
from ..core.modes import here, modes
from ..core.record import record
from ..core.tree import flatten
from ..core.variable import Variable
from ..transforms.batch import is_identity
from .cells import Atom, Cells, Unsupported
from .constants import identity
from .rewriting import recorded_again

__all__ = ["RowRule", "Summand", "Uncontracted", "multiplied"]


class Uncontracted(Exception):
    """A derivative of a sum over rows that only the recorded arrays have: by the data, or one they have sooner."""


MOST_THIRD = 5
"""Derivatives of Hessians along vectors that are sums over rows. Of more, as for the determinant of a Hessian, NumPy's
products of matrices are quicker."""


class Summand:
    """An expression of one row that is summed, with the parameters and data it reads.

    Attributes
    ----------
    parameters, data : list
        The arguments of its rules: arrays without rows, then arrays of rows.
    dtype : numpy.dtype
        What the sum was recorded in. It is computed in float64 and rounded to this.
    own, depth : int
        How many of the parameter arrays are no vectors that a derivative is taken along, and how often one is.
    outer : int
        The parameter array that only stands for its block, in a sum whose derivative by it is what was written; or -1.
    """

    def __init__(self, cells: Cells, e: Node, dtype: Any) -> None:
        self.cells, self.e = cells, e
        self.dtype = dtype if dtype.kind == "f" else np.dtype(float)
        behind = [e, *history([e])[0]]
        used = {id(v) for v in behind} | {id(x) for v in behind for x in v.inputs}
        self.atoms = [a for a in cells.atoms.values() if id(a.variable) in used]
        self.columns = [c for c in cells.columns.values() if id(c[2]) in used]
        self.parameters = _unique([a.source for a in self.atoms])
        self.data = _unique([a.data for a in self.atoms if a.data is not None] + [c[0] for c in self.columns])
        self.made: dict[tuple[int, ...], Along] = {}
        self.own, self.depth = len(self.parameters), 0
        self.outer = -1
        for x in self.data:
            behind = (x, *history([x])[0]) if isinstance(x, Node) and x.order else ()
            if any(v.rule is BOUNDARY and v.inputs for v in behind):
                raise Unsupported("data that a derivative is taken with respect to")
        if not self.data:
            raise Unsupported("no data")

    def node(self, order: int, *by: int) -> Any:
        """The sum, or its derivative with respect to `by`, as a node."""
        return RowRule(self, order, by)(*self.parameters, *self.data)

    def along(self, by: tuple[int, ...]) -> "Along":
        """Its derivative by some of its parameter arrays, along a vector for each."""
        if by not in self.made:
            self.made[by] = Along(self, by)
        return self.made[by]

    @functools.cached_property
    def slopes(self) -> dict[int, Any]:
        """∂e/∂atom, by the identity of the atom's Variable."""
        return self.cells.derivatives(self.e)


class Along(Summand):
    """The derivative of a summand along vectors, which are parameter arrays after its own.

    Where parameters enter a row by a block, their vector does by the same: the sum of ∂e/∂predictor times a predictor.
    """

    def __init__(self, of: Summand, by: tuple[int, ...]) -> None:
        self.of, self.cells, self.dtype, self.made, self.by = of, of.cells, of.dtype, {}, by
        self.columns, self.data, self.own, self.depth = of.columns, of.data, of.own, of.depth + 1
        self.outer = of.outer
        sources = {id(of.parameters[i]): k for k, i in enumerate(by)}
        shapes = [np.shape(getattr(of.parameters[i], "_data", of.parameters[i])) for i in by]
        self.vectors = [Variable(np.zeros(shape)) for shape in shapes]
        self.parameters = [*of.parameters, *self.vectors]
        self.turned: list[tuple[Atom, Atom]] = []
        for a in of.atoms:
            if id(a.source) in sources:
                vector = self.vectors[sources[id(a.source)]]
                v = self.cells.atom(a.kind, a.data, vector, a.positions, a.variable._data)
                self.turned.append((a, Atom(a.kind, a.data, vector, a.positions, v)))
        self.atoms = [*of.atoms, *[b for _, b in self.turned]]

    @functools.cached_property
    def e(self) -> Any:  # type: ignore[override]
        """The expression of a row, made when it is wanted."""
        absorbs = modes.on and here.absorbing
        terms = []
        with np.errstate(all="ignore"):
            for a, b in self.turned:
                slope = self.of.slopes.get(id(a.variable))
                if slope is not None:
                    terms.append(undress(dress(b.variable) * slope) if absorbs else b.variable * slope)
            return functools.reduce(np.add, terms) if terms else 0.0


def multiplied(out: Any, inputs: Sequence[Node]) -> Any:
    """`out`, with products of a Hessian and vectors taken from the matrix where that is less work."""
    ys, rebuild = flatten(out)
    tracked = [y for y in ys if isinstance(y, Node) and y.order]
    nodes = within(tracked, list(inputs))[0] if tracked else []
    alike: dict[Any, dict[int, list[Node]]] = {}  # of each Hessian, by the parameter array that its lines belong to
    many = set[Node]()
    for v in nodes:
        rule = getattr(v.rule, "rule", None)
        along = getattr(rule, "summand", None)
        if isinstance(rule, RowProducts):
            many.add(v)
        elif isinstance(along, Along) and rule.by[0] < len(along.of.parameters):
            before = [identity(x) for x in arguments(v)[along.own : len(along.of.parameters)]]
            alike.setdefault((along, *before), {}).setdefault(rule.by[0], []).append(v)
    third = 0
    for (along, *_), products in alike.items():
        lines, columns = sum(vs[0].size for vs in products.values()), sum(t.size for t in along.vectors)
        if 2 * max(map(len, products.values())) * (lines + columns) >= lines * columns:
            many.update(*products.values())
        elif along.depth > 1:
            third += sum(map(len, products.values()))
    if third > MOST_THIRD:
        raise Uncontracted
    if not many:
        return out
    instead: dict[Node, Any] = {}
    for v in reversed(nodes):
        w = recorded_again(v, instead)
        if v in many:
            w = _from_matrix(w)
        if w is not v:
            instead[v] = w
    return rebuild([instead.get(y, y) if isinstance(y, Node) else y for y in ys])


def _from_matrix(v: Node) -> Any:
    """A product of a Hessian and a vector, with the Hessian as a sum over rows of its own."""
    rule: RowRule = v.rule.rule
    along: Along = rule.summand  # type: ignore[assignment]
    args, m = arguments(v), len(along.of.parameters)
    total: Any = None
    for k, (i, t) in enumerate(zip(along.by, args[m : rule.m], strict=True)):
        matrix = RowRule(along.of, 2, (*rule.by, i))(*args[:m], *args[rule.m :])
        t = dress(t) if modes.on and here.absorbing else t
        if isinstance(rule, RowProducts):
            t = np.reshape(t, (rule.n if m + k in rule.spread else 1, -1))
            product = np.swapaxes(matrix, 0, 1)
            product = product if is_identity(t) else t @ product
        else:
            product = matrix @ np.reshape(t, -1) if np.ndim(args[i]) else matrix[:, 0] * t
        total = product if total is None else total + product
    return np.reshape(undress(total), v._data.shape)


def _unique(xs: list[Any]) -> list[Any]:
    return list({id(x): x for x in xs}.values())


class RowRule:
    """The rule of a sum over rows: order 0 the sum, 1 its gradient by one parameter array, 2 its Hessian by two.

    Of a Hessian no derivative is taken: it takes the place of products only when all derivatives are recorded.
    """

    kind = "rows"
    reads = False
    broadcasts = False
    outputs = None
    func = None
    traced = second = ""
    without: frozenset[int] = frozenset()

    def __init__(self, summand: Summand, order: int, by: tuple[int, ...]) -> None:
        self.summand, self.order, self.by = summand, order, by
        self.operands = len(summand.parameters) + len(summand.data)
        self.name = ("row sum", "row gradient", "row Hessian")[order]
        self.m = len(summand.parameters)

    def __call__(self, *args: Any) -> Any:
        if not any(isinstance(x, Node) and x.order for x in args):
            raise Uncontracted
        return record(self, self.run, args)

    def run(self, *values: Any) -> Any:
        """Zeros in place of the result, which only the compiled program computes."""
        sizes = [np.size(values[i]) for i in self.by]
        shape = np.shape(values[self.by[0]]) if self.order == 1 else tuple(sizes)
        return np.zeros(shape, self.summand.dtype)

    def form(self, where: tuple[int, ...], same: bool) -> Form:
        """The walks: the derivative is a sum over the same rows."""

        def gradient(args: Any, i: int) -> Any:
            return RowRule(self.summand, 1, (i,))(*args)

        def product(args: Any, along: dict[int, Any], by: int) -> Any:
            """A Hessian times vectors: the gradient of the derivative along them."""
            rule = RowRule(self.summand.along(tuple(along)), 1, (by,))
            return rule(*args[: self.m], *map(undress, along.values()), *args[self.m :])

        def pull(g: Any, y: Any, args: Any) -> Any:
            out: list[Any] = []
            for i in where:
                if i >= self.m:
                    out.append(None)
                elif self.order == 0:
                    out.append(g * gradient(args, i))
                else:
                    out.append(product(args, {self.by[0]: g}, i))
            return out[0] if len(where) == 1 else tuple(out)

        def push(y: Any, args: Any, ts: Any) -> Any:
            along = {i: t for i, t in zip(where, ts, strict=True) if t is not None}
            if max(along) >= self.m:
                raise Uncontracted
            if self.order == 1:
                return product(args, along, self.by[0])
            return functools.reduce(operator.add, [np.sum(gradient(args, i) * t) for i, t in along.items()])

        return Form(self, where, pull, push)

    def batch(self, _: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
        """Products of one Hessian with many vectors, where the Hessian is less work than they."""
        along = self.summand
        if self.order != 1 or not isinstance(along, Along) or along.depth > 1:
            return NotImplemented
        m = len(along.of.parameters)
        lines, columns = v.size, sum(t.size for t in along.vectors)
        if not where <= set(range(m, self.m)) or self.by[0] >= m or 2 * n * (lines + columns) < lines * columns:
            return NotImplemented
        return RowProducts(along, self.by, frozenset(where), n)(*args)

    def creator_of(self, v: Node) -> Any:
        """What made `v`."""
        from ..core.variable import Creator

        return Creator(v)  # type: ignore[arg-type]

    def parts(self, v: Node) -> list[Any]:
        """It has one result."""
        return [v]


class RowProducts(RowRule):
    """Products of a Hessian with n vectors; those arguments that are n each are `spread`.

    A derivative is that of each product; what is left of them in the end is one product of matrices.
    """

    def __init__(self, along: Along, by: tuple[int, ...], spread: frozenset[int], n: int) -> None:
        super().__init__(along, 1, by)
        self.spread, self.n = spread, n
        self.one = RowRule(along, 1, by)

    def run(self, *values: Any) -> Any:
        """Zeros in place of the results."""
        return np.zeros((self.n, *np.shape(values[self.by[0]])), self.summand.dtype)

    def _each(self, k: int, args: Sequence[Any], places: Sequence[int]) -> list[Any]:
        return [a[k] if i in self.spread and a is not None else a for i, a in zip(places, args, strict=True)]

    def form(self, where: tuple[int, ...], same: bool) -> Form:
        """The walks of each product."""
        one, places = self.one.form(where, same), range(self.operands)

        def pull(g: Any, y: Any, args: Any) -> Any:
            found = [one.pull(g[k], y[k], self._each(k, args, places)) for k in range(self.n)]
            parts = zip(*[(f,) if len(where) == 1 else f for f in found], strict=True)
            out = [
                None
                if some[0] is None
                else np.stack(some)
                if i in self.spread
                else functools.reduce(operator.add, some)
                for i, some in zip(where, map(list, parts), strict=True)
            ]
            return out[0] if len(where) == 1 else tuple(out)

        def push(y: Any, args: Any, ts: Any) -> Any:
            each = [one.push(y[k], self._each(k, args, places), self._each(k, ts, where)) for k in range(self.n)]
            return np.stack(each)

        return Form(self, where, pull, push)

    def batch(self, _: Any, args: list[Any], where: set[int], v: Node, n: int) -> Any:
        """None: they are made one example at a time."""
        return NotImplemented
