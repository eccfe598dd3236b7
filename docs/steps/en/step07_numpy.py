"""Step 7. NumPy code as it is

Nobody wants to write a Function for every line. NumPy itself asks a Variable what to
do, and a table answers, one line a derivative.

    python docs/steps/en/step07_numpy.py
"""

# --- 7.1 NumPy asks -------------------------------------------------------------------
#
# `np.exp` was written long before any of our classes. Still it accepts them, because
# NumPy has an agreement with every class in the world: if an argument has a method
# `__array_ufunc__`, the function does not compute but calls that method, and says who
# is calling. Functions that do not work element by element, like `np.sum`, do the same
# by way of `__array_function__`. A class of three lines shows it:

import numpy as np
import scipy.special

import bibun as bb
from bibun import Variable
from bibun.rules import elementwise


class Listener:
    def __array_ufunc__(self, ufunc, method, *args, **kw):
        return f"{ufunc.__name__} was called"

    def __array_function__(self, func, types, args, kw):
        return f"{func.__name__} was called"


print(np.exp(Listener()))
# > exp was called
print(np.array([1.0, 2.0]) * Listener())
# > multiply was called
print(np.sum(Listener()))
# > sum was called

# The second line is worth a second look: the array stands on the left, and still it
# steps back. In Variable these two methods look the function up in a table and let the
# entry compute and record. So ordinary NumPy code becomes differentiable without being
# touched.

x = Variable(np.array([1.0, 2.0]))
y = np.sum(np.exp(-(x**2)))
y.backward()
print(x.grad, y.creator)
# > Variable([-0.73575888, -0.07326256]) <sum of 1 tracked input>

# `y.creator` is built when somebody asks. For a function of the table bibun keeps no
# Function object, only the rule from the table and the inputs.

# --- 7.2 Broadcasting -----------------------------------------------------------------
#
# NumPy stretches shapes: (3, 1) + (4,) gives (3, 4). In that sum each element of the
# first array is used four times. By the rule of step 5 its gradients add up. So the
# gradient is summed over the axes that were stretched, and always has the shape of its
# Variable.

column, row = Variable(np.ones((3, 1))), Variable(np.ones(4))
np.sum(column + row).backward()
print(column.grad.shape, row.grad.shape)
# > (3, 1) (4,)
print(row.grad)
# > Variable([3., 3., 3., 3.])

# --- 7.3 A derivative in one line -----------------------------------------------------
#
# This is how exp and the product stand in bibun's table (src/bibun/rules/ufuncs.py; a
# note that makes the product quicker is left out). y is the output, then come the
# inputs:
#
#     elementwise(np.exp, lambda y, x: y)
#     elementwise(np.multiply, lambda y, a, b: b, lambda y, a, b: a)
#
# What was a class with two methods in step 3 is one line, and says nothing but the
# mathematics: (eˣ)' = eˣ, ∂(ab)/∂a = b, ∂(ab)/∂b = a. The multiplication by gy is the
# same for all functions of this kind, so it is not in the table.
#
# If a function is not in the table, the message says which line is missing. The sine of
# an angle in degrees, for instance:

try:
    scipy.special.sindg(Variable(60.0))
except bb.MissingRule as error:
    print(str(error)[:57])
# > scipy.special.sindg has no derivative rule for Variables.
elementwise(scipy.special.sindg, lambda y, x: np.pi / 180 * scipy.special.cosdg(x))
elementwise(scipy.special.cosdg, lambda y, x: -np.pi / 180 * scipy.special.sindg(x))
degrees = 180 / np.pi
print(f"{degrees * bb.grad(scipy.special.sindg)(60.0):.4f}")
# > 0.5000
print(f"{degrees**2 * bb.grad(bb.grad(scipy.special.sindg))(60.0):.4f}")
# > -0.8660

# The second derivative came by itself, for the reason given in step 6: the body of a
# rule is NumPy code, and NumPy code runs on Variables too. So do forward mode and all
# the rest.
#
# `elementwise` is one of six words. The others are `linear` (sum, reshape, indexing),
# `multilinear` (products of matrices), `general` (Cholesky, eigenvalues), `composite`
# (defined by others) and `constant` (derivative zero: floor, comparisons).

# --- 7.4 A Variable is an array, almost -----------------------------------------------
#
# It has a shape, a length, slices and methods, and can be compared. Comparisons give
# plain arrays, since true and false have no derivative. One thing follows from `==`
# comparing values: two Variables can be equal and still be different nodes of a graph.
# So as a key of a dictionary, as in the `grads` of step 5, a Variable stands for itself
# and not for its value.

v = Variable(np.array([1.0, 2.0, 3.0]), name="v")
print(v.shape, len(v), v[1:], v.mean(), v > 1.5)
# > (3,) 3 Variable([2., 3.]) Variable(2.) [False  True  True]
print(v, f"{v[0]:.2f}")
# > Variable([1., 2., 3.], name='v') 1.00
w = Variable(np.array(1.0))
print(bool(v[0] == w), len({v[0], w}))
# > True 2

# --- 7.5 Never a plain number in silence ----------------------------------------------
#
# One danger is left. `math.exp(v)` and `float(v)` would like a plain number. If they
# got one, the computation would go on, without a history, and the gradient would be too
# small or zero, and nobody would notice. So a tracked Variable refuses, and says what
# to write instead: `v.item()` or `v.data`, if one really wants the number.

for convert in (float, int, np.asarray):
    try:
        convert(w)
    except bb.TrackedVariable as error:
        print(str(error).split(" and ")[0])
# > a tracked Variable of shape () would become a float
# > a tracked Variable of shape () would become an int
# > a tracked Variable of shape () would become an array
print(w.item(), v.tolist(), float(w.data))
# > 1.0 [1.0, 2.0, 3.0] 1.0

# A constant has nothing to lose, and may become anything. And `if v > 0:` is allowed:
# the program takes one branch, and what is recorded is the branch that was taken.

w.grad = 0.5
print(float(w.grad), "positive" if w > 0 else "negative")
# > 0.5 positive

# --- 7.6 Values that stay what they were ----------------------------------------------
#
# The walk back needs the values of the way there. If somebody changes them in between,
# the gradient is wrong. Three measures against it:
#
# - The data of a result cannot be written to.
# - Assignment to an element, `v[0] = …`, is refused; `np.where` or `np.stack` do the
#   same.
# - Beside its inputs each result keeps the arrays it was computed from. Small arrays
#   are copied; large ones are compared before the walk back, and a change is reported.
#
# A leaf may be given new data as a whole. Gradient descent lives on that (step 8). It
# then starts a new life, and results from before keep what they were computed from.

y = v * 2
try:
    y.data[0] = 100.0
except ValueError as error:
    print(error)
# > assignment destination is read-only
try:
    v[0] = 100.0
except bb.TrackedVariable:
    print(np.where(np.array([True, False, False]), 100.0, v))
# > Variable([100.,   2.,   3.])

weights = np.array([1.0, 2.0])
x = Variable(np.array([3.0, 4.0]))
y = np.sum(weights * x)
weights[0] = 100.0
x.data = np.array([0.0, 0.0])
y.backward()
print(y, x.grad)
# > Variable(11.) Variable([1., 2.])

# To try: the log-density of the normal distribution in plain NumPy, as a function of mu
# and log sigma, and its gradient by bb.grad(…, argnums=(0, 1)).
#
# Next: derivatives put to use. Step 8 descends along the gradient.
