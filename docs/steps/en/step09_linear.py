"""Step 9. Linear regression

The article's first empty heading: the parameters of a linear regression by gradient
descent, and then what a statistician asks next, how certain they are.

    python docs/steps/en/step09_linear.py
"""

# --- 9.1 Model and likelihood ---------------------------------------------------------
#
# How does the body mass of a penguin depend on its bill, its flippers and its sex?
#
#     yᵢ = β₀ + β₁ xᵢ₁ + … + β₄ xᵢ₄ + εᵢ,      εᵢ independent, normal with mean 0 and variance σ²
#
# or y = Xβ + ε, with a column of ones in X for the intercept. The density of yᵢ is
# known, and the log-likelihood is the sum of its logarithms:
#
#     ℓ(β, σ²) = -(n/2) log(2πσ²) - RSS(β) / (2σ²),      RSS(β) = Σ (yᵢ - xᵢᵀβ)²
#
# β is only in RSS, the residual sum of squares. Whatever σ is, the likelihood is
# largest where RSS is smallest: maximum likelihood and least squares are the same thing
# here.

import csv
from importlib import resources

import numpy as np
import scipy.special

import bibun as bb

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "male"]
table = {name: np.array([float(row[name]) for row in rows]) for name in names[:3]}
table["male"] = np.array([float(row["sex"] == "male") for row in rows])
y = np.array([float(row["body_mass_g"]) for row in rows])

columns = np.column_stack([table[name] for name in names])
mean, sd = columns.mean(axis=0), columns.std(axis=0)
X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
n, p = X.shape
print(n, p)
# > 333 5

# The columns are standardised, as step 8 taught. The sex is a column of zeros and ones.

# --- 9.2 The gradient, by hand and by machine -----------------------------------------
#
# Half the sum of squares is easier to differentiate than the whole:
#
#     ½ RSS(β) = ½ Σ (yᵢ - xᵢᵀβ)²
#     ∂/∂βⱼ:      Σ (yᵢ - xᵢᵀβ) · (-xᵢⱼ)         gradient  -Xᵀ(y - Xβ)
#     ∂²/∂βⱼ∂βₖ:  Σ xᵢⱼ xᵢₖ                       Hessian    XᵀX
#
# bibun is given the first line only, and finds the others:


def half_rss(beta):
    return 0.5 * np.sum((y - X @ beta) ** 2)


somewhere = np.array([4000.0, 1.0, -2.0, 3.0, -4.0])
print(np.allclose(bb.grad(half_rss)(somewhere), -X.T @ (y - X @ somewhere), rtol=1e-12))
# > True
print(np.allclose(bb.hessian(half_rss)(somewhere), X.T @ X, rtol=1e-12, atol=1e-9))
# > True

# --- 9.3 Gradient descent -------------------------------------------------------------
#
# We divide by n, so that the step size does not depend on how much data there is, and
# choose η = 1/λmax. We stop when the largest component of the gradient has shrunk to a
# billionth of what it was.


def loss(beta):
    return half_rss(beta) / n


gradient = bb.grad(loss)
eigenvalues = np.linalg.eigvalsh(bb.hessian(loss)(np.zeros(p)))
rate = 1 / eigenvalues.max()
print(f"{rate:.3f} {eigenvalues.max() / eigenvalues.min():.1f}")
# > 0.493 12.6

beta, steps = np.zeros(p), 0
g = gradient(beta)
first = np.abs(g).max()
while np.abs(g).max() > 1e-9 * first:
    beta, steps = beta - rate * g, steps + 1
    g = gradient(beta)
print(steps, beta.round(2))
# > 186 [4207.06  -12.72 -169.27  543.36  270.5 ]

# Does it lead to the right place? Where the gradient is zero, XᵀXβ = Xᵀy: these are the
# normal equations, and they can be solved directly.

direct = np.linalg.solve(X.T @ X, X.T @ y)
print(np.abs(beta - direct).max() / np.abs(direct).max() < 1e-8)
# > True

# Why take a hundred steps if one equation will do? For this model nobody would. But
# hardly any other model has such an equation, and all of them have a gradient.

# --- 9.4 How certain? Standard errors -------------------------------------------------
#
# Other penguins would have given other numbers. By how much do the estimates vary? Put
# y = Xβ + ε into the solution of the normal equations:
#
#     β̂ = (XᵀX)⁻¹ Xᵀ y = β + (XᵀX)⁻¹ Xᵀ ε
#
# So β̂ is right on average, and since Var(ε) = σ² I,
#
#     Var(β̂) = (XᵀX)⁻¹ Xᵀ · σ² I · X (XᵀX)⁻¹ = σ² (XᵀX)⁻¹
#
# The square roots of the diagonal are the standard errors. The inverse of the Hessian
# again: where RSS rises steeply, an estimate is sharp; where it is flat, vague.
#
# σ² is unknown. RSS/n would be its maximum likelihood estimate, but it is too small on
# average, since β̂ has been fitted to these very data: the residuals lie in a space of
# n - p dimensions, and E[RSS] = (n - p) σ². Hence
#
#     s² = RSS / (n - p)
#
# For the standard errors we solve the problem directly, so that they carry all digits.

beta = direct
rss = 2 * half_rss(beta)
s2 = rss / (n - p)
covariance = s2 * np.linalg.inv(bb.hessian(half_rss)(beta))
print(f"{np.sqrt(s2):.1f}")
# > 340.8

# --- 9.5 Back to grams and millimetres ------------------------------------------------
#
# Standardising was our convenience; the reader wants the effect of a millimetre. Since
#
#     Σ βⱼ (xⱼ - meanⱼ) / sdⱼ = Σ (βⱼ / sdⱼ) xⱼ - Σ βⱼ meanⱼ / sdⱼ
#
# the coefficients for the original columns are Bβ with the matrix B below, and their
# covariance is B Var(β̂) Bᵀ.

B = np.diag(np.concatenate([[1.0], 1 / sd]))
B[0, 1:] = -mean / sd
coef = B @ beta
bse = np.sqrt(np.diag(B @ covariance @ B.T))

# Under the hypothesis βⱼ = 0 the ratio t = β̂ⱼ / SE has Student's t distribution with
# n - p degrees of freedom (not the normal one, because σ² was estimated too). The
# p-value is the probability of a ratio at least as far from zero.

t = coef / bse
p_value = 2 * scipy.special.stdtr(n - p, -np.abs(t))
for row in zip(["(intercept)", *names], coef, bse, t, p_value, strict=True):
    print("{:17} {:11.4f} {:9.4f} {:8.3f} {:9.2g}".format(*row))
# > (intercept)        -2288.4650  631.5802   -3.623   0.00034
# > bill_length_mm        -2.3287    4.6843   -0.497      0.62
# > bill_depth_mm        -86.0882   15.5698   -5.529   6.6e-08
# > flipper_length_mm     38.8258    2.4478   15.862   1.9e-42
# > male                 541.0285   51.7098   10.463   2.7e-22

loglik = -n / 2 * (np.log(2 * np.pi * rss / n) + 1)
print(f"{loglik:.4f}")
# > -2411.8259

# The last number is ℓ at its maximum, where σ² = RSS/n. The table is the one
# `bibun demo` prints. It says: with the other columns held fixed, a millimetre of
# flipper goes with 39 grams more, and a male weighs 541 grams more than a female. The
# length of the bill adds nothing that could be told from zero.
#
# To try: leave out "male". Which coefficient changes most, and why?
#
# Next: step 10, a response that is only yes or no.
