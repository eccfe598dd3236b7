"""Step 4. The walk back, automated

Every Variable remembers the function that made it. That is enough to find the way
back without being told.

    python docs/steps/en/step04_automatic.py
"""

# --- 4.1 Who made me? -----------------------------------------------------------------
#
# In step 3 we wrote the order of the calls ourselves. But the program knows it already:
# y was made by exp, exp had the input b, b was made by neg, and so on. One note on each
# box is missing, `creator`:
#
#     x ◀─input─ square ◀─creator─ a ◀─input─ neg ◀─creator─ b ◀─input─ exp ◀─creator─ y
#
# Note the direction of the arrows. A result points at what it was computed from, and
# never the other way round: x does not know that it was used. That is why one can
# follow the chain from y, and why the whole chain disappears from memory together with
# y.
#
# `backward` follows the arrows from where it was called until it meets a Variable
# nobody made. Such a Variable is called a leaf. The walk starts with dy/dy = 1, unless
# somebody has put another value into `y.grad` before.

import numpy as np


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.grad = None
        self.creator = None  # new: the Function that made it; None for a leaf

    def set_creator(self, func):  # new
        self.creator = func

    def backward(self):  # new
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        v = self
        while v.creator is not None:
            x = v.creator.input
            x.grad = v.creator.backward(v.grad)
            v = x


class Function:
    def __call__(self, x):
        self.input = x
        output = Variable(self.forward(x.data))
        output.set_creator(self)  # new
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} has no backward")


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
y = Exp()(Neg()(Square()(x)))
y.backward()
print(f"{x.grad:.3f}")
# > -0.736
print(type(y.creator).__name__, type(y.creator.input.creator).__name__)
# > Exp Neg

# The chain was never written down anywhere; it came into being while the program ran.
# So it may be another one each time, with an `if` or a `for` in it: what counts is what
# was really computed. Here the loop decides how long the chain is.

x = Variable(np.array(1.0))
y = x
for _ in range(5001):
    y = Neg()(y)
y.backward()
print(x.grad)
# > -1.0

# 5001 functions, and no trouble: `backward` is a loop. Had we written it as a function
# that calls itself, Python would have given up after a thousand calls or so.

# --- 4.2 A trap -----------------------------------------------------------------------
#
# `self.input` is kept on the function. What if the same function object is called
# twice, `f(f(x))`? The second call overwrites the note of the first. With the classes
# above the walk then goes from y to f, from f to its input a, from a to its creator,
# which is f again: it never arrives. As long as we use our own classes we make a new
# object for each call, as in the loop above: `Neg()(y)`.
#
# bibun does not have the trap: when an instance is called again, the earlier call, if
# it is still needed, gets a copy that keeps its own note.

# --- 4.3 The same program on bibun ----------------------------------------------------

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
y = Exp()(Neg()(Square()(x)))
y.backward()
print(f"{x.grad:.3f}")
# > -0.736
print(type(y.creator).__name__, type(y.creator.input.creator).__name__)
# > Exp Neg

x = Variable(np.array(1.0))
y = x
for _ in range(5001):
    y = Neg()(y)
y.backward()
print(f"{x.grad:.1f}")
# > -1.0

# And the trap, stepped into on purpose: f(f(x)) = x⁴, whose derivative at 2 is
# 4·2³ = 32.

x = Variable(np.array(2.0))
f = Square()
y = f(f(x))
y.backward()
print(f"{x.grad:.1f} {y.creator is f}")
# > 32.0 True

# To try: write `Sin`, and compute the derivative of sin(x²).
#
# Next: so far every function has one input. With two, the chain becomes a graph, and
# the order of the walk a question.
