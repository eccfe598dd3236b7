"""ステップ2　合成関数

複雑な関数も、簡単な関数をいくつかつなげたものです。この考え方で exp(-x²) を
計算します。

    python docs/steps/ja/step02_composing.py
"""

# ステップ1のクラスです。どのステップも単独で動くように、冒頭に同じクラスを
# 書いておきます。型の検査は、短くするためにここからは省きます。

import numpy as np


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)


class Function:
    def __call__(self, x):
        return Variable(self.forward(x.data))

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")


# --- 2.1 3つの簡単な関数 --------------------------------------------------------------
#
# 正規分布の密度関数は何からできているでしょうか。定数を除けば exp(-x²) です。つまり、
# 2乗し、符号を変え、指数関数に入れます。


class Square(Function):
    def forward(self, x):
        return x**2


class Neg(Function):
    def forward(self, x):
        return -x


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


# --- 2.2 順につなげる -----------------------------------------------------------------
#
# Function は Variable を受け取って Variable を返します。ですから、ある関数の結果は、
# そのまま次の関数に渡せます。

x = Variable(np.array(1.0))
a = Square()(x)
b = Neg()(a)
y = Exp()(b)
print(f"{a.data} {b.data} {y.data:.3f}")
# > 1.0 -1.0 0.368
print(f"{np.exp(-(1.0**2)):.3f}")
# > 0.368

# このように入力から出力へ向かって計算することを、順伝播といいます。
#
#     x ──Square──▶ a ──Neg──▶ b ──Exp──▶ y
#
# 途中の a と b は、見かけよりも重要です。1つの式 `np.exp(-x**2)` でも同じ y が
# 得られますが、途中の結果はすぐに捨てられてしまいます。ここでは途中の結果がそれぞれ箱に
# 入っていて、微分にはこれが必要になります。合成関数の微分の公式（連鎖律）によれば
#
#     dy/dx = dy/db · db/da · da/dx
#
# です。右辺の3つの因子はそれぞれ3つの関数のどれか1つに対応し、箱に入っている値の
# ところで計算されます。自動微分とは、この1行を、プログラムが動きながら自分で
# 書き留めることにほかなりません。

# --- 2.3 同じプログラムを bibun で動かす ----------------------------------------------

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


class Neg(Function):
    def forward(self, x):
        return -x


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


x = Variable(np.array(1.0))
a = Square()(x)
b = Neg()(a)
y = Exp()(b)
print(f"{a.data} {b.data} {y.data:.3f}")
# > 1.0 -1.0 0.368

# bibun はこのつながりを図にすることもできます。ノートブックでは `bb.draw(y)` と
# 書くだけで図が表示され、`bb.draw(y).save("chain.svg")` と書けばファイルに
# 保存されます。できあがりの図は docs/images/steps/chain.svg にあります。

import bibun as bb

print(bb.draw(y).svg[:4])
# > <svg

# やってみよう：ロジスティック関数 1 / (1 + exp(-x)) を、`Neg` と `Exp`、それに自分で
# 書いた2つの関数で組み立ててみてください。
#
# 次のステップ3では、dy/dx を出力から入力へ向かって手で計算します。
