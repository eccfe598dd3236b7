"""Elastic-net paths beside glmnet (polished), and by their stationarity."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models import elastic_net_fit
from bibun.models.active_set import minimum

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
CASES = {k: c for k, c in GOLDEN["cases"].items() if k.startswith("net_")}


def data_of(name):
    d = GOLDEN["data"][name]
    return {k: np.array(v, object if k in d["levels"] else float) for k, v in d["columns"].items()}


def near(found, right, rtol=1e-9):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * max(np.abs(right).max(initial=0.0), 1e-3))


@pytest.mark.parametrize("name", list(CASES))
def test_as_glmnet(name):
    c = CASES[name]
    for step in c["path"]:
        # for gaussian responses glmnet divides the quadratic part by the response's standard deviation
        l1, l2 = step["lambda"] * c["alpha"], step["lambda"] * (1 - c["alpha"]) / (c["sd_y"] or 1.0)
        lam, alpha = l1 + l2, l1 / (l1 + l2)
        r = bb.elastic_net(f"{c['response']} ~ x1 + x2 + g + t", data_of("sim"), c["family"], alpha=alpha,
                           lambdas=[lam], standardize=c["standardize"], weights=c["weights"])  # fmt: skip
        assert r.converged
        near(r.coef[0], step["coef"])
        near(r.intercept[0], step["intercept"])
        assert r.df[0] == step["df"]
        assert r.dev_ratio[0] == pytest.approx(step["dev_ratio"], abs=1e-9)
    near(r.null_deviance * (np.sum(data_of("sim")[c["weights"]]) if c["weights"] else 120), c["null_deviance"], 1e-6)


def some(n=80, p=6, seed=4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * [1, 10, 0.1, 1, 5, 2][:p] + 3
    eta = 0.8 * (X[:, 0] - 3) - 0.05 * (X[:, 1] - 3)
    return {f"x{k}": X[:, k] for k in range(p)} | {
        "gaussian": eta + rng.normal(size=n), "binomial": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        "poisson": rng.poisson(np.exp(eta)).astype(float), "o": rng.normal(size=n) * 0.3,
        "w": rng.integers(0, 4, n).astype(float),
    }  # fmt: skip


COLUMNS = "x0 + x1 + x2 + x3 + x4 + x5"
INVERSE = {"gaussian": lambda e: e, "binomial": lambda e: 1 / (1 + np.exp(-e)), "poisson": np.exp}


@pytest.mark.parametrize("family", list(INVERSE))
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_slopes_are_what_the_penalty_allows(family, alpha):
    d = some()
    r = bb.elastic_net(f"{family} ~ {COLUMNS}", d, family, alpha=alpha, offset="o", weights="w", n_lambdas=20)
    assert r.converged and len(r.lambdas) == 20
    X, w = np.column_stack([d[f"x{k}"] for k in range(6)]), d["w"] / d["w"].sum()
    s = np.sqrt(w @ (X - w @ X) ** 2)
    for lam, b, b0 in zip(r.lambdas, r.coef, r.intercept, strict=True):
        left = w * (d[family] - INVERSE[family](b0 + X @ b + d["o"]))
        assert abs(left.sum()) < 1e-12
        slope = left @ (X - w @ X) / s - lam * (1 - alpha) * b * s
        on = b != 0
        near(slope[on], lam * alpha * np.sign(b[on]), 1e-8)
        assert (np.abs(slope[~on]) <= lam * alpha * (1 + 1e-8) + 1e-14).all()
    if alpha == 1:
        assert r.df[0] == 0 and r.df[-1] == 6
    assert (np.diff(r.dev_ratio) > -1e-9).all()


def test_a_weak_penalty_is_none():
    d = some()
    for family in INVERSE:
        r = bb.elastic_net(f"{family} ~ {COLUMNS}", d, family, lambdas=[1e-10])
        near([r.intercept[0], *r.coef[0]], bb.glm(f"{family} ~ {COLUMNS}", d, family).coef, 1e-6)


def test_ridge_is_glms():
    d = some()
    r = bb.elastic_net(f"poisson ~ {COLUMNS}", d, "poisson", alpha=0, lambdas=[0.1], standardize=False)
    near([r.intercept[0], *r.coef[0]], bb.glm(f"poisson ~ {COLUMNS}", d, "poisson", penalty=0.1 * 80).coef, 1e-8)


def test_more_columns_than_rows_and_columns_twice():
    rng = np.random.default_rng(0)
    d = {f"x{k}": rng.normal(size=20) for k in range(60)}
    d |= {
        "y": d["x0"] - d["x1"] + 0.1 * rng.normal(size=20),
        "again": d["x0"],
        "against": -d["x0"],
        "still": np.ones(20),
    }
    rhs = " + ".join([*[f"x{k}" for k in range(60)], "again", "against", "still"])
    for alpha in (1.0, 0.5):
        r = bb.elastic_net(f"y ~ {rhs}", d, alpha=alpha)
        assert r.converged and np.isfinite(r.coef).all() and (r.coef[:, -1] == 0).all()
        assert r.dev_ratio[-1] > 0.99


def test_units_do_not_matter_when_standardized():
    d = some()
    a = bb.elastic_net(f"binomial ~ {COLUMNS}", d, "binomial", alpha=0.5, lambdas=[0.1, 0.01])
    b = bb.elastic_net(
        f"binomial ~ {COLUMNS}", {**d, "x0": 1e6 * d["x0"] + 5e6}, "binomial", alpha=0.5, lambdas=[0.1, 0.01]
    )
    near(b.coef * [1e6, 1, 1, 1, 1, 1], a.coef, 1e-8)
    near(b.dev_ratio, a.dev_ratio, 1e-9)


def test_fits_between_the_penalties_of_a_path_are_exact():
    d = some()
    path = bb.elastic_net(f"gaussian ~ {COLUMNS}", d, lambdas=[0.5, 0.01])
    alone = bb.elastic_net(f"gaussian ~ {COLUMNS}", d, lambdas=[0.07])
    at = path.at(0.07)
    near([at[n] for n in ("Intercept", *path.labels)], [alone.intercept[0], *alone.coef[0]])
    near(path.predict(d, 0.07), alone.intercept[0] + np.column_stack([d[n] for n in path.labels]) @ alone.coef[0])
    missing = path.predict({n: [np.nan if n == "x1" else 1.0] for n in path.labels}, 0.5)
    assert np.isnan(missing).all()


@pytest.mark.parametrize("family", list(INVERSE))
def test_columns_that_are_looked_for(family, monkeypatch):
    """Columns come in as they are needed, and the path is the same."""
    rng = np.random.default_rng(1)
    d = some(60, 2) | {f"z{k}": rng.normal(size=60) for k in range(90)}
    f = f"{family} ~ x0 + x1 + {' + '.join(f'z{k}' for k in range(90))}"
    whole = bb.elastic_net(f, d, family, alpha=0.9, n_lambdas=12, smallest=0.05)
    monkeypatch.setattr(elastic_net_fit, "WHOLE", 10)
    r = bb.elastic_net(f, d, family, alpha=0.9, n_lambdas=12, smallest=0.05)
    assert r.converged and 0 < r.df[-1] < len(r.rows.descent.columns) < 92
    near(r.coef, whole.coef)
    near(r.dev_ratio, whole.dev_ratio)
    X, w = r.rows.X, r.rows.w
    left = w * (d[family] - r.predict(lam=float(r.lambdas[-1])))
    slope = left @ (X - w @ X) / X.std(axis=0) - r.lambdas[-1] * 0.1 * r.coef[-1] * X.std(axis=0)
    assert (np.abs(slope) <= 0.9 * r.lambdas[-1] * (1 + 1e-8)).all()


def test_a_path_in_rows_and_in_a_file():
    d = some()
    r = bb.elastic_net(f"poisson ~ {COLUMNS}", d, "poisson", offset="o", n_lambdas=5)
    near(r.predict(lam=0.02), r.predict(d, 0.02, offset=d["o"]))
    rows = r.tidy()
    assert len(rows) == r.df.sum() + 5 and rows[0]["term"] == "Intercept" and rows[0]["lambda"] == r.lambdas[0]
    last = {t["term"]: t["estimate"] for t in rows if t["step"] == 4}
    at = r.at(float(r.lambdas[4]))
    assert last == pytest.approx({n: b for n, b in at.items() if b != 0}, rel=1e-13)
    assert r.glance()["null_deviance"] == r.null_deviance
    again = pickle.loads(pickle.dumps(r))
    near(list(again.at(0.03).values()), list(r.at(0.03).values()))


def test_cross_validation():
    d = some()
    path = bb.elastic_net(f"binomial ~ {COLUMNS}", d, "binomial", n_lambdas=15)
    cv = path.cross_validate(5, rng=1)
    assert cv.scores.shape == (5, 15) and cv.simplest >= cv.best
    fold = np.arange(80) % 4
    cv = path.cross_validate(fold)
    kept = {k: v[fold != 2] for k, v in d.items()}
    part = bb.elastic_net(f"binomial ~ {COLUMNS}", kept, "binomial", lambdas=path.lambdas)
    mean = part.predict({k: v[fold == 2] for k, v in d.items()}, float(path.lambdas[7]))
    y = d["binomial"][fold == 2]
    assert cv.scores[2, 7] == pytest.approx(-2 * np.mean(y * np.log(mean) + (1 - y) * np.log1p(-mean)))
    near(cv.mean, cv.scores.mean(axis=0))
    near(cv.se, cv.scores.std(axis=0, ddof=1) / 2)


def test_text_responses_and_categories():
    d = some()
    text = np.where(d["binomial"] == 1, "yes", "no")
    a = bb.elastic_net("y ~ x0 + x1", {**d, "y": text}, "binomial", lambdas=[0.05])
    near(a.coef, bb.elastic_net("binomial ~ x0 + x1", d, "binomial", lambdas=[0.05]).coef)
    g = bb.elastic_net("gaussian ~ g + x0", {**d, "g": np.array(list("abcd") * 20)}, lambdas=[0.01])
    assert g.labels == ["g[T.b]", "g[T.c]", "g[T.d]", "x0"]
    none = bb.elastic_net("gaussian ~ x0 - 1", d, lambdas=[0.01], standardize=False)
    assert none.intercept[0] == 0 and "Intercept" not in none.at(0.01)


def test_refused_with_a_reason():
    d = some()
    with pytest.raises(ValueError, match="alpha"):
        bb.elastic_net("gaussian ~ x0", d, alpha=2)
    with pytest.raises(ValueError, match="lambdas"):
        bb.elastic_net("gaussian ~ x0", d, lambdas=[0.0])
    with pytest.raises(NotDefined, match="glm"):
        bb.elastic_net("poisson ~ x0", d, "gamma")
    with pytest.raises(ValueError, match="poisson response"):
        bb.elastic_net("gaussian ~ x0", d, "poisson")
    with pytest.raises(ValueError, match="all rows"):
        bb.elastic_net("y ~ x0", {**d, "y": np.ones(80)}, "binomial")
    with pytest.raises(ValueError, match="no columns"):
        bb.elastic_net("gaussian ~ 1", d)
    r = bb.elastic_net("gaussian ~ x0 + x1", d, n_lambdas=3)
    for undefined in ("bse", "se", "cov_params", "conf_int", "test", "loglik", "residuals", "params"):
        with pytest.raises(NotDefined, match="glm"):
            getattr(r, undefined)
    with pytest.raises(NotDefined, match="cross_validate"):
        r.predict(d)
    assert not hasattr(r, "elsewhere")
    with pytest.raises(ValueError, match="rng"):
        r.cross_validate(5)
    with pytest.raises(ValueError, match="greater than 0"):
        r.at(0)
    assert "Lasso" in str(r.summary())


@pytest.mark.parametrize("rank", [3, 8])
def test_quadratics_with_absolute_values(rank):
    """Against their own conditions, full rank or not, from any start."""
    rng = np.random.default_rng(rank)
    for _ in range(30):
        A = rng.normal(size=(rank, 8))
        H, c = A.T @ A, A.T @ rng.normal(size=rank)
        l1 = np.where(rng.random(8) < 0.2, 0.0, rng.exponential(0.3, 8))
        l2 = rng.exponential(0.3, 8) * (rng.random() < 0.5)
        b = minimum(H, c, l1, l2, rng.normal(size=8) * (rng.random(8) < 0.5))
        slope = c - H @ b - l2 * b
        on = b != 0
        near(slope[on], l1[on] * np.sign(b[on]), 1e-8)
        assert (np.abs(slope[~on]) <= l1[~on] + 1e-9).all()
