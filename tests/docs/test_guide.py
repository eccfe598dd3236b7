"""The guide: what it quotes is what R printed, and R's numbers are bibun's, to the digits that R prints.

Doctest runs its code. golden/guide_r.txt is the output of docs/guide.R, in parts that begin with `## name`.
"""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("formulaic")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "guide.md").read_text(encoding="utf-8")
PRINTED = (ROOT / "tests/golden/guide_r.txt").read_text(encoding="utf-8")
PARTS = {n: t.strip("\n") for n, t in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PRINTED, flags=re.M | re.S)}
NUMBER = re.compile(r"(?<![\w.(])-?\d+(?:\.\d+)?(?:e[-+]\d+)?(?![\w(])")


@pytest.fixture(scope="module")
def made():
    """What the guide's code leaves behind."""
    space = {}
    test = doctest.DocTestParser().get_doctest(GUIDE, space, "guide.md", str(DOCS / "guide.md"), 0)
    for example in test.examples:
        if not example.source.startswith("print("):
            exec(example.source, space)
    return space


def rows(part, *names):
    """The numbers of lines that begin with a name, and how many decimals R gave each."""
    found = []
    for name in names:
        line = next(t for t in PARTS[part].splitlines() if t.startswith(f"{name} "))
        found.append(NUMBER.findall(line[len(name) :].replace("< 2e-16", "").replace("***", "")))
    return found


def same(ours, printed):
    """Equal to the last digit that is printed; R's errors are of its last step but one, good to six digits."""
    for value, text in zip(np.ravel(ours), printed, strict=True):
        mantissa, _, power = text.partition("e")
        unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
        assert abs(value - float(text)) <= max(0.501 * unit, 1e-6 * abs(value)), (value, text)


R_NAMES = ["(Intercept)", "trtprogabide", "log(base/4)", "log(age)"]


def table(r, *columns):
    return [[t[c] for c in columns] for t in r.tidy()]


def test_every_quotation_is_what_r_printed():
    quoted = re.findall(r"^```text\n(.*?)\n```$", GUIDE, flags=re.M | re.S)
    assert quoted == list(PARTS.values())


def test_poisson_line_by_line(made):
    r = made["r"]
    for ours, printed in zip(table(r, "estimate", "std_error", "statistic"), rows("poisson", *R_NAMES), strict=True):
        same(ours, printed[:3])
    same([t["p_value"] for t in r.tidy()][:2], [line[3] for line in rows("poisson", *R_NAMES)[:2]])
    said = PARTS["poisson"]
    numbers = re.search(r"Null deviance: (\S+)  on (\d+).*Residual deviance: +(\S+)  on (\d+).*AIC: (\S+)", said, re.S)
    same([r.null_deviance, r.nobs - 1, r.deviance, r.df_resid, r.aic], numbers.groups())
    quartiles = NUMBER.findall(re.search(r"Min.*?\n(.*?)\n", said).group(1))
    same(np.quantile(r.residuals("deviance"), [0, 0.25, 0.5, 0.75, 1]), quartiles)
    assert r.scale == 1 and r.glance()["iterations"] < 10
    np.testing.assert_allclose(made["fit"].coef, r.coef, rtol=1e-9)
    np.testing.assert_allclose(made["fit"].se(), r.se(), rtol=1e-8)


def test_clusters(made):
    for ours in (made["robust"], made["fit"].with_cov("cluster", "subject")):
        for mine, printed in zip(
            table(ours, "estimate", "std_error", "statistic"), rows("clustered", *R_NAMES), strict=True
        ):
            same(mine, printed)


def test_negative_binomial_has_the_coefficients_and_other_errors(made):
    nb, theirs = made["nb"], np.array(rows("negative binomial", *R_NAMES), float)
    np.testing.assert_allclose(nb.coef[:4], theirs[:, 0], rtol=1e-6)
    theta, error, twice = map(float, NUMBER.findall(PARTS["negative binomial"].splitlines()[-1]))
    np.testing.assert_allclose([nb.coef[4], 2 * nb.loglik], [theta, twice], rtol=1e-7)
    assert (np.abs(nb.se() / [*theirs[:, 1], error] - 1) > 1e-3).all()
    # R's: the expected information of the coefficients at that θ, and the observed one of θ alone
    mean = nb.fittedvalues
    X = nb.design.matrix(made["table"])
    expected = np.linalg.inv(X.T @ (X * (mean / (1 + mean / theta))[:, None]))
    np.testing.assert_allclose(np.sqrt(np.diag(expected)), theirs[:, 1], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.inv(nb.cov_params())[4, 4] ** -0.5, error, rtol=1e-5)


def test_profile_ends_are_nearer_than_a_spline(made):
    printed = np.array(rows("profile", *R_NAMES), float)
    np.testing.assert_allclose(made["r"].conf_int(method="profile"), printed, rtol=2e-6)


def test_nested(made):
    numbers = NUMBER.findall(PARTS["nested"].splitlines()[-1])
    smaller = made["bb"].glm("y ~ log(base/4) + log(age)", made["table"], family="poisson")
    lr = made["r"].compare(smaller).lr
    same([made["r"].df_resid, made["r"].deviance, lr.df], numbers[1:4])
    np.testing.assert_allclose([lr.statistic, lr.p_value], np.array(numbers[4:], float), rtol=1e-4)  # R cuts the digits


def test_predictions(made):
    p = made["r"].predict(made["new"])
    for ours, line in zip(
        np.column_stack([p.value, p.se, p.conf_int()]), PARTS["predicted"].splitlines()[1:], strict=True
    ):
        same(ours, NUMBER.findall(line)[1:])


def test_linear_regression(made):
    m, said = made["m"], PARTS["lm"]
    for ours, printed in zip(
        table(m, "estimate", "std_error", "statistic"),
        rows("lm", "(Intercept)", "flipper_length_mm", "sexmale"),
        strict=True,
    ):
        same(ours, printed[:3])
    adjusted = 1 - (1 - m.rsquared) * (m.nobs - 1) / m.df_resid
    numbers = re.search(
        r"error: (\S+) on (\d+).*squared:  (\S+),.*squared:  (\S+) \nF-statistic: (\S+) on (\d+)", said, re.S
    )
    F = m.test("flipper_length_mm = 0, sex[T.male] = 0")
    same([m.scale**0.5, m.df_resid, m.rsquared, adjusted, F.statistic, F.df], numbers.groups())
    assert f"({m.nobs + 11:g}" not in said and "(11 observations deleted" in said
    ends = m.predict(made["birds"], interval="prediction")
    for ours, line in zip(np.column_stack([ends.value, ends.conf_int()]), said.splitlines()[-2:], strict=True):
        same(ours, NUMBER.findall(line)[1:])
