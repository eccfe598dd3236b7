"""Step 5. Many inputs, and the order of the walk

Functions of two variables turn the chain into a graph. Two new rules make the walk
right again: gradients add up, and the newest goes first.

    python docs/steps/en/step05_order.py
"""

# --- 5.1 Several inputs ---------------------------------------------------------------
#
# `__call__` now takes any number of Variables, and `forward` as many arrays. In return
# `backward` gives as many gradients: one for each input. For a product y = ab,
# dy/da = b and dy/db = a.
#
# The walk has to be rewritten for this. We do it in two attempts, the first of which is
# wrong in an instructive way, so `backward` is not yet a method here.

import itertools
import weakref

import numpy as np

now = itertools.count(1).__next__  # a clock that ticks each time it is read


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.grad = None
        self.creator = None
        self.order = now()  # new: when it came into being (for 5.3)

    def cleargrad(self):  # new (for 5.2)
        self.grad = None


class Function:
    def __call__(self, *inputs):  # new: any number of inputs
        self.inputs = inputs
        output = Variable(self.forward(*[x.data for x in inputs]))
        output.creator = self
        return output


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        return -gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return b.data * gy, a.data * gy


# --- 5.2 A Variable used twice: gradients add up --------------------------------------
#
# Let y = x + x. The function Add returns two gradients, both for x. If the second
# simply replaced the first, dy/dx would be 1. It is 2, by the chain rule for several
# variables: if y depends on a and b, and both depend on x,
#
#     dy/dx = ∂y/∂a · da/dx + ∂y/∂b · db/dx
#
# Whatever arrives at a Variable is added to what is there already. (We write
# `x.grad = x.grad + gx` and not `x.grad += gx`: the latter would change the array in
# place, and Add has handed the very same array to its other input.)
#
# This is the first attempt, the loop of step 4 with a list of what is still to be done:


def walk_with_a_stack(y):
    y.grad = np.ones_like(y.data)
    todo = [y]
    while todo:
        v = todo.pop()
        if v.creator is None:
            continue
        gxs = v.creator.backward(v.grad)
        for x, gx in zip(v.creator.inputs, gxs if isinstance(gxs, tuple) else (gxs,), strict=True):
            x.grad = gx if x.grad is None else x.grad + gx
            todo.append(x)


x = Variable(np.array(3.0))
walk_with_a_stack(Add()(x, x))
print(x.grad)
# > 2.0

# --- 5.3 The order: the newest goes first ---------------------------------------------
#
# So far so good. Now x² exp(-x²), where a = x² is computed once and used twice:
#
#                 ┌──────────────────────────┐
#     x ─Square─▶ a ─Neg─▶ b ─Exp─▶ c ─Mul─▶ y
#
# The derivative is 2x(1 - x²) exp(-x²), at x = 0.6 this is 0.536. The first attempt
# says:

x = Variable(np.array(0.6))
a = Square()(x)
c = Exp()(Neg()(a))
y = Mul()(c, a)
walk_with_a_stack(y)
print(f"{x.grad:.3f} {2 * 0.6 * (1 - 0.6**2) * np.exp(-(0.6**2)):.3f}")
# > 1.373 0.536

# Wrong, and in silence. From Mul two roads lead to a: directly, and by way of c and b.
# The walk took the short one first and went on from a to x while the other half of a's
# gradient was still on its way. When that arrived, a was done a second time, and the
# first half counted twice.
#
# A Variable may be left only when everything has arrived that will ever arrive, that
# is, when everything computed from it has been done. How do we know? By the clock. A
# result is always younger than what it was computed from. If we take the Variables
# behind y from the youngest to the oldest, each one comes after all its results. No
# search, no counting: one sort by `order`.
#
# Two more decisions are in the second attempt. The gradients on their way are kept in a
# dictionary, and only the leaves keep theirs in `grad` for good; intermediate results
# rarely interest anybody, and need memory. (Who wants them asks: in bibun
# `backward(retain_grad=True)`.) And what a leaf has already in `grad` is added to as
# well, so that gradients of several losses can be summed; `cleargrad` begins anew.


def history(y):
    # The Variables behind y, and y itself, newest first.
    found = [y]
    seen = {y}
    for v in found:  # which grows meanwhile
        for x in v.creator.inputs if v.creator is not None else ():
            if x not in seen:
                seen.add(x)
                found.append(x)
    return sorted(found, key=lambda v: v.order, reverse=True)


def backward(y):
    grads = {y: np.ones_like(y.data) if y.grad is None else y.grad}
    for v in history(y):
        g = grads.pop(v)
        if v.creator is None:
            v.grad = g if v.grad is None else v.grad + g
            continue
        gxs = v.creator.backward(g)
        for x, gx in zip(v.creator.inputs, gxs if isinstance(gxs, tuple) else (gxs,), strict=True):
            grads[x] = gx if x not in grads else grads[x] + gx


Variable.backward = backward

x.cleargrad()
y.grad = None
y.backward()
print(f"{x.grad:.3f}")
# > 0.536
y.backward()
print(f"{x.grad:.3f}")
# > 1.072
x.cleargrad()
y.backward()
print(f"{x.grad:.3f}")
# > 0.536

# This is the whole of reverse-mode automatic differentiation. The rest of this course,
# and of bibun, is convenience, speed and care.

# --- 5.4 Operators --------------------------------------------------------------------
#
# `Mul()(c, a)` is tiresome to write. Python asks the class of an operand what `*`
# means, so the operators can be fastened to Variable afterwards. A number beside a
# Variable is put into a box first. (`__rmul__` is for a Variable on the right:
# `2.0 * x`.)


def boxed(x):
    return x if isinstance(x, Variable) else Variable(x)


Variable.__add__ = Variable.__radd__ = lambda a, b: Add()(a, boxed(b))
Variable.__mul__ = Variable.__rmul__ = lambda a, b: Mul()(a, boxed(b))
Variable.__neg__ = lambda a: Neg()(a)

x = Variable(np.array(0.6))
a = x * x
y = 2.0 * a * Exp()(-a) + 1.0
y.backward()
print(f"{x.grad:.3f}")
# > 1.072

# --- 5.5 What points at what ----------------------------------------------------------
#
# Results point at their inputs and never the reverse. So when y goes, the graph goes
# with it, at once, although x stays; nothing has to search for cycles of references. A
# training loop that builds a graph in every round does not grow.

middle = weakref.ref(a)
del a, y
print(middle() is None)
# > True

# --- 5.6 The same program on bibun ----------------------------------------------------

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        return -gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return b.data * gy, a.data * gy


x = Variable(np.array(3.0))
Add()(x, x).backward()
print(f"{x.grad:.1f}")
# > 2.0

x = Variable(np.array(0.6))
a = Square()(x)
c = Exp()(Neg()(a))
y = Mul()(c, a)
y.backward()
print(f"{x.grad:.3f}")
# > 0.536
y.backward()
print(f"{x.grad:.3f}")
# > 1.072
x.cleargrad()
y.backward()
print(f"{x.grad:.3f}")
# > 0.536

# bibun has its own operators, and the clock can be read. The gradient of the
# intermediate result is kept on request. A picture of this graph is
# docs/images/steps/diamond.svg.

x = Variable(np.array(0.6))
a = x * x
y = a * Exp()(-a)
print(x.order < a.order < y.order)
# > True
y.backward()
print(a.grad)
# > None
x.cleargrad()
y.backward(retain_grad=True)
print(f"{a.grad:.3f} {x.grad:.3f}")
# > 0.447 0.536

# To try: exchange the two inputs of Mul in 5.3, Mul()(a, c), and call
# walk_with_a_stack. Is its answer still wrong? Follow the walk with a pencil.
#
# Next: in step 6 the gradient is differentiated again.
