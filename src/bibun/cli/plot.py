"""The picture of a fit as SVG: a line through the points where one number explains, else the coefficients.

Coefficients of numbers are multiplied by their column's standard deviation, so that all fit one axis. Imports report
and NumPy; the next picture is a function here, and a line in `plot`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..report.svg import escaped
from ..report.tables import harmless, middle, shortened, width
from .output import TITLES, Fitted

__all__ = ["plot"]

BLUE, GREY, RED = "#2166ac", "#8a94a6", "#b2182b"
WIDTH, TOP, BOTTOM, RIGHT = 720, 60, 58, 24
MOST_POINTS = 2000
MOST_ROWS = 60


def plot(fitted: Fitted) -> str:
    """The picture, a complete SVG document."""
    made = fitted.design
    numbers = [t for t in made.terms if t != "Intercept"]
    one = made.X.shape[1] == 2 and "Intercept" in made.terms and len(numbers) == 1 and not made.levels
    if one and fitted.offset is None and len(np.unique(made.X[:, 1])) > 2 and np.isfinite(fitted.result.coef).all():
        return _line(fitted)
    return _coefficients(fitted)


# --- coefficients -------------------------------------------------------------------------------------------------


def _coefficients(fitted: Fitted) -> str:
    rows = fitted.rows()
    X, names = fitted.design.X, list(fitted.design.names)
    bars = []
    for r in rows:
        column = X[:, names.index(r["term"])] if r["term"] in names else None
        if r["term"] == "Intercept" and len(rows) > 1:
            continue
        dummy = column is None or set(np.unique(column[:1000])) <= {0.0, 1.0}
        sd = 1.0 if dummy or column is None else float(np.std(column))
        bars.append((harmless(r["term"]), *(sd * r[k] for k in ("estimate", "conf_low", "conf_high"))))
    hidden = max(len(bars) - MOST_ROWS, 0)
    bars = bars[:MOST_ROWS]
    left = 40 + 7.2 * min(max([width(b[0]) for b in bars], default=4), 34)
    height = TOP + 26 * max(len(bars), 1) + BOTTOM + 8
    ends = [v for b in bars if all(map(math.isfinite, b[1:])) for v in b[1:]]
    shown = shortened([b[0] for b in bars], 34)
    low, high, ticks = _axis(min([0.0, *ends]), max([0.0, *ends]))
    px = lambda v: left + (v - low) / (high - low) * (WIDTH - left - RIGHT)
    out = _begin(fitted, height)
    for t in ticks:
        out.append(_stroke(px(t), TOP - 8, px(t), height - BOTTOM, "#e3e3e3"))
        out.append(_text(px(t), height - BOTTOM + 18, _tick(t), "middle"))
    out.append(_stroke(px(0), TOP - 8, px(0), height - BOTTOM, "#555", 1.2))
    for k, (name, estimate, lower, upper) in enumerate(bars):
        y = TOP + 26 * k + 10
        out.append(f"<g><title>{escaped(name)}</title>{_text(left - 10, y + 4, escaped(shown[k]), 'end', '#222')}</g>")
        if not (math.isfinite(lower) and math.isfinite(upper)):
            out.append(_text(px(0) + 8, y + 4, "not determined by the data", "start", RED))
            continue
        out.append(_stroke(px(lower), y, px(upper), y, BLUE, 2.5))
        out.append(f'<circle cx="{px(estimate):.1f}" cy="{y}" r="4.5" fill="{BLUE}"/>')
    what = "log-odds" if fitted.letter == "z" else harmless(fitted.design.response_name)
    label = f"change in {middle(what, 30)} for one standard deviation of a number, or for the category"
    label += f", with {100 * fitted.options.level:g}% intervals"
    if hidden:
        label += f" ({hidden} more not drawn)"
    out.append(_text(WIDTH / 2, height - 14, escaped(label), "middle"))
    return "\n".join([*out, "</svg>"]) + "\n"


# --- a line through points ----------------------------------------------------------------------------------------


def _line(fitted: Fitted) -> str:
    """The points, the fitted mean and its interval at each x."""
    x, y, result = fitted.design.X[:, 1], fitted.y, fitted.result
    height, left = 440, 84
    grid = np.linspace(x.min(), x.max(), 160)
    at = np.column_stack([np.ones_like(grid), grid])
    mean = result.predict(at, kind=fitted.kind)
    lower, upper = mean.conf_int(fitted.options.level).T
    banded = bool(np.isfinite(lower).all() and np.isfinite(upper).all())
    shown = np.arange(len(x))
    if len(x) > MOST_POINTS:
        shown = np.random.default_rng(0).choice(len(x), MOST_POINTS, replace=False)
    ends = np.concatenate([y, mean.value, *([lower, upper] if banded else [])])
    x0, x1, x_ticks = _axis(float(x.min()), float(x.max()))
    y0, y1, y_ticks = _axis(float(ends.min()), float(ends.max()))
    px = lambda v: left + (v - x0) / (x1 - x0) * (WIDTH - left - RIGHT)
    py = lambda v: height - BOTTOM - (v - y0) / (y1 - y0) * (height - TOP - BOTTOM)
    out = _begin(fitted, height)
    for t in x_ticks:
        out.append(_stroke(px(t), TOP, px(t), height - BOTTOM, "#e3e3e3"))
        out.append(_text(px(t), height - BOTTOM + 18, _tick(t), "middle"))
    for t in y_ticks:
        out.append(_stroke(left, py(t), WIDTH - RIGHT, py(t), "#e3e3e3"))
        out.append(_text(left - 8, py(t) + 4, _tick(t), "end"))
    if banded:
        around = [*zip(grid, upper, strict=True), *zip(grid[::-1], lower[::-1], strict=True)]
        out.append(f'<polygon points="{_points(around, px, py)}" fill="{BLUE}" fill-opacity="0.16"/>')
    out += [
        f'<circle cx="{px(x[k]):.1f}" cy="{py(y[k]):.1f}" r="2.4" fill="{GREY}" fill-opacity="0.6"/>' for k in shown
    ]
    line = _points(list(zip(grid, mean.value, strict=True)), px, py)
    out.append(f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2.2"/>')
    x_name, y_name = harmless(fitted.design.names[1]), harmless(fitted.design.response_name)
    if fitted.classes is not None:
        y_name = f"probability that {y_name} is {harmless(fitted.classes[1])}"
    x_name = f"{middle(x_name, 60)} (band: {100 * fitted.options.level:g}% interval of the mean)"
    out.append(_text((left + WIDTH - RIGHT) / 2, height - 14, escaped(x_name), "middle"))
    half_way = (TOP + height - BOTTOM) / 2
    turned = f'x="20" y="{half_way:.0f}" transform="rotate(-90 20 {half_way:.0f})" text-anchor="middle" fill="#444"'
    out.append(f"<text {turned}>{escaped(middle(y_name, 46))}</text>")
    return "\n".join([*out, "</svg>"]) + "\n"


# --- pieces -------------------------------------------------------------------------------------------------------


def _begin(fitted: Fitted, height: float) -> list[str]:
    title = middle(f"{TITLES[fitted.options.family]}: {harmless(fitted.design.formula)}", 72)
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
        f'<text x="24" y="30" font-size="16" font-weight="bold" fill="#222">{escaped(title)}</text>',
    ]


def _axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends a little outside the values, and four to ten round numbers between them."""
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    pad = 0.04 * (high - low)
    low, high = low - pad, high + pad
    raw = (high - low) / 9
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return low, high, [k * step for k in range(first, math.floor(high / step) + 1)]


def _tick(t: float) -> str:
    return f"{t:.6g}".replace("-", "−")


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, thick: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{thick:g}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#444") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def _points(points: Sequence[tuple[float, float]], px: Any, py: Any) -> str:
    return " ".join(f"{px(a):.1f},{py(b):.1f}" for a, b in points)
