"""Paths on contours: what is drawn, and what is refused."""

import matplotlib
import numpy as np
import pytest

import bibun as bb
from bibun.report.paths import plot_paths

matplotlib.use("agg")


def bowl(x):
    return x[0] ** 2 + 10 * x[1] ** 2


def test_every_path_is_drawn_from_start_to_end():
    results = {m: bb.minimize(bowl, np.array([2.0, 1.0]), method=m, path=True) for m in ("newton", "l-bfgs")}
    ax = plot_paths(bowl, results)
    lines = {line.get_label().split(" (")[0]: line for line in ax.lines if not line.get_label().startswith("_")}
    for name, r in results.items():
        np.testing.assert_array_equal(lines[name].get_xydata(), np.array(r.path))
    matplotlib.pyplot.close("all")


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="path=True"):
        plot_paths(bowl, {"a": bb.minimize(bowl, np.array([2.0, 1.0]))})
    three = bb.minimize(lambda x: np.sum(x**2), np.ones(3), path=True)
    with pytest.raises(ValueError, match="3 numbers"):
        plot_paths(bowl, {"a": three})
