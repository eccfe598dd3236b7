"""maketables' plug-in format: what it asks of a result has the numbers of the result."""

import numpy as np
import pytest

import bibun as bb

pytest.importorskip("formulaic")
pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
X = RNG.normal(size=50)
DATA = {"y": RNG.poisson(np.exp(0.3 + 0.5 * X)).astype(float), "x": X, "g": np.array(list("abc") * 17)[:50]}


def results():
    rows = lambda p, d: bb.stats.norm.logpdf(d.y, p.mu, p.s)
    return {
        "poisson": bb.glm("y ~ x + g", DATA, "poisson"),
        "robust": bb.glm("y ~ x", DATA).with_cov("sandwich"),
        "own": bb.MLE(rows, {"mu": bb.Real(), "s": bb.Positive()}).fit({"y": X}),
    }


@pytest.mark.parametrize("name", ["poisson", "robust", "own"])
def test_the_table_of_coefficients(name):
    r = results()[name]
    table = r.__maketables_coef_table__
    assert list(table.index) == r.labels and table.index.name == "Coefficient"
    np.testing.assert_array_equal(table["b"], r.coef)
    np.testing.assert_array_equal(table["se"], r.se())
    np.testing.assert_array_equal(table[["ci95l", "ci95u"]], r.conf_int())
    np.testing.assert_array_equal(table[["ci90l", "ci90u"]], r.conf_int(0.9))
    np.testing.assert_array_equal(table["p"], [row["p_value"] for row in r.tidy()])


def test_figures():
    poisson, robust, own = results().values()
    stat = poisson.__maketables_stat__
    assert (stat("N"), stat("ll"), stat("aic"), stat("r2")) == (50, poisson.loglik, poisson.aic, None)
    assert stat("pseudo_r2") == 1 - poisson.loglik / poisson.null_loglik
    assert robust.__maketables_stat__("r2") == robust.rsquared
    assert robust.__maketables_stat__("rmse") == np.sqrt(robust.scale)
    assert robust.__maketables_vcov_info__["vcov_type"] == "sandwich"
    assert poisson.__maketables_depvar__ == "y"
    assert own.__maketables_stat__("deviance") is None and own.__maketables_stat__("what") is None
    assert own.__maketables_default_stat_keys__ == ["N", "ll", "aic", "se_type"]


def test_a_loaded_result_has_it_too(tmp_path):
    r = results()["poisson"]
    r.save(tmp_path / "fit.json")
    table = bb.load(tmp_path / "fit.json").__maketables_coef_table__
    np.testing.assert_array_equal(table["se"], r.se())


@pytest.mark.filterwarnings("default")
def test_maketables_makes_a_table():
    maketables = pytest.importorskip("maketables")
    text = str(maketables.ETable(list(results().values())).df.to_string())
    assert "0.489" in text or f"{results()['poisson'].coef[1]:.3f}" in text
    assert "Pseudo R²" in text and "sandwich" in text
