"""Functions of scipy.special that SciPy does not hand to Variables. (being built)"""
