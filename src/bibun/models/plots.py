"""Pictures of a result: `plot_profile` and `plot_diagnostics`. Imports profile_figure and diagnostic_figure.

Another picture is a method here, a figure beside these two, and a file of report that draws it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .diagnostic_figure import DiagnosticFigure, diagnostics
from .profile_figure import ProfileFigure, profiles

__all__ = ["Plots"]


class Plots:
    """What a result can be looked at by."""

    def plot_profile(
        self,
        parm: Any = None,
        *,
        levels: Sequence[float] = (0.95, 0.5),
        units: Mapping[str, str] | None = None,
        scale: str = "loglik",
    ) -> ProfileFigure:
        """How the likelihood falls away from each estimate, the other parameters adapting, beside Wald's parabola.

        Parameters
        ----------
        parm : str or sequence of str, optional
            Labels of the parameters wanted; all by default.
        levels : sequence of float
            Where lines are drawn: an interval is what of the curve is above its line. The first is shaded and written
            out.
        units : dict of str to str, optional
            Label to unit, for the axes.
        scale : {"loglik", "root"}
            The log-likelihood less its maximum, a parabola where Wald's interval is right; or the signed root of twice
            the fall, a line there.

        Returns
        -------
        ProfileFigure
            `traces` has the numbers: each value is a refit of the others, and the ends are those of
            `conf_int(method="profile")`. A notebook shows it; `save("name.svg")` writes it.

        Examples
        --------
        >>> import numpy as np, bibun as bb
        >>> rows = lambda p, d: d.y * np.log(p.mean) - p.mean
        >>> r = bb.MLE(rows, {"mean": bb.Positive()}).fit({"y": np.array([3.0, 1.0, 4.0, 1.0, 5.0])})
        >>> figure = r.plot_profile(units={"mean": "per day"})
        >>> [round(end, 3) for end in figure.traces[0].ends[0.95]]
        [1.577, 4.533]
        >>> figure.svg[:24]
        '<svg class="bibun-plot" '
        """
        return profiles(self, parm, levels, units, scale)

    def plot_diagnostics(self, rng: Any = 0, *, residuals: Any = None, fitted: Any = None) -> DiagnosticFigure:
        """Residuals against fitted values, in their order and in their spread, and how much each row pulls.

        Parameters
        ----------
        rng : int or numpy.random.Generator
            For residuals of responses that are counts, grades or censored: they are drawn within the step of their
            distribution function (Dunn & Smyth 1996), so that they are standard normal where the model holds.
        residuals, fitted : array_like of shape (n,), optional
            Your own, for a likelihood that does not say what these are; the residuals standard normal where it holds.

        Returns
        -------
        DiagnosticFigure
            It has the numbers. A notebook shows it; `save("name.svg")` writes it. Many rows are shown as hexagons; the
            picture says so.

        Raises
        ------
        NotDefined
            For a model without a distribution function, if no `residuals` are given.

        Examples
        --------
        >>> import bibun as bb
        >>> r = bb.glm("y ~ x", {"y": [1, 0, 3, 2, 6, 8, 5, 11], "x": range(8)}, family="poisson")
        >>> figure = r.plot_diagnostics()
        >>> figure
        <DiagnosticFigure of 8 rows: randomised quantile residuals>
        >>> figure.rows[figure.largest_cooks].tolist()
        [1, 6, 5]
        """
        return diagnostics(self, rng, residuals, fitted)
