"""ステップ4　逆伝播の自動化

どの Variable にも、自分を作った関数を覚えさせます。それだけで、帰り道は教えなくても
わかるようになります。

    python docs/steps/ja/step04_automatic.py
"""

# --- 4.1 誰が作ったのか ---------------------------------------------------------------
#
# ステップ3では、呼び出しの順番を私たちが書きました。しかし、プログラムは順番をもう
# 知っています。y を作ったのは exp で、exp の入力は b で、b を作ったのは neg で、と順に
# さかのぼれるからです。足りないのは、それぞれの箱に書くメモ1つ、`creator`（作り手）
# だけです。
#
#     x ◀─input─ square ◀─creator─ a ◀─input─ neg ◀─creator─ b ◀─input─ exp ◀─creator─ y
#
# 矢印の向きに注意してください。結果は、自分の計算に使われたものを指しますが、その逆は
# ありません。x は、自分がどこで使われたのかを知らないのです。だからこそ y から鎖を
# たどることができ、y が不要になれば、鎖全体がメモリから消えます。
#
# `backward` は、呼び出された変数から矢印をたどり、誰が作ったのでもない変数に行き着くと
# 終わります。このような変数を「葉」と呼びます。出発点の値は dy/dy = 1 ですが、先に
# `y.grad` に別の値が入れてあれば、その値から始めます。

import numpy as np


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.grad = None
        self.creator = None  # 追加：この変数を作った Function。葉では None

    def set_creator(self, func):  # 追加
        self.creator = func

    def backward(self):  # 追加
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        v = self
        while v.creator is not None:
            x = v.creator.input
            x.grad = v.creator.backward(v.grad)
            v = x


class Function:
    def __call__(self, x):
        self.input = x
        output = Variable(self.forward(x.data))
        output.set_creator(self)  # 追加
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} has no backward")


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
y = Exp()(Neg()(Square()(x)))
y.backward()
print(f"{x.grad:.3f}")
# > -0.736
print(type(y.creator).__name__, type(y.creator.input.creator).__name__)
# > Exp Neg

# この鎖はどこにも書かれていません。プログラムが動くのにつれて、ひとりでにできた
# ものです。ですから、途中に `if` や `for` があって、動かすたびに違う鎖に
# なってもかまいません。大事なのは、実際に何が計算されたかです。次の例では、鎖の長さは
# ループの回数で決まります。

x = Variable(np.array(1.0))
y = x
for _ in range(5001):
    y = Neg()(y)
y.backward()
print(x.grad)
# > -1.0

# 関数が5001個つながっていても、問題なく動きます。`backward` がループで
# 書かれているからです。もし自分自身を呼び出す再帰の形で書いていたら、1000回ほどの
# 呼び出しで Python の限界に達していたでしょう。

# --- 4.2 落とし穴 ---------------------------------------------------------------------
#
# `self.input` は関数のほうに記録されます。では、同じ関数オブジェクトを `f(f(x))`
# のように2回呼ぶとどうなるでしょうか。2回目の呼び出しが、1回目のメモを
# 上書きしてしまいます。上のクラスのままでは、y から f へ、f からその入力 a へ、a から
# その作り手、つまりまた f へと堂々めぐりになり、いつまでも終わりません。自作のクラスを
# 使うあいだは、上のループの `Neg()(y)` のように、呼び出すたびに新しいオブジェクトを
# 作ることにします。
#
# bibun にこの落とし穴はありません。インスタンスがもう一度呼ばれると、前の呼び出しがまだ
# 必要であれば、前のメモを持った写しが作られるからです。

# --- 4.3 同じプログラムを bibun で動かす ----------------------------------------------

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
y = Exp()(Neg()(Square()(x)))
y.backward()
print(f"{x.grad:.3f}")
# > -0.736
print(type(y.creator).__name__, type(y.creator.input.creator).__name__)
# > Exp Neg

x = Variable(np.array(1.0))
y = x
for _ in range(5001):
    y = Neg()(y)
y.backward()
print(f"{x.grad:.1f}")
# > -1.0

# わざと落とし穴に入ってみましょう。f(f(x)) = x⁴ で、x = 2 での微分は 4·2³ = 32 です。

x = Variable(np.array(2.0))
f = Square()
y = f(f(x))
y.backward()
print(f"{x.grad:.1f} {y.creator is f}")
# > 32.0 True

# やってみよう：`Sin` を書き、sin(x²) の微分を求めてみてください。
#
# ここまでの関数は、どれも入力が1つでした。入力が2つになると、鎖はグラフになり、どの順に
# 逆伝播するかが問題になります。これが次のステップ5です。
