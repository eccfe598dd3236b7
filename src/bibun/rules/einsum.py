"""Einstein's sums. Every way to call np.einsum is brought to one: explicit subscripts without an ellipsis.

The transpose of a sum is a sum again: the cotangent takes the place of the operand. Imports core and products.
"""

import functools
from typing import Any

import numpy as np

from ..core.absorbing import Absorbing, absorb, dress, undress
from ..core.broadcast import spread
from ..core.dispatch import answers
from ..core.domains import static
from ..core.words import multilinear
from ..typing import Array
from .products import as_array, fitting, refuse_out

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum_back(i: int, g: Array, subscripts: str, optimize: Any, *operands: Array) -> Array:
    """The cotangent of argument `i`: the sum with `g` in its place."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    k = i - 2
    x, term = operands[k], terms[k]
    others = [j for j in range(len(terms)) if j != k]
    known = set(output).union(*[terms[j] for j in others])
    reached = "".join(dict.fromkeys(label for label in term if label in known))
    expression = ",".join([output, *[terms[j] for j in others]]) + "->" + reached
    g = np.einsum(expression, g, *[operands[j] for j in others], optimize=optimize)
    return fitting(g if reached == term else placed(g, reached, term, x.shape), x)


def product_sum(subscripts: str, optimize: Any, *operands: Array) -> Array:
    """np.einsum of explicit subscripts; zero absorbs in the products of one that is dressed."""
    plain = np.einsum(subscripts, *operands, optimize=optimize)
    if not isinstance(plain, Absorbing) or np.isfinite(np.asarray(getattr(plain.inside, "_data", plain.inside))).all():
        return plain
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    labels = "".join(dict.fromkeys(output + inputs.replace(",", "")))
    total: Array = 1.0
    for term, x in zip(terms, operands, strict=True):
        own = "".join(label for label in labels if label in term)
        x = np.einsum(f"{term}->{own}", undress(x))  # diagonals, and axes in the order of `labels`
        sizes = dict(zip(own, x.shape, strict=True))
        total = absorb(total, x.reshape(tuple([sizes.get(label, 1) for label in labels])))
    return dress(np.sum(total, axis=tuple(range(len(output), len(labels)))))


def placed(g: Array, reached: str, term: str, shape: tuple[int, ...]) -> Array:
    """`g` over the labels of `term`: spread where a label was summed alone, on the diagonal where it is repeated."""
    first = {label: term.index(label) for label in term}
    g = g.reshape(
        tuple(
            n if label in reached and first[label] == k else 1
            for k, (label, n) in enumerate(zip(term, shape, strict=True))
        )
    )
    on_diagonal: Array = True
    for k, label in enumerate(term):
        if first[label] != k:
            on_diagonal = on_diagonal & (positions(shape, first[label]) == positions(shape, k))
    if on_diagonal is not True:
        g = np.where(on_diagonal, g, 0)
    return spread(g, shape)


def positions(shape: tuple[int, ...], axis: int) -> Array:
    """0, 1, 2, … along one axis."""
    return np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])


_einsum = multilinear(
    np.einsum, einsum_back, joint=True, register=False,
    run=lambda subscripts, optimize, *operands: product_sum(subscripts, optimize, *operands),
    cases=[
        (static("ij,jk->ik"), (2, 3), (3, 4)), (static("ij,jk"), (2, 3), (3, 4)), (static("ba"), (2, 3)),
        (static("i,i"), (3,), (3,)), (static("ij->i"), (2, 3)), (static("ij->"), (2, 3)), (static("ii"), (3, 3)),
        (static("ii->i"), (3, 3)), (static("iij->j"), (3, 3, 2)), (static("iii->i"), (2, 2, 2)), (static("i->"), (3,)),
        (static("...ij,...jk->...ik"), (2, 2, 3), (3, 2)), (static("...i,...i"), (2, 3), (4, 1, 3)),
        (static("i...->..."), (2, 3)), (static("ij,kj->ki"), (2, 3), (4, 3)), (static("i,j,k->ijk"), (2,), (3,), (2,)),
        (static("ij,j,i->"), (2, 3), (3,), (2,), dict(optimize=True)), (static("ij,jk->"), (2, 3), (3, 4)),
        (static("ij,ij->ij"), (2, 3), (1, 3)), (static(",ij->ji"), (), (2, 3)), (static("i,->i"), (3,), ()),
        ((2, 3), static([0, 1]), (3, 4), static([1, 2]), static([0, 2])), ((2, 3), static([1, 0])),
        ((2, 3), static([..., 0]), (3,), static([0]), static([...])), (static("ik,jk"), (2, 0), (3, 0)),
    ],
)  # fmt: skip


@answers(np.einsum)
def einsum(*operands: Array, out: Array = None, optimize: Any = False, **kw: Any) -> Array:
    """np.einsum in all its forms."""
    refuse_out(out, "einsum")
    unusual = [k for k, v in kw.items() if v not in (None, "K", "safe")]
    if unusual:
        raise TypeError(f"np.einsum({', '.join(unusual)}=…) on a Variable: cast the operands before the call")
    subscripts, xs = (operands[0], operands[1:]) if isinstance(operands[0], str) else from_lists(operands)
    xs = tuple(as_array(x, "einsum") for x in xs)
    return _einsum(*without_ones(explicit(subscripts, tuple(x.ndim for x in xs)), xs, optimize))


def from_lists(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The form `einsum(x, [0, 1], y, [1, 2], [0, 2])` as subscripts and operands."""

    def written(labels: Any) -> str:
        return "".join("..." if k is Ellipsis else LETTERS[k] for k in labels)

    n = len(operands) // 2
    terms = ",".join(written(operands[2 * k + 1]) for k in range(n))
    return terms + (f"->{written(operands[-1])}" if len(operands) % 2 else ""), operands[: 2 * n : 2]


@functools.lru_cache(maxsize=1024)
def explicit(subscripts: str, ndims: tuple[int, ...]) -> str:
    """The subscripts with their output written out and letters for the ellipsis."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"np.einsum: {len(terms)} terms in {subscripts!r} for {len(ndims)} operands")
    hidden = [n - len(t.replace("...", "")) if "..." in t else 0 for t, n in zip(terms, ndims, strict=True)]
    for t, n, h in zip(terms, ndims, hidden, strict=True):
        if len(t.replace("...", "")) + h != n or h < 0:
            raise ValueError(f"np.einsum: the term {t!r} of {subscripts!r} for an operand with {n} axes")
    free = [c for c in LETTERS if c not in subscripts]
    ellipsis = "".join(free[: max(hidden)])
    if not arrow:
        letters = inputs.replace(",", "").replace("...", "")
        output = ellipsis + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    elif ellipsis and "..." not in output:
        raise ValueError(
            f"np.einsum: the output of {subscripts!r} has no place for the axes of its ellipsis: write '...'"
        )
    terms = [t.replace("...", ellipsis[len(ellipsis) - h :]) for t, h in zip(terms, hidden, strict=True)]
    return ",".join(terms) + "->" + output.replace("...", ellipsis)


def without_ones(subscripts: str, xs: tuple[Array, ...], optimize: Any) -> tuple[Any, ...]:
    """The arguments with axes of length 1 that stand for longer ones taken away, so that no sum broadcasts."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    longest: dict[str, int] = {}
    for t, x in zip(terms, xs, strict=True):
        for label, n in zip(t, x.shape, strict=True):
            longest[label] = n if longest.get(label, 1) == 1 else longest[label]
    out = []
    for k, (t, x) in enumerate(zip(terms, xs, strict=True)):
        keep = [i for i, label in enumerate(t) if x.shape[i] == longest[label] or t.count(label) > 1]
        if len(keep) < len(t):
            terms[k] = "".join(t[i] for i in keep)
            x = x.reshape(tuple(x.shape[i] for i in keep))
        out.append(x)
    return ",".join(terms) + "->" + output, optimize, *out
