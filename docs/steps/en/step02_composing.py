"""Step 2. Composing functions

A complicated function is a few simple ones in a row. We compute exp(-x²) that way.

    python docs/steps/en/step02_composing.py
"""

# These are the classes of step 1. Every step stands on its own, so they are repeated at
# the top; the check of the type is left out from here on to keep the page short.

import numpy as np


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)


class Function:
    def __call__(self, x):
        return Variable(self.forward(x.data))

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")


# --- 2.1 Three simple functions -------------------------------------------------------
#
# What is the density of the normal distribution made of? Apart from constants it is
# exp(-x²): square, change the sign, take the exponential.


class Square(Function):
    def forward(self, x):
        return x**2


class Neg(Function):
    def forward(self, x):
        return -x


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


# --- 2.2 One after the other ----------------------------------------------------------
#
# A Function takes a Variable and gives a Variable. So the result of one can be handed
# to the next without any further preparation.

x = Variable(np.array(1.0))
a = Square()(x)
b = Neg()(a)
y = Exp()(b)
print(f"{a.data} {b.data} {y.data:.3f}")
# > 1.0 -1.0 0.368
print(f"{np.exp(-(1.0**2)):.3f}")
# > 0.368

# Computing from the input towards the output like this is called the forward pass:
#
#     x ──Square──▶ a ──Neg──▶ b ──Exp──▶ y
#
# The letters a and b matter more than they seem to. A single expression `np.exp(-x**2)`
# gives the same y, but its intermediate results are thrown away at once. Here each of
# them has a box, and the derivative will need them: by the chain rule
#
#     dy/dx = dy/db · db/da · da/dx
#
# each factor belongs to one of the three functions and is taken at the value in one of
# the boxes. Automatic differentiation is nothing more than this line, written down by
# the program while it runs.

# --- 2.3 The same program on bibun ----------------------------------------------------

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


class Neg(Function):
    def forward(self, x):
        return -x


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


x = Variable(np.array(1.0))
a = Square()(x)
b = Neg()(a)
y = Exp()(b)
print(f"{a.data} {b.data} {y.data:.3f}")
# > 1.0 -1.0 0.368

# bibun can draw the chain. In a notebook `bb.draw(y)` shows the picture by itself; a
# file is written with `bb.draw(y).save("chain.svg")`. It looks like
# docs/images/steps/chain.svg.

import bibun as bb

print(bb.draw(y).svg[:4])
# > <svg

# To try: build the logistic function 1 / (1 + exp(-x)) from `Neg`, `Exp` and two
# functions of your own.
#
# Next: step 3 computes dy/dx by hand, from the output back to the input.
