"""The paths of optimizers on the contours of a function of two numbers. Needs matplotlib; imports nothing of bibun."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["plot_paths"]


def plot_paths(
    f: Callable[[Any], Any],
    results: Mapping[str, Any],
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    ax: Any = None,
) -> Any:
    """Draw where each method went, on contours of the function it minimised.

    Parameters
    ----------
    f : callable
        Of an array of two numbers.
    results : dict of str to OptimizeResult
        Fits made with ``minimize(f, x0, method, path=True)``, by the name to show.
    x_range, y_range : (float, float), optional
        By default what the paths need and a margin.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        Without matplotlib: ``pip install "bibun[all]"``.
    ValueError
        If a result has no path, or the paths are not of two numbers.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError('pictures of paths need matplotlib: pip install "bibun[all]"') from None
    paths = {}
    for name, r in results.items():
        if getattr(r, "path", None) is None:
            raise ValueError(f"the result {name!r} has no path: call minimize(…, path=True)")
        paths[name] = np.array([np.ravel(p) for p in r.path])
        if paths[name].shape[1] != 2:
            raise ValueError(f"the path {name!r} is of {paths[name].shape[1]} numbers: contours need two")
    every = np.concatenate(list(paths.values()))
    (x0, x1), (y0, y1) = (given or _margin(every[:, k]) for k, given in enumerate((x_range, y_range)))
    if ax is None:
        _, ax = pyplot.subplots(figsize=(7, 5), layout="constrained")
    gx, gy = np.meshgrid(np.linspace(x0, x1, 201), np.linspace(y0, y1, 201))
    with np.errstate(all="ignore"):
        z = np.reshape([float(f(np.array(p))) for p in zip(gx.ravel(), gy.ravel(), strict=True)], gx.shape)
    least = min(float(np.nanmin(z)), *[float(r.fun) for r in results.values()])
    height = np.log10(np.maximum(z - least, 1e-12))
    shown = height[np.isfinite(height)]
    levels = np.linspace(np.percentile(shown, 2), shown.max(), 18)
    ax.contour(gx, gy, height, levels=levels, colors="#b0b7bf", linewidths=0.7)
    for (name, path), colour in zip(paths.items(), _colours(len(paths)), strict=True):
        label = f"{name} ({len(path) - 1} steps)"
        ax.plot(path[:, 0], path[:, 1], "-", color=colour, linewidth=1.4, label=label)
        if len(path) <= 60:
            ax.plot(path[:, 0], path[:, 1], ".", color=colour, markersize=5)
        ax.plot(*path[-1], "o", color=colour, markersize=7, markerfacecolor="white")
    ax.plot(*next(iter(paths.values()))[0], "s", color="#333333", markersize=6)
    ax.set_xlim(x0, x1)
    ax.set_ylim(y0, y1)
    ax.legend(facecolor="white", edgecolor="none", framealpha=0.9, loc="best", fontsize=9)
    return ax


def _margin(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = 0.15 * (high - low) or 1.0
    return low - pad, high + pad


def _colours(n: int) -> list[str]:
    return [("#2166ac", "#b2182b", "#1b7837", "#762a83", "#e08214", "#35978f")[k % 6] for k in range(n)]
