"""The demo: its numbers are statsmodels', it runs from the command, it says what it cannot write."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bibun.cli import main
from bibun.cli.demo import fit_both

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/penguins.json").read_text())


@pytest.fixture(scope="module")
def fits():
    linear, binary, dropped = fit_both()
    assert dropped == 11
    return {"linear": linear, "logistic": binary}


@pytest.mark.parametrize("which", ["linear", "logistic"])
@pytest.mark.parametrize("what", ["coef", "bse", "statistic", "p_value", "loglik"])
def test_agrees_with_statsmodels_to_ten_digits(fits, which, what):
    np.testing.assert_allclose(getattr(fits[which], what), GOLDEN[which][what], rtol=1e-10)


def test_the_two_methods_agree_and_newton_needs_fewer_steps(fits):
    for f in fits.values():
        assert f.apart < 1e-6
        assert len(f.paths["Newton"]) < 12 < len(f.paths["gradient descent"])
        path = np.array(f.paths["gradient descent"])
        assert (np.diff(path) <= 1e-14 * path[0]).all()


def test_the_command_writes_its_pictures(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "bibun", "demo", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "bill_depth_mm" in done.stdout and "log-likelihood -79.5017" in done.stdout
    for name in ("convergence.svg", "graph.svg"):
        assert str(tmp_path / "out" / name) in done.stdout
        assert (tmp_path / "out" / name).read_text(encoding="utf-8").lstrip().startswith("<svg")


def test_what_it_says_to_type_next_can_be_typed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))  # no command of that name, as in an environment that is not activated
    monkeypatch.setattr("bibun.cli.demo.find_spec", lambda name: None)
    assert main(["demo", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f'{sys.executable} -m pip install "bibun[all]"' in said and f"{sys.executable} -m bibun fit " in said


def test_bad_usage_is_said(tmp_path, capsys):
    assert main(["fly"]) == 2
    assert "no such command: fly" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["demo", str(tmp_path / "file")]) == 2
    assert "name another folder" in capsys.readouterr().err
    assert main(["--help"]) == 0 and main(["--version"]) == 0
