"""The engine: Variable, Function, Rule, the graph, the reverse walk, NumPy's protocols.

In the order they build on one another: modes, graph, watch, broadcast, dispatch, absorbing, nonfinite, backward,
variable, record, domains, rule, function, operators, tree. Nothing here knows a function of NumPy by its derivative.
"""
