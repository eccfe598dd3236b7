"""The steps of a plan that is run often as one function of Python: a line a step, and nothing to look up between them.

The text has no names but those made here. Imports core.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..core.graph import Parts

__all__ = ["straight"]


def straight(steps: Sequence[Any]) -> Callable[[list[Any]], None]:
    """One function of the list of values that does what the steps do.

    Parameters
    ----------
    steps : sequence
        Those that are calls of NumPy have `run`, `arguments`, `slots`, `out`, `done` and `traced`; others are called.
    """
    names: dict[str, Any] = {"parts": _parts}
    lines = ["def run(v):"]
    for n, step in enumerate(steps):
        if not hasattr(step, "traced"):
            names[f"f{n}"] = step
            lines.append(f" f{n}(v)")
            continue
        names[f"f{n}"] = step.run
        names |= {f"c{n}_{i}": a for i, a in enumerate(step.arguments)}
        slots = dict(step.slots)
        given = ", ".join([f"v[{slots[i]}]" if i in slots else f"c{n}_{i}" for i in range(len(step.arguments))])
        several = "parts" if step.traced.dtype is None else ""
        lines.append(f" v[{step.out}] = {several}(f{n}({given}))")
        if step.done:
            lines.append(f" {' = '.join([f'v[{k}]' for k in step.done])} = None")
    exec(compile("\n".join([*lines, " return"]), "<plan>", "exec"), names)
    return names["run"]  # type: ignore[no-any-return]


def _parts(out: Any) -> Any:
    """A result, several ones together."""
    return Parts(out) if isinstance(out, tuple) else out
