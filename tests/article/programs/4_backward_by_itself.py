import numpy as np

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        x = self.input.data
        gx = 2*x*gy
        return gx


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        x = self.input.data
        gx = np.exp(x)*gy
        return gx


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        x = self.input.data
        gx = -gy
        return gx


x = Variable(np.array(1))
f1 = Square()
f2 = Neg()
f3 = Exp()
y = f3(f2(f1(x)))

y.grad = np.array(1)
y.backward()

print("x.grad: {:.3f}".format(x.grad))
print("-2x exp(-x^2): {:.3f}".format(-2*1*np.exp(-1**2)))
# prints: x.grad: -0.736
# prints: -2x exp(-x^2): -0.736
