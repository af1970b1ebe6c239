"""What the tracer says when it cannot follow a model."""


class UntraceableError(ValueError):
    """A model does something whose receptive field cannot be told; the message names module and operator.

    Better no number than a wrong one.
    """
