"""Step 11. Newton's method and standard errors

The second derivative does two things at once: it says how far to go, and how certain
the place is where one arrives.

    python docs/steps/en/step11_newton.py
"""

# --- 11.1 Follow the parabola ---------------------------------------------------------
#
# Gradient descent sees a slope and needs to be told the step. With the Hessian H one
# sees the bend as well. Near β the function f looks like a quadratic,
#
#     f(β + d) ≈ f(β) + gᵀd + ½ dᵀHd
#
# and the lowest point of this quadratic can be computed: its gradient g + Hd is zero at
#
#     d = -H⁻¹ g
#
# Go there, look again, repeat: this is Newton's method. No learning rate is needed, and
# no standardising either, since H knows the scale of each direction. (We keep the
# standardised columns for the sake of comparison.)

import csv
from importlib import resources

import numpy as np
import scipy.special

import bibun as bb

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
columns = np.array([[float(row[name]) for name in names] for row in rows])
y = np.array([float(row["sex"] == "male") for row in rows])

mean, sd = columns.mean(axis=0), columns.std(axis=0)
X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
n, p = X.shape


def negative_loglik(beta):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


# When to stop? The quadratic promises that the step will lower f by ½ gᵀH⁻¹g. Once that
# is nothing compared with f, the step is taken and is the last.


def newton(f, beta, show=False):
    value_and_grad, hessian = bb.value_and_grad(f), bb.hessian(f)
    for step in range(50):
        value, g = value_and_grad(beta)
        size = np.abs(g).max()
        if show:
            print(f"{step} {value:.8f} " + (f"{size:.1e}" if size > 1e-8 else "below 1e-8"))
        d = -np.linalg.solve(hessian(beta), g)
        beta = beta + d
        if -g @ d <= 1e-12 * (1 + abs(value)):
            break
    return beta


beta = newton(negative_loglik, np.zeros(p), show=True)
# > 0 230.81801113 7.1e+01
# > 1 113.15990460 2.0e+01
# > 2 88.41262077 7.2e+00
# > 3 80.85048173 2.2e+00
# > 4 79.55915941 4.0e-01
# > 5 79.50186471 1.9e-02
# > 6 79.50171303 5.2e-05
# > 7 79.50171303 below 1e-8

# Seven steps; gradient descent needed 2536 (step 10). Look at the exponents near the
# end: 10⁻¹, 10⁻², 10⁻⁵, then less than 10⁻⁸. The number of right digits doubles each
# time, since the error of the quadratic is proportional to the square of the distance.
# (Picture: docs/images/steps/newton.svg.)
#
# For linear regression f is a quadratic, and Newton's method arrives in one step from
# anywhere: it is the normal equations of step 9.
#
# The price: with p parameters H has p² elements, and solving with it takes about p³
# operations. With a million parameters one goes back to gradients; with twenty, as in
# most of statistics, Newton's method is the best there is.

# --- 11.2 Newton's method can go astray -----------------------------------------------
#
# The quadratic is trusted even where it is wrong. For f(t) = log(cosh t), a bowl with
# ever straighter walls, a start at 1.2 is already too far out:


def bowl(t):
    return np.log(np.cosh(t))


t = 1.2
for _ in range(3):
    t = t - bb.grad(bowl)(t) / bb.grad(bb.grad(bowl))(t)
    print(f"{t:.3g}")
# > -1.53
# > 3.82
# > -517

# A program for other people's functions therefore trusts the quadratic only as far as
# it has proved right (a trust region), or shortens the step as in step 8. bibun's
# `minimize` does.

# --- 11.3 Why the inverse of the Hessian is the variance ------------------------------
#
# In step 9 we could write the estimate down as a formula in ε. Here there is no
# formula. But there is the gradient of the log-likelihood, called the score:
#
#     s(β) = ∇ℓ(β) = Σ (yᵢ - pᵢ) xᵢ
#
# At the estimate it is zero. At the true β it is a sum of n independent terms with mean
# zero, hence approximately normal. Its variance can be computed, since
# Var(yᵢ) = pᵢ(1 - pᵢ):
#
#     Var(s) = Σ pᵢ(1 - pᵢ) xᵢ xᵢᵀ = XᵀWX
#
# That is exactly minus the Hessian of ℓ! It is no accident of this model: under mild
# conditions Var(s) = E[-∇²ℓ] for every likelihood, and both are called the Fisher
# information. Write J = -∇²ℓ(β̂), the observed information, and expand the score around
# the true β:
#
#     0 = s(β̂) ≈ s(β) - J (β̂ - β)        so      β̂ - β ≈ J⁻¹ s(β)
#
#     Var(β̂) ≈ J⁻¹ Var(s) J⁻¹ ≈ J⁻¹ J J⁻¹ = J⁻¹
#
# So the standard errors are the square roots of the diagonal of J⁻¹, and J is the
# matrix that Newton's method has computed anyway: the Hessian of -ℓ. A sharp peak of
# the likelihood means a large J and small standard errors.

J = bb.hessian(negative_loglik)(beta)
covariance = np.linalg.inv(J)

B = np.diag(np.concatenate([[1.0], 1 / sd]))
B[0, 1:] = -mean / sd
coef = B @ beta
bse = np.sqrt(np.diag(B @ covariance @ B.T))

# z = β̂ⱼ / SE is approximately standard normal if βⱼ = 0. (Step 9 had t, with σ²
# estimated. There is no σ² here: the variance of a yes or no follows from its
# probability.)

z = coef / bse
p_value = 2 * scipy.special.ndtr(-np.abs(z))
for row in zip(["(intercept)", *names], coef, bse, z, p_value, strict=True):
    print("{:17} {:11.6f} {:9.6f} {:7.3f} {:9.2g}".format(*row))
# > (intercept)        -56.117404  8.369321  -6.705     2e-11
# > bill_length_mm       0.107630  0.047967   2.244     0.025
# > bill_depth_mm        2.031516  0.249465   8.143   3.8e-16
# > flipper_length_mm   -0.032474  0.034755  -0.934      0.35
# > body_mass_g          0.005512  0.000823   6.694   2.2e-11
print(f"{-negative_loglik(beta):.4f}")
# > -79.5017

# This is the second table of `bibun demo`. An approximate 95 % interval is the estimate
# plus and minus 1.96 standard errors; for the odds ratio of the bill's depth:

low, high = np.exp(coef[2] - 1.96 * bse[2]), np.exp(coef[2] + 1.96 * bse[2])
print(f"{np.exp(coef[2]):.2f} ({low:.2f}, {high:.2f})")
# > 7.63 (4.68, 12.43)

# --- 11.4 Trust, but check ------------------------------------------------------------
#
# Standard errors are a claim: if the experiment were repeated, the estimates would vary
# this much. A computer can repeat it. We take a smaller model (body mass only), believe
# its estimates, draw 400 new sets of answers, and fit each.

X = X[:, [0, 4]]
small = newton(negative_loglik, np.zeros(2))
claimed = np.sqrt(np.diag(np.linalg.inv(bb.hessian(negative_loglik)(small))))
probability = 1 / (1 + np.exp(-X @ small))
rng = np.random.default_rng(1)
estimates = []
for _ in range(400):
    y = (rng.uniform(size=n) < probability).astype(float)
    estimates.append(newton(negative_loglik, np.zeros(2)))
print((np.std(estimates, axis=0) / claimed).round(1))
# > [1. 1.]

# The ratio is close to 1: the claim holds. The formula is an approximation for many
# rows, and gets worse as the parameters become many or the probabilities extreme.
#
# To try: in step 9 write the full log-likelihood with beta and log sigma as parameters,
# and take standard errors from its Hessian. They come out smaller by the factor
# √((n - p)/n). Why?
#
# Next: step 12, a walk through the source of bibun, in which you will meet old
# acquaintances.
