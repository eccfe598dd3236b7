"""A mean written as a formula: `y ~ a * exp(-b * x)`, of parameters that have a start and columns of the data.

The text goes through the formulas' own reader and list of functions; Python evaluates none of it. Imports
formula_syntax and formula_allowed.
"""

import ast
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .formula_allowed import ELEMENTWISE, Token, call, refuse
from .formula_syntax import tokens_of

__all__ = ["MeanFormula"]

OPERATORS: dict[type, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


class MeanFormula:
    """A mean as `nls` wants it, a function of parameters and data, and `response`, the column that it is the mean of.

    Parameters
    ----------
    text : str
        One column, `~`, and arithmetic with + - * / ** and the functions of each value that formulas have.
    parameters : iterable of str
    columns : dict of str to array
    """

    def __init__(self, text: str, parameters: Iterable[str], columns: Mapping[str, Any]) -> None:
        self.text = text
        names = _Names({str(n): "data" for n in columns})
        self.parameters = tuple(parameters)
        both = [n for n in self.parameters if n in names]
        if both:
            raise ValueError(f"{', '.join(map(repr, both))} is a parameter and a column of the data: rename one")
        names.update(dict.fromkeys(self.parameters, "parameter"))
        text, tokens = tokens_of(text, names)  # type: ignore[arg-type]
        at = [k for k, t in enumerate(tokens) if t.text == "~" and t.kind == "operator"]
        if at != [1] or names.get(tokens[0].value) != "data" or len(tokens) < 3:
            raise ValueError(f"{text!r}: write the response, a column of the data, then `~` and its mean")
        self.response: str = tokens[0].value
        start = tokens[2].start
        inside = [Token("function", "I", start, "I"), Token("operator", "(", start), *tokens[2:]]
        factor = call(text, [*inside, Token("operator", ")", start)])
        self.names, self.tree = factor.names, factor.tree
        self.reads = [name for kind, name in self.names.values() if kind == "column" and name in columns]
        for kind, name in self.names.values():
            if kind == "function" and name not in (*ELEMENTWISE, "I"):
                refuse(text, start, f"`{name}` is no function of each value: {', '.join(sorted(ELEMENTWISE))} are")
            if name in self.reads and np.asarray(columns[name]).dtype.kind not in "biuf":
                refuse(text, start, f"the column `{name}` does not hold numbers")

    def __call__(self, p: Mapping[str, Any], d: Mapping[str, Any]) -> Any:
        """The mean of each row."""
        mean = self._value(self.tree, p, d)
        return mean if self.reads else mean + np.zeros(len(d[next(iter(d))]))

    def _value(self, node: Any, p: Mapping[str, Any], d: Mapping[str, Any]) -> Any:
        match node:
            case ast.Name(id=name):
                kind, value = self.names[name]
                return value if kind == "literal" else (p if value in self.parameters else d)[value]
            case ast.UnaryOp(op=op, operand=inner):
                return OPERATORS[type(op)](self._value(inner, p, d))
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](self._value(left, p, d), self._value(right, p, d))
        name = self.names[node.func.id][1]
        value = self._value(node.args[0], p, d)
        return value if name == "I" else getattr(np, name)(value)


class _Names(dict[str, str]):
    """The names of a formula, as its reader looks them up."""

    def unknown(self, name: str) -> str:
        """What is said of a name that is neither."""
        said = [", ".join(n for n in self if self[n] == kind) for kind in ("parameter", "data")]
        return f"`{name}` is neither a parameter, of which start has {said[0]}, nor a column of the data: {said[1]}"
