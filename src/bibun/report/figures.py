"""How the figures that models compute are drawn: each kind by a file beside this one. Imports models' figure."""

from typing import Any

from ..models.figure import Figure

__all__ = ["drawn"]


def drawn(figure: Any) -> str:
    """A figure as SVG."""
    if figure.kind == "profile":
        from .profile_plot import svg
    else:
        from .diagnostic_plot import svg
    return svg(figure)


Figure.drawn = staticmethod(drawn)
