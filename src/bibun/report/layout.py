"""Where the boxes of a layered picture go, and how its lines run. Knows numbers only; imports nothing of bibun.

Four steps, after Sugiyama, Tagawa & Toda (1981): layers; the order within each, by barycentre sweeps and exchanges;
positions, with long lines and the spine of the computation kept straight as in Brandes & Köpf (2001); routes. `along`
is the direction of the flow, `across` the other. Lines from one outlet share a trunk, and branch off where used.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Item", "Link", "Placed", "arrange"]


class Item(NamedTuple):
    """A box: its extent along and across the flow, and the room its label needs after it."""

    along: float
    across: float
    after: float = 0.0


class Link(NamedTuple):
    """A line from box `source` to a later box `target`; where it leaves and enters, from the middle of the side."""

    source: int
    target: int
    leaves: float = 0.0
    enters: float = 0.0


class Placed(NamedTuple):
    """Middles of the boxes (along, across); each link's bends (from, to, across), one a layer crossed; extents."""

    middles: list[tuple[float, float]]
    routes: list[list[tuple[float, float, float]]]
    bounds: list[tuple[float, float]]
    along: float
    across: float


class Segment(NamedTuple):
    """A piece of a line between neighbouring layers."""

    u: int
    v: int
    leaves: float
    enters: float


GAP, BETWEEN, BESIDE, BENT, NUDGE = 34.0, 18.0, 11.0, 8.0, 60.0
"""Between layers; between boxes of a layer; between a box, or a line, and a line that passes; the price of a bend; how
far a block is moved to straighten one."""


def arrange(items: Sequence[Item], links: Sequence[Link], gap: float = GAP, between: float = BETWEEN) -> Placed:
    """Place boxes and lines; every link goes from a lower to a higher index."""
    layer = layers(len(items), links)
    segments, routes, layer = trunks(layer, links)
    rows = ordered(layer, segments)
    across = positions(items, layer, rows, segments, between)
    bounds = []
    edge = 0.0
    for row in rows:
        real = [items[i] for i in row if i < len(items)]
        width = max([item.along for item in real], default=0.0)
        bounds.append((edge, edge + width))
        edge += width + max([gap, *[(item.along - width) / 2 + item.after for item in real]])
    middles = [((bounds[layer[i]][0] + bounds[layer[i]][1]) / 2, across[i]) for i in range(len(items))]
    bends = [[(*bounds[layer[d]], across[d]) for d in route] for route in routes]
    low = min([across[i] - item.across / 2 for i, item in enumerate(items)] + across[len(items) :], default=0.0)
    high = max([across[i] + item.across / 2 for i, item in enumerate(items)] + across[len(items) :], default=0.0)
    middles = [(a, c - low) for a, c in middles]
    bends = [[(a, b, c - low) for a, b, c in route] for route in bends]
    where = [bounds[layer[i]] for i in range(len(items))]
    last = max([bounds[layer[i]][1] for i in range(len(items))], default=0.0)
    return Placed(middles, bends, where, last, high - low)


# --- layers -----------------------------------------------------------------------------------------------------------


def layers(n: int, links: Sequence[Link]) -> list[int]:
    """The longest path to each box; then everything moves as near to where it is used as costs no length."""
    before: list[set[int]] = [set() for _ in range(n)]
    behind: list[set[int]] = [set() for _ in range(n)]
    for link in links:
        before[link.target].add(link.source)
        behind[link.source].add(link.target)
    layer = [0] * n
    for i in range(n):
        layer[i] = max([layer[s] + 1 for s in before[i]], default=0)
    for _ in range(8):
        moved = False
        for i in reversed(range(n)):
            if not behind[i]:
                continue
            latest = min([layer[t] for t in behind[i]]) - 1
            stretched = [s for s in before[i] if max([layer[t] for t in behind[s]]) == layer[i]]
            if latest > layer[i] and len(stretched) <= 1:
                layer[i], moved = latest, True
        if not moved:
            break
    used = {k: j for j, k in enumerate(sorted(set(layer)))}
    return [used[k] for k in layer]


def trunks(layer: list[int], links: Sequence[Link]) -> tuple[list[Segment], list[list[int]], list[int]]:
    """Lines cut into segments between neighbouring layers, by points that lines from one outlet share."""
    layer = list(layer)
    trunk: dict[tuple[int, float], list[int]] = defaultdict(list)
    segments: dict[Segment, None] = {}
    routes = []
    for link in links:
        points = trunk[link.source, link.leaves]
        need = layer[link.target] - layer[link.source] - 1
        while len(points) < need:
            points.append(len(layer))
            layer.append(layer[link.source] + len(points))
        route = points[:need]
        path = [link.source, *route, link.target]
        for k, (u, v) in enumerate(pairwise(path)):
            enters = link.enters if k == need else 0.0
            segments[Segment(u, v, 0.0 if k else link.leaves, enters)] = None
        routes.append(route)
    return list(segments), routes, layer


# --- the order within layers ------------------------------------------------------------------------------------------

Ends = list[list[tuple[int, float, float]]]
"""Each point's neighbours in one direction: (neighbour, offset there, offset here)."""


def ordered(layer: list[int], segments: list[Segment]) -> list[list[int]]:
    """Each layer's points in an order with few crossings."""
    up: Ends = [[] for _ in layer]
    down: Ends = [[] for _ in layer]
    for s in segments:
        down[s.u].append((s.v, s.enters, s.leaves))
        up[s.v].append((s.u, s.leaves, s.enters))
    starts = _from_ends(layer, up, down), _from_ends(layer, down, up)
    return min([_swept(start, up, down, segments) for start in starts], key=lambda found: found[1])[0]


def _from_ends(layer: list[int], up: Ends, down: Ends) -> list[list[int]]:
    """A first order: each layer as a walk from the ends meets it, operands in their own order."""
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    seen = [False] * len(layer)
    roots = [i for i in range(len(layer)) if not down[i]]
    for root in roots:
        stack = [root]
        while stack:
            v = stack.pop()
            if seen[v]:
                continue
            seen[v] = True
            rows[layer[v]].append(v)
            stack.extend([u for u, _, _ in sorted(up[v], key=lambda e: e[2], reverse=True)])
    return rows


def _swept(rows: list[list[int]], up: Ends, down: Ends, segments: list[Segment]) -> tuple[list[list[int]], int]:
    by_layer: list[list[Segment]] = [[] for _ in rows]
    where = {v: k for k, row in enumerate(rows) for v in row}
    for s in segments:
        by_layer[where[s.u]].append(s)
    best, fewest, since = [list(r) for r in rows], _crossings(rows, by_layer), 0
    for turn in range(24):
        downward = turn % 2 == 0
        for k in range(1, len(rows)) if downward else range(len(rows) - 2, -1, -1):
            _by_barycentre(rows[k], rows[k - 1 if downward else k + 1], up if downward else down)
        _exchanged(rows, up, down)
        count = _crossings(rows, by_layer)
        if count < fewest:
            best, fewest, since = [list(r) for r in rows], count, 0
        else:
            since += 1
        if since > 7 or fewest == 0:
            break
    return best, fewest


def _crossings(rows: list[list[int]], by_layer: list[list[Segment]]) -> int:
    at = {v: p for row in rows for p, v in enumerate(row)}
    total = 0
    for group in by_layer:
        ends: list[tuple[int, float]] = []
        for _, end in sorted([((at[s.u], s.leaves), (at[s.v], s.enters)) for s in group]):
            total += len(ends) - bisect_right(ends, end)
            insort(ends, end)
    return total


def _by_barycentre(row: list[int], fixed: list[int], ends: Ends) -> None:
    """Sort a layer by the mean place of its neighbours in the fixed one; a point without any keeps its place."""
    at = {v: float(p) for p, v in enumerate(fixed)}
    means = {v: sum([at[u] + off / 1000 for u, off, _ in ends[v]]) / len(ends[v]) for v in row if ends[v]}
    moving = iter(sorted(means, key=lambda v: means[v]))
    row[:] = [next(moving) if v in means else v for v in row]


def _exchanged(rows: list[list[int]], up: Ends, down: Ends) -> None:
    """Exchange neighbours while that removes crossings."""
    at = {v: p for row in rows for p, v in enumerate(row)}

    def crossed(a: int, b: int) -> int:
        total = 0
        for ends in (up, down):
            for u, off, _ in ends[a]:
                for w, other, _ in ends[b]:
                    total += (at[u], off) > (at[w], other)
        return total

    for _ in range(6):
        changed = False
        for row in rows:
            for p in range(len(row) - 1):
                a, b = row[p], row[p + 1]
                if crossed(b, a) < crossed(a, b):
                    row[p], row[p + 1] = b, a
                    at[a], at[b] = p + 1, p
                    changed = True
        if not changed:
            return


# --- positions --------------------------------------------------------------------------------------------------------


def positions(
    items: Sequence[Item], layer: list[int], rows: list[list[int]], segments: list[Segment], between: float
) -> list[float]:
    """Each point's place across the flow."""
    n, total = len(items), len(layer)
    half = [items[i].across / 2 if i < n else 0.0 for i in range(total)]
    block, offset = straightened(n, layer, rows, segments)
    count = max(block, default=-1) + 1
    apart: list[tuple[int, int, float]] = []
    for row in rows:
        for a, b in pairwise(row):
            room = between if a < n and b < n else BESIDE
            apart.append((block[a], block[b], half[a] + half[b] + room + offset[a] - offset[b]))
    order = _topological(count, apart)
    if len(order) < count:  # cannot happen with uncrossed blocks; then every point stands for itself
        block, offset, count = list(range(total)), [0.0] * total, total
        apart = [(a, b, half[a] + half[b] + between) for row in rows for a, b in pairwise(row)]
        order = _topological(count, apart)
    pulls: list[list[tuple[int, float, float]]] = [[] for _ in range(count)]
    for s in segments:
        a, b = block[s.u], block[s.v]
        if a != b:
            d = offset[s.u] + s.leaves - offset[s.v] - s.enters
            weight = 2.0 if s.u < n and s.v < n else 1.0
            pulls[b].append((a, d, weight))
            pulls[a].append((b, -d, weight))
    place = _settled(count, order, apart, pulls)
    return [place[block[i]] + offset[i] for i in range(total)]


def straightened(
    n: int, layer: list[int], rows: list[list[int]], segments: list[Segment]
) -> tuple[list[int], list[float]]:
    """Which points move together, so that the line between them is straight, and their offsets within that block."""
    total = len(layer)
    at = {v: p for row in rows for p, v in enumerate(row)}
    depth, height = [0] * total, [0] * total
    ups: list[list[Segment]] = [[] for _ in range(total)]
    downs: list[list[Segment]] = [[] for _ in range(total)]
    for s in segments:
        downs[s.u].append(s)
        ups[s.v].append(s)
    by_layer = sorted(range(total), key=lambda v: layer[v])
    for v in by_layer:
        depth[v] = max([depth[s.u] + 1 for s in ups[v]], default=0)
    for v in reversed(by_layer):
        height[v] = max([height[s.v] + 1 for s in downs[v]], default=0)

    def rank(s: Segment) -> int | None:
        if s.u >= n and s.v >= n:
            return 0
        others = [t for t in ups[s.v] if t.u != s.u]
        siblings = [t for t in downs[s.u] if t.v != s.v]
        deepest = all([depth[t.u] < depth[s.u] for t in others])
        tallest = all([height[t.v] < height[s.v] for t in siblings])
        if s.u < n and s.v < n:
            return 1 if deepest and tallest else None
        if s.u < n:  # a line sets out: straight where it is the only one
            return 2 if not siblings else None
        return 3 if not others else None

    above: list[int | None] = [None] * total
    below: list[int | None] = [None] * total
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    shift: dict[tuple[int, int], float] = {}
    ranked = [(r, i, s) for i, s in enumerate(segments) if (r := rank(s)) is not None]
    for _, _, s in sorted(ranked):
        if below[s.u] is not None or above[s.v] is not None:
            continue
        pair = at[s.u], at[s.v]
        if any([(pair[0] - p) * (pair[1] - q) < 0 for p, q in taken[layer[s.u]]]):
            continue
        below[s.u], above[s.v] = s.v, s.u
        taken[layer[s.u]].append(pair)
        single = len({t.enters for t in ups[s.v]}) == 1
        shift[s.u, s.v] = s.leaves - (s.enters if single or s.u >= n else 0.0)
    block, offset = [-1] * total, [0.0] * total
    count = 0
    for v in by_layer:
        if above[v] is None:
            w: int | None = v
            shifted = 0.0
            while w is not None:
                block[w], offset[w] = count, shifted
                nxt = below[w]
                shifted += shift[w, nxt] if nxt is not None else 0.0
                w = nxt
            count += 1
    return block, offset


def _topological(count: int, apart: list[tuple[int, int, float]]) -> list[int]:
    after: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for a, b, _ in apart:
        after[a].append(b)
        waits[b] += 1
    order = [b for b in range(count) if not waits[b]]
    for a in order:
        for b in after[a]:
            waits[b] -= 1
            if not waits[b]:
                order.append(b)
    return order


def _settled(
    count: int, order: list[int], apart: list[tuple[int, int, float]], pulls: list[list[tuple[int, float, float]]]
) -> list[float]:
    """Places that keep blocks apart and lines short: each block is drawn to the mean of what it is joined to."""
    first: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    then: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for a, b, room in apart:
        first[b].append((a, room))
        then[a].append((b, room))

    def fitted(want: list[float]) -> list[float]:
        """The mean of pushing everything down and of pushing everything up: both keep the distances, so it does."""
        down, up = list(want), list(want)
        for b in order:
            for a, room in first[b]:
                down[b] = max(down[b], down[a] + room)
        for a in reversed(order):
            for b, room in then[a]:
                up[a] = min(up[a], up[b] - room)
        return [(d + u) / 2 for d, u in zip(down, up, strict=True)]

    place = fitted([0.0] * count)
    for _ in range(120):
        want = list(place)
        for b in range(count):
            if pulls[b]:
                weight = sum([w for _, _, w in pulls[b]])
                want[b] = 0.4 * place[b] + 0.6 * sum([w * (place[a] + d) for a, d, w in pulls[b]]) / weight
        place = fitted(want)

    def total(at: list[float]) -> float:
        """The lines' length across the flow, and something more for each that is not straight."""
        ways = [(w, abs(at[a] + d - at[b])) for b in range(count) for a, d, w in pulls[b]]
        return round(sum([w * way + (BENT if way > 0.1 else 0.0) for w, way in ways]), 6)

    def pushed(b: int, there: float) -> list[float]:
        """Everything as it is, but block `b` there, and others out of its way."""
        at = list(place)
        at[b] = there
        for c in order[rank[b] + 1 :]:
            at[c] = max([at[c], *[at[a] + room for a, room in first[c]]])
        for a in reversed(order[: rank[b]]):
            at[a] = min([at[a], *[at[c] - room for c, room in then[a]]])
        return at

    rank = {b: k for k, b in enumerate(order)}
    least = total(place)
    for _ in range(4 if count < 200 else 1):
        before = least
        for b in range(count):
            for t in [place[a] + d for a, d, _ in pulls[b]]:
                if 0.1 < abs(t - place[b]) < NUDGE:
                    tried = pushed(b, t)
                    length = total(tried)
                    if length < least:
                        place, least = tried, length
        if least == before:
            break
    return place
