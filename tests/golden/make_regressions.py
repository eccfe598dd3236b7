"""Make regressions.json: what statsmodels and scikit-learn say of data drawn here. Needs both; the tests need neither.

Run as `python tests/golden/make_regressions.py`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    import sklearn
    import statsmodels
    import statsmodels.api as sm
    from sklearn import linear_model

    rng = np.random.default_rng(20)
    n = 80
    X = np.round(np.column_stack([np.ones(n), rng.normal(size=n), rng.uniform(5, 9, size=n), rng.integers(0, 2, n)]), 3)
    eta = X @ [-2.0, 0.8, 0.3, -0.5]
    w = rng.integers(1, 4, n).astype(float)
    offset = np.round(rng.normal(size=n), 2)
    y = np.round(eta + rng.normal(size=n), 3)
    b = (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float)
    c = np.minimum(rng.poisson(np.exp(0.3 * X[:, 1] + 0.2)), 2)
    out: dict[str, Any] = {
        "made by": "python tests/golden/make_regressions.py, "
        f"statsmodels {statsmodels.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "X": X.tolist(), "y": y.tolist(), "b": b.tolist(), "c": c.tolist(), "w": w.tolist(), "offset": offset.tolist(),
    }  # fmt: skip
    exact = {"method": "newton", "tol": 1e-15, "maxiter": 100, "disp": 0}

    ols = sm.OLS(y, X).fit()
    t = ols.f_test(np.eye(4)[[1, 3]])
    out["ols"] = {
        "coef": ols.params, "bse": ols.bse, "statistic": ols.tvalues, "p_value": ols.pvalues, "loglik": ols.llf,
        "rsquared": ols.rsquared, "conf_int": ols.conf_int(0.1), "hc0": np.sqrt(np.diag(ols.cov_HC0)),
        "f": float(t.fvalue), "f_p": float(t.pvalue), "se_mean": ols.get_prediction(X[:3]).se_mean,
    }  # fmt: skip
    repeated = np.repeat(np.arange(n), w.astype(int))
    ols = sm.OLS(y[repeated], X[repeated]).fit()
    out["ols weighted"] = {"coef": ols.params, "bse": ols.bse, "loglik": ols.llf, "rsquared": ols.rsquared}
    logit = sm.Logit(b, X, offset=offset).fit(**exact)
    robust = sm.Logit(b, X, offset=offset).fit(cov_type="HC0", **exact)
    out["logit"] = {
        "coef": logit.params, "bse": logit.bse, "loglik": logit.llf, "hc0": robust.bse, "p_value": logit.pvalues,
        "conf_int": logit.conf_int(0.1), "wald": float(logit.wald_test(np.eye(4)[[1, 3]], scalar=True).statistic),
    }  # fmt: skip
    multi = sm.MNLogit(c, X).fit(**exact)
    out["mnlogit"] = {"coef": multi.params.T.ravel(), "bse": multi.bse.T.ravel(), "loglik": multi.llf}

    ridge = linear_model.Ridge(alpha=2.5, solver="cholesky").fit(X[:, 1:], y)
    out["ridge"] = {"coef": ridge.coef_, "intercept": ridge.intercept_}
    for name, target in (("l2", b), ("l2 multinomial", c)):
        fit = linear_model.LogisticRegression(C=0.7, solver="newton-cholesky", tol=1e-15, max_iter=500)
        fit.fit(X[:, 1:], target, sample_weight=w)
        out[name] = {"coef": fit.coef_, "intercept": fit.intercept_, "proba": fit.predict_proba(X[:3, 1:])}
    text = json.dumps(out, default=lambda a: np.asarray(a).tolist())
    (Path(__file__).parent / "regressions.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
