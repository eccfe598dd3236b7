"""Pictures of graphs: every operation once, every arrow, no name taken for markup, the same text each time."""

import re
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from bibun import Function, Variable, grad
from bibun.report.graph import Drawing, draw
from bibun.report.layout import Item, Link, arrange
from bibun.report.svg import width_of
from bibun.report.symbols import number, shape_text, shortened

SVG = "{http://www.w3.org/2000/svg}"


def boxes(d: Drawing) -> list[list[str]]:
    """The lines in each box, as the SVG has them."""
    root = ElementTree.fromstring(d.svg)
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == "node"]
    return [[t.text or "" for t in g.findall(f"{SVG}text")] for g in groups]


def labels(d: Drawing) -> list[str]:
    return [lines[0] for lines in boxes(d)]


def edges(d: Drawing) -> list[tuple[str, str]]:
    """The arrows of the SVG, by what stands on their ends."""
    names = labels(d)
    pairs = [e.split("-") for e in re.findall(r'data-edge="([\d-]+)"', d.svg)]
    return [(names[int(a)], names[int(b)]) for a, b in pairs]


def scalar(value: float = 1.0, name: str | None = None) -> Variable:
    return Variable(np.array(value), name=name)


class Polar(Function):
    def forward(self, x, y):
        return np.hypot(x, y), np.arctan2(y, x)

    def backward(self, gr, ga):
        return gr, ga


class Scale(Function):
    def forward(self, x, c):
        return x * c

    def backward(self, gy):
        return gy * self.inputs[1].data, None


# --- what is on the picture -------------------------------------------------------------------------------------------


def test_the_first_example_box_by_box():
    d = draw(np.exp(-(scalar(name="x") ** 2)))
    assert boxes(d) == [["x", "1"], ["^2"], ["neg"], ["exp"], ["y", "0.368"]]
    assert edges(d) == [("x", "^2"), ("^2", "neg"), ("neg", "exp"), ("exp", "y")]


def test_a_diamond_has_each_operation_once():
    x = scalar(name="x")
    a = np.sin(x)
    d = draw(np.exp(a) + np.cos(a))
    assert sorted(labels(d)) == sorted(["x", "sin", "exp", "cos", "+", "y"])
    assert sorted(edges(d)) == sorted(
        [("x", "sin"), ("sin", "exp"), ("sin", "cos"), ("exp", "+"), ("cos", "+"), ("+", "y")]
    )


def test_a_variable_used_twice_has_two_arrows_that_end_apart():
    x = scalar(2.0, "x")
    d = draw(x * x)
    assert edges(d).count(("x", "×")) == 2
    heads = re.findall(r'class="head" d="(M[^L]+)L', d.svg)
    assert len(set(heads)) == len(heads)


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_operands_of_a_difference_enter_in_their_order(direction):
    a, b = scalar(1.0, "a"), scalar(2.0, "b")
    for first, second, y in [(a, b, a - b), (b, a, b - a)]:
        d = draw(y, direction=direction)
        root = ElementTree.fromstring(d.svg)
        names = labels(d)
        across = {}
        for g in root.iter(f"{SVG}g"):
            if g.get("class") == "edge":
                source, target = map(int, g.get("data-edge").split("-"))
                tip = [float(v) for v in re.match(r"M([\d.]+) ([\d.]+)", g.findall(f"{SVG}path")[1].get("d")).groups()]
                if names[target] == "−":
                    across[names[source]] = tip[1 if direction == "LR" else 0]
        assert across[first.name] < across[second.name]


def test_constants_are_folded_into_operations():
    w, b = Variable(np.zeros(3), name="w"), scalar(0.1, "b")
    X = np.ones((5, 3))
    texts = labels(draw([X @ w + b, 0.9 * b, b * 0.9, 1 - b, b - 1, 2 / b, b / 2, b**0.5, 2.0**b]))
    for expected in ("[5×3] @ •", "× 0.9", "1 − •", "− 1", "2 ÷ •", "÷ 2", "^0.5", "2 ^ •"):
        assert expected in texts
    assert texts.count("× 0.9") == 2


def test_constants_as_boxes_when_asked():
    d = draw(scalar(name="b") * 0.9 - 1.0, constants=True)
    assert {("0.9", "×"), ("1", "−")} <= set(edges(d))


def test_shapes_and_values_as_asked():
    x = Variable(np.arange(1.0, 5.0), name="x")
    y = np.sum(np.log(x))
    assert ["log", "[4]"] in boxes(draw(y)) and ["x", "[4]"] in boxes(draw(y))
    assert ["log"] in boxes(draw(y, shapes=False)) and ["x"] in boxes(draw(y, shapes=False))
    assert ["log", "[4]", "0 … 1.39"] in boxes(draw(y, values=True))
    assert ["sum", "3.18"] in boxes(draw(y, values=True))


def test_named_results_are_boxes_on_the_way():
    x = scalar(name="x")
    h = np.tanh(x)
    h.name = "h"
    y = np.exp(h)
    y.name = "loss"
    assert edges(draw(y)) == [("x", "tanh"), ("tanh", "h"), ("h", "exp"), ("exp", "loss")]


def test_unnamed_variables_get_names_nobody_has():
    xs = [scalar(), scalar(name="x0"), scalar()]
    assert set(labels(draw(xs[0] * xs[1] + xs[2]))) >= {"x1", "x0", "x2", "y"}
    assert "y0" in labels(draw(scalar(name="y") * 2))


def test_several_results_by_key_and_place():
    x = scalar(name="x")
    s, c = np.sin(x), np.cos(x)
    assert ("sin", "a") in edges(draw({"a": s, "b": [c, s * c]}))
    assert ("cos", "b[0]") in edges(draw({"a": s, "b": [c, s * c]}))
    assert set(labels(draw([s, c]))) == {"x", "sin", "cos", "y0", "y1"}
    assert ("y0", "exp") in edges(draw([s, np.exp(s)]))  # what follows a result comes from its box
    assert ("x", "x") in edges(draw([x, s]))


def test_a_function_with_several_results_is_one_box_with_outlets():
    u, v = scalar(3.0, "u"), scalar(4.0, "v")
    r, a = Polar()(u, v)
    d = draw({"radius": r * 2, "angle": np.sin(a)})
    assert set(edges(d)) == {
        ("u", "Polar"), ("v", "Polar"), ("Polar", "× 2"), ("Polar", "sin"), ("× 2", "radius"), ("sin", "angle")
    }  # fmt: skip
    assert "#0" in d.svg and "#1" in d.svg and "pick" not in d.svg


def test_a_users_function_by_its_class_name_and_its_constants():
    assert "Scale(•, 3)" in labels(draw(Scale()(scalar(2.0, "x"), 3.0)))
    named = Variable(np.ones(3), name="X")
    named.order = 0
    assert "Scale(•, X)" in labels(draw(Scale()(Variable(np.ones(3)), named)))


def test_gradient_graphs_of_first_and_second_order():
    x = scalar(name="x")
    np.exp(-(x**2)).backward(create_graph=True)
    g = x.grad
    assert labels(draw(g)).count("exp") == 1
    x.cleargrad()
    g.backward(create_graph=True)
    d = draw(x.grad)
    assert labels(d).count("x") == 1 and len(edges(d)) > len(labels(d))


def test_fresh_variables_of_transforms_are_no_boxes():
    kept = []

    def f(x):
        y = np.sin(x)
        kept.append(draw(y))
        kept.append(draw(x))
        return y

    grad(f)(1.0)
    assert labels(kept[0]) == ["x", "sin", "y"]
    assert len(labels(kept[1])) == 1
    outer = scalar(name="outer")
    grad(lambda x: f(x) * 1.0)(outer)
    assert labels(kept[2]) == ["outer", "sin", "y"]


def test_a_leaf_a_constant_and_a_leaf_with_new_data():
    assert labels(draw(scalar(name="x"))) == ["x"]
    assert boxes(draw(Variable(np.ones((2, 3)), name="m"))) == [["m", "[2×3]"]]
    w = scalar(1.0, "w")
    y = np.exp(w)
    w.data = np.array(5.0)  # now younger than what was computed from it
    assert edges(draw(y)) == [("w", "exp"), ("exp", "y")]


def test_indices_and_statics():
    x = Variable(np.arange(6.0).reshape(2, 3), name="x")
    texts = labels(draw([x[0], x[:, 1:], x[np.array([0, 1, 0])], np.sum(x, axis=0), np.reshape(x, (3, 2))]))
    assert texts[1::2] == ["[0]", "[:, 1:]", "[3 indices]", "sum(axis=0)", "reshape"]


# --- the three languages ----------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>", 'a"b\\', "`**bold**`", "1. list", "- item", 'x"]);n9["y', "&lt;", "]]>", "-->",
    "\ud800\x00\x1b\n\u202e", "#35;", "\\N\\G", "%%{init}%%", "'); drop", "|pipe|", "{x}", "日本語𝛽", "x" * 500,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name):
    x = scalar(2.0, name)
    d = draw(x * x)
    assert len(boxes(d)) == 3  # it parses, and the name made no element
    assert d.svg.encode() and d.dot.encode() and d.mermaid.encode() and d.html.encode()
    assert "<script" not in d.html + x._repr_html_()
    shown = boxes(d)[0][0]
    assert shown == (shortened(name, 24) or "x")
    check_dot(d.dot)
    check_mermaid(d.mermaid)


def check_dot(text: str) -> tuple[int, int]:
    """Every line is a statement with balanced quotes; how many boxes and arrows."""
    lines = text.splitlines()
    assert lines[0] == "digraph bibun {" and lines[-1] == "}"
    string = r'"(?:[^"\\]|\\["\\n])*"'
    value = rf"(?:{string}|[\w.#]+)"
    attributes = rf"\[\w+={value}(?:, \w+={value})*\]"
    nodes = arrows = 0
    for line in lines[1:-1]:
        assert re.fullmatch(rf"  (?:(?:graph|node|edge|n\d+) {attributes}|n\d+ -> n\d+(?: {attributes})?);", line), line
        nodes += bool(re.match(r"  n\d+ \[", line))
        arrows += bool(re.match(r"  n\d+ ->", line))
    return nodes, arrows


def check_mermaid(text: str) -> tuple[int, int]:
    """Every line is a statement of the few kinds used; how many boxes and arrows."""
    lines = text.splitlines()
    assert re.fullmatch(r"flowchart (LR|TB)", lines[0])
    inside = r'"(?:[^"<>&`\\{}\n]|<br/>)*"'
    nodes = arrows = 0
    for line in lines[1:]:
        node = re.fullmatch(rf"  n\d+(\(\[{inside}\]\)|\[{inside}\]):::\w+", line)
        arrow = re.fullmatch(rf"  n\d+ -->(\|{inside}\|)? n\d+", line)
        assert node or arrow or re.fullmatch(r"  classDef \w+ [\w:#,\- ]+", line), line
        nodes, arrows = nodes + bool(node), arrows + bool(arrow)
    return nodes, arrows


def network() -> Variable:
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    W1, W2 = Variable(rng.normal(size=(3, 8)), name="W1"), Variable(rng.normal(size=(8, 1)), name="W2")
    b1, b2 = Variable(np.zeros(8), name="b1"), Variable(np.zeros(1), name="b2")
    return np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - t) ** 2) / 20


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_the_languages_agree(direction):
    d = draw(network(), direction=direction)
    counts = len(boxes(d)), len(edges(d))
    assert check_dot(d.dot) == counts == check_mermaid(d.mermaid)
    assert f"rankdir={direction}" in d.dot and d.mermaid.startswith(f"flowchart {direction}")


def test_the_same_graph_gives_the_same_text():
    first, second = draw(network()), draw(network())
    assert (first.svg, first.dot, first.mermaid) == (second.svg, second.dot, second.mermaid)
    y = network()
    assert draw(y).svg == draw(y).svg


def test_text_on_light_and_dark_pages():
    assert "prefers-color-scheme:dark" in draw(scalar()).svg


def test_operands_whose_order_matters_are_numbered_in_text():
    d = draw(scalar(name="a") - scalar(name="b"))
    assert '-->|"1"|' in d.mermaid and '[label="2"]' in d.dot
    assert "|" not in draw(scalar(name="a") + scalar(name="b")).mermaid


# --- the drawing as an object -----------------------------------------------------------------------------------------


def test_formats_and_notebooks():
    y = np.exp(scalar(name="x"))
    d = draw(y)
    assert str(d) == d.svg == d._repr_svg_() and d.svg in d._repr_html_()
    assert str(draw(y, "dot")) == d.dot and str(draw(y, format="mermaid")) == d.mermaid
    assert draw(y, "dot")._repr_svg_() is None and draw(y, "dot")._repr_html_().startswith("<pre>digraph")
    assert repr(d) == "<Drawing of 3 boxes and 2 arrows, as svg>"


def test_save_by_ending(tmp_path):
    d = draw(np.exp(scalar(name="x")))
    for ending, text in ((".svg", d.svg), (".dot", d.dot), (".gv", d.dot), (".mmd", d.mermaid), (".html", d.html)):
        d.save(tmp_path / f"graph{ending}")
        assert (tmp_path / f"graph{ending}").read_text(encoding="utf-8") == text
    with pytest.raises(ValueError, match=r"not saved as \.png.*\.svg, \.html, \.dot or \.mmd"):
        d.save(tmp_path / "graph.png")
    with pytest.raises(ValueError, match="without an ending"):
        d.save(str(tmp_path / "graph"))
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".dot", ".gv", ".html", ".mmd", ".svg"]


def test_refusals_say_what_to_do():
    y = np.exp(scalar())
    with pytest.raises(ValueError, match="'svg', 'dot', 'mermaid'"):
        draw(y, "png")
    with pytest.raises(ValueError, match="'LR'"):
        draw(y, direction="RL")
    with pytest.raises(TypeError, match=r"got ndarray.*not its \.data"):
        draw(y.data)
    with pytest.raises(TypeError, match="got float at b"):
        draw({"a": y, "b": 1.0})
    with pytest.raises(ValueError, match=r"draw\(\) of nothing"):
        draw([])


def test_a_long_graph_is_refused_at_once():
    x = y = scalar()
    for _ in range(30_000):
        y = y + x
    begin = time.perf_counter()
    with pytest.raises(ValueError, match=r"more than 300 operations.*max_nodes="):
        draw(y)
    assert time.perf_counter() - begin < 0.2
    z = x
    for _ in range(300):
        z = np.sin(z)
    assert len(boxes(draw(z))) == 302
    with pytest.raises(ValueError, match="more than 10 operations"):
        draw(z, max_nodes=10)


# --- layout -----------------------------------------------------------------------------------------------------------


def random_graph(seed: int, n: int = 40) -> tuple[list[Item], list[Link]]:
    rng = np.random.default_rng(seed)
    items = [Item(float(rng.integers(30, 90)), float(rng.integers(25, 40))) for _ in range(n)]
    links = [Link(int(s), t) for t in range(1, n) for s in set(rng.integers(max(0, t - 12), t, size=2))]
    return items, links


@pytest.mark.parametrize("seed", range(8))
def test_boxes_never_overlap_and_lines_avoid_them(seed):
    items, links = random_graph(seed)
    placed = arrange(items, links)
    frames = []
    for item, (a, c) in zip(items, placed.middles, strict=True):
        frames.append((a - item.along / 2, a + item.along / 2, c - item.across / 2, c + item.across / 2))
    for k, (a, b, c, d) in enumerate(frames):
        assert a >= -1e-6 and c >= -1e-6 and b <= placed.along + 1e-6 and d <= placed.across + 1e-6
        for p, q, r, s in frames[k + 1 :]:
            assert b <= p + 1e-6 or q <= a + 1e-6 or d <= r + 1e-6 or s <= c + 1e-6
    for route in placed.routes:
        for enter, leave, across in route:
            for a, b, c, d in frames:
                if a < leave and b > enter:
                    assert not c - 1 < across < d + 1
    for link in links:
        assert placed.middles[link.source][0] < placed.middles[link.target][0]


def test_a_chain_is_straight():
    items = [Item(40.0, 30.0 + (i % 3)) for i in range(9)]
    placed = arrange(items, [Link(i, i + 1) for i in range(8)])
    assert max(abs(c - placed.middles[0][1]) for _, c in placed.middles) < 1e-9


def test_the_spine_of_a_recurrence_is_straight():
    W, h = scalar(0.5, "W"), scalar(1.0, "h")
    for _ in range(12):
        h = np.tanh(W * h + 0.1)
    d = draw(h)
    root = ElementTree.fromstring(d.svg)
    heights = {}
    for g in root.iter(f"{SVG}g"):
        if g.get("class") == "node":
            rect = g.find(f"{SVG}rect")
            y = float(rect.get("y")) + float(rect.get("height")) / 2
            heights.setdefault(g.find(f"{SVG}text").text, set()).add(round(y))
    assert len(heights["tanh"] | heights["×"] | heights["+ 0.1"]) == 1


def test_two_components_and_one_box():
    assert arrange([Item(10, 10)], []).middles == [(5.0, 5.0)]
    placed = arrange([Item(10, 10)] * 4, [Link(0, 1), Link(2, 3)])
    assert len(set(placed.middles)) == 4


# --- text and numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9, "0.9"), (1.0, "1"), (-0.73576, "−0.736"), (1 / 3, "0.333"), (1234.5, "1234"), (12.345, "12.3"),
        (123.45, "123.5"), (1e-9, "1e−9"), (1e20, "1e20"), (np.inf, "∞"), (-np.inf, "−∞"), (np.nan, "nan"),
        (True, "True"), (7, "7"), (10**12, "1e12"), (1 - 2j, "1 − 2i"), (np.float32(0.1), "0.1"), (-0.0, "−0"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_shapes():
    assert (shape_text(()), shape_text((3,)), shape_text((2, 0, 4))) == ("", "[3]", "[2×0×4]")


def test_text_fits_its_box():
    x = scalar(name="a long name in WIDE letters")
    root = ElementTree.fromstring(draw(np.logaddexp(0, x)).svg)
    for g in root.iter(f"{SVG}g"):
        if g.get("class") == "node":
            width = float(g.find(f"{SVG}rect").get("width"))
            assert all(
                width_of(t.text, 13.0 if i == 0 else 10.5) < width for i, t in enumerate(g.findall(f"{SVG}text"))
            )


# --- Variables in a notebook ------------------------------------------------------------------------------------------


def test_a_variable_shows_its_value_shape_dtype_name_and_gradient():
    x = Variable(np.array([1.0, 2.0, 3.0]), name="x")
    html = x._repr_html_()
    assert "<b>x</b>" in html and "shape (3,)" in html and "float64" in html and ">2<" in html
    assert "grad" not in html and "<svg" not in html
    np.sum(x * x).backward()
    assert "grad" in x._repr_html_() and ">6<" in x._repr_html_()


def test_a_result_shows_its_small_graph():
    y = np.exp(scalar(name="x"))
    assert "<svg" in y._repr_html_() and "2.71828" in y._repr_html_()
    for _ in range(60):
        y = np.sin(y)
    assert "<svg" not in y._repr_html_()


@pytest.mark.parametrize(
    "data",
    [
        np.zeros((0, 3)), np.arange(4), np.array(True), np.zeros((2, 3, 4)), np.ones((50, 50)), np.array(1 + 2j),
        np.array([np.nan, np.inf]), np.float32(2.5), np.zeros((3, 0)), np.arange(1000.0),
    ],
)  # fmt: skip
def test_any_data_shows(data):
    html = Variable(data)._repr_html_()
    ElementTree.fromstring(html)
    assert len(html) < 6000


def test_every_rule_of_the_table_has_a_picture():
    from tests.laws.cases import CASES

    for case in {c.rule.name: c for c in reversed(CASES)}.values():
        ys = case.f(*[Variable(a) if a.dtype.kind in "fc" else a for a in case.draw()])
        ys = [y for y in (ys if isinstance(ys, tuple) else (ys,)) if isinstance(y, Variable)]
        for options in ({}, {"values": True, "constants": True, "direction": "TB"}) if ys else ():
            d = draw(ys, **options)
            assert check_dot(d.dot) == check_mermaid(d.mermaid) == (len(boxes(d)), len(edges(d))), case
