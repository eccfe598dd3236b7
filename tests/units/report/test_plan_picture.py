"""The picture of a plan: arguments, steps, results, and nothing drawn that is not there."""

import numpy as np
import pytest

import bibun as bb
from bibun.report.plan_picture import pictured

X, Y = np.random.default_rng(0).normal(size=(600, 3)), np.zeros(600)


def loss(beta, X, y):
    return np.sum(np.logaddexp(0, X @ beta) - y * (X @ beta)) + np.sum(beta**2)


def compiled(f, *args):
    fast = bb.compile(f)
    fast(*args)
    return fast


def test_arguments_steps_and_results():
    picture, title = pictured(compiled(bb.value_and_grad(loss), np.zeros(3), X, Y))
    assert title == "Plan of loss"
    assert [b.lines for b in picture.boxes if b.kind == "leaf"] == [["beta", "[3]"], ["X", "[n×3]"], ["y", "[n]"]]
    assert [b.lines[0] for b in picture.boxes if b.kind == "result"] == ["[0]", "[1]"]
    steps = [b for b in picture.boxes if b.kind == "operation"]
    (one,) = [b for b in steps if b.lines[0].startswith("one pass over the rows of X, y")]
    assert set(one.outlets.values()) == {"sum", "gradient by beta"}
    assert all(a.source < a.target for a in picture.arrows)
    reached = {a.target for a in picture.arrows}
    assert all(i in reached for i, b in enumerate(picture.boxes) if b.kind != "leaf")


def test_draw_takes_a_compiled_function_and_a_plan():
    fast = compiled(bb.grad(loss), np.zeros(3), X, Y)
    for y in (fast, next(iter(fast.plans.values()))):
        drawing = bb.draw(y)
        assert "one pass over the rows" in drawing.svg and "one pass over the rows" in drawing.mermaid
        assert "one pass over the rows" in drawing.dot and "Plan of loss" in drawing.svg


def test_a_function_that_was_not_called_has_nothing_to_draw():
    with pytest.raises(ValueError, match="call it once"):
        bb.draw(bb.compile(loss))


def test_many_calls_are_one_box_of_few_lines():
    def f(x):
        for _ in range(30):
            x = np.linalg.inv(x) + 1
        return x

    picture, _ = pictured(compiled(f, np.eye(3)))
    (box,) = [b for b in picture.boxes if b.kind == "operation"]
    assert len(box.lines) <= 10 and box.lines[-1].startswith("… ")


def test_a_result_that_is_an_argument_or_a_constant():
    picture, _ = pictured(compiled(lambda p: (p["a"], np.ones(2)), {"a": np.zeros(3)}))
    assert [b.kind for b in picture.boxes] == ["leaf", "result", "result"]
    assert len(picture.arrows) == 1
