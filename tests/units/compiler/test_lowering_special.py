"""Every special function kernels have against NumPy's and SciPy's; and that all of bibun.stats has kernels."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import bibun as bb
import bibun.stats
from bibun.compiler import lowering_special, lowering_ufuncs, machine, vector_special
from bibun.compiler.expression import Expression, Expressions
from bibun.compiler.scalar_math import LOWERED, PRIMITIVE, lowered
from bibun.core.rule import TABLE
from bibun.transforms.recording import Recorded
from tests.units.compiler.kernels import compiled

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

RULES = {rule.name: rule for rule in TABLE if rule.kind == "elementwise"}
NUMPY = {name for name, line in LOWERED.items() if line.__module__ == lowering_ufuncs.__name__}
ORDERS: dict[str, list[tuple[int, ...]]] = {
    "polygamma": [(0,), (1,), (2,), (3,)], "digamma_step": [(0,), (1,)], "student_constant": [(0,), (1,), (2,)],
    "exp_moment": [(0,), (1,), (2,), (3,)], "log_moment": [(0,), (1,), (2,)], "log_mean": [(0,), (1,), (2,), (3,)],
    "ierfc_ratio": [(1,), (2,)], "ierfc_scaled": [(1,), (2,)], "rising": [(0,), (1,), (2,)],
    "zeta_moment": [(0,), (1,), (2,)], "dawsn_derivative": [(1,), (2,)], "exp_integral": [(2,), (1,), (0,), (-1,)],
    "ive_derivative": [(1, 0), (2, 0), (1, 1)], "kve_derivative": [(1, 0), (2, 0), (1, 1)],
}  # fmt: skip
RANGE = {
    "zeta_moment": (1.1, 30), "erfinv": (-1, 1), "erfcinv": (0, 2), "ndtri": (0, 1), "ndtri_exp": (-30, 0),
    "logit": (0, 1), "logit_slope": (0, 1), "expi": (-50, 50), "gamma": (0.01, 100), "rgamma": (-5, 100),
    "i0": (-50, 50), "i1": (-50, 50), "erfi": (-5, 5), "exprel": (-50, 50), "exp10": (-300, 300), "erfcx": (-5, 50),
    "rel_entr": (0, 50), "kl_div": (0, 50), "log_ratio": (0.001, 50),
}  # fmt: skip
"""Where a function is tried: by default (0.01, 50)."""

ARRAYS: dict[str, Callable[[np.random.Generator], tuple[np.ndarray, ...]]] = {
    "rising": lambda g: (g.integers(0, 50, 300).astype(float), 10 ** g.uniform(-8, 2, 300)),
    "betainc": lambda g: (g.uniform(0.5, 20, 300), g.uniform(0.5, 20, 300), g.uniform(0, 1, 300)),
    "hyp1f1": lambda g: (g.uniform(0.5, 3, 300), g.uniform(0.5, 3, 300), g.uniform(-3, 3, 300)),
    "hyp2f1": lambda g: (*g.uniform(0.5, 3, (3, 300)), g.uniform(-0.9, 0.9, 300)),
    "nbdtr": lambda g: (g.integers(0, 9, 300) * 1.0, g.integers(1, 9, 300) * 1.0, g.uniform(0, 1, 300)),
    "expn": lambda g: (g.integers(0, 9, 300) * 1.0, g.uniform(0.1, 9, 300)),
    "stdtrit": lambda g: (g.uniform(0.5, 20, 300), g.uniform(0, 1, 300)),
    "binom": lambda g: (g.uniform(5, 20, 300), g.uniform(0, 5, 300)),
    "inv_boxcox": lambda g: (g.uniform(0.1, 3, 300), g.uniform(0.1, 3, 300)),
    "log_moment": lambda g: (g.normal(size=300), g.normal(size=300)),
    "digamma_step": lambda g: (g.uniform(0.1, 30, 300), g.uniform(0.1, 30, 300)),
    "chdtri": lambda g: (g.uniform(0.5, 20, 300), g.uniform(0, 1, 300)),
    "fdtri": lambda g: (g.uniform(2, 20, 300), g.uniform(2, 20, 300), g.uniform(0.1, 0.9, 300)),
    "iv": lambda g: (g.integers(0, 4, 300) * 1.0, g.uniform(0.1, 30, 300)),
    "powm1": lambda g: (g.uniform(0.1, 3, 300), g.uniform(0.1, 3, 300)),
}  # fmt: skip
for _like, _names in {
    "betainc": "betaincc betaincinv betaincinv betainccinv beta_density", "nbdtr": "nbdtrc",
    "inv_boxcox": "inv_boxcox1p boxcox boxcox1p", "chdtri": "gammaincinv gammainccinv",
    "iv": "ive jv jve kn kv kve yn yv yve", "powm1": "pseudo_huber owens_t poch beta",
}.items():  # fmt: skip
    ARRAYS |= dict.fromkeys(_names.split(), ARRAYS[_like])
TOLERANCE = {
    # SciPy's exp(±x²) far out and cos(x) - 1; divergences of nearly equal numbers cancel, in both
    "erfc": 3e-13, "inverse_mills": 3e-13, "log_ndtr": 3e-13, "cosm1": 1e-13, "kl_div": 1e-11, "betaln": 1e-13,
    # their near forms cancel, in the rule more than here
    "student_constant": 3e-13, "rising": 3e-13,
}  # fmt: skip
"""Relative; 2e-14 where nothing is said."""

NONE = {
    "zeta": "the Hurwitz zeta function has no C entry in SciPy",
}
"""Rules of SciPy's functions without a kernel, and why."""


@pytest.fixture(autouse=True)
def scipy_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "load", functools.partial(machine.load, symbols=vector_special.symbols()))


def special_rules() -> list[str]:
    modules = ("special", "stats")
    rules = {r.name for r in RULES.values() if any(f".{m}" in str(getattr(r.run, "__module__", "")) for m in modules)}
    import scipy.special as sp

    return sorted(rules | {name for name in RULES if name not in NUMPY and (hasattr(sp, name) or name == "zeta")})


def cases() -> list[tuple[str, tuple[int, ...]]]:
    return [(n, o) for n in special_rules() if n not in NONE and n not in NUMPY for o in ORDERS.get(n, [()])]


def arguments(name: str, n: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(11)
    if name in ARRAYS:
        return ARRAYS[name](rng)
    low, high = RANGE.get(name, (0.01, 50))
    return tuple(rng.uniform(low, high, (n, 300)))


@pytest.mark.parametrize("name, statics", cases())
def test_equals_eager(name: str, statics: tuple[int, ...]) -> None:
    rule = RULES[name]
    xs = arguments(name, rule.operands - len(statics))
    home = Expressions()
    roots = lowered([home.make(name, *statics, *[home.leaf("input", k) for k in range(len(xs))])])
    assert roots is not None, f"{name} has no kernel"
    (y,) = compiled(roots, len(xs))(*xs)
    with np.errstate(all="ignore"):
        expected = np.asarray(rule.run(*statics, *xs), float)
    scale = 1e-300 + (1e-15 if name in ("gammaln", "log_beta", "betaln", "kl_div", "rel_entr", "rising") else 0)
    np.testing.assert_allclose(y, expected, TOLERANCE.get(name, 2e-14), scale)


SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 2, -2, 3, 1e-310, 1e-160, -1e-160,
                    1e160, -1e160, 1e300, -1e300, 40, -40, 750.0, -750, 1e-9, 5.5, -5.5])  # fmt: skip
EDGES = [
    "gammaln",
    "psi",
    "erf",
    "erfc",
    "erfcx",
    "ndtr",
    "log_ndtr",
    "expit",
    "log_expit",
    "logit",
    "logistic_density",
    "softplus",
    "exprel",
    "entr",
    "cosm1",
    "expm1",
    "xlogy",
    "xlog1py",
    "quotient",
    "shortfall",
    "rel_entr",
    "kl_div",
    "huber",
    "proper_part",
    "log1mexp",
    "bose",
    "inverse_mills",
    "betaln",
]
EXCEPT: dict[str, list[float]] = {"gammaln": [1e-310], "betaln": [1e-310, 1e160, 1e300]}
"""Where SciPy's value is not the function's: log Γ(1e-310) is 713.8, not infinite; of the largest
numbers its log B(x, y) is off, or NaN."""


@pytest.mark.parametrize("name", EDGES)
def test_edges_are_scipys(name: str) -> None:
    rule = RULES[name]
    pairs = [x.ravel() for x in np.meshgrid(SPECIAL, SPECIAL)] if rule.operands == 2 else [SPECIAL]
    home = Expressions()
    roots = lowered([home.make(name, *[home.leaf("input", k) for k in range(len(pairs))])])
    assert roots is not None
    (y,) = compiled(roots, len(pairs))(*pairs)
    with np.errstate(all="ignore"):
        expected = np.asarray(rule.run(*pairs), float)
    usual = np.all([~np.isin(x, EXCEPT.get(name, [])) for x in pairs], axis=0)
    if name == "kl_div":  # SciPy divides, and is infinite where the quotient leaves the range: its logarithm does not
        a, b = pairs
        with np.errstate(all="ignore"):
            usual &= ~((a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b) & ((a / b == 0) | np.isinf(a / b)))
    if name == "rel_entr":  # an older SciPy (1.13) divides, and loses what leaves the range; the logarithms do not
        a, b = pairs
        with np.errstate(all="ignore"):
            far = (a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b) & ((a / b < 1e-307) | np.isinf(a / b))
            expected = np.where(far, a * (np.log(a) - np.log(b)), expected)
    with np.errstate(all="ignore"):
        close = np.isfinite(expected) & (np.abs(y - expected) <= 1e-13 * np.abs(expected))
    same = (y == expected) | (np.isnan(y) & np.isnan(expected)) | close
    wrong = np.flatnonzero(usual & ~same & ~((np.abs(y) < 1e-300) & (np.abs(expected) < 1e-300)))
    assert not wrong.size, [(*(float(x[i]) for x in pairs), float(y[i]), float(expected[i])) for i in wrong[:12]]


def test_logistic_functions_share_one_exponential() -> None:
    home = Expressions()
    x = home.leaf("input", 0)
    made = [home.make(f, x) for f in ("expit", "log_expit", "softplus", "logistic_density")]
    roots = lowered([*made, home.make("logaddexp", x, home.number(0.0))])
    assert roots is not None
    assert sum(e.op == "exp" for e in set().union(*map(_behind, roots))) == 1


def test_log_ndtr_and_its_slopes_share() -> None:
    """The slope of inverse_mills becomes a function of x, whose parts log_ndtr has already."""
    home = Expressions()
    x = home.leaf("input", 0)
    u = home.make("multiply", x, -np.sqrt(0.5))
    roots = lowered([home.make("ierfc_ratio", 1, u)])
    assert roots is not None
    assert {"mills_excess"} <= {e.op for e in _behind(roots[0])}


def _behind(e: Expression) -> set[Expression]:
    return {e}.union(*(_behind(a) for a in e.args if isinstance(a, Expression)))


# --- bibun.stats -----------------------------------------------------------------------------------------------------

SHAPES: dict[str, tuple[float, ...]] = {
    "beta": (2.0, 3.0), "genextreme": (0.1,), "genpareto": (0.1,), "triang": (0.4,), "truncnorm": (-1.0, 2.0),
    "vonmises": (2.0,), "exponnorm": (1.0,), "skewnorm": (1.0,), "t": (4.0,), "betaprime": (2.0, 3.0), "chi2": (3.0,),
    "f": (3.0, 4.0), "gamma": (2.0,), "invgamma": (2.0,), "invgauss": (2.0,), "lognorm": (1.0,), "pareto": (2.0,),
    "weibull_min": (2.0,), "bernoulli": (0.3,), "betabinom": (9.0, 2.0, 3.0), "binom": (9.0, 0.3), "geom": (0.3,),
    "nbinom": (3.0, 0.4), "poisson": (2.0,), "zipf": (2.5,),
}  # fmt: skip
NATURAL = [
    ("bernoulli", ("logit",)), ("binom", ("n", "logit")), ("geom", ("logit",)), ("poisson", ("log_rate",)),
    ("nbinom", ("mu", "alpha")), ("nbinom", ("log_mu", "alpha")),
]  # fmt: skip
STRUCTURE = {"sum", "reshape", "broadcast_to", "identity", "unbroadcast"}
"""What has to do with arrays: not for the code of a row."""


def densities() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in bibun.stats.__all__:
        if hasattr(getattr(bibun.stats, name), "density"):
            yield name, ()
    yield from NATURAL


@pytest.mark.parametrize("name, words", list(densities()))
def test_distributions_have_kernels(name: str, words: tuple[str, ...]) -> None:
    """The log-density, its gradient and its Hessian, in the variable and all parameters."""
    distribution = getattr(bibun.stats, name)
    discrete = distribution.density == "logpmf"
    x = np.array([1.0, 0.0, 1.0]) if name == "bernoulli" else np.array([1.0, 2, 3]) if discrete else np.full(3, 0.5)
    values = (
        [0.3 + k for k in range(len(words))] if words else [*SHAPES.get(name, ()), *([] if discrete else [0.1, 1.2])]
    )
    if words and words[0] == "n":
        values[0] = 9.0

    def total(*args: Any) -> Any:
        if words:
            return np.sum(getattr(distribution, distribution.density)(x, **dict(zip(words, args, strict=True))))
        return np.sum(getattr(distribution, distribution.density)(*args))

    args = [np.asarray(v) for v in values] if words else [x, *(np.asarray(v) for v in values)]
    wanted = tuple(range(len(args))) if words or not discrete else tuple(range(1, len(args)))

    def slope(*args: Any) -> Any:
        return bb.grad(lambda *c: sum(np.sum(v) for v in bb.grad(total, wanted)(*c)), wanted)(*args)

    missing = set()
    for f in (total, bb.grad(total, wanted), slope):
        missing |= set(without_kernel(Recorded(f, args, "compile").nodes))
    assert not missing - STRUCTURE, f"{name}: no kernel for {', '.join(sorted(missing - STRUCTURE))}"


def without_kernel(nodes: list[Any]) -> Iterator[str]:
    """Names of recorded operations that no kernel can write, orders and all."""
    home = Expressions()
    for node in nodes:
        rule = node.rule.rule
        op = rule.name
        args = []
        for k, v in enumerate(node.values):
            fixed = k not in node.rule.where and not isinstance(v, (np.ndarray, np.floating, float))
            leaf = home.leaf("input", k)
            truth = getattr(getattr(v, "_data", v), "dtype", None) == np.bool_
            args.append(v if fixed else home.make("isnan", leaf) if truth else leaf)
        try:
            done = op in STRUCTURE or lowered([home.make(op, *args)]) is not None
        except TypeError:
            done = False
        if not done and rule.kind != "composite":
            yield op


def test_orders_beyond_the_kernels_are_refused() -> None:
    home = Expressions()
    x = home.leaf("input", 0)
    for op, n in (("polygamma", 4), ("exp_moment", 4), ("ierfc_ratio", 3), ("log_mean", 4), ("zeta_moment", 4)):
        assert lowered([home.make(op, n, x)]) is None
    assert lowered([home.make("zeta", x, x)]) is None


def test_names_are_known() -> None:
    """No line is without use: each is the name of a rule."""
    lines = {n for n, line in LOWERED.items() if line.__module__ == lowering_special.__name__}
    assert lines <= set(RULES)
    assert set(" ".join(vector_special.PER_LANE.values()).split()) <= set(RULES) & PRIMITIVE
