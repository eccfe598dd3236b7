"""ステップ1　変数と関数

数値を箱に入れ、演算をオブジェクトにします。あとで「何が起きたか」を覚えさせるための
準備です。

    python docs/steps/ja/step01_variables.py

「# >」で始まる行は、そのすぐ上の文を実行したときの表示です。
"""

# --- 1.1 ただの数値では足りない -------------------------------------------------------
#
# Python で `x**2` を計算すると、数値が返ってきます。その数値は、自分が2乗の結果である
# ことを覚えていません。ところが微分とは、「その値がどのように計算されたか」についての
# 問いです。そこで、計算の方法ではなく、数値のほうを変えます。数値を箱に入れ、その箱に
# メモを書き足せるようにするのです。

import numpy as np


class Variable:
    def __init__(self, data):
        data = np.asarray(data)
        if data.dtype.kind not in "biufc":  # 真偽値、整数、符号なし整数、実数、複素数
            raise TypeError(f"a Variable holds numbers, not {data.dtype}")
        self.data = data


x = Variable(10)
print(x.data, x.data.shape)
# > 10 ()

# 箱の中身は、数が1つだけのときでも必ず NumPy の配列にします。軸のない、形状 `()` の
# 配列です。NumPy 自身はここが少し緩く、そのような配列で計算すると、結果は配列ではなく
# スカラー型になります。結果を箱に入れるときにもう一度 `np.asarray` を通すのは、この
# ためです。

print(type(np.array(10.0)).__name__, type(np.array(10.0) ** 2).__name__)
# > ndarray float64

# 数値でないものは入口で断ります。誤りは、起きたその場で見つかるのがいちばんです。

try:
    Variable("ten")
except TypeError as error:
    print(error)
# > a Variable holds numbers, not <U3

# --- 1.2 演算をオブジェクトにする -----------------------------------------------------
#
# 関数にはいろいろな種類がありますが、どれも次の3つのことをします。箱から数値を
# 取り出し、計算し、結果を新しい箱に入れる。最初と最後はどの関数でも同じなので、共通の
# 基底クラスに書きます。途中の計算は関数ごとに違うので、派生クラスの `forward`
# メソッドに書きます。


class Function:
    def __call__(self, x):
        return Variable(self.forward(x.data))

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward")


class Square(Function):
    def forward(self, x):
        return x**2


f = Square()
y = f(x)
print(type(y).__name__, y.data)
# > Variable 100

# `__call__` の `x` は Variable ですが、`forward` の `x` はふつうの配列です。新しい
# 関数を書く人は、配列の計算だけを考えればよいのです。そのため、同じクラスで列全体を
# 2乗することもできます。

print(f(Variable([1.0, 2.0, 3.0])).data)
# > [1. 4. 9.]

# --- 1.3 同じプログラムを bibun で動かす ----------------------------------------------
#
# bibun にも同じ2つのクラスがあります。自作のクラスの代わりにこれを読み込みます。
# プログラムのほかの部分は一字も変わらず、表示される数値も変わりません。

from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2


x = Variable(10)
f = Square()
y = f(x)
print(type(y).__name__, y.data)
# > Variable 100
print(f(Variable([1.0, 2.0, 3.0])).data)
# > [1. 4. 9.]

# やってみよう：`Cube`（3乗）を書いてみてください。書かずにすんだのはどの行でしょうか。
#
# 次のステップ2では、関数をつなげます。
