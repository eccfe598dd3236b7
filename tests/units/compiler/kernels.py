"""Loops around expressions and vector functions, for the tests of what is in them."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bibun.compiler import machine
from bibun.compiler.expression import Expression
from bibun.compiler.ir import Builder


def compiled(
    roots: Sequence[Expression], n: int, lanes: int = 8, inline: bool = True
) -> Callable[..., list[np.ndarray]]:
    """A function of n arrays that evaluates expressions of the leaves `input[0]`, …; booleans as 0 and 1."""

    def write(b: Builder, loaded: list[str]) -> list[str]:
        values = b.body(roots, lambda leaf: loaded[leaf.number])
        return [b.as_number(v) if e.boolean else v for e, v in zip(roots, values, strict=True)]

    return loop(write, n, len(roots), lanes, inline)


def compiled_function(name: str, n: int, lanes: int = 8, inline: bool = True) -> Callable[..., np.ndarray]:
    """A vector function of n arrays."""
    run = loop(lambda b, xs: [b.function(name, *xs)], n, 1, lanes, inline)
    return lambda *xs: run(*xs)[0]


def loop(write: Callable[[Builder, list[str]], list[str]], n: int, results: int, lanes: int, inline: bool) -> Any:
    """A function of n arrays: what `write(builder, values)` writes, for every element."""
    b = Builder(lanes, inline)
    b.block = "loop"
    loaded = []
    for k in range(n):
        pointer = b.value(f"getelementptr double, ptr %x{k}, i64 %i")
        loaded.append(b.value(f"load {b.V}, ptr {pointer}, align 8"))
    for k, v in enumerate(write(b, loaded)):
        pointer = b.value(f"getelementptr double, ptr %y{k}, i64 %i")
        b.emit(f"store {b.V} {v}, ptr {pointer}, align 8")
    names = [f"ptr %y{k}" for k in range(results)] + [f"ptr %x{k}" for k in range(n)]
    text = "\n".join([
        f"define void @run({', '.join(names)}, i64 %n) nounwind {{", "entry:", "  br label %loop", "loop:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %latch ]", *b.lines, "  br label %latch", "latch:",
        f"  %next = add i64 %i, {lanes}", "  %more = icmp slt i64 %next, %n", "  br i1 %more, label %loop, label %end",
        "end:", "  ret void", "}",
    ])  # fmt: skip
    code = machine.load(b.module(text))
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(names), ctypes.c_int64)(code.address("run"))

    def run(*arrays: Any) -> list[np.ndarray]:
        size = len(arrays[0])
        padded = [np.concatenate([np.asarray(x, float), np.ones(-size % lanes)]) for x in arrays]
        made = [np.empty(size + -size % lanes) for _ in range(results)]
        call(*[y.ctypes.data for y in made], *[x.ctypes.data for x in padded], len(padded[0]))
        return [y[:size] for y in made]

    run.code = code  # type: ignore[attr-defined]  # lives as long as the function
    return run
