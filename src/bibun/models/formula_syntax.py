"""Formulas as text: read into tokens and terms, with every name resolved, before anything is evaluated.

Imports formula_allowed, which checks single factors, and data. Nothing here computes a value; `formula.py` does.
The next operator between terms is a method of `_Reader`.
"""

import keyword
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from .data import Table
from .formula_allowed import (
    CONTRASTS,
    FUNCTIONS,
    LENGTH,
    NESTING,
    PATSY,
    POWER,
    TERMS,
    Factor,
    Token,
    allowed,
    call,
    refuse,
    shown,
)

__all__ = ["Formula", "parse", "tokens_of"]

TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+) | (?P<quoted>`(?:[^`]|``)*`) | (?P<string>'[^'\\\n]*'|"[^"\\\n]*")
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[^\W\d][\w]*(?:\.\w+)*) | (?P<operator>\*\*|[-+*/:~|.()\[\],=])""",
    re.VERBOSE,
)
INSTEAD = {
    "{": "braces run Python code; write I(…) for arithmetic",
    "^": "write ** for a power",
    "#": "a formula has no comments",
    "@": "write names without it",
    "%": "write a:b or a/b for nested terms",
    "<": "compute the comparison as a column first",
    "\\": "write the formula without backslashes",
    ";": "a formula is one expression",
}
INSTEAD["}"], INSTEAD[">"], INSTEAD["!"] = INSTEAD["{"], INSTEAD["<"], INSTEAD["<"]
ELSEWHERE = {
    "factor": "write C(…); text is a category without it",
    "as.factor": "write C(…); text is a category without it",
    "relevel": 'the first of levels={"g": [...]} is the reference, or write C(g, contr.treatment("b"))',
    "ns": 'write cr(x, df=…, constraints="center") for a natural cubic spline',
    "s": "write bs(x, df=…) for a spline; nothing chooses how smooth it is",
    "rcs": 'write cr(x, df=…, constraints="center") for a natural cubic spline',
    "strata": "it is an argument of cox, strata=",
    "cluster": "it is an argument of the fit, cluster=",
    "frailty": "there are no random effects; give clusters with cluster=",
    "exposure": "write offset(log(e)), or give the fit exposure=",
}
"""Functions of other formulas, and what there is instead."""
LOOKALIKES = {
    "−": "-",
    "–": "-",
    "—": "-",
    "〜": "~",
    "∼": "~",
    "×": "*",
    "∗": "*",
    "’": "'",
    "‘": "'",
    "”": '"',
    "“": '"',
}


@dataclass(frozen=True)
class Formula:
    """A checked formula: `skeleton` is its right side, with `f0`, `f1`, … for factors and none of the text."""

    text: str
    response: Factor | None
    factors: tuple[Factor, ...]
    skeleton: str
    intercept: bool
    offsets: tuple[Factor, ...]

    def refuse(self, start: int, sentence: str) -> NoReturn:
        """An error that points at a place of the formula."""
        refuse(self.text, start, sentence)


def parse(text: str, data: Table) -> Formula:
    """Read a formula and check it; raises ValueError with the place of the first thing that is not allowed.

    Parameters
    ----------
    text : str
        Such as "y ~ x1 + C(g) + x1:x2 + log(x)"; names with spaces in backticks.
    data : Table
        Only the names of its columns are used.
    """
    text, tokens = tokens_of(text, data)
    return _Reader(text, tokens, data).formula()


# ---------------------------------------------------------------------------------------------------- tokens


def tokens_of(text: str, data: Table) -> tuple[str, list[Token]]:
    """The text of a formula, composed letters made one, and its tokens, every name found in `data` or on the list."""
    if not isinstance(text, str):
        raise TypeError(f'a formula is text, such as "y ~ x1 + x2"; got {type(text).__name__}')
    text = unicodedata.normalize("NFC", text)  # as typed: a decomposed が is one letter
    if len(text) > LENGTH:
        raise ValueError(f"the formula has {len(text)} characters; {LENGTH} are allowed")
    raw: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        kind = match.lastgroup if match else "other"
        end = match.end() if match else at + 1
        if kind != "space":
            raw.append(Token(str(kind), text[at:end], at))
        at = end
    for k, t in enumerate(raw):  # by name first: what a stranger's formula wanted to call
        called = k + 1 < len(raw) and raw[k + 1].text == "("
        if t.kind == "name" and (t.text.startswith("__") or (called and t.text not in data)):
            _check_name(text, t)
    for t in raw:
        if t.kind == "other":
            _refuse_character(text, t)
    resolved = list(_resolved(text, raw, data))
    depth = 0
    for t in resolved:
        depth += (t.text in ("(", "[")) - (t.text in (")", "]")) if t.kind == "operator" else 0
        if depth > NESTING:
            refuse(text, t.start, f"brackets are nested more than {NESTING} deep")
    return text, resolved


def _check_name(text: str, t: Token) -> None:
    """Refuse a name that is called, or begins as Python's own do, and is not on the list."""
    if t.text in FUNCTIONS or t.text == "Q":
        return
    here = ELSEWHERE.get(t.text)
    if here is not None:
        refuse(text, t.start, f"the formula uses `{t.text}`, which is not among the functions allowed: {here}")
    plain = unicodedata.normalize("NFKC", t.text)
    twin = f" (its letters look like `{plain}`, and are others: type it in ASCII)" if plain in FUNCTIONS else ""
    refuse(text, t.start, f"the formula uses `{t.text}`, which is not among the functions allowed{twin}: {allowed()}")


def _refuse_character(text: str, t: Token) -> NoReturn:
    c = t.text
    plain = LOOKALIKES.get(c) or unicodedata.normalize("NFKC", c)
    if c in "`'\"":
        refuse(text, t.start, f"a {c} opens here and is not closed on the same line")
    if plain != c and plain.isascii() and not plain.isspace():
        refuse(text, t.start, f"`{c}` (U+{ord(c):04X}) looks like `{plain}` and is another character: type `{plain}`")
    name = f"`{c}`" if c.isprintable() else f"U+{ord(c):04X}"
    hint = INSTEAD.get(c, "put the name of a column in backticks")
    refuse(text, t.start, f"{name} has no place in a formula; {hint}")


def _resolved(text: str, raw: list[Token], data: Table) -> Iterator[Token]:
    """Tokens with every name found to be a column, a function, or a constant; an error for any other."""
    forms = {unicodedata.normalize("NFC", n): n for n in data}
    k = 0
    while k < len(raw):
        t, after = raw[k], raw[k + 1].text if k + 1 < len(raw) else ""
        k += 1
        if t.kind == "name" and k < len(raw) and raw[k].kind == "string" and raw[k].start == t.start + len(t.text):
            refuse(text, t.start, f"`{t.text}{raw[k].text[0]}…` is Python code; a literal text stands in plain quotes")
        if t.kind == "name" and t.text == "Q" and after == "(":
            if k + 2 > len(raw) - 1 or raw[k + 1].kind != "string" or raw[k + 2].text != ")":
                refuse(text, t.start, 'Q takes the name of one column as literal text: Q("body mass")')
            yield _column(text, t, raw[k + 1].text[1:-1], forms, data)
            k += 3
        elif t.kind == "quoted":
            yield _column(text, t, t.text[1:-1].replace("``", "`"), forms, data)
        elif t.kind == "name":
            if after == "=":
                if keyword.iskeyword(t.text):
                    _refuse_name(text, t, data)
                yield Token("keyword", t.text, t.start)
            elif after == "(" and t.text in FUNCTIONS:
                yield Token("function", t.text, t.start, FUNCTIONS[t.text])
            elif t.text in data or unicodedata.normalize("NFC", t.text) in forms:
                yield _column(text, t, t.text, forms, data)
            elif t.text in CONTRASTS or t.text in PATSY:
                yield Token("function", t.text, t.start, FUNCTIONS[t.text])
            elif t.text in ("True", "False", "None"):
                yield Token("constant", t.text, t.start, {"True": True, "False": False, "None": None}[t.text])
            else:
                _refuse_name(text, t, data)
        elif t.kind == "string":
            yield Token("string", t.text, t.start, t.text[1:-1])
        elif t.kind == "number":
            if re.match(r"[\w.]", text[t.start + len(t.text) : t.start + len(t.text) + 1]):
                refuse(text, t.start, f"{t.text} runs into a letter or a point; put the name of a column in backticks")
            whole = t.text.isdigit() and len(t.text) <= 15
            yield Token("number", t.text, t.start, int(t.text) if whole else float(t.text))
        elif t.text == ".":
            yield Token("rest", ".", t.start)
        else:
            yield t


def _column(text: str, t: Token, name: str, forms: dict[str, str], data: Table) -> Token:
    name = name if name in data else forms.get(unicodedata.normalize("NFC", name), name)
    if name not in data:
        refuse(text, t.start, data.unknown(name))
    return Token("column", t.text, t.start, name)


def _refuse_name(text: str, t: Token, data: Table) -> NoReturn:
    head, *rest = t.text.split(".")
    if rest and (head in data or head in FUNCTIONS or head in ("np", "contr") or any(r.startswith("_") for r in rest)):
        why = "not among the functions allowed" if head in ("np", "contr") else "an attribute: none is looked up"
        refuse(text, t.start, f"the formula uses `{t.text}`, which is {why}; the functions are {allowed()}")
    if t.text in FUNCTIONS:
        refuse(text, t.start, f"`{t.text}` is a function: write {t.text}(…)")
    if keyword.iskeyword(t.text):
        refuse(text, t.start, f"the formula uses `{t.text}`, which is Python code and not among the functions allowed")
    refuse(text, t.start, data.unknown(t.text))


# ------------------------------------------------------------------------------------------- terms and operators


class _Reader:
    """The formula's own operators, one method for each precedence; factors are collected on the way.

    Every method gives (a bound on the number of terms, the text of the skeleton).
    """

    def __init__(self, text: str, tokens: list[Token], data: Table) -> None:
        self.text, self.tokens, self.data, self.at = text, tokens, data, 0
        self.factors: dict[str, Factor] = {}
        self.offsets: list[Factor] = []
        self.intercept = True
        self.responses: tuple[str, ...] = ()

    def formula(self) -> Formula:
        tildes = [k for k, t in enumerate(self.tokens) if t.text == "~" and t.kind == "operator"]
        if len(tildes) > 1:
            self.stop(self.tokens[tildes[1]], "a formula has one `~`")
        response = None
        if tildes and tildes[0] > 0:
            self.at, end = 0, tildes[0]
            first = self.tokens[0]
            response = self.factor() if first.kind in ("column", "function") else None
            if response is None or self.at != end:
                where = first if response is None else self.tokens[self.at]
                self.stop(where, "the left side of `~` is one column or one function of columns, such as y or log(y)")
            self.responses = response.columns
            if response.function in ("offset", "poly", "bs", "cr", "cs", "cc", "lag"):
                self.stop(first, f"`{first.text}` cannot be a response")
        self.at = tildes[0] + 1 if tildes else 0
        if not self.tokens:
            raise ValueError('the formula is empty; write one such as "y ~ x1 + x2"')
        if self.at == len(self.tokens):
            refuse(
                self.text, len(self.text), "nothing stands to the right of `~`; write 1 for a mean alone, as in y ~ 1"
            )
        skeleton = self.sum(top=True)[1]
        if self.at < len(self.tokens):
            self.unexpected(self.tokens[self.at])
        for name, f in self.factors.items():
            if (
                response is not None
                and (f.display, f.column) == (response.display, response.column)
                and re.search(rf"\b{name}\b", skeleton)
            ):
                refuse(
                    self.text, f.start, f"the response `{f.display}` stands on the right side too; take it out there"
                )
        lead = "1" if self.intercept else "-1"
        factors = tuple(self.factors.values())
        return Formula(self.text, response, factors, lead + skeleton, self.intercept, tuple(self.offsets))

    def stop(self, token: Token, sentence: str) -> NoReturn:
        refuse(self.text, token.start, sentence)

    def unexpected(self, t: Token) -> NoReturn:
        if t.text == "|":
            self.stop(t, "`|` begins a second right side, and this model has one; write + between terms")
        if t.text in (")", "]"):
            self.stop(t, f"this `{t.text}` closes nothing")
        if t.kind in ("column", "function", "number", "string", "constant", "keyword", "rest") or t.text == "(":
            self.stop(t, f"an operator such as + is missing before `{t.text}`")
        self.stop(t, f"`{t.text}` is out of place here")

    def peek(self) -> str:
        """The operator that comes next, or nothing."""
        return self.tokens[self.at].text if self.at < len(self.tokens) and self.next_kind() == "operator" else ""

    def next_kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def counted(self, n: int, skeleton: str) -> tuple[int, str]:
        if n > TERMS:
            raise ValueError(f"the formula stands for more than {TERMS} terms; write fewer, or a lower power")
        return n, skeleton

    def sum(self, top: bool = False) -> tuple[int, str]:
        n, out = 0, ""
        while True:
            sign = "+"
            while self.peek() in ("+", "-"):
                sign = "-" if (self.peek() == "-") != (sign == "-") else "+"
                self.at += 1
            if self.next_kind() == "number":
                self.constant(sign, top)
            elif self.next_kind() == "function" and self.tokens[self.at].value == "offset":
                self.offset(sign, top)
            else:
                m, part = self.product()
                n, out = self.counted(n + m, f"{out} {sign} {part}")
            if self.peek() not in ("+", "-"):
                break
        return n, out if top else out.removeprefix(" + ")

    def constant(self, sign: str, top: bool) -> None:
        t = self.tokens[self.at]
        if not top and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].text == "|":
            self.stop(t, "there are no random effects; errors by group are those of cluster=")
        if t.value not in (0, 1):
            self.stop(t, f"the number {t.text} stands as a term; write I({t.text} * x) for arithmetic")
        self.at += 1
        if not top or self.peek() not in ("", "+", "-"):
            self.stop(t, f"{t.text} says whether there is an intercept; it stands by itself, outside brackets")
        self.intercept = (t.value == 1) == (sign == "+")

    def offset(self, sign: str, top: bool) -> None:
        t = self.tokens[self.at]
        factor = self.factor()
        if sign == "-" or not top or self.peek() not in ("", "+", "-"):
            self.stop(t, "offset(…) is added to the other terms, with + and outside brackets")
        self.offsets.append(factor)

    def product(self) -> tuple[int, str]:
        n, out = self.interaction()
        while self.peek() in ("*", "/"):
            operator = self.peek()
            self.at += 1
            m, part = self.interaction()
            n, out = self.counted(n + m + n * m if operator == "*" else n + m, f"{out} {operator} {part}")
        return n, out

    def interaction(self) -> tuple[int, str]:
        n, out = self.power()
        while self.peek() == ":":
            self.at += 1
            m, part = self.power()
            n, out = self.counted(n * m, f"{out}:{part}")
        return n, out

    def power(self) -> tuple[int, str]:
        n, out = self.atom()
        while self.peek() == "**":
            self.at += 1
            t = self.tokens[self.at] if self.at < len(self.tokens) else self.tokens[-1]
            if t.kind != "number" or not isinstance(t.value, int) or not 1 <= t.value <= POWER:
                self.stop(t, f"a power of terms is a whole number from 1 to {POWER}; arithmetic stands inside I(…)")
            self.at += 1
            if n**t.value > 20 * TERMS:  # formulaic writes out every product before it drops the equal ones
                self.stop(t, "this power stands for too many terms; write fewer, or a lower power")
            n, out = self.counted(sum(math.comb(n, j) for j in range(1, t.value + 1)), f"{out}**{t.value}")
        return n, out

    def atom(self) -> tuple[int, str]:
        if self.at >= len(self.tokens):
            refuse(self.text, len(self.text), "the formula ends where a term is missing")
        t = self.tokens[self.at]
        if t.kind == "rest":
            self.at += 1
            names = [n for n in self.data if n not in self.responses]
            parts = [self.named(Factor(shown(n), t.start, column=n)) for n in names]
            return self.counted(len(parts), f"({' + '.join(parts)})")
        if t.text == "(" and t.kind == "operator":
            self.at += 1
            n, out = self.sum()
            if self.peek() != ")":
                self.unexpected(self.tokens[self.at]) if self.at < len(self.tokens) else self.stop(
                    t, "this ( is not closed"
                )
            self.at += 1
            return n, f"({out})"
        if t.kind not in ("column", "function"):
            if t.kind == "number":
                self.stop(t, f"the number {t.text} stands as a term; write I({t.text} * x) for arithmetic")
            self.stop(
                t, f"a term is missing before `{t.text}`" if t.kind == "operator" else f"`{t.text}` is not a term"
            )
        if t.value == "offset":
            self.stop(t, "offset(…) is added to the other terms, with + and outside brackets")
        return 1, self.named(self.factor())

    def named(self, factor: Factor) -> str:
        for name, known in self.factors.items():
            if (known.display, known.column) == (factor.display, factor.column):
                return name
        name = f"f{len(self.factors)}"
        self.factors[name] = factor
        return name

    # -------------------------------------------------------------------------------------------- one factor

    def factor(self) -> Factor:
        """A column, or a call up to its closing bracket, checked as a syntax tree."""
        t = self.tokens[self.at]
        self.at += 1
        if t.kind == "column":
            return Factor(shown(t.value), t.start, column=t.value)
        depth, begin = 0, self.at - 1
        while self.at < len(self.tokens):
            depth += (self.peek() in ("(", "[")) - (self.peek() in (")", "]"))
            self.at += 1
            if depth == 0:
                break
        else:
            self.stop(t, f"`{t.text}(` is not closed")
        return call(self.text, self.tokens[begin : self.at])
