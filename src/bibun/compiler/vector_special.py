"""The special functions kernels have: those with vector code, and those of SciPy's that are called lane by lane.

Importing this registers the vector code (vector_gamma.py, vector_error.py, vector_moments.py). `symbols` says where the
functions called lane by lane are; SciPy is only imported when a program asks for one. A further one is a word in
`PER_LANE`. Imports ir.py.
"""

import ctypes
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import vector_error, vector_gamma, vector_moments  # noqa: F401  (they register their functions)
from .ir import Builder, vector

__all__ = ["PER_LANE", "symbols"]

PREFIX = "bibun_"

PER_LANE = {
    1: "dawsn erfi erfinv erfcinv exp1 expi gamma i0 i0e i1 i1e j0 j1 k0 k0e k1 k1e loggamma ndtri ndtri_exp rgamma "
       "spence wrightomega y0 y1",
    2: "beta binom chdtr chdtrc chdtri expn gammainc gammaincc gammainccinv gammaincinv hyp0f1 iv ive jv jve kn "
       "kv kve owens_t pdtr pdtrc poch powm1 stdtr stdtrit yn yv yve",
    3: "betainc betaincc betainccinv betaincinv fdtr fdtrc fdtri gdtr gdtrc hyp1f1 nbdtr nbdtrc",
    4: "hyp2f1",
}  # fmt: skip
"""SciPy's functions that are called lane by lane, by how many numbers they take."""


def _register(name: str) -> None:
    @vector(name)
    def call(b: Builder, *args: str) -> str:
        return b.call(PREFIX + name, *args)


for _name in " ".join(PER_LANE.values()).split():
    _register(_name)


@vector("betaln")
def betaln(b: Builder, x: str, y: str) -> str:
    """log |B(x, y)|; where one is not positive, SciPy's."""
    zero = b.number(0.0)
    usual = vector_gamma.log_beta(b, x, y)
    ordinary = b.both(b.compare("ogt", x, zero), b.compare("ogt", y, zero))
    return b.rarely(b.inverted(ordinary), usual, "betaln_rare", lambda b, x, y: b.call(PREFIX + "betaln", x, y), x, y)


class Symbols(Mapping[str, int]):
    """Where SciPy's functions are, under the names compiled code calls them by."""

    def __getitem__(self, symbol: str) -> int:
        if symbol not in self._arity:
            raise KeyError(symbol)
        return _address(symbol.removeprefix(PREFIX), self._arity[symbol])

    def __iter__(self) -> Iterator[str]:
        return iter(self._arity)

    def __len__(self) -> int:
        return len(self._arity)

    @functools.cached_property
    def _arity(self) -> dict[str, int]:
        return {PREFIX + name: n for n, names in PER_LANE.items() for name in names.split()} | {PREFIX + "betaln": 2}


@functools.cache
def symbols() -> Mapping[str, int]:
    """The addresses of the functions of doubles compiled code may call, for `machine.load`; found when asked for."""
    return Symbols()


@functools.cache
def _address(name: str, arity: int) -> int:
    """The function of `arity` doubles among those SciPy has compiled under this name."""
    from scipy.special import cython_special

    capsules: dict[str, Any] = cython_special.__pyx_capi__
    wanted = f"double ({', '.join(['double'] * arity)}"
    for key, capsule in capsules.items():
        if key == name or re.fullmatch(rf"__pyx_fuse_[\d_]*{name}", key):
            signature = _capsule_name(capsule)
            if signature.decode().startswith(wanted) and signature.count(b"double") == arity + 1:
                return int(_capsule_pointer(capsule, signature))
    raise RuntimeError(f"SciPy has no {name}({', '.join(['double'] * arity)}) that compiled code could call")


_capsule_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
