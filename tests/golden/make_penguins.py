"""Make penguins.json: statsmodels' results for the demo's two regressions. Needs statsmodels; the tests do not.

Run as `python tests/golden/make_penguins.py`.
"""

import csv
import json
from pathlib import Path

import numpy as np
import statsmodels
import statsmodels.api as sm

root = Path(__file__).parents[2]
rows = list(csv.DictReader((root / "src/bibun/data/penguins.csv").read_text().splitlines()))
rows = [r for r in rows if "NA" not in r.values()]
numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
t = {c: np.array([float(r[c]) for r in rows]) for c in numbers}
t["male"] = np.array([float(r["sex"] == "male") for r in rows])


def design(names):
    return sm.add_constant(np.column_stack([t[c] for c in names]))


ols = sm.OLS(t["body_mass_g"], design([*numbers[:3], "male"])).fit()
logit = sm.Logit(t["male"], design(numbers)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
out = {
    "made by": f"python tests/golden/make_penguins.py, statsmodels {statsmodels.__version__}, numpy {np.__version__}",
    "linear": {"coef": list(ols.params), "bse": list(ols.bse), "statistic": list(ols.tvalues), "p_value": list(ols.pvalues), "loglik": ols.llf},
    "logistic": {"coef": list(logit.params), "bse": list(logit.bse), "statistic": list(logit.tvalues), "p_value": list(logit.pvalues), "loglik": logit.llf},
}  # fmt: skip
(Path(__file__).parent / "penguins.json").write_text(json.dumps(out, indent=1) + "\n")
