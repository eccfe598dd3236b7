"""Make penguins.json: statsmodels' results for the demo's two regressions. Needs statsmodels; the tests do not.

Run as `python tests/golden/make_penguins.py`.
"""

import csv
import json
from pathlib import Path

import numpy as np

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def main() -> None:
    import statsmodels
    import statsmodels.api as sm

    root = Path(__file__).parents[2]
    rows = list(csv.DictReader((root / "src/bibun/data/penguins.csv").read_text().splitlines()))
    rows = [r for r in rows if "NA" not in r.values()]
    t = {c: np.array([float(r[c]) for r in rows]) for c in NUMBERS}
    t["male"] = np.array([float(r["sex"] == "male") for r in rows])

    def design(names: list[str]) -> np.ndarray:
        return sm.add_constant(np.column_stack([t[c] for c in names]))

    ols = sm.OLS(t["body_mass_g"], design([*NUMBERS[:3], "male"])).fit()
    logit = sm.Logit(t["male"], design(NUMBERS)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
    out: dict[str, object] = {
        "made by": f"python tests/golden/make_penguins.py, statsmodels {statsmodels.__version__}, numpy {np.__version__}"
    }
    for name, fit in (("linear", ols), ("logistic", logit)):
        out[name] = {
            "coef": list(fit.params), "bse": list(fit.bse), "statistic": list(fit.tvalues),
            "p_value": list(fit.pvalues), "loglik": fit.llf,
        }  # fmt: skip
    (Path(__file__).parent / "penguins.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
