"""The likelihood of a regression: a family and a link over one linear predictor. Imports design, families, links."""

from typing import Any

from .design import linear_predictor
from .families import Family
from .links import Link

__all__ = ["Regression"]

CANONICAL = {
    ("gaussian", "identity"),
    ("binomial", "logit"),
    ("poisson", "log"),
    ("gamma", "inverse"),
    ("inverse-gaussian", "inverse-squared"),
}


class Regression:
    """The log-likelihood of a generalized linear model, as `MLE` and the search call it. Equal ones compile once.

    Parameters
    ----------
    family : Family
    link : Link
    width : int
        The number of coefficients.
    scale : float
        The dispersion, for families that have one.
    """

    def __init__(self, family: Family, link: Link, width: int, scale: float = 1.0) -> None:
        self.family, self.link, self.width, self.scale = family, link, width, scale
        self.names = tuple(family.more())

    def __call__(self, p: Any, d: Any) -> Any:
        """By natural parameters: `p.coef`, and those of the family."""
        eta = linear_predictor(d, p["coef"])
        more = {n: p[n] for n in self.names}
        rows = self.family.rows(d.y, eta, self.link, d.get("trials", 1.0), **more)
        return rows if self.scale == 1.0 else rows / self.scale

    def by_vector(self, theta: Any, d: Any) -> Any:
        """By one vector: the coefficients, and the real numbers behind the rest."""
        k, more = self.width, self.family.more()
        return self({"coef": theta[:k], **{n: p.natural(theta[k + j]) for j, (n, p) in enumerate(more.items())}}, d)

    def scaled(self, scale: float) -> "Regression":
        """The same with another dispersion."""
        return Regression(self.family, self.link, self.width, scale)

    @property
    def canonical(self) -> bool:
        """Whether what is observed of the information is what is expected."""
        return (self.family.name.removeprefix("quasi-"), self.link.name) in CANONICAL and self.scale > 0

    @property
    def title(self) -> str:
        """What a table says above itself."""
        known = {("gaussian", "identity"): "Linear regression", ("binomial", "logit"): "Logistic regression"}
        other = f"{self.family.name.replace('-', ' ').capitalize()} regression, {self.link.name} link"
        return known.get((self.family.name, self.link.name), other)

    def _key(self) -> Any:
        return self.family, self.link, self.width, self.scale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regression) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self.family, self.link.name, self.width, self.scale))

    def __repr__(self) -> str:
        return f"{self.family.name}({self.link})"
