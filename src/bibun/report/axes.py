"""Plots as SVG text without a plotting library: a sheet of panels with axes, for light and dark pages. Imports svg.

`Sheet` has the card, the title and the legend; `Panel` the frame, the ticks, and what is drawn from data. What a plot
shows is in profile_plot.py and diagnostic_plot.py.
"""

import itertools
import math
from collections.abc import Iterable, Sequence

from .svg import FONT, escaped, width_of

__all__ = ["SIZE", "SMALL", "Axis", "Panel", "Sheet", "readable"]

SIZE, SMALL = 12.5, 10.5
MINUS = "\u2212"

LIGHT = {
    "card": "fill:#ffffff;stroke:#e3e7ee", "frame": "fill:none;stroke:#c3cad6", "grid": "stroke:#eef1f5",
    "text": "fill:#1c2330", "small": "fill:#5b6472", "tick": "stroke:#c3cad6", "zero": "stroke:#98a2b3",
    "main": "stroke:#2166ac", "mainfill": "fill:#2166ac", "shade": "fill:#2166ac;fill-opacity:.10",
    "other": "stroke:#8a5a00", "otherfill": "fill:#8a5a00", "second": "stroke:#c2410c", "secondfill": "fill:#c2410c",
    "cut": "stroke:#98a2b3", "band": "fill:#98a2b3;fill-opacity:.22", "mark": "fill:#ffffff;stroke:#2166ac",
    "halo": "stroke:#ffffff",
}  # fmt: skip
DARK = {
    "card": "fill:#171b22;stroke:#2b323d", "frame": "fill:none;stroke:#465061", "grid": "stroke:#222934",
    "text": "fill:#eef1f6", "small": "fill:#a5b0c0", "tick": "stroke:#465061", "zero": "stroke:#7a869a",
    "main": "stroke:#6cb0f5", "mainfill": "fill:#6cb0f5", "shade": "fill:#6cb0f5;fill-opacity:.14",
    "other": "stroke:#e0b050", "otherfill": "fill:#e0b050", "second": "stroke:#ff9d5c", "secondfill": "fill:#ff9d5c",
    "cut": "stroke:#7a869a", "band": "fill:#a5b0c0;fill-opacity:.18", "mark": "fill:#171b22;stroke:#6cb0f5",
    "halo": "stroke:#171b22",
}  # fmt: skip
SHAPES = {
    "curve": "fill:none;stroke-width:2.2;stroke-linejoin:round", "thin": "fill:none;stroke-width:1.4",
    "dashed": "fill:none;stroke-dasharray:5 4", "dotted": "fill:none;stroke-dasharray:1.5 3",
    "point": "fill-opacity:.5", "small": f"font-size:{SMALL}px", "heading": "font-weight:600",
    "title": "font-size:15px;font-weight:600", "middle": "text-anchor:middle", "end": "text-anchor:end",
    "named": "paint-order:stroke;stroke-width:3px",
    "ring": "stroke-width:1.8",
}  # fmt: skip


def _rules(looks: dict[str, str]) -> str:
    return "".join([f".bibun-plot .{name}{{{look}}}" for name, look in looks.items()])


STYLE = (
    f".bibun-plot{{font-family:{FONT};font-size:{SIZE}px}}"
    + _rules(SHAPES)
    + _rules(LIGHT)
    + f"@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"
)


def readable(x: float, digits: int = 4) -> str:
    """A number as people read it, with a true minus sign.

    Examples
    --------
    >>> readable(-0.25), readable(1234567.0), readable(3e-9)
    ('−0.25', '1.235×10⁶', '3×10⁻⁹')
    """
    if x == 0:
        return "0"
    if not math.isfinite(x):
        return "∞" if x > 0 else f"{MINUS}∞" if x < 0 else "–"
    text = f"{x:.{digits}g}"
    mantissa, _, power = text.partition("e")
    if power:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}×10{raised(int(power))}"
    return text.replace("-", MINUS)


def raised(power: int) -> str:
    """A number as a superscript."""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


class Axis:
    """From numbers to pixels along one side of a panel, and where its ticks are.

    Parameters
    ----------
    low, high : float
        The range that is shown.
    logarithmic : bool

    Attributes
    ----------
    ticks : list of (float, str)
        Set by `mark`.
    power : int
        Of ten: ticks are written without it, and the axis says so.
    """

    def __init__(self, low: float, high: float, logarithmic: bool = False) -> None:
        if not high > low:
            pad = abs(low) * 0.1 or 1.0
            low, high = low - pad, high + pad
        self.low, self.high, self.logarithmic = low, high, logarithmic
        self.start = self.end = 0.0
        self.ticks: list[tuple[float, str]] = []
        self.power = 0

    def between(self, start: float, end: float) -> "Axis":
        """Lay it between two pixels."""
        self.start, self.end = start, end
        return self

    def pixel(self, x: float) -> float:
        """Where a number is."""
        if self.logarithmic:
            share = math.log(x / self.low) / math.log(self.high / self.low) if x > 0 else -1.0
        else:
            share = (x - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def mark(self, upright: bool) -> None:
        """Choose ticks whose labels have room."""
        room = abs(self.end - self.start)
        for most in (7, 6, 5, 4, 3, 2):
            values = _log_ticks(self.low, self.high, most) if self.logarithmic else _ticks(self.low, self.high, most)
            self.power = 0 if self.logarithmic else _power(self.low, self.high)
            self.ticks = _labelled(values, self.power)
            need = 22.0 if upright else max([width_of(t, SMALL) for _, t in self.ticks], default=0.0) + 12.0
            places = sorted(self.pixel(v) for v, _ in self.ticks)
            if room >= need * len(places) and all([b - a >= need for a, b in itertools.pairwise(places)]):
                return


def _ticks(low: float, high: float, most: int) -> list[float]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10, 20) if m * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for within in ((1, 2, 5), (1, 3), (1,)):
        out = [m * 10.0**k for k in range(first, last + 1) for m in within if low <= m * 10.0**k <= high]
        if 2 <= len(out) <= most:
            return out
    if len(out) < 2:
        return _ticks(low, high, most)
    return out[:: math.ceil(len(out) / most)]


def _power(low: float, high: float) -> int:
    size = max(abs(low), abs(high))
    power = math.floor(math.log10(size)) if size > 0 else 0
    return 3 * (power // 3) if power >= 5 or power <= -4 else 0


def _labelled(values: Sequence[float], power: int) -> list[tuple[float, str]]:
    scaled = [v / 10.0**power for v in values]
    gaps = [abs(b - a) for a, b in itertools.pairwise(scaled) if b != a]
    step = min(gaps) if gaps else max([abs(v) for v in scaled], default=1.0) or 1.0
    if gaps and max(gaps) > 1.5 * step:  # a logarithmic axis
        return [(v, readable(v, 3)) for v in values]
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(v, f"{s + 0.0:.{places}f}".replace("-", MINUS)) for v, s in zip(values, scaled, strict=True)]


class Panel:
    """One frame with two axes.

    Parameters
    ----------
    x, y, width, height : float
        The frame, in pixels of the sheet; labels are outside.
    across, up : Axis
    """

    def __init__(self, x: float, y: float, width: float, height: float, across: Axis, up: Axis) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height
        self.across, self.up = across.between(0, width), up.between(height, 0)
        self.inside: list[str] = []  # clipped by the frame
        self.over: list[str] = []  # not clipped
        self.taken: list[tuple[float, float, float, float]] = []  # boxes of labels, by left, top, right, bottom
        self.dots: list[tuple[float, float]] = []  # what labels had better not be on

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels within the frame."""
        return self.across.pixel(x), self.up.pixel(y)

    def line(self, xs: Iterable[float], ys: Iterable[float], look: str) -> None:
        """A line through points; it is interrupted where one is not finite."""
        path, pen = "", "M"
        for x, y in zip(xs, ys, strict=True):
            if not (math.isfinite(x) and math.isfinite(y)):
                pen = "M"
                continue
            px, py = self.at(x, y)
            path += f"{pen}{px:.1f} {min(max(py, -9e3), 9e3):.1f}"
            pen = "L"
        if path:
            self.inside.append(f'<path class="{look}" d="{path}"/>')

    def area(self, xs: Iterable[float], low: Iterable[float], high: Iterable[float], look: str) -> None:
        """What is between two lines."""
        forth = [self.at(x, y) for x, y in zip(xs, high, strict=True)]
        back = [self.at(x, y) for x, y in zip(xs, low, strict=True)][::-1]
        points = "L".join([f"{px:.1f} {py:.1f}" for px, py in [*forth, *back]])
        self.inside.append(f'<path class="{look}" d="M{points}Z"/>')

    def points(self, xs: Iterable[float], ys: Iterable[float], look: str, radius: float) -> None:
        """A dot for each point, in one path; those beyond the frame are triangles at its edge."""
        path, beyond, r = "", "", radius
        for x, y in zip(xs, ys, strict=True):
            px, py = self.at(x, y)
            self.dots.append((px, py))
            if 0 <= py <= self.height:
                path += f"M{px - r:.1f} {py:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0"
            else:
                edge, out = (1.0, 6.0) if py < 0 else (self.height - 1, self.height - 6)
                beyond += f"M{px:.1f} {edge:.1f}L{px - 4:.1f} {out:.1f}L{px + 4:.1f} {out:.1f}Z"
        for d in (path, beyond):
            if d:
                self.inside.append(f'<path class="{look}" d="{d}"/>')

    def ring(self, x: float, y: float, look: str = "mark ring", radius: float = 3.6) -> None:
        """A ring that may reach over the frame."""
        px, py = self.at(x, y)
        self.over.append(f'<circle class="{look}" cx="{px:.1f}" cy="{py:.1f}" r="{radius}"/>')

    def beside(self, px: float, py: float, text: str, look: str = "small", size: float = SMALL) -> bool:
        """A label near a point, where the frame has room, no other label is, and the fewest dots are.

        False if there is no such place.
        """
        w, h = width_of(text, size), size + 1
        best: tuple[int, float, float] | None = None
        for x, y in ((px + 7, py + 4), (px - 7 - w, py + 4), (px - w / 2, py - 8), (px - w / 2, py + 17),
                     (px + 7, py - 9), (px - 7 - w, py - 9), (px + 7, py + 17), (px - 7 - w, py + 17)):  # fmt: skip
            box = (x - 2, y - h, x + w + 2, y + 3)
            if box[0] < 1 or box[1] < 1 or box[2] > self.width - 1 or box[3] > self.height - 1 or self._on_label(box):
                continue
            covered = sum([box[0] < a < box[2] and box[1] < b < box[3] for a, b in self.dots])
            if best is None or covered < best[0]:
                best = covered, x, y
        if best is None:
            return False
        _, x, y = best
        self.write(x, y, text, f"{look} named halo", (x - 2, y - h, x + w + 2, y + 3))
        return True

    def write(self, x: float, y: float, text: str, look: str, box: tuple[float, float, float, float]) -> None:
        """A label at a place, unless another one is within its box."""
        if not self._on_label(box):
            self.taken.append(box)
            self.over.append(f'<text class="{look}" x="{x:.1f}" y="{y:.1f}">{escaped(text)}</text>')

    def _on_label(self, box: tuple[float, float, float, float]) -> bool:
        return any([box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in self.taken])

    def svg(self, heading: str, about: str, x_label: str, y_label: str) -> str:
        """The panel with its axes: a heading and a line about it above, labels beside."""
        self.across.mark(upright=False)
        self.up.mark(upright=True)
        w, h = self.width, self.height
        out = [f'<g transform="translate({self.x:.1f} {self.y:.1f})">']
        labels: list[str] = []
        for v, text in self.across.ticks:
            px = self.across.pixel(v)
            out.append(f'<path class="grid" d="M{px:.1f} 0V{h:.1f}"/><path class="tick" d="M{px:.1f} {h:.1f}v4"/>')
            labels.append(f'<text class="small middle" x="{px:.1f}" y="{h + 16:.1f}">{text}</text>')
        for v, text in self.up.ticks:
            py = self.up.pixel(v)
            out.append(f'<path class="grid" d="M0 {py:.1f}H{w:.1f}"/><path class="tick" d="M0 {py:.1f}h-4"/>')
            labels.append(f'<text class="small end" x="-8" y="{py + 3.5:.1f}">{text}</text>')
        out.append(f'<svg width="{w:.1f}" height="{h:.1f}">{"".join(self.inside)}</svg>')
        out.append(f'<rect class="frame" width="{w:.1f}" height="{h:.1f}"/>')
        out += [*labels, *self.over]
        out.append(f'<text class="text heading" x="0" y="{-24 if about else -9}">{escaped(heading)}</text>')
        if about:
            out.append(f'<text class="small" x="0" y="-8">{escaped(about)}</text>')
        x_label, y_label = _with_power(x_label, self.across.power), _with_power(y_label, self.up.power)
        if x_label:
            out.append(f'<text class="small middle" x="{w / 2:.1f}" y="{h + 33:.1f}">{escaped(x_label)}</text>')
        if y_label:
            left = -14 - max([width_of(t, SMALL) for _, t in self.up.ticks], default=0.0)
            turned = f'transform="translate({left:.1f} {h / 2:.1f}) rotate(-90)"'
            out.append(f'<text class="small middle" {turned}>{escaped(y_label)}</text>')
        return "".join([*out, "</g>"])


def _with_power(label: str, power: int) -> str:
    return f"{label} (×10{raised(power)})" if power else label


class Sheet:
    """A card with a title, a legend and panels."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.parts: list[str] = []

    def legend(self, entries: Sequence[tuple[str, str]], y: float) -> None:
        """What lines look like, from the right: (look, text)."""
        x = self.width - 20
        for look, text in reversed(entries):
            x -= width_of(text, SMALL)
            self.parts.append(f'<text class="small" x="{x:.1f}" y="{y:.1f}">{escaped(text)}</text>')
            self.parts.append(f'<path class="{look}" d="M{x - 30:.1f} {y - 3.5:.1f}h24"/>')
            x -= 46

    def note(self, x: float, y: float, text: str) -> None:
        """A line of small text."""
        self.parts.append(f'<text class="small" x="{x:.1f}" y="{y:.1f}">{escaped(text)}</text>')

    def svg(self) -> str:
        """The whole document."""
        w, h = self.width, self.height
        return "\n".join([
            f'<svg class="bibun-plot" xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="{h:.0f}" '
            f'viewBox="0 0 {w:.0f} {h:.0f}" role="img">',
            f"<title>{escaped(self.title)}</title><style>{STYLE}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{w - 1:.0f}" height="{h - 1:.0f}" rx="8"/>',
            f'<text class="text title" x="20" y="29">{escaped(self.title)}</text>',
            *self.parts,
            "</svg>\n",
        ])  # fmt: skip
