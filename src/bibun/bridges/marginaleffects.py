"""A regression for marginaleffects: `predictions(model(result))`. Imports models; needs marginaleffects.

bibun has averages of its own (`avg_slopes`, `avg_predictions`, `contrasts`), by exact derivatives; this is for the rest
of marginaleffects' grammar.
"""

from typing import Any

import numpy as np

from ..errors import NotDefined
from ..models.regression_result import RegressionResult

__all__ = ["model"]


def model(result: RegressionResult) -> Any:
    """A regression by formula as a model that marginaleffects' functions take.

    Parameters
    ----------
    result : RegressionResult
        Of `glm`, of one linear predictor. Formulas are bibun's own: new data are encoded as the fitted were.

    Returns
    -------
    marginaleffects model

    Raises
    ------
    ImportError
        Without marginaleffects: ``pip install "bibun[marginaleffects]"``.
    NotDefined
        For models without a formula or without one mean.
    """
    try:
        import polars
        from marginaleffects.classes import ModelAbstract, ModelVault
    except ImportError:
        raise ImportError('this bridge needs marginaleffects: pip install "bibun[marginaleffects]"') from None
    if result.design is None or result.table is None or getattr(result, "_model", None) is None:
        raise NotDefined(
            "marginaleffects asks for one mean of one linear predictor by a formula, and its data: of other models "
            "there are avg_slopes(), and predict(…) with its standard errors"
        )
    design, link, k = result.design, result._model.link, result._model.width

    class Bridged(ModelAbstract):  # type: ignore[misc]
        """Predictions at given coefficients."""

        df_resid = float(result.df_resid) if result.statistic == "t" else None  # of what estimates are compared with

        def get_exog(self, newdata: Any) -> np.ndarray:
            """The model matrix, and the offset as its last column."""
            offset = design.offset_at(newdata)
            X = design.matrix(newdata)
            return np.column_stack([X, np.zeros(len(X)) if offset is None else offset])

        def get_predict(self, params: np.ndarray, newdata: Any) -> Any:
            """The mean of each row."""
            exog = newdata if isinstance(newdata, np.ndarray) else self.get_exog(newdata)
            mean = np.asarray(link.inverse(exog[:, :-1] @ np.asarray(params)[:k] + exog[:, -1]), float)
            frame = polars.DataFrame({"rowid": np.arange(len(mean)), "estimate": mean})
            return frame.with_columns(polars.col("rowid").cast(polars.Int32))

        def get_vcov(self, vcov: Any = True) -> np.ndarray | None:
            """The result's own covariance, or one that it is asked for by name."""
            if vcov is False or vcov is None:
                return None
            return result.cov_params(vcov if isinstance(vcov, str) else None)[:k, :k]

    columns = {name: result.table[name] for name in _read(result)}
    frame = {
        name: _series(polars, column.take(design.rows), design.levels.get(name)) for name, column in columns.items()
    }
    response, *predictors = columns
    vault = ModelVault(
        coef=result.coef[:k].copy(), coefnames=np.array(result.labels[:k]), modeldata=polars.DataFrame(frame),
        package="bibun", variable_names=list(columns), formula=f"{response} ~ {' + '.join(predictors) or '1'}",
    )  # fmt: skip
    return Bridged(result, vault)


def _read(result: RegressionResult) -> list[str]:
    """The columns that a formula reads, the response first."""
    read = result.design._read
    factors = [f for f in (*read.factors, *read.offsets) if f is not None]
    response = () if read.response is None else read.response.columns
    return list(dict.fromkeys([*response, *[c for f in factors for c in f.columns]]))


def _series(polars: Any, column: Any, levels: Any) -> Any:
    """A column, categories in the formula's order."""
    if column.numeric:
        return polars.Series(column.name, np.asarray(column.values))
    order = [str(level) for level in (column.levels if levels is None else levels)]
    return polars.Series(column.name, [str(column.levels[c]) for c in column.values], dtype=polars.Enum(order))
