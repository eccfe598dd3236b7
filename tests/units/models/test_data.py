"""Tables from what people have: every library, every type, missing values, order; every mistake one sentence."""

import importlib
import importlib.util
import sys

import numpy as np
import pytest

from bibun.models.data import Table, table

X = np.array([3.0, 1.0, 2.0, 5.0])
pd, pl, pa = (
    importlib.import_module(n) if importlib.util.find_spec(n) else None for n in ("pandas", "polars", "pyarrow")
)
every = pytest.mark.skipif(None in (pd, pl, pa), reason="needs pandas, polars and pyarrow")


def frames():
    """The same data as every kind of table that is installed."""
    plain = {
        "x": X,
        "i": np.array([4, 3, 2, 1]),
        "b": np.array([True, False, True, True]),
        "s": np.array(["b", "a", "b", "c"]),
        "体重": X / 2,
    }
    made = {"dict": plain, "lists": {k: v.tolist() for k, v in plain.items()}}
    made["structured"] = np.rec.fromarrays(list(plain.values()), names=list(plain))
    if pd:
        made["pandas"] = pd.DataFrame(plain, index=[7, 7, 1, 0])
        made["pandas, new types"] = pd.DataFrame(plain).convert_dtypes()
        made["dict of Series"] = dict(pd.DataFrame(plain))
    if pl:
        made["polars"] = pl.DataFrame(plain)
        made["polars, lazy"] = pl.DataFrame(plain).lazy()
    if pa:
        made["arrow"] = pa.table(plain)
    if pd and pa:
        made["pandas, arrow types"] = pd.DataFrame(plain).convert_dtypes(dtype_backend="pyarrow")
    return made


@pytest.mark.parametrize("kind", list(frames()))
def test_every_kind_of_table_is_the_same(kind):
    t = table(frames()[kind])
    assert t.names == ("x", "i", "b", "s", "体重") and t.n_rows == 4 and list(t) == list(t.names)
    np.testing.assert_array_equal(t["x"].values, X)
    np.testing.assert_array_equal(t["i"].values, [4, 3, 2, 1])
    assert t["i"].values.dtype.kind == "i"
    np.testing.assert_array_equal(t["b"].values, [1, 0, 1, 1])
    assert t["b"].boolean and t["b"].values.dtype == np.float64
    np.testing.assert_array_equal(t["s"].values, [1, 0, 1, 2])
    assert t["s"].levels == ("a", "b", "c") and not t["s"].numeric
    assert t.missing() == {}


@every
def test_no_copies_where_possible():
    f32 = np.asfortranarray(np.ones((4, 2), np.float32))
    t = table({"x": X, "half": X[::2].repeat(2), "f": f32[:, 1]})
    assert np.shares_memory(t["x"].values, X) and np.shares_memory(t["f"].values, f32)
    assert t["f"].values.dtype == np.float32
    for frame in (pd.DataFrame({"x": X}), pl.DataFrame({"x": X})):
        assert np.shares_memory(table(frame)["x"].values, frame["x"].to_numpy())
    arrow = pa.table({"x": X})
    assert np.shares_memory(table(arrow)["x"].values, arrow["x"].chunk(0).to_numpy())
    rec = np.array([(1.0, 2), (3.0, 4)], dtype=[("a", "f8"), ("b", "i4")])
    assert np.shares_memory(table(rec)["b"].values, rec)


MISSING_NUMBERS = {
    "NaN": lambda: np.array([1.0, np.nan, 3.0]),
    "None": lambda: [1, None, 3],
    "None in an object array": lambda: np.array([1, None, 3], object),
    "NaN in an object array": lambda: np.array([1, float("nan"), 3], object),
    "pandas NA": lambda: pd.array([1, None, 3], dtype="Int64"),
    "pandas NA in objects": lambda: pd.Series([1, pd.NA, 3], dtype=object),
    "pandas, float": lambda: pd.Series([1.0, None, 3.0]),
    "pandas, arrow": lambda: pd.Series([1, None, 3], dtype="int64[pyarrow]"),
    "polars": lambda: pl.Series([1, None, 3]),
    "arrow": lambda: pa.chunked_array([[1, None], [3]]),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[False, True, False]),
}
MISSING_TEXTS = {
    "list": lambda: ["b", None, "a"],
    "objects": lambda: np.array(["b", np.nan, "a"], object),
    "pandas": lambda: pd.Series(["b", None, "a"]),
    "pandas string": lambda: pd.array(["b", pd.NA, "a"], dtype="string"),
    "pandas objects": lambda: pd.Series(["b", pd.NA, "a"], dtype=object),
    "pandas category": lambda: pd.Series(["b", None, "a"], dtype="category"),
    "polars": lambda: pl.Series(["b", None, "a"]),
    "polars category": lambda: pl.Series(["b", None, "a"], dtype=pl.Categorical),
    "arrow": lambda: pa.array(["b", None, "a"]),
    "arrow dictionary": lambda: pa.array(["b", None, "a"]).dictionary_encode(),
    "masked": lambda: np.ma.array(["b", "x", "a"], mask=[False, True, False]),
}


@every
@pytest.mark.parametrize("kind", MISSING_NUMBERS)
def test_missing_numbers(kind):
    t = table({"x": MISSING_NUMBERS[kind](), "y": [1, 2, 3]})
    np.testing.assert_array_equal(t["x"].values, [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(t["x"].missing, [False, True, False])
    assert t.missing() == {"x": 1} and t.missing(["y"]) == {}


@every
@pytest.mark.parametrize("kind", MISSING_TEXTS)
def test_missing_texts(kind):
    c = table({"g": MISSING_TEXTS[kind]()})["g"]
    np.testing.assert_array_equal(c.values, [1, -1, 0])
    assert c.levels == ("a", "b") and c.missing.tolist() == [False, True, False]


def test_missing_booleans():
    for values in ([True, None, False], np.array([True, None, False], object)):
        c = table({"b": values})["b"]
        np.testing.assert_array_equal(c.values, [1, np.nan, 0])
        assert c.boolean


@every
def test_categories_keep_their_order():
    cat = pd.Categorical(["hi", "lo", None], categories=["lo", "mid", "hi"], ordered=True)
    enum = pl.Series(["hi", "lo", None], dtype=pl.Enum(["lo", "mid", "hi"]))
    for values in (cat, pd.Series(cat), enum):
        c = table({"g": values})["g"]
        assert c.levels == ("lo", "mid", "hi") and c.ordered
        np.testing.assert_array_equal(c.values, [2, 0, -1])
    numbers = table({"g": pd.Categorical([6, 4, 6], categories=[6, 4])})["g"]
    assert numbers.levels == (6, 4) and type(numbers.levels[0]) is int and not numbers.ordered


def test_levels():
    c = table({"x": [2.0, 1.0, np.nan, 2.5]})["x"].as_levels()
    assert c.levels == (1, 2, 2.5) and c.values.tolist() == [1, 0, -1, 2]
    assert table({"x": [True, False]})["x"].as_levels().levels == (False, True)
    c = table({"g": ["b", "a", None, "z"]})["g"].as_levels(["a", "b"])
    assert c.values.tolist() == [1, 0, -1, -2]


def test_rows_keep_their_order():
    t = table({"x": X, "g": ["c", "a", "b", "a"]})
    for rows, expected in (([2, 0], [2.0, 3.0]), (np.array([True, False, False, True]), [3.0, 5.0])):
        part = t.take(np.asarray(rows))
        assert part["x"].values.tolist() == expected and part.n_rows == 2
        assert part["g"].levels == ("a", "b", "c")
    assert {k: v.tolist() for k, v in t.arrays().items()} == {"x": X.tolist(), "g": [2, 0, 1, 0]}
    assert table(t) is t


def test_columns_are_converted_only_when_asked_for():
    t = table({"x": X, "when": np.array(["2020-01-01"] * 4, "M8[D]")})
    assert t["x"].values is X
    with pytest.raises(ValueError, match="column 'when' holds dates"):
        t["when"]


def test_other_types_of_values():
    from decimal import Decimal

    t = table(
        {
            "d": [Decimal("1.5"), None],
            "s": np.array([b"a", b"b"]),
            "u": np.array(["x", "y"], dtype=np.dtypes.StringDType()),
        }
    )
    assert t["d"].values[0] == 1.5 and t["s"].levels == ("a", "b") and t["u"].levels == ("x", "y")
    assert table({"n": [2**70, 1]})["n"].values[0] == 2.0**70
    assert table({"x": np.float64(1) * np.ones(1)}).n_rows == 1
    assert table({1: [1.0]}).names == ("1",)
    assert "levels 'a', 'b'" in repr(t["s"]) and "2 rows" in repr(t)
    assert table({"x": []}, allow_empty=True).n_rows == 0


FAULTS = {
    "unequal": ({"x": [1, 2], "y": [1]}, "the columns have unequal lengths: 'x' has 2, 'y' has 1"),
    "scalar": ({"x": 3}, "column 'x' is a single value, 3; give one value for each row"),
    "text": ({"x": "abc"}, "column 'x' is a single value, 'abc'"),
    "mixed": ({"x": [1, None, "a"]}, "column 'x' mixes int and str ('a' in row 2, the first being 0)"),
    "matrix": ({"x": np.zeros((2, 3))}, "column 'x' has shape (2, 3); a column is one-dimensional"),
    "lists": ({"x": [[1, 2], [3, 4]]}, "column 'x' holds list objects; a model takes numbers"),
    "empty": ({}, "the table has no columns"),
    "no rows": ({"x": [], "y": []}, "the table has no rows; its columns are 'x', 'y'"),
    "array": (np.zeros((3, 2)), "an array of shape (3, 2) has no column names; give a dict such as"),
    "name": (
        "data.csv",
        "str is not a table; give a dict of arrays, a pandas or polars DataFrame, an Arrow table, or a structured array; read_table reads a file",
    ),
    "number": (3, "int is not a table"),
    "rows": ([{"x": 1}], "list is not a table"),
    "complex": ({"x": np.array([1j])}, "column 'x' has values of type complex128"),
    "durations": ({"x": np.array([1], "m8[D]")}, "column 'x' holds durations; divide by a unit"),
    "objects": ({"x": [object()]}, "column 'x' holds object objects"),
    "twice": ({1: [1], "1": [2]}, "more than one column named '1'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_one_sentence(fault):
    data, message = FAULTS[fault]
    with pytest.raises((ValueError, TypeError)) as info:
        t = table(data)
        for name in t:
            t[name]
    assert message in str(info.value) and "\n" not in str(info.value)


@every
def test_duplicate_names():
    with pytest.raises(ValueError, match="more than one column named 'a'; rename all but one"):
        table(pd.DataFrame(np.zeros((2, 3)), columns=["a", "b", "a"]))


def test_unknown_columns_offer_the_nearest():
    t = table({"weight": [1], "体重": [2], "Height": [3]})
    for asked, near in (("wieght", "weight"), ("HEIGHT", "Height"), (" weight", "weight"), ("体", "体重")):
        with pytest.raises(ValueError) as info:
            t[asked]
        assert str(info.value) == (
            f"the data has no column {asked!r} (did you mean {near!r}?); its columns are 'weight', '体重', 'Height'"
        )
    with pytest.raises(ValueError, match=r"no column 'zzz'; its columns are"):
        t["zzz"]
    many = table({f"column{k}": [k] for k in range(100)})
    assert many.unknown("q").endswith("'column11' and 88 more")


@every
def test_frames_without_narwhals(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals.stable.v2", None)
    with pytest.raises(ImportError, match=r'reading a DataFrame needs narwhals: pip install "bibun\[all\]"'):
        table(pd.DataFrame({"x": [1]}))
    assert table({"x": [1, 2], "g": ["a", "b"]}).n_rows == 2  # plain dicts need nothing


def test_a_table_is_no_mapping_of_attributes():
    assert isinstance(table({"names": [1], "n_rows": [2]})["names"].values, np.ndarray)
    assert isinstance(table({"x": [1]}), Table)
