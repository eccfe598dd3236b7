"""Every rule broken on purpose: a law notices each time."""

from tests.laws import mutants


def test_no_mutant_survives(capsys):
    assert mutants.main([]) == 0
    assert "0 survived" in capsys.readouterr().out
