import numpy as np

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


x = Variable(np.array(10))
f = Square()
y = f(x)

print(y.data)
# prints: 100
