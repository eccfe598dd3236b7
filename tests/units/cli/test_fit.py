"""`bibun fit`: figures, exit codes, JSON, files of every kind, and each sentence for what a user may get wrong."""

import bz2
import errno
import gzip
import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from bibun.cli import main, working
from bibun.report.tables import width

pytest.importorskip("cyclopts")
pytest.importorskip("formulaic")

PENGUINS = str(resources.files("bibun.data").joinpath("penguins.csv"))
GOLDEN = json.loads((Path(__file__).parents[2] / "golden/penguins.json").read_text())
LINEAR = "body_mass_g ~ bill_length_mm + bill_depth_mm + flipper_length_mm + sex"
LOGISTIC = "sex ~ bill_length_mm + bill_depth_mm + flipper_length_mm + body_mass_g"
TABLE = """y,x,z,cls,three,one,体重 kg,w,yes
1,2,4,yes,a,1,60,1,0
2,3,6,no,b,1,62,1,0
3.5,1,2,yes,c,1,70,2,1
2,5,10,no,a,1,65,-1,1
6,4,8,yes,b,1,80,1,0
5,6,12,no,c,1,71,1,1
,7,14,yes,a,1,66,0,1
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "d.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def run(capsys, *arguments):
    capsys.readouterr()
    code = main(["fit", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def as_json(capsys, *arguments, code=0):
    got, out, err = run(capsys, *arguments, "--json")
    assert got == code and not err, err

    def never(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(out, parse_constant=never)


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula, family, which", [(LINEAR, "gaussian", "linear"), (LOGISTIC, "binomial", "logistic")])
def test_the_figures_are_statsmodels(capsys, formula, family, which):
    got = as_json(capsys, PENGUINS, formula, "--family", family)
    table, golden = got["coefficients"], GOLDEN[which]
    for key, name in (("estimate", "coef"), ("std_error", "bse"), ("statistic", "statistic"), ("p_value", "p_value")):
        np.testing.assert_allclose([r[key] for r in table], golden[name], rtol=1e-8)
    np.testing.assert_allclose(got["loglik"], golden["loglik"], rtol=1e-10)
    assert got["n"] == 333 and got["rows"] == {"read": 344, "used": 333, "missing": 11}
    assert got["missing"]["sex"] == 11 and got["converged"] and got["certificate"]["ok"]
    k = 6 if family == "gaussian" else 5
    np.testing.assert_allclose(got["aic"], 2 * k - 2 * got["loglik"])
    np.testing.assert_allclose(got["bic"], np.log(333) * k - 2 * got["loglik"])


def test_json_has_these_keys(here, capsys):
    got = as_json(capsys, "d.csv", "y ~ x + C(three)")
    assert list(got)[:14] == [
        "bibun", "source", "formula", "family", "response", "weights", "offset", "n", "rows", "missing", "level",
        "standard_errors", "statistic", "coefficients",
    ]  # fmt: skip
    assert {"loglik", "aic", "bic", "df_model", "df_resid", "converged", "certificate", "levels", "notes"} <= set(got)
    assert set(got["coefficients"][0]) == {
        "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    }  # fmt: skip
    assert set(got["certificate"]) == {"ok", "decrement", "smallest_eigenvalue", "problems", "undetermined"}
    assert got["levels"] == {"C(three)": ["a", "b", "c"]}


def test_level_sandwich_weights_and_offset(here, capsys):
    plain = as_json(capsys, "d.csv", "y ~ x")
    wide = as_json(capsys, "d.csv", "y ~ x", "--level", "0.99")
    robust = as_json(capsys, "d.csv", "y ~ x", "--sandwich")
    assert wide["coefficients"][1]["conf_high"] > plain["coefficients"][1]["conf_high"]
    assert robust["standard_errors"] == "sandwich"
    assert robust["coefficients"][1]["estimate"] == plain["coefficients"][1]["estimate"]
    assert robust["coefficients"][1]["std_error"] != plain["coefficients"][1]["std_error"]
    moved = as_json(capsys, "d.csv", "y ~ x", "--offset", "x")
    np.testing.assert_allclose(moved["coefficients"][1]["estimate"], plain["coefficients"][1]["estimate"] - 1)
    both = as_json(capsys, "d.csv", "y ~ x + offset(x)", "--offset", "x")
    np.testing.assert_allclose(both["coefficients"][1]["estimate"], plain["coefficients"][1]["estimate"] - 2)
    (here / "w.csv").write_text("y,x,w\n1,1,2\n2,3,1\n4,2,1\n3,5,3\n1,1,\n")
    (here / "r.csv").write_text("y,x\n1,1\n1,1\n2,3\n4,2\n3,5\n3,5\n3,5\n")
    weighted, repeated = as_json(capsys, "w.csv", "y ~ x", "--weights", "w"), as_json(capsys, "r.csv", "y ~ x")
    assert weighted["n"] == repeated["n"] == 7 and weighted["missing"] == {"w": 1}
    for a, b in zip(weighted["coefficients"], repeated["coefficients"], strict=True):
        np.testing.assert_allclose(list(a.values())[1:], list(b.values())[1:], rtol=1e-9)


def test_the_classes_are_said(here, capsys):
    code, out, _ = run(capsys, "d.csv", "cls ~ x", "--family", "binomial")
    assert code == 0 and "`cls`: 'yes' is 1 (4 rows), 'no' is 0 (3 rows)" in out
    code, out, _ = run(capsys, "d.csv", "yes ~ x", "--family", "binomial")
    assert code == 0 and "is 1 (" not in out
    got = as_json(capsys, "d.csv", 'C(cls, levels=["yes", "no"]) ~ x', "--family", "binomial")
    assert got["response"]["classes"] == ["yes", "no"]


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_the_page_fits_the_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, err = run(capsys, PENGUINS, "body_mass_g ~ bill_length_mm + C(species) * sex")
    assert code == 0 and not err
    assert max(map(width, out.splitlines())) <= columns
    if columns >= 80:
        assert "interval]" in out and "wider" not in out and "log-likelihood -2367.5386" in out
        assert "11 of 344 rows are left out for missing values" in out


def test_japanese_names_stand_in_line(here, capsys):
    code, out, _ = run(capsys, "d.csv", "y ~ `体重 kg` + x")
    assert code == 0
    rows = out.splitlines()[3:8]
    assert len({width(r) for r in rows}) == 1 and any(r.startswith("体重 kg") for r in rows)


def test_names_that_attack_are_shown_harmless(here, capsys):
    names = ["<script>alert(1)</script>", "=cmd|calc", "\x1b[31mred", "[bold]b[/bold]", "\u202eevil", "a\x9b2Jb"]
    rng = np.random.default_rng(0)
    body = [";".join(f"{v:.3f}" for v in r) for r in rng.normal(size=(20, 7))]
    (here / "e.csv").write_text("\n".join([";".join(["y", *names]), *body]), encoding="utf-8")
    code, out, _ = run(capsys, "e.csv", "y ~ .", "--plot", "e.svg")
    assert code == 0 and all(c.isprintable() for c in out.replace("\n", ""))
    assert "[31mred" in out and "[bold]b[/bold]" in out and "<script>alert(1)</script>" in out
    svg = (here / "e.svg").read_text(encoding="utf-8")
    assert "<script" not in svg and "&lt;script&gt;" in svg and "\x1b" not in svg
    ElementTree.fromstring(svg)
    code, out, _ = run(capsys, "e.csv", "y ~ .", "--json")
    assert all(c.isprintable() for c in out.replace("\n", ""))
    assert [r["term"] for r in json.loads(out)["coefficients"]][3] == names[2]
    code, _, err = run(capsys, "e.csv", "y ~ \x1b[2J")
    assert code == 2 and "\x1b" not in err


# --- files -----------------------------------------------------------------------------------------------------------


def test_files_of_every_kind(here, capsys, monkeypatch):
    raw = TABLE.encode("utf-8")
    Path("d.tsv").write_bytes(raw.replace(b",", b"\t"))
    Path("d.csv.gz").write_bytes(gzip.compress(raw))
    Path("d.csv.bz2").write_bytes(bz2.compress(raw))
    Path("sjis.csv").write_bytes(TABLE.encode("cp932"))
    Path("bom.csv").write_bytes(b"\xef\xbb\xbf" + raw)
    files = ["d.tsv", "d.csv.gz", "d.csv.bz2", "sjis.csv", "bom.csv"]
    try:
        import pyarrow.csv
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.csv.read_csv("d.csv"), "d.parquet")
        files.append("d.parquet")
    except ImportError:
        pass
    wanted = as_json(capsys, "d.csv", "y ~ `体重 kg`")["coefficients"]
    for name in files:
        assert as_json(capsys, name, "y ~ `体重 kg`")["coefficients"] == wanted, name
    for content in (raw, gzip.compress(raw)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert as_json(capsys, "-", "y ~ `体重 kg`")["coefficients"] == wanted


FAULTS = {
    "nothing": ([], "name a file and a formula"),
    "no formula": (["d.csv"], "a formula is missing"),
    "no formula, the columns": (["d.csv"], "'体重 kg'"),
    "no file": (["dd.csv", "y ~ x"], "there is no file 'dd.csv'; did you mean 'd.csv'?"),
    "a folder": ([".", "y ~ x"], "is a folder"),
    "names alone": (["names.csv", "y ~ x"], "no rows under it"),
    "an empty file": (["zero.csv", "y ~ x"], "is empty"),
    "an open quote": (["quote.csv", "y ~ x"], "opens in line 2 and is not closed"),
    "a ragged line": (["ragged.csv", "y ~ x"], "line 3 has 3 fields and 2 columns are named"),
    "a picture": (["picture.csv", "y ~ x"], "is a picture"),
    "a broken gzip": (["cut.csv.gz", "y ~ x"], "cannot be unpacked"),
    "an encoding": (["d.csv", "y ~ x", "--encoding", "klingon"], "there is no encoding 'klingon'"),
    "not that encoding": (["d.csv", "y ~ x", "--encoding", "ascii"], "is not in ascii"),
    "all missing": (["missing.csv", "y ~ x"], "none of the 2 rows is complete"),
    "unknown column": (["d.csv", "y ~ X"], "has no column 'X' (did you mean 'x'?)"),
    "text response": (["d.csv", "cls ~ x"], "--family binomial fits a logistic regression"),
    "text of three": (["d.csv", "three ~ x"], "('a', 'b', 'c')"),
    "three classes": (["d.csv", "three ~ x", "--family", "binomial"], "('a', 'b', 'c'); a binomial response has two"),
    "many numbers": (["d.csv", "y ~ x", "--family", "binomial"], "(1, 2, 3.5, 5, 6)"),
    "one class": (["d.csv", "one ~ x", "--family", "binomial"], "is 1 in all 7 rows"),
    "one class left": (["left.csv", "y ~ x", "--family", "binomial"], "in all 2 rows, once 1 with missing values"),
    "constant response": (["d.csv", "one ~ x"], "nothing to explain"),
    "no response": (["d.csv", "~ x"], "has no response"),
    "no terms": (["d.csv", "y ~ 0"], "has no terms"),
    "no right side": (["d.csv", "y ~"], "nothing stands to the right"),
    "empty formula": (["d.csv", ""], "the formula is empty"),
    "log of zero": (["d.csv", "y ~ log(x - 1)"], "log(x - 1) is -inf"),
    "weights below zero": (["d.csv", "y ~ x", "--weights", "w"], "-1 in data row 4"),
    "unknown weights": (["d.csv", "y ~ x", "--weights", "ww"], "--weights: d.csv has no column 'ww'"),
    "text weights": (["d.csv", "y ~ x", "--weights", "cls"], "holds text ('no', 'yes')"),
    "unknown offset": (["d.csv", "y ~ x", "--offset", "o"], "--offset: d.csv has no column 'o'"),
    "zero weights": (["weights.csv", "y ~ x", "--family", "binomial", "--weights", "w"], "have weight 0"),
    "unquoted formula": (["d.csv", "y", "~", "x"], "put the formula in quotes"),
    "unknown option": (["d.csv", "y ~ x", "--famly", "binomial"], "no option --famly (did you mean --family?)"),
    "unknown option first": (["--famly", "x", "d.csv", "y ~ x"], "no option --famly"),
    "short option": (["d.csv", "y ~ x", "-w", "w"], "no option -w"),
    "unknown family": (["d.csv", "y ~ x", "--family", "poisson"], "--family poisson: it is gaussian"),
    "percent": (["d.csv", "y ~ x", "--level", "95"], "did you mean 0.95?"),
    "no number": (["d.csv", "y ~ x", "--level", "abc"], "not abc"),
    "nan": (["d.csv", "y ~ x", "--level", "nan"], "not between 0 and 1"),
    "no value": (["d.csv", "y ~ x", "--weights"], "--weights needs a value"),
    "twice": (["d.csv", "y ~ x", "--json", "--json"], "--json is given twice"),
    "plot as png": (["d.csv", "y ~ x", "--plot", "p.png"], "ending in .svg"),
    "plot in no folder": (["d.csv", "y ~ x", "--plot", "no/p.svg"], "there is no folder 'no'"),
    "plot is a folder": (["d.csv", "y ~ x", "--plot", "folder.svg"], "is a folder"),
    "attack": (["d.csv", 'y ~ x + {__import__("os").system("touch pwned")}'], "`__import__`"),
    "attack by name": (["d.csv", "y ~ x.__class__.__mro__"], "none is looked up"),
    "attack by call": (["d.csv", 'y ~ eval("1")'], "`eval`"),
    "attack by lambda": (["d.csv", "y ~ (lambda: x)()"], "lambda"),
    "attack by response": (["d.csv", 'open("pwned", "w") ~ x'], "`open`"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_sentence_with_code_two(here, capsys, fault):
    for name, text in {
        "names.csv": "y,x\n", "zero.csv": "", "quote.csv": 'y,x\n1,"2\n', "ragged.csv": "y,x\n1,2\n1,2,3\n",
        "missing.csv": "y,x\nNA,1\nNA,2\n", "left.csv": "y,x\n1,1\n1,2\n0,\n",
        "weights.csv": "y,x,w\n0,1,0\n1,2,1\n1,3,2\n",
    }.items():  # fmt: skip
        Path(name).write_text(text)
    Path("picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("cut.csv.gz").write_bytes(gzip.compress(b"y,x\n1,2\n" * 100)[:-9])
    Path("folder.svg").mkdir()
    arguments, sentence = FAULTS[fault]
    code, out, err = run(capsys, *arguments)
    assert code == 2 and not out
    assert err.startswith("bibun fit: ") and sentence in " ".join(err.split()), err
    assert all(width(line) <= 80 for line in err.splitlines())
    assert not Path("pwned").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_read(here, capsys):
    Path("d.csv").chmod(0)
    code, _, err = run(capsys, "d.csv", "y ~ x")
    assert code == 2 and "cannot be read" in err


# --- not identified --------------------------------------------------------------------------------------------------


def test_collinear_columns_are_named(here, capsys):
    code, out, err = run(capsys, "d.csv", "y ~ x + z")
    assert code == 1 and not err
    assert "! " in out and "z = 2 x" in out and "leave one of these columns out" in out
    got = as_json(capsys, "d.csv", "y ~ x + z", code=1)
    assert got["certificate"]["undetermined"] == ["x", "z"] and not got["converged"]
    assert got["coefficients"][1]["std_error"] is None and got["coefficients"][0]["std_error"] > 0


def test_separation_is_named(here, capsys):
    Path("s.csv").write_text("y,x,g\n0,1,a\n0,2,a\n1,3,b\n1,1,b\n0,5,c\n1,6,c\n0,1,c\n1,3,c\n")
    code, out, err = run(capsys, "s.csv", "y ~ x + g", "--family", "binomial", "--plot", "s.svg")
    assert code == 1 and not err
    assert "g[T.b]" in out.split("! ")[1] and "a penalty" in " ".join(out.split())
    assert "not determined" in Path("s.svg").read_text()
    got = as_json(capsys, "s.csv", "y ~ x + g", "--family", "binomial", code=1)
    assert "g[T.b]" in got["certificate"]["undetermined"] and "x" not in got["certificate"]["undetermined"]


# --- the plot --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula, family",
    [
        ("y ~ x", "gaussian"), ("cls ~ x", "binomial"), ("y ~ x + C(three)", "gaussian"), ("y ~ 1", "gaussian"),
        ("y ~ x + z", "gaussian"), ("y ~ 0 + x", "gaussian"), ("y ~ yes", "gaussian"), ("cls ~ C(three)", "binomial"),
    ],
)  # fmt: skip
def test_every_plot_is_a_picture(here, capsys, formula, family):
    run(capsys, "d.csv", formula, "--family", family, "--plot", "p.svg")
    root = ElementTree.parse("p.svg").getroot()
    assert root.tag.endswith("svg") and "nan" not in Path("p.svg").read_text().lower().replace("nano", "")
    line = formula in ("y ~ x", "cls ~ x")
    assert bool(root.findall("{*}polyline")) == line


def test_a_plot_that_fails_at_last(here, capsys, monkeypatch):
    def full(*args, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device", "p.svg")

    monkeypatch.setattr(Path, "write_text", full)
    code, out, err = run(capsys, "d.csv", "y ~ x", "--plot", "p.svg")
    assert code == 2 and "Linear regression" in out and "No space left on device" in err


# --- the process -----------------------------------------------------------------------------------------------------

COMMAND = [sys.executable, "-W", "error", "-m", "bibun"]


def process(*arguments, **keywords):
    keywords = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120} | keywords
    return subprocess.run([*COMMAND, *arguments], **keywords)


def test_as_a_process(here):
    done = process("fit", "-", "y ~ x", input=TABLE)
    assert done.returncode == 0 and "rows of standard input" in done.stdout and not done.stderr
    done = process("fit", "d.csv", "y ~ q")
    assert done.returncode == 2 and not done.stdout and "Traceback" not in done.stderr
    done = process("fit", "d.csv", "y ~ `体重 kg`", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and "\\u4f53" in done.stdout and "---" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written(here):
    with open("/dev/full", "w") as full:
        done = process("fit", "d.csv", "y ~ x", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 2
    assert done.stderr.strip() == "bibun: the output cannot be written: No space left on device"


def test_a_reader_that_leaves(here, monkeypatch, capsys):
    def gone(*args):
        raise BrokenPipeError

    monkeypatch.setattr("bibun.cli._run", gone)
    monkeypatch.setattr("bibun.cli._discard_output", lambda: None)
    assert main(["fit"]) == 0


def test_control_c_is_one_line(here, monkeypatch, capsys):
    def stopped(*args, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr("bibun.models.table_files.read_table", stopped)
    assert main(["fit", "d.csv", "y ~ x"]) == 130
    assert capsys.readouterr().err.strip() == "bibun: stopped by Ctrl-C"


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
def test_control_c_in_a_process(here):
    import signal
    import time

    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([*COMMAND, "fit", "-", "y ~ x"], **pipes) as running:
        time.sleep(3)  # it waits for its input
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130 and not out and err.decode().strip() == "bibun: stopped by Ctrl-C"


def test_control_c_that_the_optimizer_caught(here, monkeypatch, capsys):
    from bibun.models import regression

    fit = regression.logistic

    def interrupted(*args, **keywords):
        result = fit(*args, **keywords)
        result.search.status, result.search.message = 98, "Interrupted after 3 iterations"
        return result

    monkeypatch.setattr(regression, "logistic", interrupted)
    assert main(["fit", "d.csv", "cls ~ x", "--family", "binomial"]) == 130


WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ImportError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from bibun.cli import main
sys.exit(main(sys.argv[1:]))
"""
EXTRAS = ("cyclopts", "rich", "formulaic", "pandas", "narwhals", "pyarrow", "polars")


def without(names, *arguments):
    command = [sys.executable, "-W", "error", "-c", WITHOUT.format(names=names), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)


@pytest.mark.parametrize("missing", [EXTRAS, ("cyclopts",), ("formulaic",)])
def test_without_the_extras_one_sentence(here, missing):
    done = without(missing, "fit", "d.csv", "y ~ x")
    assert done.returncode == 2 and done.stderr.count("\n") <= 2 and 'pip install "bibun[all]"' in done.stderr


def test_the_core_alone_demonstrates_and_helps(here):
    done = without(EXTRAS, "demo", "out")
    assert done.returncode == 0 and "bill_depth_mm" in done.stdout and not done.stderr
    for arguments in (["--help"], ["fit", "--help"], ["demo", "--help"], ["--version"], []):
        done = without(EXTRAS, *arguments)
        assert done.returncode == 0 and done.stdout.startswith(("usage: bibun", "bibun ")), arguments


def test_without_rich_the_table_is_the_same(here):
    a, b = without(("rich",), "fit", "d.csv", "y ~ x"), without((), "fit", "d.csv", "y ~ x")
    if a.returncode == 2:  # a cyclopts that cannot do without it
        assert "pip install" in a.stderr
    else:
        assert a.stdout == b.stdout


def test_help_names_every_option(capsys):
    from dataclasses import fields

    from bibun.cli.arguments import HELP, OPTIONS, Options

    assert {o[2:] for o in OPTIONS} == {f.name for f in fields(Options)} - {"file", "formula"}
    assert all(len(line) <= 80 for line in HELP.splitlines())
    assert main(["fit", "d.csv", "--help"]) == 0 and capsys.readouterr().out == HELP


def test_unknown_commands(capsys):
    assert main(["fti"]) == 2 and "did you mean bibun fit?" in capsys.readouterr().err
    assert main(["demo", "a", "b"]) == 2 and main(["demo", "--fast"]) == 2
    assert main(["\x1b[2J"]) == 2 and "\x1b" not in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_goes_to_a_terminal_and_away_again(monkeypatch):
    import time

    monkeypatch.setattr("sys.stderr", Terminal())
    with working.working("fitting", quiet=0.01):
        time.sleep(0.1)
    assert "\r\x1b[Kfitting … 0 s" in sys.stderr.getvalue() and sys.stderr.getvalue().endswith("\r\x1b[K")
    monkeypatch.setattr("sys.stderr", Terminal())
    with working.working("fitting"):
        pass
    assert sys.stderr.getvalue() == ""
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with working.working("fitting", quiet=0.0):
        time.sleep(0.05)
    assert sys.stderr.getvalue() == ""
