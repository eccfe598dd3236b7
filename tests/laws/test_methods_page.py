"""docs/methods.md is what the models answer (methods_page.py writes it)."""

from .methods_page import PAGE, page


def test_the_page_is_what_the_models_answer():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.laws.methods_page"
