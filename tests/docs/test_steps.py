"""The steps of docs/steps: each runs by itself and prints what its text shows, in both languages the same code.

A line `# > …` is what the statement above it prints. A step's numbers agree with the golden ones of `bibun demo`.
"""

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "docs" / "steps"
ENGLISH, JAPANESE = sorted((STEPS / "en").glob("*.py")), sorted((STEPS / "ja").glob("*.py"))
BUILT_BY_HAND = [p for p in ENGLISH + JAPANESE if p.name < "step06"]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "penguins.json").read_text(encoding="utf-8"))

PIECEWISE = """
import ast, contextlib, io, json, pathlib, sys
text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
space, printed = {"__name__": "__main__"}, {}
for statement in ast.parse(text).body:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(ast.Module([statement], []), sys.argv[1], "exec"), space)
    printed[statement.end_lineno] = [line.rstrip() for line in out.getvalue().splitlines()]
print(json.dumps(printed))
"""


def name_of(path):
    return f"{path.parent.name}-{path.stem}"


def run(*command):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", *map(str, command)], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def shown(path):
    """The lines of output the text shows, by the line number of the statement that prints them."""
    ends = sorted(s.end_lineno for s in ast.parse(path.read_text(encoding="utf-8")).body)
    found = {end: [] for end in ends}
    last = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if number in found:
            last = number
        elif line.startswith("# > "):
            assert number == last + 1 + len(found[last]), f"{path.name}:{number}: output that follows no statement"
            found[last].append(line.removeprefix("# > ").rstrip())
    return found


def code(path):
    """The tokens of a step without comments, line breaks and the docstring of the file."""
    text = path.read_text(encoding="utf-8")
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in skipped]
    assert tokens[0].type == tokenize.STRING, f"{path.name} opens with a docstring"
    return [(t.type, t.string) for t in tokens[1:]]


def prose(path):
    return "\n".join(
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#") and line[:4] != "# > "
    )


def test_there_are_twelve_in_each_language():
    assert [p.name[:7] for p in ENGLISH] == [f"step{k:02}_" for k in range(1, 13)]
    assert [p.name for p in JAPANESE] == [p.name for p in ENGLISH]


@pytest.mark.parametrize("path", ENGLISH + JAPANESE, ids=name_of)
def test_runs_and_prints_what_it_shows(path):
    lines = [line for block in shown(path).values() for line in block]
    assert lines
    assert [line.rstrip() for line in run(path).splitlines()] == lines


@pytest.mark.parametrize("path", ENGLISH, ids=name_of)
def test_each_output_stands_below_its_statement(path):
    printed = {int(line): out for line, out in json.loads(run("-c", PIECEWISE, path)).items()}
    assert printed == shown(path)


@pytest.mark.parametrize(("english", "japanese"), list(zip(ENGLISH, JAPANESE, strict=True)), ids=name_of)
def test_both_languages_have_the_same_code_and_outputs(english, japanese):
    assert code(english) == code(japanese)
    assert list(shown(english).values()) == list(shown(japanese).values())
    sections = [re.findall(r"^# --- (\d+\.\d+) ", prose(p), flags=re.M) for p in (english, japanese)]
    assert sections[0] == sections[1] and sections[0] == sorted(sections[0], key=lambda s: int(s.split(".")[1]))
    assert not re.search(r"[ぁ-ん]", english.read_text(encoding="utf-8"))
    assert len(re.findall(r"[ぁ-ん]", japanese.read_text(encoding="utf-8"))) > 200


@pytest.mark.parametrize("path", BUILT_BY_HAND, ids=name_of)
def test_on_bibun_the_functions_are_the_same_letter_for_letter(path):
    classes = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            classes.setdefault(node.name, []).append(ast.dump(node))
    assert len(classes.pop("Variable")) == len(classes.pop("Function")) == 1
    assert classes
    for name, texts in classes.items():
        assert len(texts) == 2 and texts[0] == texts[1], name


@pytest.mark.parametrize(("step", "model"), [("step09_linear", "linear"), ("step11_newton", "logistic")])
def test_fits_agree_with_the_golden_numbers(step, model):
    path = STEPS / "en" / f"{step}.py"
    statistic = "t" if model == "linear" else "z"
    source = path.read_text(encoding="utf-8")
    end = next(s.end_lineno for s in ast.parse(source).body if ast.unparse(s).startswith("p_value ="))
    program = "\n".join(source.splitlines()[:end])
    program += f"\nimport json; print(json.dumps([list(v) for v in (coef, bse, {statistic}, p_value)]))"
    fitted = json.loads(run("-c", program).splitlines()[-1])
    for name, values in zip(("coef", "bse", "statistic", "p_value"), fitted, strict=True):
        assert values == pytest.approx(GOLDEN[model][name], rel=1e-6), name


@pytest.mark.parametrize("paths", [ENGLISH, JAPANESE], ids=["en", "ja"])
def test_every_name_in_variable_py_has_been_met(paths):
    """A learner who finishes the steps recognises every line of core/variable.py."""
    source = ast.parse((ROOT / "src" / "bibun" / "core" / "variable.py").read_text(encoding="utf-8"))
    names = {n.name for n in ast.walk(source) if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    for node in source.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            names |= {a.name for a in node.names}
    text = "\n".join(p.read_text(encoding="utf-8") for p in paths)
    missing = sorted(n for n in names if not re.search(rf"(?<![A-Za-z_]){n}(?![A-Za-z_])", text))
    assert missing == [], "say in step 12 what they are"


def test_the_pictures_are_there_and_can_be_made_again(tmp_path):
    named = set(re.findall(r"docs/images/steps/(\w+\.svg)", "".join(prose(p) for p in ENGLISH)))
    assert named == set(re.findall(r"docs/images/steps/(\w+\.svg)", "".join(prose(p) for p in JAPANESE)))
    assert named == {p.name for p in (ROOT / "docs" / "images" / "steps").glob("*.svg")}
    run(STEPS / "figures.py", tmp_path)
    assert named == {p.name for p in tmp_path.iterdir()}


def test_the_index_names_every_step():
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {f"steps/{p.parent.name}/{p.name}" for p in ENGLISH + JAPANESE} <= set(links)
