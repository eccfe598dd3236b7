"""Step 10. Logistic regression

The article's second empty heading. No formula gives the estimates here, only a
gradient to follow.

    python docs/steps/en/step10_logistic.py
"""

# --- 10.1 The model -------------------------------------------------------------------
#
# Can the sex of a penguin be told from its measurements? Let y = 1 for a male and 0 for
# a female. What we model is the probability p of a male; more exactly its log-odds,
# which may be any number and so may be a linear function:
#
#     log(p / (1 - p)) = η = xᵀβ          and solved for p:     p = 1 / (1 + exp(-η))

import csv
from importlib import resources

import numpy as np

import bibun as bb

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
columns = np.array([[float(row[name]) for name in names] for row in rows])
y = np.array([float(row["sex"] == "male") for row in rows])

mean, sd = columns.mean(axis=0), columns.std(axis=0)
X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
n, p = X.shape
print(n, int(y.sum()))
# > 333 168

# --- 10.2 The log-likelihood and its derivatives --------------------------------------
#
# A male contributes log p, a female log(1 - p). With log p = η - log(1 + e^η) and
# log(1 - p) = -log(1 + e^η) both are one expression:
#
#     ℓ(β) = Σ [ yᵢ log pᵢ + (1 - yᵢ) log(1 - pᵢ) ] = Σ [ yᵢ ηᵢ - log(1 + exp(ηᵢ)) ]
#
# The derivative of log(1 + e^η) is e^η / (1 + e^η) = p, and that of p is p(1 - p).
# Hence
#
#     gradient   Σ (yᵢ - pᵢ) xᵢ  =  Xᵀ(y - p)
#     Hessian   -Σ pᵢ(1 - pᵢ) xᵢ xᵢᵀ  =  -XᵀWX,      W = diag(pᵢ(1 - pᵢ))
#
# The gradient looks as in step 9: observed minus fitted, times the columns. But p
# depends on β through the exponential, and Xᵀ(y - p) = 0 cannot be solved for β. On the
# other hand -XᵀWX is negative semidefinite, positive in no direction: ℓ is concave, so
# it has no second hill, and where the gradient is zero is the maximum.
#
# The loss to be minimised is -ℓ. Written as log(1 + exp(η)) it would fail for large η:
# exp(1000) is infinite, although the logarithm of it is a harmless 1000.
# `np.logaddexp(0, η)` is the same function, computed with care.


def negative_loglik(beta):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


somewhere = np.array([0.1, -0.2, 0.3, -0.4, 0.5])
probability = 1 / (1 + np.exp(-X @ somewhere))
W = np.diag(probability * (1 - probability))
print(np.allclose(bb.grad(negative_loglik)(somewhere), -X.T @ (y - probability), rtol=1e-12))
# > True
print(np.allclose(bb.hessian(negative_loglik)(somewhere), X.T @ W @ X, rtol=1e-12))
# > True
print(bb.grad(lambda eta: np.logaddexp(0, eta))(1000.0))
# > 1.0

# --- 10.3 Gradient descent ------------------------------------------------------------
#
# As in step 9: the mean loss, η = 1/λmax of the Hessian at the start (where all p are
# 1/2, so that the curvature p(1 - p) is as large as it ever gets), and the same
# stopping rule.


def loss(beta):
    return negative_loglik(beta) / n


value_and_grad = bb.value_and_grad(loss)
rate = 1 / np.linalg.eigvalsh(bb.hessian(loss)(np.zeros(p))).max()
beta, steps = np.zeros(p), 0
value, g = value_and_grad(beta)
first = np.abs(g).max()
while np.abs(g).max() > 1e-9 * first:
    if steps in (0, 1, 10, 100, 1000):
        print(f"{steps:5} {value:.6f}")
    beta, steps = beta - rate * g, steps + 1
    value, g = value_and_grad(beta)
# >     0 0.693147
# >     1 0.552269
# >    10 0.329774
# >   100 0.243835
# >  1000 0.238744
print(f"{steps:5} {value:.6f}")
# >  2536 0.238744

# It begins with log 2 = 0.693147, the loss of somebody who says "one half" each time.
# It gets there, but it takes far more steps than step 9 did. There the curvature was
# the same everywhere. Here it fades: the surer the model is of its predictions, the
# smaller p(1 - p), the flatter the loss, the shorter the steps. Step 11 mends this.

# --- 10.4 What the numbers mean -------------------------------------------------------
#
# Back to the original units with the matrix B of step 9. A coefficient is the change of
# the log-odds for one unit, exp of it the factor on the odds.

B = np.diag(np.concatenate([[1.0], 1 / sd]))
B[0, 1:] = -mean / sd
coef = B @ beta
for name, b in zip(["(intercept)", *names], coef, strict=True):
    print(f"{name:17} {b:11.6f} {np.exp(b):8.4f}")
# > (intercept)        -56.117404   0.0000
# > bill_length_mm       0.107630   1.1136
# > bill_depth_mm        2.031516   7.6256
# > flipper_length_mm   -0.032474   0.9680
# > body_mass_g          0.005512   1.0055
print(f"{-negative_loglik(beta):.4f}")
# > -79.5017

fitted = 1 / (1 + np.exp(-X @ beta))
print(f"{np.mean((fitted > 0.5) == (y == 1)):.3f}")
# > 0.910

# A bill that is one millimetre deeper multiplies the odds of a male by more than 7, the
# other measurements held fixed; nine penguins in ten are told correctly.

# --- 10.5 When there is no maximum ----------------------------------------------------
#
# If a column separates the zeros from the ones completely, a steeper curve is always
# better than a steep one. The likelihood has a supremum but no maximum, and descent
# goes on for ever, ever more slowly:

separated = np.array([-2.0, -1.0, 1.0, 2.0])
answers = np.array([0.0, 0.0, 1.0, 1.0])
slope_of = bb.grad(lambda b: np.mean(np.logaddexp(0, b * separated) - answers * b * separated))
b = 0.0
for step in range(1, 10_001):
    b = b - 1.0 * slope_of(b)
    if step in (10, 100, 1000, 10_000):
        print(f"{step:6} {b:.2f}")
# >     10 2.10
# >    100 4.02
# >   1000 6.23
# >  10000 8.52

# A program that stops somewhere on this road and calls it the estimate misleads. It has
# to recognise the situation and name the column.
#
# To try: fit the model with body_mass_g alone. What are the odds of a male at 4000
# grams?
#
# Next: step 11, seven steps instead of thousands, and the standard errors.
