"""A result as a file: JSON of numbers and text, no data, no code. `loading` reads it. Imports domains, families, links.

What is written is what a result can do without data; a new kind of parameter is a line of `parameter`.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import NotDefined
from . import domains
from .covariance import Covariance
from .families import family_named
from .formula_saved import stored
from .links import LINKS

__all__ = ["FORMAT", "VERSION", "write"]

FORMAT, VERSION = "bibun result", 1


class Saving:
    """That a result can be saved."""

    def save(self, path: Any) -> None:
        """Write what needs no data to a file of JSON: estimates, covariances, figures, how a formula encodes new data.

        Neither the data nor code is in it (names of columns, levels of categories and knots of splines are), and
        nothing of it is executed by `bibun.load`.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        NotDefined
            If the model is of a family, link or parameter that is code of your own.
        """
        write(self, path)


def write(result: Any, path: Any) -> None:
    """Write a result to a file (see `Result.save`)."""
    text = json.dumps(_strict(described(result)), allow_nan=False, indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")


def described(result: Any) -> dict[str, Any]:
    """A result as lists, numbers and text."""
    kept: dict[str, Any] = {}
    for wanted in (Covariance("observed"), result.cov):
        try:
            kept[wanted.kind] = {"matrix": result._any_covariance(wanted), "said": result.cov_said(wanted)}
        except NotDefined:
            if wanted is result.cov:
                raise
    c, search = result.certificate, result.search
    out = {
        "format": FORMAT, "version": VERSION, "model": repr(result.model), "labels": result.labels,
        "flat": result.parameters.flat,
        "parameters": [[name, parameter(name, p)] for name, p in result.parameters.parts.items()],
        "u": result.u, "loglik": _or_none(result, "loglik"), "nobs": result.nobs, "df_model": result.df_model,
        "bic": _or_none(result, "bic"), "cov": result.cov.kind, "covariances": kept,
        "determined": result._determined, "t_df": _t_df(result), "rows_said": result.rows_said(),
        "constraints": result.constraints,
        "head": result.summary().head, "glance": result.glance(), "polished": result.polished,
        "methods": sorted(n for n in dir(type(result)) if not n.startswith("_")),
        "certificate": {"ok": c.ok, "decrement": c.decrement, "smallest": c.smallest, "problems": c.problems,
                        "undetermined": c.undetermined},
        "search": {"nit": int(getattr(search, "nit", 0)), "success": bool(getattr(search, "success", True)),
                   "message": str(getattr(search, "message", ""))},
        "figures": {k: v for k, v in sorted(vars(result).items()) if k[0] != "_" and _figure(v)},
        "regression": regression(result) if hasattr(type(result), "_given_columns") else None,
    }  # fmt: skip
    return out


def regression(result: Any) -> dict[str, Any]:
    """What a regression has besides."""
    model = result._model
    out: dict[str, Any] = {
        "null": result.null,
        "null_shape": list(result.null.shape),
        "notes": list(result.notes),
        "model": None,
        "design": None,
    }
    if model is None:
        return out
    power = getattr(model.family, "power", None)
    try:
        known = family_named(model.family.name, power) == model.family and LINKS.get(model.link.name) is model.link
    except ValueError:
        known = False
    if not known:
        raise NotDefined(f"{model!r} is a family or link of your own, which is code: a file holds none")
    out["model"] = {"family": model.family.name, "power": power, "link": model.link.name, "width": model.width,
                    "scale": model.scale, "columns": result._given_columns}  # fmt: skip
    out["design"] = None if result.design is None else stored(result.design)
    return out


def parameter(name: str, p: Any) -> dict[str, Any]:
    """A declared parameter."""
    kind = type(p).__name__
    if getattr(domains, kind, None) is not type(p) or kind not in domains.__all__:
        raise NotDefined(f"the parameter {name!r} is a {kind}, which is code of your own: a file holds none")
    if kind == "Fixed":
        return {"kind": kind, "value": p.value, "shape": list(p.value.shape)}
    if kind == "Tied":
        return {"kind": kind, "to": p.to}
    if kind in ("CovarianceMatrix", "CorrelationMatrix"):
        return {"kind": kind, "size": p.shape[0], "names": p.of}
    ends = {"low": p.low, "high": p.high} if kind == "Interval" else {}
    return {"kind": kind, "shape": list(p.shape), "names": p.names, "bare": p.bare, **ends}


def _t_df(result: Any) -> float | None:
    """The degrees of freedom of the t distribution that intervals use; None where it is the normal one."""
    df = getattr(result, "df_resid", None)
    from scipy import special

    return None if df is None or result._quantile(0.9) == float(special.ndtri(0.95)) else float(df)


def _or_none(result: Any, name: str) -> float | None:
    try:
        return float(getattr(result, name))
    except NotDefined:
        return None


def _figure(v: Any) -> bool:
    return isinstance(v, (bool, int, float, str, np.floating, np.integer))


def _strict(x: Any) -> Any:
    """As JSON has it, which knows no infinite numbers: these are text."""
    if isinstance(x, dict):
        return {str(k): _strict(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_strict(v) for v in x]
    if isinstance(x, np.ndarray):
        return _strict(x.tolist())
    if isinstance(x, np.generic):
        return _strict(x.item())
    if isinstance(x, float) and not math.isfinite(x):
        return repr(x)
    return x
