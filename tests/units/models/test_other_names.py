"""What a result is asked for by another package's name: an AttributeError that says what it is here."""

import copy
import pickle

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.other_names import ELSEWHERE

pytest.importorskip("formulaic")

D = {"y": np.array([1.0, 0, 3, 2, 6, 8, 5, 11]), "x1": np.arange(8.0), "x2": np.array([0.0, 1, 0, 0, 1, 1, 0, 1])}


@pytest.fixture(scope="module")
def r():
    return bb.glm("y ~ x1 + x2", D)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_answer_is_what_there_is(name, r):
    assert not hasattr(r, name) and getattr(r, name, None) is None
    with pytest.raises(AttributeError, match=r"here it is (r|1|\[)"):
        getattr(r, name)
    more = {"r": r, "other": bb.glm("y ~ x1", D), "new": D}
    for answer in ELSEWHERE[name].split(", or "):
        code = answer.partition(", which")[0].partition(", with")[0].removesuffix(" as an array")
        assert eval(code, more) is not None


def test_other_names_are_as_ever(r):
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        r.nothing
    np.testing.assert_array_equal(copy.deepcopy(r).coef, r.coef)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(r)).coef, r.coef)


def test_new_data_in_place_of_a_function():
    own = bb.MLE(lambda p, d: -((d.y - p.a) ** 2), {"a": bb.Real()}).fit(D)
    with pytest.raises(NotDefined, match=r"give f\(p, d\)"):
        own.predict(D)
