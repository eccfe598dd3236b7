"""The house: lower layers never import higher ones, no cycles, files of a readable size, SciPy loaded late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bibun

ROOT = Path(bibun.__file__).parent
LAYERS = [
    ["cli"],
    ["report"],
    ["estimators", "bridges"],
    ["models"],
    ["optimize"],
    ["compiler"],
    ["stats"],
    ["special", "linalg"],
    ["transforms"],
    ["rules"],
    ["core"],
    ["errors", "typing", "data"],
]
LEVEL = {name: len(LAYERS) - k for k, names in enumerate(LAYERS) for name in names}
FILES = sorted(p for p in ROOT.rglob("*.py"))


def module(path: Path) -> str:
    parts = ("bibun", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> list[str]:
    """The bibun modules a file imports, anywhere in it."""
    here = module(path).split(".")
    package = here if path.name == "__init__.py" else here[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found += [f"{target}.{a.name}" for a in node.names] if target.startswith("bibun") else []
        elif isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] == "bibun"]
    return found


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_go_down(path: Path):
    mine = module(path).split(".")
    if len(mine) < 2 or mine[1] == "__main__":
        return
    for name in imported(path):
        parts = name.split(".")
        if len(parts) < 2 or parts[1] not in LEVEL:
            assert mine[1] == "cli", f"{'.'.join(mine)} imports the public names"
            continue
        if parts[1] != mine[1]:
            assert LEVEL[parts[1]] < LEVEL[mine[1]], f"{'.'.join(mine)} imports {name}, which is not below it"


def test_no_cycles():
    graph = {}
    names = {module(p) for p in FILES}
    for p in FILES:
        targets = set()
        for name in imported(p):
            while name not in names and "." in name:
                name = name.rpartition(".")[0]
            if name != module(p) and name != "bibun":
                targets.add(name)
        graph[module(p)] = targets
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join((*path[path.index(name) :], name))}"
        if name not in done:
            for t in graph.get(name, ()):
                visit(t, (*path, name))
            done.add(name)

    for name in graph:
        if name != "bibun":
            visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=module)
def test_files_open_with_their_purpose_and_stay_readable(path: Path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a file opens with what lives there"
    assert len(text.splitlines()) <= 600
    assert path.stem not in {"utils", "misc", "helpers", "common"}


def test_public_names_have_docstrings_and_examples():
    for name in bibun.__all__:
        thing = getattr(bibun, name)
        if callable(thing) and name != "Drawing" and not (isinstance(thing, type) and issubclass(thing, Exception)):
            assert thing.__doc__ and ">>>" in thing.__doc__, f"bibun.{name} has no example"


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_loads_numpy_and_little_else():
    loaded = run("import sys, bibun; print(*sys.modules)").split()
    for heavy in ("scipy", "optree", "matplotlib", "pandas", "numba", "llvmlite"):
        assert heavy not in loaded


def test_scipys_rules_load_when_first_met():
    assert run("import bibun, scipy.special as s; print(f'{bibun.grad(s.gammaln)(1.0):.12f}')") == "-0.577215664902"
