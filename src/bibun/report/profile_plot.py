"""Profile likelihoods as a picture: a panel for each parameter. Imports axes; reads a ProfileFigure of models."""

import math
from typing import Any

import numpy as np

from .axes import SIZE, SMALL, Axis, Panel, Sheet, readable
from .svg import width_of
from .tables import beside

__all__ = ["svg"]

MINUS = "\u2212"

WIDTH, HEIGHT = 250.0, 165.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 42.0, 88.0, 46.0  # around the frames, TOP and LEFT of the first
BETWEEN = 46.0
FINE = 160
"""Points that a curve is drawn through."""


def svg(figure: Any) -> str:
    """The picture of a ProfileFigure."""
    n = len(figure.traces)
    columns = min(n, 3 if n != 4 else 2)
    lines = math.ceil(n / columns)
    across, down = WIDTH + LEFT + RIGHT, HEIGHT + BOTTOM + BETWEEN
    width = max(columns * across + 6, 430.0)
    sheet = Sheet(width, TOP + lines * down - BETWEEN + 12, figure.title)
    sheet.legend([("main curve", "likelihood"), ("other thin dashed", "Wald")], 29)
    low, high = _heights(figure)
    for k, trace in enumerate(figure.traces):
        x, y = LEFT + (k % columns) * across, TOP + (k // columns) * down
        y_label = _y_label(figure) if k % columns == 0 else ""
        unit = f" ({trace.unit})" if trace.unit else ""
        if trace.absent:
            panel = Panel(x, y, WIDTH, HEIGHT, Axis(trace.estimate, trace.estimate), Axis(low, high))
            said = _fitting(trace.absent, WIDTH - 30, SMALL)
            panel.write(WIDTH / 2, HEIGHT / 2, said, "small middle named halo", (0, 0, WIDTH, HEIGHT))
            about = readable(trace.estimate)
        else:
            panel = Panel(x, y, WIDTH, HEIGHT, _range(trace, next(iter(figure.quantiles))), Axis(low, high))
            _draw(panel, figure, trace)
            about = _about(trace, next(iter(figure.quantiles)))
        x_label = _fitting(trace.label, WIDTH / 2) + _fitting(unit, WIDTH / 2) if unit else _fitting(trace.label, WIDTH)
        sheet.parts.append(panel.svg(_fitting(trace.label, WIDTH), about, x_label, y_label))
    return sheet.svg()


def _heights(figure: Any) -> tuple[float, float]:
    """The range of the upright axis: somewhat beyond the widest interval."""
    q = max(figure.quantiles.values())
    return (-0.5 * q**2 * 1.3, 0.12 * q**2 / 2) if figure.scale == "loglik" else (-1.15 * q, 1.15 * q)


def _range(trace: Any, level: float) -> Axis:
    """What was profiled, and as much of Wald's interval as leaves that half of the picture."""
    low, high = trace.values[0], trace.values[-1]
    a, b = trace.wald_ends[level]
    return Axis(max(min(low, a), 1.5 * low - 0.5 * high), min(max(high, b), 1.5 * high - 0.5 * low))


def _y_label(figure: Any) -> str:
    if figure.scale == "loglik":
        return "log-likelihood − maximum" if figure.statistic == "z" else "−½ F of the profile"
    return "signed root, z" if figure.statistic == "z" else "signed root, t"


def _draw(panel: Panel, figure: Any, trace: Any) -> None:
    """Lines where intervals are cut, what is within the widest, both curves, and the ends."""
    loglik = figure.scale == "loglik"
    values, root, wald = curves(trace, panel.across.low, panel.across.high)

    def high(r: Any) -> Any:
        return -0.5 * r**2 if loglik else r

    first = next(iter(figure.quantiles))
    a, b = trace.ends[first]
    within = np.isfinite(root) & (np.abs(root) <= figure.quantiles[first] * (1 + 1e-9))
    if loglik and within.sum() > 1:
        panel.area(values[within], [panel.up.low] * int(within.sum()), high(root[within]), "shade")
    for level, q in figure.quantiles.items():
        for cut in (-0.5 * q**2,) if loglik else (-q, q):
            px, py = panel.width, panel.up.pixel(cut)
            panel.inside.append(f'<path class="cut dashed" d="M0 {py:.1f}H{px:.1f}"/>')
            panel.over.append(f'<text class="small" x="{px + 5:.1f}" y="{py + 3.5:.1f}">{100 * level:g} %</text>')
    bottom = panel.up.low
    panel.line([trace.estimate] * 2, [bottom, panel.up.high], "zero dotted")
    for end in (a, b):
        if math.isfinite(end):
            top = high(figure.quantiles[first] * (1 if end > trace.estimate else -1))
            panel.line([end] * 2, [bottom, top], "main thin dotted")
    panel.line(values, high(wald), "other thin dashed")
    panel.line(values, high(root), "main curve")
    for level, q in figure.quantiles.items():
        for end, side in zip(trace.ends[level], (-1, 1), strict=True):
            if math.isfinite(end):
                panel.ring(end, float(high(side * q)))


def curves(trace: Any, low: float, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values between two, and the root and Wald's at them, fine enough to draw; through every point that was computed.

    The root is NaN beyond what was profiled.
    """
    from scipy import interpolate

    t, error = trace.stretched, (trace.stretched[-1] - trace.stretched[0]) / (trace.wald[-1] - trace.wald[0])
    ends = np.sort(trace.scale.stretched([low, high]))
    first, last = np.where(np.isfinite(ends), ends, t[[0, -1]])
    fine = np.unique(np.concatenate([np.linspace(first, last, FINE), t]))
    root = interpolate.PchipInterpolator(t, trace.root, extrapolate=False)(fine)
    values, wald = trace.scale.natural(fine), trace.wald[0] + (fine - t[0]) / error
    order = np.argsort(values, kind="stable")
    return values[order], root[order], wald[order]


def _about(trace: Any, level: float) -> str:
    """The estimate and its interval in words, with both arms: their difference is the asymmetry."""
    a, b = trace.ends[level]
    arms = trace.estimate - a, b - trace.estimate
    spread = min([x for x in arms if math.isfinite(x) and x > 0], default=math.nan) / 2
    shown, low, high, *reach = [_plain(beside(x, spread, 3)) for x in (trace.estimate, a, b, *arms)]
    low, high = ("not found" if math.isnan(x) else text for x, text in ((a, low), (b, high)))
    both = f" ({MINUS}{reach[0]} +{reach[1]})" if all(map(math.isfinite, arms)) else ""
    ends = f" · {100 * level:g} %: {low} to {high}"
    texts = (f"{shown}{both}{ends}", f"{shown}{both}", shown)
    return next((text for text in texts if width_of(text, SMALL) <= WIDTH + RIGHT), shown)


def _plain(text: str) -> str:
    return text.replace("-", MINUS)


def _fitting(text: str, room: float, size: float = SIZE) -> str:
    """As much of a text as has room: its beginning and its end."""
    if width_of(text, size) <= room:
        return text
    keep = len(text)
    while keep and width_of(f"{text[: keep - keep // 3]}…{text[len(text) - keep // 3 :]}", size) > room:
        keep -= 1
    return f"{text[: keep - keep // 3]}…{text[len(text) - keep // 3 :]}"
