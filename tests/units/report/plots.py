"""What tests of plots look at: the labels of a picture and where they are."""

import re
import xml.etree.ElementTree as ET

from bibun.report.svg import width_of

SVG = "{http://www.w3.org/2000/svg}"
hostile = "a<script>alert('&\")</script>]]>"


def boxes(svg):
    """Every text with its box: (text, left, top, right, bottom)."""
    out = []

    def walk(node, dx, dy):
        moved = re.match(r"translate\(([-\d.]+) ([-\d.]+)\)(.*)", node.get("transform", ""))
        turned = bool(moved) and "rotate" in moved[3]
        if moved:
            dx, dy = dx + float(moved[1]), dy + float(moved[2])
        if node.tag == SVG + "text":
            look = node.get("class", "").split()
            size = 10.5 if "small" in look else 15.0 if "title" in look else 12.5
            wide = width_of(node.text or "", size) * 0.93  # it is a little on the wide side
            x, y = dx + float(node.get("x", 0)), dy + float(node.get("y", 0))
            left = x - (wide / 2 if "middle" in look else wide if "end" in look else 0)
            box = (left, y - 0.72 * size, left + wide, y)
            if turned:
                box = (dx - 0.72 * size, dy - wide / 2, dx, dy + wide / 2)
            out.append((node.text, *box))
        for child in node:
            walk(child, dx, dy)

    walk(ET.fromstring(svg), 0.0, 0.0)
    return out


def labels(svg):
    return [b[0] for b in boxes(svg)]


def overlapping(svg):
    """Pairs of labels on one another, and labels beyond the card."""
    root, found = ET.fromstring(svg), boxes(svg)
    w, h = float(root.get("width")), float(root.get("height"))
    out = [b for b in found if b[1] < 0 or b[2] < 0 or b[3] > w or b[4] > h]
    for k, a in enumerate(found):
        for b in found[k + 1 :]:
            if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]:
                out.append((a, b))
    return out
