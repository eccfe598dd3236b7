"""Functions written with others. (being built)"""
