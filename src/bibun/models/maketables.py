"""What maketables asks of a model it does not know: results can be given to its `ETable` as they are.

Reads a Result; pandas is asked for only here, and maketables brings it.
"""

import contextlib
from typing import Any

import numpy as np

from ..errors import NotDefined

__all__ = ["ForTables"]

FIGURES = {
    "N": "nobs", "ll": "loglik", "llnull": "null_loglik", "aic": "aic", "bic": "bic", "r2": "rsquared",
    "deviance": "deviance", "null_deviance": "null_deviance", "df_model": "df_model", "df_resid": "df_resid",
    "events": "events",
}  # fmt: skip
"""maketables' name of a figure, and bibun's."""


class ForTables:
    """The plug-in format of maketables (its PLUGIN_EXTRACTOR_FORMAT.md)."""

    @property
    def __maketables_coef_table__(self) -> Any:
        import pandas

        result: Any = self
        rows, inner = result.tidy(), result.tidy(0.9)
        columns = {"b": "estimate", "se": "std_error", "t": "statistic", "p": "p_value"}
        table = {short: [row[name] for row in rows] for short, name in columns.items()}
        for level, of in ((95, rows), (90, inner)):
            table[f"ci{level}l"] = [row["conf_low"] for row in of]
            table[f"ci{level}u"] = [row["conf_high"] for row in of]
        return pandas.DataFrame(table, index=pandas.Index([row["term"] for row in rows], name="Coefficient"))

    def __maketables_stat__(self, key: str) -> Any:
        result: Any = self
        with contextlib.suppress(NotDefined, AttributeError):
            if key == "pseudo_r2":  # McFadden's
                return None if "rsquared" in vars(result) else 1 - result.loglik / result.null_loglik
            if key == "rmse":
                return float(np.sqrt(result.scale)) if result.family == "gaussian" else None
            return getattr(result, FIGURES[key]) if key in FIGURES else None
        return None

    @property
    def __maketables_depvar__(self) -> str:
        return str(getattr(getattr(self, "design", None), "response_name", None) or "")

    @property
    def __maketables_vcov_info__(self) -> dict[str, Any]:
        result: Any = self
        return {"vcov_type": result.cov.kind, "clustervar": None}

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        figures = ("N", "r2", "pseudo_r2", "ll", "aic")
        return [*[key for key in figures if self.__maketables_stat__(key) is not None], "se_type"]
