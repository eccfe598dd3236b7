"""ステップ5　多変数の関数と、逆伝播の順序

2変数の関数があると、鎖はグラフになります。逆伝播を正しくするために、規則が2つ
加わります。「勾配は足し合わせる」「新しいものから順に進む」の2つです。

    python docs/steps/ja/step05_order.py
"""

# --- 5.1 入力がいくつもある場合 -------------------------------------------------------
#
# `__call__` は任意の個数の Variable を受け取り、`forward` は同じ個数の配列を
# 受け取るようにします。それに合わせて `backward` も、入力ごとに1つずつ、同じ個数の
# 勾配を返します。積 y = ab であれば、dy/da = b、dy/db = a です。
#
# 逆伝播も書き直す必要があります。ここでは2回に分けて書きます。1回目はわざと
# 間違えますが、どこが間違っているのかがよい勉強になります。そのため、`backward` はまだ
# メソッドにしません。

import itertools
import weakref

import numpy as np

now = itertools.count(1).__next__  # 読むたびに1つ進む時計


class Variable:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.grad = None
        self.creator = None
        self.order = now()  # 追加：作られた時刻（5.3節で使う）

    def cleargrad(self):  # 追加（5.2節で使う）
        self.grad = None


class Function:
    def __call__(self, *inputs):  # 変更：入力はいくつでもよい
        self.inputs = inputs
        output = Variable(self.forward(*[x.data for x in inputs]))
        output.creator = self
        return output


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        return -gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return b.data * gy, a.data * gy


# --- 5.2 同じ変数を2回使う：勾配は足し合わせる ----------------------------------------
#
# y = x + x としましょう。関数 Add は勾配を2つ返しますが、どちらも x の勾配です。2つ目が
# 1つ目を上書きしてしまうと、dy/dx は 1 になります。正しくは 2 です。y が a と b の
# 関数で、a と b がどちらも x の関数であれば、多変数の連鎖律により
#
#     dy/dx = ∂y/∂a · da/dx + ∂y/∂b · db/dx
#
# となるからです。ある変数に届いた勾配は、すでにある値に足していきます。（`x.grad += gx`
# ではなく `x.grad = x.grad + gx` と書きます。前者は配列の中身を書き換えてしまいますが、
# Add は同じ配列をもう一方の入力にも渡しているからです。）
#
# これが1回目の試みです。ステップ4のループに、「これから処理する変数」のリストを
# 加えました。


def walk_with_a_stack(y):
    y.grad = np.ones_like(y.data)
    todo = [y]
    while todo:
        v = todo.pop()
        if v.creator is None:
            continue
        gxs = v.creator.backward(v.grad)
        for x, gx in zip(v.creator.inputs, gxs if isinstance(gxs, tuple) else (gxs,), strict=True):
            x.grad = gx if x.grad is None else x.grad + gx
            todo.append(x)


x = Variable(np.array(3.0))
walk_with_a_stack(Add()(x, x))
print(x.grad)
# > 2.0

# --- 5.3 順序：新しいものから先に -----------------------------------------------------
#
# ここまでは順調です。では x² exp(-x²) はどうでしょうか。a = x² は1回だけ計算し、2か所で
# 使います。
#
#                 ┌──────────────────────────┐
#     x ─Square─▶ a ─Neg─▶ b ─Exp─▶ c ─Mul─▶ y
#
# 導関数は 2x(1 - x²) exp(-x²) で、x = 0.6 では 0.536 です。1回目の試みでは
# こうなります。

x = Variable(np.array(0.6))
a = Square()(x)
c = Exp()(Neg()(a))
y = Mul()(c, a)
walk_with_a_stack(y)
print(f"{x.grad:.3f} {2 * 0.6 * (1 - 0.6**2) * np.exp(-(0.6**2)):.3f}")
# > 1.373 0.536

# 間違った値が、何の警告もなしに出てきました。Mul から a へは2つの道があります。直接の
# 道と、c と b を通る道です。1回目の試みは短い道を先に進み、a の勾配の残り半分がまだ
# 届かないうちに、a から x へ進んでしまいました。残り半分が届くと a がもう一度処理され、
# 前半の分が二重に数えられたのです。
#
# ある変数から先へ進んでよいのは、届くはずの勾配がすべて届いたときだけです。つまり、その
# 変数を使った計算が、すべて処理されていなければなりません。それはどうすれば
# わかるでしょうか。時計を見ればよいのです。計算の結果は、必ず計算に使われたものより
# 新しくなります。y の背後にある変数を新しいものから順に取り出せば、どの変数も、自分を
# 使って計算されたものがすべて終わった後に出てきます。探索も数え上げもいりません。
# `order` で1回並べ替えるだけです。
#
# 2回目の試みでは、あと2つのことを決めておきます。途中の勾配は辞書に入れておき、`grad`
# に残すのは葉の勾配だけにします。途中の変数の勾配が必要になることはめったになく、
# メモリも使うからです（必要なときは、bibun では `backward(retain_grad=True)` と
# 書きます）。また、葉の `grad` にすでに値があれば、それに足します。こうすると、
# いくつかの損失の勾配を合計できます。初めからやり直すときは `cleargrad` を呼びます。


def history(y):
    # y とその背後にある変数を、新しい順に返す
    found = [y]
    seen = {y}
    for v in found:  # found はループの途中で伸びていく
        for x in v.creator.inputs if v.creator is not None else ():
            if x not in seen:
                seen.add(x)
                found.append(x)
    return sorted(found, key=lambda v: v.order, reverse=True)


def backward(y):
    grads = {y: np.ones_like(y.data) if y.grad is None else y.grad}
    for v in history(y):
        g = grads.pop(v)
        if v.creator is None:
            v.grad = g if v.grad is None else v.grad + g
            continue
        gxs = v.creator.backward(g)
        for x, gx in zip(v.creator.inputs, gxs if isinstance(gxs, tuple) else (gxs,), strict=True):
            grads[x] = gx if x not in grads else grads[x] + gx


Variable.backward = backward

x.cleargrad()
y.grad = None
y.backward()
print(f"{x.grad:.3f}")
# > 0.536
y.backward()
print(f"{x.grad:.3f}")
# > 1.072
x.cleargrad()
y.backward()
print(f"{x.grad:.3f}")
# > 0.536

# リバースモードの自動微分は、これがすべてです。この講座の残りも、bibun の残りの部分も、
# これをより便利に、より速く、より確かにするためのものです。

# --- 5.4 演算子 -----------------------------------------------------------------------
#
# いつも `Mul()(c, a)` と書くのは面倒です。Python は `*` の意味を演算対象のクラスに
# 尋ねるので、演算子はあとから Variable に取り付けられます。Variable と数値の演算では、
# まず数値を箱に入れます（`__rmul__` は、`2.0 * x` のように Variable が右側にある場合の
# ためのものです）。


def boxed(x):
    return x if isinstance(x, Variable) else Variable(x)


Variable.__add__ = Variable.__radd__ = lambda a, b: Add()(a, boxed(b))
Variable.__mul__ = Variable.__rmul__ = lambda a, b: Mul()(a, boxed(b))
Variable.__neg__ = lambda a: Neg()(a)

x = Variable(np.array(0.6))
a = x * x
y = 2.0 * a * Exp()(-a) + 1.0
y.backward()
print(f"{x.grad:.3f}")
# > 1.072

# --- 5.5 何が何を指しているか ---------------------------------------------------------
#
# 結果は入力を指し、その逆はありません。ですから y がなくなると、x は残っていても、
# グラフはその場で消えます。循環参照を探して片づける必要もありません。繰り返しのたびに
# グラフを作っても、メモリの使用量は増えていきません。

middle = weakref.ref(a)
del a, y
print(middle() is None)
# > True

# --- 5.6 同じプログラムを bibun で動かす ----------------------------------------------

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.inputs[0].data * gy


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        return -gy


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return np.exp(self.inputs[0].data) * gy


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return b.data * gy, a.data * gy


x = Variable(np.array(3.0))
Add()(x, x).backward()
print(f"{x.grad:.1f}")
# > 2.0

x = Variable(np.array(0.6))
a = Square()(x)
c = Exp()(Neg()(a))
y = Mul()(c, a)
y.backward()
print(f"{x.grad:.3f}")
# > 0.536
y.backward()
print(f"{x.grad:.3f}")
# > 1.072
x.cleargrad()
y.backward()
print(f"{x.grad:.3f}")
# > 0.536

# bibun には演算子も最初から備わっています。時計の値を見ることもできます。途中の変数の
# 勾配は、頼めば残してくれます。このグラフの図は docs/images/steps/diamond.svg に
# あります。

x = Variable(np.array(0.6))
a = x * x
y = a * Exp()(-a)
print(x.order < a.order < y.order)
# > True
y.backward()
print(a.grad)
# > None
x.cleargrad()
y.backward(retain_grad=True)
print(f"{a.grad:.3f} {x.grad:.3f}")
# > 0.447 0.536

# やってみよう：5.3節で Mul の2つの入力を入れ替えて Mul()(a, c) とし、walk_with_a_stack
# を呼んでみてください。やはり間違った値になるでしょうか。鉛筆を持って、逆伝播の順序を
# たどってみましょう。
#
# 次のステップ6では、勾配をもう一度微分します。
