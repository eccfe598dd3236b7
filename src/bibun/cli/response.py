"""The response of a regression: numbers if gaussian, 0 and 1 if binomial, or the sentence that says why not.

Imports models.data for its lists. Another family's response is another function here.
"""

from typing import Any

import numpy as np

from ..models.data import quoted

__all__ = ["response_of"]

SHOWN = 6


def response_of(made: Any, family: str) -> tuple[np.ndarray, list[Any] | None, list[str]]:
    """The response of a `Design` as numbers; the two classes where it has them; what is to be said of it.

    Raises
    ------
    ValueError
        If there is no response, or one that the family does not take.
    """
    if made.response is None:
        raise ValueError(
            f"the formula {made.formula!r} has no response: write it before ~, as in y {_tilde(made.formula)}"
        )
    if made.X.shape[1] == 0 and made.offset is None:
        raise ValueError("the formula has no terms, not even an intercept; write ~ 1 for a mean alone")
    return _numbers(made) if family == "gaussian" else _classes(made)


def _tilde(formula: str) -> str:
    text = formula.strip()
    return text if text.startswith("~") else f"~ {text}"


def _numbers(made: Any) -> tuple[np.ndarray, None, list[str]]:
    if made.response_levels is None:
        if made.offset is None and len(made.rows) > 1 and np.ptp(made.response) == 0:
            raise ValueError(
                f"the response `{made.response_name}` is {_plain(made.response[0])} in all {len(made.rows)} rows"
                f"{_left(made)}; there is nothing to explain"
            )
        return made.response, None, []
    levels = made.response_levels
    way = (
        "--family binomial fits a logistic regression to it"
        if len(levels) == 2
        else "a linear regression needs numbers; choose another column or number the levels yourself"
    )
    raise ValueError(f"the response `{made.response_name}` holds {_kinds(levels)}; {way}")


def _classes(made: Any) -> tuple[np.ndarray, list[Any], list[str]]:
    name = made.response_name
    codes = np.unique(made.response)
    values = (
        [_plain(c) for c in codes] if made.response_levels is None else [made.response_levels[int(c)] for c in codes]
    )
    if len(codes) == 1:
        raise ValueError(
            f"the response `{name}` is {values[0]!r} in all {len(made.rows)} rows{_left(made)}; "
            "a logistic regression needs rows of both classes"
        )
    if len(codes) > 2:
        if made.response_levels is None and len(codes) > 10:
            kinds = f"{len(codes)} different numbers from {values[0]:g} to {values[-1]:g}"
            way = "--family gaussian fits a linear regression, or make a column of 0 and 1"
        else:
            kinds = (
                _kinds(values)
                if made.response_levels is not None
                else f"{len(values)} values ({quoted(values, SHOWN)})"
            )
            way = "make a column of 0 and 1 that says which of them is meant"
        raise ValueError(f"the response `{name}` has {kinds}; a binomial response has two: {way}")
    y = (made.response == codes[1]).astype(np.float64)
    if values == [0, 1]:
        return y, values, []
    count = int(y.sum())
    return y, values, [f"`{name}`: {values[1]!r} is 1 ({count} rows), {values[0]!r} is 0 ({len(y) - count} rows)"]


def _left(made: Any) -> str:
    left = made.n_rows - len(made.rows)
    return f", once {left} with missing values are left out" if left else ""


def _kinds(levels: Any) -> str:
    return f"text of {len(levels)} kinds ({quoted(levels, SHOWN)})"


def _plain(value: Any) -> Any:
    """4 for 4.0: a number as the file has it."""
    value = float(value)
    return int(value) if value.is_integer() else value
