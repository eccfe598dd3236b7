"""Step 1. Variables and functions

We put a number in a box and turn an operation into an object, so that later both can
remember what happened to them.

    python docs/steps/en/step01_variables.py

Lines that begin with "# >" are what the statement above them prints.
"""

# --- 1.1 A number is not enough -------------------------------------------------------
#
# Python computes `x**2` and hands back a number. That number does not know that it came
# from a square. A derivative, however, is a question about where a number came from. So
# what we change is not the arithmetic but the number: we put it in a box, and on the
# box there will be room for notes.

import numpy as np


class Variable:
    def __init__(self, data):
        data = np.asarray(data)
        if data.dtype.kind not in "biufc":  # bool, int, unsigned, float, complex
            raise TypeError(f"a Variable holds numbers, not {data.dtype}")
        self.data = data


x = Variable(10)
print(x.data, x.data.shape)
# > 10 ()

# The box always holds a NumPy array, even for a single number: an array of shape `()`,
# without axes. NumPy itself is less strict, and turns such an array into a scalar of
# another type as soon as one computes with it. This is why the result goes through
# `np.asarray` again.

print(type(np.array(10.0)).__name__, type(np.array(10.0) ** 2).__name__)
# > ndarray float64

# What is not a number is refused at the door. A mistake is cheapest where it is made.

try:
    Variable("ten")
except TypeError as error:
    print(error)
# > a Variable holds numbers, not <U3

# --- 1.2 An operation becomes an object -----------------------------------------------
#
# There are many functions, but all of them do three things: take the number out of the
# box, compute, put the result in a new box. The first and the third are the same for
# all, and go into a common base class. The computation in the middle is different for
# each, and goes into the method `forward` of a subclass.


class Function:
    def __call__(self, x):
        return Variable(self.forward(x.data))

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")


class Square(Function):
    def forward(self, x):
        return x**2


f = Square()
y = f(x)
print(type(y).__name__, y.data)
# > Variable 100

# `x` is a Variable inside `__call__`, but a plain array inside `forward`. Whoever
# writes a new function only thinks about arrays. The same class therefore squares a
# whole column.

print(f(Variable([1.0, 2.0, 3.0])).data)
# > [1. 4. 9.]

# --- 1.3 The same program on bibun ----------------------------------------------------
#
# bibun has the same two classes. We import them in place of ours; the rest of the
# program is the same, letter for letter, and prints the same numbers.

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


x = Variable(10)
f = Square()
y = f(x)
print(type(y).__name__, y.data)
# > Variable 100
print(f(Variable([1.0, 2.0, 3.0])).data)
# > [1. 4. 9.]

# To try: write a `Cube`. Which lines did you not have to write?
#
# Next: step 2 puts functions one after another.
