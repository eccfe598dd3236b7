"""ステップ9　線形回帰

元の記事で見出しだけになっていた、勾配法による線形回帰のパラメータ推定です。さらに、
統計学では必ず問われること、つまり推定値がどのくらい確かなのかまで調べます。

    python docs/steps/ja/step09_linear.py
"""

# --- 9.1 モデルと尤度 -----------------------------------------------------------------
#
# ペンギンの体重は、くちばしやフリッパーの大きさ、性別とどのような関係があるでしょうか。
#
#     yᵢ = β₀ + β₁ xᵢ₁ + … + β₄ xᵢ₄ + εᵢ      εᵢ は互いに独立で、平均 0、分散 σ² の正規分布に従う
#
# X に切片のための 1 の列を含めて、y = Xβ + ε と書きます。yᵢ の密度関数は
# わかっているので、その対数の和をとれば、対数尤度が得られます。
#
#     ℓ(β, σ²) = -(n/2) log(2πσ²) - RSS(β) / (2σ²)      RSS(β) = Σ (yᵢ - xᵢᵀβ)²
#
# β が現れるのは、残差平方和 RSS の中だけです。σ がいくつであっても、RSS が最小のときに
# 尤度は最大になります。つまり、このモデルでは最尤推定と最小2乗法は同じものです。

import csv
from importlib import resources

import numpy as np
import scipy.special

import bibun as bb

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "male"]
table = {name: np.array([float(row[name]) for row in rows]) for name in names[:3]}
table["male"] = np.array([float(row["sex"] == "male") for row in rows])
y = np.array([float(row["body_mass_g"]) for row in rows])

columns = np.column_stack([table[name] for name in names])
mean, sd = columns.mean(axis=0), columns.std(axis=0)
X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
n, p = X.shape
print(n, p)
# > 333 5

# ステップ8で学んだとおり、説明変数は標準化してあります。性別は 0 と 1 の列で表します。

# --- 9.2 勾配を、手で求め、機械で求める -----------------------------------------------
#
# 2乗和そのものより、その半分のほうが微分が簡単になります。
#
#     ½ RSS(β) = ½ Σ (yᵢ - xᵢᵀβ)²
#     ∂/∂βⱼ:      Σ (yᵢ - xᵢᵀβ) · (-xᵢⱼ)         勾配        -Xᵀ(y - Xβ)
#     ∂²/∂βⱼ∂βₖ:  Σ xᵢⱼ xᵢₖ                       ヘッセ行列    XᵀX
#
# bibun に渡すのは1行目だけです。残りは bibun が求めます。


def half_rss(beta):
    return 0.5 * np.sum((y - X @ beta) ** 2)


somewhere = np.array([4000.0, 1.0, -2.0, 3.0, -4.0])
print(np.allclose(bb.grad(half_rss)(somewhere), -X.T @ (y - X @ somewhere), rtol=1e-12))
# > True
print(np.allclose(bb.hessian(half_rss)(somewhere), X.T @ X, rtol=1e-12, atol=1e-9))
# > True

# --- 9.3 勾配降下法 -------------------------------------------------------------------
#
# 学習率がデータの量によって変わらないように n で割り、η = 1/λmax とします。勾配の成分の
# 最大値が、最初の10億分の1になったら終わりにします。


def loss(beta):
    return half_rss(beta) / n


gradient = bb.grad(loss)
eigenvalues = np.linalg.eigvalsh(bb.hessian(loss)(np.zeros(p)))
rate = 1 / eigenvalues.max()
print(f"{rate:.3f} {eigenvalues.max() / eigenvalues.min():.1f}")
# > 0.493 12.6

beta, steps = np.zeros(p), 0
g = gradient(beta)
first = np.abs(g).max()
while np.abs(g).max() > 1e-9 * first:
    beta, steps = beta - rate * g, steps + 1
    g = gradient(beta)
print(steps, beta.round(2))
# > 186 [4207.06  -12.72 -169.27  543.36  270.5 ]

# 正しいところに着いたでしょうか。勾配が 0 になるところでは XᵀXβ = Xᵀy が成り立ちます。
# これは正規方程式で、直接解くことができます。

direct = np.linalg.solve(X.T @ X, X.T @ y)
print(np.abs(beta - direct).max() / np.abs(direct).max() < 1e-8)
# > True

# 方程式を1つ解けばすむのに、なぜ百回以上も進むのでしょうか。このモデルに限れば、
# そうする人はいません。しかし、このような方程式を持つモデルはほとんどありません。一方、
# 勾配はどのモデルにもあります。

# --- 9.4 どのくらい確かか：標準誤差 ---------------------------------------------------
#
# 別のペンギンを測っていたら、別の数値になったでしょう。推定値は
# どのくらいばらつくのでしょうか。正規方程式の解に y = Xβ + ε を代入します。
#
#     β̂ = (XᵀX)⁻¹ Xᵀ y = β + (XᵀX)⁻¹ Xᵀ ε
#
# したがって β̂ は平均的に正しく（不偏）、Var(ε) = σ² I より
#
#     Var(β̂) = (XᵀX)⁻¹ Xᵀ · σ² I · X (XᵀX)⁻¹ = σ² (XᵀX)⁻¹
#
# となります。対角成分の平方根が標準誤差です。ここでもヘッセ行列の逆行列が現れました。
# RSS が急に増える方向では推定は精密で、なだらかな方向では推定はあいまいです。
#
# σ² は未知です。最尤推定値は RSS/n ですが、これは平均的に小さすぎます。β̂ をこの
# データ自身に合わせたからです。残差は n - p 次元の空間にあり、E[RSS] = (n - p) σ² と
# なります。そこで、次の値を使います。
#
#     s² = RSS / (n - p)
#
# 標準誤差まで正確に求めるため、ここからは直接解いた値を使います。

beta = direct
rss = 2 * half_rss(beta)
s2 = rss / (n - p)
covariance = s2 * np.linalg.inv(bb.hessian(half_rss)(beta))
print(f"{np.sqrt(s2):.1f}")
# > 340.8

# --- 9.5 グラムとミリメートルに戻す ---------------------------------------------------
#
# 標準化は計算の都合でした。読む人が知りたいのは、1ミリメートルあたりの効果です。
#
#     Σ βⱼ (xⱼ - meanⱼ) / sdⱼ = Σ (βⱼ / sdⱼ) xⱼ - Σ βⱼ meanⱼ / sdⱼ
#
# なので、元の説明変数についての係数は、下の行列 B を使って Bβ と書けます。その
# 共分散行列は B Var(β̂) Bᵀ です。

B = np.diag(np.concatenate([[1.0], 1 / sd]))
B[0, 1:] = -mean / sd
coef = B @ beta
bse = np.sqrt(np.diag(B @ covariance @ B.T))

# βⱼ = 0 という帰無仮説のもとで、比 t = β̂ⱼ / 標準誤差 は、自由度 n - p の t 分布に
# 従います（正規分布ではないのは、σ² も推定しているからです）。p 値は、0 からこれ以上
# 離れた値が出る確率です。

t = coef / bse
p_value = 2 * scipy.special.stdtr(n - p, -np.abs(t))
for row in zip(["(intercept)", *names], coef, bse, t, p_value, strict=True):
    print("{:17} {:11.4f} {:9.4f} {:8.3f} {:9.2g}".format(*row))
# > (intercept)        -2288.4650  631.5802   -3.623   0.00034
# > bill_length_mm        -2.3287    4.6843   -0.497      0.62
# > bill_depth_mm        -86.0882   15.5698   -5.529   6.6e-08
# > flipper_length_mm     38.8258    2.4478   15.862   1.9e-42
# > male                 541.0285   51.7098   10.463   2.7e-22

loglik = -n / 2 * (np.log(2 * np.pi * rss / n) + 1)
print(f"{loglik:.4f}")
# > -2411.8259

# 最後の数値は、σ² = RSS/n としたときの ℓ の最大値です。この表は、`bibun demo` が
# 表示するものと同じです。ほかの変数が同じなら、フリッパーが1ミリメートル長いと体重は
# 39グラム重く、雄は雌より541グラム重いことがわかります。くちばしの長さの係数は、0 と
# 区別がつきません。
#
# やってみよう："male" を除いてみてください。いちばん大きく変わる係数はどれでしょうか。
# それはなぜでしょうか。
#
# 次のステップ10では、目的変数が「はい」か「いいえ」の場合を扱います。
