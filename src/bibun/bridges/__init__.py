"""Densities and results for other packages: samplers take a `Density`, marginaleffects a regression. One file each.

Imports models; each file imports the package it is for, which bibun does not need. (maketables needs no bridge: results
answer it by themselves, models/maketables.py.)
"""
