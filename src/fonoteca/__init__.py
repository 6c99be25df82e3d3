"""fonoteca: a fully open preservation archive for music that anyone with enough disk can mirror."""

__version__ = "0.1.0"
