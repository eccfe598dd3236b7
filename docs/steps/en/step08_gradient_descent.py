"""Step 8. Gradient descent and its step size

The gradient says in which direction a function falls. How far to go, it does not say.

    python docs/steps/en/step08_gradient_descent.py
"""

# --- 8.1 Real data --------------------------------------------------------------------
#
# From here to step 11 we work with a real table: 344 penguins measured at Palmer
# Station in Antarctica, shipped with bibun. Eleven rows have something missing; we
# leave them out, and say so.

import csv
from importlib import resources

import numpy as np

import bibun as bb
from bibun import Variable

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
flipper = np.array([float(row["flipper_length_mm"]) for row in rows])
mass = np.array([float(row["body_mass_g"]) for row in rows])
print(len(rows), f"{flipper.mean():.3f} {mass.mean():.3f}")
# > 333 200.967 4207.057

# --- 8.2 Downhill ---------------------------------------------------------------------
#
# The simplest problem of statistics: one number m that lies as near as possible to all
# flipper lengths xᵢ,
#
#     f(m) = (1/2n) Σ (xᵢ - m)²
#
# The answer is known, the mean. We pretend not to know it, start at m = 190 and go a
# little way against the gradient, again and again:
#
#     m ← m - η f'(m)
#
# η is the step size, also called the learning rate. With the classes of the first
# steps:

m = Variable(np.array(190.0))
for _ in range(100):
    loss = np.mean((flipper - m) ** 2) / 2
    m.cleargrad()
    loss.backward()
    m.data = m.data - 0.1 * m.grad.data
print(f"{m.data:.3f}")
# > 200.967

# Every line here has been met: the loss is recorded anew in each round, the old
# gradient is cleared, the walk back fills in the new one, and the leaf gets new data.
# The same with `bb.grad`, and with the path kept:


def descend(f, start, rate, steps):
    gradient = bb.grad(f)
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1]))
    return path


def spread(m):
    return np.mean((flipper - m) ** 2) / 2


print(f"{descend(spread, 190.0, 0.1, 100)[-1]:.3f}")
# > 200.967

# --- 8.3 Too small, good, too large ---------------------------------------------------
#
# How large should η be? The distance from the mean after 0, 1, 10 and 100 steps:

for rate in (0.01, 0.1, 1.0, 1.9, 2.1):
    path = descend(spread, 190.0, rate, 100)
    away = [abs(path[k] - flipper.mean()) for k in (0, 1, 10, 100)]
    print(f"{rate:5}" + "".join(f"{a:12.3f}" for a in away))
# >  0.01      10.967      10.857       9.918       4.014
# >   0.1      10.967       9.870       3.824       0.000
# >   1.0      10.967       0.000       0.000       0.000
# >   1.9      10.967       9.870       3.824       0.000
# >   2.1      10.967      12.064      28.445  151131.520

# With 0.01 it creeps; 1.0 arrives in one step; 1.9 jumps over the goal each time, but
# lands nearer; 2.1 lands farther away each time and is lost. (Picture:
# docs/images/steps/step_size.svg.) For this function one can see why. Here
# f'(m) = m - x̄, so
#
#     m_new - x̄ = m - x̄ - η (m - x̄) = (1 - η)(m - x̄)
#
# Each step multiplies the distance by 1 - η. It shrinks if and only if |1 - η| < 1,
# that is 0 < η < 2. In general the 1 in front of η is the curvature f'':
#
#     the distance is multiplied by 1 - η f''      converges if η < 2 / f'',  best at η = 1 / f''

print(f"{bb.grad(bb.grad(spread))(190.0):.3f}")
# > 1.000

# --- 8.4 Two parameters, two curvatures -----------------------------------------------
#
# Now a line: mass ≈ β₀ + β₁ · flipper. The curvature becomes a matrix, the Hessian, and
# the distance splits into its eigenvectors: along the one with eigenvalue λ it is
# multiplied by 1 - ηλ. The largest λ limits the step, η < 2/λmax; the smallest has to
# make do with it, and its factor 1 - λmin/λmax is as good as 1 if the two are far
# apart. Their ratio κ = λmax/λmin is called the condition number, and the number of
# steps grows in proportion to it.


def line(columns):
    X = np.column_stack([np.ones(len(mass)), columns])

    def loss(beta):
        return np.mean((mass - X @ beta) ** 2) / 2

    return loss


raw = line(flipper)
eigenvalues = np.linalg.eigvalsh(bb.hessian(raw)(np.zeros(2)))
print(f"{eigenvalues[0]:.4f} {eigenvalues[1]:.0f} {eigenvalues[1] / eigenvalues[0]:.1e}")
# > 0.0048 40585 8.4e+06
beta = descend(raw, np.zeros(2), 1 / eigenvalues[1], 2000)[-1]
print(f"{beta[0]:.1f} {beta[1]:.1f}")
# > -1.3 21.1

# The right answer is -5872.1 and 50.2. After 2000 steps the intercept has hardly begun
# to move, and millions of steps would be needed.
#
# The remedy is not patience but a better scale. Flipper lengths lie around 200 and vary
# by 14; to the loss a change of the intercept looks almost like a change of the slope.
# Subtract the mean and divide by the standard deviation:
#
#     z = (flipper - mean) / sd
#
# The Hessian (1/n) XᵀX is then the identity, both eigenvalues are 1, and one step is
# enough.

mean, sd = flipper.mean(), flipper.std()
scaled = line((flipper - mean) / sd)
print(np.linalg.eigvalsh(bb.hessian(scaled)(np.zeros(2))).round(6))
# > [1. 1.]
beta = descend(scaled, np.zeros(2), 1.0, 1)[-1]
print(f"{beta[0] - beta[1] * mean / sd:.1f} {beta[1] / sd:.1f}")
# > -5872.1 50.2

# The last line carries the estimates back to millimetres. With more columns,
# standardising does not make them uncorrelated; some of the ratio κ remains, as in step
# 9.

# --- 8.5 Finding the step on the way --------------------------------------------------
#
# Usually nobody knows the curvature. But a step can be tried: if the function does not
# fall by at least half of what its slope promises, the step is halved and tried again.
# This is called backtracking. (f falls by η|g|² per step if it is straight; the half
# leaves room for its bending.) It may begin with any η, even an absurd one:


def descend_safely(f, beta, rate, tolerance=1e-4):
    value_and_grad = bb.value_and_grad(f)
    for step in range(10_000):
        value, g = value_and_grad(beta)
        if np.sqrt(np.sum(g**2)) < tolerance:
            return beta, rate, step
        while f(beta - rate * g) > value - rate / 2 * np.sum(g**2):
            rate = rate / 2
        beta = beta - rate * g
    return beta, rate, step


beta, rate, steps = descend_safely(scaled, np.zeros(2), 1000.0)
print(f"{beta[0] - beta[1] * mean / sd:.1f} {beta[1] / sd:.1f} {rate:.3f} {steps}")
# > -5872.1 50.2 0.977 5

# From 1000 the step came down to 0.977, just below 1/λmax = 1, and stayed there.
#
# To try: replace the mean of squares in `spread` by the mean of absolute values. Where
# does the descent lead, and why does it not settle there?
#
# Next: step 9 fits four columns, and asks how certain the result is.
