"""The article's programs, with `from bibun import Variable, Function` in place of its two classes, print its numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_program_prints_the_articles_numbers(program):
    expected = re.findall(r"^# prints: (.*)$", program.read_text(encoding="utf-8"), flags=re.M)
    assert expected
    done = subprocess.run([sys.executable, "-W", "error", str(program)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == expected
    assert done.stderr == ""
