"""ステップ11　ニュートン法と標準誤差

2階微分は、2つのことを同時に教えてくれます。どれだけ進めばよいかということと、着いた
場所がどのくらい確かかということです。

    python docs/steps/ja/step11_newton.py
"""

# --- 11.1 放物線をたどる --------------------------------------------------------------
#
# 勾配降下法には傾きしか見えないので、進む幅は外から与えなければなりません。ヘッセ行列 H
# があれば、曲がり具合も見えます。β の近くで、関数 f は2次関数で近似できます。
#
#     f(β + d) ≈ f(β) + gᵀd + ½ dᵀHd
#
# この2次関数の最小点は計算できます。勾配 g + Hd が 0 になるところ、すなわち
#
#     d = -H⁻¹ g
#
# です。そこへ進み、また近似し、これを繰り返すのがニュートン法です。学習率はいりません。
# H が各方向の尺度を知っているので、標準化も必要ありません（ここでは比較のため、
# 標準化した変数をそのまま使います）。

import csv
from importlib import resources

import numpy as np
import scipy.special

import bibun as bb

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
columns = np.array([[float(row[name]) for name in names] for row in rows])
y = np.array([float(row["sex"] == "male") for row in rows])

mean, sd = columns.mean(axis=0), columns.std(axis=0)
X = np.column_stack([np.ones(len(y)), (columns - mean) / sd])
n, p = X.shape


def negative_loglik(beta):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


# いつ終わりにすればよいでしょうか。2次近似によれば、次の1歩で f は ½ gᵀH⁻¹g だけ
# 減ります。これが f に比べて無視できるほど小さくなったら、その1歩を最後にします。


def newton(f, beta, show=False):
    value_and_grad, hessian = bb.value_and_grad(f), bb.hessian(f)
    for step in range(50):
        value, g = value_and_grad(beta)
        size = np.abs(g).max()
        if show:
            print(f"{step} {value:.8f} " + (f"{size:.1e}" if size > 1e-8 else "below 1e-8"))
        d = -np.linalg.solve(hessian(beta), g)
        beta = beta + d
        if -g @ d <= 1e-12 * (1 + abs(value)):
            break
    return beta


beta = newton(negative_loglik, np.zeros(p), show=True)
# > 0 230.81801113 7.1e+01
# > 1 113.15990460 2.0e+01
# > 2 88.41262077 7.2e+00
# > 3 80.85048173 2.2e+00
# > 4 79.55915941 4.0e-01
# > 5 79.50186471 1.9e-02
# > 6 79.50171303 5.2e-05
# > 7 79.50171303 below 1e-8

# 7回で終わりました。勾配降下法では2536回かかっていました（ステップ10）。終わりのほうの
# 指数に注目してください。10⁻¹、10⁻²、10⁻⁵、そして 10⁻⁸ 未満です。正しい桁の数が、毎回
# およそ2倍になっています。2次近似の誤差が、距離の2乗に比例するからです
# （図：docs/images/steps/newton.svg）。
#
# 線形回帰では f そのものが2次関数なので、ニュートン法は、どこから出発しても1回で
# 着きます。これはステップ9の正規方程式と同じものです。
#
# その代わり、パラメータが p 個あると H の要素は p² 個になり、連立方程式を解くのに p³ に
# 比例する計算が必要です。パラメータが100万個なら、勾配だけを使う方法に戻ります。
# 統計学でよくある20個程度なら、ニュートン法に勝る方法はまずありません。

# --- 11.2 ニュートン法が失敗するとき --------------------------------------------------
#
# ニュートン法は、2次近似が正しくないところでもそれを信じてしまいます。
# f(t) = log(cosh t) は、遠くへ行くほど壁がまっすぐになる器の形をした関数です。t = 1.2
# から出発しただけで、もう遠すぎます。


def bowl(t):
    return np.log(np.cosh(t))


t = 1.2
for _ in range(3):
    t = t - bb.grad(bowl)(t) / bb.grad(bb.grad(bowl))(t)
    print(f"{t:.3g}")
# > -1.53
# > 3.82
# > -517

# そのため、どんな関数にも使われるプログラムでは、2次近似が実際に当たっていた範囲でだけ
# それを信じる（信頼領域法）か、ステップ8のように進む幅を縮めます。bibun の `minimize`
# もそうしています。

# --- 11.3 なぜヘッセ行列の逆行列が分散なのか ------------------------------------------
#
# ステップ9では、推定値を ε の式として書き表せました。ここではそのような式がありません。
# しかし、対数尤度の勾配があります。これをスコアといいます。
#
#     s(β) = ∇ℓ(β) = Σ (yᵢ - pᵢ) xᵢ
#
# 推定値 β̂ では、スコアは 0 です。真の β では、平均 0 の独立な n 個の項の和なので、
# 近似的に正規分布に従います。Var(yᵢ) = pᵢ(1 - pᵢ) ですから、その分散は計算できます。
#
#     Var(s) = Σ pᵢ(1 - pᵢ) xᵢ xᵢᵀ = XᵀWX
#
# これは、ℓ のヘッセ行列の符号を変えたものにほかなりません。このモデルに限った
# 偶然ではなく、ゆるい条件のもとで、どんな尤度についても Var(s) = E[-∇²ℓ] が
# 成り立ちます。これをフィッシャー情報量といいます。J = -∇²ℓ(β̂)（観測情報量）とおき、
# スコアを真の β のまわりで展開すると、
#
#     0 = s(β̂) ≈ s(β) - J (β̂ - β)        したがって      β̂ - β ≈ J⁻¹ s(β)
#
#     Var(β̂) ≈ J⁻¹ Var(s) J⁻¹ ≈ J⁻¹ J J⁻¹ = J⁻¹
#
# となります。つまり、標準誤差は J⁻¹ の対角成分の平方根です。しかも J は、ニュートン法が
# 途中で計算していた行列、-ℓ のヘッセ行列そのものです。尤度の山が鋭くとがっていれば J は
# 大きく、標準誤差は小さくなります。

J = bb.hessian(negative_loglik)(beta)
covariance = np.linalg.inv(J)

B = np.diag(np.concatenate([[1.0], 1 / sd]))
B[0, 1:] = -mean / sd
coef = B @ beta
bse = np.sqrt(np.diag(B @ covariance @ B.T))

# βⱼ = 0 であれば、z = β̂ⱼ / 標準誤差 は近似的に標準正規分布に従います（ステップ9の t
# では σ² も推定していましたが、ここに σ² はありません。「はい」か「いいえ」の分散は、
# その確率から決まります）。

z = coef / bse
p_value = 2 * scipy.special.ndtr(-np.abs(z))
for row in zip(["(intercept)", *names], coef, bse, z, p_value, strict=True):
    print("{:17} {:11.6f} {:9.6f} {:7.3f} {:9.2g}".format(*row))
# > (intercept)        -56.117404  8.369321  -6.705     2e-11
# > bill_length_mm       0.107630  0.047967   2.244     0.025
# > bill_depth_mm        2.031516  0.249465   8.143   3.8e-16
# > flipper_length_mm   -0.032474  0.034755  -0.934      0.35
# > body_mass_g          0.005512  0.000823   6.694   2.2e-11
print(f"{-negative_loglik(beta):.4f}")
# > -79.5017

# これは `bibun demo` の2つ目の表です。近似的な95%信頼区間は、
# 推定値 ± 1.96 × 標準誤差です。くちばしの厚さのオッズ比では、次のようになります。

low, high = np.exp(coef[2] - 1.96 * bse[2]), np.exp(coef[2] + 1.96 * bse[2])
print(f"{np.exp(coef[2]):.2f} ({low:.2f}, {high:.2f})")
# > 7.63 (4.68, 12.43)

# --- 11.4 確かめてみる ----------------------------------------------------------------
#
# 標準誤差は、「実験を繰り返したら、推定値はこのくらいばらつく」という主張です。
# コンピュータなら実験を繰り返せます。説明変数を体重だけにした小さなモデルで、推定値を
# 真の値とみなして400組の新しい結果を作り、それぞれに当てはめてみましょう。

X = X[:, [0, 4]]
small = newton(negative_loglik, np.zeros(2))
claimed = np.sqrt(np.diag(np.linalg.inv(bb.hessian(negative_loglik)(small))))
probability = 1 / (1 + np.exp(-X @ small))
rng = np.random.default_rng(1)
estimates = []
for _ in range(400):
    y = (rng.uniform(size=n) < probability).astype(float)
    estimates.append(newton(negative_loglik, np.zeros(2)))
print((np.std(estimates, axis=0) / claimed).round(1))
# > [1. 1.]

# 比はほぼ 1 で、主張は正しいようです。この公式はデータが多いときの近似なので、
# パラメータが多かったり、確率が 0 や 1 に近かったりすると、だんだん不正確になります。
#
# やってみよう：ステップ9で、beta と log sigma をパラメータとする対数尤度全体を書き、
# そのヘッセ行列から標準誤差を求めてみてください。√((n - p)/n) 倍だけ小さくなります。
# なぜでしょうか。
#
# 次のステップ12では、bibun のソースコードを歩いてみます。きっと、見覚えのあるものに
# 出会うはずです。
