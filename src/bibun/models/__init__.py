"""A likelihood, its parameters, and everything said of a fit. Imports optimize, stats and what is below them.

Own likelihoods   domains, parameters, objective, likelihood (`MLE`), penalized, density
One search        least_squares, design, search, whole_search, separation, certificate
Results           result; covariance, inference, constrained, inequalities, profile, restricted, held, bootstrap,
                  row_figures, margins, prediction, answers; summary, saving, loading, other_names, maketables
Pictures          plots; figure, profile_figure, diagnostic_figure, which report draws
Linear predictor  families, links, regression_model; regression (`linear`), logistic, glm, firth; regression_result
Several parts     parts, parts_result; ordinal, multinomial_formula, counts, censored, survival, location_scale, beta
Others            cox, nls, quantile, robust, elastic_net, each with its result or its fit beside it
Tables, formulas  table_files, file_contents, data; formula and formula_*

A model of one predictor is a family; of several, a subclass of `Parts` in a file beside ordinal.py.
"""
