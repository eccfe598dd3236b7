"""What only a fresh process can tell: first calls, and memory beyond the data. compiled.py runs it; JSON to stdout.

`python fresh.py first LIBRARY ROWS COLUMNS` (bibun, jax, jax-started), `… chain LIBRARY` (bibun, jax, ddx),
`… memory ROWS COLUMNS`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np


def first(name: str, n: int, k: int) -> dict[str, float]:
    """Seconds of the first call of a value and gradient, after the import, and of the second call."""
    from libraries import Bibun, Jax
    from likelihoods import logistic_logaddexp, made

    X, beta, y = made(n, k)
    library = Bibun() if name == "bibun" else Jax()
    if name == "jax-started":
        library.np.zeros(3).block_until_ready()  # JAX's backend starts with the first array
    start = time.perf_counter()
    call = library.value_and_grad(logistic_logaddexp, beta, (X, y))
    call()
    middle = time.perf_counter()
    call()
    return {"first": middle - start, "second": time.perf_counter() - middle}


def chain_of(name: str) -> tuple[Any, Any]:
    """A maker of the chain's value and gradient, and of a call that only runs it."""
    from cases import chain

    x = np.array([0.1])
    if name == "ddx":
        import ddx

        def model() -> Any:
            v = ddx.var("x")
            for _ in range(250):
                v = ddx.sin(v) * 0.9 + v * v * 0.1
            return v

        equation: list[Any] = []

        def make() -> Any:
            equation.append(ddx.equation(model))
            equation[0].compile()
            return lambda: equation[0].jacobian([0.1])

        return make, lambda: equation[0].buffer(x.copy())
    from libraries import Bibun, Eager, Jax

    library = {"bibun": Bibun, "eager": Eager, "jax": Jax}[name]()
    program = chain(250)
    return lambda: library.value_and_grad(lambda np, special, x: program(np, x), x, ()), None


def chain_ready(name: str) -> dict[str, float]:
    """Seconds from the function to its first value and gradient."""
    make, _ = chain_of(name)
    start = time.perf_counter()
    make()()
    return {"ready": time.perf_counter() - start}


def peak() -> int:
    """The most memory this process has held, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def memory(n: int, k: int) -> dict[str, float]:
    """Peak memory of value + gradient + Hessian over what the process held with the data and the library loaded."""
    from libraries import Bibun
    from likelihoods import logistic_logaddexp, made

    library = Bibun()
    X, beta, y = made(n, k)
    small = library.all_three(logistic_logaddexp, beta[:2], (X[:4, :2].copy(), y[:4]))
    small()  # what importing costs is not the data's
    before = peak()
    call = library.all_three(logistic_logaddexp, beta, (X, y))
    call()
    call()
    return {"data": X.nbytes + y.nbytes, "beyond": peak() - before}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    run = {"first": first, "chain": chain_ready, "memory": memory}[what]
    print(json.dumps(run(*[int(a) if a.isdigit() else a for a in rest])))
