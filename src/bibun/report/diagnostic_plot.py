"""Diagnostics as a picture of four panels. Imports axes; reads a DiagnosticFigure of models."""

import math
from typing import Any

import numpy as np

from .axes import Axis, Panel, Sheet, readable

__all__ = ["smooth", "svg"]

WIDTH, HEIGHT = 330.0, 220.0
LEFT, TOP, ACROSS, DOWN = 66.0, 104.0, 424.0, 312.0  # of the first frame, and from one to the next
CROWD = 1500
"""Rows that are still drawn one by one."""

HEXAGON = 6.0
SHADES = (0.18, 0.30, 0.44, 0.60, 0.80)
POINTS = 60
"""Of a smooth line."""


def svg(figure: Any) -> str:
    """The picture of a DiagnosticFigure."""
    n = len(figure.rows)
    crowded = n > CROWD
    sheet = Sheet(ACROSS * 2 + 20, TOP + 2 * DOWN - 34, f"{figure.title}: {figure.said}")
    said = [f"{_grouped(n)} rows"]
    if crowded:
        said.append("the more rows, the stronger the colour of a hexagon")
    beyond = int(np.isinf(figure.residuals).sum())
    if beyond:
        said.append(f"{beyond} beyond what the distribution function tells from 0 and 1, at the edge")
    sheet.note(20, 48, "; ".join([*said, *figure.notes]))
    sheet.legend([("second curve", "smooth of the rows"), ("cut dashed", "where the model holds")], 29)
    places = [(LEFT + ACROSS * (k % 2), TOP + DOWN * (k // 2)) for k in range(4)]
    for draw, (x, y) in zip((_against_fitted, _quantiles, _spread, _pull), places, strict=True):
        sheet.parts.append(draw(figure, x, y, crowded))
    return sheet.svg()


def _against_fitted(figure: Any, x: float, y: float, crowded: bool) -> str:
    r = figure.residuals
    size = 1.13 * float(np.abs(r[np.isfinite(r)]).max(initial=2.2))
    panel = Panel(x, y, WIDTH, HEIGHT, _across(figure), Axis(-size, size))
    panel.line([panel.across.low, panel.across.high], [0, 0], "cut dashed")
    _rows(panel, figure.fitted, r, crowded)
    _smoothed(panel, figure.fitted, r, figure.logarithmic)
    _named(panel, figure, figure.largest_residuals, figure.fitted, r)
    return panel.svg("Residuals against fitted", "a line that bends: a mean that is not right", figure.fitted_said,
                     figure.said)  # fmt: skip


def _quantiles(figure: Any, x: float, y: float, crowded: bool) -> str:
    q = figure.quantiles
    finite = q.ordered[np.isfinite(q.ordered)]
    both = np.concatenate([q.low, q.high, finite])
    pad = 0.07 * float(np.ptp(both))
    side = 0.05 * float(np.ptp(q.normal))
    across = Axis(float(q.normal[0]) - side, float(q.normal[-1]) + side)
    panel = Panel(x, y, WIDTH, HEIGHT, across, Axis(float(both.min()) - pad, float(both.max()) + pad))
    panel.area(q.normal, q.low, q.high, "band")
    panel.line([across.low, across.high], [across.low, across.high], "cut dashed")
    panel.points(q.normal, q.ordered, "mainfill point", 2.2)
    order = np.argsort(figure.residuals, kind="stable")
    last = len(order) - 1
    for k in figure.largest_residuals:
        place = int(np.flatnonzero(order == k)[0])
        at = np.flatnonzero(q.position == place)
        if len(at):
            _named(panel, figure, [k], {k: q.normal[at[0]]}, {k: q.ordered[at[0]]})
    some = "" if len(q.position) > last else f", {len(q.position)} of the rows"
    about = f"band: {100 * q.level:g} % of each point where the model holds{some}"
    return panel.svg("Normal quantiles", about, "normal quantile", "ordered residual")


def _spread(figure: Any, x: float, y: float, crowded: bool) -> str:
    root = np.sqrt(np.abs(figure.residuals))
    high = 1.1 * float(root[np.isfinite(root)].max(initial=1.5))
    panel = Panel(x, y, WIDTH, HEIGHT, _across(figure), Axis(0.0, high))
    panel.line([panel.across.low, panel.across.high], [MEAN_ROOT] * 2, "cut dashed")
    _rows(panel, figure.fitted, root, crowded)
    _smoothed(panel, figure.fitted, root, figure.logarithmic)
    _named(panel, figure, figure.largest_residuals, figure.fitted, root)
    return panel.svg("Spread against fitted", "a line that rises or falls: a spread that is not right",
                     figure.fitted_said, "√|residual|")  # fmt: skip


def _pull(figure: Any, x: float, y: float, crowded: bool) -> str:
    """Cook's distance by leverage, with lines of equal residuals; by row where there is no leverage."""
    cooks, hat = figure.cooks, figure.hat
    top = 1.12 * float(cooks.max(initial=0.0)) or 1.0
    across = figure.rows.astype(float) if hat is None else hat
    low, high = (float(across.min()), float(across.max())) if hat is None else (0.0, float(across.max()))
    pad = 0.04 * (high - low)
    panel = Panel(x, y, WIDTH, HEIGHT, Axis(low - (pad if hat is None else 0), high + pad), Axis(0.0, top))
    if hat is not None:
        for size in (1, 2, 3, 4, 6, 8):
            h = np.linspace(0, min(panel.across.high, 0.999), 200)
            d = size**2 * h / (figure.coefficients * (1 - h))
            panel.line(h, d, "cut dotted")
            crosses = np.flatnonzero(d >= top)
            if not len(crosses):  # it leaves on the right
                px, py = panel.width + 5, panel.up.pixel(float(d[-1])) + 3.5
            else:
                px, py = panel.across.pixel(float(h[crosses[0]])) + 3, 12.0
            if 0 < px < panel.width - 12 or not len(crosses):
                panel.write(px, py, f"{size}", "small named halo", (px - 6, py - 11, px + 12, py + 3))
    elif len(cooks) <= 200:
        for at, d in zip(across, cooks, strict=True):
            panel.line([at, at], [0, d], "main thin")
            px, py = panel.at(float(at), float(d))
            panel.dots += [(px, y) for y in np.arange(py, panel.height, 5.0)]
    _rows(panel, across, cooks, crowded)
    _named(panel, figure, [k for k in figure.largest_cooks if cooks[k] > 0], across, cooks)
    if hat is None:
        return panel.svg("How much each row pulls", "Cook's distance of the rows in their order", "row",
                         "Cook's distance")  # fmt: skip
    return panel.svg("How much each row pulls", "dotted: where a standardized residual is 1, 2, 3 …", "leverage",
                     "Cook's distance")  # fmt: skip


MEAN_ROOT = 2**0.25 * math.gamma(0.75) / math.sqrt(math.pi)
"""The mean of √|z| of a standard normal z."""


def _across(figure: Any) -> Axis:
    """The axis of fitted values."""
    low, high = float(figure.fitted.min()), float(figure.fitted.max())
    if figure.logarithmic:
        pad = (high / low) ** 0.04
        return Axis(low / pad, high * pad, logarithmic=True)
    pad = 0.04 * (high - low)
    return Axis(low - pad, high + pad)


def _rows(panel: Panel, xs: np.ndarray, ys: np.ndarray, crowded: bool) -> None:
    """The rows as dots, or, if they are many, as hexagons."""
    if not crowded:
        panel.points(xs.tolist(), ys.tolist(), "mainfill point", 2.4 if len(xs) <= 400 else 1.8)
        return
    px, py = _pixels(panel.across, xs), np.clip(_pixels(panel.up, ys), 0, panel.height)
    middles, counts = hexagons(px, py, HEXAGON)
    steps = np.log(counts) / max(math.log(float(counts.max())), 1.0)
    shade = np.minimum((steps * len(SHADES)).astype(int), len(SHADES) - 1)
    a, b = HEXAGON * math.sqrt(0.75), HEXAGON / 2
    outline = f"l{a:.2f} {b:.2f}v{HEXAGON:.2f}l{-a:.2f} {b:.2f}l{-a:.2f} {-b:.2f}v{-HEXAGON:.2f}Z"
    for k, opacity in enumerate(SHADES):
        path = "".join([f"M{x:.1f} {y - HEXAGON:.1f}{outline}" for x, y in middles[shade == k]])
        if path:
            panel.inside.append(f'<path class="mainfill" fill-opacity="{opacity}" d="{path}"/>')


def hexagons(x: np.ndarray, y: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the hexagons that hold points, shape (m, 2), and how many each holds.

    Of two grids of rectangles, shifted by half, the nearer middle.
    """
    wide, tall = size * math.sqrt(3.0), size * 3.0
    best, code = np.full(x.shape, np.inf), np.zeros(x.shape, np.int64)
    for k, (dx, dy) in enumerate(((0.0, 0.0), (wide / 2, tall / 2))):
        i, j = np.rint((x - dx) / wide).astype(np.int64), np.rint((y - dy) / tall).astype(np.int64)
        far = (x - dx - i * wide) ** 2 + (y - dy - j * tall) ** 2
        nearer = far < best
        best[nearer], code[nearer] = far[nearer], ((i + 2**20) * 2**22 + (j + 2**20) * 2 + k)[nearer]
    held, counts = np.unique(code, return_counts=True)
    shifted, j, i = held % 2, (held // 2) % 2**21 - 2**20, held // 2**22 - 2**20
    return np.column_stack([(i + 0.5 * shifted) * wide, (j + 0.5 * shifted) * tall]), counts


def _pixels(axis: Axis, values: np.ndarray) -> np.ndarray:
    if axis.logarithmic:
        share = np.log(values / axis.low) / math.log(axis.high / axis.low)
    else:
        share = (values - axis.low) / (axis.high - axis.low)
    return np.asarray(axis.start + np.nan_to_num(share, posinf=2.0, neginf=-1.0) * (axis.end - axis.start))


def smooth(x: np.ndarray, y: np.ndarray, at: np.ndarray, share: float = 0.5) -> np.ndarray:
    """Lines through the nearest rows, at each of some places: a share of all rows, the far ones counting less.

    Notes
    -----
    Local linear regression with the tricube weights of the nearest rows (Cleveland 1979); more than 4000 rows are first
    averaged within groups of neighbours.
    """
    order = np.argsort(x, kind="stable")
    x, y, w = x[order], y[order], np.ones(len(x))
    if len(x) > 4000:
        edges = np.linspace(0, len(x), 1001).astype(int)[:-1]
        w = np.diff([*edges, len(x)]).astype(float)
        x, y = np.add.reduceat(x, edges) / w, np.add.reduceat(y, edges) / w
    take = max(min(len(x), 5), math.ceil(share * len(x)))
    out = np.empty(len(at))
    for k, place in enumerate(at):
        far = np.abs(x - place)
        reach = float(np.partition(far, take - 1)[take - 1]) * 1.0001 or 1.0
        weight = w * np.clip(1 - (far / reach) ** 3, 0, None) ** 3
        total = weight.sum()
        mean_x, mean_y = weight @ x / total, weight @ y / total
        spread = weight @ (x - mean_x) ** 2
        tilt = weight @ ((x - mean_x) * (y - mean_y)) / spread if spread > 1e-12 * total * reach**2 else 0.0
        out[k] = mean_y + tilt * (place - mean_x)
    return out


def _smoothed(panel: Panel, x: np.ndarray, y: np.ndarray, logarithmic: bool) -> None:
    known = np.isfinite(y)
    scaled = np.log(x) if logarithmic else x
    places = np.unique(scaled[known])
    if len(places) < 5:  # of a few groups, their means
        at = places
        means = np.array([y[known & (scaled == p)].mean() for p in places])
    else:
        first, last = np.quantile(scaled[known], [0.005, 0.995])
        at = np.linspace(first, last, POINTS)
        means = smooth(scaled[known], y[known], at)
    if len(at) > 1:
        panel.line((np.exp(at) if logarithmic else at).tolist(), means.tolist(), "second curve")


def _named(panel: Panel, figure: Any, wanted: list[int], x: Any, y: Any) -> None:
    """Names of rows beside their points."""
    for k in wanted:
        px = panel.across.pixel(float(x[k]))
        py = panel.up.pixel(float(y[k])) if np.isfinite(y[k]) else (4.0 if y[k] > 0 else panel.height - 4)
        panel.beside(px, py, f"row {figure.rows[k]}")
        if np.isfinite(y[k]):
            panel.points([float(x[k])], [float(y[k])], "mainfill", 2.4)


def _grouped(n: int) -> str:
    return f"{n:,}".replace(",", "\u202f") if n >= 10_000 else readable(n)
