"""The pictures the steps refer to: `python docs/steps/figures.py [FOLDER]` writes them (by default docs/images/steps).

Made with what bibun has: `draw` for graphs, report.chart for lines. Tests call it; a new picture is one more entry.
"""

import csv
import sys
from importlib import resources
from pathlib import Path

import numpy as np

import bibun as bb
from bibun import Function, Variable
from bibun.report.chart import line_chart


class Square(Function):
    def forward(self, x):
        return x**2


class Neg(Function):
    def forward(self, x):
        return -x


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


class Mul(Function):
    def forward(self, a, b):
        return a * b


def table():
    text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
    return [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]


def chain():
    """Step 2: exp(-x²)."""
    a = Square()(Variable(np.array(1.0), name="x"))
    a.name = "a"
    b = Neg()(a)
    b.name = "b"
    y = Exp()(b)
    y.name = "y"
    return bb.draw(y).svg


def diamond():
    """Step 5: x² exp(-x²), in which a is used twice."""
    a = Square()(Variable(np.array(0.6), name="x"))
    a.name = "a"
    b = Neg()(a)
    b.name = "b"
    c = Exp()(b)
    c.name = "c"
    y = Mul()(c, a)
    y.name = "y"
    return bb.draw(y).svg


def step_size():
    """Step 8: where m is after each step, for four step sizes."""
    flipper = np.array([float(row["flipper_length_mm"]) for row in table()])
    gradient = bb.grad(lambda m: np.mean((flipper - m) ** 2) / 2)
    series = {}
    for rate in (0.01, 0.1, 1.9, 2.1):
        path = [190.0]
        for _ in range(15):
            path.append(path[-1] - rate * float(gradient(path[-1])))
        series[f"η = {rate}"] = (list(range(16)), path)
    return line_chart(series, title="Gradient descent from 190 to the mean, 201", x_label="step", y_label="m (mm)")


def newton():
    """Step 11: gradient descent and Newton's method on the logistic regression."""
    rows = table()
    names = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    columns = np.array([[float(row[name]) for name in names] for row in rows])
    y = np.array([float(row["sex"] == "male") for row in rows])
    X = np.column_stack([np.ones(len(y)), (columns - columns.mean(axis=0)) / columns.std(axis=0)])

    def loss(beta):
        eta = X @ beta
        return np.mean(np.logaddexp(0, eta) - y * eta)

    value_and_grad, hessian = bb.value_and_grad(loss), bb.hessian(loss)
    rate = 1 / np.linalg.eigvalsh(hessian(np.zeros(5))).max()
    steps = {
        "gradient descent": (lambda beta, g: rate * g, 1500),
        "Newton": (lambda beta, g: np.linalg.solve(hessian(beta), g), 9),
    }
    paths = {}
    for name, (step, count) in steps.items():
        beta, path = np.zeros(5), []
        for _ in range(count):
            value, g = value_and_grad(beta)
            path.append(float(value))
            beta = beta - step(beta, g)
        paths[name] = path
    best = min(paths["Newton"])
    return line_chart(
        {
            name: ([k + 1.0 for k in range(len(path))], [v - best if v - best > 1e-13 else 0.0 for v in path])
            for name, path in paths.items()
        },
        title="Logistic regression: gradient descent and Newton's method",
        x_label="step (the start is 1)",
        y_label="mean loss above its minimum",
        log_x=True,
        log_y=True,
    )


if __name__ == "__main__":
    here = Path(__file__).parent.parent / "images" / "steps"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    folder.mkdir(parents=True, exist_ok=True)
    for picture in (chain, diamond, step_size, newton):
        (folder / f"{picture.__name__}.svg").write_text(picture(), encoding="utf-8")
