"""What a kernel can be written with is looked up in tables that are loaded when an operation asks for them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bibun.compiler import ir, lowering_special, lowering_ufuncs
from bibun.compiler.expression import Expressions
from bibun.compiler.scalar_math import LOWERED, PRIMITIVE, TABLES, lowered


def loaded(op: str) -> set[str]:
    """The compiler's files that a fresh process has loaded when it has lowered an operation on one number."""
    code = (
        "import sys; from bibun.compiler.expression import Expressions; from bibun.compiler.scalar_math import lowered\n"
        f"h = Expressions(); assert lowered([h.make({op!r}, h.leaf('column', 0))]) is not None; print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return {name.removeprefix("bibun.compiler.") for name in found if name.startswith("bibun.compiler.")} | (
        {"scipy"} & set(found)
    )


@pytest.mark.parametrize(
    ("op", "needed"), [("sqrt", 0), ("exp", 1), ("square", 1), ("sin", 2), ("sinc", 2), ("erf", 3)]
)
def test_only_the_tables_that_are_needed_are_loaded(op, needed):
    found = loaded(op)
    assert {name for name in TABLES if name in found} == set(TABLES[:needed])
    assert "scipy" not in found


def test_no_operation_is_in_two_tables():
    """Else what is written would hang on which of them are loaded."""
    assert not set(LOWERED) & PRIMITIVE
    assert set(ir.VECTOR) <= PRIMITIVE
    texts = [Path(str(t.__file__)).read_text(encoding="utf-8") for t in (lowering_ufuncs, lowering_special)]
    one, two = (set(re.findall(r'LOWERED\["(\w+)"\]', text)) for text in texts)
    assert one and two and not one & two


def test_what_is_in_no_table_has_no_kernel():
    h = Expressions()
    assert lowered([h.make("no such operation", h.leaf("column", 0))]) is None
    x = h.leaf("column", 0)
    assert lowered([x, x + 1.0]) == [x, x + 1.0]
