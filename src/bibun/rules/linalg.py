"""Functions of np.linalg. (being built)"""
