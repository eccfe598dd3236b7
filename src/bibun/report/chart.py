"""A line chart as SVG text, with no plotting library, for light and dark pages: what the demo draws its paths with.

Imports axes and svg. Plots of results are in profile_plot.py and diagnostic_plot.py.
"""

import math
from collections.abc import Sequence

from .axes import MINUS, STYLE, raised
from .svg import escaped

__all__ = ["line_chart"]

LIGHT = ("#2166ac", "#b2182b", "#1b7837", "#762a83")
DARK = ("#6cb0f5", "#ff8a80", "#6fcf8b", "#cb9df0")
WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 84, 150, 52, 58


def line_chart(
    series: dict[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
) -> str:
    """Lines through points, as a complete SVG document.

    Parameters
    ----------
    series : dict
        Name to `(xs, ys)`. Points that a logarithmic axis cannot show are left out.
    title, x_label, y_label : str
    log_x, log_y : bool

    Returns
    -------
    str
        SVG text.
    """
    fx = math.log10 if log_x else float
    fy = math.log10 if log_y else float
    points = {
        name: [(fx(x), fy(y)) for x, y in zip(xs, ys, strict=True) if (x > 0 or not log_x) and (y > 0 or not log_y)]
        for name, (xs, ys) in series.items()
    }
    every = [p for ps in points.values() for p in ps]
    x0, x1 = _range([p[0] for p in every])
    y0, y1 = _range([p[1] for p in every])
    px = lambda x: LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
    py = lambda y: HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)
    out = [
        f'<svg class="bibun-plot" xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escaped(title)}</title><style>{STYLE}{_colours(LIGHT)}"
        f"@media (prefers-color-scheme:dark){{{_colours(DARK)}}}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        f'<text class="text title" x="{LEFT}" y="30">{escaped(title)}</text>',
    ]
    for t in _ticks(x0, x1, log_x):
        out.append(f'<line x1="{px(t):.1f}" y1="{TOP}" x2="{px(t):.1f}" y2="{HEIGHT - BOTTOM}" class="grid"/>')
        out.append(_text(px(t), HEIGHT - BOTTOM + 18, _number(t, log_x), "middle"))
    for t in _ticks(y0, y1, log_y):
        out.append(f'<line x1="{LEFT}" y1="{py(t):.1f}" x2="{WIDTH - RIGHT}" y2="{py(t):.1f}" class="grid"/>')
        out.append(_text(LEFT - 8, py(t) + 4, _number(t, log_y), "end"))
    out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, escaped(x_label), "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(
        f'<text class="text middle" x="24" y="{middle:.1f}" transform="rotate(-90 24 {middle:.1f})">'
        f"{escaped(y_label)}</text>"
    )
    for k, (name, ps) in enumerate(points.items()):
        look = f"series{k % len(LIGHT)}"
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in _thinned(ps))
        out.append(f'<polyline class="curve {look}" points="{path}"/>')
        if len(ps) <= 40:
            out += [f'<circle class="{look} dot" cx="{px(x):.1f}" cy="{py(y):.1f}" r="3"/>' for x, y in ps]
        y = TOP + 14 + 22 * k
        left = WIDTH - RIGHT + 12
        out.append(f'<line class="curve {look}" x1="{left}" y1="{y - 4}" x2="{left + 22}" y2="{y - 4}"/>')
        out.append(_text(WIDTH - RIGHT + 40, y, escaped(name), "start"))
    out.append("</svg>")
    return "\n".join(out) + "\n"


def _colours(shades: Sequence[str]) -> str:
    """Style rules of the lines, and of the dots on them."""
    rule = ".bibun-plot .series{k}{{stroke:{c}}}.bibun-plot .dot.series{k}{{fill:{c}}}"
    return "".join([rule.format(k=k, c=c) for k, c in enumerate(shades)])


def _range(values: list[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float, log: bool) -> list[float]:
    if log:
        step = max(1, math.ceil((high - low) / 8))
        return [float(t) for t in range(math.ceil(low), math.floor(high) + 1, step)]
    raw = (high - low) / 6
    power = 10 ** math.floor(math.log10(raw))
    step = min((m * power for m in (1, 2, 5, 10) if m * power >= raw), default=raw)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def _number(t: float, log: bool) -> str:
    if not log:
        return f"{t:g}".replace("-", MINUS)
    return f"{10**t:g}" if 0 <= t <= 4 else f"10{raised(round(t))}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="text {anchor}" x="{x:.1f}" y="{y:.1f}">{text}</text>'


def _thinned(points: list[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """At most `most` of the points, first and last among them, evenly along the axis they are drawn on."""
    if len(points) <= most:
        return points
    low, high = points[0][0], points[-1][0]
    kept, due = [], low
    for p in points:
        if p[0] >= due:
            kept.append(p)
            due += (high - low) / most
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]
