"""Graphs, tables and pages: what people look at. One file a kind of picture; the next kind is a new file here."""
