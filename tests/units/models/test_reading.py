"""Files as people have them: encodings, delimiters, quotes, compression; every fault provoked, and its sentence read."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile

import numpy as np
import pytest

import bibun.models.table_files as files
from bibun.models.table_files import read_table

TEXT = "y,x,g\n1,2.5,a\n2,,b\n3,4.5,a\n"


def read(content, **options):
    return read_table(io.BytesIO(content.encode() if isinstance(content, str) else content), **options)


def check(t):
    assert t.names == ("y", "x", "g") and t.n_rows == 3
    assert t["y"].values.dtype == np.int64 and t["y"].values.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(t["x"].values, [2.5, np.nan, 4.5])
    assert t["g"].levels == ("a", "b") and t["g"].values.tolist() == [0, 1, 0]
    assert t.missing() == {"x": 1}


# -------------------------------------------------------------------------------------------------- where it lies


def zipped(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in members:
            z.writestr(name, content)
    return out.getvalue()


def zstandard(content):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(content)


@pytest.mark.parametrize(
    "fold", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard, lambda b: zipped(("data.csv", b))]
)
def test_compression_is_told_by_the_content(fold, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(fold(TEXT.encode()))
    t = read_table(path)
    check(t)
    assert t.source == str(path)
    check(read_table(str(path)))
    with path.open("rb") as f:
        check(read_table(f))


def test_zip_with_macs_litter_and_gzip_in_zip():
    check(read(zipped(("a/", b""), ("a/data.csv", TEXT), ("__MACOSX/._data.csv", b"\0"))))
    check(read(zipped(("data.csv.gz", gzip.compress(TEXT.encode())))))


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": io.BytesIO(gzip.compress(TEXT.encode()))}))
    t = read_table("-")
    check(t)
    assert t.source == "standard input"


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_parquet_and_feather(kind, tmp_path):
    pa = pytest.importorskip("pyarrow")
    frame = pa.table({"y": [1, 2, 3], "x": [2.5, None, 4.5], "g": ["a", "b", "a"]})
    path = tmp_path / "data"
    if kind == "parquet":
        pytest.importorskip("pyarrow.parquet").write_table(frame, path)
    else:
        pytest.importorskip("pyarrow.feather").write_feather(frame, path)
    check(read_table(path))
    content = path.read_bytes()
    with pytest.raises(ValueError, match=f"the file is a damaged {kind.capitalize()} file"):
        read(content[: len(content) // 2])


def test_parquet_by_polars_or_not_at_all(monkeypatch, tmp_path):
    pl = pytest.importorskip("polars")
    path = tmp_path / "data.parquet"
    pl.DataFrame({"y": [1, 2, 3], "x": [2.5, None, 4.5], "g": ["a", "b", "a"]}).write_parquet(path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    check(read_table(path))
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(
        ImportError, match=r'a Parquet file, which pyarrow reads: pip install "bibun\[all\]", or save as CSV'
    ):
        read_table(path)


# ------------------------------------------------------------------------------------------------------ encodings

JAPANESE = "群,体重 (kg),性別\n東京,62.5,女\n大阪,70.1,男\nｶﾅ,55.0,女\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_japanese(encoding):
    t = read(JAPANESE.encode(encoding))
    assert t.names == ("群", "体重 (kg)", "性別")
    assert set(t["群"].levels) == {"東京", "大阪", "ｶﾅ"}
    said = {
        "cp932": "is read as cp932 (Shift_JIS), since byte 0x8C in line 1 is not UTF-8",
        "utf-16": "is read as UTF-16",
    }
    assert said.get(encoding, "") in " ".join(t.notes)
    if encoding.startswith("utf-8"):
        assert t.notes == ()


def test_latin_1_is_the_last_resort_and_said():
    for text in (
        "numéro,prénom\n1,Zoé\n2,Anaïs\n",
        "Größe,Straße\n1,Köln\n2,Zürich\n",
        "año,niño\n1,señor\n",
        "x,g\n1,café\n",
    ):
        t = read(text.encode("latin-1"))
        assert t.names == tuple(text.splitlines()[0].split(","))
        assert "is read as latin-1 for want of a better guess, since byte 0x" in t.notes[0]


def test_encoding_by_hand():
    assert read("x,g\n1,é\n".encode("cp850"), encoding="cp850")["g"].levels == ("é",)
    with pytest.raises(
        ValueError, match="is not in utf-8: byte 0xE9 in line 2 has no meaning in it; leave encoding out"
    ):
        read("x,g\n1,é\n".encode("latin-1"), encoding="utf-8")
    with pytest.raises(ValueError, match="there is no encoding 'klingon'"):
        read(TEXT, encoding="klingon")


# ------------------------------------------------------------------------------------------- delimiters and numbers


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter, end):
    t = read(TEXT.replace(",", delimiter).replace("\n", end))
    check(t)
    assert (t.notes == ()) == (delimiter == ",")


def test_decimal_commas():
    t = read("y;x;g\n1,5;1.234,5;a,b\n-2,25;3;c\n;1e3;d\n")
    np.testing.assert_array_equal(t["y"].values, [1.5, -2.25, np.nan])
    np.testing.assert_array_equal(t["x"].values, [1234.5, 3, 1000])
    assert t["g"].levels == ("a,b", "c", "d")
    assert t.notes == ("fields are separated by semicolons", "numbers are read with a decimal comma")
    assert read("y;x\n1.5;2\n2.5;3\n")["y"].values.tolist() == [1.5, 2.5]
    assert read("y\tx\n1,5\t2\n2,5\t3\n")["y"].values.tolist() == [1.5, 2.5]
    assert read("y;x\n1,234;2\n2,500;3\n")["y"].values.tolist() == [1.234, 2.5]
    assert read("y\tx\n1,234\t2\n2,500\t3\n")["y"].values.tolist() == [1234, 2500]
    assert read('y,x\n"1,5",2\n"2,5",3\n', decimal=",")["y"].values.tolist() == [1.5, 2.5]


def test_thousands():
    t = read('y,x\n"1,234",1\n"12,345,678.5",2\n999,3\n')
    assert t["y"].values.tolist() == [1234.0, 12345678.5, 999.0]
    assert read('y,x\n"1,234",1\n"2,000",3\n')["y"].values.dtype == np.int64
    assert read('y,x\n"1,23",1\n"2,0000",3\n')["y"].levels is not None


def test_quotes():
    t = read('y,"a ""b"", c",g\n1,"x, y","line\nbreak"\n2,"""",z\n')
    assert t.names == ("y", 'a "b", c', "g")
    assert t['a "b", c'].levels == ('"', "x, y") and t["g"].levels == ("line\nbreak", "z")


def test_spaces_after_commas():
    t = read('y, x, g\n1, 2.5, "a, b"\n2, , "c"\n')
    assert t.names == ("y", "x", "g") and t["g"].levels == ("a, b", "c") and t.missing() == {"x": 1}


def test_excels_sep_line_and_delimiter_at_the_end():
    assert read("sep=;\r\ny;x\r\n1;2\r\n").names == ("y", "x")
    t = read("y,x,\n1,2,\n3,4,\n")
    assert t.names == ("y", "x") and t.notes == ()
    assert read("y,x\n1,2,\n3,4,\n").names == ("y", "x")
    assert read("y x\n1 2\n", delimiter=" ").names == ("y", "x")


def test_missing_spellings():
    cells = ["", "NA", "N/A", "NaN", "null", ".", "-", "na", "#N/A", " NA ", "None"]
    t = read("x,g,n\n" + "".join(f"{c},{c},1\n" for c in cells) + "1.5,a,2\n")
    assert t.missing() == {"x": len(cells), "g": len(cells)} and t["x"].values[-1] == 1.5 and t["g"].levels == ("a",)
    t = read("x,y\n-1,-\n-2,5\n")
    assert t["x"].values.tolist() == [-1, -2] and t.missing() == {"y": 1}


def test_kinds_of_columns():
    t = read(
        "b,i,f,big,sci,inf,minus,wide\nTRUE,1,1.,12345678901234567890,1e-3,inf,−2,１２\nfalse,-2,.5,1,1E5,-Inf,3,３\n"
    )
    assert t["b"].boolean and t["b"].values.tolist() == [1, 0]
    assert t["i"].values.dtype == np.int64
    assert t["f"].values.tolist() == [1, 0.5] and t["sci"].values.tolist() == [1e-3, 1e5]
    assert np.isinf(t["inf"].values).all() and t["big"].values[0] == 12345678901234567890.0
    assert t["minus"].values.tolist() == [-2, 3] and t["wide"].values.tolist() == [12, 3]
    assert read("x,b\n1,true\n2,\n")["b"].values.tolist()[0] == 1.0
    assert read("x,d\n1,2020-01-01\n2,2020-02-01\n")["d"].levels == ("2020-01-01", "2020-02-01")
    assert read("x,h\n1,0x10\n2,1_000\n")["h"].levels == ("0x10", "1_000")


def test_a_number_spoilt_is_said():
    rows = "".join(f"{k},{k / 2}\n" for k in range(100))
    t = read("x,y\n" + rows + "1,12.5.3\n")
    assert t["y"].levels is not None
    assert t.notes == ("column 'y' is read as text because of '12.5.3' in line 102",)


def test_blank_lines_are_passed_over():
    check(read("\n" + TEXT.replace("2,,b", "\n2,,b") + "\n\n"))
    assert read("y\n1\n2\n").names == ("y",)


def test_hostile_names_are_text():
    t = read('<script>alert(1)</script>,=cmd|calc,"a b",体重,`x`,__class__\n1,2,3,4,5,=1+1\n')
    assert t.names == ("<script>alert(1)</script>", "=cmd|calc", "a b", "体重", "`x`", "__class__")
    assert t["__class__"].levels == ("=1+1",)


def test_names_that_are_not_there():
    t = read(",x\n1,2\n3,4\n")
    assert t.names == ("column 1", "x") and t.notes == ("column 1 has no name; it is called 'column 1'",)
    t = read("x,y\na,1,2\nb,3,4\n")  # as R writes it
    assert t.names == ("row", "x", "y") and "row names" in t.notes[0]
    assert read("1,2\n3,4\n", names=["a", "b"])["a"].values.tolist() == [1, 3]


# ------------------------------------------------------------------------------------------------------- large files


@pytest.mark.parametrize("arrow", [True, False])
def test_large_files_are_the_same_by_either_reader(arrow, monkeypatch):
    if arrow:
        pytest.importorskip("pyarrow.csv")
    else:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(files, "LARGE", 0)
    check(read(TEXT))
    check(read(TEXT.replace(",", ";")))
    rng = np.random.default_rng(0)
    rows = [
        f'{k},{v:.17g},"{k % 7},000",{"abc"[k % 3]},{["TRUE", "false", "NA"][k % 3]},{["", "-", "5"][k % 3]}'
        for k, v in enumerate(rng.normal(size=500))
    ]
    t = read("k,v,t,g,b,m\n" + "\n".join(rows) + "\n")
    assert t["k"].values.dtype == np.int64
    np.testing.assert_array_equal(t["v"].values, np.random.default_rng(0).normal(size=500))
    np.testing.assert_array_equal(t["t"].values, np.arange(500) % 7 * 1000)
    assert t["g"].levels == ("a", "b", "c") and t["b"].boolean
    np.testing.assert_array_equal(t["b"].values[:4], [1, 0, np.nan, 1])
    assert t.missing() == {"b": 166, "m": 334}
    assert read("y;x\n1,5;a\n2,5;b\n")["y"].values.tolist() == [1.5, 2.5]
    for text, message in ((TEXT + "1,2\n", "line 5 has 2 fields"), (TEXT + '1,2,"a\n', "opens in line 5")):
        with pytest.raises(ValueError, match=message):
            read(text)
    assert read(",x\n1,2\n").names == ("column 1", "x")
    assert read("y,x,\n1,2,\n3,4,\n").names == ("y", "x")
    assert read('y, g\n1, "a, b"\n2, "c"\n')["g"].levels == ("a, b", "c")
    assert read("\ny,g\n1,a\n\n2,b\n")["y"].values.tolist() == [1, 2]
    assert read('"y",g\n1,"two\nlines"\n2,b\n')["g"].levels == ("b", "two\nlines")
    assert read("x,y\n1,2020-01-01\n2,2020\n" * 1)["y"].levels == ("2020", "2020-01-01")
    assert read("y;x\n1.234;1,5\n2.000;2\n")["y"].values.tolist() == [1234, 2000]


# ------------------------------------------------------------------------------------------------------------ faults

EXCEL = zipped(("[Content_Types].xml", b""), ("xl/workbook.xml", b""))

FAULTS = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "names only": (b"y,x\n", "the file has a line of names ('y', 'x') and no rows under it"),
    "binary": (b"y,x\n\0\1\2,3\n", "the file is a binary file, not a table of text; save the table as CSV or Parquet"),
    "picture": (b"\x89PNG\r\n\x1a\n", "the file is a picture"),
    "PDF": (b"%PDF-1.4", "the file is a PDF"),
    "pickle": (b"\x80\x05\x95", "the file is a pickle"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "the file is an Excel 97 workbook"),
    "Excel": (EXCEL, "the file is an office document; save the sheet as CSV (UTF-8) and read that"),
    "web page": (b"<!DOCTYPE html><html>", "the file is a web page or XML, not a table"),
    "JSON": (b'[{"x": 1}]', "the file looks like JSON; save it as CSV, one line for each row"),
    "too long": (
        b"a,b\n1,2\n1,2,3\n",
        "the file: line 3 has 3 fields and 2 columns are named: '1,2,3'; put quotes around a field that contains the delimiter, or take the line out",
    ),
    "too short": (
        b"a,b,c\n1,2,3\n1,2\n",
        "the file: line 3 has 2 fields and 3 columns are named: '1,2'; fill the line up, or take the line out",
    ),
    "too short after a long field": (b'a,b\n"x\ny",2\n1\n', "the file: line 4 has 1 field and 2 columns are named"),
    "quote left open": (
        b'a,b\n1,2\n"1,2\n3,4\n',
        'the file: a quotation mark opens in line 3 and is not closed; close it or write "" for "',
    ),
    "quote in a field": (b'a,b\n1,"2"x\n', "the file: line 2 has text after a closing quotation mark"),
    "twice": (b"a,b,a\n1,2,3\n", "the file: columns 1 and 3 are both named 'a'; rename one in the first line"),
    "no names": (b"1,2\n3,4\n", "the file begins with numbers ('1', '2'), not names; add a first line, or give names"),
    "cut short": (gzip.compress(TEXT.encode() * 100)[:-20], "the file is compressed and cannot be unpacked"),
    "damaged": (b"BZh91AY&SY....", "the file is compressed and cannot be unpacked"),
    "bad zip": (b"PK\x03\x04....", "the file is compressed and cannot be unpacked"),
    "many in a zip": (
        zipped(("a.csv", b"x"), ("b.csv", b"y")),
        "the file holds 2 files ('a.csv', 'b.csv'); unpack it and name one of them",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_one_sentence(fault):
    content, message = FAULTS[fault]
    with pytest.raises(ValueError) as info:
        read(content)
    assert message in str(info.value) and "\n" not in str(info.value)


def test_bombs_do_not_go_off(monkeypatch):
    monkeypatch.setattr("bibun.models.file_contents.LIMIT", 10**6)
    with pytest.raises(ValueError, match="unfolds to more than"):
        read(gzip.compress(b"0" * 10**7))


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "penguins.csv").write_text(TEXT)
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*penguin.csv'; did you mean '.*penguins.csv'\?"):
        read_table(tmp_path / "penguin.csv")
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*zzz' in '"):
        read_table(tmp_path / "zzz")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        read_table(tmp_path / "no" / "data.csv")
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        read_table(tmp_path)


def test_options_that_mean_nothing():
    with pytest.raises(ValueError, match="a delimiter is one character; got ', '"):
        read(TEXT, delimiter=", ")
    with pytest.raises(ValueError, match=r"decimal is '\.' or ','; got ';'"):
        read(TEXT, decimal=";")


def test_zstandard_absent(monkeypatch):
    content = zstandard(TEXT.encode())
    for name in ("zstandard", "pyarrow", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="compressed with Zstandard: pip install zstandard, or unpack it first"):
        read(content)


def test_from_file_to_matrix():
    pytest.importorskip("formulaic")
    from bibun.models.formula import design

    t = read("体重;群;y\n1,5;a;1\n2,5;b;2\n;b;3\n3,0;a;4\n")
    d = design("y ~ `体重` + 群", t)
    assert d.names == ("Intercept", "体重", "群[T.b]") and d.rows.tolist() == [0, 1, 3]
    assert d.notes[-1] == "1 of 4 rows is left out for missing values: 1 of '体重'"
    with pytest.raises(ValueError, match="the file has no column 'z'"):
        design("y ~ z", t)
