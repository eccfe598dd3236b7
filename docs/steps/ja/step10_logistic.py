"""ステップ10　ロジスティック回帰

元の記事で見出しだけになっていた、2つ目のテーマです。今度は推定値を直接求める公式が
ないので、勾配をたどるしかありません。

    python docs/steps/ja/step10_logistic.py
"""

# --- 10.1 モデル ----------------------------------------------------------------------
#
# 測定値からペンギンの性別がわかるでしょうか。雄を y = 1、雌を y = 0 とし、雄である確率
# p をモデルで表します。正確には、p の対数オッズを表します。対数オッズはどんな実数にも
# なるので、1次式で表すことができます。
#
#     log(p / (1 - p)) = η = xᵀβ          p について解くと     p = 1 / (1 + exp(-η))

import csv
from importlib import resources

import numpy as np

import bibun as bb

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
columns = np.array([[float(row[name]) for name in names] for row in rows])
y = np.array([float(row["sex"] == "male") for row in rows])

mean, sd = columns.mean(axis=0), columns.std(axis=0)
X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
n, p = X.shape
print(n, int(y.sum()))
# > 333 168

# --- 10.2 対数尤度とその微分 ----------------------------------------------------------
#
# 雄の寄与は log p、雌の寄与は log(1 - p) です。log p = η - log(1 + e^η)、
# log(1 - p) = -log(1 + e^η) なので、どちらも1つの式で書けます。
#
#     ℓ(β) = Σ [ yᵢ log pᵢ + (1 - yᵢ) log(1 - pᵢ) ] = Σ [ yᵢ ηᵢ - log(1 + exp(ηᵢ)) ]
#
# log(1 + e^η) の微分は e^η / (1 + e^η) = p で、p の微分は p(1 - p) です。したがって
#
#     勾配          Σ (yᵢ - pᵢ) xᵢ  =  Xᵀ(y - p)
#     ヘッセ行列   -Σ pᵢ(1 - pᵢ) xᵢ xᵢᵀ  =  -XᵀWX      W = diag(pᵢ(1 - pᵢ))
#
# となります。勾配の形はステップ9と同じで、「観測値 - 予測値」に説明変数を掛けた
# ものです。ところが p は指数関数を通して β に依存するので、Xᵀ(y - p) = 0 を β について
# 解くことはできません。その一方で、-XᵀWX は半負定値です（どの方向でも正になりません）。
# つまり ℓ は上に凸で、2つ目の山はなく、勾配が 0 のところが最大です。
#
# 最小にする損失は -ℓ です。log(1 + exp(η)) をこのまま書くと、η が大きいときに
# 計算できません。対数をとればただの 1000 なのに、exp(1000) が無限大に
# なってしまうからです。`np.logaddexp(0, η)` は同じ関数を、そうならないように注意深く
# 計算します。


def negative_loglik(beta):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


somewhere = np.array([0.1, -0.2, 0.3, -0.4, 0.5])
probability = 1 / (1 + np.exp(-X @ somewhere))
W = np.diag(probability * (1 - probability))
print(np.allclose(bb.grad(negative_loglik)(somewhere), -X.T @ (y - probability), rtol=1e-12))
# > True
print(np.allclose(bb.hessian(negative_loglik)(somewhere), X.T @ W @ X, rtol=1e-12))
# > True
print(bb.grad(lambda eta: np.logaddexp(0, eta))(1000.0))
# > 1.0

# --- 10.3 勾配降下法 ------------------------------------------------------------------
#
# ステップ9と同じように、損失は平均をとり、学習率は出発点でのヘッセ行列から 1/λmax と
# します（出発点ではすべての p が 1/2 で、曲率 p(1 - p) はこれ以上大きくなりません）。
# 終了の条件も同じです。


def loss(beta):
    return negative_loglik(beta) / n


value_and_grad = bb.value_and_grad(loss)
rate = 1 / np.linalg.eigvalsh(bb.hessian(loss)(np.zeros(p))).max()
beta, steps = np.zeros(p), 0
value, g = value_and_grad(beta)
first = np.abs(g).max()
while np.abs(g).max() > 1e-9 * first:
    if steps in (0, 1, 10, 100, 1000):
        print(f"{steps:5} {value:.6f}")
    beta, steps = beta - rate * g, steps + 1
    value, g = value_and_grad(beta)
# >     0 0.693147
# >     1 0.552269
# >    10 0.329774
# >   100 0.243835
# >  1000 0.238744
print(f"{steps:5} {value:.6f}")
# >  2536 0.238744

# 出発点の損失は log 2 = 0.693147 で、いつも「2分の1」と答える人の損失です。最後には
# ゴールに着きますが、ステップ9よりもずっと回数がかかります。ステップ9では、曲率は
# どこでも同じでした。今度は曲率がだんだん小さくなります。予測が確かになるほど p(1 - p)
# は小さくなり、損失は平らになって、1回に進む幅が短くなるのです。ステップ11でこれを
# 改善します。

# --- 10.4 数値の意味 ------------------------------------------------------------------
#
# ステップ9の行列 B を使って、元の単位に戻します。係数は、説明変数が1単位増えたときの
# 対数オッズの変化です。その指数関数の値は、オッズが何倍になるか（オッズ比）を表します。

B = np.diag(np.concatenate([[1.0], 1 / sd]))
B[0, 1:] = -mean / sd
coef = B @ beta
for name, b in zip(["(intercept)", *names], coef, strict=True):
    print(f"{name:17} {b:11.6f} {np.exp(b):8.4f}")
# > (intercept)        -56.117404   0.0000
# > bill_length_mm       0.107630   1.1136
# > bill_depth_mm        2.031516   7.6256
# > flipper_length_mm   -0.032474   0.9680
# > body_mass_g          0.005512   1.0055
print(f"{-negative_loglik(beta):.4f}")
# > -79.5017

fitted = 1 / (1 + np.exp(-X @ beta))
print(f"{np.mean((fitted > 0.5) == (y == 1)):.3f}")
# > 0.910

# ほかの測定値が同じなら、くちばしが1ミリメートル厚いと、雄である確率のオッズは7倍以上に
# なります。また、10羽のうち9羽は正しく見分けられます。

# --- 10.5 最大値が存在しないとき ------------------------------------------------------
#
# ある説明変数で 0 と 1 が完全に分かれてしまうと（完全分離）、曲線は急であればある
# ほどよいことになります。このとき尤度に上限はありますが、最大値はありません。
# 勾配降下法はどんどん遅くなりながら、いつまでも進み続けます。

separated = np.array([-2.0, -1.0, 1.0, 2.0])
answers = np.array([0.0, 0.0, 1.0, 1.0])
slope_of = bb.grad(lambda b: np.mean(np.logaddexp(0, b * separated) - answers * b * separated))
b = 0.0
for step in range(1, 10_001):
    b = b - 1.0 * slope_of(b)
    if step in (10, 100, 1000, 10_000):
        print(f"{step:6} {b:.2f}")
# >     10 2.10
# >    100 4.02
# >   1000 6.23
# >  10000 8.52

# この道の途中のどこかで止まり、そこを推定値だと報告するプログラムは、使う人を
# 誤らせます。この状況に気づき、原因となった変数の名前を示さなければなりません。
#
# やってみよう：body_mass_g だけでモデルを当てはめてみてください。体重4000グラムのとき、
# 雄のオッズはいくつになりますか。
#
# 次のステップ11では、何千回もの反復が7回になり、標準誤差も求まります。
