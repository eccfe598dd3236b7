"""Step 6. Higher order

The walk back is itself a computation. If it is done with Variables, it can be
differentiated like any other.

    python docs/steps/en/step06_higher_order.py
"""

# --- 6.1 A gradient that remembers ----------------------------------------------------
#
# From here on we use bibun itself. `x**4` is now written as such: bibun has the
# operators, and the derivatives of the usual functions.
#
# In step 5 the gradient was an array, and an array does not know where it came from.
# But look at what `backward` of Square does: `2 * x * gy`. Python multiplies whatever
# it is given. If x and gy are arrays, the result is an array. If they are Variables,
# the same line makes a Variable with a creator. So nothing new has to be invented:
# `create_graph=True` asks for the walk to be done with Variables, and the gradient then
# has a history like any other result.

import numpy as np

import bibun as bb
from bibun import Function, Variable

x = Variable(np.array(2.0))
y = x**4
y.backward(create_graph=True)
gx = x.grad
print(gx, gx.creator is not None)
# > Variable(32.) True
x.cleargrad()
gx.backward()
print(x.grad)
# > Variable(48.)

# (x⁴)' = 4x³ = 32 and (x⁴)'' = 12x² = 48 at x = 2. Between the two walks stands
# `cleargrad`, since gradients add up: without it x.grad would be 32 + 48.
#
# Without `create_graph` the gradient is a constant: a Variable without a history, which
# behaves like its array. It costs nothing to keep, and to differentiate it is refused
# rather than answered with a zero.

x.cleargrad()
y.backward()
print(x.grad.creator, x.grad.order)
# > None 0
try:
    x.grad.backward()
except RuntimeError as error:
    print(error)
# > backward() of a constant: nothing it was computed from is a Variable with a history

# The time on its clock is 0: a constant was never recorded.

# --- 6.2 Our own functions, to the fourth order ---------------------------------------
#
# This works for functions of our own too, and for the very classes of step 3. When the
# walk is recorded, `self.input.data` gives `backward` the Variable in place of its
# array; the rest is as above. The derivatives of exp(-x²) are Hermite polynomials times
# exp(-x²); at x = 1 the factors are -2, 2, 4, -20.


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.input.data * gy


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        return -gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.input.data) * gy


x = Variable(np.array(1.0))
derivative = Exp()(Neg()(Square()(x)))
for _ in range(4):
    x.cleargrad()
    derivative.backward(create_graph=True)
    derivative = x.grad
    print(f"{derivative / np.exp(-1.0):.3f}")
# > -2.000
# > 2.000
# > 4.000
# > -20.000

# How can `np.exp` be applied to a Variable inside `backward`? That is step 7.

# --- 6.3 A gradient inside a formula --------------------------------------------------
#
# The gradient need not be differentiated right away. It can be part of a larger
# expression; this is called double backpropagation. Let y = x² and
# z = y + (dy/dx)² = x² + 4x²; then dz/dx = 10x.

x = Variable(np.array(3.0))
y = x**2
y.backward(create_graph=True)
gx = x.grad
x.cleargrad()
z = y + gx**2
z.backward()
print(x.grad)
# > Variable(30.)

# --- 6.4 From functions to functions --------------------------------------------------
#
# Setting, clearing and reading `grad` is bookkeeping. Usually one wants what
# mathematics calls f': a function. `bb.grad` takes a function and returns its
# derivative, and what it returns can be given to `bb.grad` again.
#
# As an example the log-likelihood of a binomial distribution: 7 successes in 10 trials,
# with success probability p.
#
#     ℓ(p) = 7 log p + 3 log(1 - p)
#
#     ℓ'(p) = 7/p - 3/(1 - p)            zero at the maximum likelihood estimate, p = 0.7
#     ℓ''(p) = -7/p² - 3/(1 - p)²        the curvature there, -10 / (0.7 · 0.3) = -47.62


def loglik(p):
    return 7 * np.log(p) + 3 * np.log(1 - p)


first = bb.grad(loglik)
second = bb.grad(bb.grad(loglik))
print(f"{abs(first(0.7)):.6f} {second(0.7):.2f} {bb.grad(second)(0.7):.2f}")
# > 0.000000 -47.62 -181.41

# A foretaste of step 11: the standard error of the estimate is 1/√(-ℓ''), here the
# well-known √(p(1 - p)/n).

print(f"{1 / np.sqrt(-second(0.7)):.4f} {np.sqrt(0.7 * 0.3 / 10):.4f}")
# > 0.1449 0.1449

# With several parameters the second derivatives form a matrix, the Hessian.

print(bb.hessian(lambda t: t[0] ** 2 * t[1])(np.array([3.0, 5.0])))
# > [[10.  6.]
# >  [ 6.  0.]]

# --- 6.5 A derivative inside a derivative ---------------------------------------------
#
# What if the function that is differentiated takes a derivative itself? Let
#
#     g(x) = x · [ d/dt (x + t) at t = 1 ] = x · 1,     so g'(x) = 1
#
# Two derivatives are under way here, and x and t must not be mixed up: a program that
# does mix them says 2. bibun keeps them apart by the clock of step 5. Each derivative
# starts from a fresh Variable, and its walk goes back to that one and no further; what
# is older belongs to somebody else.

print(bb.grad(lambda x: x * bb.grad(lambda t: x + t)(1.0))(5.0))
# > 1.0

# The method `backward`, on the other hand, walks all the way to the leaves and adds to
# their `grad`. Inside a function that is being differentiated this would write into
# Variables that belong to somebody else, so there it is refused, and `bb.grad` is to be
# used instead.


def with_backward_inside(x):
    y = x**2
    y.backward()
    return y


try:
    bb.grad(with_backward_inside)(1.0)
except RuntimeError as error:
    print(str(error)[:57])
# > backward() inside a function that is being differentiated

# --- 6.6 Forgetting -------------------------------------------------------------------
#
# Memory is kept as long as a result needs it. There are three ways to forget on
# purpose: not to record in the first place (`no_grad`), to make one Variable a leaf
# (`unchain`), or to cut everything behind it (`unchain_backward`), which long time
# series need.

x = Variable(np.array(2.0))
with bb.no_grad():
    print((x**2).creator)
# > None
y = x**2
y.unchain()
print(y.creator)
# > None
y = x**2
z = y**3
z.unchain_backward()
z.backward()
print(x.grad, y.grad)
# > None Variable(48.)

# To try: put bb.grad around the function of 6.4 once more and compare with the formula
# 2·7/p³ - 2·3/(1 - p)³.
#
# Next: step 7, how NumPy's functions come to accept a Variable.
