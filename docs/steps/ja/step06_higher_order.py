"""ステップ6　高階微分

逆伝播も1つの計算です。これを Variable で行えば、ほかの計算と同じように微分できます。

    python docs/steps/ja/step06_higher_order.py
"""

# --- 6.1 由来を覚えている勾配 ---------------------------------------------------------
#
# ここからは bibun そのものを使います。`x**4` もそのまま書けます。bibun には演算子も、
# よく使う関数の微分も備わっているからです。
#
# ステップ5の勾配は配列で、配列は自分がどう計算されたかを覚えていません。ですが、Square
# の `backward` がしていることをよく見てください。`2 * x * gy` です。Python は、渡された
# ものをそのまま掛け合わせます。x と gy が配列なら、結果も配列です。Variable なら、同じ
# 1行が creator を持った Variable を作ります。ですから、新しい工夫は何もいりません。
# `create_graph=True` と書けば、逆伝播が Variable で行われ、勾配もほかの計算結果と
# 同じように履歴を持ちます。

import numpy as np

import bibun as bb
from bibun import Function, Variable

x = Variable(np.array(2.0))
y = x**4
y.backward(create_graph=True)
gx = x.grad
print(gx, gx.creator is not None)
# > Variable(32.) True
x.cleargrad()
gx.backward()
print(x.grad)
# > Variable(48.)

# x = 2 では、(x⁴)' = 4x³ = 32、(x⁴)'' = 12x² = 48 です。2回の逆伝播のあいだに
# `cleargrad` があるのは、勾配が足し合わされるからです。これがないと x.grad は 32 + 48
# になってしまいます。
#
# `create_graph` を指定しないと、勾配は定数になります。定数とは、履歴のない、配列と
# 同じように振る舞う Variable です。保持するのに余分な手間はかかりません。定数を
# 微分しようとすると、0 が返るのではなく、エラーになります。

x.cleargrad()
y.backward()
print(x.grad.creator, x.grad.order)
# > None 0
try:
    x.grad.backward()
except RuntimeError as error:
    print(error)
# > backward() of a constant: nothing it was computed from is a Variable with a history

# 定数の時刻は 0 です。記録されたことが一度もない、という意味です。

# --- 6.2 自作の関数で4階まで ----------------------------------------------------------
#
# これは自作の関数でもできます。ステップ3で書いたクラスも、そのまま使えます。逆伝播を
# 記録するときは、`backward` の中の `self.input.data` が、配列ではなく Variable に
# なります。あとは上と同じです。exp(-x²) の導関数は、エルミート多項式に exp(-x²) を
# 掛けたものです。x = 1 での係数は、順に -2、2、4、-20 になります。


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
derivative = Exp()(Neg()(Square()(x)))
for _ in range(4):
    x.cleargrad()
    derivative.backward(create_graph=True)
    derivative = x.grad
    print(f"{derivative / np.exp(-1.0):.3f}")
# > -2.000
# > 2.000
# > 4.000
# > -20.000

# `backward` の中の `np.exp` が Variable に使えるのはなぜでしょうか。それはステップ7で
# 説明します。

# --- 6.3 式の一部としての勾配 ---------------------------------------------------------
#
# 勾配は、すぐにもう一度微分しなくてもかまいません。もっと大きな式の一部として使う
# こともできます（double backprop と呼ばれます）。たとえば y = x²、
# z = y + (dy/dx)² = x² + 4x² とすると、dz/dx = 10x です。

x = Variable(np.array(3.0))
y = x**2
y.backward(create_graph=True)
gx = x.grad
x.cleargrad()
z = y + gx**2
z.backward()
print(x.grad)
# > Variable(30.)

# --- 6.4 関数から関数へ ---------------------------------------------------------------
#
# `grad` を設定し、消し、読み出すのは、いわば事務作業です。ほしいのはたいてい、数学で
# いう導関数 f'、つまり関数です。`bb.grad` は関数を受け取り、その導関数を返します。
# 返ってきた関数を、もう一度 `bb.grad` に渡すこともできます。
#
# 例として、二項分布の対数尤度を取り上げます。10回の試行で7回成功し、成功確率を p と
# します。
#
#     ℓ(p) = 7 log p + 3 log(1 - p)
#
#     ℓ'(p) = 7/p - 3/(1 - p)            最尤推定値 p = 0.7 で 0 になる
#     ℓ''(p) = -7/p² - 3/(1 - p)²        そこでの曲率は -10 / (0.7 · 0.3) = -47.62


def loglik(p):
    return 7 * np.log(p) + 3 * np.log(1 - p)


first = bb.grad(loglik)
second = bb.grad(bb.grad(loglik))
print(f"{abs(first(0.7)):.6f} {second(0.7):.2f} {bb.grad(second)(0.7):.2f}")
# > 0.000000 -47.62 -181.41

# ステップ11を少し先取りすると、推定値の標準誤差は 1/√(-ℓ'') です。この例では、よく
# 知られた √(p(1 - p)/n) と一致します。

print(f"{1 / np.sqrt(-second(0.7)):.4f} {np.sqrt(0.7 * 0.3 / 10):.4f}")
# > 0.1449 0.1449

# パラメータがいくつもあるときは、2階微分は行列（ヘッセ行列）になります。

print(bb.hessian(lambda t: t[0] ** 2 * t[1])(np.array([3.0, 5.0])))
# > [[10.  6.]
# >  [ 6.  0.]]

# --- 6.5 微分の中の微分 ---------------------------------------------------------------
#
# 微分される関数の中で、さらに微分を計算していたらどうなるでしょうか。次の関数を
# 考えます。
#
#     g(x) = x · [ t = 1 における d/dt (x + t) ] = x · 1     したがって g'(x) = 1
#
# ここでは2つの微分が同時に進んでいて、x と t を混同してはいけません。混同する
# プログラムでは、答えが 2 になってしまいます。bibun は、ステップ5の時計でこれらを
# 区別します。微分はそれぞれ新しい Variable から始まり、逆伝播はその Variable まで
# 戻ったら止まります。それより古いものは、別の微分のものだからです。

print(bb.grad(lambda x: x * bb.grad(lambda t: x + t)(1.0))(5.0))
# > 1.0

# 一方、メソッドの `backward` は葉まですべてさかのぼり、葉の `grad` に値を足します。
# 微分されている最中の関数の中でこれをすると、よその Variable に書き込んでしまいます。
# そこで、その場合はエラーにし、代わりに `bb.grad` を使うように伝えます。


def with_backward_inside(x):
    y = x**2
    y.backward()
    return y


try:
    bb.grad(with_backward_inside)(1.0)
except RuntimeError as error:
    print(str(error)[:57])
# > backward() inside a function that is being differentiated

# --- 6.6 忘れる -----------------------------------------------------------------------
#
# 計算の記録は、結果が必要とするあいだ残ります。わざと忘れさせる方法は3つあります。
# 初めから記録しない（`no_grad`）、1つの変数を葉にする（`unchain`）、その背後をすべて
# 切り離す（`unchain_backward`。長い時系列で必要になります）です。

x = Variable(np.array(2.0))
with bb.no_grad():
    print((x**2).creator)
# > None
y = x**2
y.unchain()
print(y.creator)
# > None
y = x**2
z = y**3
z.unchain_backward()
z.backward()
print(x.grad, y.grad)
# > None Variable(48.)

# やってみよう：6.4節の関数に `bb.grad` をもう1回かぶせ、公式 2·7/p³ - 2·3/(1 - p)³ と
# 比べてみてください。
#
# 次のステップ7では、NumPy の関数がなぜ Variable を受け取れるのかを見ます。
