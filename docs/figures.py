"""Make the pictures of the documentation; one needs matplotlib: `python docs/figures.py`."""

from pathlib import Path

import numpy as np

import bibun as bb
from bibun.report.paths import plot_paths

HERE = Path(__file__).parent / "images"


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def paths() -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "bibun"
    from matplotlib import pyplot

    start = np.array([-1.2, 1.0])
    methods = {
        "gradient descent": dict(method="gradient-descent", maxiter=2000),
        "momentum": dict(method="momentum", maxiter=500),
        "L-BFGS": dict(method="l-bfgs"),
        "trust-region Newton": dict(method="trust-newton"),
    }
    results = {name: bb.minimize(rosenbrock, start, path=True, **kw) for name, kw in methods.items()}
    ax = plot_paths(rosenbrock, results, (-1.6, 1.4), (-0.6, 1.8))
    ax.set_title("Four methods on Rosenbrock's function", loc="left", fontsize=11)
    pyplot.savefig(HERE / "paths.svg", metadata={"Date": None})


def plan(folder: Path = HERE) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 3)), np.zeros(2000)

    def loss(beta, X, y):
        return np.sum(np.log1p(np.exp(X @ beta)) - y * (X @ beta))

    fast = bb.compile(bb.value_and_grad(loss))
    fast(np.zeros(3), X, y)
    bb.draw(fast).save(folder / "compile.svg")


def profile(folder: Path = HERE) -> None:
    """Of the fit on the page on results."""
    data = {"y": [1, 0, 3, 2, 6, 8, 5, 11, 4], "x": [0, 1, 2, 3, 4, 5, 6, 7, None], "g": list("abcabcabc")}
    bb.glm("y ~ x + g", data, family="poisson").plot_profile(units={"x": "per day"}).save(folder / "profile.svg")


def diagnostics(folder: Path = HERE) -> None:
    rng = np.random.default_rng(8)
    x = rng.uniform(0, 3, 160)
    y = rng.poisson(np.exp(0.4 + 0.8 * x) * rng.gamma(3.0, 1 / 3.0, 160))
    bb.glm("y ~ x", {"y": y, "x": x}, family="poisson").plot_diagnostics().save(folder / "diagnostics.svg")


if __name__ == "__main__":
    plan()
    profile()
    diagnostics()
    paths()
