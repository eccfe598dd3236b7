"""`Figure`: a picture as the numbers it shows. The base of profile_figure.py and diagnostic_figure.py.

Models compute figures and know no pictures: report says how one is drawn when bibun is imported (report/figures.py).
Imports nothing of bibun.
"""

import os
from collections.abc import Callable
from html import escape
from typing import Any, ClassVar

__all__ = ["Figure"]


class Figure:
    """A picture as the numbers it shows. A notebook shows it by itself; `save` writes it.

    Attributes
    ----------
    kind : str
        What report draws it by.
    title : str
    """

    kind: ClassVar[str]
    drawn: ClassVar[Callable[[Any], str]]
    title: str

    @property
    def svg(self) -> str:
        """The picture as SVG: complete in itself, for light and dark pages."""
        return type(self).drawn(self)

    @property
    def html(self) -> str:
        """A page with the picture on it."""
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>\n'
            "<style>:root{color-scheme:light dark}body{margin:24px}</style></head>\n"
            f"<body>\n{self.svg}</body></html>\n"
        )

    def save(self, path: Any) -> str:
        """Write the picture to a file, as its name ends: .svg or .html.

        Returns
        -------
        str
            The path.

        Raises
        ------
        ValueError
            For any other ending.
        """
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if ending not in (".svg", ".html", ".htm"):
            raise ValueError(
                f"a figure is not saved as {ending or 'a file without an ending'}: use .svg or .html (a browser opens "
                "both and prints them to PDF)"
            )
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(self.svg if ending == ".svg" else self.html)
        return str(path)

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'
