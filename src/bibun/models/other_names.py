"""What results are asked for by the names of other packages: the answer is the name here. Imports nothing.

The next name that people try is a line of the table.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["OtherNames"]

ELSEWHERE = {
    "pvalues": '[t["p_value"] for t in r.tidy()]',
    "tvalues": '[t["statistic"] for t in r.tidy()]',
    "zvalues": '[t["statistic"] for t in r.tidy()]',
    "llf": "r.loglik",
    "llnull": "r.null_loglik",
    "logLik": "r.loglik",
    "resid": "r.residuals()",
    "resid_pearson": 'r.residuals("pearson")',
    "resid_deviance": 'r.residuals("deviance")',
    "predicted": "r.fittedvalues",
    "coefficients": "r.params, or r.coef as an array",
    "coef_": "r.coef",
    "vcov": "r.cov_params()",
    "confint": 'r.conf_int(), or r.conf_int(method="profile")',
    "t_test": 'r.test("x1 = x2")',
    "f_test": 'r.test("x1 = 0, x2 = 0")',
    "wald_test": 'r.test("x1 = 0, x2 = 0")',
    "score_test": 'r.test("x1 = 0", kind="score")',
    "compare_lr_test": "r.compare(other)",
    "compare_f_test": 'r.test("x1 = 0, x2 = 0")',
    "anova": 'r.compare(other), or r.test("x1 = 0, x2 = 0", kind="lr")',
    "get_prediction": "r.predict(new), with value, se and conf_int()",
    "get_margeff": "r.avg_slopes()",
    "get_influence": "r.influence()",
    "get_robustcov_results": 'r.with_cov("sandwich")',
    "summary2": "r.summary()",
    "rsquared_adj": "1 - (1 - r.rsquared) * (r.nobs - 1) / r.df_resid",
    "fvalue": 'r.test("x1 = 0, x2 = 0"), which is the F test where a variance is estimated',
    "mse_resid": "r.scale",
    "sigma": "r.scale ** 0.5",
}
"""Names in statsmodels, R and scikit-learn, and what there is here of a result `r`."""


class OtherNames:
    """Says what something is called here, where it is asked for by another name."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            here = ELSEWHERE.get(name)
            said = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(said + (f"; here it is {here}" if here else ""), name=name, obj=self)
