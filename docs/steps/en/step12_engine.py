"""Step 12. What the engine really looks like

A walk through src/bibun/core/, with the files open beside this one. Nearly everything
there you have built yourself.

    python docs/steps/en/step12_engine.py
"""

# One warning first: the names used below (`bibun.core…`) are the inside of the house.
# For reading they are fine, programs should use what `import bibun` offers.

import ast
import inspect

import numpy as np

import bibun as bb
from bibun import Function, Variable
from bibun.core import variable
from bibun.core.backward import reverse
from bibun.core.dispatch import RULES
from bibun.core.graph import BOUNDARY, Node, history, now
from bibun.core.rule import TABLE

x = Variable(np.array(0.6))
a = x * x
y = a * np.exp(-a)

# --- 12.1 graph.py: what is written on the box ----------------------------------------
#
# This is the function of step 5. A Variable is a `Node`, and a Node has five fields.
# They are declared in `__slots__`, a list that makes Python reserve exactly these
# places:

print(Node.__slots__)
# > ('_data', 'inputs', 'order', 'rule', 'values')
print(isinstance(x, Node))
# > True

# - `_data`: the value (steps 1 and 7).
# - `rule`: what made it; None for a leaf. In step 4 this was `creator`. For a function
#   of the table it is a `Form`: the rule, with a note which of its arguments are
#   tracked.
# - `inputs`: the Variables it was computed from. In step 5 they were kept by the
#   Function. Here they are kept by the result, so that one rule can serve all calls.
# - `values`: all arguments as arrays, beside `inputs` (step 7). A walk that only
#   computes reads these and never opens a box.
# - `order`: the time on the clock `now` (step 5); 0 for a constant (step 6).

print(a.rule.name, a.rule.where, [v is x for v in a.inputs], a.values)
# > multiply (0, 1) [True, True] (array(0.6), array(0.6))
print(x.rule, x.order < a.order < y.order < now())
# > None True

# `history` finds what is behind a result. It is the function of step 5, with one list
# for the operations and one for the edge, where the search ends. Its argument `low`
# says how old a node may be to be entered; that is what keeps nested derivatives apart
# (step 6).

nodes, edge = history([y])
print([v.rule.name for v in nodes], edge[0] is x)
# > ['multiply', 'exp', 'negative', 'multiply'] True

# The rest of the file: `Parts` is the value of an operation with several results.
# `BOUNDARY`, `CLOSED` and `SPENT` mark the fresh Variable a derivative starts from,
# while the function is running and afterwards.

# --- 12.2 backward.py: the walk -------------------------------------------------------
#
# `reverse` is the loop of step 5: newest first, a dictionary of gradients on their way,
# what arrives is added. It is written out for one and for two inputs, since nearly all
# operations have one or two.

grads = reverse(nodes, {y: np.ones(())})
print(f"{grads[x]:.3f} {len(grads)}")
# > 0.536 1

# `pull` is what `backward` was: from the gradient of the result to those of the inputs.
# Given arrays it computes; given Variables it is recorded (step 6). There is one piece
# of code for both, and which of the two happens is decided by what is handed over:

e = np.exp(x)
print(f"{e.rule.pull(1.0, e._data, e.values):.3f}")
# > 1.822
print(e.rule.pull(Variable(1.0), e, e.inputs).creator)
# > <multiply of 2 tracked inputs>

# Who needs something else than plain computing gives `reverse` a `step`:
# `stepper(True)` records, `checked` looks for NaNs (`bb.debug_nans`), `absorbing` makes
# zero times infinity zero. The last is used only when a walk has ended in a NaN. Here
# the slope of the root at 0 is infinite, but what is behind it is multiplied by 0, so
# that the derivative is 0:

zero = Variable(np.array(0.0))
(np.sqrt(zero) * 0.0).backward()
print(zero.grad)
# > Variable(0.)

# `cotangents` is the walk of `bb.grad`: like `backward`, but from given results to
# given Variables (`within` finds what lies between, `depends` leaves out the rest), and
# nothing is written into any `grad`. It is recorded exactly if something tracked from
# outside takes part. "Cotangent" is the word of the field for what we call gy and gx.

# --- 12.3 record.py: how a result comes into being ------------------------------------
#
# `record` is `Function.__call__` of step 5, for functions of the table. It goes through
# the arguments, takes the arrays out of the boxes, computes, and writes the five fields
# of a new Variable. If no argument is tracked, or inside `no_grad`, the result is a
# constant. Small arrays are copied and large ones watched (`watch.py`; step 7).
#
# `lane_one`, `lane_two` and `lane_linear` do the same for the most frequent cases and
# look odd: everything is written out, again and again. Half of what a small operation
# costs is spent here, so here (and hardly anywhere else) speed has been put before
# beauty. Whoever wants to know what they mean reads `record`.

with bb.no_grad():
    silent = x * x
print(silent.order, silent.rule)
# > 0 None

# --- 12.4 rule.py, elementwise.py, words.py: the table --------------------------------
#
# `RULES` (in dispatch.py) maps a NumPy function to what answers for it. `TABLE` lists
# all rules. `elementwise` in words.py does two things with the line of step 7: it makes
# a rule, and puts its entry into `RULES`. Other kinds of functions are in kinds.py.

print(np.exp in RULES, e.rule.rule, e.rule.rule in TABLE)
# > True <elementwise rule of exp> True
(slope,) = e.rule.rule.partials
print(f"{slope(e._data, 0.6):.3f}")
# > 1.822

# `slope` is the very lambda of the table, `lambda y, x: y`. From it elementwise.py
# writes two small functions as source code and compiles them: `pull`, and `push` for
# forward mode. For exp on one tracked argument they are
#
#     def pull(g, y, args):            def push(y, args, ts):
#         return g * y                     t, = ts
#                                          total = t * y
#                                          return total
#
# Writing code by program looks extravagant. The alternative is a loop over the
# arguments that asks each time whether a slope is 1, whether a shape was stretched,
# whether an argument is tracked; all of that is known beforehand, so it is asked once.
#
# For every kind of rule the tests make up arguments from the rule's `domain` or
# `cases`, and compare with difference quotients (step 3). A line in the table is tested
# by being there.

# --- 12.5 variable.py, line by line ---------------------------------------------------
#
# Now open variable.py. Here is where you have met what is defined in it, in the order
# of the file; the number is that of the step.

met = {
    "Variable": 1, "__init__": 1, "data": 7, "grad": 3, "cleargrad": 5, "name": 7, "creator": 4, "set_creator": 4,
    "backward": 5, "unchain": 6, "unchain_backward": 6, "item": 7, "tolist": 7, "__array__": 7, "__float__": 7,
    "__int__": 7, "__complex__": 7, "__index__": 7, "__bool__": 7, "_stays": 12, "_escapes": 7, "__len__": 7,
    "__iter__": 7, "__setitem__": 7, "__repr__": 7, "__format__": 7, "__str__": 7, "__copy__": 12, "__deepcopy__": 12,
    "__reduce__": 12, "__array_ufunc__": 7, "__array_function__": 7, "Creator": 7, "constant": 6, "inner": 6,
    "close": 6, "as_data": 1, "fitted": 12, "_keeping": 5, "keep": 5, "_unpickled": 12,
}  # fmt: skip
source = ast.parse(inspect.getsource(variable))
defined = {node.name for node in ast.walk(source) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
print(sorted(defined - met.keys()), sorted(met.keys() - defined))
# > [] []

# With some remarks for the reader:
#
# - `__slots__` adds three places to those of Node: `_grad`, `_name`, and one that
#   allows weak references (step 5). A place that was never filled is not there; hence
#   `getattr(…, None)`.
# - `data`, read: a scalar becomes an array (step 1), and the data of a result is handed
#   out as a view that cannot be written to (step 7). Set: the Variable becomes a leaf
#   with a new `order`; a tracked Variable is refused here, since its history would be
#   lost.
# - `grad`: what is put in becomes a constant (step 6), and must have the right shape
#   (step 3).
# - `backward`: the seed, ones in the shape of the result unless `grad` was set (step 4;
#   `zeros_for` makes the array); `history`; refused at a `BOUNDARY` (step 6); a `step`
#   if something is to be recorded, checked or kept (`_keeping` serves `retain_grad`,
#   step 5); `reverse`; once more with `absorbing` if `has_nan`; and at the end the sum
#   into the leaves (step 5). `fitted` gives the gradient the type of its leaf: float32
#   stays float32. NumPy's warnings are silent meanwhile (`np.errstate`), since an
#   infinite slope is no mistake here.
# - `modes.on` counts what is switched on anywhere (`no_grad`, `debug_nans`, recording
#   for `vmap`); only if it is not zero does `here` say what is on in this thread.
# - `__array__`, `__float__`, … `__index__`: never a plain number in silence (step 7).
#   `_escapes` says so; if it was a function of SciPy that asked for the number
#   (`scipys_function`), the message names ours. Only a sparse matrix of SciPy's may ask
#   (`shown_to_sparse`): `S @ v` asks whether `v` is an array, is shown one thing that is
#   none, and leaves the product to `v`. `__bool__` is allowed, except while a
#   program is recorded for other values, when the branch taken now would be taken for
#   ever. For the same reason `_stays` lets no value out then, not even by `item`.
# - `__iter__` refuses a single number, and `for v in x` gives Variables; `__len__`,
#   `shape`, `ndim`, `size`, `dtype`, `itemsize`, `nbytes` are those of the array.
# - `__copy__`, `__deepcopy__` and `__reduce__` (pickle): a leaf is copied as a leaf. A
#   file holds the values and no history; `_unpickled` reads it back.
# - `__array_ufunc__`, `__array_function__`: the table is asked (step 7); what is not
#   there goes to dispatch.py. `__array_priority__` and `__pandas_priority__` tell other
#   libraries to step back, as arrays did in step 7.
# - `__hash__`: as a key a Variable stands for itself (step 7).
# - `Creator` shows a rule of the table as step 4 would: with `input`, `inputs`,
#   `outputs`.
# - `constant` (step 6) has order 0. `inner` makes the fresh Variable from which
#   `bb.grad` starts, and `close` ends its time as a boundary. `as_data` is the door of
#   step 1.

fresh = variable.inner(0.6)
print(fresh.rule is BOUNDARY, variable.close(fresh).rule is BOUNDARY)
# > True False
small = Variable(np.array(0.6, np.float32))
(small * small).backward()
print(small.grad.dtype, variable.constant(np.ones(2)).order)
# > float32 0

# --- 12.6 function.py: your own Function ----------------------------------------------
#
# An instance is itself the rule of the node it made: `y.rule` is `f`, and it answers
# `pull` by calling your `backward`. Two ideas are new in the file. When an instance is
# called again, the earlier node gets a copy of it (the trap of step 4):


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.input.data * gy


f = Square()
once = f(x)
print(once.rule is f)
# > True
twice = f(once)
print(twice.rule is f, once.rule is f, once.rule.input is x)
# > True False True

# And when the walk is recorded, `backward` runs on a twin whose `self.input` is a
# `Stand`: an object whose `.data` is the Variable itself. That is how your
# `self.input.data` came to have a derivative in step 6.

x.cleargrad()
Square()(x).backward(create_graph=True)
first = x.grad
x.cleargrad()
first.backward()
print(x.grad)
# > Variable(2.)

# --- 12.7 On from here ----------------------------------------------------------------
#
# What is above core is walks over the same graph: transforms/ has `grad`, `hessian`,
# `jvp`, `vmap`, `taylor`, each in a short file, report/ draws the graph, and the
# regressions of steps 9 to 11 are ready to use as `LinearRegression`,
# `LogisticRegression` and `bibun fit`. ARCHITECTURE.md is the map, and CONTRIBUTING.md
# adds a derivative in five minutes.
#
# You began with a class that had one field. This is where it led.
