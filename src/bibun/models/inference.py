"""Hypotheses about parameters: linear statements in the labels, read and checked. Imports errors."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import NotDefined

__all__ = ["Hypothesis", "constraints", "read"]

RELATION = re.compile(r"(<=|>=|=)")


@dataclass
class Hypothesis:
    """Linear statements about parameters b: R b = r where `equal`, R b >= r elsewhere.

    Attributes
    ----------
    R : ndarray, shape (m, k)
    r : ndarray, shape (m,)
    equal : ndarray of bool, shape (m,)
    texts : list of str
        Each in words.
    """

    R: np.ndarray
    r: np.ndarray
    equal: np.ndarray
    texts: list[str]

    def __getitem__(self, which: np.ndarray) -> "Hypothesis":
        """Some of them."""
        at = np.arange(len(self.r))[which]
        return Hypothesis(self.R[at], self.r[at], self.equal[at], [self.texts[i] for i in at])

    def __and__(self, other: "Hypothesis") -> "Hypothesis":
        """Both: these first."""
        pairs = ((self.R, other.R), (self.r, other.r), (self.equal, other.equal))
        R, r, equal = (np.concatenate(pair) for pair in pairs)
        return Hypothesis(R, r, equal, [*self.texts, *other.texts])

    def __str__(self) -> str:
        return ", ".join(self.texts)


def constraints(hypothesis: Any, labels: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A hypothesis of equations alone as R b = r (see `read`).

    Raises
    ------
    NotDefined
        If one is an inequality, for which a test has no chi-square.
    """
    h = read(hypothesis, labels)
    if not h.equal.all():
        raise NotDefined(
            f"{h[~h.equal].texts[0]!r} is an inequality, and a test takes equations: what the log-likelihood loses is "
            "a mixture of chi-squares under inequalities; restricted() fits under them"
        )
    return h.R, h.r, h.texts


def read(hypothesis: Any, labels: list[str]) -> Hypothesis:
    """A hypothesis as numbers.

    Parameters
    ----------
    hypothesis : str, list of str, dict of label to value, (R, r) or R
        Statements separated by commas: expressions of labels, numbers and + - * / with ``=``, ``<=`` or ``>=`` between
        them, ``"x1 = x2, 2*x3 = 1, 0 <= x4 <= 1"``; an expression alone is said to be 0. A label that is no Python name
        is put in backticks. Matrices are of equations.
    labels : list of str

    Returns
    -------
    Hypothesis
    """
    if isinstance(hypothesis, Mapping):
        unknown = [label for label in hypothesis if label not in labels]
        if unknown:
            raise ValueError(f"there is no parameter {unknown[0]!r}; there are {', '.join(labels)}")
        hypothesis = [f"`{label}` = {value}" for label, value in hypothesis.items()]
    if isinstance(hypothesis, (list, tuple)) and any(isinstance(h, str) for h in hypothesis):
        if not all(isinstance(h, str) for h in hypothesis):
            raise ValueError(f"the hypothesis {hypothesis!r}: equations as text, or matrices, and not both")
        hypothesis = ", ".join(hypothesis)
    if not isinstance(hypothesis, str):
        R, r = hypothesis if isinstance(hypothesis, tuple) else (hypothesis, None)
        R = np.atleast_2d(np.asarray(R, float))
        r = np.zeros(len(R)) if r is None else np.atleast_1d(np.asarray(r, float))
        if R.shape[1] != len(labels) or r.shape != (len(R),):
            raise ValueError(f"R of shape {R.shape} and r of shape {r.shape} for {len(labels)} parameters")
        return Hypothesis(R, r, np.ones(len(R), bool), [f"row {i}" for i in range(len(R))])
    names, text = _named(hypothesis, labels)
    rows, equal, texts = [], [], []
    for part in text.split(";"):
        said = RELATION.split(part)
        sides, relations = [" ".join(side.split()) for side in said[::2]], said[1::2]
        if not part.strip():
            raise ValueError(
                f"cannot read the hypothesis {hypothesis!r}: statements separated by commas, such as a = b or a <= b"
            )
        values = [_linear(side, names, labels, hypothesis) for side in sides]
        if not relations:  # an expression that is 0
            values, relations = [*values, np.zeros(len(labels) + 1)], [""]
            sides.append("")
        for k, relation in enumerate(relations):
            row = values[k] - values[k + 1]
            if not row[:-1].any():
                raise ValueError(f"the statement {_said(part.strip(), names, labels)!r} holds no parameter")
            rows.append(-row if relation == "<=" else row)
            equal.append(relation in ("=", ""))
            texts.append(f"{sides[k]} {relation} {sides[k + 1]}".strip())
    texts = [_said(t, names, labels) for t in texts]
    both = np.array(rows)
    return Hypothesis(both[:, :-1], -both[:, -1], np.array(equal), texts)


def _named(text: str, labels: list[str]) -> tuple[dict[str, int], str]:
    """The text with every label replaced by a plain name, commas between statements by semicolons."""
    names: dict[str, int] = {}
    for k in sorted(range(len(labels)), key=lambda k: -len(labels[k])):
        token = f"parameter_{k}"
        pattern = re.escape(labels[k])
        replaced = re.sub(rf"`{pattern}`|(?<![\w\]`.]){pattern}(?![\w\[`])", f" {token} ", text)
        if replaced != text:
            names[token], text = k, replaced
    return names, text.replace(",", ";")


def _said(text: str, names: dict[str, int], labels: list[str]) -> str:
    """The text with its labels back."""
    return re.sub(r"\bparameter_\d+\b", lambda m: labels[names[m[0]]] if m[0] in names else m[0], text)


def _linear(text: str, names: dict[str, int], labels: list[str], whole: str) -> np.ndarray:
    """A linear expression as its coefficients, the constant last."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        return _coefficients(tree, names, labels)
    except (SyntaxError, ValueError, ZeroDivisionError) as e:
        reason = str(e) if isinstance(e, ValueError) else "it is no expression"
        raise ValueError(f"cannot read {_said(text.strip(), names, labels)!r} in {whole!r}: {reason}") from None


def _coefficients(node: Any, names: dict[str, int], labels: list[str]) -> np.ndarray:
    n = len(labels)
    if isinstance(node, (ast.Name, ast.Subscript)):
        if not isinstance(node, ast.Name) or node.id not in names:
            shown = ", ".join(labels[:20]) + (", …" if n > 20 else "")
            raise ValueError(f"there is no parameter {ast.unparse(node)!r}; there are {shown}")
        return np.eye(n + 1)[names[node.id]]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return np.eye(n + 1)[n] * float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _coefficients(node.operand, names, labels)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        a, b = _coefficients(node.left, names, labels), _coefficients(node.right, names, labels)
        if isinstance(node.op, ast.Add):
            return a + b
        if isinstance(node.op, ast.Sub):
            return a - b
        if isinstance(node.op, ast.Mult) and not (a[:-1].any() and b[:-1].any()):
            return a * b[-1] if a[:-1].any() else b * a[-1]
        if isinstance(node.op, ast.Div) and not b[:-1].any():
            return a / b[-1]
    if isinstance(node, ast.Compare):
        raise ValueError("a bound may be reached: write <= or >=")
    raise ValueError("it is not linear in the parameters (labels, numbers, + - * /)")
