"""A picture as DOT and as Mermaid, for tools that lay it out themselves. Imports picture."""

from .picture import Arrow, Picture

__all__ = ["dot", "mermaid"]

DOT_LOOK = {
    "leaf": 'shape=box, style="rounded,filled", fillcolor="#fff4dc", color="#d39a2d"',
    "constant": 'shape=box, style="dashed,filled", fillcolor="#f6f7f9", color="#a9b1be"',
    "operation": 'shape=box, style="filled", fillcolor="#eaf1fd", color="#6b8fd0"',
    "value": 'shape=box, style="rounded,filled", fillcolor="#f4f0fb", color="#9377c9"',
    "result": 'shape=box, style="rounded,filled", fillcolor="#e2f5e9", color="#2c9a5b", penwidth=2',
}
MERMAID_LOOK = {
    "leaf": "fill:#fff4dc,stroke:#d39a2d,color:#1c2330",
    "constant": "fill:#f6f7f9,stroke:#a9b1be,color:#1c2330,stroke-dasharray:3 2",
    "operation": "fill:#eaf1fd,stroke:#6b8fd0,color:#1c2330",
    "value": "fill:#f4f0fb,stroke:#9377c9,color:#1c2330",
    "result": "fill:#e2f5e9,stroke:#2c9a5b,color:#1c2330,stroke-width:2px",
}


def dot(picture: Picture, direction: str) -> str:
    """Graphviz's language."""
    out = [
        "digraph bibun {",
        f'  graph [rankdir={direction}, bgcolor="transparent", nodesep=0.2, ranksep=0.35, fontname="Helvetica"];',
        '  node [fontname="Helvetica", fontsize=11, fontcolor="#1c2330", height=0.3, margin="0.12,0.05"];',
        '  edge [fontname="Helvetica", fontsize=9, color="#8a94a6", fontcolor="#667085", arrowsize=0.6];',
    ]
    for i, box in enumerate(picture.boxes):
        out.append(f"  n{i} [label={dot_quoted(*box.lines)}, tooltip={dot_quoted(box.title)}, {DOT_LOOK[box.kind]}];")
    for a in picture.arrows:
        text = _label(picture, a)
        out.append(f"  n{a.source} -> n{a.target}" + (f" [label={dot_quoted(text)}];" if text else ";"))
    return "\n".join([*out, "}"]) + "\n"


def mermaid(picture: Picture, direction: str) -> str:
    """Mermaid's language: Markdown pages show it by themselves."""
    out = [f"flowchart {direction}"]
    for i, box in enumerate(picture.boxes):
        text = "<br/>".join([mermaid_quoted(line) for line in box.lines])
        opens, closes = ("[", "]") if box.kind in ("operation", "constant") else ("([", "])")
        out.append(f'  n{i}{opens}"{text}"{closes}:::{box.kind}')
    for a in picture.arrows:
        text = mermaid_quoted(_label(picture, a))
        out.append(f"  n{a.source} -->" + (f'|"{text}"|' if text else "") + f" n{a.target}")
    used = {box.kind for box in picture.boxes}
    out += [f"  classDef {kind} {look}" for kind, look in MERMAID_LOOK.items() if kind in used]
    return "\n".join(out) + "\n"


def _label(picture: Picture, a: Arrow) -> str:
    """An operand's number where order matters, and what the arrow carries."""
    carried = picture.boxes[a.source].outlets.get(a.outlet, "")
    place = f"{a.place + 1}" if a.place is not None else ""
    return ": ".join([t for t in (place, carried) if t])


def dot_quoted(*lines: str) -> str:
    """A quoted string in which nothing is special; several lines."""
    safe = [
        "".join([c if c >= " " and c != "\x7f" else " " for c in t]).replace("\\", "\\\\").replace('"', '\\"')
        for t in lines
    ]
    # Graphviz reads HTML entities in plain strings too
    return '"' + "\\n".join([t.replace("&", "&amp;") for t in safe]) + '"'


def mermaid_quoted(text: str) -> str:
    """Text between Mermaid's quotes: whatever could be markup, markdown or an end of it, by its number."""
    out = []
    for k, c in enumerate(text):
        plain = c.isalnum() or c in " •×÷−√≥≤≠…_,:.()|Σ" or c in "[]" or (c in "+^@=" and k)
        out.append(c if plain else f"#{ord(c)};" if c >= " " else " ")
    return "".join(out)
