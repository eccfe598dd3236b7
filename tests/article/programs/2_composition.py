import numpy as np

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


class Neg(Function):
    def forward(self, x):
        return -x


x = Variable(np.array(1))
f1 = Square()
f2 = Neg()
f3 = Exp()
y = f3(f2(f1(x)))

print("y.data: {:.3f}".format(y.data))
print("exp(-x^2): {:.3f}".format(np.exp(-(1.0**2))))
# prints: y.data: 0.368
# prints: exp(-x^2): 0.368
