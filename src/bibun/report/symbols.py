"""What a picture writes on things: numbers, shapes, and an operation's symbol with its constants folded in.

`× 0.9`, `1 − •`, `[100×3] @ •`, `sum(axis=0)`: a dot is the operand an arrow brings. A function that reads better as a
symbol gets a line in one of the tables. Imports numpy.
"""

import math
from typing import Any

import numpy as np

__all__ = ["UNARY", "constant_text", "number", "operation", "shape_text", "shortened", "summary"]

DOT = "•"
LONGEST = 30

INFIX = {
    "add": "+", "subtract": "−", "multiply": "×", "absorb": "×", "divide": "÷", "true_divide": "÷", "matmul": "@",
    "remainder": "mod", "power": "^", "float_power": "^", "floor_divide": "//", "equal": "=", "not_equal": "≠",
    "greater": ">", "less": "<", "greater_equal": "≥", "less_equal": "≤", "bitwise_and": "&", "bitwise_or": "|",
    "bitwise_xor": "xor", "logical_and": "and", "logical_or": "or",
}  # fmt: skip
COMMUTE = frozenset((
    "add", "multiply", "absorb", "maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2", "hypot", "equal",
    "not_equal", "logical_and", "logical_or", "bitwise_and", "bitwise_or", "bitwise_xor", "inner", "beta", "betaln",
))  # fmt: skip
UNARY = {
    "negative": "neg", "positive": "pos", "square": "^2", "sqrt": "√", "cbrt": "∛", "absolute": f"|{DOT}|",
    "fabs": f"|{DOT}|", "reciprocal": f"1 ÷ {DOT}", "conjugate": "conj", "logical_not": "not", "invert": "not",
}  # fmt: skip
BY_SHAPE = {
    "reshape": "reshape", "broadcast_to": "broadcast", "spread": "broadcast", "expand_dims": "expand_dims",
    "squeeze": "squeeze",
}  # fmt: skip
"""Functions whose static argument the shape of the result already tells."""
UNTOLD = frozenset(("keepdims", "optimize"))
"""Statics that no picture needs: the shape of the result shows them, or they change nothing."""


def number(v: Any) -> str:
    """A number in about three digits, with a real minus sign."""
    if isinstance(v, (bool, np.bool_)):
        return str(bool(v))
    if isinstance(v, (complex, np.complexfloating)):
        sign = "−" if math.copysign(1, v.imag) < 0 else "+"
        return f"{number(v.real)} {sign} {number(abs(v.imag))}i"
    if isinstance(v, (int, np.integer)):
        text = str(int(v)) if abs(int(v)) < 10**7 else f"{float(v):.3g}"
    else:
        v = float(v)
        if v == round(v, 0) and abs(v) < 1e6:
            text = f"{v:.0f}"
        elif 100 <= abs(v) < 1e6:
            text = f"{v:.1f}" if abs(v) < 1000 else f"{v:.0f}"
        else:
            text = f"{v:.3g}"
    mantissa, e, exponent = text.partition("e")
    if e:
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−").replace("inf", "∞")


def shape_text(shape: tuple[int, ...]) -> str:
    """`[100×3]`; nothing for a scalar."""
    return f"[{'×'.join(map(str, shape))}]" if shape else ""


def summary(data: Any) -> str:
    """What the values are: a scalar's number, an array's range; nothing for another library's array, not to run it."""
    if not isinstance(data, (np.ndarray, np.generic)) or not data.size or data.dtype.kind not in "biufc":
        return ""
    if data.size == 1:
        return number(data.reshape(-1)[0])
    if data.dtype.kind == "c":
        return ""
    low, high = number(data.min()), number(data.max())
    return low if low == high else f"{low} … {high}"


def constant_text(v: Any) -> str:
    """An untracked operand: its number, or its shape."""
    if v is None or v is Ellipsis or isinstance(v, (str, bytes)):
        return "…" if v is Ellipsis else str(v)
    name = getattr(v, "name", None)
    v = getattr(v, "_data", v)
    if isinstance(name, str) and name:
        return shortened(name, 12)
    if isinstance(v, (int, float, complex, np.generic)) and not isinstance(v, np.void):
        return number(v)
    shape = getattr(v, "shape", None)
    if isinstance(shape, tuple):
        if math.prod(shape) == 1 and isinstance(v, np.ndarray) and v.dtype.kind in "biufc":
            return number(v.reshape(-1)[0])
        return shape_text(shape) or "scalar"
    if isinstance(v, (tuple, list)):
        inside = ", ".join([static_text(k) for k in v])
        return f"[{inside}]" if isinstance(v, list) else f"({inside}{',' * (len(v) == 1)})"
    return static_text(v)


def static_text(v: Any) -> str:
    """An axis, an index, a mode, as it would be typed."""
    if isinstance(v, slice):
        ends = ["" if e is None else str(e) for e in (v.start, v.stop)]
        return ":".join(ends) + (f":{v.step}" if v.step is not None else "")
    if isinstance(v, np.ndarray) and v.ndim:
        return "mask" if v.dtype.kind == "b" else shape_text(v.shape)
    if isinstance(v, type) or callable(v):
        return str(getattr(v, "__name__", type(v).__name__))
    if isinstance(v, np.dtype):
        return str(v)
    if v is None or isinstance(v, (int, float, complex, str, np.generic, np.ndarray, tuple, list)) or v is Ellipsis:
        return constant_text(v)
    return type(v).__name__


def subscript(index: Any) -> str:
    """An index between its brackets."""

    def one(i: Any) -> str:
        if isinstance(i, (list, np.ndarray)) and np.ndim(i):
            return "mask" if np.asarray(i).dtype.kind == "b" else f"{np.size(i)} indices"
        return static_text(i)

    return f"[{', '.join([one(i) for i in index]) if isinstance(index, tuple) else one(index)}]"


def shortened(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, cut where it would be too long for a box."""
    text = " ".join("".join([c if c.isprintable() else " " for c in text]).split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def operation(rule: Any, values: tuple[Any, ...], where: tuple[int, ...]) -> tuple[str, bool]:
    """What stands on an operation's box, and whether the order of its arrows matters.

    Parameters
    ----------
    rule : Rule or Function
    values : tuple
        All arguments, operands and statics.
    where : tuple of int
        The positions of those that arrows bring.
    """
    name = str(rule.name)
    ordered = len(where) > 1 and name not in COMMUTE
    if getattr(rule, "kind", "") == "function":
        args = [DOT if i in where else constant_text(v) for i, v in enumerate(values)]
        return name + (f"({', '.join(args)})" if len(where) < len(args) else ""), ordered
    if name == "getitem" and where == (0,):
        return subscript(values[1]), False
    if name in BY_SHAPE:
        return BY_SHAPE[name], ordered
    if name in INFIX and len(values) == 2:
        return infix(name, values, where), ordered
    if name in UNARY and len(values) == 1:
        return UNARY[name], False
    return call(rule, name, values, where), ordered


def infix(name: str, values: tuple[Any, ...], where: tuple[int, ...]) -> str:
    """A binary operator, with what is constant on its side."""
    symbol = INFIX[name]
    if len(where) > 1:
        return symbol
    constant = constant_text(values[1 - where[0]])
    if symbol == "^" and where[0] == 0:
        return f"^{constant}"
    if constant.startswith("−"):
        constant = f"({constant})"
    if where[0] == 0 or name in COMMUTE:
        return f"{symbol} {constant}"
    return f"{constant} {symbol} {DOT}"


def call(rule: Any, name: str, values: tuple[Any, ...], where: tuple[int, ...]) -> str:
    """A function by name; its arguments only where one of them is constant, or a static is not what it usually is."""
    parameters = tuple(getattr(rule, "parameters", ()))
    defaults = tuple(getattr(rule, "defaults", ()))
    joint = bool(getattr(rule, "joint", False))
    first = len(parameters) - 1 if joint else 0
    end = len(values) if joint else getattr(rule, "operands", len(values))
    operands, statics, folded = [], [], False
    for i, v in enumerate(values):
        if i in where:
            operands.append(DOT)
        elif first <= i < end:
            operands.append(constant_text(v))
            folded = True
        elif not (i < len(defaults) and (usual(v, defaults[i]) or parameters[i] in UNTOLD)):
            key = parameters[i] if i < len(parameters) else ""
            statics.append(f"{key}={static_text(v)}" if key and not isinstance(v, str) else static_text(v))
    shown = (operands if folded and len(operands) < 7 else []) + statics
    return f"{name}({', '.join(shown)})" if shown else name


def usual(v: Any, default: Any) -> bool:
    """Whether a static has its default value."""
    return v is default or (type(v) is type(default) and isinstance(v, (int, float, str, tuple)) and v == default)
