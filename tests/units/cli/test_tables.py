"""The renderer: widths counted as a terminal counts them, names that stay different, figures that fit."""

import io
import math

import numpy as np
import pytest

from bibun.report.tables import (
    beside,
    coefficients,
    harmless,
    middle,
    number,
    p_value,
    pairs,
    paragraph,
    shortened,
    width,
    write,
)


def row(term, b, se):
    z = b / se
    return {
        "term": term, "estimate": b, "std_error": se, "statistic": z, "p_value": math.erfc(abs(z) / math.sqrt(2)),
        "conf_low": b - 1.96 * se, "conf_high": b + 1.96 * se,
    }  # fmt: skip


ROWS = [
    row("Intercept", -2288.465, 631.58),
    row("C(species)[T.Chinstrap]:sex[T.male]", -361.06, 82.85),
    row("C(species)[T.Gentoo]:sex[T.male]", 35.09, 69.96),
    row("くちばしの長さ(ミリメートル)", 0.0012345, 0.0001),
    row("tiny", 3.2e-12, 1.5e-13),
    row("huge", 4.1e12, 2.5e9),
    row("lost", 1.5, math.nan),
]


@pytest.mark.parametrize("most", [20, 25, 30, 40, 50, 60, 70, 80, 100, 120, 200])
def test_a_table_fits_and_its_lines_are_equally_long(most):
    page = coefficients(ROWS, "t", 0.95, most)
    table = [text for text, _ in page[: 2 + len(ROWS)]]
    assert all(width(text) <= most for text, _ in page)
    assert len({width(text) for text in table}) == 1
    names = [text.split("  ")[0] for text in table[2:]]
    assert len(set(names)) == len(ROWS)


def test_what_is_left_out_is_said():
    assert not any("wider" in text for text, _ in coefficients(ROWS[:1], "t", 0.95, 80))
    said = " ".join(text for text, _ in coefficients(ROWS, "t", 0.95, 40))
    assert "interval" in said and "wider terminal" in said


def test_eighty_columns_hold_every_figure():
    page = coefficients(ROWS[:3], "t", 0.9, 80)
    assert page[0][0].split() == ["estimate", "std", "err", "t", "P>|t|", "[90%", "interval]"]
    assert page[1][0] == "─" * width(page[0][0])


def test_full_width_letters_count_two_and_marks_none():
    assert width("体重") == 4 and width("e\u0301") == 1 and width("ｶﾅ") == 2 and width("abc") == 3
    assert width(middle("体重の増えかたの平均", 9)) <= 9


@pytest.mark.parametrize("most", range(1, 30))
def test_the_middle_goes(most):
    text = "C(くちばし)[T.Chinstrap]"
    assert width(middle(text, most)) <= most
    if 5 < most < width(text):
        assert middle(text, most).startswith("C") and middle(text, most).endswith("]")


def test_shortened_names_differ():
    names = [f"{'x' * 20}{k}{'y' * 20}" for k in range(30)]
    assert len(set(shortened(names, 12))) == 30
    assert shortened(["same", "same"], 3) == ["s…e", "s…e"]


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a\x1b[31mred", "a[31mred"), ("a\x9b31m", "a31m"), ("a\r\nb\tc", "a  b c"), ("\u202eevil", "evil"),
        ("体重\u3000kg", "体重\u3000kg"), ("a\x00\x07\x7fb", "ab"), ("x\ud800y", "xy"), ("<b>[bold]", "<b>[bold]"),
    ],
)  # fmt: skip
def test_harmless(text, shown):
    assert harmless(text) == shown


def test_numbers():
    assert beside(25.80123456, 0.00123456, 4) == "25.801235"
    assert beside(-1234.5678, 12.3456, 4) == "-1234.57"
    assert beside(1e20, 1e18, 3) == "1.0000e20"
    assert beside(0.0, 1e-12, 3) == "0"
    assert number(math.nan) == "–" and number(-math.inf) == "-∞" and number(1e9, ".3f") == "1.00e9"
    assert p_value(0.0) == "<1e-16" and p_value(0.04) == "0.04" and p_value(1.0) == "1.000"


def test_any_number_makes_a_cell():
    rng = np.random.default_rng(0)
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7e308]
    values = [*special, *(10.0 ** rng.uniform(-300, 300, 200) * rng.choice([-1, 1], 200))]
    for x in values:
        for error in [*special, *values[::17]]:
            assert 0 < len(beside(x, error, 4)) <= 22
            assert len(number(x, ".3f")) <= 12


def test_paragraphs_keep_to_the_width():
    text = "11 of 344 rows are left out for missing values: くちばしの長さがわからないものがほとんどである " + "x" * 70
    for most in (20, 40, 80):
        lines = [line for line, _ in paragraph(text, most, hang="  ")]
        assert all(width(line) <= most for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= 20 for line, _ in pairs({"log-likelihood": "-2367.5386", "n": "3"}, 20))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_only_on_a_terminal(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    page = [("[bold]name[/bold] :smile: http://x.y 12", "title"), ("x" * 300, "")]
    plain, terminal = io.StringIO(), Terminal()
    write(page, plain)
    write(page, terminal)
    assert plain.getvalue() == f"{page[0][0]}\n{'x' * 300}\n"
    assert terminal.getvalue() == f"\x1b[1m{page[0][0]}\x1b[0m\n{'x' * 300}\n"
    monkeypatch.setenv("NO_COLOR", "1")
    write(page, terminal := Terminal())
    assert "[bold]name[/bold] :smile:" in terminal.getvalue()


def test_a_terminal_without_the_letters():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="backslashreplace")
    write([("── – … R² 体", "")], stream)
    stream.flush()
    assert raw.getvalue() == b"-- - ~ R2 \\u4f53\n"
