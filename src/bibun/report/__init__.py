"""Graphs, tables and pages: what people look at. One file a kind of picture; the next kind is a new file here.

Lower layers know no pictures. Importing bibun tells Variables (graph.py) and figures of models (figures.py) how they
are drawn; a picture's own file is loaded when the first is drawn.
"""

from . import figures

__all__ = ["figures"]
