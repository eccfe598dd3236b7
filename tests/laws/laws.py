"""The laws, as functions that raise AssertionError: the tests apply them to every case, the mutants to broken rules."""

import warnings
from typing import Any

import numpy as np

import bibun as bb
from bibun.core.domains import static
from tests.laws.cases import Case


def outputs(out: Any) -> tuple[Any, ...]:
    return tuple(out) if isinstance(out, (tuple, list)) else (out,)


def floats(out: Any) -> list[np.ndarray]:
    """The differentiable results as arrays."""
    return [
        a
        for a in (np.asarray(getattr(o, "data", o) if isinstance(o, bb.Variable) else o) for o in outputs(out))
        if a.dtype.kind in "fc"
    ]


def like(arrays: list[Any], seed: int) -> list[np.ndarray]:
    """Random directions: of the shape and the floating type of each array."""
    rng = np.random.default_rng(seed)
    out = []
    for a in map(np.asarray, arrays):
        t = rng.normal(size=a.shape)
        if a.dtype.kind == "c":
            t = t + 1j * rng.normal(size=a.shape)
        out.append(np.asarray(t, a.dtype if a.dtype.kind in "fc" else np.float64))
    return out


def inner(a: Any, b: Any) -> float:
    return sum(float(np.sum(np.real(np.asarray(x) * np.asarray(y)))) for x, y in zip(a, b, strict=True))


def close(a: Any, b: Any, rtol: float, what: str) -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, f"{what}: shape {a.shape} against {b.shape}"
    scale = max(float(np.max(np.abs(b), initial=0.0)), 1e-3)
    worst = float(np.max(np.abs(a - b), initial=0.0))
    assert worst <= rtol * scale, f"{what}: {a} against {b} (off by {worst / scale:.2e})"


def value(case: Case, xs: list[np.ndarray]) -> None:
    """On Variables the value, its shape and its dtype are what NumPy gives for arrays."""
    plain = outputs(case.f(*xs))
    recorded = outputs(case.f(*[bb.Variable(x) for x in xs]))
    assert len(plain) == len(recorded)
    for p, r in zip(plain, recorded, strict=True):
        p, r = np.asarray(p), np.asarray(r.data if isinstance(r, bb.Variable) else r)
        assert p.dtype == r.dtype, f"dtype {r.dtype}, NumPy's is {p.dtype}"
        np.testing.assert_allclose(
            r, p, rtol=1e-12 if p.dtype != np.float32 else 1e-5, atol=1e-14 if p.dtype != np.float32 else 1e-6
        )


def difference(f: Any, xs: list[np.ndarray], ts: list[np.ndarray], h: float = 1e-3) -> list[np.ndarray]:
    """The directional derivative by differences, error O(h^6)."""
    out = None
    for c, k in ((3 / 4, 1), (-3 / 20, 2), (1 / 60, 3)):
        plus = floats(f(*[x + k * h * t for x, t in zip(xs, ts, strict=True)]))
        minus = floats(f(*[x - k * h * t for x, t in zip(xs, ts, strict=True)]))
        terms = [c * (p - m) / h for p, m in zip(plus, minus, strict=True)]
        out = terms if out is None else [a + b for a, b in zip(out, terms, strict=True)]
    return out or []


def forward(case: Case, xs: list[np.ndarray]) -> None:
    """The forward derivative is the difference quotient."""
    ts = like(xs, 1)
    _, t = bb.jvp(case.f, xs, ts)
    numeric = difference(case.f, xs, ts)
    for a, b in zip([o for o in map(np.asarray, outputs(t)) if o.dtype.kind in "fc"], numeric, strict=True):
        close(a, b, 2e-7, "forward against differences")


def adjoint(case: Case, xs: list[np.ndarray]) -> None:
    """<g, J t> = <Jᵀg, t>, in each argument and in all, and the gradients have the shape and dtype of the arguments."""
    ts = like(xs, 2)
    y, pullback = bb.vjp(case.f, *xs)
    gs = like(list(outputs(y)), 3)
    back = pullback(tuple(gs) if isinstance(y, tuple) else gs[0])
    for b, x in zip(back, xs, strict=True):
        assert np.shape(b) == x.shape, f"a gradient of shape {np.shape(b)} for {x.shape}"
        assert np.asarray(b).dtype == x.dtype, f"a gradient of dtype {np.asarray(b).dtype} for {x.dtype}"
    for k in range(len(xs) + 1):
        directions = ts if k == len(xs) else [t if i == k else np.zeros_like(t) for i, t in enumerate(ts)]
        if k < len(xs):

            def f(x: Any, k: int = k) -> Any:
                return case.f(*xs[:k], x, *xs[k + 1 :])

            _, jt = bb.jvp(f, (xs[k],), (ts[k],))
            _, single = bb.vjp(f, xs[k])
            (only,) = single(tuple(gs) if isinstance(y, tuple) else gs[0])
            close(only, back[k], 1e-10, f"gradient of argument {k} alone against with the others")
        else:
            _, jt = bb.jvp(case.f, xs, ts)
        left = inner(
            gs, [np.real(o) if np.asarray(g).dtype.kind != "c" else o for g, o in zip(gs, outputs(jt), strict=True)]
        )
        right = inner(back, directions)
        close(left, right, 1e-9, f"adjointness in argument {k}")


def scalar(case: Case, like_y: list[np.ndarray]) -> Any:
    """The case followed by a curved map to one number."""
    gs = like(like_y, 4)

    def s(*xs: Any) -> Any:
        total: Any = 0.0
        for o, g in zip(outputs(case.f(*xs)), gs, strict=True):
            if getattr(o, "dtype", np.dtype(float)).kind == "c":
                o, g = np.real(o) + 0.7 * np.imag(o), np.real(g)
            total = total + np.sum(g * o + 0.1 * g * o * o)
        return total

    return s


def second(case: Case, xs: list[np.ndarray]) -> None:
    """Second derivatives: forward over reverse, reverse over reverse, and differences of the gradient agree."""
    if case.rule.second:
        return
    s = scalar(case, list(outputs(case.f(*xs))))
    ts = like(xs, 5)
    nums = tuple(range(len(xs)))
    if not xs:
        return
    g = bb.grad(s, nums)
    fr = outputs(bb.jvp(g, xs, ts)[1])
    rr = outputs(bb.grad(lambda *z: sum([np.sum(np.real(a * t)) for a, t in zip(g(*z), ts, strict=True)]), nums)(*xs))
    numeric = difference(g, xs, ts)
    for a, b, c in zip(fr, rr, numeric, strict=True):
        close(a, b, 1e-8, "forward over reverse against reverse over reverse")
        close(a, c, 2e-6, "second derivative against differences of the gradient")


DATA_TYPES = (np.uint8, np.int8, np.int64, np.bool_)


def data_of(x: np.ndarray, dtype: Any) -> np.ndarray:
    """Whole numbers of a small type, some of them too large to be squared or doubled in it."""
    if dtype is np.bool_:
        return x > 0
    largest = 200 if dtype is np.uint8 else 100
    values = np.array([1, 2, largest, 3]) if dtype is np.uint8 else np.array([1, -2, largest, 3])
    return np.resize(values, x.shape).astype(dtype)


def data_types(case: Case, xs: list[np.ndarray]) -> None:
    """Data of a small type beside a tracked operand give the derivatives that the same numbers give in float64."""
    for k, x in enumerate(xs):
        others = [i for i in range(len(xs)) if i != k]
        if x.dtype.kind != "f" or not others:
            continue
        for dtype in DATA_TYPES:
            data = data_of(x, dtype)

            def derivatives(b: np.ndarray, k: int = k, others: list[int] = others) -> list[Any]:
                def f(*zs: Any) -> Any:
                    args: list[Any] = [*zs[:k], b, *zs[k:]]
                    return sum(np.sum(np.real(o) * np.real(o)) for o in outputs(case.f(*args)))

                g = bb.grad(f, tuple(range(len(others))))
                zs = [xs[i] for i in others]
                ts = like(zs, 8)
                return [*g(*zs), *([] if case.rule.second else bb.jvp(g, zs, ts)[1])]

            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    plain, small = (outputs(case.f(*xs[:k], b, *xs[k + 1 :])) for b in (data.astype(np.float64), data))
                    expected = derivatives(data.astype(np.float64))
                except (np.linalg.LinAlgError, ValueError, TypeError):  # whole numbers may be no argument of it
                    continue
                if not all(np.allclose(p, s, 1e-12, 0, equal_nan=True) for p, s in zip(plain, small, strict=True)):
                    continue  # NumPy's own arithmetic wraps
                found = derivatives(data)
            for a, b in zip(found, expected, strict=True):
                assert np.asarray(a).dtype == np.asarray(b).dtype
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"argument {k} as {dtype.__name__}")


def order_types(case: Case, xs: list[np.ndarray]) -> None:
    """So do whole numbers of a small type as an operand that has no derivative, an order or a shape."""
    if case.rule.kind != "elementwise" or not case.rule.without:
        return
    for dtype in (np.uint8, np.int8, np.int64):

        def second(dtype: Any) -> list[Any]:
            template = [
                static(dtype(np.rint(a.value))[()]) if i in case.rule.without and isinstance(a, static) else a
                for i, a in enumerate(case.template)
            ]
            f = Case(case.rule, case.label, tuple(template), case.keywords).f
            g = bb.grad(lambda *zs: np.sum(f(*zs) ** 2), tuple(range(len(xs))))
            return [*g(*xs), *bb.jvp(g, xs, like(xs, 9))[1]]

        with np.errstate(all="ignore"):
            try:
                expected = second(np.float64)
            except TypeError:  # a function of our own, called with Python's whole numbers only
                return
            for a, b in zip(second(dtype), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"orders of type {dtype.__name__}")
