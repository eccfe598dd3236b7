"""A line chart as SVG text, with no plotting library: what the demo draws its paths with.

Imports nothing of bibun. Plots of results are in profile_plot.py and diagnostic_plot.py.
"""

import math
from collections.abc import Sequence
from html import escape

__all__ = ["line_chart"]

COLOURS = ("#2166ac", "#b2182b", "#1b7837", "#762a83")
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
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="28" font-size="16" font-weight="bold" fill="#222">{escape(title)}</text>',
    ]
    for t in _ticks(x0, x1, log_x):
        out.append(f'<line x1="{px(t):.1f}" y1="{TOP}" x2="{px(t):.1f}" y2="{HEIGHT - BOTTOM}" stroke="#e3e3e3"/>')
        out.append(_text(px(t), HEIGHT - BOTTOM + 18, _number(t, log_x), "middle"))
    for t in _ticks(y0, y1, log_y):
        out.append(f'<line x1="{LEFT}" y1="{py(t):.1f}" x2="{WIDTH - RIGHT}" y2="{py(t):.1f}" stroke="#e3e3e3"/>')
        out.append(_text(LEFT - 8, py(t) + 4, _number(t, log_y), "end"))
    out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, escape(x_label), "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(
        f'<text x="20" y="{middle:.1f}" text-anchor="middle" fill="#444" transform="rotate(-90 20 {middle:.1f})">'
        f"{escape(y_label)}</text>"
    )
    for k, (name, ps) in enumerate(points.items()):
        colour = COLOURS[k % len(COLOURS)]
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in _thinned(ps))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(ps) <= 40:
            out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3" fill="{colour}"/>' for x, y in ps]
        y = TOP + 14 + 22 * k
        out.append(
            f'<line x1="{WIDTH - RIGHT + 12}" y1="{y - 4}" x2="{WIDTH - RIGHT + 34}" y2="{y - 4}" '
            f'stroke="{colour}" stroke-width="3"/>'
        )
        out.append(_text(WIDTH - RIGHT + 40, y, escape(name), "start"))
    out.append("</svg>")
    return "\n".join(out) + "\n"


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
        return f"{t:g}"
    return f"{10**t:g}" if 0 <= t <= 4 else f'10<tspan dy="-5" font-size="10">{t:g}</tspan>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#444">{text}</text>'


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
