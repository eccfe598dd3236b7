"""Products with SciPy's sparse matrices and arrays, which are constants: `S @ x`, `x @ S`, `S.T @ x`, `S.dot(x)`.

One rule, `matrix` times the vectors along an axis of `x`; its transpose is itself with the matrix transposed. Loaded
when a sparse matrix first meets a Variable, so that `import bibun` does not load scipy.sparse. Imports core, products.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from ..core.absorbing import Absorbing, dress, undress
from ..core.dispatch import OF_SPARSE, RULES, function
from ..core.domains import static
from ..core.graph import Node
from ..core.kinds import Linear
from ..core.record import record, watched
from ..core.watch import Marks, fingerprint
from ..errors import MissingRule
from ..typing import Array
from .products import fitting

__all__ = ["Matrix", "product"]

FLAT = frozenset(("csr", "csc", "coo", "bsr", "dia"))
"""The formats whose numbers lie in arrays."""


class Matrix:
    """A sparse matrix as an argument that is no array: the matrix itself, read anew whenever it is multiplied by.

    Two are equal if they are the same object, whatever its numbers are.
    """

    __slots__ = ("flipped", "matrix")

    def __init__(self, matrix: Any, flipped: bool = False) -> None:
        self.matrix, self.flipped = matrix, flipped

    @property
    def T(self) -> "Matrix":
        """The transpose."""
        return Matrix(self.matrix, not self.flipped)

    def now(self) -> Any:
        """What SciPy multiplies by."""
        return self.matrix.T if self.flipped else self.matrix

    def marks(self) -> Marks:
        """Its arrays and their fingerprints."""
        m = self.matrix if self.matrix.format in FLAT else self.matrix.tocsr()
        parts = [p for v in vars(m).values() for p in (v if isinstance(v, tuple) else (v,))]
        return [(a, fingerprint(a)) for a in parts if isinstance(a, np.ndarray)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matrix) and self.matrix is other.matrix and self.flipped == other.flipped

    def __hash__(self) -> int:
        return hash((id(self.matrix), self.flipped))

    def __str__(self) -> str:
        return f"sparse{self.matrix.shape}{'.T' if self.flipped else ''}"

    def __repr__(self) -> str:
        return f"<{self} at {id(self.matrix):#x}>"  # says which: what compares arguments by their texts is right


@function
def product(x: Array, matrix: Matrix, axis: int = 0) -> Array:
    """The product of a sparse matrix and the vectors along an axis of `x`."""
    columns = np.moveaxis(x, axis, 0)
    flat = columns if columns.ndim <= 2 else columns.reshape(len(columns), -1)
    m = matrix.now()
    y = _of_objects(m, flat) if flat.dtype == object else m @ flat
    return np.moveaxis(y.reshape(m.shape[0], *columns.shape[1:]), 0, axis)


def _of_objects(m: Any, x: Array) -> Array:
    """The product where the elements of `x` are things that can be added and scaled."""
    m = m.tocoo()
    y = np.zeros((m.shape[0], *x.shape[1:]), object)
    np.add.at(y, m.row, m.data.astype(object).reshape(-1, *(1,) * (x.ndim - 1)) * x[m.col])
    return y


class Product(Linear):
    """The rule of `product`: the matrix is watched, and its zeros absorb."""

    def __call__(self, *args: Any) -> Any:
        x, matrix = args[:2]
        if isinstance(x, Absorbing):
            return _absorbed(x, *args[1:])
        if not isinstance(x, Node):
            return self.run(*args)
        y = record(self, self.run, args)
        if y.order:
            y.rule = watched(y.rule, matrix.marks())
        return y


def _absorbed(g: Any, matrix: Matrix, axis: int = 0) -> Any:
    """The product entry by entry, each one absorbed, and the sums of them by another, of ones."""
    m = matrix.now().tocoo()
    data = m.data.reshape(-1, *(1,) * (g.ndim - 1))
    terms = np.take(g, m.col, axis) * np.moveaxis(data, 0, axis)
    ones = sparse.coo_array((np.ones_like(m.data), (m.row, np.arange(m.nnz))), shape=(m.shape[0], m.nnz))
    return dress(_rule(undress(terms), Matrix(ones), axis))


def drawn(m: int, n: int, form: Callable[..., Any], dtype: Any = np.float64) -> static:
    """A sparse matrix for a case; about half of it is zero."""
    dense = (np.arange(m * n) * 7 % 11 - 4.0).reshape(m, n) / 3
    dense = np.where(np.arange(m * n).reshape(m, n) % 5 % 2, dense * (1 + 2j if dtype is complex else 1), 0)
    return static(Matrix(form(dense.astype(dtype))))


def _back(g: Array, x: Array, matrix: Matrix, axis: int = 0) -> Array:
    return fitting(_rule(g, matrix.T, axis), x)


_rule: Product = Product(
    product, (_back,), name="sparse_matmul",
    cases=[
        ((3,), drawn(4, 3, sparse.csr_array)), ((3, 2), drawn(4, 3, sparse.csc_array)),
        ((2, 3), drawn(4, 3, sparse.coo_array), dict(axis=-1)), ((3,), drawn(2, 3, sparse.csr_matrix, complex)),
        ((2, 3, 2), drawn(3, 3, sparse.csc_matrix), dict(axis=1)), ((3, 2), drawn(3, 3, sparse.dia_array)),
        ((0,), drawn(3, 0, sparse.csr_array)), ((3,), drawn(0, 3, sparse.csr_array)),
    ],
)  # fmt: skip
RULES[product] = _rule.entry(_rule)


def matmul(a: Any, b: Any) -> Any:
    """`a @ b` of a sparse matrix and a Variable, in either order."""
    left = sparse.issparse(a)
    s, x = (a, b) if left else (b, a)
    if s.ndim > 2:
        raise MissingRule(f"@ of a Variable and a sparse array of {s.ndim} axes: it is known for one and two")
    if not 1 <= x.ndim <= 2:
        raise ValueError(f"@ of a sparse matrix and {x.ndim} axes: it multiplies a vector or a matrix")
    row = s.ndim == 1
    matrix, axis = Matrix(s.reshape((1, -1)) if row else s, flipped=not left and not row), 0 if left else -1
    if x.shape[axis] != matrix.now().shape[1]:
        raise ValueError(f"@ of shapes {a.shape} and {b.shape}: the summed axes differ in length")
    y = _rule(x, matrix, axis)
    return y if not row else y[0] if left or x.ndim == 1 else y[:, 0]


OF_SPARSE[np.matmul] = matmul
