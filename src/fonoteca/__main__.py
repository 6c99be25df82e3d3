"""``python -m fonoteca``."""

from fonoteca.cli.main import entry

entry()
