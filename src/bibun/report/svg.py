"""A picture as SVG text: boxes, lines, a card behind them for light and dark pages. Imports picture and layout."""

from .layout import Item, Link, Placed, arrange
from .picture import Box, Picture

__all__ = ["STYLE", "escaped", "svg", "width_of"]

SIZE, SMALL = 13.0, 10.5
MARGIN = 16.0
PORT = 12.0
FONT = "'Helvetica Neue',Helvetica,Arial,'Liberation Sans','Noto Sans',sans-serif"

LIGHT = {
    "card": ("#ffffff", "#e3e7ee"), "leaf": ("#fff4dc", "#d39a2d"), "constant": ("#f6f7f9", "#a9b1be"),
    "operation": ("#eaf1fd", "#6b8fd0"), "value": ("#f4f0fb", "#9377c9"), "result": ("#e2f5e9", "#2c9a5b"),
    "text": ("#1c2330", ""), "small": ("#667085", ""), "line": ("", "#98a2b3"),
}  # fmt: skip
DARK = {
    "card": ("#171b22", "#2b323d"), "leaf": ("#3a2f14", "#c9962f"), "constant": ("#222831", "#5d6775"),
    "operation": ("#1c2b47", "#5f86cc"), "value": ("#2c2442", "#9a80d0"), "result": ("#143524", "#3fae70"),
    "text": ("#eef1f6", ""), "small": ("#9aa5b5", ""), "line": ("", "#6c7788"),
}  # fmt: skip


def _rules(colours: dict[str, tuple[str, str]]) -> str:
    """The colours as style rules; an arrow's head has that of its line."""
    out = []
    for name, (fill, stroke) in colours.items():
        both = ";".join([f"{k}:{v}" for k, v in (("fill", fill), ("stroke", stroke)) if v])
        out.append(f".bibun-graph .{name}{{{both}}}")
    out.append(f".bibun-graph .head{{fill:{colours['line'][1]}}}")
    return "".join(out)


STYLE = (
    f".bibun-graph{{font-family:{FONT};font-size:{SIZE:g}px}}.bibun-graph text{{text-anchor:middle;stroke:none}}"
    ".bibun-graph .line{fill:none;stroke-width:1.3}.bibun-graph .head{stroke:none}"
    f".bibun-graph .small{{font-size:{SMALL:g}px}}.bibun-graph .start{{text-anchor:start}}"
    ".bibun-graph .result{stroke-width:2}.bibun-graph .constant{stroke-dasharray:3 2.5}"
    + _rules(LIGHT)
    + f"@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"
)


def svg(picture: Picture, direction: str, title: str) -> str:
    """The SVG text of `picture`, flowing to the right (LR) or down (TB)."""
    right = direction == "LR"
    entries = _entries(picture)
    sizes = [_with_ports(_size(b), len(entries[i]), b, right) for i, b in enumerate(picture.boxes)]
    items = [_item(w, h, b, right) for (w, h), b in zip(sizes, picture.boxes, strict=True)]
    links = [
        Link(a.source, a.target, _offset(picture.boxes[a.source].outlets, a.outlet, right), entries[a.target][a.place])
        for a in picture.arrows
    ]
    placed = arrange(items, links, gap=34.0 if right else 28.0, between=14.0 if right else 20.0)
    labels = [_labels(b, placed.middles[i], sizes[i], right) for i, b in enumerate(picture.boxes)]
    along = max([placed.along, *[t[0] + t[2] - MARGIN for row in labels for t in row if right]])
    across = max([placed.across, *[t[0] + t[2] - MARGIN for row in labels for t in row if not right]])
    width, height = (along, across) if right else (across, along)
    width, height = width + 2 * MARGIN, height + 2 * MARGIN
    out = [
        f'<svg class="bibun-graph" xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escaped(title)}</title><style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>',
    ]
    drawn: dict[tuple[int, float], int] = {}
    for k, (arrow, link) in enumerate(zip(picture.arrows, links, strict=True)):
        line, head = _line(placed, k, link, sizes, _straight(picture.boxes[arrow.source], right), right, drawn)
        ends = f"{arrow.source}-{arrow.target}"
        paths = f'<path class="line" d="{line}"/><path class="head" d="{head}"/>'
        out.append(f'<g class="edge" data-edge="{ends}">{paths}</g>')
    for i, box in enumerate(picture.boxes):
        a, c = placed.middles[i]
        x, y = (a, c) if right else (c, a)
        out.append(_box(i, box, x + MARGIN, y + MARGIN, *sizes[i]))
    for row in labels:
        for x, y, _, text in row:
            at = f'x="{x:.1f}" y="{y:.1f}"'
            out.append(f'<text class="small start" {at}>{text}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def _size(box: Box) -> tuple[float, float]:
    text = max([width_of(t, SMALL if k else SIZE) for k, t in enumerate(box.lines)], default=0.0)
    side = 20.0 if box.kind == "operation" else 26.0
    return max(text + side, 34.0), 18.0 + SIZE + (len(box.lines) - 1) * 13.0 - (3.0 if len(box.lines) > 1 else 0)


def _entries(picture: Picture) -> list[dict[int | None, float]]:
    """Where the arrows enter each box: all in the middle, or one place for each operand where their order matters."""
    out: list[dict[int | None, float]] = [{} for _ in picture.boxes]
    for a in picture.arrows:
        out[a.target][a.place] = 0.0
    for places in out:
        step = PORT if len(places) <= 6 else 8.0
        for k, place in enumerate(sorted(places, key=lambda p: p or 0)):
            places[place] = (k - (len(places) - 1) / 2) * step
    return out


def _with_ports(size: tuple[float, float], entries: int, box: Box, right: bool) -> tuple[float, float]:
    """The size of a box, with room on its sides for every line."""
    need = 8.0 + entries * (PORT if entries <= 6 else 8.0)
    if len(box.outlets) > 1:
        need = max(need, 8.0 + len(box.outlets) * _outlet_room(box.outlets, right))
    w, h = size
    return (w, max(h, need)) if right else (max(w, need), h)


def _offset(outlets: dict[int, str], outlet: int, right: bool) -> float:
    """Where an outlet of several lies, from the middle of its side."""
    if len(outlets) < 2:
        return 0.0
    order = sorted(outlets)
    return (order.index(outlet) - (len(order) - 1) / 2) * _outlet_room(outlets, right)


def _outlet_room(outlets: dict[int, str], right: bool) -> float:
    """What each outlet of several takes of a box's side: its label stands beside the line."""
    return 18.0 if right else max([width_of(t, SMALL) for t in outlets.values()], default=0.0) + 14.0


def _straight(box: Box, right: bool) -> float:
    """How far a line runs straight from a box, beside its label."""
    if not any(box.outlets.values()):
        return 0.0
    return max([width_of(t, SMALL) for t in box.outlets.values()]) + 8.0 if right else 16.0


def _item(w: float, h: float, box: Box, right: bool) -> Item:
    room = _straight(box, right)
    return Item(*((w, h) if right else (h, w)), room + 26.0 if room else 0.0)


def _labels(
    box: Box, middle: tuple[float, float], size: tuple[float, float], right: bool
) -> list[tuple[float, float, float, str]]:
    """What stands beside a box's outlets: (x, y, width, text)."""
    out = []
    for outlet, text in box.outlets.items():
        if not text:
            continue
        off = _offset(box.outlets, outlet, right)
        if right:
            x, y = middle[0] + size[0] / 2 + 5, middle[1] + off - 4
        else:
            x, y = middle[1] + off + 5, middle[0] + size[1] / 2 + 12
        out.append((x + MARGIN, y + MARGIN, width_of(text, SMALL), escaped(text)))
    return out


def _line(
    placed: Placed,
    k: int,
    link: Link,
    sizes: list[tuple[float, float]],
    beside: float,
    right: bool,
    drawn: dict[tuple[int, float], int],
) -> tuple[str, str]:
    """The path of one arrow: straight through each layer, curved between them; and its head.

    It runs straight `beside` a label. What it shares with an earlier arrow is `drawn` already, up to so many bends: it
    begins where it branches off.
    """
    s, t = link.source, link.target
    half_s, half_t = (sizes[s][0] / 2, sizes[t][0] / 2) if right else (sizes[s][1] / 2, sizes[t][1] / 2)
    start = placed.middles[s][0] + half_s
    tip = placed.middles[t][0] - half_t - 1
    stops = [(start, max(start + beside, placed.bounds[s][1]), placed.middles[s][1] + link.leaves)]
    stops += placed.routes[k]
    stops.append((min(tip - 7, placed.bounds[t][0] - 7), tip - 5, placed.middles[t][1] + link.enters))

    def p(a: float, c: float) -> str:
        x, y = (a, c) if right else (c, a)
        return f"{x + MARGIN:.1f} {y + MARGIN:.1f}"

    key = s, link.leaves
    done = min(drawn.get(key, 0), len(stops) - 2)
    drawn[key] = max(drawn.get(key, 0), len(stops) - 2)
    stops = stops[done:]
    if done:
        stops[0] = (stops[0][1], *stops[0][1:])
    path = f"M{p(stops[0][0], stops[0][2])}"
    for i, (enter, leave, c) in enumerate(stops):
        if i:
            a, d = stops[i - 1][1], stops[i - 1][2]
            if abs(c - d) < 0.05:
                path += f"L{p(enter, c)}"
            else:
                bend = (enter - a) * 0.55
                path += f"C{p(a + bend, d)} {p(enter - bend, c)} {p(enter, c)}"
        if leave - enter > 0.05:
            path += f"L{p(leave, c)}"
    c = stops[-1][2]
    return path, f"M{p(tip, c)}L{p(tip - 7, c - 3.4)}L{p(tip - 7, c + 3.4)}Z"


def _box(i: int, box: Box, x: float, y: float, w: float, h: float) -> str:
    radius = 5.0 if box.kind in ("operation", "constant") else min(h / 2, 15.0)
    place = f'x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{radius:g}"'
    shape = f'<rect class="{box.kind}" {place}/>'
    n = len(box.lines)
    text = ""
    for k, line in enumerate(box.lines):
        base = y + 4.5 - (n - 1) * 6.5 + k * 13.5
        text += f'<text class="{"small" if k else "text"}" x="{x:.1f}" y="{base:.1f}">{escaped(line)}</text>'
    return f'<g class="node" data-node="{i}"><title>{escaped(box.title)}</title>{shape}{text}</g>'


# --- text -------------------------------------------------------------------------------------------------------------

_NARROW, _SLIM, _WIDE = frozenset("ijl|!.,:;'·`"), frozenset("()[]{}ftrI/\\- "), frozenset("mwMW@%…")


def width_of(text: str, size: float) -> float:
    """About how wide `text` will be, a little on the wide side: fonts differ."""
    total = 0.0
    for c in text:
        if c in _NARROW:
            total += 0.28
        elif c in _SLIM:
            total += 0.36
        elif c in _WIDE:
            total += 0.95
        elif ord(c) >= 0x2E80:
            total += 1.0
        elif c.isupper():
            total += 0.72
        else:
            total += 0.58
    return total * size


def escaped(text: str) -> str:
    """Text as it may stand in XML and HTML, in quotes too; characters XML forbids become �."""
    text = "".join([c if _allowed(c) else "�" for c in text])
    for c, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(c, entity)
    return text


def _allowed(c: str) -> bool:
    return c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\x7f\ufffe\uffff")
