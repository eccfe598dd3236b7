"""A likelihood, its parameters, and everything said of a fit. Imports optimize, stats and what is below them."""
