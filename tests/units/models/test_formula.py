"""Formulas: honest ones against formulaic, patsy's rules and hand-made matrices; hostile ones refused; every message read."""

import contextlib
import copy
import os
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bibun.models.data import table
from bibun.models.formula import design
from bibun.models.formula_syntax import parse

from .formula_attacks import ATTACKS, CANARY, RUN, TEXT_ONLY

try:
    import formulaic
except ImportError:  # what is refused is refused without it
    formulaic = None
needs_formulaic = pytest.mark.skipif(formulaic is None, reason="needs formulaic")

N = 40
rng = np.random.default_rng(3)
DATA = {
    "y": rng.normal(size=N),
    "x": rng.uniform(1, 5, size=N),
    "z": rng.uniform(1, 5, size=N),
    "w": rng.integers(1, 9, size=N),
    "n": rng.integers(0, 9, size=N),
    "flag": rng.uniform(size=N) < 0.5,
    "g": np.array(["a", "b", "c", "b"] * 10),
    "h": np.array(["u", "v"] * 20),
    "cyl": np.array([4, 6, 8, 6, 4] * 8),
    "body mass (g)": rng.uniform(1, 2, size=N),
    "体重": rng.uniform(1, 2, size=N),
    "がく 長さ": rng.uniform(1, 2, size=N),
    "Sepal.Length": rng.uniform(1, 2, size=N),
    "class": np.array(["p", "q"] * 20),
    "log": rng.uniform(1, 2, size=N),
    "a:b": rng.uniform(1, 2, size=N),
    "<script>": rng.uniform(1, 2, size=N),
    "=cmd": rng.uniform(1, 2, size=N),
    "degree": rng.uniform(1, 2, size=N),
    "ｶﾅ": rng.uniform(1, 2, size=N),
}


def refused(formula, data=DATA, **more):
    with pytest.raises(ValueError) as info:
        design(formula, data, **more)
    return str(info.value)


# --------------------------------------------------------------------------------------------------------- attacks


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_before_anything_runs(name, monkeypatch):
    monkeypatch.delenv(CANARY, raising=False)
    with pytest.raises(ValueError):
        parse(ATTACKS[name], table(DATA))
    assert CANARY not in os.environ
    if formulaic is None:
        return

    def reached(*args, **kwargs):
        raise AssertionError("formulaic was reached")

    monkeypatch.setattr(formulaic, "Formula", reached)
    monkeypatch.setattr("formulaic.utils.stateful_transforms.stateful_eval", reached)
    message = refused(ATTACKS[name])
    assert CANARY not in os.environ
    assert len(message) < 1500 and message.count("\n") <= 2


@needs_formulaic
@pytest.mark.parametrize("name", TEXT_ONLY)
def test_text_stays_text(name, monkeypatch):
    """A level is text, whatever it says; formulaic never sees it."""
    monkeypatch.delenv(CANARY, raising=False)
    quoted = TEXT_ONLY[name]
    formula = f"y ~ C(g, contr.treatment({quoted})) + x"
    assert "is not a level of" in refused(formula)
    d = design(formula, DATA | {"g": np.array([quoted[1:-1], "b"] * (N // 2))})
    assert len(d.names) == 3 and d.names[1].endswith("[T.b]") and CANARY not in os.environ
    d = design(f"y ~ C(g, levels=['b', {quoted}])", DATA | {"g": np.array([quoted[1:-1], "b"] * (N // 2))})
    assert d.levels[d.names[1].partition("[T.")[0]] == ("b", quoted[1:-1]) and CANARY not in os.environ


def test_there_are_many_attacks():
    assert len(ATTACKS) >= 100


@needs_formulaic
def test_formulaic_alone_runs_it(monkeypatch):
    """The danger is real, and the canary sings."""
    import pandas as pd

    monkeypatch.delenv(CANARY, raising=False)
    frame = pd.DataFrame({"y": [1.0, 2.0], "x": [1.0, 3.0]})
    with contextlib.suppress(Exception):
        formulaic.model_matrix("y ~ {" + RUN + "}", frame)
    assert os.environ.pop(CANARY, None) == "ran"
    code = f"C(x, contr.treatment({TEXT_ONLY['bracket in quotes']}))"
    assert RUN in [t.token for t in formulaic.parser.algos.tokenize(code)]  # a text to us, code to it


@needs_formulaic
def test_the_offender_is_named():
    for formula in ("y ~ {__import__('os').system('true')}", "y ~ I(__import__('os'))", "__import__('os') ~ x"):
        message = refused(formula)
        assert message.startswith(
            "the formula uses `__import__`, which is not among the functions allowed: abs, bs, C,"
        )
        line, caret = message.splitlines()[1:]
        assert line[caret.index("^") :].startswith("__import__")
    assert "`np.load`" in refused("y ~ np.load('x')")
    assert "`log.__globals__`, which is an attribute" in refused("y ~ log.__globals__")
    assert "look like `log`" in refused("y ~ ｌｏｇ(x)")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *"xyzg~+-*/:().,|[]{}`'\"=0123 \n",
                "**",
                "log(",
                "I(",
                "C(",
                "np.",
                "Q('x')",
                "offset(",
                "lag(",
                "__class__",
                "for",
                "poly(",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_whatever_is_typed_is_read_or_refused(text):
    """Only ValueError comes out, and what formulaic is given has no letter of the user's."""
    try:
        read = parse(text, table(DATA))
    except ValueError:
        return
    assert re.fullmatch(r"-?1( [+-] [-f0-9 +*/:()]+)*", read.skeleton)


@needs_formulaic
def test_data_cannot_attack():
    """Names and levels are text, whatever they hold."""
    evil = RUN.replace("`", "")
    data = {"y": [1.0, 2.0, 3.0, 4.0], evil: ["a", evil, "__x", "{0.__class__}"], "f0": [1.0, 3.0, 2.0, 5.0]}
    d = design(f"y ~ f0 + `{evil}`", data)
    assert d.names[1] == "f0" and d.X.shape == (4, 5) and CANARY not in os.environ
    shown = f"`{evil}`"  # it reads as a call: so it stands in backticks
    assert set(d.names[2:]) == {f"{shown}[T.{v}]" for v in sorted(["a", evil, "__x", "{0.__class__}"])[1:]}


# --------------------------------------------------------------------------------------------------------- honest

HONEST = {
    "y ~ x": ["Intercept", "x"],
    "y ~ 1": ["Intercept"],
    "y ~ x + z": ["Intercept", "x", "z"],
    "y ~ x - 1": ["x"],
    "y ~ 0 + x": ["x"],
    "y ~ -1 + x": ["x"],
    "y ~ x + 0": ["x"],
    "y ~ x:z": ["Intercept", "x:z"],
    "y ~ x*z": ["Intercept", "x", "z", "x:z"],
    "y ~ (x + z + w)**2": ["Intercept", "x", "z", "w", "x:z", "x:w", "z:w"],
    "y ~ x*z*w - x:z:w": ["Intercept", "x", "z", "w", "x:z", "x:w", "z:w"],
    "y ~ g": ["Intercept", "g[T.b]", "g[T.c]"],
    "y ~ g - 1": ["g[a]", "g[b]", "g[c]"],
    "y ~ x + C(g) + x:z + log(x)": ["Intercept", "x", "C(g)[T.b]", "C(g)[T.c]", "log(x)", "x:z"],
    "y ~ C(cyl)": ["Intercept", "C(cyl)[T.6]", "C(cyl)[T.8]"],
    "y ~ g/x": ["Intercept", "g[T.b]", "g[T.c]", "g[a]:x", "g[b]:x", "g[c]:x"],
    "y ~ g*x": ["Intercept", "g[T.b]", "g[T.c]", "x", "g[T.b]:x", "g[T.c]:x"],
    "y ~ g:h": ["Intercept", "h[T.v]", "g[T.b]:h[u]", "g[T.c]:h[u]", "g[T.b]:h[v]", "g[T.c]:h[v]"],
    "y ~ 1 + `body mass (g)` + `体重`": ["Intercept", "body mass (g)", "体重"],
    "y ~ 体重 + log(体重)": ["Intercept", "体重", "log(体重)"],
    "y ~ log(`body mass (g)`)": ["Intercept", "log(`body mass (g)`)"],
    "y ~ `がく 長さ`:体重": ["Intercept", "がく 長さ:体重"],
    'y ~ Q("body mass (g)") + Q("体重")': ["Intercept", "body mass (g)", "体重"],
    "y ~ Sepal.Length + sqrt(Sepal.Length)": ["Intercept", "Sepal.Length", "sqrt(Sepal.Length)"],
    "y ~ class": ["Intercept", "class[T.q]"],
    "y ~ C(class, contr.sum)": ["Intercept", "C(class, contr.sum)[S.p]"],
    "y ~ log + log(log)": ["Intercept", "log", "log(log)"],
    "y ~ `a:b` + `<script>` + `=cmd`": ["Intercept", "`a:b`", "<script>", "=cmd"],
    "y ~ flag": ["Intercept", "flag"],
    "y ~ C(flag)": ["Intercept", "C(flag)[T.True]"],
    "y ~ I(x**2) + I(x / z) + I(-x + 2 * z)": ["Intercept", "I(x**2)", "I(x / z)", "I(-x + 2 * z)"],
    "y ~ np.log(x) + np.sqrt(z) + log1p(x) + exp(-x)": ["Intercept", "np.log(x)", "np.sqrt(z)", "log1p(x)", "exp(-x)"],
    "y ~ center(x) + scale(z) + standardize(w)": ["Intercept", "center(x)", "scale(z)", "standardize(w)"],
    "y ~ poly(x, 2)": ["Intercept", "poly(x, 2)[1]", "poly(x, 2)[2]"],
    "y ~ poly(x, degree=2, raw=True)": [
        "Intercept",
        "poly(x, degree=2, raw=True)[0]",
        "poly(x, degree=2, raw=True)[1]",
    ],
    "y ~ bs(x, df=4)": ["Intercept"] + [f"bs(x, df=4)[{k}]" for k in range(1, 5)],
    "y ~ cr(x, df=3)": ["Intercept"] + [f"cr(x, df=3)[{k}]" for k in range(1, 4)],
    "y ~ cc(x, df=3, constraints='center')": ["Intercept"]
    + [f"cc(x, df=3, constraints='center')[{k}]" for k in range(1, 4)],
    "y ~ cs(x, knots=[2, 3.5])": ["Intercept"] + [f"cs(x, knots=[2, 3.5])[{k}]" for k in range(1, 5)],
    "y ~ C(g, contr.treatment('b'))": [
        "Intercept",
        "C(g, contr.treatment('b'))[T.a]",
        "C(g, contr.treatment('b'))[T.c]",
    ],
    'y ~ C(g, Treatment(reference="c"))': ["Intercept"] + [f'C(g, Treatment(reference="c"))[T.{v}]' for v in "ab"],
    "y ~ C(g, contr.helmert)": ["Intercept", "C(g, contr.helmert)[H.b]", "C(g, contr.helmert)[H.c]"],
    "y ~ C(g, contr.poly())": ["Intercept", "C(g, contr.poly())[.L]", "C(g, contr.poly())[.Q]"],
    "y ~ C(g, contrasts=contr.diff)": [
        "Intercept",
        "C(g, contrasts=contr.diff)[D.b]",
        "C(g, contrasts=contr.diff)[D.c]",
    ],
    "y ~ C(g, levels=['c', 'b', 'a'])": [
        "Intercept",
        "C(g, levels=['c', 'b', 'a'])[T.b]",
        "C(g, levels=['c', 'b', 'a'])[T.a]",
    ],
    "y ~ lag(x) + lag(x, 2)": ["Intercept", "lag(x)", "lag(x, 2)"],
    "y ~ x + offset(log(z))": ["Intercept", "x"],
    "y ~ offset(z) + 0 + x": ["x"],
    "log(y + 10) ~ x": ["Intercept", "x"],
    "y ~ x +\n    z": ["Intercept", "x", "z"],
    "  y~x+ z ": ["Intercept", "x", "z"],
    "~ x": ["Intercept", "x"],
    "x + z": ["Intercept", "x", "z"],
    "y ~ poly(degree, degree=1)": ["Intercept", "poly(degree, degree=1)[1]"],
    "y ~ ｶﾅ + log(ｶﾅ)": ["Intercept", "ｶﾅ", "log(ｶﾅ)"],
    "y ~ x + x": ["Intercept", "x"],
    "y ~ log (x)": ["Intercept", "log(x)"],
    "n ~ tanh(x)": ["Intercept", "tanh(x)"],
}


@needs_formulaic
@pytest.mark.parametrize("formula", HONEST)
def test_honest_formulas(formula):
    d = design(formula, DATA)
    assert list(d.names) == HONEST[formula]
    assert d.X.shape == (len(d.rows), len(d.names)) and d.X.dtype == np.float64 and np.isfinite(d.X).all()
    assert sorted(k for span in d.terms.values() for k in span) == list(range(len(d.names)))
    if "lag" not in formula:
        np.testing.assert_array_equal(d.matrix(DATA), d.X)
        some = {k: np.asarray(v)[[5, 0, 7]] for k, v in DATA.items()}
        np.testing.assert_allclose(d.matrix(some), d.X[[5, 0, 7]], rtol=1e-12, atol=1e-14)


SAME = [
    f
    for f in HONEST
    if not any(s in f for s in ("lag", "offset", "flag", "ｶﾅ", "class", "a:b", "Sepal", "log(log)", "levels=", "Q("))
]


@needs_formulaic
@pytest.mark.parametrize(
    "formula",
    [
        f
        for f in SAME
        if f[0] in "yn " and not any(s in f for s in ("体重", "がく", "degree", "log1p", "tanh", "log ("))
    ],
)
def test_matrices_are_formulaics_own(formula):
    import pandas as pd

    frame = pd.DataFrame({k: v for k, v in DATA.items() if k not in ("log", "class")})
    theirs = formulaic.model_matrix(formula.replace("\n", " "), frame).rhs.to_numpy(float)
    np.testing.assert_allclose(design(formula, frame).X, theirs, rtol=1e-10, atol=1e-12)


@needs_formulaic
def test_the_dot_is_every_other_column():
    data = {k: DATA[k] for k in ("y", "x", "体重", "g", "body mass (g)")}
    assert design("y ~ .", data).names == ("Intercept", "x", "体重", "g[T.b]", "g[T.c]", "body mass (g)")
    assert design("log(y + 9) ~ . - x", data).names[1] == "体重"


@needs_formulaic
def test_values():
    d = design("y ~ I(x**2) + center(z):x + flag - 1", DATA)
    z = DATA["z"] - DATA["z"].mean()
    np.testing.assert_allclose(d.X, np.c_[DATA["x"] ** 2, DATA["flag"], z * DATA["x"]], rtol=1e-13)
    d = design("n ~ x + offset(log(z)) + offset(w)", DATA)
    np.testing.assert_allclose(d.offset, np.log(DATA["z"]) + DATA["w"])
    np.testing.assert_array_equal(d.response, DATA["n"])
    np.testing.assert_allclose(d.offset_of({"z": [1.0, None], "w": [2, 3], "x": [0, 0]}), [2.0, np.nan])
    assert design("y ~ x", DATA).offset is None and design("y ~ x", DATA).offset_of(DATA) is None


@needs_formulaic
def test_terms_and_responses():
    d = design("g ~ x*h + C(cyl)", DATA)
    assert d.response_levels == ("a", "b", "c") and d.response_name == "g"
    np.testing.assert_array_equal(d.response, [0, 1, 2, 1] * 10)
    assert d.terms == {"Intercept": (0,), "x": (1,), "h": (2,), "C(cyl)": (3, 4), "x:h": (5,)}
    assert d.levels == {"h": ("u", "v"), "C(cyl)": (4, 6, 8)}
    assert design("flag ~ x", DATA).response_levels is None
    np.testing.assert_array_equal(design("flag ~ x", DATA).response, DATA["flag"])
    d = design("C(cyl) ~ x", DATA)
    assert d.response_levels == (4, 6, 8)
    np.testing.assert_array_equal(d.response_of({"cyl": [8, None, 4]}), [2, np.nan, 0])
    assert design("~ x", DATA).response is None


@needs_formulaic
def test_constant_and_collinear_columns_are_kept():
    data = {"y": [1.0, 2, 4], "one": [1.0, 1, 1], "x": [1.0, 2, 3], "x2": [2.0, 4, 6]}
    assert design("y ~ one + x + x2", data).X.shape == (3, 4)
    d = design("y ~ g", {"y": [1, 2], "g": ["a", "a"]})
    assert d.names == ("Intercept",) and "`g` is 'a' in every row" in d.notes[0]


# ------------------------------------------------------------------------------------------------- missing values


@needs_formulaic
def test_missing_rows_are_left_out_counted_and_said():
    data = {
        "y": [1.0, 2, np.nan, 4, 5, 6],
        "x": [1.0, np.nan, 3, 4, np.nan, 6],
        "g": ["a", None, "b", "b", "a", "b"],
        "unused": [np.nan] * 6,
    }
    d = design("y ~ x + g", data)
    np.testing.assert_array_equal(d.rows, [0, 3, 5])
    assert d.missing == {"y": 1, "x": 2, "g": 1} and d.n_rows == 6
    assert d.notes[0] == "3 of 6 rows are left out for missing values: 1 of 'y', 2 of 'x', 1 of 'g'"
    new = d.matrix({"x": [1.0, np.nan, 3.0, 2.0], "g": ["b", "a", None, "a"]})
    np.testing.assert_array_equal(new, [[1, 1, 1], [np.nan] * 3, [np.nan] * 3, [1, 2, 0]])
    assert design("y ~ x + g", data, also=["x"]).missing == d.missing
    assert refused("y ~ x", data, also=["unused"]).startswith("none of the 6 rows is complete; values are missing of")
    assert d.matrix({"x": [], "g": []}).shape == (0, 3)
    assert np.isnan(d.matrix({"x": [None], "g": [None]})).all()


@needs_formulaic
def test_whole_column_functions_remember():
    data = {k: v.astype(float).copy() if v.dtype.kind in "fi" else v for k, v in DATA.items()}
    data["x"][3] = np.nan
    keep = np.arange(N) != 3
    for f in ("center(x)", "scale(x)", "poly(x, 3)", "bs(x, df=5)", "cr(x, df=4)", "standardize(x, rescale=False)"):
        d = design(f"y ~ {f} + C(g, contr.sum)", data)
        whole = design(f"y ~ {f} + C(g, contr.sum)", {k: np.asarray(v)[keep] for k, v in DATA.items()})
        np.testing.assert_allclose(d.X, whole.X)
        again = d.matrix({"x": data["x"][[9, 3, 2]], "g": DATA["g"][[9, 3, 2]]})
        np.testing.assert_allclose(again[[0, 2]], whole.X[[8, 2]])
        assert np.isnan(again[1]).all()
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(d)).matrix(data), d.matrix(data))
        np.testing.assert_array_equal(copy.deepcopy(d).matrix(data), d.matrix(data))


@needs_formulaic
def test_lag_sees_the_rows_that_are_left_out():
    data = {
        "y": [1.0, 2, 3, 4, 5],
        "x": [10.0, 20, 30, 40, 50],
        "z": [1, None, 1, 1, 1],
        "g": ["a", "b", "a", "b", "a"],
    }
    d = design("y ~ lag(x) + z", data)
    np.testing.assert_array_equal(d.X[:, 1], [20, 30, 40])
    assert d.missing == {"lag(x, 1)": 1, "z": 1}
    np.testing.assert_array_equal(design("y ~ lag(x, -1)", data).X[:, 1], [20, 30, 40, 50])
    assert design("y ~ C(lag(g))", data).names == ("Intercept", "C(lag(g))[T.b]")
    np.testing.assert_array_equal(d.matrix({"x": [1.0, 2.0], "z": [3, 4]})[:, 1], [np.nan, 1.0])


# ------------------------------------------------------------------------------------------------------- categories


@needs_formulaic
def test_categories_keep_their_order_and_are_remembered():
    pd = pytest.importorskip("pandas")
    g = pd.Categorical(["low", "high", "mid", "low"], categories=["low", "mid", "high"], ordered=True)
    d = design("y ~ g", pd.DataFrame({"y": [1.0, 2, 3, 4], "g": g}, index=[9, 8, 7, 6]))
    assert d.names == ("Intercept", "g[T.mid]", "g[T.high]")
    np.testing.assert_array_equal(d.matrix({"g": ["high", "low"]}), [[1, 0, 1], [1, 0, 0]])
    d = design("y ~ g", DATA, levels={"g": ["c", "a", "b"]})
    assert d.names == ("Intercept", "g[T.a]", "g[T.b]") and d.levels == {"g": ("c", "a", "b")}
    d = design("y ~ g", pd.DataFrame({"y": [1.0, 2], "g": pd.Categorical(["a", "c"], categories=["a", "b", "c"])}))
    assert d.names == ("Intercept", "g[T.c]") and d.notes == ("no row has 'b' of `g`; it has no coefficient",)
    assert design("y ~ C(cyl)", DATA).matrix({"cyl": [8.0, 4.0]}).tolist() == [[1, 0, 1], [1, 0, 0]]


@needs_formulaic
def test_unseen_categories_are_named():
    d = design("y ~ g + x", DATA)
    with pytest.raises(
        ValueError, match=r"`g` is 'd' \(and 'e'\) in 3 rows, a level the model has not seen; it has seen 'a'"
    ):
        d.matrix({"g": ["a", "d", "e", "d"], "x": [1, 2, 3, 4]})
    with pytest.raises(ValueError, match="`x` holds text"):
        d.matrix({"g": ["a"], "x": ["b"]})
    with pytest.raises(ValueError, match="the new data has no column 'x'"):
        d.matrix({"g": ["a"]})
    with pytest.raises(ValueError, match="`cyl` is 5 in 1 row, a level"):
        design("y ~ C(cyl)", DATA).matrix({"cyl": [4, 5]})


# ---------------------------------------------------------------------------------------------------------- messages

MESSAGES = {
    "y ~ weigth": "the data has no column 'weigth'",
    "y ~ SEPAL.length": "did you mean 'Sepal.Length'?",
    "y ~ `体`": "did you mean '体重'?",
    "y ~ x +": "the formula ends where a term is missing",
    "y ~": "nothing stands to the right of `~`",
    "": "the formula is empty",
    "  ": "the formula is empty",
    "y ~ x x": "an operator such as + is missing before `x`",
    "y ~ x + * z": "a term is missing before `*`",
    "y ~ (x + z": "this ( is not closed",
    "y ~ x)": "this `)` closes nothing",
    "y ~ log(x": "`log(` is not closed",
    "y ~ 2 * x": "the number 2 stands as a term; write I(2 * x)",
    "y ~ x + (0 + z)": "it stands by itself, outside brackets",
    "y + x ~ z": "the left side of `~` is one column",
    "y ~ x | z": "`|` begins a second right side",
    "y ~ x ~ z": "one `~`",
    "y ~ x + y": "the response `y` stands on the right side too",
    "y ~ x^2": "`^` has no place in a formula; write ** for a power",
    "y ～ x": "`～` (U+FF5E) looks like `~`",
    "y ~ x ＋ z": "`＋` (U+FF0B) looks like `+`",
    "y ~ {x + 1}": "braces run Python code; write I(…)",
    "y ~ x > 1": "compute the comparison as a column first",
    "y ~ log": None,
    "y ~ sqrt": "`sqrt` is a function: write sqrt(…)",
    "y ~ log(x, 2)": "`log` takes fewer arguments: log(x)",
    "y ~ scale(x, centre=True)": "`scale` has no argument centre; it has center, scale, ddof",
    "y ~ scale(x, center=1)": "`scale`: center is True or False, written out",
    "y ~ bs(x, df=3, extrapolation='wild')": "one of 'raise', 'clip', 'na', 'zero', 'extend'",
    "y ~ bs(x, knots=['a'])": "`bs`: knots is a list of numbers in [ ], written out",
    "y ~ bs(x, df=1)": "cannot be made: Invalid value for `df`",
    "y ~ C(g, contr.wrong)": "the formula uses `contr.wrong`",
    "y ~ C(g, 3)": "the contrasts of C are one of contr.treatment",
    "y ~ C(g, contr.treatment('q'))": "'q' is not a level of",
    "y ~ C(g, contr.poly(scores=[1, 2]))": "scores has 2 numbers for 3 levels",
    "y ~ C(g, levels=['a', 'b'])": "`g` is 'c' in 10 rows, which is not among the levels given: 'a', 'b'",
    "y ~ C(g, levels=['a', 'b', 'b', 'c'])": "name one twice",
    "y ~ C(x + z)": "`C` takes a column by its name",
    "y ~ log(C(g))": "`C` stands alone",
    "y ~ I(poly(x, 2))": "`poly` stands alone",
    "y ~ log(g)": "`g` holds text ('a', 'b', 'c') where numbers are needed; write C(g)",
    "y ~ contr.sum(g)": "`contr.sum` is an argument of C",
    "y ~ log(2)": "the same for every row",
    "y ~ x:offset(z)": "offset(…) is added to the other terms",
    "y ~ x - offset(z)": "offset(…) is added to the other terms",
    "offset(y) ~ x": "`offset` cannot be a response",
    "y ~ I(x**50)": "a power is a number of size at most 10",
    "y ~ (x+z)**50": "a power of terms is a whole number from 1 to 10",
    "y ~ I(x == 1)": "a comparison is not allowed in a formula",
    "y ~ I(x x)": "`I(xx)` cannot be read; its brackets",
    "y ~ 1.5.2": "1.5 runs into a letter or a point",
    "y ~ lag(log(x))": "`lag` takes a column by its name",
    "y ~ log(n)": "log(n) is -inf in row",
    "y ~ log(x - 9)": "log(x - 9) is nan in row 0 (the first is 0), where x = ",
    "y ~ scale(I(x - x))": "the same in every row",
    "y ~ poly(flag, 3)": "needs more than 2 distinct values",
    "y ~ don't": "a ' opens here and is not closed",
    "log(y) ~ x": "log(y) is nan in row",
    "y ~ factor(g)": "not among the functions allowed: write C(…)",
    "y ~ ns(x, 3)": "write cr(x, df=…",
    "y ~ x + (1 | g)": "there are no random effects; errors by group are those of cluster=",
}


@needs_formulaic
@pytest.mark.parametrize("formula", [f for f, m in MESSAGES.items() if m])
def test_messages(formula):
    message = refused(formula)
    assert MESSAGES[formula] in message
    assert "Traceback" not in message and len(message.splitlines()[0]) < 400


@needs_formulaic
def test_infinite_values_are_shown():
    assert "x is inf in row 1 (the first is 0); mark it as missing" in refused("y ~ x", {"y": [1, 2], "x": [1, np.inf]})


@needs_formulaic
def test_carets_stand_below_wide_letters():
    line, caret = refused("体重 ~ 体重x").splitlines()[1:]
    assert line == "    体重 ~ 体重x" and caret == "           ^"


@needs_formulaic
def test_other_mistakes():
    with pytest.raises(TypeError, match="a formula is text"):
        design(3, DATA)
    with pytest.raises(ValueError, match="has no column 'q'"):
        design("y ~ x", DATA, levels={"q": ["a"]})
    with pytest.raises(ValueError, match=r"levels are given for 'cyl', which holds numbers; write C\(cyl\)"):
        design("y ~ cyl", DATA, levels={"cyl": [8, 6, 4]})
    with pytest.raises(ValueError, match="the table has no rows"):
        design("y ~ x", {"y": [], "x": []})
    with pytest.raises(ValueError, match=r"is made on .* and meets 99 outside; write extrapolation"):
        design("y ~ bs(x, df=4)", DATA).matrix({"x": [99.0]})
    with pytest.raises(ValueError, match="has no response"):
        design("~ x", DATA).response_of(DATA)


def test_formulaic_absent(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "formulaic", None)
    with pytest.raises(ImportError, match=r'formulas need formulaic: pip install "bibun\[all\]"'):
        design("y ~ x", DATA)
