"""ステップ7　NumPy のコードをそのまま微分する

1行ごとに Function を書くのは大変です。実は、NumPy のほうから Variable に
「どうしますか」と尋ねてくれます。それに答えるのが、1つの微分を1行で書いた表です。

    python docs/steps/ja/step07_numpy.py
"""

# --- 7.1 NumPy が尋ねてくる -----------------------------------------------------------
#
# `np.exp` は、私たちのクラスよりずっと前に作られた関数です。それでも私たちのクラスを
# 受け取れるのは、NumPy があらゆるクラスと、ある約束をしているからです。引数が
# `__array_ufunc__` というメソッドを持っていると、関数は自分では計算せず、そのメソッドを
# 呼び出して、自分が何という関数かを伝えます。`np.sum` のように要素ごとではない関数は、
# `__array_function__` を通して同じことをします。短いクラスで確かめてみましょう。

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

# 2番目の例に注目してください。配列が左側にあるのに、配列のほうが譲っています。Variable
# では、この2つのメソッドが関数を表から探し、見つかった規則に計算と記録を任せます。
# こうして、ふつうの NumPy のコードが、手を加えないまま微分できるようになります。

x = Variable(np.array([1.0, 2.0]))
y = np.sum(np.exp(-(x**2)))
y.backward()
print(x.grad, y.creator)
# > Variable([-0.73575888, -0.07326256]) <sum of 1 tracked input>

# `y.creator` は、尋ねられたときに初めて作られます。表にある関数については、bibun は
# Function オブジェクトを持たず、表の規則と入力だけを持っています。

# --- 7.2 ブロードキャスト -------------------------------------------------------------
#
# NumPy は形状を引き延ばします。(3, 1) + (4,) の結果は (3, 4) です。この足し算では、
# 1つ目の配列の各要素が4回ずつ使われます。同じものを何度も使えば、ステップ5の規則に
# より、勾配は足し合わされます。そこで、引き延ばされた軸について勾配の和をとります。
# 勾配の形状は、いつも元の変数の形状と同じです。

column, row = Variable(np.ones((3, 1))), Variable(np.ones(4))
np.sum(column + row).backward()
print(column.grad.shape, row.grad.shape)
# > (3, 1) (4,)
print(row.grad)
# > Variable([3., 3., 3., 3.])

# --- 7.3 微分は1つにつき1行 -----------------------------------------------------------
#
# bibun の表（src/bibun/rules/ufuncs.py）で、exp と積は次のように書かれています（積を
# 速くするための指定は省きました）。y は出力で、そのあとに入力が並びます。
#
#     elementwise(np.exp, lambda y, x: y)
#     elementwise(np.multiply, lambda y, a, b: b, lambda y, a, b: a)
#
# ステップ3では2つのメソッドを持つクラスだったものが、わずか1行です。書いてあるのは
# 数学だけです。(eˣ)' = eˣ、∂(ab)/∂a = b、∂(ab)/∂b = a です。gy を掛けるところは、この
# 種類のどの関数でも同じなので、表には書きません。
#
# 表にない関数を使うと、どの行が足りないのかをエラーメッセージが教えてくれます。
# たとえば、度を単位とする正弦です。

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

# 2階微分はひとりでに得られました。理由はステップ6で述べたとおりです。規則の中身は NumPy
# のコードであり、NumPy のコードは Variable でも動くからです。フォワードモードなども同じ
# 1行から得られます。
#
# `elementwise`（要素ごと）は、6つある言葉の1つです。ほかの5つは、`linear`（線形：和、
# reshape、添字）、`multilinear`（多重線形：行列の積）、`general`
# （一般：コレスキー分解、固有値）、`composite`（ほかの関数による定義）、`constant`
# （微分が 0：floor、比較）です。

# --- 7.4 Variable は、ほとんど配列 ----------------------------------------------------
#
# Variable には形状も長さもあり、添字で切り出したり、メソッドを呼んだり、大小を
# 比べたりできます。真偽値に微分はないので、比較の結果はふつうの配列になります。`==` が
# 値の比較であることから、1つ注意が必要です。2つの Variable は、値が等しくてもグラフの
# 別々のノードです。そこで、ステップ5の `grads` のように辞書のキーとして使うときは、
# 値ではなく、その Variable 自身を表すものとします。

v = Variable(np.array([1.0, 2.0, 3.0]), name="v")
print(v.shape, len(v), v[1:], v.mean(), v > 1.5)
# > (3,) 3 Variable([2., 3.]) Variable(2.) [False  True  True]
print(v, f"{v[0]:.2f}")
# > Variable([1., 2., 3.], name='v') 1.00
w = Variable(np.array(1.0))
print(bool(v[0] == w), len({v[0], w}))
# > True 2

# --- 7.5 黙ってただの数値にはならない -------------------------------------------------
#
# 危険が1つ残っています。`math.exp(v)` や `float(v)` は、ただの数値を要求します。もし
# 数値を渡してしまうと、計算は履歴のないまま続き、勾配は本来と違う値や 0 になります。
# しかも、誰もそれに気づきません。そこで、記録されている Variable はこれを断り、代わりに
# 何と書けばよいかを伝えます。本当に数値がほしいときは、`v.item()` や `v.data` と
# 書きます。

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

# 定数には失うものがないので、何にでも変換できます。また、`if v > 0:` と
# 書いてもかまいません。プログラムは一方の分岐に進み、実際に進んだほうが記録されます。

w.grad = 0.5
print(float(w.grad), "positive" if w > 0 else "negative")
# > 0.5 positive

# --- 7.6 値は変わらない ---------------------------------------------------------------
#
# 逆伝播では、順伝播のときの値を使います。そのあいだに誰かが値を書き換えると、勾配が
# 間違ってしまいます。これを防ぐために、3つの対策があります。
#
# - 計算結果の data には書き込めません。
# - 要素への代入 `v[0] = …` は断ります。`np.where` や `np.stack` で同じことができます。
# - 計算結果は、入力とともに、計算に使った配列も保持します。小さな配列は写しをとります。
#   大きな配列は逆伝播の前に照合し、変わっていればエラーにします。
#
# 葉には、丸ごと新しい data を入れることができます。勾配降下法（ステップ8）はこれを
# 使います。葉はそこから新しく始まり、それまでの計算結果は、計算に使ったときの値を
# 保ちます。

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

# やってみよう：正規分布の対数密度関数を、mu と log sigma の関数としてふつうの NumPy で
# 書き、`bb.grad(…, argnums=(0, 1))` で勾配を求めてみてください。
#
# 次のステップ8からは、微分を使っていきます。まず、勾配に沿って降りていきます。
