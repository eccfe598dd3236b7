"""Functions of scipy.special. (being built)"""
