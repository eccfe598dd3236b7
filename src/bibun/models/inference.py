"""Hypotheses about parameters: linear equations in the labels, read and checked. Imports nothing of the package."""

import ast
import re
from typing import Any

import numpy as np

__all__ = ["constraints"]


def constraints(hypothesis: Any, labels: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A hypothesis as R b = r.

    Parameters
    ----------
    hypothesis : str or (R, r) or R
        Equations between labels, numbers and + - * /, separated by commas: ``"x1 = x2, 2*x3 = 1"``; an expression
        without ``=`` is said to be 0. A label that is no Python name is put in backticks.
    labels : list of str

    Returns
    -------
    R : ndarray, shape (m, k)
    r : ndarray, shape (m,)
    texts : list of str
    """
    if not isinstance(hypothesis, str):
        R, r = hypothesis if isinstance(hypothesis, tuple) else (hypothesis, None)
        R = np.atleast_2d(np.asarray(R, float))
        r = np.zeros(len(R)) if r is None else np.atleast_1d(np.asarray(r, float))
        if R.shape[1] != len(labels) or r.shape != (len(R),):
            raise ValueError(f"R of shape {R.shape} and r of shape {r.shape} for {len(labels)} parameters")
        return R, r, [f"row {i}" for i in range(len(R))]
    names, text = _named(hypothesis, labels)
    rows, right, texts = [], [], []
    for part in text.split(";"):
        sides = part.split("=")
        if len(sides) > 2 or not part.strip():
            raise ValueError(
                f"cannot read the hypothesis {hypothesis!r}: equations separated by commas, one '=' in each"
            )
        left = _linear(sides[0], names, len(labels), hypothesis)
        rhs = _linear(sides[1], names, len(labels), hypothesis) if len(sides) == 2 else np.zeros(len(labels) + 1)
        row = left - rhs
        if not row[:-1].any():
            raise ValueError(f"the equation {part.strip()!r} holds no parameter")
        rows.append(row[:-1])
        right.append(-row[-1])
        texts.append(" = ".join(" ".join(side.split()) for side in sides))
    for token, k in names.items():
        texts = [re.sub(rf"\b{token}\b", lambda _, k=k: labels[k], t) for t in texts]
    return np.array(rows), np.array(right), texts


def _named(text: str, labels: list[str]) -> tuple[dict[str, int], str]:
    """The text with every label replaced by a plain name, commas between equations by semicolons."""
    names: dict[str, int] = {}
    for k in sorted(range(len(labels)), key=lambda k: -len(labels[k])):
        token = f"parameter_{k}"
        pattern = re.escape(labels[k])
        replaced = re.sub(rf"`{pattern}`|(?<![\w\]`.]){pattern}(?![\w\[`])", f" {token} ", text)
        if replaced != text:
            names[token], text = k, replaced
    return names, text.replace(",", ";")


def _linear(text: str, names: dict[str, int], n: int, whole: str) -> np.ndarray:
    """A linear expression as its coefficients, the constant last."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        return _coefficients(tree, names, n)
    except (SyntaxError, ValueError, ZeroDivisionError) as e:
        reason = str(e) if isinstance(e, ValueError) else "it is no expression"
        raise ValueError(f"cannot read {text.strip()!r} in the hypothesis {whole!r}: {reason}") from None


def _coefficients(node: Any, names: dict[str, int], n: int) -> np.ndarray:
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ValueError(f"there is no parameter {node.id!r}")
        return np.eye(n + 1)[names[node.id]]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return np.eye(n + 1)[n] * float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _coefficients(node.operand, names, n)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        a, b = _coefficients(node.left, names, n), _coefficients(node.right, names, n)
        if isinstance(node.op, ast.Add):
            return a + b
        if isinstance(node.op, ast.Sub):
            return a - b
        if isinstance(node.op, ast.Mult) and not (a[:-1].any() and b[:-1].any()):
            return a * b[-1] if a[:-1].any() else b * a[-1]
        if isinstance(node.op, ast.Div) and not b[:-1].any():
            return a / b[-1]
    raise ValueError("it is not linear in the parameters (labels, numbers, + - * /)")
