"""`load`: a result from a file, which can do everything that needs no data. Imports results, saving, formula_saved.

Nothing of a file is executed: it is numbers and text, and names in it are looked up among those that bibun knows.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..errors import NotDefined
from . import domains, summary
from .certificate import Certificate
from .covariance import Covariance
from .families import family_named
from .formula_saved import rebuilt
from .links import LINKS
from .parameters import ParameterSet
from .regression_model import Regression
from .regression_result import RegressionResult
from .result import Result, Test
from .saving import FORMAT, VERSION

__all__ = ["LoadedRegression", "LoadedResult", "load"]

NEEDS = {
    "data": "the rows of the data",
    "rows": "the log-likelihood of each row",
    "scores": "a score for each row",
    "weights": "the weights of the rows",
    "weights_are": "the weights of the rows",
}


ABSENT = "this needs {}, and the result is from a file, which holds none: fit the model again"


def load(path: Any) -> Any:
    """A result that `Result.save` wrote, without the data: estimates, errors, tables, Wald intervals and tests.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Result
        After a regression, `predict` takes new data, encoded as the fitted were. What needs the data raises
        `NotDefined`.

    Raises
    ------
    ValueError
        If the file is not one that `save` wrote, or is damaged. Nothing in a file is executed.

    Examples
    --------
    >>> import os, tempfile, bibun as bb
    >>> r = bb.glm("y ~ x", {"y": [1, 3, 2, 5], "x": [0, 1, 2, 3]})
    >>> path = os.path.join(tempfile.mkdtemp(), "fit.json")
    >>> r.save(path)
    >>> bb.load(path).predict({"x": [4]}).value.round(6).tolist()
    [5.5]
    """
    raw = Path(path).read_bytes()
    try:
        saved = json.loads(raw.decode("utf-8"))
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise ValueError("it does not say that it is one")
        if saved["version"] != VERSION:
            raise ValueError(f"its version is {saved['version']!r}, and this bibun reads version {VERSION}")
        return _result(saved)
    except KeyError as e:
        why = f"it lacks {e.args[0]!r}"
    except ImportError:
        raise
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, MemoryError) as e:
        why = str(e).splitlines()[0][:200] if str(e) else type(e).__name__
    raise ValueError(f"{path} is no result that bibun saved: {why}")


class Absent:
    """In place of a likelihood and its data: what is asked of it is not defined."""

    def __init__(self, said: str) -> None:
        self._said = said

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        what = NEEDS.get(name, "the likelihood and its data")
        raise NotDefined(ABSENT.format(what))

    def __repr__(self) -> str:
        return self._said


class _FromFile:
    """What every loaded result answers from the file."""

    _kept: dict[str, np.ndarray]
    _said: dict[str, str]
    _file: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """What the search left behind is not in a file; nor is what a method makes of it."""
        if name.startswith("_") and not name.startswith(("__", "_repr", "_ipython")):
            raise NotDefined(ABSENT.format("the likelihood and its data"))
        if not name.startswith("_") and name in self._file["methods"]:
            raise NotDefined(f"{name}: {ABSENT.format('the likelihood and its data')}")
        inherited = getattr(super(), "__getattr__", None)
        if inherited is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return inherited(name)

    def bootstrap(self, *_: Any, **__: Any) -> Any:
        """Needs the data."""
        raise NotDefined(ABSENT.format("the rows of the data"))

    @property
    def constraints(self) -> list[dict[str, Any]]:
        """What the parameters were restricted to (see `Result.constraints`)."""
        kinds = {"constraint": str, "kind": str, "binds": bool, "multiplier": float}
        return [{key: kind(c[key]) for key, kind in kinds.items()} for c in self._file.get("constraints", [])]

    @property
    def df_model(self) -> Any:
        """Free parameters, as they count in AIC."""
        return self._file["df_model"]

    @property
    def bic(self) -> float:
        """k log n - 2 log-likelihood."""
        if self._file["bic"] is None:
            return super().bic  # type: ignore[misc,no-any-return]
        return float(self._file["bic"])

    @property
    def _determined(self) -> float:
        return float(self._file["determined"])

    def _wanted(self, kind: Any = None, cluster: Any = None, ssc: Any = None, lags: int | None = None) -> Covariance:
        if isinstance(kind, Covariance):
            return kind
        kind = self.cov.kind if kind is None else kind
        if kind not in self._kept or cluster is not None or ssc is not None or lags is not None:
            raise NotDefined(
                f"another covariance needs the data, and the result is from a file: it has {', '.join(self._kept)}"
            )
        return self.cov if kind == self.cov.kind else Covariance(kind)

    def _any_covariance(self, wanted: Covariance) -> np.ndarray:
        if wanted.kind not in self._kept:
            raise NotDefined(f"the file has the covariances {', '.join(self._kept)}, not {wanted.kind}")
        return self._kept[wanted.kind]

    def cov_said(self, kind: Any = None) -> str:
        """The covariance in words, with its small-sample factor."""
        return self._said[self._wanted(kind).kind]

    def conf_int(
        self, level: float = 0.95, method: str = "wald", kind: Any = None, parm: Any = None, **options: Any
    ) -> np.ndarray:
        """Wald intervals (see `Result.conf_int`); others need the likelihood."""
        if method != "wald" or options:
            raise NotDefined(
                f"intervals by method={method!r}: {ABSENT.format('the likelihood and its data')}; or 'wald'"
            )
        return super().conf_int(level, method, kind, parm)  # type: ignore[misc,no-any-return]

    def glance(self) -> dict[str, Any]:
        """The fit in one dict, as it was saved."""
        return dict(self._file["glance"])

    def rows_said(self) -> list[str]:
        """What weights said and which rows were left out, in sentences."""
        return list(self._file["rows_said"])

    def summary(self, level: float = 0.95, kind: Any = None) -> summary.Summary:
        """The estimates as a table to print, as it was of the fit."""
        table = summary.of(self, level, kind, "z" if self._file["t_df"] is None else "t")
        table.head = list(self._file["head"])
        return table

    def _quantile(self, level: float) -> float:
        from scipy import special

        df = self._file["t_df"]
        p = 0.5 + 0.5 * level
        if df is None:
            return float(special.ndtri(p))
        return float(special.stdtrit(df, p)) if df > 0 else float("nan")

    def _p_value(self, statistic: float) -> float:
        from scipy import special

        df = self._file["t_df"]
        if df is None:
            return float(2 * special.ndtr(-abs(statistic)))
        return float(2 * special.stdtr(df, -abs(statistic))) if df > 0 else float("nan")


class LoadedResult(_FromFile, Result):
    """A result of a likelihood, from a file."""

    def predict(self, f: Any = None, data: Any = None, kind: Any = None) -> Any:
        """A function of parameters and new data (see `Result.predict`)."""
        if not callable(f) or data is None:
            raise NotDefined(f"predict without a function of parameters and new data: {ABSENT.format('both')}")
        return super().predict(f, data, kind)

    def test(self, hypothesis: Any, kind: str = "wald", cov: Any = None) -> Test:
        """Wald's test of linear hypotheses (see `Result.test`)."""
        t, df = super().test(hypothesis, kind, cov), self._file["t_df"]
        return t if df is None else Test("F test", t.statistic / t.df, t.df, t.hypothesis, df)


class LoadedRegression(_FromFile, RegressionResult):
    """A result of a regression, from a file."""

    def _need_model(self, what: str) -> Any:
        if self._model is None:
            raise NotDefined(f"{what}: {ABSENT.format('its likelihood and its data')}")
        return self._model

    @property
    def table(self) -> Any:
        """The data are not in a file."""
        raise NotDefined(ABSENT.format("the rows of the data"))

    @property
    def _given_columns(self) -> int:
        return int(self._file["regression"]["model"]["columns"])


def _result(saved: dict[str, Any]) -> Any:
    """A result from what the file holds, checked."""
    about = saved["regression"]
    cls = LoadedResult if about is None else LoadedRegression
    r: Any = cls.__new__(cls)
    labels = [str(n) for n in saved["labels"]]
    u = _vector(saved["u"])
    r.parameters = _parameters(saved, len(labels), len(u))
    if r.parameters.size != len(u) or r.parameters.labels != labels:
        raise ValueError("its parameters and its estimates do not fit together")
    r._file, r.labels, r.u = saved, labels, u
    r.model = r.objective = Absent(str(saved["model"]))
    r.coef, r.params = np.asarray(r.parameters.vector(u)), r.parameters.values(u)
    r.nobs = None if saved["nobs"] is None else float(saved["nobs"])
    r.polished, r._cov, r.search = int(saved["polished"]), {}, SimpleNamespace(**_search(saved["search"]))
    for name in ("df_model", "determined", "t_df", "bic"):
        saved[name] = None if saved[name] is None else float(saved[name])
    saved["glance"] = {str(k): _number(v) for k, v in saved["glance"].items()}
    for name in ("head", "rows_said", "methods"):
        saved[name] = [str(t) for t in saved[name]]
    r._kept, r._said = {}, {}
    for kind, matrix in saved["covariances"].items():
        r._kept[kind], r._said[kind] = _matrix(matrix["matrix"], (len(u), len(u))), str(matrix["said"])
    if saved["cov"] not in r._kept:
        raise ValueError("it lacks the covariance that its errors are of")
    r.cov = Covariance(saved["cov"])
    c = saved["certificate"]
    lost = np.array([bool(v) for v in c["undetermined"]], bool)
    if lost.shape != u.shape:
        raise ValueError("its certificate does not fit its parameters")
    problems = [str(p) for p in c["problems"]]
    r.certificate = Certificate(bool(c["ok"]), float(c["decrement"]), float(c["smallest"]), [], lost, problems)
    for name, value in saved["figures"].items():
        free = isinstance(getattr(cls, name, None), property) or not hasattr(cls, name)  # not a method
        if name.isidentifier() and not name.startswith("_") and free and name not in r.__dict__:
            r.__dict__[name] = _number(value)
    r.loglik = None if saved["loglik"] is None else float(saved["loglik"])
    if about is not None:
        _regression(r, about)
    return r


def _regression(r: Any, about: dict[str, Any]) -> None:
    """What a regression has besides."""
    r.null = np.reshape(_vector([v for row in about["null"] for v in row]), [int(n) for n in about["null_shape"]])
    r.statistic = "z" if r._file["t_df"] is None else "t"
    r.notes, m = tuple(map(str, about["notes"])), about["model"]
    r._model = None
    if r.null.ndim != 2 or len(r.null) != len(r.u):
        raise ValueError("its undetermined combinations do not fit its parameters")
    if m is None:
        return
    family, k = family_named(m["family"], m["power"] if m["family"] == "tweedie" else None), int(m["width"])
    if m["link"] not in LINKS or k + len(family.more()) != len(r.u) or not k - 1 <= int(m["columns"]) <= k:
        raise ValueError("its family and link do not fit its parameters")
    r._model = Regression(family, LINKS[m["link"]], k, float(m["scale"]))
    if about["design"] is not None:
        r.design = rebuilt(about["design"])
        if len(r.design.names) != k:
            raise ValueError("its formula does not fit its parameters")


def _parameters(saved: dict[str, Any], most: int, free: int) -> ParameterSet:
    declared: dict[str, Any] = {}
    for name, p in saved["parameters"]:
        kind = p["kind"]
        if kind not in domains.__all__ or kind == "Parameter":
            raise ValueError(f"it has a parameter of the kind {kind!r}, which is unknown")
        of = getattr(domains, kind)
        if kind == "Fixed":
            declared[name] = of(np.reshape(_vector(_flat(p["value"])), [int(n) for n in p["shape"]]))
        elif kind == "Tied":
            declared[name] = of(str(p["to"]))
        elif "size" in p:
            if not int(p["size"]) <= max(most, free) + 1:
                raise ValueError("a matrix in it is larger than it has parameters")
            declared[name] = of(int(p["size"]), p["names"])
        else:
            shape = [int(n) for n in p["shape"]]
            if any(n < 0 for n in shape) or len(shape) > 32 or not np.prod([float(n) for n in shape]) <= most:
                raise ValueError("a parameter in it is larger than it has estimates")
            ends = (float(p["low"]), float(p["high"])) if kind == "Interval" else ()
            declared[name] = of(*ends, shape, p["names"])
            if p["bare"] is True:
                declared[name].bare = True
    flat = saved["flat"] is True and list(declared) == ["theta"]
    return ParameterSet(declared["theta"] if flat else declared)


def _flat(x: Any) -> list[Any]:
    return [v for part in x for v in _flat(part)] if isinstance(x, list) else [x]


def _search(saved: dict[str, Any]) -> dict[str, Any]:
    return {"nit": int(saved["nit"]), "success": bool(saved["success"]), "message": str(saved["message"])}


def _vector(values: Any) -> np.ndarray:
    return np.array([float(v) for v in values], float)


def _matrix(rows: Any, shape: tuple[int, ...]) -> np.ndarray:
    a = np.array([[float(v) for v in row] for row in rows], float).reshape(shape)
    return a


def _number(v: Any) -> Any:
    """A figure: numbers that JSON does not know are text in the file."""
    return float(v) if v in ("nan", "inf", "-inf") else v if v is None or isinstance(v, (bool, int, float)) else str(v)
