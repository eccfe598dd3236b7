"""ステップ12　エンジンの実際の姿

src/bibun/core/ のファイルを横に開きながら、中を歩いてみましょう。そこにあるものの
ほとんどは、すでに自分で作ったものです。

    python docs/steps/ja/step12_engine.py
"""

# 最初に1つ注意があります。以下で使う `bibun.core…` という名前は、bibun の内部の
# ものです。読むために使うのはかまいませんが、プログラムでは `import bibun` で使える
# ものだけを使ってください。

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

# --- 12.1 graph.py：箱に書かれていること ----------------------------------------------
#
# 上の y は、ステップ5の関数です。Variable は `Node`（グラフのノード）の一種で、Node
# には5つの属性があります。属性の名前は `__slots__` に並べてあり、Python はちょうどこの
# 分だけ場所を用意します。

print(Node.__slots__)
# > ('_data', 'inputs', 'order', 'rule', 'values')
print(isinstance(x, Node))
# > True

# - `_data`：値（ステップ1、7）。
# - `rule`：これを作ったもの。葉では None。ステップ4の `creator` にあたります。表にある
#   関数の場合は `Form` で、規則と、「どの引数が記録の対象か」という情報を持ちます。
# - `inputs`：計算に使われた Variable。ステップ5では Function が持っていました。ここでは
#   計算結果のほうが持つので、1つの規則をすべての呼び出しで使い回せます。
# - `values`：`inputs` とは別に、すべての引数を配列のまま持ちます（ステップ7）。
#   計算するだけの逆伝播はこれを読むので、箱を開ける必要がありません。
# - `order`：時計 `now` の時刻（ステップ5）。定数では 0（ステップ6）。

print(a.rule.name, a.rule.where, [v is x for v in a.inputs], a.values)
# > multiply (0, 1) [True, True] (array(0.6), array(0.6))
print(x.rule, x.order < a.order < y.order < now())
# > None True

# `history` は、結果の背後にあるものを集めます。ステップ5の関数と同じですが、演算の
# リストと、探索が終わった「端」のリストを返します。引数の `low` は、どのくらい古い
# ノードまで入ってよいかを表します。入れ子になった微分を区別しているのはこれです
# （ステップ6）。

nodes, edge = history([y])
print([v.rule.name for v in nodes], edge[0] is x)
# > ['multiply', 'exp', 'negative', 'multiply'] True

# このファイルの残りも見ておきましょう。`Parts` は、結果がいくつもある演算の値です。
# `BOUNDARY`、`CLOSED`、`SPENT` は、微分の出発点となる新しい Variable の印で、関数の
# 実行中か終了後かを表します。

# --- 12.2 backward.py：逆伝播 ---------------------------------------------------------
#
# `reverse` はステップ5のループです。新しいものから順に進み、途中の勾配は辞書に入れ、
# 届いた勾配は足していきます。ほとんどの演算は入力が1つか2つなので、その2つの場合は別に
# 書いてあります。

grads = reverse(nodes, {y: np.ones(())})
print(f"{grads[x]:.3f} {len(grads)}")
# > 0.536 1

# `pull` は、これまで `backward` と呼んでいたものです。結果の勾配から入力の勾配を
# 求めます。配列を渡せば計算だけを行い、Variable を渡せば記録されます（ステップ6）。
# コードは1つだけで、どちらになるかは何を渡すかで決まります。

e = np.exp(x)
print(f"{e.rule.pull(1.0, e._data, e.values):.3f}")
# > 1.822
print(e.rule.pull(Variable(1.0), e, e.inputs).creator)
# > <multiply of 2 tracked inputs>

# 単なる計算以外のことをしたいときは、`reverse` に `step` を渡します。`stepper(True)` は
# 記録し、`checked` は NaN を探し（`bb.debug_nans`）、`absorbing` は「0 × 無限大」を 0
# とします。最後のものが使われるのは、逆伝播の結果が NaN になったときだけです。次の
# 例では、平方根の 0 での傾きは無限大ですが、0 を掛けているので、微分は 0 です。

zero = Variable(np.array(0.0))
(np.sqrt(zero) * 0.0).backward()
print(zero.grad)
# > Variable(0.)

# `cotangents` は `bb.grad` のための逆伝播です。`backward` に似ていますが、指定された
# 結果から指定された変数までをたどり（`within` がそのあいだにあるものを見つけ、`depends`
# が関係のないものを除きます）、どの `grad` にも書き込みません。外から来た、記録中の
# 変数が関わっているときに限って、逆伝播が記録されます。cotangent（余接ベクトル）とは、
# 私たちが gy や gx と呼んできたものを指す、この分野の用語です。

# --- 12.3 record.py：結果が生まれるところ ---------------------------------------------
#
# `record` は、ステップ5の `Function.__call__` にあたるもので、表にある関数のために
# 使われます。引数を順に見て、箱から配列を取り出し、計算し、新しい Variable の5つの
# 属性を埋めます。記録の対象となる引数が1つもないとき、または `no_grad` の中では、結果は
# 定数になります。小さな配列は写しをとり、大きな配列は見張ります（`watch.py`、
# ステップ7）。
#
# `lane_one`、`lane_two`、`lane_linear` は、よくある場合のための近道です。同じような
# ことが何度も展開して書かれていて、奇妙に見えるかもしれません。小さな演算にかかる時間の
# 半分はここで使われるので、ここでは（ほかではほとんどしないことですが）美しさより速さを
# 優先しています。意味を知りたいときは `record` を読んでください。

with bb.no_grad():
    silent = x * x
print(silent.order, silent.rule)
# > 0 None

# --- 12.4 rule.py、elementwise.py、words.py：微分の表 ---------------------------------
#
# `RULES`（dispatch.py）は、NumPy の関数から、その代わりに答えるものを引く辞書です。
# `TABLE` には、すべての規則が並んでいます。words.py の `elementwise` は、ステップ7の
# 1行から規則を作り、それを `RULES` に登録します。要素ごとではない関数は kinds.py に
# あります。

print(np.exp in RULES, e.rule.rule, e.rule.rule in TABLE)
# > True <elementwise rule of exp> True
(slope,) = e.rule.rule.partials
print(f"{slope(e._data, 0.6):.3f}")
# > 1.822

# `slope` は、表にある `lambda y, x: y` そのものです。elementwise.py は、これをもとに
# 小さな関数を2つ、ソースコードとして書き出してコンパイルします。`pull` と、
# フォワードモードのための `push` です。記録の対象となる引数が1つの exp では、
# 次のようになります。
#
#     def pull(g, y, args):            def push(y, args, ts):
#         return g * y                     t, = ts
#                                          total = t * y
#                                          return total
#
# プログラムでプログラムを書くのは、大げさに見えるかもしれません。そうしなければ、引数に
# ついてのループの中で、傾きが 1 かどうか、形状が引き延ばされたかどうか、記録の
# 対象かどうかを毎回調べることになります。どれも前もってわかることなので、1回だけ
# 調べればよいのです。
#
# どの種類の規則についても、テストは規則の `domain`（定義域）や `cases`（例）から引数を
# 作り、差分商（ステップ3）と比べます。表に1行書けば、その1行はひとりでに
# テストされます。

# --- 12.5 variable.py を1行ずつ -------------------------------------------------------
#
# variable.py を開いてください。このファイルで定義されているものに、どのステップで
# 出会ったかを、ファイルの順に並べます。数字はステップの番号です。

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

# いくつか補足しておきます。
#
# - `__slots__` は、Node の属性に3つの場所を加えます。`_grad`、`_name`、そして弱参照
#   （ステップ5）のための場所です。一度も値を入れていない場所は存在しないので、
#   `getattr(…, None)` で読みます。
# - `data` を読むとき：スカラーは配列になり（ステップ1）、計算結果の data は書き込めない
#   ビューとして渡されます（ステップ7）。設定するとき：その変数は葉になり、新しい
#   `order` を持ちます。記録中の Variable を入れると履歴が失われるので、断ります。
# - `grad`：入れたものは定数になります（ステップ6）。形状が合っていなければなりません
#   （ステップ3）。
# - `backward`：出発点の値。`grad` に値がなければ、結果と同じ形状の 1 の配列
#   （ステップ4。配列は `zeros_for` が作る）。`history`。`BOUNDARY` があれば断る
#   （ステップ6）。記録、検査、保存が必要なら `step` を用意する（`_keeping` は
#   `retain_grad` のためのもの。ステップ5）。`reverse`。`has_nan` なら `absorbing` で
#   もう一度。最後に葉の勾配に足す（ステップ5）。`fitted` は勾配の型を葉の型に
#   合わせます。float32 は float32 のままです。傾きが無限大になるのは誤りではないので、
#   そのあいだ NumPy の警告は止めておきます（`np.errstate`）。
# - `modes.on` は、どこかで有効になっているモード（`no_grad`、`debug_nans`、`vmap` の
#   ための記録）の数です。0 でないときにだけ、このスレッドで何が有効かを `here` で
#   調べます。
# - `__array__`、`__float__` から `__index__` まで：黙ってただの数値にはなりません
#   （ステップ7）。それを伝えるのが `_escapes` です。数値を要求したのが SciPy の
#   関数であれば（`scipys_function`）、代わりに使える bibun の関数名も伝えます。
#   例外は SciPy の疎行列です（`shown_to_sparse`）。`S @ v` は `v` が配列かどうかを尋ねて
#   くるので、配列ではないものを1つだけ見せると、積の計算は `v` のほうに任されます。
#   `__bool__` は許されます。ただし、ほかの値でも使うためにプログラムを記録している
#   あいだは別です。いま選んだ分岐が、いつでも選ばれることになるからです。同じ理由で、
#   そのあいだは `_stays` が、`item` も含めて値の持ち出しを断ります。
# - `__iter__` は、数が1つだけのときは断ります。`for v in x` で取り出されるのは Variable
#   です。`__len__`、`shape`、`ndim`、`size`、`dtype`、`itemsize`、`nbytes` は配列の
#   ものです。
# - `__copy__`、`__deepcopy__`、`__reduce__`（pickle）：葉を写せば葉になります。
#   ファイルに入るのは値だけで、履歴は入りません。読み戻すのは `_unpickled` です。
# - `__array_ufunc__`、`__array_function__`：表を調べます（ステップ7）。表になければ
#   dispatch.py に任せます。`__array_priority__` と `__pandas_priority__` は、
#   ステップ7の配列のように、ほかのライブラリにも譲ってもらうための印です。
# - `__hash__`：キーとしての Variable は、その変数自身を表します（ステップ7）。
# - `Creator` は、表の規則をステップ4と同じ形で見せるものです。`input`、`inputs`、
#   `outputs` を持ちます。
# - `constant`（ステップ6）の order は 0 です。`inner` は `bb.grad` の出発点となる新しい
#   Variable を作り、`close` は境界としての役目を終わらせます。`as_data` は、ステップ1の
#   入口です。

fresh = variable.inner(0.6)
print(fresh.rule is BOUNDARY, variable.close(fresh).rule is BOUNDARY)
# > True False
small = Variable(np.array(0.6, np.float32))
(small * small).backward()
print(small.grad.dtype, variable.constant(np.ones(2)).order)
# > float32 0

# --- 12.6 function.py：自分で書く Function --------------------------------------------
#
# Function のインスタンスは、それが作ったノードの規則そのものです。`y.rule` は `f` で、
# `pull` されると、あなたの書いた `backward` を呼びます。このファイルで新しいのは、2つの
# 工夫です。1つ目は、インスタンスがもう一度呼ばれると、前のノードに写しを渡すことです
# （ステップ4の落とし穴）。


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

# 2つ目は、逆伝播を記録するときに、`backward` を双子のインスタンスの上で動かすことです。
# 双子の `self.input` は `Stand`（代役）で、その `.data` は Variable そのものです。
# ステップ6で `self.input.data` の微分ができたのは、このおかげです。

x.cleargrad()
Square()(x).backward(create_graph=True)
first = x.grad
x.cleargrad()
first.backward()
print(x.grad)
# > Variable(2.)

# --- 12.7 この先へ --------------------------------------------------------------------
#
# core の上にあるのは、どれも同じグラフの上を歩くプログラムです。transforms/ には
# `grad`、`hessian`、`jvp`、`vmap`、`taylor` があり、それぞれ短いファイルに
# 収まっています。report/ はグラフを描きます。ステップ9から11の回帰は、
# `LinearRegression`、`LogisticRegression`、`bibun fit` としてすぐに使えます。
# ARCHITECTURE.md が地図です。CONTRIBUTING.md を読めば、5分で微分を1つ追加できます。
#
# 属性が1つしかないクラスから始めて、ここまで来ました。
