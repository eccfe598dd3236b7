"""The libraries at their full strength, two threads and compiled where they compile: for compiled.py.

A program is `f(np, special, x, *data)`. `peers.py` has the same libraries one thread each, recording. A new one is a
class in `LIBRARIES`. What SciPy has and a library spells otherwise (log_expit) is given under SciPy's name.
"""

import importlib
import importlib.metadata
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy
from scipy import special

__all__ = ["LIBRARIES", "THREADS", "Bibun", "Library", "load"]

Call = Callable[[], Any]
Program = Callable[..., Any]
THREADS = 2


class Library:
    """A library, loaded. Each method gives a call without arguments, ready to be timed."""

    name, module = "library", ""

    def __init__(self) -> None:
        self.library: Any = importlib.import_module(self.module)
        self.version: str = getattr(self.library, "__version__", "") or importlib.metadata.version(self.module)
        self.np: Any = None
        self.special: Any = None
        self.load()

    def load(self) -> None:
        """Set `np` and `special`."""

    def bound(self, f: Program) -> Program:
        """The program with this library's modules in it."""
        return lambda x, *data: f(self.np, self.special, x, *data)

    def value_and_grad(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        raise NotImplementedError

    def hessian(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        """The Hessian alone."""
        raise NotImplementedError

    def blocks(
        self, f: Callable[[Any, Any], Program], rows: list[numpy.ndarray], data: Sequence[numpy.ndarray]
    ) -> Call:
        """`f(np, gradient)` is a function of a list of vectors and `data`, made of gradients by that list."""
        raise NotImplementedError


class Eager(Library):
    """bibun without compiling: what all others are compared with."""

    name, module = "bibun, eager", "bibun"

    def load(self) -> None:
        self.np = numpy
        ours = vars(importlib.import_module("bibun.special"))  # logsumexp and others that SciPy does not dispatch
        self.special = SimpleNamespace(**{**vars(special), **{k: ours[k] for k in ours["__all__"]}})

    def compiled(self, f: Program) -> Program:
        return f

    def value_and_grad(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        both = self.compiled(self.library.value_and_grad(self.bound(f)))
        return lambda: both(x, *data)

    def hessian(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        second = self.compiled(self.library.hessian(self.bound(f)))
        return lambda: second(x, *data)

    def all_three(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        """Value, gradient and Hessian."""
        g, bb = self.bound(f), self.library
        three = self.compiled(lambda x, *data: (*bb.value_and_grad(g)(x, *data), bb.hessian(g)(x, *data)))
        return lambda: three(x, *data)

    def blocks(
        self, f: Callable[[Any, Any], Program], rows: list[numpy.ndarray], data: Sequence[numpy.ndarray]
    ) -> Call:
        jacobian = self.compiled(f(numpy, self.library.grad))
        return lambda: jacobian(rows, *data)


class Bibun(Eager):
    """bibun compiled; as it is where there is no compiler yet."""

    name = "bibun"

    def compiled(self, f: Program) -> Program:
        return getattr(self.library, "compile", lambda f: f)(f)  # type: ignore[no-any-return]


class Torch(Library):
    """PyTorch, eager: its compiler needs one for C++."""

    name, module = "PyTorch", "torch"

    def load(self) -> None:
        torch = self.library
        torch.set_num_threads(THREADS)
        number = lambda a: a if isinstance(a, torch.Tensor) else torch.tensor(a, dtype=torch.float64)
        own = {
            "logaddexp": lambda a, b: torch.logaddexp(number(a), number(b)),
            "concatenate": torch.cat,
        }
        self.np = SimpleNamespace(**{**vars(torch), **own})
        self.special = SimpleNamespace(**{**vars(torch.special), "log_expit": torch.nn.functional.logsigmoid})

    def data(self, a: numpy.ndarray) -> Any:
        return self.library.from_numpy(a)

    def value_and_grad(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        torch, g = self.library, self.bound(f)
        start, constants = self.data(x.copy()).requires_grad_(), [self.data(a) for a in data]

        def call() -> Any:
            y = g(start, *constants)
            (gradient,) = torch.autograd.grad(y, start)
            return y.detach(), gradient

        return call

    def hessian(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        second = self.library.func.hessian(self.bound(f))
        start, constants = self.data(x.copy()), [self.data(a) for a in data]
        return lambda: second(start, *constants)

    def blocks(
        self, f: Callable[[Any, Any], Program], rows: list[numpy.ndarray], data: Sequence[numpy.ndarray]
    ) -> Call:
        torch = self.library
        start, constants = [self.data(a.copy()).requires_grad_() for a in rows], [self.data(a) for a in data]
        gradient = lambda f: lambda rows, *data: torch.autograd.grad(f(rows, *data), rows, materialize_grads=True)
        jacobian = f(torch, gradient)
        return lambda: jacobian(start, *constants)


class Jax(Library):
    """JAX under `jit`; compiling is not counted."""

    name, module = "JAX jit", "jax"

    def load(self) -> None:
        jax = self.library
        jax.config.update("jax_enable_x64", True)
        self.np = importlib.import_module("jax.numpy")
        theirs = importlib.import_module("jax.scipy.special")
        self.special = SimpleNamespace(**{**vars(theirs), "log_expit": jax.nn.log_sigmoid})

    def data(self, a: numpy.ndarray) -> Any:
        return self.np.asarray(a)

    def ready(self, f: Program, x: Any, data: Sequence[numpy.ndarray]) -> Call:
        jitted, wait = self.library.jit(f), self.library.block_until_ready
        start = [self.data(a) for a in x] if isinstance(x, list) else self.data(x)
        constants = [self.data(a) for a in data]
        return lambda: wait(jitted(start, *constants))

    def value_and_grad(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        return self.ready(self.library.value_and_grad(self.bound(f)), x, data)

    def hessian(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        return self.ready(self.library.hessian(self.bound(f)), x, data)

    def blocks(
        self, f: Callable[[Any, Any], Program], rows: list[numpy.ndarray], data: Sequence[numpy.ndarray]
    ) -> Call:
        return self.ready(f(self.np, self.library.grad), rows, data)


class Autograd(Library):
    name, module = "autograd", "autograd"

    def load(self) -> None:
        self.np = importlib.import_module("autograd.numpy")
        theirs = importlib.import_module("autograd.scipy.special")
        log_expit = lambda x: -self.np.logaddexp(0.0, -x)
        self.special = SimpleNamespace(**{**vars(theirs), "log_expit": log_expit})

    def value_and_grad(self, f: Program, x: numpy.ndarray, data: Sequence[numpy.ndarray]) -> Call:
        both = self.library.value_and_grad(self.bound(f))
        return lambda: both(x, *data)


LIBRARIES: tuple[type[Library], ...] = (Bibun, Eager, Torch, Jax, Autograd)


def load(only: Sequence[str] = ()) -> tuple[list[Library], list[str]]:
    """The libraries that are installed, and a line about each that is not."""
    found: list[Library] = []
    absent: list[str] = []
    for cls in LIBRARIES:
        if only and cls.module != "bibun" and cls.module not in only:
            continue
        try:
            found.append(cls())
        except ImportError as e:
            absent.append(f"{cls.name}: skipped ({e})")
    return found, absent
