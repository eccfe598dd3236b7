"""What a formula's functions may be: the tables of names and arguments, and the check of one factor's syntax tree.

Imports data for its messages; nothing here computes a value. The next function a formula may use is a line in one of
the tables below, and one in `formula.py` that says what it does.
"""

import ast
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .data import quoted

__all__ = ["CONTRASTS", "ELEMENTWISE", "FUNCTIONS", "OPTIONS", "PATSY", "Factor", "Token", "allowed", "call", "literal"]

ELEMENTWISE = ("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan", "tanh")
"""Functions of each value by itself, also as `np.log` and so on."""

OPTIONS: dict[str, dict[str, Any]] = {
    "I": {},
    "offset": {},
    "center": {},
    "scale": {"center": bool, "scale": bool, "ddof": int},
    "standardize": {"center": bool, "rescale": bool, "ddof": int},
    "lag": {"k": int},
    "poly": {"degree": int, "raw": bool},
    "bs": {
        "df": int,
        "knots": list,
        "degree": int,
        "include_intercept": bool,
        "lower_bound": float,
        "upper_bound": float,
        "extrapolation": ("raise", "clip", "na", "zero", "extend"),
    },
    "cr": {
        "df": int,
        "knots": list,
        "lower_bound": float,
        "upper_bound": float,
        "constraints": ("center",),
        "extrapolation": ("raise", "clip", "na", "zero", "extend"),
    },
    "C": {"contrasts": "contrast", "levels": list, "spans_intercept": bool},
}
OPTIONS["cs"] = OPTIONS["cc"] = OPTIONS["cr"]
"""Functions of a whole column, and the literal arguments each takes after it, in their order."""

CONTRASTS: dict[str, dict[str, Any]] = {
    "contr.treatment": {"base": "level"},
    "contr.sum": {},
    "contr.helmert": {"reverse": bool, "scale": bool},
    "contr.poly": {"scores": list},
    "contr.diff": {"backward": bool},
}
ALIASES = {("C", "contr"): "contrasts", ("contr.treatment", "reference"): "base"}
PATSY = {"Treatment": "contr.treatment", "Sum": "contr.sum", "Helmert": "contr.helmert", "Poly": "contr.poly"}
PATSY["Diff"] = "contr.diff"

WHOLE_FACTOR = ("C", "poly", "bs", "cr", "cs", "cc", "offset")
"""Functions that give several columns, or a kind of their own: they stand alone, not inside another."""

FUNCTIONS = {n: n for n in (*ELEMENTWISE, *OPTIONS, *CONTRASTS)} | {f"np.{n}": n for n in ELEMENTWISE} | PATSY
LENGTH, NESTING, POWER, TERMS, DEGREE = 2000, 50, 10, 5000, 20
"""What a formula may be at most: characters, brackets in brackets, a power, terms, columns of poly or a spline."""


@dataclass(frozen=True)
class Token:
    """A piece of the formula: its kind, what it stands for, and where it is."""

    kind: str  # column, function, number, string, constant, operator, keyword
    text: str
    start: int
    value: Any = None


@dataclass(frozen=True)
class Factor:
    """One factor of a term: a column by itself, or a checked expression.

    `tree` is a syntax tree whose names are looked up in `names`: columns as ("column", name), functions as
    ("function", name), literals as ("literal", value). Nothing else is in it.
    """

    display: str
    start: int
    column: str | None = None
    tree: ast.expr | None = None
    names: dict[str, tuple[str, Any]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        if self.column is not None:
            return (self.column,)
        return tuple(dict.fromkeys(v for kind, v in self.names.values() if kind == "column"))

    @property
    def function(self) -> str | None:
        """The function on its outside, if it is a call."""
        return self.names[self.tree.func.id][1] if isinstance(self.tree, ast.Call) else None  # type: ignore[attr-defined]


def refuse(text: str, start: int, sentence: str) -> NoReturn:
    """Raise the sentence, with the formula and a caret below the place (wide letters take two columns)."""
    before = "".join(" " * (2 if unicodedata.east_asian_width(c) in "WF" else 1) for c in text[:start])
    shown = "".join(c if c.isprintable() else " " for c in text)  # no control character reaches a terminal
    raise ValueError(f"{sentence}\n    {shown[:300]}" + (f"\n    {before}^" if start < 300 else ""))


def allowed() -> str:
    return ", ".join(n for n in sorted(FUNCTIONS, key=str.lower) if n not in PATSY and not n.startswith("np."))


def shown(name: str) -> str:
    """A column as its coefficient is named: plain, or in backticks where it would read as a term or a call."""
    return f"`{name}`" if re.search(r"[:`*~|]|^[\w.]+\(", name) else name


def _spelled(tokens: list[Token]) -> str:
    """A call as its coefficient is named: the user's words, spaced one way."""
    out, before = "", "("
    for t in tokens:
        word = t.text
        if t.kind == "column":
            word = t.value if re.fullmatch(r"[^\W\d][\w.]*", t.value) else f"`{t.value}`"
        unary = before in ("(", "[", ",", "=", "+", "-", "*", "/", "**")
        if t.text in ("+", "-", "*", "/") and not unary:
            word = f" {word} "
        out += f"{word} " if t.text == "," else word
        before = t.text
    return out


def call(text: str, tokens: list[Token]) -> Factor:
    """A call as a tree of names only: columns, functions and literals are each given one before Python reads it."""
    names: dict[str, tuple[str, Any]] = {}
    source = ""
    for t in tokens:
        kind = {"column": "column", "function": "function"}.get(t.kind, "literal")
        if t.kind in ("column", "function", "number", "string", "constant"):
            name = f"n{len(names)}"
            names[name] = (kind, t.value)
            source += f" {name} "
        elif t.kind == "operator" and t.text not in ("~", "|", ":"):
            source += t.text
        elif t.kind == "keyword":
            source += f" {t.text}" if t.text.isascii() else " k"
        else:
            refuse(text, t.start, f"`{t.text}` has no place inside a function")
    display = _spelled(tokens)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        refuse(text, tokens[0].start, f"`{display}` cannot be read; its brackets, commas and operators do not fit")
    places = {f"n{k}": t.start for k, t in enumerate(t for t in tokens if t.kind != "operator" and t.kind != "keyword")}
    _Checker(text, tokens[0].start, names, places).factor(tree)
    return Factor(display, tokens[0].start, None, tree, names)


# ------------------------------------------------------------------------------------------- the syntax tree


class _Checker:
    """Walks the tree of one factor; anything that is not on the list is an error."""

    def __init__(self, text: str, start: int, names: dict[str, tuple[str, Any]], places: dict[str, int]) -> None:
        self.text, self.start, self.names, self.places = text, start, names, places

    def stop(self, node: ast.AST, sentence: str) -> NoReturn:
        inner = next((n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in self.places), None)
        refuse(self.text, self.places[inner] if inner else self.start, sentence)

    def factor(self, tree: ast.expr) -> None:
        depth, level = 0, [tree]
        while level:  # level by level: the tree of a hostile formula may be deep
            depth, level = depth + 1, [c for n in level for c in ast.iter_child_nodes(n)]  # type: ignore[misc]
        if depth > 4 * NESTING:
            self.stop(tree, "an expression is nested too deeply; compute it as a column first")
        if not isinstance(tree, ast.Call):
            self.stop(tree, "arithmetic between columns stands inside I(…)")
        self.value(tree, outside=True)

    def value(self, node: ast.AST, outside: bool = False) -> None:
        """Something that has a value for every row, or a number."""
        match node:
            case ast.Name(id=name) if name in self.names:
                kind, value = self.names[name]
                if kind == "function":
                    self.stop(node, f"`{value}` is a function: write {value}(…)")
                if kind == "literal" and not _number(value):
                    self.stop(
                        node,
                        "a number is too large" if value == math.inf else f"{value!r} stands where a number is needed",
                    )
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
                self.value(inner)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
                self.value(left)
                self.value(right)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                self.value(left)
                self.exponent(right)
            case ast.Call():
                self.call(node, outside)
            case _:
                self.stop(node, f"{_spoken(node)} is not allowed in a formula; {allowed()} and + - * / ** are")

    def exponent(self, node: ast.AST) -> None:
        """A power is small, so that no formula makes a number explode; a column may be a power."""
        self.value(node)
        if not self.reads_column(node) and not abs(self.constant(node)) <= POWER:
            self.stop(node, f"a power is a number of size at most {POWER}")

    def constant(self, node: ast.AST) -> float:
        """The value of arithmetic without columns; NaN where it is not plain."""
        match node:
            case ast.Name(id=name):
                return float(self.names[name][1])
            case ast.UnaryOp(op=op, operand=inner):
                return -self.constant(inner) if isinstance(op, ast.USub) else self.constant(inner)
            case ast.BinOp(left=left, op=op, right=right) if not isinstance(op, ast.Pow):
                a, b = self.constant(left), self.constant(right)
                sums = {ast.Add: a + b, ast.Sub: a - b, ast.Mult: a * b, ast.Div: a / b if b else math.nan}
                return sums[type(op)]
        return math.nan

    def reads_column(self, node: ast.AST) -> bool:
        return any(isinstance(n, ast.Name) and self.names.get(n.id, ("", 0))[0] == "column" for n in ast.walk(node))

    def call(self, node: ast.Call, outside: bool) -> None:
        kind, name = self.names.get(getattr(node.func, "id", ""), ("", ""))
        if kind != "function":
            self.stop(node, f"only the functions allowed can be called: {allowed()}")
        if name in CONTRASTS:
            self.stop(node, f"`{name}` is an argument of C, as in C(g, {name})")
        if name in WHOLE_FACTOR and not outside:
            self.stop(node, f"`{name}` stands alone, not inside another function or arithmetic")
        if not node.args or isinstance(node.args[0], ast.Starred):
            self.stop(node, f"`{name}` takes a column first, as in {name}(x)")
        if name in ("C", "lag") and not self.is_column(node.args[0], or_lag=name == "C"):
            self.stop(node, f"`{name}` takes a column by its name; compute the expression as a column first")
        self.value(node.args[0])
        if not self.reads_column(node.args[0]):
            self.stop(node, f"`{name}` of a number is the same for every row; give it a column")
        self.arguments(name, node, node.args[1:], {} if name in ELEMENTWISE else OPTIONS[name])

    def is_column(self, node: ast.AST, or_lag: bool) -> bool:
        if or_lag and isinstance(node, ast.Call) and self.names.get(getattr(node.func, "id", ""), ("", ""))[1] == "lag":
            return True
        return isinstance(node, ast.Name) and self.names.get(node.id, ("", ""))[0] == "column"

    def arguments(self, name: str, node: ast.Call, rest: list[ast.expr], options: dict[str, Any]) -> None:
        """The literal arguments after the first, each of its kind."""
        if len(rest) > len(options):
            takes = f"{name}(x, {', '.join(options)})" if options else f"{name}(x)"
            self.stop(rest[len(options)], f"`{name}` takes fewer arguments: {takes}")
        given = dict(zip(options, rest, strict=False))
        for k in node.keywords:
            word = ALIASES.get((name, str(k.arg)), k.arg)
            if word is None or word not in options:
                self.stop(
                    k, f"`{name}` has no argument {k.arg or '**'}" + (f"; it has {', '.join(options)}" * bool(options))
                )
            if word in given:
                self.stop(k, f"`{name}` is given {word} twice")
            given[word] = k.value
        for word, value in given.items():
            self.argument(name, word, value, options[word])

    def argument(self, name: str, word: str, node: ast.expr, wanted: Any) -> None:
        if wanted == "contrast":
            self.contrast(node)
            return
        value = self.literal(node)
        most = 10**6 if word == "k" else DEGREE
        least = -most if word == "k" else 0 if word in ("degree", "ddof") and name != "poly" else 1
        right: Callable[[Any], bool] = {
            bool: lambda v: isinstance(v, bool),
            int: lambda v: isinstance(v, int) and not isinstance(v, bool) and least <= v <= most,
            float: _number,
            list: lambda v: (
                isinstance(v, list) and all(_number(u) or (word == "levels" and isinstance(u, (str, bool))) for u in v)
            ),
            "level": lambda v: _number(v) or isinstance(v, (str, bool)),
        }.get(wanted if not isinstance(wanted, tuple) else None, lambda v: v in wanted)
        if not right(value) and not (value is None and wanted in (int, float, list)):
            kinds = {
                bool: "True or False",
                int: f"a whole number from {least} to {most}",
                float: "a number",
                list: "a list of " + ("levels" if word == "levels" else "numbers") + " in [ ]",
            }
            kind = kinds.get(wanted, "a level") if not isinstance(wanted, tuple) else "one of " + quoted(wanted)
            self.stop(node, f"`{name}`: {word} is {kind}, written out")

    def contrast(self, node: ast.expr) -> None:
        func = node.func if isinstance(node, ast.Call) else node
        kind, name = self.names.get(getattr(func, "id", ""), ("", ""))
        if kind != "function" or name not in CONTRASTS:
            self.stop(node, f"the contrasts of C are one of {', '.join(CONTRASTS)}, as in C(g, contr.sum)")
        if isinstance(node, ast.Call):
            self.arguments(name, node, node.args, CONTRASTS[name])

    def literal(self, node: ast.AST) -> Any:
        """The value of a literal argument."""
        match node:
            case ast.Name(id=name) if self.names.get(name, ("", ""))[0] == "literal":
                return self.names[name][1]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Name()) if _number(inner := self.literal(node.operand)):
                return -inner
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.literal(item) for item in items]
        self.stop(node, f"{_spoken(node)} stands where a literal argument is needed; write the value out")


def literal(node: ast.expr, names: dict[str, tuple[str, Any]]) -> Any:
    """The value of a literal argument of a tree that has been checked."""
    return _Checker("", 0, names, {}).literal(node)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _spoken(node: ast.AST) -> str:
    """What a piece of Python is called."""
    said = {
        "Attribute": "looking up an attribute",
        "Subscript": "indexing with [ ]",
        "Starred": "an argument with *",
        "NamedExpr": "`:=`",
        "Compare": "a comparison",
        "Tuple": "a list of values",
        "List": "a list of values",
        "Name": "a name",
        "Call": "calling a function",
        "BinOp": "arithmetic",
    }
    return said.get(type(node).__name__, f"Python's {type(node).__name__}")
