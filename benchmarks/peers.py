"""The libraries a program is timed in: how each is loaded, and its spelling of a gradient and of a Hessian's product.

A program is written once, as `f(np, x, *data)`, where `np` is the library's own module of NumPy's names. A peer that is
not installed is skipped. Imports nothing of bibun by name, so that two versions of it can be peers of one another.
A new peer is a new class in `PEERS`.
"""

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["PEERS", "Bibun", "Peer", "load"]

Call = Callable[[], Any]
Program = Callable[..., Any]


class Peer:
    """A library, loaded. `value_and_grad` and `hvp` give a call without arguments, ready to be timed."""

    name = "peer"
    module = ""
    second = True  # has second derivatives

    def __init__(self) -> None:
        self.load()

    def load(self) -> None:
        self.library: Any = importlib.import_module(self.module)
        self.np: Any = self.library
        self.version: str = getattr(self.library, "__version__", "") or importlib.metadata.version(self.module)

    def data(self, a: np.ndarray) -> Any:
        """A constant of a program."""
        return a

    def array(self, result: Any) -> np.ndarray:
        """What a call gave, to be compared between peers."""
        return np.asarray(result)

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        raise NotImplementedError

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        """The gradient of sum(grad f · v): reverse over reverse, as create_graph=True gives it."""
        raise NotImplementedError


class Bibun(Peer):
    """bibun by `backward()`, as the article writes it."""

    name, module = "bibun", "bibun"

    def load(self) -> None:
        super().load()
        self.np = np

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        variable = self.library.Variable

        def call() -> Any:
            v = variable(x)
            y = f(np, v, *data)
            y.backward()
            return y.data, v.grad.data

        return call

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        variable = self.library.Variable

        def call() -> Any:
            w = variable(x)
            f(np, w, *data).backward(create_graph=True)
            g = w.grad
            w.cleargrad()
            np.sum(g * v).backward()
            return w.grad.data

        return call


class BibunGrad(Bibun):
    """bibun by its transforms: `value_and_grad`, and `grad` of `grad`."""

    name = "bibun grad"

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        both = self.library.value_and_grad(lambda x: f(np, x, *data))
        return lambda: both(x)

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        gradient = self.library.grad(lambda x: f(np, x, *data))
        product = self.library.grad(lambda x: np.sum(gradient(x) * v))
        return lambda: product(x)


class BibunForward(BibunGrad):
    """bibun's `hvp`: forward over reverse. Of first derivatives it has nothing of its own to say."""

    name = "bibun hvp"

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        raise NotImplementedError

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        product = self.library.hvp
        return lambda: product(lambda x: f(np, x, *data), (x,), (v,))


class Torch(Peer):
    name, module = "PyTorch", "torch"

    def load(self) -> None:
        super().load()
        self.library.set_num_threads(1)

    def data(self, a: np.ndarray) -> Any:
        return self.library.from_numpy(a.copy())

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        torch, constants, start = self.library, [self.data(a) for a in data], self.data(x)

        def call() -> Any:
            v = start.detach().requires_grad_()
            y = f(torch, v, *constants)
            y.backward()
            return y.detach(), v.grad

        return call

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        torch, constants, start, direction = self.library, [self.data(a) for a in data], self.data(x), self.data(v)

        def call() -> Any:
            w = start.detach().requires_grad_()
            (g,) = torch.autograd.grad(f(torch, w, *constants), w, create_graph=True)
            (h,) = torch.autograd.grad((g * direction).sum(), w)
            return h

        return call


class Autograd(Peer):
    name, module = "autograd", "autograd"

    def load(self) -> None:
        super().load()
        self.np = importlib.import_module("autograd.numpy")

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        both = self.library.value_and_grad(lambda x: f(self.np, x, *data))
        return lambda: both(x)

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        gradient = self.library.grad(lambda x: f(self.np, x, *data))
        product = self.library.grad(lambda x: self.np.sum(gradient(x) * v))
        return lambda: product(x)


class MyGrad(Peer):
    name, module, second = "MyGrad", "mygrad", False

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        mygrad = self.library

        def call() -> Any:
            v = mygrad.tensor(x)
            y = f(mygrad, v, *data)
            y.backward()
            return y.data, v.grad

        return call


class Jax(Peer):
    """JAX as it is without `jit`: operations go out one by one. (Under `jax.disable_jit` it is 4 times slower.)"""

    name, module = "JAX", "jax"

    def load(self) -> None:
        super().load()
        self.library.config.update("jax_enable_x64", True)
        self.np = importlib.import_module("jax.numpy")

    def data(self, a: np.ndarray) -> Any:
        return self.np.asarray(a)

    def ready(self, f: Program, *args: Any) -> Call:
        wait = self.library.block_until_ready
        return lambda: wait(f(*args))

    def value_and_grad(self, f: Program, x: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        both = self.library.value_and_grad(lambda x, *data: f(self.np, x, *data))
        return self.ready(both, self.data(x), *map(self.data, data))

    def hvp(self, f: Program, x: np.ndarray, v: np.ndarray, data: Sequence[np.ndarray]) -> Call:
        gradient = self.library.grad(lambda x, *data: f(self.np, x, *data))
        product = self.library.grad(lambda x, v, *data: self.np.sum(gradient(x, *data) * v))
        return self.ready(product, self.data(x), self.data(v), *map(self.data, data))


class JaxJit(Jax):
    """JAX compiled, the compilation not counted: another kind of thing than recording, shown for scale."""

    name = "JAX jit"

    def ready(self, f: Program, *args: Any) -> Call:
        return super().ready(self.library.jit(f), *args)


PEERS: tuple[type[Peer], ...] = (Bibun, BibunGrad, BibunForward, Torch, Autograd, MyGrad, Jax, JaxJit)


def another_version(source: str, name: str) -> Any:
    """The package below `source`, imported under another name, so that it stands beside the installed one."""
    path = Path(source) / "bibun" / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"{source} holds no package bibun: give the folder above it, as in --base ../old/src")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load(bases: Sequence[str] = (), only: Sequence[str] = ()) -> tuple[list[Peer], list[str]]:
    """The peers that are installed, and a line about each that is not."""
    peers: list[Peer] = []
    absent: list[str] = []
    for cls in PEERS:
        if only and cls.module != "bibun" and cls.name.lower() not in only and cls.module not in only:
            continue
        try:
            peers.append(cls())
        except ImportError as e:
            absent.append(f"{cls.name}: skipped ({e})")
    for i, source in enumerate(bases):
        another_version(source, f"bibun_base{i}")
        for cls in (Bibun, BibunGrad, BibunForward):
            name = cls.name.replace("bibun", f"base{i or ''}")
            peers.append(type(f"Base{i}{cls.__name__}", (cls,), {"name": name, "module": f"bibun_base{i}"})())
    return peers, absent
