"""Saved results: what works after `load` (the table of docs/results.md), and files that nobody saved."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.ordinal import ordinal
from bibun.models.regression import linear, multinomial

pytest.importorskip("formulaic")
DOCS = Path(__file__).parents[3] / "docs" / "results.md"


def rows(seed=0, n=60):
    rng = np.random.default_rng(seed)
    return {
        "y": rng.poisson(3, n) + 0.5,
        "count": rng.poisson(3, n).astype(float),
        "over": rng.negative_binomial(3, 0.4, n).astype(float),
        "x": rng.uniform(1, 5, n),
        "z": rng.normal(size=n),
        "g": np.array(list("abc") * (n // 3), object),
        "k": rng.integers(4, 7, n).astype(float),
        "e": rng.uniform(1, 2, n),
    }


def again(r, tmp_path):
    r.save(tmp_path / "fit.json")
    return bb.load(tmp_path / "fit.json")


FORMULAS = [
    "count ~ bs(log(x), df=5) + poly(x, 2) + scale(z)*g + C(k, contr.sum) + offset(log(e))",
    "count ~ 0 + cr(x, df=4) + center(z) + np.log(x):C(g, levels=['b', 'a', 'c'])",
    "count ~ . - e - y - over",
    "count ~ 0 + g + lag(x, 1)",
    "count ~ C(k) / z + I(x**2 - 1) + cc(x, df=4)",
    "count ~ 1",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_loaded_formula_encodes_new_data_as_the_fit_did(formula, tmp_path):
    d = rows()
    d["z"][3] = np.nan
    r = bb.glm(formula, d, family="poisson")
    s = again(r, tmp_path)
    new = {k: v[10:40] for k, v in d.items()}
    for kind in (None, "observed"):
        p, q = r.predict(new, kind=kind), s.predict(new, kind=kind)
        assert np.array_equal(p.value, q.value, equal_nan=True)
        assert np.array_equal(p.se, q.se, equal_nan=True)
        assert np.array_equal(p.conf_int(), q.conf_int(), equal_nan=True)
    assert str(r.summary()) == str(s.summary())
    if "g" in formula:
        with pytest.raises(ValueError, match="not seen"):
            s.predict({**new, "g": ["d"] * 30})


@pytest.mark.parametrize(
    "options",
    [
        {"family": "poisson", "cluster": "g"},
        {"family": "gamma"},
        {"family": "quasi-poisson"},
        {"family": "tweedie", "power": 1.3},
        {},
        {"family": "negative-binomial"},
        {"weights": "e", "weights_are": "sampling"},
        {"weights": "e", "weights_are": "variance"},
        {"penalty": 2.0, "family": "poisson"},
    ],
    ids=lambda o: "-".join(map(str, o.values())) or "linear",
)
def test_regressions_say_the_same_after_load(options, tmp_path):
    d = rows()
    r = bb.glm(("over" if "binomial" in str(options) else "y") + " ~ x + g", d, **options)
    s = again(r, tmp_path)
    assert str(r.summary(0.9)) == str(s.summary(0.9))
    assert r.summary()._repr_html_() == s.summary()._repr_html_()
    assert r.tidy() == s.tidy()
    assert r.glance() == s.glance()
    assert np.array_equal(r.cov_params(), s.cov_params())
    assert str(r.test("x = 0, g[T.b] = g[T.c]")) == str(s.test("x = 0, g[T.b] = g[T.c]"))
    g = lambda p: p["x"] / p["g[T.b]"]
    np.testing.assert_allclose([r.delta(g).value, r.delta(g).se], [s.delta(g).value, s.delta(g).se], rtol=1e-12)
    assert s.params == r.params
    assert s.bse == r.bse
    r.save(tmp_path / "first.json")
    s.save(tmp_path / "second.json")
    one, two = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("first", "second"))
    assert {**one, "methods": 0} == {**two, "methods": 0}


def likelihood(p, d):
    inverse = np.linalg.inv(p.S)
    r = d.y - p.mu
    return -0.5 * np.sum((r @ inverse) * r, axis=1) - 0.5 * np.log(np.linalg.det(p.S)) + 0.0 * np.sum(p.f)


def test_every_kind_of_parameter(tmp_path):
    rng = np.random.default_rng(1)
    y = rng.normal(size=(40, 2))
    params = {
        "mu": bb.Real(2),
        "S": bb.CovarianceMatrix(2, names=["a", "b"]),
        "f": bb.Fixed([[1.0, 2.0]]),
        "t": bb.Tied("mu"),
    }
    r = bb.MLE(likelihood, params).fit({"y": y})
    s = again(r, tmp_path)
    assert str(r.summary()) == str(s.summary())
    assert np.array_equal(s.params["S"], r.params["S"])
    assert s.delta(lambda p: p.S[0, 1]).se == pytest.approx(r.delta(lambda p: p.S[0, 1]).se, rel=1e-12)
    f, new = (lambda p, d: p.mu * d["c"]), {"c": np.ones(2)}
    assert np.array_equal(s.predict(f, new).se, r.predict(f, new).se)
    c, x = rng.integers(0, 3, 40), rng.uniform(-0.5, 1, 40)

    def rest(p, d):
        spread = -0.5 * ((d.x - p.a) / p.s) ** 2 - np.log(p.s)
        return (
            np.log(p.w[d.c]) + spread - (d.x + p.n) ** 2 + np.log(p.u[0]) + np.log1p(-p.u[0]) - np.sum((p.o - d.q) ** 2)
        )

    params = {
        "w": bb.Simplex(3), "a": bb.Interval(-1, 2), "s": bb.Positive(), "n": bb.Negative(), "u": bb.UnitInterval(1),
        "o": bb.Ordered(2),
    }  # fmt: skip
    p = bb.MLE(rest, params).fit({"c": c, "x": x, "q": np.array([0.0, 1.0])})
    s = again(p, tmp_path)
    assert str(p.summary()) == str(s.summary())
    assert np.array_equal(s.conf_int(), p.conf_int())


def test_nonlinear_and_multinomial(tmp_path):
    d = rows()
    x = np.linspace(1, 5, 30)
    y = 2 * np.exp(-0.5 * x) + np.random.default_rng(0).normal(size=30) * 0.05
    q = bb.nls(lambda p, d: p.a * np.exp(-p.b * d.x), {"a": 1.0, "b": 1.0}, {"x": x, "y": y})
    s = again(q, tmp_path)
    assert str(q.summary()) == str(s.summary())
    assert (s.rss, s.df_resid, str(s.test("a = 2"))) == (q.rss, q.df_resid, str(q.test("a = 2")))
    for name in ("residuals", "predict"):
        with pytest.raises(NotDefined):
            getattr(s, name)()
    codes = np.unique(d["g"].astype(str), return_inverse=True)[1].astype(float)
    m = multinomial(np.column_stack([np.ones(60), d["x"]]), codes, ["const", "x"], ["a", "b", "c"])
    s = again(m, tmp_path)
    assert str(m.summary()) == str(s.summary())
    with pytest.raises(NotDefined):
        s.predict(np.ones((1, 2)))


def test_models_of_parts_keep_their_tables(tmp_path):
    d = rows()
    r = ordinal("g ~ x + z", d, levels={"g": ["a", "b", "c"]})
    s = again(r, tmp_path)
    assert str(r.summary()) == str(s.summary())
    assert s.params == r.params
    assert np.array_equal(s.conf_int(), r.conf_int())
    with pytest.raises(NotDefined, match="from a file"):
        s.predict({"x": [1.0], "z": [0.0]})


def test_undetermined_coefficients_stay_undetermined(tmp_path):
    x = np.arange(6.0)
    r = linear(np.column_stack([np.ones(6), x, 2 * x]), x**2, ["const", "a", "b"])
    s = again(r, tmp_path)
    new = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 5.0]])
    assert np.array_equal(s.predict(new).se, r.predict(new).se, equal_nan=True)
    assert np.isnan(s.predict(new).se).tolist() == [False, True]
    assert s.certificate.problems == r.certificate.problems


def test_the_table_of_the_docs_is_what_works_after_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    d = rows()
    full = bb.glm("count ~ x + g", d, family="poisson", cluster="k")
    s = again(full, tmp_path)
    lines = re.findall(r"^\| `(.+)` \| (works|needs .+?) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) > 30
    names = {"r": s, "full": full, "new": {"x": [1.0, 2.0], "g": ["a", "b"]}, "np": np, "other": bb.glm("count ~ 1", d, family="poisson")}  # fmt: skip
    for call, said in lines:
        for other in (False, True):
            names["r"] = full if other else s
            try:
                out = eval(call, dict(names))
                assert other or said == "works", f"{call} works after load: {out!r}"
            except NotDefined as error:
                assert not other and said != "works", f"{call}: {error}"
    said = {re.match(r"r\.(\w+)", call)[1] for call, _ in lines}
    public = {n for n in dir(type(full)) if not n.startswith("_")}
    assert public <= said, sorted(public - said)


def test_no_data_and_no_code_in_the_file(tmp_path):
    d = rows()
    d["x"][:] = np.round(d["x"], 5) + 0.00000123
    r = bb.glm("count ~ x + z + g", d, family="poisson")
    r.save(tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    for name in ("x", "z"):
        assert not any(repr(v) in text for v in d[name].tolist())
    json.loads(text, parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))


def test_code_of_ones_own_is_refused(tmp_path):
    class Mine(bb.Real):
        pass

    r = bb.MLE(lambda p, d: -((d.y - p.a) ** 2), {"a": Mine()}).fit({"y": np.arange(3.0)})
    with pytest.raises(NotDefined, match="Mine, which is code"):
        r.save(tmp_path / "a.json")


def spoil(text, change):
    saved = json.loads(text)
    change(saved)
    return json.dumps(saved)


SPOILED = {
    "empty": lambda t: "",
    "half": lambda t: t[: len(t) // 2],
    "a list": lambda t: "[1, 2]",
    "another program's": lambda t: '{"format": "other"}',
    "deep": lambda t: "[" * 100_000,
    "version": lambda t: t.replace('"version": 1', '"version": 99'),
    "no u": lambda t: spoil(t, lambda s: s.pop("u")),
    "text for u": lambda t: spoil(t, lambda s: s.update(u="abc")),
    "short u": lambda t: spoil(t, lambda s: s["u"].pop()),
    "matrix": lambda t: spoil(t, lambda s: s["covariances"]["observed"]["matrix"].pop()),
    "no covariance": lambda t: spoil(t, lambda s: s.update(covariances={})),
    "labels": lambda t: spoil(t, lambda s: s["labels"].reverse()),
    "huge": lambda t: spoil(t, lambda s: s.update(parameters=[["a", {"kind": "Real", "shape": [10**12], "names": None}]])),
    "huge matrix": lambda t: spoil(
        t, lambda s: s.update(parameters=[["a", {"kind": "CovarianceMatrix", "size": 10**8, "names": None}]])
    ),
    "strange parameter": lambda t: spoil(t, lambda s: s["parameters"][0][1].update(kind="os")),
    "base parameter": lambda t: spoil(t, lambda s: s["parameters"][0][1].update(kind="Parameter")),
    "strange family": lambda t: spoil(t, lambda s: s["regression"]["model"].update(family="__import__")),
    "strange link": lambda t: spoil(t, lambda s: s["regression"]["model"].update(link="eval")),
    "formula of code": lambda t: spoil(
        t, lambda s: s["regression"]["design"].update(formula="count ~ __import__('os').system('echo')")
    ),
    "another formula": lambda t: spoil(t, lambda s: s["regression"]["design"].update(formula="count ~ x")),
    "wide formula": lambda t: spoil(
        t,
        lambda s: s["regression"]["design"].update(
            formula="count ~ x:g:count2", columns=["x", "g", "count2"],
            levels={f"f{k}": [str(v) for v in range(1000)] for k in range(4)},
        ),
    ),
    "null": lambda t: spoil(t, lambda s: s["regression"].update(null_shape=[3, 10**9])),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_a_broken_file_is_one_sentence(how, tmp_path):
    path = tmp_path / "a.json"
    bb.glm("count ~ x + g", rows(), family="poisson").save(path)
    path.write_text(SPOILED[how](path.read_text()))
    with pytest.raises(ValueError, match=r"a\.json is no result that bibun saved: ") as error:
        bb.load(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_of_a_stranger_replaces_no_method(tmp_path):
    path = tmp_path / "a.json"
    bb.glm("count ~ x + g", rows(), family="poisson").save(path)
    figures = {"save": "x", "predict": 1, "_kept": "x", "__class__": "x", "objective": 1, "scale": 1.0}
    path.write_text(spoil(path.read_text(), lambda s: s["figures"].update(figures)))
    r = bb.load(path)
    assert callable(r.save)
    assert callable(r.predict)
    assert isinstance(r._kept, dict)
    with pytest.raises(NotDefined):
        _ = r.objective.data


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a").write_bytes(b"\x80\x04\x95\xff\x00")
    with pytest.raises(ValueError, match="is no result"):
        bb.load(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        bb.load(tmp_path / "none")
