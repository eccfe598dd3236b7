"""ステップ8　勾配降下法と学習率

勾配は、関数がどちらの方向に小さくなるかを教えてくれます。しかし、どれだけ
進めばよいかは教えてくれません。

    python docs/steps/ja/step08_gradient_descent.py
"""

# --- 8.1 実際のデータ -----------------------------------------------------------------
#
# ここからステップ11までは、実際のデータを使います。南極のパーマー基地で測定された
# 344羽のペンギンの表で、bibun に付属しています。11行に欠測値があります。この11行は
# 除き、除いたことを明記しておきます。

import csv
from importlib import resources

import numpy as np

import bibun as bb
from bibun import Variable

text = resources.files("bibun.data").joinpath("penguins.csv").read_text(encoding="utf-8")
rows = [row for row in csv.DictReader(text.splitlines()) if "NA" not in row.values()]
flipper = np.array([float(row["flipper_length_mm"]) for row in rows])
mass = np.array([float(row["body_mass_g"]) for row in rows])
print(len(rows), f"{flipper.mean():.3f} {mass.mean():.3f}")
# > 333 200.967 4207.057

# --- 8.2 下り坂 -----------------------------------------------------------------------
#
# 統計学でいちばん簡単な問題から始めましょう。すべてのフリッパー（翼）の長さ xᵢ に、
# 全体としてできるだけ近い1つの数 m を求めます。
#
#     f(m) = (1/2n) Σ (xᵢ - m)²
#
# 答えはわかっています。平均です。ここでは知らないことにして、m = 190 から出発し、勾配と
# 逆の向きに少しずつ進みます。
#
#     m ← m - η f'(m)
#
# η は進む幅を決める数で、学習率（ステップサイズ）といいます。最初のほうのステップの
# クラスで書くと、こうなります。

m = Variable(np.array(190.0))
for _ in range(100):
    loss = np.mean((flipper - m) ** 2) / 2
    m.cleargrad()
    loss.backward()
    m.data = m.data - 0.1 * m.grad.data
print(f"{m.data:.3f}")
# > 200.967

# どの行も、これまでに出てきたものです。損失を毎回新しく記録し、古い勾配を消し、逆伝播で
# 新しい勾配を求め、葉に新しい data を入れます。同じことを `bb.grad` で書き、途中の値も
# 残すようにします。


def descend(f, start, rate, steps):
    gradient = bb.grad(f)
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1]))
    return path


def spread(m):
    return np.mean((flipper - m) ** 2) / 2


print(f"{descend(spread, 190.0, 0.1, 100)[-1]:.3f}")
# > 200.967

# --- 8.3 小さすぎる、ちょうどよい、大きすぎる -----------------------------------------
#
# η はどのくらいがよいのでしょうか。0、1、10、100回目での、平均からの距離を見てみます。

for rate in (0.01, 0.1, 1.0, 1.9, 2.1):
    path = descend(spread, 190.0, rate, 100)
    away = [abs(path[k] - flipper.mean()) for k in (0, 1, 10, 100)]
    print(f"{rate:5}" + "".join(f"{a:12.3f}" for a in away))
# >  0.01      10.967      10.857       9.918       4.014
# >   0.1      10.967       9.870       3.824       0.000
# >   1.0      10.967       0.000       0.000       0.000
# >   1.9      10.967       9.870       3.824       0.000
# >   2.1      10.967      12.064      28.445  151131.520

# 0.01 ではなかなか進みません。1.0 では1回で着きます。1.9 では毎回ゴールを
# 跳び越えますが、少しずつ近づきます。2.1 では跳び越えるたびに遠ざかり、発散します
# （図：docs/images/steps/step_size.svg）。この関数なら、理由はすぐにわかります。f'
# (m) = m - x̄ なので、
#
#     新しい m - x̄ = m - x̄ - η (m - x̄) = (1 - η)(m - x̄)
#
# つまり、1回ごとに距離が 1 - η 倍になります。距離が縮むのは |1 - η| < 1、すなわち
# 0 < η < 2 のときに限ります。一般には、η の前に曲率 f'' が掛かります。
#
#     距離は 1 - η f'' 倍になる      η < 2 / f'' なら収束し、η = 1 / f'' が最良

print(f"{bb.grad(bb.grad(spread))(190.0):.3f}")
# > 1.000

# --- 8.4 パラメータが2つ、曲率も2つ ---------------------------------------------------
#
# 今度は直線、体重 ≈ β₀ + β₁ × フリッパー長 です。曲率は行列（ヘッセ行列）になり、距離は
# その固有ベクトルの方向に分けて考えられます。固有値 λ の方向では、1回ごとに距離が
# 1 - ηλ 倍になります。最大の λ が η を制限し（η < 2/λmax）、最小の λ もその η で
# 我慢しなければなりません。2つの固有値がかけ離れていると、倍率 1 - λmin/λmax はほとんど
# 1 です。比 κ = λmax/λmin を条件数といい、必要な回数はおよそこれに比例します。


def line(columns):
    X = np.column_stack([np.ones(len(mass)), columns])

    def loss(beta):
        return np.mean((mass - X @ beta) ** 2) / 2

    return loss


raw = line(flipper)
eigenvalues = np.linalg.eigvalsh(bb.hessian(raw)(np.zeros(2)))
print(f"{eigenvalues[0]:.4f} {eigenvalues[1]:.0f} {eigenvalues[1] / eigenvalues[0]:.1e}")
# > 0.0048 40585 8.4e+06
beta = descend(raw, np.zeros(2), 1 / eigenvalues[1], 2000)[-1]
print(f"{beta[0]:.1f} {beta[1]:.1f}")
# > -1.3 21.1

# 正しい答えは -5872.1 と 50.2 です。2000回進んでも切片はほとんど動いておらず、
# このままでは何百万回もかかります。
#
# 必要なのは忍耐ではなく、尺度の工夫です。フリッパー長は 200 のまわりに、14 ほどの幅で
# ばらついています。そのため、損失から見ると、切片を変えることと傾きを変えることが
# ほとんど区別できません。そこで平均を引き、標準偏差で割ります（標準化）。
#
#     z =（フリッパー長 - 平均）/ 標準偏差
#
# すると、ヘッセ行列 (1/n) XᵀX は単位行列になり、固有値はどちらも 1 で、1回進むだけで
# 着きます。

mean, sd = flipper.mean(), flipper.std()
scaled = line((flipper - mean) / sd)
print(np.linalg.eigvalsh(bb.hessian(scaled)(np.zeros(2))).round(6))
# > [1. 1.]
beta = descend(scaled, np.zeros(2), 1.0, 1)[-1]
print(f"{beta[0] - beta[1] * mean / sd:.1f} {beta[1] / sd:.1f}")
# > -5872.1 50.2

# 最後の行では、推定値をミリメートル単位に戻しています。説明変数がいくつもあると、
# 標準化しても変数どうしの相関は残るので、ステップ9のように、κ は 1 にはなりません。

# --- 8.5 進みながら幅を決める ---------------------------------------------------------
#
# ふつう、曲率は前もってわかりません。しかし、試してみることはできます。傾きから
# 期待される減少量の半分も関数が減らなければ、幅を半分にしてやり直します。これを
# バックトラッキング（直線探索の一種）といいます（f がまっすぐなら、1回で η|g|² だけ
# 減ります。半分というのは、曲がっている分の余裕です）。最初の η は、
# どんなにでたらめでもかまいません。


def descend_safely(f, beta, rate, tolerance=1e-4):
    value_and_grad = bb.value_and_grad(f)
    for step in range(10_000):
        value, g = value_and_grad(beta)
        if np.sqrt(np.sum(g**2)) < tolerance:
            return beta, rate, step
        while f(beta - rate * g) > value - rate / 2 * np.sum(g**2):
            rate = rate / 2
        beta = beta - rate * g
    return beta, rate, step


beta, rate, steps = descend_safely(scaled, np.zeros(2), 1000.0)
print(f"{beta[0] - beta[1] * mean / sd:.1f} {beta[1] / sd:.1f} {rate:.3f} {steps}")
# > -5872.1 50.2 0.977 5

# 1000 から始めた幅は、1/λmax = 1 のすぐ下の 0.977 まで小さくなり、あとは
# 変わりませんでした。
#
# やってみよう：`spread` の2乗の平均を、絶対値の平均に変えてみてください。どこに
# 向かいますか。また、そこで止まらないのはなぜでしょうか。
#
# 次のステップ9では、説明変数を4つにし、結果がどのくらい確かなのかを調べます。
