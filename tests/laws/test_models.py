"""Every model × every method: a finite value, or `NotDefined` with the reason and what there is instead. Never NaN.

A new family of glm is tried by being in the table; another model is a line of `MODELS`, a method a line of `METHODS`.
"""

import pickle

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.families import FAMILIES
from bibun.models.links import LINKS
from bibun.models.regression import linear, logistic, multinomial

pytest.importorskip("formulaic")

RNG = np.random.default_rng(2)
N = 60
X1, X2 = RNG.uniform(-1, 1, size=(2, N))
G = np.repeat(list("abc"), N // 3)
W = RNG.integers(1, 4, size=N).astype(float)
ETA = 0.2 + 0.5 * X1 - 0.4 * X2 + 0.3 * (G == "b")
OFFSET = 0.1 * RNG.normal(size=N)
DATA = {"x1": X1, "x2": X2, "g": G, "w": W, "id": np.repeat(np.arange(15), 4), "o": OFFSET}
PROBABILITY, MEAN = 1 / (1 + np.exp(-ETA)), np.exp(ETA)
RESPONSES = {
    "gaussian": ETA + 0.3 * RNG.normal(size=N),
    "binomial": (RNG.uniform(size=N) < PROBABILITY).astype(float),
    "quasi-binomial": (RNG.uniform(size=N) < PROBABILITY).astype(float),
    "poisson": RNG.poisson(MEAN).astype(float),
    "quasi-poisson": RNG.poisson(MEAN).astype(float),
    "negative-binomial": RNG.poisson(MEAN * RNG.gamma(1.0, 1.0, size=N)).astype(float),
    "gamma": RNG.gamma(3.0, MEAN / 3.0),
    "inverse-gaussian": RNG.wald(MEAN, 4.0),
    "tweedie": np.where(RNG.uniform(size=N) < 0.3, 0.0, RNG.gamma(2.0, MEAN / 2.0)),
    "beta": RNG.beta(5 * PROBABILITY, 5 * (1 - PROBABILITY)),
}
GRADES = np.digitize(ETA + RNG.logistic(size=N), [-0.5, 1.0]).astype(float)
INFLATED = np.where(RNG.uniform(size=N) < 0.3, 0.0, RNG.poisson(2 * MEAN))
LINK = {"gamma": "log", "inverse-gaussian": "log"}


def of_family(name):
    d = {**DATA, "y": RESPONSES[name]}
    return lambda: bb.glm("y ~ x1 + x2 + g", d, name, link=LINK.get(name))


def normal_rows(p, d):
    return bb.stats.norm.logpdf(d.y, p.a + p.b * d.x, p.s)


def weibull_rows(p, d):
    return np.where(d.event == 1, np.log(p.k) - np.log(p.c) + (p.k - 1) * np.log(d.t / p.c), 0.0) - (d.t / p.c) ** p.k


def normal_sum(p, d):
    return np.sum(normal_rows(p, d))


def share_rows(p, d):
    return np.log(p.w[d.c])


def decay(p, d):
    return p.a * np.exp(-p.k * d.x)


A = np.column_stack([np.ones(N), X1, X2])
NAMES = ["const", "x1", "x2"]
MODELS = {
    **{f"glm {name}": of_family(name) for name in FAMILIES},
    "glm, weights and offset": lambda: bb.glm(
        "y ~ x1 + offset(o)", {**DATA, "y": RESPONSES["poisson"]}, "poisson", weights="w"
    ),
    "glm, sampling weights": lambda: bb.glm(
        "y ~ x1", {**DATA, "y": RESPONSES["binomial"]}, "binomial", weights="w", weights_are="sampling"
    ),
    "glm, ridge": lambda: bb.glm("y ~ x1 + x2", {**DATA, "y": RESPONSES["poisson"]}, "poisson", penalty=1.0),
    "linear of arrays": lambda: linear(A, RESPONSES["gaussian"], NAMES),
    "logistic of arrays": lambda: logistic(A, RESPONSES["binomial"], NAMES),
    "multinomial of arrays": lambda: multinomial(A, np.arange(N) * 7 % 3, NAMES, list("abc")),
    "own likelihood": lambda: bb.MLE(normal_rows, {"a": bb.Real(), "b": bb.Real(), "s": bb.Positive()}).fit(
        {"x": X1, "y": RESPONSES["gaussian"], "id": DATA["id"]}
    ),
    "own, censored": lambda: bb.MLE(weibull_rows, {"k": bb.Positive(), "c": bb.Positive()}).fit(
        {"t": RESPONSES["gamma"], "event": (X2 > -0.5) * 1.0, "id": DATA["id"]}
    ),
    "own, one number": lambda: bb.MLE(
        normal_sum, {"a": bb.Real(), "b": bb.Real(), "s": bb.Positive()}
    ).fit({"x": X1, "y": RESPONSES["gaussian"], "id": DATA["id"]}),
    "simplex": lambda: bb.MLE(share_rows, {"w": bb.Simplex(3)}).fit(
        {"c": np.arange(N) * 7 % 3, "id": DATA["id"]}
    ),
    "ordinal": lambda: bb.ordinal("y ~ x1 + x2", {**DATA, "y": GRADES}, levels={"y": [0.0, 1.0, 2.0]}),
    "multinomial by formula": lambda: bb.multinomial("y ~ x1 + x2", {**DATA, "y": np.array(list("uvw"))[np.arange(N) * 7 % 3]}),
    "zero-inflated": lambda: bb.zero_inflated("y ~ x1", {**DATA, "y": INFLATED}),
    "hurdle": lambda: bb.hurdle("y ~ x1", {**DATA, "y": INFLATED}),
    "censored": lambda: bb.censored("y ~ x1 + x2", {**DATA, "y": np.maximum(RESPONSES["gaussian"], 0.0)}, left=0.0),
    "survival": lambda: bb.survival("y ~ x1", {**DATA, "y": RESPONSES["gamma"], "event": (X2 > -0.5) * 1.0}, event="event"),
    "beta, two designs": lambda: bb.beta_regression("y ~ x1", {**DATA, "y": RESPONSES["beta"]}, precision="~ x2"),
    "cox": lambda: bb.cox("~ x1 + x2", {**DATA, "time": RESPONSES["gamma"], "event": (X2 > -0.5) * 1.0}),
    "firth": lambda: bb.firth("y ~ x1 + x2", {**DATA, "y": RESPONSES["binomial"]}),
    "quantile": lambda: bb.quantile_regression("y ~ x1 + x2", {**DATA, "y": RESPONSES["gaussian"]}, 0.3),
    "robust": lambda: bb.robust_regression("y ~ x1 + x2", {**DATA, "y": RESPONSES["gaussian"]}),
    "robust, bisquare": lambda: bb.robust_regression("y ~ x1 + x2", {**DATA, "y": RESPONSES["gaussian"]}, "bisquare"),
    "elastic net": lambda: bb.elastic_net("y ~ x1 + x2", {**DATA, "y": RESPONSES["poisson"]}, "poisson", n_lambdas=5),
    "nls": lambda: bb.nls(
        decay, {"a": 1.0, "k": 0.1}, {"x": X1, "y": MEAN + 0.1 * OFFSET, "id": DATA["id"]}
    ),
}  # fmt: skip


def read(r):
    """The column to contrast: of categories, where the model reads one."""
    return "g" if any("g[" in label for label in r.labels) else "x1"


METHODS = {
    "params": lambda r: r.params,
    "bse": lambda r: r.bse,
    "loglik": lambda r: [r.loglik, r.aic, r.bic],
    "deviance": lambda r: [r.deviance, r.null_deviance],
    **{f"cov {kind}": lambda r, kind=kind: r.cov_params(kind) for kind in ("observed", "expected", "opg", "sandwich")},
    "cov sandwich full": lambda r: r.cov_params("sandwich", ssc="full"),
    "cov HC3": lambda r: r.cov_params("sandwich", ssc="HC3"),
    "cov cluster": lambda r: r.cov_params("cluster", DATA["id"]),
    "cov hac": lambda r: r.cov_params("hac", lags=2),
    "with_cov": lambda r: r.with_cov("cluster", DATA["id"]).se(),
    "conf_int wald": lambda r: r.conf_int(),
    "conf_int profile": lambda r: r.conf_int(method="profile", parm=[r.labels[0]]),
    "test wald": lambda r: r.test(np.eye(len(r.labels))[:1]).p_value,
    "test lr": lambda r: r.test((np.eye(len(r.labels))[:1], r.coef[:1] * 0.9), kind="lr").p_value,
    "test score": lambda r: r.test((np.eye(len(r.labels))[:1], r.coef[:1] * 0.9), kind="score").p_value,
    "scores": lambda r: r.scores(),
    "tidy": lambda r: [[v for k, v in t.items() if k != "term"] for t in r.tidy()],
    "glance": lambda r: [v for v in r.glance().values() if isinstance(v, float)],
    "summary": lambda r: len(str(r.summary())),
    "avg_slopes": lambda r: [r.avg_slopes().value, r.avg_slopes().se],
    "avg_predictions": lambda r: [r.avg_predictions().value, r.avg_predictions().se],
    "contrasts": lambda r: [r.contrasts(read(r)).value, r.contrasts(read(r)).se],
    "marginal_means": lambda r: [r.marginal_means(read(r)).value, r.marginal_means(read(r)).se],
    "fittedvalues": lambda r: r.fittedvalues,
    "predict": lambda r: [r.predict().value, r.predict().se],
    **{
        f"residuals {kind}": lambda r, kind=kind: r.residuals(kind)
        for kind in ("response", "pearson", "deviance", "standardized", "quantile")
    },
    "influence": lambda r: r.influence(),
    "simulate": lambda r: r.simulate(3, 2),
    "plot_profile": lambda r: [len(f.svg) * f.traces[0].root for f in [r.plot_profile(r.labels[0])]],
    "plot_diagnostics": lambda r: [len(f.svg) * f.cooks for f in [r.plot_diagnostics()]],
    "pickle": lambda r: pickle.loads(pickle.dumps(r)).coef,
}
_made = {}


def made(name):
    if name not in _made:
        _made[name] = MODELS[name]()
    return _made[name]


def finite(x):
    if isinstance(x, dict):
        return all(finite(v) for v in x.values())
    if isinstance(x, (list, tuple)):
        return all(finite(v) for v in x)
    return bool(np.isfinite(np.asarray(x, float)).all())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", MODELS)
def test_a_value_or_the_reason(model, method):
    r = made(model)
    assert r.converged, str(r.certificate)
    try:
        value = METHODS[method](r)
    except NotDefined as e:
        assert len(str(e)) > 40 and ":" in str(e), f"no reason and no alternative: {e}"
        return
    assert finite(value), value


@pytest.mark.parametrize("name", LINKS)
def test_links_there_and_back(name):
    link = LINKS[name]
    m = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(link.inverse(link.forward(m)), m, rtol=1e-13)
    np.testing.assert_allclose(link.log_mean(link.forward(m)), np.log(m), rtol=1e-12, atol=1e-13)
    if link.log_rest is not None:
        np.testing.assert_allclose(link.log_rest(link.forward(m)), np.log1p(-m), rtol=1e-12, atol=1e-13)
    e, h = link.forward(m), 1e-6
    np.testing.assert_allclose(link.slope(e), (link.inverse(e + h) - link.inverse(e - h)) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_agrees_with_itself(name):
    """What a family says of its rows, deviance, variance and draws is of one distribution."""
    family = FAMILIES[name]
    y, mean = RESPONSES[name], np.clip(MEAN if "binomial" not in name or "neg" in name else PROBABILITY, 0.05, None)
    mean = PROBABILITY if name == "beta" else mean
    more = {"theta": 1.7} if name == "negative-binomial" else {"precision": 5.0} if name == "beta" else {}
    link = LINKS[family.links[0]]
    eta = link.forward(mean)
    rows = np.asarray(family.rows(y, eta, link, 1.0, **more))
    assert rows.shape == y.shape and np.isfinite(rows).all() and family.fits(y).all()
    if name != "beta":
        inside = np.clip(y, 1e-9, 1 - 1e-9) if "binomial" in name and "neg" not in name else np.clip(y, 1e-14, None)
        top = np.asarray(family.rows(y, link.forward(inside) if name != "gaussian" else y, link, 1.0, **more))
        np.testing.assert_allclose(2 * (top - rows), family.deviance(y, mean, **more), rtol=1e-5, atol=1e-6)
    try:
        draws = np.stack([family.draw(np.random.default_rng(k), mean, 1.0, 0.4, **more) for k in range(4000)])
    except NotDefined:
        assert name.startswith("quasi")
        return
    assert family.fits(draws.ravel()).all()
    spread = np.sqrt(family.variance(mean, **more) * (0.4 if family.dispersion else 1.0))
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * spread / np.sqrt(4000)).all()
    np.testing.assert_allclose(draws.std(axis=0), spread, rtol=0.25)
    began = family.begin(draws, np.broadcast_to(mean, draws.shape), np.ones(draws.shape))
    assert began == pytest.approx(more, rel=0.05)


@pytest.mark.parametrize("name", [k for k in FAMILIES if not k.startswith("quasi")])
def test_simulated_responses_give_the_parameters_back(name):
    r = made(f"glm {name}")
    y = np.concatenate(r.simulate(5, 40))
    d = {k: np.tile(v, 40) for k, v in DATA.items()}
    again = bb.glm("y ~ x1 + x2 + g", {**d, "y": y}, name, link=LINK.get(name))
    k = r._model.width
    assert (np.abs(again.coef[:k] - r.coef[:k]) < 5 * again.se()[:k]).all()
