"""Refusals of the engine, in the words of the domain."""


class EngineRefusal(Exception):
    """Something asked for cannot be; the message says what, why and what would help."""


class NoFeasiblePlan(EngineRefusal):
    """No candidate passes every limit."""


class UnknownPart(EngineRefusal):
    """An accelerator that the catalogue does not hold."""


class UnknownModel(EngineRefusal):
    """Neither a known model nor a size to estimate it from."""


class NotExplained(EngineRefusal):
    """A figure that no formula of the performance model stands behind."""
