"""`Figure`: a picture as the numbers it shows. The base of profile_figure.py, diagnostic_figure.py and report's graphs.

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
    endings : dict of str to str
        Of the files it can be saved as: ending to attribute.
    how : str
        These in words.
    style : str
        CSS of the page, besides.
    """

    kind: ClassVar[str]
    drawn: ClassVar[Callable[[Any], str]]
    title: str
    endings: ClassVar[dict[str, str]] = {".svg": "svg", ".html": "html", ".htm": "html"}
    how: ClassVar[str] = "use .svg or .html (a browser opens both and prints them to PDF)"
    style: ClassVar[str] = ""

    @property
    def svg(self) -> str:
        """The picture as SVG: complete in itself, for light and dark pages."""
        return type(self).drawn(self)

    @property
    def html(self) -> str:
        """A page with the picture on it."""
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>\n'
            "<style>:root{color-scheme:light dark}body{margin:24px}" + self.style + "</style></head>\n"
            f"<body>\n{self.svg}</body></html>\n"
        )

    def save(self, path: Any) -> str:
        """Write the picture to a file, as its name ends: one of `endings`.

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
        if ending not in self.endings:
            raise ValueError(f"a picture is not saved as {ending or 'a file without an ending'}: {self.how}")
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(getattr(self, self.endings[ending]))
        return str(path)

    def _repr_svg_(self) -> str | None:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'
