"""`draw`: the graph behind a Variable as a picture, without any other program; and how a notebook shows a Variable.

The parts load when the first picture is drawn: reading the graph (picture), what stands on the boxes (symbols), where
they go (layout), and the three languages (svg, text). Imports core and models' figure; `fasten` gives Variable its
notebook picture, because core knows no reports.
"""

from typing import Any, ClassVar

import numpy as np

from ..core.variable import Variable
from ..models.figure import Figure

__all__ = ["Drawing", "draw", "fasten"]

FORMATS = ("svg", "dot", "mermaid")
SMALL_HISTORY = 40
"""A notebook shows the graph below a result of at most so many operations."""


class Drawing(Figure):
    """A picture of a graph. A notebook shows it by itself; `print` gives its text.

    Attributes
    ----------
    svg, dot, mermaid : str
        The picture as SVG, in Graphviz's language, and in Mermaid's.
    format : str
        Which of them `str()` gives.
    """

    endings: ClassVar = {**Figure.endings, ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"}
    how = (
        "use .svg, .html, .dot or .mmd (a browser opens the .svg and prints it to PDF; Graphviz makes a .png of the "
        ".dot)"
    )
    style = "svg{max-width:none}"

    def __init__(self, picture: Any, format: str, direction: str, title: str) -> None:
        self._picture, self.format, self._direction, self.title = picture, format, direction, title
        self._texts: dict[str, str] = {}

    @property
    def svg(self) -> str:
        """The picture as SVG: complete in itself, for light and dark pages."""
        if "svg" not in self._texts:
            from .svg import svg

            self._texts["svg"] = svg(self._picture, self._direction, self.title)
        return self._texts["svg"]

    @property
    def dot(self) -> str:
        """The picture in Graphviz's language."""
        from .text import dot

        return dot(self._picture, self._direction)

    @property
    def mermaid(self) -> str:
        """The picture in Mermaid's language, which many Markdown pages show."""
        from .text import mermaid

        return mermaid(self._picture, self._direction)

    def __str__(self) -> str:
        return str(getattr(self, self.format))

    def __repr__(self) -> str:
        return f"<Drawing of {len(self._picture.boxes)} boxes and {len(self._picture.arrows)} arrows, as {self.format}>"

    def _repr_svg_(self) -> str | None:
        return self.svg if self.format == "svg" else None

    def _repr_html_(self) -> str:
        if self.format == "svg":
            return f'<div style="overflow-x:auto">{self.svg}</div>'
        from .svg import escaped

        return f"<pre>{escaped(str(self))}</pre>"


def draw(
    y: Any,
    format: str = "svg",
    *,
    values: bool = False,
    shapes: bool = True,
    constants: bool = False,
    direction: str = "LR",
    max_nodes: int = 300,
) -> Drawing:
    """The graph behind a Variable, or the plan of a compiled function, as a picture.

    Rounded boxes are Variables: those you made or named, and the results. Square boxes are operations, with constants
    folded in (`× 0.9`); a dot stands for what the arrow brings. Where the order of the operands matters, they enter in
    that order, from the top (from the left in a picture that flows down).

    Parameters
    ----------
    y : Variable, or list, tuple or dict of Variables, or compiled function
        The results; they may be nested, and keys become names. Of a compiled function, the plan it made last: rounded
        boxes are arguments and results, square ones passes over the rows and calls of NumPy, as `print` has them.
    format : {"svg", "dot", "mermaid"}
        What `str()` of the drawing gives, and a notebook shows.
    values : bool
        Write values on the arrows: a scalar, or an array's range.
    shapes : bool
        Write shapes where they are not scalar.
    constants : bool
        Draw constant operands as boxes of their own.
    direction : {"LR", "TB"}
        Flowing to the right, or down.
    max_nodes : int
        The most operations that are drawn.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If more than `max_nodes` operations lie behind `y`; if a compiled function was not called yet.
    TypeError
        If `y` holds something other than Variables, and is no compiled function.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> x = bb.Variable(np.array(1.0), name="x")
    >>> print(bb.draw(np.exp(-x**2), "mermaid"))
    flowchart LR
      n0(["x<br/>1"]):::leaf
    ...
    """
    from .picture import behind, named, read

    if format not in FORMATS:
        raise ValueError(f"draw(format={format!r}): it is one of {', '.join(map(repr, FORMATS))}")
    if direction not in ("LR", "TB"):
        raise ValueError(f"draw(direction={direction!r}): it is 'LR' (to the right) or 'TB' (down)")
    if callable(y) and (hasattr(y, "plans") or hasattr(y, "passes")):
        from .plan_picture import pictured

        picture, title = pictured(y)
        return Drawing(picture, format, direction, title)
    results = named(y)
    nodes = behind([v for _, v in results], max_nodes)
    if nodes is None:
        raise ValueError(
            f"more than {max_nodes} operations lie behind this result, too many for a readable picture: draw a smaller "
            "case (fewer steps, or an earlier result), or pass max_nodes="
        )
    picture = read(results, nodes, values, shapes, constants)
    called = ", ".join([str(name) for _, v in results if (name := getattr(v, "name", None))][:3])
    return Drawing(picture, format, direction, f"Graph of {called}" if called else "Graph of a result")


# --- Variables in a notebook ------------------------------------------------------------------------------------------


def fasten() -> None:
    """Let notebooks show a Variable by its value, its gradient, and, where the history is small, its graph."""
    Variable._repr_html_ = _variable_html  # type: ignore[attr-defined]


def _variable_html(self: Variable) -> str:
    from .picture import behind
    from .svg import escaped

    data = self._data
    facts = [f"shape {self.shape}" if self.ndim else "scalar", str(getattr(data, "dtype", ""))]
    rows = [("value", _array_html(data))]
    grad = self.grad
    if grad is not None:
        rows.append(("grad", _array_html(grad._data)))
    head = f"<b>{escaped(str(self.name))}</b> " if self.name else ""
    body = "".join(
        f'<tr><th style="text-align:left;vertical-align:top;font-weight:normal;opacity:.65">{what}</th>'
        f'<td style="text-align:left">{shown}</td></tr>'
        for what, shown in rows
    )
    about = escaped(" · ".join(["Variable", *[f for f in facts if f]]))
    html = (
        f'<div class="bibun-variable"><div style="margin-bottom:2px">{head}<span style="opacity:.65">{about}</span>'
        f'</div><table style="margin:0">{body}</table></div>'
    )
    if self.rule is not None and self.inputs and behind([self], SMALL_HISTORY) is not None:
        html += draw(self, max_nodes=SMALL_HISTORY)._repr_html_()
    return html


def _array_html(data: Any, rows: int = 6, columns: int = 8) -> str:
    """A number; a vector or matrix as a small table; anything else as its text."""
    from .svg import escaped

    if not isinstance(data, (np.ndarray, np.generic)):
        shown = getattr(data, "_repr_html_", None)
        return str(shown()) if shown is not None else f"<pre>{escaped(repr(data))}</pre>"
    if data.ndim == 0:
        v = data.item()
        return escaped(f"{v:.6g}" if data.dtype.kind in "fc" else str(v))
    if data.ndim > 2 or data.size == 0:
        with np.printoptions(threshold=60, edgeitems=2, precision=4):
            return f'<pre style="margin:0">{escaped(str(data))}</pre>'
    grid: Any = data.reshape(1, -1) if data.ndim == 1 else data
    down, right = _ends(grid.shape[0], rows), _ends(grid.shape[1], columns)
    cells = []
    for i in down:
        row = [("⋮" if j is not None else "⋱") if i is None else "…" if j is None else _cell(grid[i, j]) for j in right]
        cells.append(
            "<tr>" + "".join([f'<td style="padding:1px 6px;text-align:right">{escaped(c)}</td>' for c in row]) + "</tr>"
        )
    return f'<table style="margin:0">{"".join(cells)}</table>'


def _ends(n: int, most: int) -> list[int | None]:
    """The first and last few of `n`, with None for what is left out."""
    if n <= most:
        return list(range(n))
    return [*range(most - 2), None, n - 1]


def _cell(v: Any) -> str:
    return f"{v:.5g}" if v.dtype.kind in "fc" else str(v)


fasten()
