"""ステップ3　逆伝播を手で行う

それぞれの関数に、自分自身の微分を教えます。あとは連鎖律により、出力から入力へとさかの
ぼって全体の微分が求まります。

    python docs/steps/ja/step03_by_hand.py
"""

# --- 3.1 出力から入力へ ---------------------------------------------------------------
#
# ステップ2の連鎖律には3つの因子があり、どの順に掛けてもかまいません。ここでは出力の
# 側から掛けていきます。
#
#     dy/dx = ((dy/dy · dy/db) · db/da) · da/dx
#
# それぞれの括弧は、y をどれか1つの箱の値で微分したものです。最初は y 自身での微分で、
# これは 1 です。続いて b、a、x での微分になります。そこで、それぞれの箱にこの値を入れる
# 場所 `grad` を用意します。また、それぞれの関数には、掛け算を1回だけ行うメソッド
# `backward` を持たせます。関数の出力での y の微分 gy を受け取り、関数の入力での y の
# 微分 gx を返すメソッドです。
#
#     gx = gy ×（この関数の、入力の値における微分）
#
# そのためには、関数が自分の入力を覚えていなければなりません。

import numpy as np


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.grad = None  # 追加：最終的な出力を、この変数で微分した値


class Function:
    def __call__(self, x):
        self.input = x  # 追加：backward で使う
        return Variable(self.forward(x.data))

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, gy):  # 追加
        raise NotImplementedError(f"{type(self).__name__} has no backward")


# --- 3.2 公式は3つだけ ----------------------------------------------------------------
#
# (x²)' = 2x、(−x)' = −1、(eˣ)' = eˣ です。人が公式集から引いてくるのはこれだけです。
# これらを合成したものの微分は、機械が求めます。


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
square, neg, exp = Square(), Neg(), Exp()
a = square(x)
b = neg(a)
y = exp(b)

# 順伝播が終わりました。次は帰り道です。関数を逆の順に呼び出し、得られた値を1つ手前の
# 関数に渡していきます。これを逆伝播（バックプロパゲーション）といいます。

y.grad = np.array(1.0)
b.grad = exp.backward(y.grad)
a.grad = neg.backward(b.grad)
x.grad = square.backward(a.grad)
print(f"{y.grad:.3f} {b.grad:.3f} {a.grad:.3f} {x.grad:.3f}")
# > 1.000 0.368 -0.368 -0.736

# 紙の上で計算すると、(exp(-x²))' = -2x exp(-x²) です。

print(f"{-2 * 1.0 * np.exp(-(1.0**2)):.3f}")
# > -0.736

# --- 3.3 公式のいらない検算 -----------------------------------------------------------
#
# 微分は差分商の極限です。ですから、小さな h についての差分商を計算すれば、微分の公式を
# 知らなくても `backward` が正しいかどうかを確かめられます。


def f(t):
    return np.exp(-(t**2))


for h in (1e-1, 1e-3):
    print(f"{(f(1 + h) - f(1 - h)) / (2 * h):.6f}")
# > -0.733304
# > -0.735759

# 正確な値は -0.735759 です。では、なぜいつもこの方法を使わないのでしょうか。h は
# 小さくなければなりませんが、小さすぎてもいけないからです。h が小さすぎると、1 + h と
# 1 - h は末尾の数桁しか違わず、引き算でほかの桁がすべて消えてしまいます（桁落ち）。
# h = 1e-15 では、誤差が1%を超えます。さらに、パラメータが1000個あるモデルでは関数を
# 2000回計算しなければなりませんが、逆伝播なら数回分の手間ですみます。差分商は検算に使う
# ものです。bibun では `bb.check_grads` がこの検算をしてくれます。

h = 1e-15
print(abs((f(1 + h) - f(1 - h)) / (2 * h) + 0.735759) > 0.01 * 0.735759)
# > True

# --- 3.4 なぜ逆向きなのか -------------------------------------------------------------
#
# 3つの因子は、入力の側から掛けていってもかまいません（フォワードモードといい、bibun
# では `bb.jvp` です）。入力が1つなら、どちらでも同じです。しかし統計学では、出力は
# 対数尤度という1つの数で、入力であるパラメータは多数あります。出力の側から
# 掛けていくと、途中の積はどれも「1つの数の微分」なので、パラメータがいくつあっても、
# 1回さかのぼるだけですべてのパラメータについての微分が得られます。入力の側からでは、
# パラメータ1つにつき1回の計算が必要です。

# --- 3.5 同じプログラムを bibun で動かす ----------------------------------------------

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
square, neg, exp = Square(), Neg(), Exp()
a = square(x)
b = neg(a)
y = exp(b)
y.grad = np.array(1.0)
b.grad = exp.backward(y.grad)
a.grad = neg.backward(b.grad)
x.grad = square.backward(a.grad)
print(f"{y.grad:.3f} {b.grad:.3f} {a.grad:.3f} {x.grad:.3f}")
# > 1.000 0.368 -0.368 -0.736

# 書式を付けずに `grad` を表示すると、1つだけ違いが見えます。bibun の `grad` はただの
# 配列ではなく、これも Variable です。それが何の役に立つのかはステップ6で説明します。
# また、形状の合わない勾配は、間違い以外にありえないので、受け付けません。

print(x.grad)
# > Variable(-0.73575888)
try:
    x.grad = np.array([1.0, 2.0])
except ValueError as error:
    print(error)
# > a gradient of shape (2,) for a Variable of shape ()

# やってみよう：ステップ1の `Cube` に `backward` を付け、差分商で確かめてみてください。
#
# このプログラムのうち4行は、`backward` を正しい順に呼び出しているだけです。次の
# ステップ4では、この4行を機械に任せます。
