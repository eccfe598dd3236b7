"""A density for PyMC: an operation with its gradient, or a whole model. Imports models' density; needs PyMC."""

from typing import Any

import numpy as np

from ..models.density import Density

__all__ = ["model", "operation"]

NEEDS = 'this bridge needs PyMC: pip install "bibun[pymc]"'


def operation(density: Density) -> Any:
    """The log-density as an operation of PyTensor that knows its gradient: `operation(density)(u)` within a model.

    Parameters
    ----------
    density : Density

    Returns
    -------
    callable
        From a vector of `density.dim` numbers to one, both PyTensor's.

    Raises
    ------
    ImportError
        Without PyMC: ``pip install "bibun[pymc]"``.
    """
    try:
        from pytensor import tensor
        from pytensor.graph.basic import Apply
        from pytensor.graph.op import Op
    except ImportError:
        raise ImportError(NEEDS) from None

    class LogDensity(Op):  # type: ignore[misc]
        """Value and gradient, computed at once."""

        __props__ = ()

        def make_node(self, u: Any) -> Any:
            return Apply(self, [tensor.as_tensor_variable(u)], [tensor.dscalar(), tensor.dvector()])

        def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
            value, gradient = density.logp_and_grad(inputs[0])
            outputs[0][0], outputs[1][0] = np.array(value), gradient

        def L_op(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
            return [cotangents[0] * outputs[1]]

    return lambda u: LogDensity()(u)[0]


def model(density: Density) -> Any:
    """A density as a whole model, to be given to `pymc.sample`.

    Parameters
    ----------
    density : Density
        Of `MLE.density`, with its Jacobian.

    Returns
    -------
    pymc.Model
        Sampled is the vector "real_numbers"; the parameters are deterministic, by name.

    Raises
    ------
    ImportError
        Without PyMC: ``pip install "bibun[pymc]"``.
    ValueError
        If the density was made without its Jacobian: it is no density of what is sampled.
    """
    try:
        import pymc
        from pytensor import tensor
        from pytensor.compile.ops import wrap_py
    except ImportError:
        raise ImportError(NEEDS) from None
    density.check_sampled()
    shapes = density.shapes

    def expanded(u: np.ndarray) -> Any:
        found = [np.asarray(v, float) for v in density.expand(u).values()]
        return found[0] if len(found) == 1 else found

    kinds = [tensor.TensorType("float64", shape) for shape in shapes.values()]
    expand = wrap_py(itypes=[tensor.dvector], otypes=kinds)(expanded)
    with pymc.Model() as made:
        u = pymc.Flat("real_numbers", shape=density.dim, initval=density.start)
        pymc.Potential("log_density", operation(density)(u))
        values = expand(u)
        for name, value in zip(shapes, values if isinstance(values, list) else [values], strict=True):
            pymc.Deterministic(name, value)
    return made
