"""Every error bibun raises by a name of its own. Imports nothing; the next one goes below, under the built-in
class a caller would already be catching."""

__all__ = ["ChangedInPlace", "MissingRule", "NonFinite", "NotDefined", "TrackedVariable"]


class MissingRule(NotImplementedError):
    """A function met a Variable and the table has no derivative for it."""


class TrackedVariable(TypeError):
    """A Variable with a history was about to become a plain number or array, and its derivative lost."""


class ChangedInPlace(RuntimeError):
    """An array was changed after an operation had recorded it; the derivative would belong to neither value."""


class NonFinite(FloatingPointError):
    """Inside `debug_nans()`: an operation made the first NaN or infinity."""


class NotDefined(ValueError):
    """A figure that this model does not have; the message says why, and what there is in its place."""
