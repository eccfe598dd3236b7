"""A plan in words and formulas: what its steps read, compute and give, for `print` and for pictures.

A function that reads better as a symbol gets a line in one of the tables. Imports row_steps.py, fused_step.py and what
they are made of, never plan.py: a plan asks for its description.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import machine
from .blocked_step import BlockedStep
from .expression import Expression, ordered
from .fused_step import FusedStep
from .row_steps import RowStep

__all__ = ["Description", "Part", "described"]

LONGEST = 100
"""Characters of a formula, beyond which it is cut."""

MOST = 6
"""Blocks of a gradient or a Hessian that are shown."""

SUM, QUOTIENT, PRODUCT, SIGN, POWER, ATOM = range(6)
INFIX = {
    "add": (" + ", SUM), "subtract": (" − ", SUM), "multiply": ("·", PRODUCT), "absorb": ("·", PRODUCT),
    "divide": (" / ", QUOTIENT), "matmul": (" @ ", PRODUCT), "less": (" < ", SUM), "less_equal": (" ≤ ", SUM),
    "greater": (" > ", SUM), "greater_equal": (" ≥ ", SUM), "equal": (" = ", SUM), "not_equal": (" ≠ ", SUM),
}  # fmt: skip
"""Operators between two operands, and how tightly they bind."""

EXPONENTS = {"2": "²", "3": "³", "-1": "⁻¹", "-2": "⁻²"}
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
KINDS = ("sum", "gradient", "Hessian", "third derivative", "derivative of high order")
Text = tuple[str, int]


@dataclass
class Part:
    """One step: what it is, its lines (what is made, by which formula, what it is), the slots it reads and makes."""

    title: str
    lines: list[tuple[str, str, str]]
    reads: list[int]
    makes: list[int]
    call: bool = False


@dataclass
class Description:
    """A plan: its name, its arguments with their shapes, its steps, its results as slots and as they are returned."""

    name: str
    arguments: list[str]
    about: str
    parts: list[Part] = field(default_factory=list)
    results: list[int] = field(default_factory=list)
    tree: Any = None

    def __str__(self) -> str:
        head = f"{self.name}({', '.join(self.arguments)})" + (f"  {self.about}" if self.about else "")
        return "\n".join([head, *(line for part in self.parts for line in _lines(part)), f"  return {self.tree}"])


def _lines(part: Part) -> list[str]:
    if part.call:
        ((made, formula, _),) = part.lines
        return [f"  {made} = {formula}"]
    left = max([len(made) for made, _, _ in part.lines], default=0)
    sides = [
        (f"{made.ljust(left)} {'=' if made else ' '} {formula}" if left else formula, remark)
        for made, formula, remark in part.lines
    ]
    wide = max([len(text) for text, remark in sides if remark], default=0)
    return [f"  {part.title}", *(f"    {text.ljust(wide)}  {remark}".rstrip() for text, remark in sides)]


def described(plan: Any) -> Description:
    """The description of a plan."""
    names = argument_names(plan.about, len(plan.shapes))
    n = plan.sampled if plan.any_rows else 0
    arguments = [name + _shape(s, n, d) for name, s, d in zip(names, plan.shapes, plan.dtypes, strict=True)]
    about = "for any number of rows n" if plan.any_rows else ""
    found = Description(getattr(plan.about, "__name__", "plan").replace("<lambda>", "f"), arguments, about)

    def name(k: Any) -> str:
        if not isinstance(k, int):
            return "constant" + _shape(np.shape(getattr(k, "_data", k)), n, np.asarray(getattr(k, "_data", k)).dtype)
        return names[k] if k < len(names) else f"%{k}"

    for step in plan.steps:
        if isinstance(step, RowStep):
            found.parts.append(_pass(step, name))
        elif isinstance(step, FusedStep):
            lines = [(name(m.call.out), _call(m.call, name), "") for m in step.members]
            reads = sorted({k for m in step.members for k in m.call.reads()} - {m.call.out for m in step.members})
            makes = [m.call.out for m in step.members]
            found.parts.append(Part(f"one pass over the elements ({_engine()})", lines, reads, makes))
        elif isinstance(step, BlockedStep):
            found.parts.append(_blocks(step, name))
        elif hasattr(step, "slots"):
            line = (name(step.out), _call(step, name), "")
            found.parts.append(Part("NumPy", [line], sorted(step.reads()), [step.out], call=True))
        else:  # copies of results that are views
            lines = [(name(to), f"copy of {name(k)}", "") for k, to, _ in step.pairs]
            pairs = zip(lines, step.pairs, strict=True)
            found.parts += [Part("NumPy", [line], [k], [to], call=True) for line, (k, to, _) in pairs]
    if plan.kernel is not None:
        lines = [line for p in found.parts for line in p.lines]
        inner = {k for p in found.parts for k in p.makes}
        reads = sorted({k for p in found.parts for k in p.reads} - inner)
        found.parts = [Part("one kernel of single numbers (machine code)", lines, reads, sorted(inner))]
    found.results = [k for k, _ in plan.results]
    texts = [Plain(name(k) if k >= 0 else constant(getattr(y, "_data", y))) for k, y in plan.results]
    found.tree = plan.rebuild(texts)
    return found


class Plain(str):
    """Text that stands without quotes in a tuple or dict."""

    __repr__ = str.__str__


def argument_names(f: Any, count: int) -> list[str]:
    """What a function calls its positional arguments; `x0`, `x1`, … where that cannot be told."""
    try:
        ps = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        ps = []
    names = [p.name for p in ps if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names if len(names) == count else [f"x{k}" for k in range(count)] if count > 1 else ["x"][:count]


def _shape(shape: Sequence[int], n: int, dtype: Any) -> str:
    sizes = "×".join(["n" if n and k == n else str(k) for k in shape])
    kind = "" if dtype == np.float64 else str(dtype)
    inside = " ".join([t for t in (sizes, kind) if t])
    return f"[{inside}]" if inside else ""


def _engine(runners: Any = ()) -> str:
    used = {type(r).__name__ for r in runners} or ({"RowKernel"} if machine.available() else {"RowNumpy"})
    return "machine code" if used == {"RowKernel"} else "NumPy, in blocks"


def _blocks(step: BlockedStep, name: Callable[[Any], str]) -> Part:
    """Calls made block by block, with the shape of their arrays as they were recorded."""

    def inside(k: Any) -> str:
        own = isinstance(k, int) and k >= step.size
        return constant(step.constants[k - step.size][0]) if own else name(k)

    lines = [(name(s.out), _call(s, inside), "") for s in step.steps]
    title = "NumPy, block by block" if step.layout is None else "machine code, tile by tile"
    return Part(title, lines, sorted(step.reads()), list(step.makes()))


# --- a pass over the rows ---------------------------------------------------------------------------------------------


def _pass(step: RowStep, name: Callable[[Any], str]) -> Part:
    arrays = [name(k) for k, _ in step.arrays.values()]
    inputs = [k for k, _ in sorted(step.arrays.values(), key=lambda a: a[0] if isinstance(a[0], int) else math.inf)]
    dense = [b for b in step.block_list if b[0] == "dense"]
    shapes = {
        dict(slots).get(i, id(args[i])): shape
        for rule, args, slots, _ in step.sums
        for i, shape in enumerate(rule.shapes)
    }
    predictors: list[str] = []
    parameters: list[str] = []
    lines: list[tuple[str, str, str]] = []
    for kind, source, _, k, positions in step.block_list:
        p = name(k) + _taken(positions, shapes[k if isinstance(k, int) else id(k)])
        parameters.append(p)
        if kind == "dense":
            eta = "η" if len(dense) == 1 else "η" + _subscript(1 + sum(t.startswith("η") for t in predictors))
            lines.append((eta, f"{arrays[source]} @ {p}", ""))
            predictors.append(eta)
        else:
            predictors.append(p if kind == "scalar" else f"{p}[{arrays[source]}]")
    columns = [arrays[s] + (f"[:, {c}]" if _wide(step, s, c) else "") for s, c in step.columns]
    leaves = {"column": columns, "predictor": predictors}
    formulas, shared = _formulas([t.e for t in step.term_list], leaves)
    lines += [(made, text, "") for made, text in shared]

    def block(b: int | None) -> str:
        kind, source = step.block_list[b][:2] if b is not None else ("scalar", -1)
        return {"dense": arrays[source], "codes": f"[{arrays[source]}]", "scalar": ""}[kind]

    def term(k: int) -> str:
        t = step.term_list[k]
        a, b = block(t.left), block(t.right)
        text, binds = formulas[k]
        if not a and not b:
            return f"Σ ({text})" if binds == SUM else f"Σ {text}"
        factor = f"{a} {b}ᵀ" if a and b else a or b
        return f"Σ {factor}" if text == "1" else f"Σ {text if binds >= PRODUCT else f'({text})'}·{factor}"

    for (rule, args, slots, out), pieces in zip(step.sums, step.pieces, strict=True):
        vectors = [name(dict(slots).get(i, args[i])) for i in range(rule.own, len(rule.shapes))]
        kind = KINDS[min(rule.order + rule.depth - (rule.outer >= 0), len(KINDS) - 1)]
        along = f" along {', '.join(vectors)}" if vectors else ""
        shown: dict[str, str] = {}
        outer = args[rule.outer] if rule.outer >= 0 else step
        for piece in pieces:
            t = step.term_list[piece[0]]
            sides = [b for b in (t.left, t.right) if b is not None and step.block_list[b][3] is not outer]
            by = ", ".join(dict.fromkeys([parameters[b] for b in sides]))
            shown.setdefault(term(piece[0]), kind + (f" by {by}" if by else "") + along)
        rows = [(name(out) if not i else "", *row) for i, row in enumerate(shown.items())] or [(name(out), "0", "")]
        lines += rows[:MOST]
        if len(rows) > MOST:
            lines.append(("", f"… {len(rows) - MOST} more", ""))
    title = f"one pass over the rows of {', '.join(map(name, inputs))} ({_engine(step.runners.values())})"
    return Part(title, lines, sorted(step.reads()), [out for _, _, _, out in step.sums])


def _wide(step: RowStep, source: int, column: int) -> bool:
    """Whether a column is one of several that are read of its array, or in a matrix."""
    k, _ = list(step.arrays.values())[source]
    widths = [b for b in step.block_list if b[1] == source and b[0] == "dense"]
    return column > 0 or bool(widths) or sum(s == source for s, _ in step.columns) > 1 or np.ndim(k) > 1


def _taken(positions: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Which elements of a parameter array a predictor takes; nothing for all of them."""
    k, m, size = positions[0], len(positions), math.prod(shape)
    if positions == tuple(range(size)):
        return ""
    if m == 1:
        return f"[{', '.join([str(int(i)) for i in np.unravel_index(k, shape)])}]"
    if len(shape) == 2 and positions == tuple(range(k, size, shape[1])):
        return f"[:, {k}]"
    if len(shape) == 1 and positions == tuple(range(k, k + m)):
        return f"[{k or ''}:{k + m if k + m < size else ''}]"
    return f"[{', '.join(map(str, positions[:4]))}{', …' * (m > 4)}]"


def _subscript(k: int) -> str:
    return "".join([SUBSCRIPTS[int(d)] for d in str(k)])


# --- formulas ---------------------------------------------------------------------------------------------------------


def _formulas(roots: list[Expression], leaves: dict[str, list[str]]) -> tuple[list[Text], list[tuple[str, str]]]:
    """A formula for each expression; and of what occurs in several places, a name and its formula."""
    order = ordered(roots)
    uses: dict[Expression, int] = {}
    for e in order:
        for a in e.args:
            if isinstance(a, Expression):
                uses[a] = uses.get(a, 0) + 1
    taken = {t for texts in leaves.values() for t in texts}
    free = (t for t in (c + _subscript(i) * (i > 0) for i in range(99) for c in "abcdefgh") if t not in taken)
    found: dict[Expression, Text] = {}
    shared = []
    for e in order:
        if e.op == "number":
            text = constant(e.number), SIGN if e.number < 0 else ATOM
        elif e.op in leaves:
            text = leaves[e.op][e.number], ATOM
        else:
            text = operation(e.op, [found[a] if isinstance(a, Expression) else (constant(a), ATOM) for a in e.args])
            if uses.get(e, 0) > 1 and len(text[0]) > 12 and len(order) > 8:
                shared.append((next(free), _cut(text[0])))
                text = shared[-1][0], ATOM
        found[e] = text
    return [(_cut(found[e][0]), found[e][1]) for e in roots], shared


def operation(name: str, args: Sequence[Text]) -> Text:
    """An operation on operands that are formulas already."""
    texts = [t for t, _ in args]
    if name in INFIX and len(args) == 2:
        symbol, binds = INFIX[name]
        first, second = reversed(args) if symbol == "·" and _is_number(texts[1]) else args
        if symbol == "·" and first[0] == "−1":
            return operation("negative", [second])
        left = _within(first, PRODUCT if binds == QUOTIENT else binds)
        right = _within(second, {"divide": SIGN, "subtract": QUOTIENT, "matmul": SIGN}.get(name, binds))
        return f"{left}{symbol}{f'({right})' if right.startswith('−') else right}", binds
    if name == "negative":
        return f"−{_within(args[0], PRODUCT)}", SIGN if args[0][1] > SIGN else SUM
    if name == "square" or (name == "power" and texts[1] in ("2", "3")):
        return _within(args[0], ATOM) + EXPONENTS[texts[1] if name == "power" else "2"], POWER
    if name in ("power", "float_power"):
        return f"{_within(args[0], ATOM)}^{_within(args[1], ATOM)}", POWER
    if name == "share" and "0" in texts:
        return f"expit({texts[0]})" if texts[1] == "0" else f"expit({operation('negative', args[1:])[0]})", ATOM
    if name == "absolute":
        return f"|{texts[0]}|", ATOM
    if name == "getitem":
        return f"{_within(args[0], ATOM)}[{texts[1]}]", ATOM
    return f"{name}({', '.join(texts)})", ATOM


def _is_number(text: str) -> bool:
    return text.lstrip("−")[:1].isdigit()


def _within(text: Text, binds: int) -> str:
    return text[0] if text[1] >= binds else f"({text[0]})"


def _call(call: Any, name: Callable[[Any], str]) -> str:
    """A call of NumPy."""
    slots = dict(call.slots)
    parameters = getattr(call.traced.rule, "parameters", ())
    operands = getattr(call.traced.rule, "operands", len(call.arguments)) or len(call.arguments)
    args: list[Text] = []
    for i, a in enumerate(call.arguments):
        if (i, call.out) in call.slots:
            continue  # where the result is to go
        if i in slots:
            args.append((name(slots[i]), ATOM))
        elif i < operands or call.name in ("getitem", "reshape") or i >= len(parameters):
            text = constant(a)
            args.append((text, SIGN if text.startswith("−") else ATOM))
        elif a is not None and a is not False:
            args.append((f"{parameters[i]}={constant(a)}", ATOM))
    return _cut(operation(call.name, args)[0])


def constant(a: Any) -> str:
    """A number, an axis, an index; of an array its shape."""
    if isinstance(a, tuple):
        return ", ".join(map(constant, a))
    if isinstance(a, slice):
        return ":".join(["" if k is None else str(k) for k in (a.start, a.stop)]) + (f":{a.step}" if a.step else "")
    if isinstance(a, np.ndarray) and a.ndim and a.dtype.kind == "f" and a.size and np.all(a == a.flat[0]):
        return constant(a.flat[0])
    if isinstance(a, np.ndarray) and a.ndim:
        return f"array{_shape(a.shape, 0, a.dtype)}"
    if isinstance(a, (bool, np.bool_, type(None))) or a is Ellipsis:
        return "…" if a is Ellipsis else str(a)
    if isinstance(a, (int, float, np.generic, np.ndarray)) and np.isrealobj(a):
        value = a.item() if isinstance(a, (np.generic, np.ndarray)) else a
        text = f"{value:.0f}" if math.isfinite(value) and value == round(value) and abs(value) < 1e6 else f"{value:.4g}"
        return text.replace("-", "−").replace("inf", "∞")
    return getattr(a, "__name__", str(a))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
