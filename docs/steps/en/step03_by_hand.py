"""Step 3. Backpropagation by hand

Every function learns its own derivative. The chain rule then gives the derivative of
the whole, from the output back to the input.

    python docs/steps/en/step03_by_hand.py
"""

# --- 3.1 From the output to the input -------------------------------------------------
#
# The chain rule of step 2 has three factors, and they can be multiplied in any order.
# We begin with the output:
#
#     dy/dx = ((dy/dy · dy/db) · db/da) · da/dx
#
# Each bracket is the derivative of y with respect to one box: first y itself
# (which is 1), then b, then a, then x. So each box gets a place for it, `grad`, and
# each function gets a method `backward` that does one multiplication: given gy, the
# derivative of y with respect to the function's output, it returns gx, that with
# respect to its input.
#
#     gx = gy · (derivative of this function at its input)
#
# For this the function has to remember its input.

import numpy as np


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.grad = None  # new: the derivative of the final output with respect to this


class Function:
    def __call__(self, x):
        self.input = x  # new: backward will need it
        return Variable(self.forward(x.data))

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, gy):  # new
        raise NotImplementedError(f"{type(self).__name__} has no backward")


# --- 3.2 Three derivatives from a table -----------------------------------------------
#
# (x²)' = 2x, (−x)' = −1, (eˣ)' = eˣ. These are the only formulas we ever look up. What
# comes from them by composition, the machine works out.


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
square, neg, exp = Square(), Neg(), Exp()
a = square(x)
b = neg(a)
y = exp(b)

# The forward pass is done; now the way back. The functions are called in reverse order,
# and each hands its result to the one before it. This is backpropagation.

y.grad = np.array(1.0)
b.grad = exp.backward(y.grad)
a.grad = neg.backward(b.grad)
x.grad = square.backward(a.grad)
print(f"{y.grad:.3f} {b.grad:.3f} {a.grad:.3f} {x.grad:.3f}")
# > 1.000 0.368 -0.368 -0.736

# By hand, (exp(-x²))' = -2x exp(-x²):

print(f"{-2 * 1.0 * np.exp(-(1.0**2)):.3f}")
# > -0.736

# --- 3.3 A check that needs no formula ------------------------------------------------
#
# A derivative is the limit of a difference quotient. So the quotient for a small h
# tells us whether a `backward` is right, without any knowledge of derivatives:


def f(t):
    return np.exp(-(t**2))


for h in (1e-1, 1e-3):
    print(f"{(f(1 + h) - f(1 - h)) / (2 * h):.6f}")
# > -0.733304
# > -0.735759

# The exact value is -0.735759. Why not always do it like this? Because h must be small,
# but not too small: 1 + h and 1 - h then differ in their last digits only, and the rest
# cancels. With h = 1e-15 the result is wrong by more than one percent. And a model with
# a thousand parameters needs two thousand evaluations, where backpropagation needs
# about the time of a few. The quotient is for checking, and that is what
# `bb.check_grads` does.

h = 1e-15
print(abs((f(1 + h) - f(1 - h)) / (2 * h) + 0.735759) > 0.01 * 0.735759)
# > True

# --- 3.4 Why backwards? ---------------------------------------------------------------
#
# The three factors could as well be multiplied from the input's side (this is called
# forward mode; bibun has it as `bb.jvp`). For one input it makes no difference. But in
# statistics the output is one number, a log-likelihood, and the inputs are many, the
# parameters. From the output's side every product is "the derivative of one number",
# however many parameters there are, and a single walk gives the derivatives with
# respect to all of them. From the input's side one walk is needed for each parameter.

# --- 3.5 The same program on bibun ----------------------------------------------------

from bibun import Function, Variable


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
square, neg, exp = Square(), Neg(), Exp()
a = square(x)
b = neg(a)
y = exp(b)
y.grad = np.array(1.0)
b.grad = exp.backward(y.grad)
a.grad = neg.backward(b.grad)
x.grad = square.backward(a.grad)
print(f"{y.grad:.3f} {b.grad:.3f} {a.grad:.3f} {x.grad:.3f}")
# > 1.000 0.368 -0.368 -0.736

# One difference can be seen when a `grad` is printed without a format. In bibun it is a
# Variable again, not a bare array. Step 6 says what that is good for. A gradient of the
# wrong shape is refused, since it could only be a mistake.

print(x.grad)
# > Variable(-0.73575888)
try:
    x.grad = np.array([1.0, 2.0])
except ValueError as error:
    print(error)
# > a gradient of shape (2,) for a Variable of shape ()

# To try: give the `Cube` of step 1 its `backward`, and check it with a difference
# quotient.
#
# Next: four lines of this program call `backward` in the right order. Step 4 lets the
# machine write them.
